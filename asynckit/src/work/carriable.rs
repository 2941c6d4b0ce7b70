//! Calls that may be carried out elsewhere, as work knows them.

use std::time::Duration;

use crate::core::{Here, Outcome, Owner, Unsubmitted};
use crate::error::{Error, Hook, Hop};
use crate::pool::Place;
use crate::terms::Wanted;

/// A call that the carriers of a place are asked about, if it has any (`carried.rs`). Its lifetime is forgotten, as it
/// would make work invariant in it.
pub(crate) trait Carriable<T>: Send {
    fn submit(self: Box<Self>, place: Place, counted: bool) -> Owner<T>;
    fn run_part(self: Box<Self>, hook: Option<Hook>) -> Result<T, Error>;
    /// `begins`: as `begin_inside`.
    fn finish_inside(self: Box<Self>, here: &Here<'_>, begins: bool) -> Outcome<T>;
    /// Puts it under a term that comes after the look for its value; back, where there is no such look.
    fn put_around(&mut self, wrap: Wrap<T>, term: Term) -> Result<(), Term>;
}

/// What work is put under when it begins.
pub(crate) enum Term {
    /// Permits, or turns.
    Wanted(Wanted),
    /// A limit of time.
    Time(Duration),
}

/// Puts work under a term.
pub(crate) type Wrap<T> = fn(Hop, Unsubmitted<T>, Term) -> Unsubmitted<T>;
