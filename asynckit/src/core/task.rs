//! Kinds of tasks, and how they are made, submitted and run in place.
//!
//! | kind | what it does |
//! |---|---|
//! | `Simple` | calls a closure; waits for nothing |
//! | `CallWithInputs` | waits for inputs, then calls a closure with them, which may return a result to go on with |
//! | any `Job` | anything else: futures, retries, limits |
//! | by hand | nothing: the program sets it |

mod by_hand;
mod call;
mod job;
mod simple;
mod unsubmitted;

use super::cell::{self, CellPtr, Home, Table, job_ptr};
use super::complete;
use super::edge::OnFailure;
use super::entry::Entry;
use super::fail;
use super::handle::Owner;
use super::inputs::Linked;
use super::news;
use super::state::{Arrival, State, Traits};
use crate::error::{Error, ErrorKind, Hop};
use crate::observe::Record;

pub(crate) use by_hand::{channel, channel_of, manual};
pub(crate) use call::CallWithInputs;
pub(crate) use job::{Job, JobStep, Jobbed};
pub(crate) use simple::{Callable, Simple};
pub(crate) use unsubmitted::{Missing, Unsubmitted};

/// What a call comes to.
pub enum Outcome<T> {
    /// Its value, or its failure.
    Done(Result<T, Error>),
    /// A result that stands for it.
    #[doc(hidden)]
    Flatten(Flat<T>),
}

/// A result that stands for another one.
pub struct Flat<T>(pub(crate) Owner<T>);

/// A kind of task whose value is a `T`.
///
/// # Safety
/// The table is for cells with a `T` and this as their job.
pub(crate) unsafe trait TaskOf<T>: Sized {
    /// How many inputs it has to be tied to; `None`: to be counted.
    const INPUTS: Option<usize>;
    const TABLE: &'static Table;
    /// Whether it may come to sleep.
    const SLEEPS: bool = false;
    /// Of inputs to be counted.
    fn count(&self) -> usize {
        0
    }
    /// # Safety
    /// As `Inputs::link`.
    unsafe fn link(&self, task: CellPtr, home: *const Home) -> Linked {
        let _ = (task, home);
        Linked::default()
    }
}

/// What was submitted.
#[must_use]
pub(crate) enum Submitted {
    /// It is ready.
    Ready(Entry),
    /// It is ready, and nobody's to queue: the caller has it done on the spot.
    Immediate(Entry),
    /// It waits, or has failed with one of its inputs.
    Tied,
}

/// Makes a task and ties it to its inputs.
///
/// # Safety
/// `home` is alive, or null; it is counted for a hooked task.
#[inline(always)]
pub(super) unsafe fn submit<T, K: TaskOf<T>>(
    home: *const Home,
    traits: Traits,
    hop: Hop,
    task: K,
    watched: Option<Record>,
) -> (Owner<T>, Submitted) {
    let count = match K::INPUTS {
        Some(count) => count,
        None => task.count(),
    };
    let sole = matches!(K::INPUTS, Some(1));
    let state = match count {
        0 => State::ready(traits),
        1 if sole => State::lacking_one(traits),
        more => State::tying(more, traits),
    };
    // SAFETY: the table is the kind's own; the caller's promise. Nobody knows the cell but its inputs, once they
    // are linked; until it is tied nobody claims or seizes it, or, if the edge is the only one, nobody
    // does before its link. The owner keeps it.
    unsafe {
        let cell = cell::make::<T, K>(K::TABLE, home, hop, state, task, watched);
        let owner = Owner::new(cell);
        if traits.has_news() {
            news::submitted(cell);
        }
        if count == 0 {
            return (owner, ready(cell, traits));
        }
        let linked = (*job_ptr::<T, K>(cell)).link(cell, home);
        if linked.failed {
            fail_late(cell, linked.there, sole);
            return (owner, Submitted::Tied);
        }
        let state = &cell.as_ref().state;
        let is_ready = if !sole {
            matches!(state.tied(linked.there), Arrival::Ready { .. })
        } else if linked.there == 1 {
            state.sole_was_there();
            true
        } else {
            false
        };
        (owner, if is_ready { ready(cell, traits) } else { Submitted::Tied })
    }
}

/// # Safety
/// The caller has the task's entry.
#[inline]
unsafe fn ready(task: CellPtr, traits: Traits) -> Submitted {
    // SAFETY: the caller's promise.
    let entry = unsafe { Entry::new(task) };
    if traits.is_immediate() { Submitted::Immediate(entry) } else { Submitted::Ready(entry) }
}

/// An input had failed already, of `there` that are not counted down yet; nor is the submitter, so that nobody
/// runs the task meanwhile.
///
/// # Safety
/// That is so, and the caller has a hold.
#[cold]
#[inline(never)]
unsafe fn fail_late(task: CellPtr, there: usize, sole: bool) {
    // SAFETY: the caller's promise.
    unsafe {
        let header = task.as_ref();
        let mut error = None;
        (header.table().edges)(task, &mut |edge| {
            if error.is_none() && edge.is_open() && edge.on_failure() == OnFailure::Skip {
                error = edge.upstream().error().map(|error| error.passed_on(header.hop));
            }
        });
        let mut uncounted = there;
        if !sole {
            header.state.unvisit();
            uncounted += 1;
        }
        let Some(error) = error else { unreachable!("an input has failed") };
        let cancelled = error.kind() == ErrorKind::Cancelled;
        let _ = fail::fail_waiting(task, error, cancelled);
        for _ in 0..uncounted {
            if header.state.arrive() == Arrival::Gone {
                complete::gone(task);
            }
        }
    }
}
