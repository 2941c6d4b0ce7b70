//! A pointer that a thread has for a while.

use std::cell::Cell;
use std::ptr;

/// Points to something while that is lent to it; for a thread's own use.
pub(crate) struct Scoped<T>(Cell<*const T>);

impl<T> Scoped<T> {
    pub(crate) const fn nothing() -> Scoped<T> {
        Scoped(Cell::new(ptr::null()))
    }

    /// Points there while `f` runs, and then where it did before.
    pub(crate) fn lend<R>(&self, to: Option<&T>, f: impl FnOnce() -> R) -> R {
        struct Back<'a, T>(&'a Cell<*const T>, *const T);
        impl<T> Drop for Back<'_, T> {
            fn drop(&mut self) {
                self.0.set(self.1);
            }
        }
        let before = self.0.replace(to.map_or(ptr::null(), ptr::from_ref));
        let _back = Back(&self.0, before);
        f()
    }

    /// Shows what it points to.
    #[inline]
    pub(crate) fn with<R>(&self, f: impl FnOnce(Option<&T>) -> R) -> R {
        let at = self.0.get();
        // SAFETY: whoever lent it waits for what happens meanwhile on this thread, the only one that this is
        // for: it is not `Sync`, and what it shows is not kept.
        f(unsafe { at.as_ref() })
    }
}
