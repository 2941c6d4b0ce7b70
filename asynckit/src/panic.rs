//! Panics: caught where foreign code is called, and put into words. Where they were raised is noted by
//! `panic/raised.rs`.

mod raised;

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

pub(crate) use raised::{message, note_places, raised_at};

/// What a panic carries.
pub(crate) type Payload = Box<dyn Any + Send>;

/// Calls foreign code and catches its panic.
#[inline]
pub(crate) fn catch<R>(f: impl FnOnce() -> R) -> Result<R, Payload> {
    // What the code has touched is either dropped unseen or was shared by the user's own choice.
    catch_unwind(AssertUnwindSafe(f))
}

/// Calls foreign code whose panic concerns nobody but itself; `None` where it panicked.
pub(crate) fn contain<R>(f: impl FnOnce() -> R) -> Option<R> {
    catch(f).map_err(discard).ok()
}

/// Drops a panic's payload, whose own drop may panic too; that second panic is let go.
pub(crate) fn discard(payload: Payload) {
    if let Err(second) = catch(|| drop(payload)) {
        std::mem::forget(second);
    }
}
