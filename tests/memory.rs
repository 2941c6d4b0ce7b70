//! What many pending tasks hold of the memory, and that it goes back to the system after them.
//!
//! A process of its own, as what it measures is the whole process. What it looks at is resident
//! memory: what the system counts, and not what an allocator calls free.
#![cfg(target_os = "linux")]

use std::fmt;
use std::sync::LazyLock;
use std::thread;
use std::time::{Duration, Instant};

use asynckit::{AsyncResult, Pool, async_work, chain};

/// How many tasks are pending at once.
const TASKS: usize = 1_000_000;
/// For how long the pool is idle before the memory must have come back.
const REST: Duration = Duration::from_secs(1);
const MEGABYTE: usize = 1 << 20;

#[async_work]
fn copy(n: &u64) -> u64 {
    *n
}

/// How many bytes of this process are in memory.
fn resident() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").expect("what the system knows of us");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("a size");
    let kilobytes = line.trim().strip_suffix(" kB").expect("in kilobytes");
    kilobytes.parse::<usize>().expect("a number") * 1024
}

/// Resident memory, in bytes.
struct Burst {
    before: usize,
    full: usize,
    after: usize,
}

impl Burst {
    /// Whether the memory has come back: all but a tenth of what there was, or 4 MB.
    fn is_over(&self) -> bool {
        self.after <= self.before + (self.before / 10).max(4 * MEGABYTE)
    }

    fn bytes_a_task(&self) -> usize {
        self.full.saturating_sub(self.before) / TASKS
    }
}

impl fmt::Display for Burst {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let megabytes = |bytes: usize| bytes as f64 / MEGABYTE as f64;
        let (before, full) = (megabytes(self.before), megabytes(self.full));
        write!(f, "{before:.1} MB before, {full:.1} MB with {TASKS} pending tasks, ")?;
        let after = megabytes(self.after);
        write!(f, "{after:.1} MB after a rest; {} bytes a task", self.bytes_a_task())
    }
}

/// Many tasks that are lent the value of one result, which is set when they are all there.
fn burst(pool: &Pool, tasks: usize) -> usize {
    let start = Instant::now();
    let first = AsyncResult::new();
    let all: Vec<_> = (0..tasks).map(|_| chain!(pool, copy(&first))).collect();
    let full = resident();
    first.set(1).expect("it was not set before");
    let sum: u64 = all.into_iter().map(|one| one.get().expect("it can't fail")).sum();
    assert_eq!(sum, tasks as u64);
    assert!(start.elapsed() < Duration::from_secs(120), "the machine has no time for us");
    full
}

/// Measured once, as a second burst would find the memory of the first.
static BURST: LazyLock<Burst> = LazyLock::new(|| {
    let pool = Pool::new(2);
    // What the pool and the threads have for themselves is made with the first tasks.
    burst(&pool, 100);
    let before = resident();
    let full = burst(&pool, TASKS);
    thread::sleep(REST);
    let mut burst = Burst { before, full, after: resident() };
    // Where others have the processors, the threads come to rest later.
    let patience = Instant::now() + 60 * REST;
    while !burst.is_over() && Instant::now() < patience {
        thread::sleep(REST);
        burst.after = resident();
    }
    println!("{burst}");
    burst
});

#[test]
fn a_pending_task_takes_160_bytes_at_most() {
    assert!(BURST.bytes_a_task() <= 160, "{}", *BURST);
}

#[test]
fn the_memory_of_a_burst_comes_back() {
    assert!(BURST.is_over(), "{}", *BURST);
}
