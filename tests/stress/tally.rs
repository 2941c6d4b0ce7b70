//! What is counted: values from birth to drop, tasks from their making to their end.
//!
//! All of it is in statics made of atomics, so that the program itself has no locks and no counted
//! references that ThreadSanitizer or valgrind would have to be told about.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use crate::watch;

/// Counts since the program began; `Counts` is a look at them.
#[derive(Default)]
pub struct Tally {
    pub born: AtomicU64,
    pub dropped: AtomicU64,
    pub clones_written: AtomicU64,
    pub clones_made: AtomicU64,
    /// Tasks, by what became of them.
    pub issued: AtomicU64,
    pub ran: AtomicU64,
    pub kept_from_running: AtomicU64,
    /// Callbacks, and how often they were called.
    pub registered: AtomicU64,
    pub called: AtomicU64,
    /// Results that were looked at, by what they came to.
    pub values: AtomicU64,
    pub failures: AtomicU64,
}

pub static TALLY: Tally = Tally {
    born: AtomicU64::new(0),
    dropped: AtomicU64::new(0),
    clones_written: AtomicU64::new(0),
    clones_made: AtomicU64::new(0),
    issued: AtomicU64::new(0),
    ran: AtomicU64::new(0),
    kept_from_running: AtomicU64::new(0),
    registered: AtomicU64::new(0),
    called: AtomicU64::new(0),
    values: AtomicU64::new(0),
    failures: AtomicU64::new(0),
};

pub fn count(counter: &AtomicU64) {
    counter.fetch_add(1, Relaxed);
    watch::progress();
}

impl Tally {
    /// What is still alive or under way: all of these have to come down to nothing.
    pub fn left(&self) -> Left {
        // What ends is read before what begins, so that no difference is negative.
        let read = |counter: &AtomicU64| counter.load(Relaxed);
        let (dropped, called) = (read(&self.dropped), read(&self.called));
        let ended = read(&self.ran) + read(&self.kept_from_running);
        Left {
            values: read(&self.born).wrapping_sub(dropped) as i64,
            tasks: read(&self.issued).wrapping_sub(ended) as i64,
            callbacks: read(&self.registered).wrapping_sub(called) as i64,
        }
    }
}

#[derive(Debug, PartialEq, Eq, Clone, Copy)]
pub struct Left {
    pub values: i64,
    pub tasks: i64,
    pub callbacks: i64,
}

impl Left {
    pub const NOTHING: Left = Left { values: 0, tasks: 0, callbacks: 0 };
}

/// A number with a seal on the heap: a second drop, or a look after the first, is found out by the
/// seal, and by tools that watch the heap.
pub struct Value {
    number: u64,
    seal: Box<u64>,
}

const SEAL: u64 = 0x5EA1_ED5E_A1ED_5EA1;

impl Value {
    pub fn new(number: u64) -> Value {
        count(&TALLY.born);
        Value { number, seal: Box::new(number ^ SEAL) }
    }

    pub fn read(&self) -> u64 {
        if *self.seal != self.number ^ SEAL {
            watch::fail(&format!("the seal of {:#x} is broken: {:#x}", self.number, *self.seal));
        }
        self.number
    }
}

impl Clone for Value {
    fn clone(&self) -> Value {
        count(&TALLY.clones_made);
        Value::new(self.read())
    }
}

impl Drop for Value {
    fn drop(&mut self) {
        self.read();
        *self.seal = !(self.number ^ SEAL);
        count(&TALLY.dropped);
    }
}

/// What a task comes to, if it runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    Fine,
    Fails,
    Panics,
}

/// The error of a task that fails, and the payload of one that panics: its number.
#[derive(Debug)]
pub struct Broken(pub u64);

impl std::fmt::Display for Broken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "task {} is broken", self.0)
    }
}

impl std::error::Error for Broken {}

/// A task's part in the count: it goes into the task's closure, and is dropped with it, run or not.
pub struct Run {
    pub number: u64,
    pub fate: Fate,
    /// How long the task takes.
    pub spins: u32,
    ran: bool,
}

impl Run {
    pub fn new(fate: Fate, spins: u32) -> Run {
        let number = TALLY.issued.fetch_add(1, Relaxed);
        Run { number, fate, spins, ran: false }
    }

    /// What the task comes to: `number` is what it has worked out.
    pub fn end(mut self, number: u64) -> Result<Value, Broken> {
        self.ran = true;
        for _ in 0..self.spins {
            std::hint::spin_loop();
        }
        match self.fate {
            Fate::Fine => Ok(Value::new(number)),
            Fate::Fails => Err(Broken(self.number)),
            // Resumed rather than begun, so that it prints nothing.
            Fate::Panics => std::panic::resume_unwind(Box::new(Broken(self.number))),
        }
    }
}

impl Drop for Run {
    fn drop(&mut self) {
        count(if self.ran { &TALLY.ran } else { &TALLY.kept_from_running });
    }
}

/// What each task does with its inputs; the same sums are done in order by who builds the graph.
pub fn mix(a: u64, b: u64) -> u64 {
    (a.rotate_left(7) ^ b.wrapping_mul(0xD6E8_FEB8_6659_FD93)).wrapping_add(1)
}
