//! Threads at rest: what they have goes back, and one of them looks after what is free.

use std::time::Duration;

use super::depot::{KEEPER, MUCH, trim};
use super::flush;
use crate::sync::{Arc, Ordering, Parker, lock};

/// So long a worker sleeps before it is at rest, and so long nothing must move before memory goes back: after three of
/// these at most. Who needs it again sooner has it still, as to have it come anew costs as much as the tasks in it.
pub(crate) const NAP: Duration = Duration::from_millis(200);

/// A thread at rest, which has given its blocks back; ends the rest when dropped.
pub(crate) struct Rest {
    /// Whether it is the keeper.
    keeps: bool,
}

impl Rest {
    /// The calling thread has slept for a while, at this parker.
    pub(crate) fn begin(parker: &Arc<Parker>) -> Rest {
        flush();
        let mut keeper = lock(&KEEPER);
        let keeps = keeper.is_none();
        if keeps {
            *keeper = Some(parker.clone());
        }
        Rest { keeps }
    }

    /// Whether it should look again after a nap; else it may sleep until it is woken.
    pub(crate) fn has_to_look(&self) -> bool {
        // ORDERING: SeqCst: who calls has set the mark before it looks for a keeper, and this one was
        // entered before it looks at the mark.
        self.keeps && MUCH.load(Ordering::SeqCst)
    }

    /// After a nap: gives memory back where there is much and nothing has moved meanwhile.
    pub(crate) fn look(&self) {
        if self.has_to_look() {
            MUCH.store(false, Ordering::SeqCst);
            if trim() {
                MUCH.store(true, Ordering::SeqCst);
            }
        }
    }
}

impl Drop for Rest {
    fn drop(&mut self) {
        if self.keeps {
            *lock(&KEEPER) = None;
        }
    }
}

/// A worker ends, for good: what it has goes back, and if nobody keeps the memory, so does what is free.
pub(crate) fn end_of_worker() {
    flush();
    if lock(&KEEPER).is_none() && MUCH.swap(false, Ordering::SeqCst) {
        let _ = trim();
        let _ = trim();
    }
}
