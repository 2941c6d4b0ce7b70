//! How much there is of what most programs have none of: one look, so that these pay nothing for it.

use crate::sync::{Ordering, StaticCounter};

/// How many stand in line, for all limits.
static IN_LINE: StaticCounter = StaticCounter::new(0);

/// How many limits there are that lend.
static LENDING: StaticCounter = StaticCounter::new(0);

pub(super) fn line_grows() {
    IN_LINE.fetch_add(1, Ordering::Relaxed);
}

pub(super) fn line_shrinks() {
    IN_LINE.fetch_sub(1, Ordering::Relaxed);
}

/// Whether anybody stands in line anywhere.
pub(crate) fn has_lines() -> bool {
    // ORDERING: Relaxed: between fences, see `look_at_limits`.
    IN_LINE.load(Ordering::Relaxed) != 0
}

/// A limit was made.
pub(super) fn made(lends: bool) {
    LENDING.fetch_add(u64::from(lends), Ordering::Relaxed);
}

/// A limit is gone.
pub(super) fn gone(lends: bool) {
    LENDING.fetch_sub(u64::from(lends), Ordering::Relaxed);
}

/// Whether any limit lends.
pub(crate) fn any_lends() -> bool {
    // ORDERING: Relaxed: work that is under one has seen it being made before it began.
    LENDING.load(Ordering::Relaxed) != 0
}
