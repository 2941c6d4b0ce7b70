//! The clock by which events have their times. To read it takes longer than anything else that telling does: so what
//! happens on one thread with no code of the program's in between has one time.

use std::cell::Cell;
use std::time::Duration;
#[cfg(not(feature = "fast-clock"))]
use std::time::Instant;

use crate::sync::OnceLock;

/// Nanoseconds since a moment before the first event of all: they last for centuries, and to compare them takes one
/// step.
pub(crate) type Nanos = u64;

/// How late it is by the clock of the process: since a moment before the first event of all.
///
/// ```
/// let earlier = asynckit::observe::now();
/// assert!(asynckit::observe::now() >= earlier);
/// ```
pub fn now() -> Duration {
    Duration::from_nanos(nanos_now())
}

#[cfg(not(feature = "fast-clock"))]
pub(super) fn nanos_now() -> Nanos {
    static BEGIN: OnceLock<Instant> = OnceLock::new();
    nanos(BEGIN.get_or_init(Instant::now).elapsed())
}

#[cfg(feature = "fast-clock")]
pub(super) fn nanos_now() -> Nanos {
    static CLOCK: OnceLock<(quanta::Clock, u64)> = OnceLock::new();
    let (clock, begin) = CLOCK.get_or_init(|| {
        let clock = quanta::Clock::new();
        let begin = clock.raw();
        (clock, begin)
    });
    clock.delta_as_nanos(*begin, clock.raw())
}

/// Not by `as_nanos`, whose arithmetic is that of 128 bits.
pub(super) fn nanos(time: Duration) -> Nanos {
    time.as_secs().saturating_mul(1_000_000_000).saturating_add(time.subsec_nanos().into())
}

thread_local! {
    static HERE: ThreadClock = const { ThreadClock { last: Cell::new(0), at: Cell::new(At::Various) } };
}

/// What a thread knows of the time.
struct ThreadClock {
    /// When it read the clock last.
    last: Cell<Nanos>,
    at: Cell<At>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum At {
    /// At no moment in particular.
    Various,
    /// At one, once the clock is read.
    One,
    /// At that of `last`.
    Last,
}

/// What a thread does as long as it has this happens at one moment, as far as `When::Soon` is asked for.
pub(crate) struct OneMoment(At);

impl OneMoment {
    #[inline]
    pub(crate) fn begin() -> OneMoment {
        OneMoment(HERE.with(|here| here.at.replace(At::One)))
    }
}

impl Drop for OneMoment {
    #[inline]
    fn drop(&mut self) {
        HERE.with(|here| here.at.set(self.0));
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
pub(super) fn time(when: When) -> Nanos {
    match when {
        When::Now => read(),
        When::Soon if HERE.with(|here| here.at.get()) != At::Last => read(),
        When::Soon | When::Then => HERE.with(|here| here.last.get()),
    }
}

/// Reads the clock.
#[inline(never)]
fn read() -> Nanos {
    HERE.with(|here| {
        // A processor's counter may begin anew with a machine that was asleep.
        let time = nanos_now().max(here.last.get());
        here.last.set(time);
        if here.at.get() == At::One {
            here.at.set(At::Last);
        }
        time
    })
}
