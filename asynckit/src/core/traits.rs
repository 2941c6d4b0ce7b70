//! What a task is made with: marks in its state that never change.

/// Its home is more than a pool, is counted for it, and is told when it is over.
pub(super) const HOOKED: u64 = 1 << 2;
/// It is done on the spot by whoever brings its last input: it needs no thread of a pool.
pub(super) const IMMEDIATE: u64 = 1 << 3;
/// Somebody looks on to it: what they know of it lies behind its cell.
pub(super) const WATCHED: u64 = 1 << 8;
/// Its value may borrow from a scope, and so is dropped where its last owner is.
pub(super) const BORROWS: u64 = 1 << 7;

/// What a task is made with.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct Traits(pub(super) u64);

impl Traits {
    /// A task of a plain pool.
    pub(crate) const PLAIN: Traits = Traits(0);
    /// Of a home that is more than a pool.
    pub(crate) const HOOKED: Traits = Traits(HOOKED);
    /// Done on the spot.
    pub(crate) const IMMEDIATE: Traits = Traits(IMMEDIATE);
    /// Somebody looks on.
    pub(super) const WATCHED: Traits = Traits(WATCHED);
    /// Its value may borrow.
    pub(crate) const BORROWS: Traits = Traits(BORROWS);

    #[inline]
    pub(crate) const fn is_immediate(self) -> bool {
        self.0 & IMMEDIATE != 0
    }

    /// Whether its news are told to anybody.
    #[inline]
    pub(crate) const fn has_news(self) -> bool {
        self.0 & (HOOKED | WATCHED) != 0
    }

    #[cfg(test)]
    pub(crate) const fn is_hooked(self) -> bool {
        self.0 & HOOKED != 0
    }

    pub(crate) const fn and(self, other: Traits) -> Traits {
        Traits(self.0 | other.0)
    }
}
