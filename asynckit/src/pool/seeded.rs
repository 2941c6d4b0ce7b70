//! Deterministic pools: no threads, and a seed that decides what runs next.
//!
//! A task that becomes ready draws a priority, and of all that are ready the highest runs next. To
//! draw once a task, and not once a choice, makes extreme orders likely: that one task comes after
//! a chain of n others has the chance 1 in n + 1, where choices made one by one would give it 1 in
//! 2^n. It is such orders that show faults.
//!
//! What is drawn depends on the seed and on the order of events alone: not on addresses, hashes,
//! threads or time. So nothing may come here in an order that does: see `Shared::waiting_tasks`.

use std::collections::BinaryHeap;
use std::fmt;
use std::time::Duration;

use crate::core::{Claimed, Entry, Schedule, TaskRef};
use crate::error::Error;
use crate::pool::{Pool, Shared};
use crate::sync::{Arc, Mutex, MutexGuard, lock};
use crate::terms::{Random, Timers};

/// What takes the place of the queues.
pub(crate) struct Seeded {
    draw: Mutex<Draw>,
    /// The pool's clock shows how long the pool has been there.
    timers: Arc<Timers>,
}

struct Draw {
    random: Random,
    ready: BinaryHeap<Ready>,
    /// How many tasks have become ready.
    drawn: u64,
    /// How many runs have begun.
    runs: u64,
    fault: Option<Fault>,
}

/// A task with its priority. Of equal ones the elder is first.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Ready {
    priority: u64,
    elder: std::cmp::Reverse<u64>,
    entry: Unordered,
}

/// Takes no part in comparisons.
struct Unordered(Entry);

/// What is made to go wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Fault {
    /// The run it happens in, counted from 1.
    pub(crate) run: u64,
    pub(crate) how: How,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum How {
    Fails,
    Panics,
}

/// The error of work that [`Explore`](crate::Explore) made fail.
///
/// ```
/// use asynckit::{Explore, Injected};
///
/// Explore::new().runs(4).fail_task(1).run(|pool| {
///     let error = pool.spawn(|| 1).get().unwrap_err();
///     assert_eq!(error.downcast_ref::<Injected>().unwrap().task(), 1);
/// });
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Injected {
    task: u64,
}

impl Injected {
    /// Which task it was, in the order in which the pool began them, from 1.
    pub fn task(&self) -> u64 {
        self.task
    }
}

impl fmt::Display for Injected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a failure put in the place of task {}", self.task)
    }
}

impl std::error::Error for Injected {}

impl Pool {
    /// A pool without threads that runs its work in an order which the seed decides: for tests,
    /// and for targets that have no threads.
    ///
    /// It is a pool of 0 workers: work runs on a thread that waits for it, in
    /// [`run_until_idle`](Pool::run_until_idle) and in [`stop`](Pool::stop). What differs:
    ///
    /// - Of all tasks that are ready, those from outside and those from inside of work, the seed
    ///   decides which is next. The same seed gives the same order again, on every machine, as
    ///   long as one thread uses the pool and the work itself is deterministic. (The standard
    ///   library's hash maps are not: they iterate in another order each time.)
    /// - A wait without end fails instead of hanging: when nothing is left to run that could end an
    ///   untimed wait, the wait fails as [`Deadlock`](crate::ErrorKind::Deadlock).
    /// - Time is virtual: it stands still while there is work to run, and where there is none a wait,
    ///   or a [`stop`](Pool::stop), lets it go on at once to the next moment at which something is to
    ///   happen. Limits of time and pauses between tries go by it.
    ///   [`virtual_time`](Pool::virtual_time) tells how late it is.
    /// - [`set_worker_count`](Pool::set_worker_count) does nothing.
    ///
    /// Tasks run one at a time and are not interrupted, so that the orders are those of whole
    /// tasks (of an `async fn`, of the parts between its `.await`s). A wait inside of work runs
    /// what it needs, else other work, on the same stack, and goes on after that work has ended.
    ///
    /// [`explore`](crate::explore) runs a test with many seeds.
    ///
    /// ```
    /// use std::sync::{Arc, Mutex};
    /// use asynckit::Pool;
    ///
    /// let order = |seed| {
    ///     let (pool, order) = (Pool::deterministic(seed), Arc::new(Mutex::new(Vec::new())));
    ///     for n in 0..10 {
    ///         let order = order.clone();
    ///         drop(pool.spawn(move || order.lock().unwrap().push(n)));
    ///     }
    ///     pool.run_until_idle();
    ///     order.lock().unwrap().clone()
    /// };
    /// assert_eq!(order(7), order(7));
    /// assert_ne!(order(7), order(8));
    /// ```
    pub fn deterministic(seed: u64) -> Pool {
        Pool::without_threads(Pool::builder().deterministic(seed))
    }
}

impl Pool {
    /// How late it is for a [deterministic](Pool::deterministic) pool, counted from when it was
    /// made; `None` for others, which go by the time of day.
    ///
    /// ```
    /// use std::time::Duration;
    /// use asynckit::{AsyncResult, Pool};
    ///
    /// let pool = Pool::deterministic(1);
    /// let never = AsyncResult::<u32>::new();
    /// let waits = never.clone().map(|n| n + 1).spawn_on(&pool);
    /// let hour = Duration::from_secs(3600);
    /// assert!(!waits.wait_timeout(hour)); // returns at once
    /// assert_eq!(pool.virtual_time(), Some(hour));
    /// # drop(never);
    /// ```
    pub fn virtual_time(&self) -> Option<Duration> {
        self.shared().queue.seeded().map(Seeded::now)
    }
}

impl Seeded {
    pub(crate) fn new(seed: u64, fault: Option<Fault>) -> Seeded {
        let draw =
            Draw { random: Random(seed), ready: BinaryHeap::new(), drawn: 0, runs: 0, fault };
        Seeded { draw: Mutex::new(draw), timers: Timers::virtual_ones(seed) }
    }

    fn draw(&self) -> MutexGuard<'_, Draw> {
        lock(&self.draw)
    }

    pub(crate) fn push(&self, entry: Entry) {
        let mut draw = self.draw();
        let priority = draw.random.next();
        draw.drawn += 1;
        let elder = std::cmp::Reverse(draw.drawn);
        draw.ready.push(Ready { priority, elder, entry: Unordered(entry) });
    }

    pub(crate) fn pop(&self) -> Option<Entry> {
        self.draw().ready.pop().map(|ready| ready.entry.0)
    }

    /// What is queued, the elder first.
    pub(crate) fn tasks(&self) -> Vec<TaskRef> {
        let draw = self.draw();
        let mut all: Vec<_> = draw.ready.iter().collect();
        all.sort_by_key(|ready| ready.elder);
        all.into_iter().rev().map(|ready| ready.entry.0.reference()).collect()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.draw().ready.is_empty()
    }

    /// Puts what a waiting task may begin with into an order of the seed's.
    pub(crate) fn shuffle(&self, tasks: &mut [TaskRef]) {
        let mut draw = self.draw();
        for last in (1..tasks.len()).rev() {
            let other = draw.random.next() % (last as u64 + 1);
            tasks.swap(last, other as usize);
        }
    }

    pub(crate) fn timers(&self) -> &Arc<Timers> {
        &self.timers
    }

    pub(crate) fn now(&self) -> Duration {
        self.timers.now()
    }

    /// Goes on to the next moment at which something is to happen; false where there is none.
    pub(crate) fn go_on(&self) -> bool {
        let next = self.timers.until_next();
        if let Some(step) = next {
            self.timers.advance(step);
        }
        next.is_some()
    }

    /// How many runs have begun.
    pub(crate) fn runs(&self) -> u64 {
        self.draw().runs
    }

    /// Counts one more run; the fault that is to happen in it.
    fn begin_run(&self) -> Option<Fault> {
        let mut draw = self.draw();
        draw.runs += 1;
        let runs = draw.runs;
        draw.fault.filter(|fault| fault.run == runs)
    }
}

/// Runs a claimed task of any pool; on a deterministic one it may be made to fail instead.
pub(crate) fn run(pool: &Shared, task: Claimed, to: &mut impl Schedule) {
    // What is done on the spot is no code of the user's.
    let seeded = pool.queue.seeded().filter(|_| !task.header().is_immediate());
    match seeded.and_then(Seeded::begin_run) {
        None => pool.run(task, to),
        Some(fault) => run_into(fault, pool, task),
    }
}

/// Fails a claimed task as if its first line had. Nobody needs to be told of such a failure.
fn run_into(fault: Fault, pool: &Shared, task: Claimed) {
    let (hop, hook) = (task.header().hop, pool.hook());
    let injected = Injected { task: fault.run };
    let error = match fault.how {
        How::Fails => Error::failed(hop, Box::new(injected), hook),
        How::Panics => Error::panicked(hop, Box::new(injected.to_string()), hook),
    };
    task.fail(error.observed());
}

impl Shared {
    /// The timers that it goes by.
    pub(crate) fn timers(&self) -> Arc<Timers> {
        self.queue.seeded().map_or_else(Timers::system, |seeded| seeded.timers().clone())
    }

    /// Whether this is a deterministic pool in which nothing will happen any more by itself.
    pub(crate) fn is_spent(&self) -> bool {
        // Of one that is being stopped, and has no task that sleeps, the stop sees to the rest.
        let stops = self.is_stopping() && self.sleeping.is_none();
        self.queue.seeded().is_some() && !stops && self.is_still()
    }

    /// In a deterministic pool where nothing is left but tasks that sleep until their moment: goes on
    /// to the next one. False where it is no such pool.
    pub(crate) fn go_on_for_sleepers(&self) -> bool {
        let seeded = self.queue.seeded().filter(|_| !self.sleeping.is_none() && self.is_spent());
        seeded.is_some_and(Seeded::go_on)
    }

    /// In a deterministic pool: puts tasks of which any may be first into an order of the seed's.
    pub(crate) fn shuffle(&self, tasks: &mut [TaskRef]) {
        if let Some(seeded) = self.queue.seeded() {
            seeded.shuffle(tasks);
        }
    }

    /// How many runs of tasks a deterministic pool has begun.
    pub(crate) fn runs(&self) -> u64 {
        self.queue.seeded().map_or(0, Seeded::runs)
    }
}

impl PartialEq for Unordered {
    fn eq(&self, _: &Unordered) -> bool {
        true
    }
}

impl Eq for Unordered {}

impl PartialOrd for Unordered {
    fn partial_cmp(&self, other: &Unordered) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Unordered {
    fn cmp(&self, _: &Unordered) -> std::cmp::Ordering {
        std::cmp::Ordering::Equal
    }
}
