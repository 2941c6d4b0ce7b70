//! What a pool is at, at one moment: for who asks why nothing goes on. `snapshot/display.rs` puts it into words.

mod display;

use std::fmt;
use std::panic::Location;
use std::time::Duration;

use super::ids::{LimitId, Row};
use crate::error::Hop;

/// What a pool is at, at one moment; see [`Pool::snapshot`](crate::Pool::snapshot).
///
/// Its `Display` is at most a page, with what is most telling first. The parts are seen one after the other while the
/// pool goes on, so that they may differ by what happened in between: each is as it was at a moment during the call.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Snapshot {
    /// What the pool's threads' names begin with.
    pub name: String,
    /// How many workers it is to have.
    pub workers: usize,
    /// How many threads do its work now, spare ones and helping ones too.
    pub threads: usize,
    /// How many of these sleep, as they have found nothing to do.
    pub asleep: usize,
    /// How many are in [`blocking`](crate::blocking).
    pub blocking: usize,
    /// Whether it takes work, is being stopped, or has stopped.
    pub phase: PoolPhase,
    /// What runs, the newest on each thread first.
    pub running: Vec<Running>,
    /// The callbacks of results ([`on_set`](crate::AsyncResult::on_set)) that run: of results of this pool, on whatever
    /// thread, and all on the pool's threads. The newest on each thread first.
    pub callbacks: Vec<RunningCallback>,
    /// The threads that wait for results, inside of the pool's work and outside.
    pub waits: Vec<Waiting>,
    /// What is ready and has not begun.
    pub queued: Queued,
    /// The limits that work of this pool stands in line for, or has permits of.
    pub limits: Vec<LimitUse>,
    /// What tasks of the pool wait for that is no work of the pool's.
    pub roots: Vec<Root>,
    /// Tasks that have begun, are pending, and hold no thread.
    pub suspended: Vec<Suspended>,
    /// What there is by function, where the pool was built with [`watch`](crate::PoolBuilder::watch).
    pub functions: Vec<FunctionCounts>,
}

/// Which phase a pool is in.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum PoolPhase {
    /// It takes work from anywhere.
    Open,
    /// It finishes what it has.
    Stopping,
    /// It begins nothing any more.
    Stopped,
}

/// What was called, and where. As text it is `size (src/main.rs:37)`.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct CallSite {
    /// `module::function`.
    pub name: &'static str,
    /// The place of the call.
    pub at: &'static Location<'static>,
}

impl From<Hop> for CallSite {
    fn from(hop: Hop) -> CallSite {
        CallSite { name: hop.name(), at: hop.at }
    }
}

impl fmt::Display for CallSite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let short = self.name.rsplit("::").next().unwrap_or(self.name);
        // Of `AsyncResult::channel` and the like the last word says too little.
        let name = if self.name.starts_with("AsyncResult") { self.name } else { short };
        write!(f, "{name} ({}:{})", self.at.file(), self.at.line())
    }
}

/// A task that runs.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Running {
    /// Which.
    pub call: CallSite,
    /// On which thread.
    pub row: Row,
    /// For how long.
    pub time: RunTime,
    /// Whether its thread waits, in this task's code or in what that has led to.
    pub waits: bool,
    /// Whether it has a result already: it was cancelled, or is out of time.
    pub is_settled: bool,
}

/// A callback that runs.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct RunningCallback {
    /// Where it was registered.
    pub at: &'static Location<'static>,
    /// What its result is of.
    pub result: CallSite,
    /// On which thread.
    pub row: Row,
    /// For how long.
    pub time: RunTime,
    /// Whether its thread waits, in the callback's code or in what that has led to.
    pub waits: bool,
}

/// For how long a task or a callback has run.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum RunTime {
    /// Since it began, or went on: known where somebody looks on.
    Exactly(Duration),
    /// Since the snapshot before, which saw the same run.
    AtLeast(Duration),
    /// Not known.
    Unknown,
}

/// A thread that waits for results.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Waiting {
    /// Which thread.
    pub row: Row,
    /// The task whose code waits; none where it is outside of work.
    pub call: Option<CallSite>,
    /// The place of the wait.
    pub at: &'static Location<'static>,
    /// The first of what it waits for.
    pub on: Vec<Way>,
    /// How many there are in all.
    pub of: usize,
    /// Whether any one of them will do.
    pub any: bool,
    /// Whether the wait has a limit of time.
    pub timed: bool,
    /// Where the limit was made in whose line the thread stands, to begin or to go on.
    pub line: Option<&'static Location<'static>>,
}

/// What is waited for, and what that waits for in turn, over a few steps.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Way {
    /// Each waits for the next.
    pub calls: Vec<CallSite>,
    /// What the last of them is at.
    pub end: WayEnd,
}

/// What the last one on a [`Way`] is at.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum WayEnd {
    /// It is there.
    Set,
    /// It runs.
    Runs,
    /// It is queued, or about to be.
    Queued,
    /// No work sets it, but the program.
    ByHand,
    /// It stands in the line of a limit.
    InLine,
    /// It stands in the line of a [`Rate`](crate::Rate).
    InLineOfRate,
    /// It sleeps until a waker is called, or a pause is over.
    Asleep,
    /// It waits for more than is shown.
    Waits,
}

/// What is ready and has not begun.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
#[non_exhaustive]
pub struct Queued {
    /// In the queue for what comes from outside of the workers.
    pub from_outside: usize,
    /// In the queues of the workers.
    pub on_workers: usize,
    /// How many long lists of tasks that are ready are not queued yet.
    pub lists: usize,
    /// How much work from outside counts towards the queue's capacity, and that; none without.
    pub capacity: Option<(usize, usize)>,
}

impl Queued {
    /// How many tasks are queued.
    pub fn total(&self) -> usize {
        self.from_outside + self.on_workers
    }
}

/// A limit, or the line of a [`Rate`](crate::Rate), as far as this pool's work is concerned.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct LimitUse {
    /// Which.
    pub limit: LimitId,
    /// How much work it lets run at once; of a [`Rate`](crate::Rate), how much it lets begin at once.
    pub most: usize,
    /// Of a [`Rate`](crate::Rate): how long it takes for one more.
    pub every: Option<Duration>,
    /// Where it was made.
    pub made_at: &'static Location<'static>,
    /// How many of its permits are with somebody; none of a [`Rate`](crate::Rate).
    pub taken: usize,
    /// Who has its permits, as far as that are tasks.
    pub holders: Vec<CallSite>,
    /// The first in its line.
    pub line: Vec<CallSite>,
    /// How many stand there, of all pools.
    pub in_line: usize,
}

/// Something that tasks of the pool wait for and that is no work of the pool's.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Root {
    /// What it is: where it was made, or called.
    pub call: CallSite,
    /// Whether no work sets it, but the program. Else it is the work of another pool.
    pub by_hand: bool,
    /// The first of those that wait for it.
    pub dependents: Vec<CallSite>,
    /// How many there are.
    pub waiting: usize,
}

/// A task that is pending and holds no thread.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Suspended {
    /// Which.
    pub call: CallSite,
    /// What it waits for, as far as that is known.
    pub on: Option<Way>,
    /// Whether it stands in the line of a limit or a rate.
    pub in_line: bool,
    /// Whether that is a [`Rate`](crate::Rate)'s.
    pub by_rate: bool,
}

/// What there is of one function.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct FunctionCounts {
    /// Its name, without the module; `others` for all that are too many to be counted one by one.
    pub name: &'static str,
    /// How many tasks wait for what they need.
    pub waiting: usize,
    /// How many are ready.
    pub ready: usize,
    /// How many run.
    pub running: usize,
    /// How many have begun and are pending.
    pub suspended: usize,
    /// How many are over.
    pub ended: usize,
    /// How many of these have failed, were skipped, or came too late: they were cancelled or out of time while they ran.
    pub failed: usize,
    /// How many more there were, while too many were open: of these nothing else is counted.
    pub more: usize,
    /// The functions that waiting tasks need, with how many need each; most first.
    pub needs: Vec<(&'static str, usize)>,
}
