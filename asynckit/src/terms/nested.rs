//! What a thread is in, each within the one before.

use std::cell::RefCell;
use std::mem::ManuallyDrop;

use crate::sync::LocalKey;

/// A list of each thread's. Without a drop, so that it stays until the thread's very end; it is empty then, and has no
/// memory.
pub(crate) struct Nested<T>(ManuallyDrop<RefCell<Vec<T>>>);

impl<T> Nested<T> {
    pub(crate) const fn nothing() -> Nested<T> {
        Nested(ManuallyDrop::new(RefCell::new(Vec::new())))
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.borrow().is_empty()
    }

    /// All of them, the innermost last.
    pub(crate) fn all(&self) -> Vec<T>
    where
        T: Clone,
    {
        self.0.borrow().clone()
    }
}

/// The thread is in the innermost of a list, until this is dropped.
pub(crate) struct Entered<T: 'static>(&'static LocalKey<Nested<T>>);

/// Enters one more.
pub(crate) fn enter<T>(list: &'static LocalKey<Nested<T>>, one: T) -> Entered<T> {
    list.with(|list| list.0.borrow_mut().push(one));
    Entered(list)
}

impl<T> Drop for Entered<T> {
    fn drop(&mut self) {
        let left = self.0.with(|list| {
            let mut list = list.0.borrow_mut();
            let left = list.pop();
            if list.is_empty() {
                *list = Vec::new();
            }
            left
        });
        drop(left);
    }
}
