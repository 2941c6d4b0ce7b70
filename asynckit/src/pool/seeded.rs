//! Deterministic pools: no threads, and a seed that decides what runs next (`draw.rs`).

use std::fmt;

use crate::core::{Claimed, News, Schedule, TaskRef};
use crate::error::Error;
use crate::pool::draw::{Fault, FaultKind, Seeded};
use crate::pool::place::Inside;
use crate::pool::shared::Shared;
use crate::sync::Arc;
use crate::terms::Timers;

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
    if let Some(part) = task.header().hooked_home::<Inside>() {
        part.news(task.header(), &News::Begins { then: false });
    }
    let injected = Injected { task: fault.run };
    let error = match fault.how {
        FaultKind::Fails => Error::failed(hop, Box::new(injected), hook),
        FaultKind::Panics => Error::panicked(hop, Box::new(injected.to_string()), hook),
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
        self.queue.seeded().is_some() && !stops && self.elsewhere.is_none() && self.is_still()
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
