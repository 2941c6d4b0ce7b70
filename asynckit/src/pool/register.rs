//! The pool's register: its tasks that wait for inputs or for a waker, so that a stop can find
//! them, and a thread that waits can find who borrows what it waits for.

use crate::sync::{Mutex, Ordering, lock};
use crate::task::{Steps, TaskRef, Token};

const SHELVES: usize = 16;

pub(crate) struct Register {
    shelves: [Mutex<Vec<TaskRef>>; SHELVES],
}

impl Register {
    pub(crate) fn new() -> Register {
        Register { shelves: [const { Mutex::new(Vec::new()) }; SHELVES] }
    }

    fn shelf(&self, task: &TaskRef) -> &Mutex<Vec<TaskRef>> {
        &self.shelves[(task.address() >> 6) % SHELVES]
    }

    pub(crate) fn add(&self, token: &Token) {
        let task = token.reference();
        task.state.mark_registered();
        let mut shelf = lock(self.shelf(&task));
        // ORDERING: Relaxed: the shelf's lock guards the index.
        task.index_or_hands.store(shelf.len() as u32, Ordering::Relaxed);
        shelf.push(task.clone());
    }

    pub(crate) fn remove(&self, task: &TaskRef) {
        let mut shelf = lock(self.shelf(task));
        let index = task.index_or_hands.load(Ordering::Relaxed) as usize;
        if shelf.get(index).is_none_or(|there| !there.is(task)) {
            return;
        }
        let removed = shelf.swap_remove(index);
        if let Some(moved) = shelf.get(index) {
            moved.header().index_or_hands.store(index as u32, Ordering::Relaxed);
        }
        drop(shelf);
        drop(removed);
    }

    /// All that are in it now.
    pub(crate) fn snapshot(&self) -> Vec<TaskRef> {
        self.shelves.iter().flat_map(|shelf| lock(shelf).clone()).collect()
    }
}
