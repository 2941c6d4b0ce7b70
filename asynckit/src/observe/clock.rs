//! The clock by which events have their times.

use std::cell::Cell;
use std::time::{Duration, Instant};

use crate::sync::OnceLock;

/// How late it is by the clock of the process: since a moment before the first event of all.
///
/// ```
/// let earlier = asynckit::observe::now();
/// assert!(asynckit::observe::now() >= earlier);
/// ```
pub fn now() -> Duration {
    static BEGIN: OnceLock<Instant> = OnceLock::new();
    BEGIN.get_or_init(Instant::now).elapsed()
}

thread_local! {
    /// Whether this thread is at one moment, and which one that is, once it was asked for.
    static MOMENT: Cell<(bool, Option<Duration>)> = const { Cell::new((false, None)) };
}

/// What a thread does as long as it has this happens at one moment, as far as `at_one_moment` is asked for: to read the
/// clock takes longer than to make a task ready.
pub(crate) struct OneMoment((bool, Option<Duration>));

impl OneMoment {
    pub(crate) fn begin() -> OneMoment {
        OneMoment(MOMENT.replace((true, None)))
    }
}

impl Drop for OneMoment {
    fn drop(&mut self) {
        MOMENT.set(self.0);
    }
}

/// How late it is; `same`: or was, when this thread asked last within its one moment.
pub(super) fn at_one_moment(same: bool) -> Duration {
    match MOMENT.get() {
        (true, Some(time)) if same => time,
        (is_one, _) => {
            let time = now();
            if is_one {
                MOMENT.set((true, Some(time)));
            }
            time
        }
    }
}
