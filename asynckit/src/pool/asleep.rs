//! Tasks that hold no thread for a while, and that a stop waits for nevertheless: they were accepted, and something
//! brings them further that is no task of the pool.

use crate::core::{self, Deferred};
use crate::pool::shared::{Shared, Sleeping};
use crate::sync::Arc;

/// A task of the pool is one of these, until this is dropped.
pub(crate) struct Asleep {
    pool: Arc<Shared>,
    count: fn(&Shared) -> &Sleeping,
}

impl Asleep {
    /// It sleeps until its moment.
    pub(crate) fn begin(pool: &Arc<Shared>) -> Asleep {
        Asleep::counted(pool, |pool| &pool.sleeping)
    }

    /// It is carried out elsewhere, and counts as one that runs.
    pub(crate) fn elsewhere(pool: &Arc<Shared>) -> Asleep {
        Asleep::counted(pool, |pool| &pool.elsewhere)
    }

    fn counted(pool: &Arc<Shared>, count: fn(&Shared) -> &Sleeping) -> Asleep {
        count(pool).begin();
        Asleep { pool: pool.clone(), count }
    }

    pub(crate) fn pool(&self) -> &Shared {
        &self.pool
    }
}

impl Drop for Asleep {
    fn drop(&mut self) {
        if !(self.count)(&self.pool).end() {
            return;
        }
        // A scope's end may wait for just that.
        self.pool.threads().tell_watchers();
        if self.pool.is_stopping() {
            // If nothing else is left, nobody else will notice. Not in the midst of a step: it may wait
            // for one.
            let pool = self.pool.clone();
            core::call(Deferred::of_closure(move || pool.finish_stop(0)));
        }
    }
}
