//! A pause between tries, which holds no thread.

use std::time::Duration;

use crate::core::TaskRef;
use crate::pool::{Asleep, Shared};
use crate::sync::Arc;
use crate::terms::TimerKey;

/// A task's sleep until its moment; dropped, it ends and wakes nobody.
pub(crate) struct Pause {
    key: TimerKey,
    asleep: Asleep,
}

impl Pause {
    /// Has a task of the pool woken after a while.
    pub(crate) fn begin(pool: &Arc<Shared>, task: TaskRef, delay: Duration) -> Pause {
        let timers = pool.timers();
        let asleep = Asleep::begin(pool);
        let key = timers.after(timers.jittered(delay), Box::new(move || task.resume()));
        Pause { key, asleep }
    }
}

impl Drop for Pause {
    fn drop(&mut self) {
        self.asleep.pool().timers().cancel(self.key);
    }
}
