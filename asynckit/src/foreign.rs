//! Calls of foreign code: callbacks, hooks, subscribers, the drops of what users have made.
//!
//! While a thread takes a step of ours, what comes up is put off until that is done
//! (`core/trampoline.rs`). Foreign code may wait for just that. So what it sets off is followed up at once;
//! only further foreign code waits until it has returned.

use std::cell::Cell;

/// A step of ours is under way, which does the rest when it is done.
const OURS: u8 = 1;
/// Foreign code is under way that a step of ours has led to, below whatever else is.
const FOREIGN: u8 = 2;
/// What is under way is no task of its own but counts as work: where it panics is noted.
const NOTED: u8 = 4;

crate::sync::local! {
    /// Whose turn it is on this thread: in one, as it changes at each event that is told.
    static TURN: Cell<u8> = const { Cell::new(0) };
}

fn has(mark: u8) -> bool {
    TURN.with(|turn| turn.get() & mark != 0)
}

fn set(mark: u8, on: bool) {
    TURN.with(|turn| turn.set(if on { turn.get() | mark } else { turn.get() & !mark }));
}

/// Whether a step of ours is under way.
pub(crate) fn is_ours() -> bool {
    has(OURS)
}

pub(crate) fn set_ours(ours: bool) {
    set(OURS, ours);
}

/// Whether foreign code is under way that a step of ours has led to.
pub(crate) fn is_foreign() -> bool {
    has(FOREIGN)
}

/// Says so; what was so before.
pub(crate) fn set_foreign(foreign: bool) -> bool {
    let before = is_foreign();
    set(FOREIGN, foreign);
    before
}

/// Whether the places of panics are noted. Also where the thread is being torn down.
pub(crate) fn is_noted() -> bool {
    TURN.try_with(|turn| turn.get() & NOTED != 0).unwrap_or(false)
}

/// Calls `f` with other marks.
#[inline]
fn with<R>(marks: impl FnOnce(u8) -> u8, f: impl FnOnce() -> R) -> R {
    struct Back(u8);
    impl Drop for Back {
        #[inline]
        fn drop(&mut self) {
            TURN.with(|turn| turn.set(self.0));
        }
    }
    let _back = Back(TURN.with(|turn| turn.replace(marks(turn.get()))));
    f()
}

/// Calls foreign code in the midst of whatever is under way.
pub(crate) fn call<R>(f: impl FnOnce() -> R) -> R {
    with(led_to, f)
}

/// The marks of foreign code that what has these leads to: without a branch, as this is done for each event.
#[inline]
fn led_to(marks: u8) -> u8 {
    const { assert!(OURS << 1 == FOREIGN) }
    ((marks | marks << 1) & FOREIGN) | (marks & NOTED)
}

/// Likewise, and where it panics is noted.
#[inline]
pub(crate) fn call_noted<R>(f: impl FnOnce() -> R) -> R {
    with(|marks| led_to(marks) | NOTED, f)
}

/// Calls what is no task of its own but counts as work.
pub(crate) fn noting<R>(f: impl FnOnce() -> R) -> R {
    with(|marks| marks | NOTED, f)
}
