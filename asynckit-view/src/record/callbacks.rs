//! Callbacks: where they were registered, and when which thread called them.
//!
//! There are few of them beside the tasks, so they are kept apart from the logs: known by their number until they are
//! over, and then sent over a channel.

use std::panic::Location;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Mutex, OnceLock};

use papaya::HashMap;

use crate::sync::{lock, map};

/// A callback that was called.
#[derive(Clone)]
pub(super) struct Called {
    /// The task whose result it waited for.
    pub(super) on: Option<u64>,
    pub(super) at: &'static Location<'static>,
    pub(super) row: u64,
    pub(super) start: u64,
    /// None while it goes on.
    pub(super) end: Option<u64>,
}

/// One that is not over.
struct Registered {
    on: Option<u64>,
    at: &'static Location<'static>,
    /// The row that it is called on, and since when.
    begun: OnceLock<(u64, u64)>,
}

impl Registered {
    fn called(&self, end: Option<u64>) -> Option<Called> {
        let &(row, start) = self.begun.get()?;
        Some(Called { on: self.on, at: self.at, row, start, end })
    }
}

pub(super) struct Callbacks {
    /// By their numbers.
    open: HashMap<u64, Registered>,
    /// How many were ever registered.
    count: AtomicUsize,
    over: Sender<Called>,
    all: Mutex<(Receiver<Called>, Vec<Called>)>,
}

impl Default for Callbacks {
    fn default() -> Callbacks {
        let (over, receiver) = channel();
        let all = Mutex::new((receiver, Vec::new()));
        Callbacks { open: map(), count: AtomicUsize::new(0), over, all }
    }
}

impl Callbacks {
    /// One was registered; of more than `most`, nothing is kept.
    pub(super) fn register(
        &self,
        number: u64,
        on: Option<u64>,
        at: &'static Location<'static>,
        most: usize,
    ) {
        if self.count.fetch_add(1, Ordering::Relaxed) < most {
            self.open.pin().insert(number, Registered { on, at, begun: OnceLock::new() });
        }
    }

    /// It is called next; whether it is known.
    pub(super) fn begin(&self, number: u64, row: u64, time: u64) -> bool {
        let open = self.open.pin();
        open.get(&number).is_some_and(|callback| callback.begun.set((row, time)).is_ok())
    }

    /// It has returned, or will never be called.
    pub(super) fn end(&self, number: u64, time: u64) {
        let open = self.open.pin();
        if let Some(called) = open.remove(&number).and_then(|one| one.called(Some(time))) {
            // The receiver is ours as well.
            let _ = self.over.send(called);
        }
    }

    /// Lets go of all.
    pub(super) fn let_go(&self) {
        self.open.pin().clear();
        let mut all = lock(&self.all);
        all.0.try_iter().for_each(drop);
        all.1 = Vec::new();
    }

    /// All that were called up to now, in the order in which they began.
    pub(super) fn called(&self) -> Vec<Called> {
        let mut all = lock(&self.all);
        let (receiver, over) = &mut *all;
        over.extend(receiver.try_iter());
        let mut called = over.clone();
        called.extend(self.open.pin().values().filter_map(|callback| callback.called(None)));
        called.sort_by_key(|callback| (callback.start, callback.row, callback.end));
        called
    }
}
