//! What the tests call.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use asynckit::{async_work, current, is_cancelled};
use asynckit_cluster::call_id;
use serde::{Deserialize, Serialize};

#[async_work(remote)]
pub fn add(a: u64, b: u64) -> u64 {
    a + b
}

#[async_work(remote)]
pub fn shout(text: &str) -> String {
    text.to_uppercase()
}

#[async_work(remote)]
pub fn process() -> u32 {
    std::process::id()
}

#[async_work(remote)]
pub fn id_of_this_call() -> String {
    call_id().expect("it is a call").to_string()
}

#[async_work(remote)]
pub fn length(bytes: &[u8]) -> usize {
    bytes.len()
}

#[async_work(remote)]
pub fn bytes(n: usize) -> Vec<u8> {
    vec![7; n]
}

/// Notes that it runs, and waits until the other file is there.
#[async_work(remote)]
pub fn meet(runs: &Path, until: &Path) -> u32 {
    note(runs);
    wait_for(until);
    std::process::id()
}

#[async_work(remote, limit = 2)]
pub fn limited(runs: &Path, until: &Path) -> u32 {
    note(runs);
    wait_for(until);
    std::process::id()
}

/// Takes up as much of the limit as it says.
#[async_work(remote, limit = 4, weight = n)]
pub fn heavy(n: u64, runs: &Path, until: &Path) -> u64 {
    note(runs);
    wait_for(until);
    n
}

/// Takes up all of the limit, and fails at first.
#[async_work(remote, limit = 4, weight = 4, retry = 1)]
pub fn heavy_twice(runs: &Path) -> Result<u64, Full> {
    second_time(runs)
}

/// Has its turn once in an hour.
#[async_work(remote, rate = "1/h")]
pub fn hourly(runs: PathBuf, n: u64) -> u64 {
    note(&runs);
    n
}

/// Two may begin, and then one in an hour.
#[async_work(keep, remote, rate = "1/h", burst = 2)]
pub fn hourly_kept(n: u64) -> u64 {
    n * n
}

#[async_work(remote, rate = "4/s")]
pub fn in_turn(n: u64) -> u64 {
    n
}

#[async_work(remote, rate = "4/s", retry = 1)]
pub fn each_try_in_turn(runs: &Path) -> Result<u64, Full> {
    second_time(runs)
}

/// What is submitted here has the turns of this process.
#[async_work(remote)]
pub fn in_turn_inside() -> Result<Duration, asynckit::Error> {
    let begin = Instant::now();
    let all = [1, 2, 3].map(|n| in_turn(n).spawn_on(&current()));
    for one in all {
        one.get()?;
    }
    Ok(begin.elapsed())
}

#[async_work(remote, limit = 1, rate = "4/s")]
pub fn alone_in_turn(runs: &Path, until: &Path) -> u64 {
    let times = note(runs);
    wait_for(until);
    times
}

fn second_time(runs: &Path) -> Result<u64, Full> {
    match note(runs) {
        1 => Err(Full { disk: "A".into() }),
        times => Ok(times),
    }
}

/// Ends its process, in this way, and notes each time that it has run before.
#[async_work(remote)]
pub fn end(runs: &Path, how: &str) -> u32 {
    note(runs);
    match how {
        "abort" => std::process::abort(),
        "exit" => std::process::exit(3),
        "kill" => kill_self(rustix::process::Signal::KILL),
        "segv" => kill_self(rustix::process::Signal::SEGV),
        "speak" => {
            eprintln!("these are my last words");
            std::process::abort();
        }
        _ => 7,
    }
}

#[async_work(remote(deliveries = 1))]
pub fn end_once(runs: &Path) -> u32 {
    note(runs);
    std::process::abort()
}

/// Ends its process the first time.
#[async_work(remote)]
pub fn end_at_first(runs: &Path) -> u32 {
    if note(runs) == 1 {
        std::process::abort();
    }
    std::process::id()
}

/// A value whose process ends the first time that it is told of: the code has run, and nobody hears of it.
#[derive(Debug, PartialEq, Deserialize)]
pub struct Untold(pub u64);

impl Serialize for Untold {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        if self.0 == 1 {
            kill_self(rustix::process::Signal::KILL);
        }
        to.serialize_newtype_struct("Untold", &self.0)
    }
}

#[async_work(remote)]
pub fn end_before_it_tells(runs: &Path) -> Untold {
    Untold(note(runs))
}

/// Goes out once, and is tried twice; ends its process the first time.
#[async_work(remote(deliveries = 1), retry = 1)]
pub fn end_at_first_try(runs: &Path) -> u64 {
    if note(runs) == 1 {
        std::process::abort();
    }
    2
}

/// Notes under which id it is called. The first time its process ends, the second time it fails.
#[async_work(remote, retry = 1)]
pub fn id_each_time(ids: &Path) -> Result<u64, Full> {
    match note_line(ids, &call_id().expect("it is a call").to_string()) {
        1 => std::process::abort(),
        2 => Err(Full { disk: "A".into() }),
        times => Ok(times),
    }
}

/// For a test in which processes are killed.
#[async_work(remote)]
pub fn risky(n: u64) -> u64 {
    n * n
}

/// The same, so long that it is usually running.
#[async_work(remote)]
pub fn risky_for(n: u64, milliseconds: u64) -> u64 {
    std::thread::sleep(Duration::from_millis(milliseconds));
    n * n
}

pub fn kill_self(signal: rustix::process::Signal) -> u32 {
    // The standard library's handler of SIGSEGV lets the first one pass, and two that come together are one.
    for _ in 0..6_000 {
        let _ = rustix::process::kill_process(rustix::process::getpid(), signal);
        std::thread::sleep(Duration::from_millis(10));
    }
    0
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
pub struct Full {
    pub disk: String,
}

impl std::fmt::Display for Full {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "the disk {} is full", self.disk)
    }
}

impl std::error::Error for Full {}

#[derive(Debug)]
pub struct Outer(Full);

impl std::fmt::Display for Outer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("nothing was written")
    }
}

impl std::error::Error for Outer {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.0)
    }
}

#[async_work(remote(error))]
pub fn fails_typed(disk: String) -> Result<u8, Full> {
    Err(Full { disk })
}

#[async_work(remote)]
pub fn fails(disk: String) -> Result<u8, Outer> {
    Err(Outer(Full { disk }))
}

#[async_work(remote)]
pub fn panics(n: u32) -> u32 {
    panic!("{n} on purpose")
}

#[async_work]
pub fn inner(n: u64) -> Result<u64, std::num::ParseIntError> {
    "x".parse::<u64>().map(|x| x + n)
}

/// A chain in a call.
#[async_work(remote)]
pub fn outer(n: u64) -> Result<u64, asynckit::Error> {
    inner(n).spawn_on(&current()).get()
}

/// Remote work that is submitted inside of remote work runs there.
#[async_work(remote)]
pub fn nested() -> Result<(u32, u32), asynckit::Error> {
    let inside = process().spawn_on(&current()).get()?;
    Ok((std::process::id(), inside))
}

#[async_work(remote, retry = 2)]
pub fn third_time(runs: &Path) -> Result<u32, Full> {
    match note(runs) {
        1 | 2 => Err(Full { disk: "A".into() }),
        _ => Ok(3),
    }
}

#[async_work(remote, retry = 2)]
pub fn never_works(disk: String) -> Result<u32, Full> {
    Err(Full { disk })
}

/// Waits to be cancelled, and notes that it was.
#[async_work(remote)]
pub fn patient(runs: &Path, cancelled: &Path) -> u32 {
    note(runs);
    while !is_cancelled() {
        std::thread::sleep(Duration::from_millis(1));
    }
    note(cancelled);
    1
}

/// Never asks.
#[async_work(remote)]
pub fn deaf(runs: &Path) -> u32 {
    note_process(runs);
    std::thread::sleep(Duration::from_secs(60));
    1
}

#[async_work(remote, timeout = "50ms")]
pub fn slow(runs: &Path) -> u32 {
    note_process(runs);
    std::thread::sleep(Duration::from_secs(60));
    1
}

#[async_work(remote(memory = "200MB"))]
pub fn greedy(bytes: usize) -> usize {
    take(bytes)
}

#[async_work(remote(memory = "1GB"))]
pub fn ample(bytes: usize) -> usize {
    take(bytes)
}

#[async_work(remote)]
pub fn unlimited(bytes: usize) -> usize {
    take(bytes)
}

fn take(bytes: usize) -> usize {
    let mut all = vec![1u8; bytes];
    all[bytes / 2] = 2;
    std::hint::black_box(&all).len()
}

#[async_work(remote)]
pub fn says(out: &str, err: &str) {
    println!("{out}");
    eprint!("{err}");
}

#[async_work(remote)]
async fn waits(n: u64) -> u64 {
    asynckit::work(move || n + 1).spawn_on(&current()).await.unwrap_or(0)
}

/// An async function.
pub fn asynchronous(n: u64) -> asynckit::Work<'static, u64> {
    waits(n)
}

/// An associated function without a receiver.
pub struct Numbers;

impl Numbers {
    #[async_work(remote)]
    pub fn sum(all: &[u64]) -> u64 {
        all.iter().sum()
    }
}

/// Adds a line with the id of this process to a file; how many there are now.
pub fn note(file: &Path) -> u64 {
    note_line(file, &std::process::id().to_string())
}

fn note_line(file: &Path, line: &str) -> u64 {
    let mut open = std::fs::File::options().append(true).create(true).open(file).unwrap();
    open.write_all(format!("{line}\n").as_bytes()).unwrap();
    std::fs::read_to_string(file).unwrap().lines().count() as u64
}

/// Writes the id of this process to a file, in one step.
pub fn note_process(file: &Path) {
    let new = file.with_extension(format!("{}", std::process::id()));
    std::fs::write(&new, std::process::id().to_string()).unwrap();
    std::fs::rename(new, file).unwrap();
}

/// Waits until a file is there: for a minute.
pub fn wait_for(file: &Path) {
    let begin = Instant::now();
    while !file.exists() {
        assert!(begin.elapsed() < Duration::from_secs(60), "{} never came", file.display());
        std::thread::sleep(Duration::from_millis(1));
    }
}
