//! Who looks on to the pools of a round, and keeps account of each task: it is submitted once, takes its turns on one
//! thread each, and ends once; and each permit of a limit that it has got is given back by it, and as many.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, TryLockError};
use std::thread::{self, ThreadId};

use asynckit::observe::{
    LimitId, Observer, PermitGiven, PermitTaken, TaskEnded, TaskId, TaskReady, TaskResumed,
    TaskStarted, TaskSubmitted, TaskSuspended,
};

use crate::watch;

const SHELVES: usize = 16;

/// What is known of tasks that are not over, and of permits that are with somebody.
#[derive(Clone, Default)]
pub struct Ledger(Arc<[Mutex<HashMap<TaskId, State>>; SHELVES]>, Arc<Mutex<Permits>>);

type Permits = HashMap<(LimitId, TaskId), usize>;

#[derive(Clone, Copy, PartialEq, Debug)]
enum State {
    Submitted,
    Ready { again: bool },
    Runs(ThreadId),
    Suspended,
}

/// Without a part of the standard library that ThreadSanitizer does not see.
fn lock<T>(shelf: &Mutex<T>) -> MutexGuard<'_, T> {
    loop {
        match shelf.try_lock() {
            Ok(shelf) => return shelf,
            Err(TryLockError::Poisoned(shelf)) => return shelf.into_inner(),
            Err(TryLockError::WouldBlock) => thread::yield_now(),
        }
    }
}

impl Ledger {
    /// Takes a task from one state to the next, `None` being before its submission and after its end.
    fn step(
        &self,
        task: TaskId,
        step: impl FnOnce(Option<State>) -> Option<Option<State>>,
        what: &str,
    ) {
        let shelf = &self.0[task.get() as usize % SHELVES];
        let mut shelf = lock(shelf);
        let before = shelf.remove(&task);
        match step(before) {
            Some(Some(next)) => _ = shelf.insert(task, next),
            Some(None) => {}
            None => watch::fail(&format!("{task:?} was told to be {what}, and was {before:?}")),
        }
    }

    /// How many tasks are not over, or have permits still.
    pub fn open(&self) -> usize {
        let open = |shelf: &Mutex<HashMap<_, _>>| lock(shelf).len();
        self.0.iter().map(open).sum::<usize>() + lock(&self.1).len()
    }
}

impl Observer for Ledger {
    fn got_permit(&self, event: &PermitTaken<'_>) {
        // Turns of a rate don't come back.
        if let Some(task) = event.task.filter(|_| event.every.is_none() && event.weight > 0) {
            *lock(&self.1).entry((event.limit, task)).or_default() += event.weight;
        }
    }

    fn gave_permit(&self, event: &PermitGiven<'_>) {
        let Some(task) = event.task.filter(|_| event.weight > 0) else { return };
        let mut permits = lock(&self.1);
        let key = (event.limit, task);
        let left = permits.remove(&key).and_then(|had| had.checked_sub(event.weight));
        match left {
            Some(0) => {}
            Some(left) => _ = permits.insert(key, left),
            None => watch::fail(&format!("{task:?} was told to give what it had not: {event:?}")),
        }
    }

    fn submitted(&self, event: &TaskSubmitted<'_>) {
        let step = |before: Option<State>| before.is_none().then_some(Some(State::Submitted));
        self.step(event.task, step, "submitted");
    }

    fn ready(&self, event: &TaskReady<'_>) {
        let step = |before| match before {
            Some(State::Submitted) => Some(Some(State::Ready { again: false })),
            Some(State::Suspended) => Some(Some(State::Ready { again: true })),
            _ => None,
        };
        self.step(event.task, step, "ready");
    }

    fn started(&self, event: &TaskStarted<'_>) {
        let runs = Some(State::Runs(thread::current().id()));
        let step = |before| (before == Some(State::Ready { again: false })).then_some(runs);
        self.step(event.task, step, "started");
    }

    fn resumed(&self, event: &TaskResumed<'_>) {
        let runs = Some(State::Runs(thread::current().id()));
        let step = |before| (before == Some(State::Ready { again: true })).then_some(runs);
        self.step(event.task, step, "resumed");
    }

    fn suspended(&self, event: &TaskSuspended<'_>) {
        let runs = Some(State::Runs(thread::current().id()));
        let step = |before| (before == runs).then_some(Some(State::Suspended));
        self.step(event.task, step, "suspended");
    }

    fn ended(&self, event: &TaskEnded<'_>) {
        let here = thread::current().id();
        let step = |before| match before {
            Some(State::Runs(there)) if event.ran && there == here => Some(None),
            Some(State::Submitted | State::Ready { .. } | State::Suspended) if !event.ran => {
                Some(None)
            }
            _ => None,
        };
        self.step(event.task, step, "over");
    }
}
