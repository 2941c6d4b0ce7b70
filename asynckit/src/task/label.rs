//! A thread's label: what it runs, for other threads to read while it goes on.

use std::panic::Location;
use std::ptr;

use crate::error::Hop;
use crate::sync::{AtomicPtr, Ordering};

/// The name and place of what a thread runs. Written by that thread alone, for the price of a few
/// plain stores.
pub(crate) struct Label {
    name: AtomicPtr<&'static str>,
    /// Null while nothing runs, and while the name changes.
    at: AtomicPtr<Location<'static>>,
}

impl Label {
    pub(crate) fn new() -> Label {
        Label { name: AtomicPtr::new(ptr::null_mut()), at: AtomicPtr::new(ptr::null_mut()) }
    }

    /// Changes the label; the one before, for its own thread to put back.
    pub(crate) fn replace(&self, hop: Option<Hop>) -> Option<Hop> {
        let before = self.read();
        self.at.store(ptr::null_mut(), Ordering::Relaxed);
        if let Some(hop) = hop {
            // ORDERING: Release, both: a reader that sees the new place sees the new name, and one
            // that sees the new name finds the old place gone.
            self.name.store(ptr::from_ref(hop.name).cast_mut(), Ordering::Release);
            self.at.store(ptr::from_ref(hop.at).cast_mut(), Ordering::Release);
        }
        before
    }

    /// The label, unless it is being changed.
    pub(crate) fn read(&self) -> Option<Hop> {
        let at = self.at.load(Ordering::Acquire);
        let name = self.name.load(Ordering::Acquire);
        if at.is_null() || self.at.load(Ordering::Relaxed) != at {
            return None;
        }
        // SAFETY: both pointers come from `replace`, which makes them of references for all time.
        unsafe { Some(Hop { name: &*name, at: &*at }) }
    }
}
