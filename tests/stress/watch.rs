//! The watchdog: whatever makes no progress for a while is shown and ends the process, and so is
//! whatever is found to be wrong.

use std::io::Write;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use crate::tally::TALLY;

static PROGRESS: AtomicU64 = AtomicU64::new(0);
static SEED: AtomicU64 = AtomicU64::new(0);
static WEATHER: Mutex<String> = Mutex::new(String::new());
static FAILED: AtomicBool = AtomicBool::new(false);

/// What each thread of the stress does, by the thread's slot. Each has its lock to itself.
static DOING: [Mutex<&str>; 16] = [const { Mutex::new("") }; 16];

/// Something was done.
pub fn progress() {
    PROGRESS.fetch_add(1, Relaxed);
}

/// The round that is under way: enough to do it again.
pub fn round(seed: u64, weather: String) {
    SEED.store(seed, Relaxed);
    *WEATHER.lock().unwrap_or_else(PoisonError::into_inner) = weather;
    progress();
}

/// What the thread in this slot does now. That alone is no progress.
pub fn doing(slot: usize, step: &'static str) {
    *DOING[slot].lock().unwrap_or_else(PoisonError::into_inner) = step;
}

/// Starts the watchdog, and has panics shown that the test harness would keep to itself.
pub fn start(patience: Duration) {
    std::panic::set_hook(Box::new(|panic| {
        let _ = writeln!(std::io::stderr(), "{panic}");
    }));
    thread::spawn(move || {
        let (mut last, mut since) = (0, Instant::now());
        loop {
            thread::sleep(Duration::from_millis(200));
            let now = PROGRESS.load(Relaxed);
            if now != last {
                (last, since) = (now, Instant::now());
            } else if since.elapsed() > patience {
                fail(&format!("hangs: nothing has happened for {patience:?}"));
            }
        }
    });
}

/// Shows what is wrong and how things stand, and ends the process.
pub fn fail(what: &str) -> ! {
    if FAILED.swap(true, Relaxed) {
        // One report is enough; it ends the process.
        loop {
            thread::sleep(Duration::from_secs(1));
        }
    }
    let mut text = format!(
        "\nstress: {what}\nagain with: ASYNCKIT_STRESS_SEED={} (the seed of this round)\n{}\n\
         left: {:?}\n",
        SEED.load(Relaxed),
        WEATHER.lock().unwrap_or_else(PoisonError::into_inner),
        TALLY.left(),
    );
    let counts = [
        ("values born", &TALLY.born),
        ("dropped", &TALLY.dropped),
        ("clones written", &TALLY.clones_written),
        ("clones made", &TALLY.clones_made),
        ("tasks issued", &TALLY.issued),
        ("ran", &TALLY.ran),
        ("kept from running", &TALLY.kept_from_running),
        ("callbacks registered", &TALLY.registered),
        ("called", &TALLY.called),
        ("values got", &TALLY.values),
        ("failures got", &TALLY.failures),
    ];
    for (name, counter) in counts {
        text += &format!("  {name}: {}\n", counter.load(Relaxed));
    }
    for (slot, doing) in DOING.iter().enumerate() {
        match doing.try_lock().as_deref() {
            Ok(&"") => {}
            Ok(step) => text += &format!("  stress thread {slot}: {step}\n"),
            Err(_) => text += &format!("  stress thread {slot}: between two steps\n"),
        }
    }
    for (name, state) in threads() {
        text += &format!("  {name}: {state}\n");
    }
    // Not `eprintln`, which the test harness would keep to itself.
    let _ = std::io::stderr().write_all(text.as_bytes());
    std::process::exit(101);
}

/// The threads of this process and what the system has them do, where it tells.
fn threads() -> Vec<(String, String)> {
    let Ok(tasks) = std::fs::read_dir("/proc/self/task") else { return Vec::new() };
    let read = |path: std::path::PathBuf| std::fs::read_to_string(path).unwrap_or_default();
    tasks
        .flatten()
        .map(|task| {
            let name = read(task.path().join("comm")).trim().to_owned();
            let status = read(task.path().join("status"));
            let state = status.lines().find_map(|line| line.strip_prefix("State:"));
            (name, state.unwrap_or("?").trim().to_owned())
        })
        .collect()
}
