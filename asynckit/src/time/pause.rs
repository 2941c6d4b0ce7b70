//! A pause between tries, which holds no thread.

use std::time::Duration;

use crate::core::{self, Deferred, TaskRef};
use crate::pool::Shared;
use crate::sync::Arc;
use crate::terms::TimerKey;

/// A task's sleep until its moment; dropped, it ends and wakes nobody.
pub(crate) struct Pause {
    pool: Arc<Shared>,
    key: TimerKey,
}

impl Pause {
    /// Has a task of the pool woken after a while.
    pub(crate) fn begin(pool: &Arc<Shared>, task: TaskRef, delay: Duration) -> Pause {
        let timers = pool.timers();
        pool.sleeping.begin();
        let key = timers.after(timers.jittered(delay), Box::new(move || task.resume()));
        Pause { pool: pool.clone(), key }
    }
}

impl Drop for Pause {
    fn drop(&mut self) {
        self.pool.timers().cancel(self.key);
        if !self.pool.sleeping.end() {
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
