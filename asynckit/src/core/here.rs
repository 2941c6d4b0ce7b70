//! The task that runs, as its closure sees it; and what was lent to it.

use std::marker::PhantomData;

use super::cell::{CellPtr, Header};
use super::frame::hook_of;
use super::reference::TaskRef;
use super::release;
use super::share::Holder;
use crate::error::{BoxError, Error, Hook, Hop};

/// The task that runs, as its closure sees it.
pub struct Here<'a> {
    task: CellPtr,
    in_place: bool,
    life: PhantomData<&'a ()>,
}

impl Here<'_> {
    /// # Safety
    /// The task is alive and run by the caller, for as long as this.
    pub(super) unsafe fn new(task: CellPtr, in_place: bool) -> Self {
        Here { task, in_place, life: PhantomData }
    }

    pub(crate) fn header(&self) -> &Header {
        // SAFETY: the promise of `new`.
        unsafe { self.task.as_ref() }
    }

    pub(crate) fn reference(&self) -> TaskRef {
        // SAFETY: the promise of `new`.
        unsafe { TaskRef::new(self.task) }
    }

    /// Whether it is run in place, as a part of what its thread does.
    pub(crate) fn is_in_place(&self) -> bool {
        self.in_place
    }

    pub(crate) fn hop(&self) -> Hop {
        self.header().hop
    }

    pub(crate) fn hook(&self) -> Option<Hook> {
        // SAFETY: the task runs, so that its home is alive.
        unsafe { hook_of(self.task) }
    }

    /// The failure of this task, because of `cause`.
    pub(crate) fn failed(&self, cause: BoxError) -> Error {
        Error::failed(self.hop(), cause, self.hook())
    }

    /// What was lent to this call, for as long as the answer is kept: for work that it returns.
    pub(crate) fn keep_loans(&self) -> KeptLoans {
        let mut kept = Vec::new();
        // SAFETY: the task runs, so that its edges are this thread's. Those that lend are there until the call is over;
        // of others, a list that was moved into it is gone.
        unsafe {
            (self.header().table().loans)(self.task, &mut |edge| {
                if edge.is_open() {
                    kept.extend(edge.take().map(|(loan, _)| loan));
                }
            });
        }
        KeptLoans(kept)
    }
}

/// Loans that outlive the call that they were made to.
pub(crate) struct KeptLoans(Vec<Holder>);

// SAFETY: a loan of a value may end on any thread, as an input's may: what is lent is `Send + Sync`.
unsafe impl Send for KeptLoans {}
// SAFETY: nothing can be done with it but to drop it.
unsafe impl Sync for KeptLoans {}

impl KeptLoans {
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn is_from(&self, holder: Holder) -> bool {
        self.0.contains(&holder)
    }
}

impl Drop for KeptLoans {
    fn drop(&mut self) {
        for loan in self.0.drain(..) {
            // SAFETY: the loan was the edge's.
            unsafe { release::drop_loan(loan) }
        }
    }
}
