//! Small closures, held where they are: work that was not submitted yet takes no allocation.
//!
//! An [`Inline`] is a `Box<dyn FnOnce() -> Result<T, BoxError>>` without the box, for closures of a
//! few words. Its type names what the closure returns and not the closure, so that cells which are
//! made for it are alike for all work of one `T`, and a program's many closures don't make as many
//! kinds of cells.

use std::marker::PhantomData;
use std::mem::{ManuallyDrop, MaybeUninit};
use std::ptr;

use crate::error::BoxError;

/// How large a closure may be, as that of a call with five arguments: a cell for one and a value of a word then has
/// two cache lines.
const WORDS: usize = 5;
type Words = [MaybeUninit<usize>; WORDS];

/// A closure of a few words.
pub(crate) struct Inline<'w, T> {
    words: Words,
    end: End<T>,
    /// It owns a closure that may go to another thread, once.
    closure: PhantomData<Box<dyn FnOnce() -> T + Send + 'w>>,
}

/// Moves the closure out of the words, and calls it or drops it.
type End<T> = unsafe fn(*mut Words, InlineEnd) -> Option<Result<T, BoxError>>;

/// How an inline ends.
#[derive(Clone, Copy)]
enum InlineEnd {
    Called,
    Dropped,
}

/// # Safety
/// `words` has an `F`, which the caller does not use any more.
unsafe fn end<T, F>(words: *mut Words, how: InlineEnd) -> Option<Result<T, BoxError>>
where
    F: FnOnce() -> Result<T, BoxError>,
{
    // SAFETY: the caller's promise.
    let closure = unsafe { ptr::read(words as *const F) };
    match how {
        InlineEnd::Called => Some(closure()),
        InlineEnd::Dropped => None,
    }
}

/// Whether closures of this type are held inline.
pub(crate) const fn fits<F>() -> bool {
    size_of::<F>() <= size_of::<Words>() && align_of::<F>() <= align_of::<Words>()
}

impl<'w, T> Inline<'w, T> {
    /// Holds a closure that fits.
    #[inline]
    pub(crate) fn new<F>(closure: F) -> Inline<'w, T>
    where
        F: FnOnce() -> Result<T, BoxError> + Send + 'w,
    {
        const { assert!(fits::<F>(), "a closure was to be held inline that is too large") };
        let mut words: Words = [MaybeUninit::uninit(); WORDS];
        // SAFETY: the closure fits.
        unsafe { ptr::write(&raw mut words as *mut F, closure) };
        Inline { words, end: end::<T, F>, closure: PhantomData }
    }

    #[inline]
    pub(crate) fn call(self) -> Result<T, BoxError> {
        let mut inline = ManuallyDrop::new(self);
        // SAFETY: the words have the closure that `end` was made for, and the inline is gone with this.
        let outcome = unsafe { (inline.end)(&raw mut inline.words, InlineEnd::Called) };
        outcome.unwrap_or_else(|| unreachable!("a closure was called and gave nothing"))
    }
}

impl<T> Drop for Inline<'_, T> {
    #[inline]
    fn drop(&mut self) {
        // SAFETY: the words have the closure that `end` was made for: `call` keeps this from being dropped.
        unsafe { (self.end)(&raw mut self.words, InlineEnd::Dropped) };
    }
}
