//! Turns that come with time, so many in so long: what a rate gives. The arithmetic is that of the crate `governor`.

use std::any::Any;
use std::num::NonZeroU32;
use std::time::Duration;

use governor::clock::Clock;
use governor::middleware::NoOpMiddleware;
use governor::state::{InMemoryState, NotKeyed};
use governor::{Quota, RateLimiter};

use crate::sync::{Arc, Weak};
use crate::terms::timers::{TimerKey, Timers};

/// How fast turns come, and how many may be taken at once after a rest.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Pace {
    pub(crate) every: Duration,
    pub(crate) burst: NonZeroU32,
}

impl Pace {
    /// How many turns may be taken at once.
    pub(crate) fn most(&self) -> usize {
        self.burst.get().try_into().unwrap_or(usize::MAX)
    }
}

/// The turns of one rate by one clock.
pub(crate) struct Turns {
    /// Weak, as a rate outlives the deterministic pools that it was used on.
    timers: Weak<Timers>,
    limiter: RateLimiter<NotKeyed, InMemoryState, Now, NoOpMiddleware<Duration>>,
    pace: Pace,
    /// Wakes the first in line.
    alarm: Option<TimerKey>,
    /// What is kept until these turns are as if none was ever taken: forgotten before, it would give more.
    kept: Option<Weak<dyn Any + Send + Sync>>,
    keeper: Option<TimerKey>,
}

/// The time by some timers. It stands still when these are gone: nobody asks then.
struct Now(Weak<Timers>);

impl Clock for Now {
    type Instant = Duration;

    fn now(&self) -> Duration {
        self.0.upgrade().map_or(Duration::ZERO, |timers| timers.now())
    }
}

impl Turns {
    pub(crate) fn new(
        pace: Pace,
        timers: &Arc<Timers>,
        kept: Option<Weak<dyn Any + Send + Sync>>,
    ) -> Turns {
        let timers = Arc::downgrade(timers);
        let quota = Quota::with_period(pace.every);
        let quota = quota.unwrap_or_else(|| unreachable!("a rate without a period"));
        let limiter =
            RateLimiter::direct_with_clock(quota.allow_burst(pace.burst), Now(timers.clone()));
        Turns { timers, limiter, pace, alarm: None, kept, keeper: None }
    }

    pub(crate) fn pace(&self) -> Pace {
        self.pace
    }

    /// Whether it goes by these timers.
    pub(crate) fn go_by(&self, timers: &Arc<Timers>) -> bool {
        std::ptr::eq(self.timers.as_ptr(), Arc::as_ptr(timers))
    }

    /// Whether its clock is gone.
    pub(crate) fn are_over(&self) -> bool {
        self.timers.strong_count() == 0
    }

    /// Takes so many, or tells how long it is until they are there.
    pub(crate) fn take(&mut self, count: usize) -> Result<(), Duration> {
        let Some(count) = u32::try_from(count).ok().and_then(NonZeroU32::new) else {
            return Ok(());
        };
        match self.limiter.check_n(count) {
            Ok(Ok(())) => {
                self.keep();
                Ok(())
            }
            Ok(Err(early)) => Err(early.wait_time_from(self.limiter.clock().now())),
            // Refused before anybody gets in line.
            Err(_) => Err(Duration::MAX),
        }
    }

    fn keep(&mut self) {
        let kept = self.kept.as_ref().and_then(Weak::upgrade);
        if let (Some(kept), Some(timers)) = (kept, self.timers.upgrade()) {
            let full = self.pace.every.saturating_mul(self.pace.burst.get());
            let new = timers.after(full, Box::new(move || drop(kept)));
            if let Some(old) = self.keeper.replace(new) {
                timers.cancel(old);
            }
        }
    }

    /// Has this called after a while, and not what was to be called before.
    pub(crate) fn call_after(&mut self, wait: Duration, call: impl FnOnce() + Send + 'static) {
        self.call_off();
        self.alarm = self.timers.upgrade().map(|timers| timers.after(wait, Box::new(call)));
    }

    pub(crate) fn call_off(&mut self) {
        if let (Some(alarm), Some(timers)) = (self.alarm.take(), self.timers.upgrade()) {
            timers.cancel(alarm);
        }
    }
}
