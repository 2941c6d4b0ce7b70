//! Where a call is: at the line of the caller, or where that was when the rest of it is made later.

use core::panic::Location;

use crate::error::{At, Hop, line_of_call};

/// Where a function is defined: the line of a call that has none of its own.
#[track_caller]
pub const fn defined() -> At {
    Location::caller()
}

/// Where a function was called, for what of the call is made later.
#[derive(Clone, Copy)]
pub struct Called(At);

/// Where this function is called.
#[inline]
#[track_caller]
pub fn called(defined: At) -> Called {
    Called(line_of_call(defined))
}

/// Tells where a call is.
pub trait CalledAt: Copy {
    fn line(self) -> At;
}

/// Where it is made.
impl CalledAt for At {
    #[inline]
    #[track_caller]
    fn line(self) -> At {
        line_of_call(self)
    }
}

impl CalledAt for Called {
    #[inline]
    fn line(self) -> At {
        self.0
    }
}

/// The hop of a call.
#[inline]
#[track_caller]
pub(super) fn hop(origin: &'static &'static str, at: impl CalledAt) -> Hop {
    Hop { name: origin, at: at.line() }
}
