//! The clock by which events have their times.

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
