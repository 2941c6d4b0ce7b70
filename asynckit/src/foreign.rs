//! Calls of foreign code: callbacks, hooks, subscribers, the drops of what users have made.
//!
//! While a thread takes a step of ours, what comes up is put off until that is done
//! (`core/trampoline.rs`). Foreign code may wait for just that. So what it sets off is followed up at once;
//! only further foreign code waits until it has returned.

use std::cell::Cell;

/// Whose turn it is on this thread.
struct Turn {
    /// A step of ours is under way, which does the rest when it is done.
    ours: Cell<bool>,
    /// Foreign code is under way that a step of ours has led to, below whatever else is.
    foreign: Cell<bool>,
}

crate::sync::local! {
    static TURN: Turn = const { Turn { ours: Cell::new(false), foreign: Cell::new(false) } };
}

/// Whether a step of ours is under way.
pub(crate) fn is_ours() -> bool {
    TURN.with(|turn| turn.ours.get())
}

pub(crate) fn set_ours(ours: bool) {
    TURN.with(|turn| turn.ours.set(ours));
}

/// Whether foreign code is under way that a step of ours has led to.
pub(crate) fn is_foreign() -> bool {
    TURN.with(|turn| turn.foreign.get())
}

/// Says so; what was so before.
pub(crate) fn set_foreign(foreign: bool) -> bool {
    TURN.with(|turn| turn.foreign.replace(foreign))
}

/// Calls foreign code in the midst of whatever is under way.
pub(crate) fn call<R>(f: impl FnOnce() -> R) -> R {
    struct Back(bool, bool);
    impl Drop for Back {
        fn drop(&mut self) {
            set_ours(self.0);
            set_foreign(self.1);
        }
    }
    let ours = is_ours();
    set_ours(false);
    let foreign = set_foreign(ours || is_foreign());
    let _back = Back(ours, foreign);
    f()
}
