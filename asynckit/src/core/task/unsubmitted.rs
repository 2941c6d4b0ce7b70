//! Work that was not submitted: it is in a cell that nobody else knows yet.

use super::super::cell::{self, Home};
use super::super::edge::{Link, OnFailure};
use super::super::fail;
use super::super::handle::{Lender, Owner, TaskRef};
use super::super::news;
use super::super::run;
use super::super::state::{Arrival, State, Traits};
use super::{Job, Jobbed, Submitted, TaskOf, fail_late, ready};
use crate::error::{Error, Hop};

/// A task in a cell that nobody else knows yet.
pub(crate) struct Unsubmitted<T> {
    /// `None` once used.
    owner: Option<Owner<T>>,
}

impl<T> Unsubmitted<T> {
    pub(crate) fn new<K: TaskOf<T>>(hop: Hop, traits: Traits, task: K) -> Unsubmitted<T> {
        let state = State::unsubmitted(traits);
        // SAFETY: the table is the kind's own; there is no home yet.
        let owner = unsafe {
            Owner::new(cell::make::<T, K>(K::TABLE, std::ptr::null(), hop, state, task, None))
        };
        Unsubmitted { owner: Some(owner) }
    }

    pub(crate) fn of_job<J: Job<T>>(hop: Hop, job: J) -> Unsubmitted<T> {
        let traits = if J::IMMEDIATE { Traits::IMMEDIATE } else { Traits::PLAIN };
        Unsubmitted::new(hop, traits, Jobbed(job))
    }

    fn owner(&self) -> &Owner<T> {
        match &self.owner {
            Some(owner) => owner,
            None => unreachable!("work was used twice"),
        }
    }

    pub(crate) fn hop(&self) -> Hop {
        self.owner().hop
    }

    /// What it was made with.
    pub(crate) fn traits(&self) -> Traits {
        self.owner().state.traits()
    }

    /// How many inputs it waits for.
    pub(crate) fn inputs(&self) -> usize {
        let (mut count, cell) = (0, self.owner().cell());
        // SAFETY: nobody else knows the cell.
        unsafe { (cell.as_ref().table().edges)(cell, &mut |_| count += 1) };
        count
    }

    /// Ties it to its inputs, in a home.
    ///
    /// # Safety
    /// As `submit`.
    pub(in crate::core) unsafe fn submit(
        mut self,
        home: *const Home,
        hooked: Traits,
    ) -> (Owner<T>, Submitted) {
        let count = self.inputs();
        let Some(owner) = self.owner.take() else { unreachable!("work was used twice") };
        let cell = owner.cell();
        // SAFETY: nobody else knows the cell until it is tied; the caller's promise.
        unsafe {
            let header = cell.as_ref();
            let traits = header.state.traits().and(hooked);
            let adopted = header.adopt(home);
            debug_assert!(adopted || home.is_null(), "work is submitted once");
            if traits.has_news() {
                // It can be seen by its mark.
                header.state.begin(State::unsubmitted(traits));
                news::submitted(cell);
            }
            if count == 0 {
                header.state.begin(State::ready(traits));
                return (owner, ready(cell, traits));
            }
            header.state.begin(State::tying(count, traits));
            let (mut there, mut failed) = (0, false);
            (header.table().edges)(cell, &mut |edge| match edge.link(cell, home) {
                Link::Pending => {}
                Link::There => there += 1,
                Link::Failed => {
                    there += 1;
                    failed |= edge.on_failure() == OnFailure::Skip;
                }
            });
            if failed {
                fail_late(cell, there, false);
                return (owner, Submitted::Tied);
            }
            let is_ready = matches!(header.state.tied(there), Arrival::Ready { .. });
            (owner, if is_ready { ready(cell, traits) } else { Submitted::Tied })
        }
    }

    /// What it waits for, as far as it is not there, or lent where it is to move.
    pub(crate) fn next_missing(&self) -> Option<Missing> {
        let (mut missing, cell) = (None, self.owner().cell());
        // SAFETY: nobody else knows the cell, and an open edge keeps its upstream.
        unsafe {
            (cell.as_ref().table().edges)(cell, &mut |edge| {
                if missing.is_some() || !edge.is_open() {
                    return;
                }
                let upstream = edge.upstream();
                if !upstream.outcome.is_closed() {
                    missing = Some(Missing::Set(TaskRef::new(edge.holder().cell())));
                } else if upstream.outcome.is_failed() && edge.on_failure() == OnFailure::Skip {
                    let error = upstream.error().map(|error| (*error).clone());
                    missing = error.map(Missing::Failed);
                } else if edge.moves() && edge.holder().is_lent() {
                    missing = Some(Missing::Loans(Lender::new(edge.holder())));
                }
            });
        }
        missing
    }

    /// Runs it on this thread, as a part of what that does; its inputs are there. `Err`: it has returned a result,
    /// for which it waits now.
    pub(crate) fn run_in_place(mut self) -> Result<Owner<T>, Unsubmitted<T>> {
        let Some(owner) = self.owner.take() else { unreachable!("work was used twice") };
        if !owner.state.is_claimed() {
            owner.state.claim_unsubmitted();
        }
        // SAFETY: nobody else knows the cell.
        match unsafe { run::run_in_place(owner.cell()) } {
            run::RanHere::Over => Ok(owner),
            run::RanHere::Again => Err(Unsubmitted { owner: Some(owner) }),
        }
    }

    pub(crate) fn reference(&self) -> TaskRef {
        self.owner().reference()
    }

    /// Gives it up before it was submitted: its result fails so.
    pub(crate) fn refuse(mut self, error: Error) -> Owner<T> {
        let Some(owner) = self.owner.take() else { unreachable!("work was used twice") };
        dispose(&owner, error);
        owner
    }
}

/// Ends work that was not submitted.
fn dispose<T>(owner: &Owner<T>, error: Error) {
    let cell = owner.cell();
    // SAFETY: nobody else knows the cell, and it will not be run.
    unsafe {
        (cell.as_ref().table().drop_job)(cell, false);
        (cell.as_ref().table().drop_edges)(cell);
        let _ = fail::close_with_failure(cell, error);
    }
}

impl<T> Drop for Unsubmitted<T> {
    fn drop(&mut self) {
        if let Some(owner) = &self.owner {
            // Closed, so that its memory goes with its owner; nobody sees that failure.
            dispose(owner, Error::cancelled(owner.hop));
        }
    }
}

/// What work that is to be run in place still needs.
pub(crate) enum Missing {
    /// This is to be set.
    Set(TaskRef),
    /// This has failed.
    Failed(Error),
    /// This is to have its loans back.
    Loans(Lender),
}
