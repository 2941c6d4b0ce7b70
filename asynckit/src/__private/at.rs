//! What was called, and where.

use core::panic::Location;

use crate::error::At;
pub use crate::error::Hop;

/// Where a function is defined: the line of a call that has none of its own.
#[track_caller]
pub const fn defined() -> At {
    Location::caller()
}

/// A call of an annotated function, at the line of the caller. Where the standard library calls it, which was handed it
/// by name as in `.map(download)`, that is its definition.
#[inline]
#[track_caller]
pub fn called(name: &'static &'static str, defined: At) -> Hop {
    let at = Location::caller();
    Hop { name, at: if is_of_the_library(at) { defined } else { at } }
}

/// Whether it is a line of the standard library.
#[inline]
fn is_of_the_library(at: &Location<'_>) -> bool {
    let file = at.file().as_bytes();
    // Most files have relative names.
    file.first() == Some(&b'/')
        && (file.starts_with(b"/rustc/") || file.ends_with(b"/core/src/ops/function.rs"))
}

/// A call in a chain.
#[inline]
#[track_caller]
pub fn call_site(name: &'static &'static str) -> Hop {
    Hop::here(name)
}
