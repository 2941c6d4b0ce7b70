//! What follows from the tasks that a worker runs: one of those that they make ready is run next.

use crate::core::{self, Claimed, Entry, Home, Schedule, ToHomes};
use crate::pool::local::Local;

/// How often in a row a worker may run what its last task made ready before it looks elsewhere.
pub(super) const STREAK: u32 = 64;
/// So many tasks become ready at once by the end of one.
pub(super) const AT_ONCE: usize = 64;

/// There is something in the deque for which nobody was called.
const CALL: u8 = 1;
/// The completion has led to steps.
const STEPS: u8 = 2;

/// Where the completions of this worker's tasks put what became ready: one of them is run next, the others
/// go into its deque.
pub(super) struct Next<'a> {
    local: &'a Local,
    pub(super) task: Option<Claimed>,
    /// Which task it is that runs, of a row in which each has handed back the next: that may do so up to `STREAK`.
    pub(super) row: u32,
    /// What is left to do when the list is visited.
    pub(super) left: u8,
    pub(super) room: usize,
}

impl Next<'_> {
    #[inline]
    pub(super) fn new(local: &Local, row: u32) -> Next<'_> {
        Next { local, task: None, row, left: 0, room: AT_ONCE }
    }

    #[inline(never)]
    fn do_left(&mut self) {
        self.call();
        if self.left & STEPS != 0 {
            self.left = 0;
            // What is claimed could run nowhere else meanwhile.
            if let Some(task) = self.task.take() {
                task.put_back();
            }
            core::run_left();
        }
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
            self.left |= CALL;
            self.local.deque.push(entry);
        } else {
            ToHomes.ready(entry);
        }
    }

    // Once for all of them: whoever comes for one calls the next.
    #[inline]
    fn call(&mut self) {
        if self.left & CALL != 0 {
            self.left &= !CALL;
            self.local.shared.notify();
        }
    }

    fn leaves_steps(&mut self) {
        self.left |= STEPS;
    }

    #[inline]
    fn visited(&mut self) {
        if self.left != 0 {
            self.do_left();
        }
    }

    #[inline]
    fn room(&self) -> usize {
        self.room
    }
}
