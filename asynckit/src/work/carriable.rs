//! Calls that may be carried out elsewhere, as work knows them.

use std::time::Duration;

use crate::core::{EndEdge, Here, Outcome, Owner, Unsubmitted};
use crate::error::{Error, Hook, Hop};
use crate::pool::Place;
use crate::terms::{Priority, Wanted};

/// A call that the carriers of a place are asked about, if it has any (`carried.rs`).
pub(crate) trait Carriable<T>: Send {
    fn submit(self: Box<Self>, place: Place, counted: bool) -> Owner<T>;
    fn run_part(self: Box<Self>, hook: Option<Hook>) -> Result<T, Error>;
    /// `begins`: as `begin_inside`.
    fn finish_inside(self: Box<Self>, here: &Here<'_>, begins: bool) -> Outcome<T>;
    /// Puts it under a term, on the side of the look for its value where that belongs; back, where there is no such
    /// look.
    fn put_around(&mut self, wrap: Wrap<T>, term: Term) -> Result<(), Term>;
}

/// Work that begins after others (`after.rs`).
pub(crate) trait Follows<T>: Send {
    fn add(&mut self, edge: EndEdge);
    /// Puts the work itself under a term; back, where it has no look for its value.
    fn put_around(&mut self, wrap: Wrap<T>, term: Term) -> Result<(), Term>;
    /// Makes it a task that waits for the results.
    fn into_cell(self: Box<Self>) -> Unsubmitted<T>;
}

/// What work is put under when it begins.
pub(crate) enum Term {
    /// Permits, or turns.
    Wanted(Wanted),
    /// A limit of time on its run.
    Time(Duration),
    /// Which work begins first.
    Priority(Priority),
    /// A limit of time from its submission.
    Deadline(Duration),
}

impl Term {
    /// Whether it holds for the look for its value, too: the others are for what is not known already.
    pub(super) fn comes_first(&self) -> bool {
        matches!(self, Term::Priority(_) | Term::Deadline(_))
    }
}

/// Puts work under a term.
pub(crate) type Wrap<T> = fn(Hop, Unsubmitted<T>, Term) -> Unsubmitted<T>;
