//! What follows from the tasks that a worker runs: one of those that they make ready is run next.

use crate::core::{Claimed, Entry, Home, Schedule, ToHomes};
use crate::pool::local::Local;

/// How often in a row a worker may run what its last task made ready before it looks elsewhere.
pub(super) const STREAK: u32 = 64;
/// So many tasks become ready at once by the end of one.
pub(super) const AT_ONCE: usize = 64;

/// Where the completions of this worker's tasks put what became ready: one of them is run next, the others
/// go into its deque.
pub(super) struct Next<'a> {
    local: &'a Local,
    pub(super) task: Option<Claimed>,
    /// Which task it is that runs, of a row in which each has handed back the next: that may do so up to `STREAK`.
    pub(super) row: u32,
    /// Whether there is something in the deque for which nobody was called.
    pub(super) calls: bool,
    pub(super) room: usize,
}

impl Next<'_> {
    #[inline]
    pub(super) fn new(local: &Local, row: u32) -> Next<'_> {
        Next { local, task: None, row, calls: false, room: AT_ONCE }
    }
}

impl Schedule for Next<'_> {
    #[inline]
    fn keeps(&self, home: *const Home) -> bool {
        self.row < STREAK && self.task.is_none() && std::ptr::eq(home, self.local.shared.address())
    }

    #[inline]
    fn keep(&mut self, task: Claimed) {
        self.task = Some(task);
    }

    #[inline]
    fn came_at_once(&self) -> bool {
        self.row > 1
    }

    // In a frame of its own: most edges that are visited make nothing ready.
    #[inline(never)]
    fn ready(&mut self, entry: Entry) {
        if self.local.shared.is_of(entry.header()) {
            self.room -= 1;
            self.calls = true;
            self.local.deque.push(entry);
        } else {
            ToHomes.ready(entry);
        }
    }

    // Once for all of them: whoever comes for one calls the next.
    #[inline]
    fn call(&mut self) {
        if std::mem::take(&mut self.calls) {
            self.local.shared.notify();
        }
    }

    #[inline]
    fn room(&self) -> usize {
        self.room
    }
}
