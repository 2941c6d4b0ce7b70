//! An owner's right in the hands of the program: letting go of it means more than that nobody there
//! wants the value.

use std::mem::ManuallyDrop;
use std::ops::Deref;
use std::ptr;

use super::handle::{Owner, Typed};
use crate::continuation;
use crate::error::Error;

/// What a result's handle is made of: one pointer, never null.
pub(crate) struct Hand<T>(Typed<Owner, T>);

impl<T> Hand<T> {
    pub(crate) fn new(owner: Typed<Owner, T>) -> Hand<T> {
        Hand(owner)
    }

    /// The right to the value, without the right to set it.
    pub(crate) fn into_owner(self) -> Typed<Owner, T> {
        let hand = ManuallyDrop::new(self);
        // SAFETY: the hand is not used or dropped any more, so that its owner is moved out once.
        let owner = unsafe { ptr::read(&raw const hand.0) };
        release(&owner);
        owner
    }
}

/// Lets go of an owner's right that a hand has become, as the hand would have.
pub(crate) fn let_go_of(owner: &Owner) {
    if owner.holds.is_sole() && !owner.is_set() {
        owner.state.detach();
    }
}

impl<T> Deref for Hand<T> {
    type Target = Typed<Owner, T>;

    fn deref(&self) -> &Typed<Owner, T> {
        &self.0
    }
}

impl<T> Drop for Hand<T> {
    fn drop(&mut self) {
        if self.is_manual() {
            release(self);
        } else {
            let_go_of(self);
        }
    }
}

/// One hand less that may set a result of `AsyncResult::new`.
fn release(owner: &Owner) {
    if owner.is_manual() && owner.state.drop_hand() && !owner.is_set() {
        continuation::settle_failed(&owner.reference(), Error::abandoned(owner.hop));
    }
}
