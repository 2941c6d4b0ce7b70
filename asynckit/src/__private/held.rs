//! A value whose type is looked at (`hold.rs`).

use core::ops::Deref;

/// The value of an expression, held up to have its type looked at.
#[must_use]
pub struct Held<X>(pub(super) X);

/// Never called: it lets method resolution see a type that is not known.
impl<X> Deref for Held<X> {
    type Target = X;

    fn deref(&self) -> &X {
        &self.0
    }
}
