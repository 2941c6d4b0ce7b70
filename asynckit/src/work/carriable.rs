//! Calls that may be carried out elsewhere, as work knows them.

use crate::core::{Here, Outcome, Owner, Unsubmitted};
use crate::error::{Error, Hook};
use crate::pool::Place;

/// A call that the carriers of a place are asked about, if it has any (`carried.rs`).
pub(crate) trait Carriable<T>: Send {
    fn submit(self: Box<Self>, place: Place, counted: bool) -> Owner<T>;
    fn run_part(self: Box<Self>, hook: Option<Hook>) -> Result<T, Error>;
    /// `begins`: as `begin_inside`.
    fn finish_inside(self: Box<Self>, here: &Here<'_>, begins: bool) -> Outcome<T>;
    /// Whether its value may be known already, which is looked for first.
    fn may_be_known(&self) -> bool;
    /// Puts what does it here under a term; or all of it, where that `comes_first`, the look for its value too.
    fn put_under(&mut self, comes_first: bool, wrap: Wrap<T>);
}

/// Puts work under a term.
pub(crate) type Wrap<T> = Box<dyn FnOnce(Unsubmitted<T>) -> Unsubmitted<T> + Send>;
