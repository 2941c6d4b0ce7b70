//! How much there is of what most programs have none of: one look, so that these pay nothing for it.

use crate::sync::{Ordering, StaticCounter};

/// How many there are of something, in the whole process.
pub(crate) struct Count(StaticCounter);

/// Who stands in line, for all limits.
pub(crate) static IN_LINE: Count = Count::none();

/// Limits that lend.
pub(crate) static LENDING: Count = Count::none();

/// What is passed on from work to what it submits: trees of tokens, lists of carriers, ranks.
pub(crate) static PASSED_ON: Count = Count::none();

/// One of them, as long as it is there.
pub(super) struct Counted(&'static Count);

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.one_less();
    }
}

impl Count {
    const fn none() -> Count {
        Count(StaticCounter::new(0))
    }

    pub(super) fn counted(&'static self) -> Counted {
        self.one_more();
        Counted(self)
    }

    pub(super) fn one_more(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn one_less(&self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }

    /// Whether there are any at all.
    pub(crate) fn any(&self) -> bool {
        // ORDERING: Relaxed: work that has one has seen it being made before it began. Of lines: between fences, see
        // `look_at_limits`.
        self.0.load(Ordering::Relaxed) != 0
    }
}
