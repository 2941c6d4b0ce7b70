//! Moments as they travel: in milliseconds since 1970, by the clock of whoever tells of one.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// Now.
pub(crate) fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
    since.as_millis() as u64
}

/// A moment to come.
pub(crate) fn moment(at: Instant) -> u64 {
    let left = at.saturating_duration_since(Instant::now());
    now().saturating_add(left.as_millis() as u64)
}
