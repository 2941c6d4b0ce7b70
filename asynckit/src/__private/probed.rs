//! A value whose type is looked at (`probe.rs`).

use core::ops::Deref;

/// The value of an expression, held up to have its type looked at.
#[must_use]
pub struct Probed<X>(pub(super) X);

/// Never called: it lets method resolution see a type that is not known.
impl<X> Deref for Probed<X> {
    type Target = X;

    fn deref(&self) -> &X {
        &self.0
    }
}
