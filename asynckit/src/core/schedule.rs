//! Who takes what became ready, and how much of it at once.

use super::cell::Home;
use super::entry::{Claimed, Entry};
use super::trampoline;

/// Who takes what became ready.
pub(crate) trait Schedule {
    /// Whether a plain task of this home may be handed back, claimed, to be run next. None is, but to workers.
    #[inline]
    fn keeps(&self, _home: *const Home) -> bool {
        false
    }
    /// That task.
    fn keep(&mut self, _task: Claimed) {
        unreachable!("a task was handed back to who keeps none");
    }
    /// Whether the task that is run now was handed back, by the one that this thread has ended just now.
    #[inline]
    fn came_at_once(&self) -> bool {
        false
    }
    /// A task to be queued. There is room for it. A `call` follows, or a `visited`.
    fn ready(&mut self, entry: Entry);
    /// What was told just now is queued: somebody may be called for it. Before any foreign code.
    #[inline]
    fn call(&mut self) {}
    /// A step is queued that comes when the list is visited.
    #[inline]
    fn leaves_steps(&mut self) {}
    /// The list is visited: all is queued that became ready, and then the steps are done that it has led to. They may call
    /// foreign code, which keeps nothing from running elsewhere.
    #[inline]
    fn visited(&mut self) {
        trampoline::run_left();
    }
    /// How many more tasks may become ready at once, in all that is told to this; then the rest of a list waits
    /// for who has nothing else to do.
    fn room(&self) -> usize;
}

/// Each to its own home's queue.
pub(crate) struct ToHomes;

impl Schedule for ToHomes {
    #[inline]
    fn ready(&mut self, entry: Entry) {
        // SAFETY: a task that is ready has a home that is alive: who has its entry is counted there.
        unsafe {
            let home = entry.0.as_ref().home();
            ((*home).table.schedule)(home, entry.0);
        }
    }

    fn room(&self) -> usize {
        usize::MAX
    }
}

/// As `ToHomes`, by a thread that is no worker: so many tasks become ready at once, that the queue stays short
/// however many have waited.
pub(crate) struct FewToHomes {
    room: usize,
}

impl FewToHomes {
    pub(crate) fn new() -> FewToHomes {
        FewToHomes { room: 256 }
    }
}

impl Schedule for FewToHomes {
    #[inline]
    fn ready(&mut self, entry: Entry) {
        self.room -= 1;
        ToHomes.ready(entry);
    }

    #[inline]
    fn room(&self) -> usize {
        self.room
    }
}

/// As another one, but nothing is handed back: what follows on this thread may take its time, and a task that is
/// claimed already could run nowhere else.
pub(super) struct QueuedOnly<'a, S>(pub(super) &'a mut S);

impl<S: Schedule> Schedule for QueuedOnly<'_, S> {
    fn ready(&mut self, entry: Entry) {
        self.0.ready(entry);
    }

    fn call(&mut self) {
        self.0.call();
    }

    fn leaves_steps(&mut self) {
        self.0.leaves_steps();
    }

    fn visited(&mut self) {
        self.0.visited();
    }

    fn room(&self) -> usize {
        self.0.room()
    }
}
