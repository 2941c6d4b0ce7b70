//! Tasks that hold no thread for a while, and that a stop waits for nevertheless: they were accepted, and something
//! brings them further that is no task of the pool.

use crate::core::{self, Deferred};
use crate::pool::shared::{Shared, Sleeping};
use crate::sync::Arc;

/// A task of the pool sleeps until its moment.
pub(crate) struct Asleep(Away);

/// A task of the pool is carried out elsewhere. It counts as one that runs.
pub(crate) struct Elsewhere(#[expect(dead_code, reason = "it is there to be dropped")] Away);

/// One of either.
struct Away {
    pool: Arc<Shared>,
    count: fn(&Shared) -> &Sleeping,
}

impl Asleep {
    pub(crate) fn begin(pool: &Arc<Shared>) -> Asleep {
        Asleep(Away::begin(pool, |pool| &pool.sleeping))
    }

    pub(crate) fn pool(&self) -> &Shared {
        &self.0.pool
    }
}

impl Elsewhere {
    pub(crate) fn begin(pool: &Arc<Shared>) -> Elsewhere {
        Elsewhere(Away::begin(pool, |pool| &pool.elsewhere))
    }
}

impl Away {
    fn begin(pool: &Arc<Shared>, count: fn(&Shared) -> &Sleeping) -> Away {
        count(pool).begin();
        Away { pool: pool.clone(), count }
    }
}

impl Drop for Away {
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
