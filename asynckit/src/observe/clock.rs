//! The clock by which events have their times. To read it takes longer than anything else that telling does: so what
//! happens on one thread with no code of the program's in between has one time.

use std::cell::Cell;
use std::time::Duration;
#[cfg(not(feature = "fast-clock"))]
use std::time::Instant;

#[cfg(feature = "fast-clock")]
use quanta::Instant;

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
    /// When this thread read the clock last.
    static LAST: Cell<Duration> = const { Cell::new(Duration::ZERO) };
    static AT: Cell<At> = const { Cell::new(At::Various) };
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum At {
    /// At no moment in particular.
    Various,
    /// At one, once the clock is read.
    One,
    /// At that of `LAST`.
    Last,
}

/// What a thread does as long as it has this happens at one moment, as far as `When::Soon` is asked for.
pub(crate) struct OneMoment(At);

impl OneMoment {
    #[inline]
    pub(crate) fn begin() -> OneMoment {
        OneMoment(AT.replace(At::One))
    }
}

impl Drop for OneMoment {
    #[inline]
    fn drop(&mut self) {
        AT.set(self.0);
    }
}

/// When something happens.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum When {
    Now,
    /// When the clock was read last within this thread's `OneMoment`; now where there is none.
    Soon,
    /// When this thread has read the clock last: what calls this has come from there without a detour.
    Then,
}

/// How late it is then.
#[inline]
pub(super) fn time(when: When) -> Duration {
    match when {
        When::Then => LAST.get(),
        When::Soon if AT.get() == At::Last => LAST.get(),
        _ => read(),
    }
}

fn read() -> Duration {
    // A processor's counter may begin anew with a machine that was asleep.
    let time = now().max(LAST.get());
    LAST.set(time);
    if AT.get() == At::One {
        AT.set(At::Last);
    }
    time
}
