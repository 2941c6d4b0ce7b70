//! Where a panic was raised. Its payload does not tell, so a panic hook notes it: installed once, with
//! the first pool, and never taken out. It acts on threads that run our work alone, and always calls
//! the hook that was there before. A program that sets a hook of its own later takes ours out: then
//! failures don't tell the place.

use std::any::Any;
use std::cell::RefCell;
use std::panic::{PanicHookInfo, set_hook, take_hook};

use crate::foreign;
use crate::sync::{OnceLock, thread};

/// A panic: its message, and where it was raised.
struct Raised {
    message: String,
    at: String,
}

/// How many are remembered of a thread: those that the work has caught itself stay for a while.
const MOST: usize = 8;

thread_local! {
    /// What this thread has raised and nobody has asked for, the newest last.
    static RAISED: RefCell<Vec<Raised>> = const { RefCell::new(Vec::new()) };
}

/// From now on the places of panics are noted, on threads of which `runs_work` says so and within
/// [`foreign::noting`].
pub(crate) fn note_places(runs_work: fn() -> bool) {
    static HOOK: OnceLock<()> = OnceLock::new();
    // A thread that panics can't change the hook: the next pool will. And a model that fails has no threads to ask.
    if thread::panicking() || cfg!(asynckit_loom) {
        return;
    }
    HOOK.get_or_init(|| {
        let before = take_hook();
        set_hook(Box::new(move |info| {
            if runs_work() || foreign::is_noted() {
                note(info);
            }
            before(info);
        }));
    });
}

/// Nothing here may panic: that would abort the process.
fn note(info: &PanicHookInfo<'_>) {
    let Some(at) = info.location() else { return };
    let message = message(info.payload());
    let raised = Raised { message, at: format!("{}:{}", at.file(), at.line()) };
    let _ = RAISED.try_with(|list| {
        let Ok(mut list) = list.try_borrow_mut() else { return };
        if list.len() == MOST {
            list.remove(0);
        }
        list.push(raised);
    });
}

/// The message that a panic was given.
pub(crate) fn message(payload: &(dyn Any + Send)) -> String {
    if let Some(text) = payload.downcast_ref::<&'static str>() {
        (*text).to_owned()
    } else if let Some(text) = payload.downcast_ref::<String>() {
        text.clone()
    } else {
        "a panic without a message".to_owned()
    }
}

/// Where the panic with this message was raised that this thread has just caught, if that was noted. The message tells
/// it from others that the work has caught itself, and from those that went on with `resume_unwind`.
pub(crate) fn raised_at(message: &str) -> Option<String> {
    RAISED
        .try_with(|list| {
            let mut list = list.try_borrow_mut().ok()?;
            let newest = list.iter().rposition(|raised| raised.message == message)?;
            Some(list.remove(newest).at)
        })
        .ok()
        .flatten()
}
