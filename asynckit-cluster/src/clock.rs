//! Moments as they travel. A deadline is in milliseconds since 1970, by the clock of whoever tells of it. What a process
//! tells of itself is in microseconds since it began to, and is brought in line by when its messages come.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

/// What is longer than this need not end: a century or so, which any clock can count.
pub(crate) const EVER: Duration = Duration::from_secs(1 << 32);

/// Now.
pub(crate) fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
    since.as_millis() as u64
}

/// A moment to come.
pub(crate) fn moment(at: Instant) -> u64 {
    // In this order: what is lost between the two looks makes it earlier, and not later.
    let now = now();
    let left = at.saturating_duration_since(Instant::now());
    now.saturating_add(left.as_millis() as u64)
}

/// When the code of a call ran, by the clock of who tells of it, in microseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct RanWhen {
    pub(crate) began: u64,
    pub(crate) ended: u64,
}

impl RanWhen {
    /// By a clock that began then.
    pub(crate) fn by(since: Instant, began: Instant, ended: Instant) -> RanWhen {
        RanWhen { began: micros(since, began), ended: micros(since, ended) }
    }
}

/// The clock of another process, as its messages show it: none can have been sent after it came, so the one that was
/// fastest says most.
#[derive(Default)]
pub(crate) struct Aligned {
    /// When it began, at the latest.
    began: Option<Instant>,
}

impl Aligned {
    /// A message has come now that was sent when its clock showed this, or later.
    pub(crate) fn hears(&mut self, at: u64, now: Instant) {
        let began = now.checked_sub(Duration::from_micros(at));
        self.began = self.began.into_iter().chain(began).min();
    }

    /// When code ran that ran there: from when, and until when.
    pub(crate) fn ran(&self, ran: RanWhen) -> Option<(Instant, Instant)> {
        Some((self.here(ran.began)?, self.here(ran.ended)?))
    }

    /// What was a moment there, here.
    fn here(&self, at: u64) -> Option<Instant> {
        self.began?.checked_add(Duration::from_micros(at))
    }
}

/// A moment since then, in microseconds.
pub(crate) fn micros(since: Instant, at: Instant) -> u64 {
    at.saturating_duration_since(since).as_micros() as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fastest_message_says_what_time_it_is_elsewhere() {
        let (now, ms) = (Instant::now(), Duration::from_millis);
        let mut clock = Aligned::default();
        assert!(clock.here(0).is_none());
        // Three messages, sent at 10, 20 and 30 ms there, that took 5, 1 and 9 ms.
        for (sent, took) in [(10, 5), (20, 1), (30, 9)] {
            clock.hears(sent * 1000, now + ms(sent + took));
        }
        assert_eq!(clock.here(25_000), Some(now + ms(26)));
    }
}
