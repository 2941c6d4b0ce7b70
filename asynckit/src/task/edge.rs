//! Edges: how a dependent is tied to the results it needs.
//!
//! An edge lies in its dependent's inputs and is at the same time a node in the list of the
//! upstream cell, so that tying two tasks allocates nothing. The list is a stack that only grows
//! until the upstream is set, when it is closed and taken as a whole.
//!
//! What keeps the memory good: a dependent's token is held back (see `Token`) until each linked
//! edge has been visited; and the edge's hold keeps the upstream cell.

use std::cell::Cell;
use std::marker::PhantomData;
use std::ptr::{self, NonNull};

use super::cell::Header;
use super::handle::{Borrow, Owner, TaskRef, Token, Typed, typed};
use super::state::{Holds, Take};
use crate::continuation;
use crate::error::Error;
use crate::sync::{AtomicPtr, Ordering};

/// What an edge holds of its upstream cell.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Hold {
    /// The right to the value, which is not settled yet.
    Owner,
    /// The value itself: it is there, and nobody else has a part in it.
    Value,
    /// As `Owner`, while the upstream cell tells this edge when nobody borrows any more.
    Mover,
    /// A borrow.
    Borrow,
    /// Nothing (any more).
    Nothing,
}

/// What a failure of the upstream means for the dependent.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum OnFailure {
    /// It fails likewise, at once.
    Skip,
    /// It wants to see it.
    Look,
}

/// One input of a task that may still be missing.
///
/// Only the list of the upstream cell touches `next` and `dependent` once the edge is linked; the
/// other fields belong to whoever has the dependent's claim or visits it.
pub struct Edge {
    next: Cell<*const Edge>,
    dependent: Cell<*const Header>,
    upstream: NonNull<Header>,
    hold: Cell<Hold>,
    on_failure: OnFailure,
}

impl Edge {
    /// An edge that the value moves along.
    pub(crate) fn moving(owner: Owner, on_failure: OnFailure) -> Edge {
        Edge::new(owner.into_raw(), Hold::Owner, on_failure)
    }

    /// An edge that lends the value.
    pub(crate) fn lending(owner: &Owner) -> Edge {
        owner.holds.add_borrow();
        Edge::new(owner.as_raw(), Hold::Borrow, OnFailure::Skip)
    }

    fn new(upstream: NonNull<Header>, hold: Hold, on_failure: OnFailure) -> Edge {
        Edge {
            next: Cell::new(ptr::null()),
            dependent: Cell::new(ptr::null()),
            upstream,
            hold: Cell::new(hold),
            on_failure,
        }
    }

    /// Whether the edge still has to do with its upstream cell.
    pub(crate) fn is_open(&self) -> bool {
        self.hold.get() != Hold::Nothing
    }

    pub(crate) fn moves(&self) -> bool {
        matches!(self.hold.get(), Hold::Owner | Hold::Value | Hold::Mover)
    }

    pub(crate) fn borrows(&self) -> bool {
        self.hold.get() == Hold::Borrow
    }

    /// The cell that the value comes from, while the edge is open.
    pub(crate) fn upstream(&self) -> &Header {
        assert!(self.is_open(), "an edge was used after its release");
        // SAFETY: an open edge has a hold on the cell, so that its memory is there.
        unsafe { self.upstream.as_ref() }
    }

    /// A reference to that cell.
    pub(crate) fn upstream_ref(&self) -> TaskRef {
        self.upstream().holds.add_reference();
        // SAFETY: the reference was added just now.
        unsafe { TaskRef::from_raw(self.upstream) }
    }

    /// Ties the dependent to the upstream cell; false where that is set already.
    pub(crate) fn link(&self, dependent: NonNull<Header>) -> bool {
        self.dependent.set(dependent.as_ptr());
        self.upstream().waiters.push(self)
    }

    /// Finds out how a value that is there gets to this edge. `arm` is called where the edge
    /// has to wait for borrowers, before anybody can tell it that they are gone.
    pub(crate) fn settle(&self, arm: impl FnOnce()) -> Settled {
        let upstream = self.upstream();
        debug_assert!(upstream.is_set(), "an input was prepared before it was there");
        if upstream.state.is_failed() {
            return Settled::Here;
        }
        match self.hold.get() {
            Hold::Owner => {}
            Hold::Mover => {
                self.hold.set(Hold::Value);
                return Settled::Here;
            }
            Hold::Value | Hold::Borrow | Hold::Nothing => return Settled::Here,
        }
        match upstream.holds.take() {
            Take::Take => self.hold.set(Hold::Value),
            Take::Clone => self.hold.set(Hold::Borrow),
            Take::Lent => {
                arm();
                self.hold.set(Hold::Mover);
                upstream.waiters.tell(self);
                if upstream.holds.wait_for_borrows() {
                    return Settled::Lent;
                }
                self.hold.set(Hold::Value);
                return Settled::FreeAfterAll;
            }
        }
        Settled::Here
    }

    /// As `settle`, for a thread that waits itself: false while the value is lent.
    pub(crate) fn try_settle(&self) -> bool {
        let upstream = self.upstream();
        if self.hold.get() != Hold::Owner || upstream.state.is_failed() {
            return true;
        }
        match upstream.holds.take() {
            Take::Take => self.hold.set(Hold::Value),
            Take::Clone => self.hold.set(Hold::Borrow),
            Take::Lent => return false,
        }
        true
    }

    /// Passes the hold on to the caller, who has waited until the input was ready.
    pub(crate) fn hand_over(&self) -> HandedOver {
        match self.hold.replace(Hold::Nothing) {
            // SAFETY: the edge had an owner's right, and has let go of it just now.
            Hold::Value | Hold::Owner => HandedOver::Owner(unsafe { Owner::from_raw(self.upstream) }),
            // SAFETY: likewise a borrower's.
            Hold::Borrow => HandedOver::Borrow(unsafe { Borrow::from_raw(self.upstream) }),
            hold => unreachable!("an input was taken before its time: {hold:?}"),
        }
    }

    pub(crate) fn on_failure(&self) -> OnFailure {
        self.on_failure
    }

    /// Lets go of the upstream cell. `cancelled`: what nobody needs any more need not run.
    pub(crate) fn release(&self, cancelled: bool) {
        let hold = self.hold.get();
        if hold == Hold::Nothing {
            return;
        }
        let upstream = self.upstream();
        let holds: &Holds = &upstream.holds;
        if cancelled {
            // A reference keeps the cell for what follows.
            let upstream = self.upstream_ref();
            self.release_hold(hold, holds);
            if !upstream.holds.is_owned() && !upstream.state.is_detached() {
                continuation::defer_cancel(upstream);
            }
        } else {
            self.release_hold(hold, holds);
        }
    }

    fn release_hold(&self, hold: Hold, holds: &Holds) {
        self.hold.set(Hold::Nothing);
        let left = match hold {
            Hold::Nothing => return,
            Hold::Borrow => holds.drop_borrow(),
            Hold::Owner | Hold::Value => holds.drop_owner(),
            Hold::Mover => {
                if holds.stop_waiting() {
                    // Nobody will visit this edge any more: that is done here.
                    drop(Visit(self).arrived());
                }
                holds.drop_owner()
            }
        };
        // SAFETY: the hold was on this cell, and its release has answered `left`.
        unsafe { super::cell::let_go(self.upstream, left) }
    }
}

impl Drop for Edge {
    fn drop(&mut self) {
        self.release(false);
    }
}

/// What an edge passes on.
pub(crate) enum HandedOver {
    /// The last owner's right: to take the value itself.
    Owner(Owner),
    /// A borrow: to look at the value or to clone it.
    Borrow(Borrow),
}

/// An edge that a `T` comes along.
pub(crate) struct TypedEdge<T> {
    edge: Edge,
    value: PhantomData<fn(T) -> T>,
}

// SAFETY: an edge is a part of its dependent's job and goes where that goes, with the value that
// comes along it; its list pointers are the upstream list's business, on whatever thread.
unsafe impl<T: Send> Send for TypedEdge<T> {}

impl<T> TypedEdge<T> {
    pub(crate) fn moving(owner: Typed<Owner, T>, on_failure: OnFailure) -> TypedEdge<T> {
        TypedEdge { edge: Edge::moving(owner.into_untyped(), on_failure), value: PhantomData }
    }

    pub(crate) fn lending(owner: &Typed<Owner, T>) -> TypedEdge<T> {
        TypedEdge { edge: Edge::lending(owner), value: PhantomData }
    }

    pub(crate) fn edge(&self) -> &Edge {
        &self.edge
    }

    /// The value, or a clone of it where there are other owners.
    pub(crate) fn take(&self) -> Result<T, Error> {
        match self.edge.hand_over() {
            // SAFETY: both ways to make this type come from a handle on a `T`.
            HandedOver::Owner(owner) => unsafe { typed::<_, T>(owner) }.take(),
            // SAFETY: as above.
            HandedOver::Borrow(borrow) => unsafe { typed::<_, T>(borrow) }.clone_value(),
        }
    }

    /// The value where it is.
    pub(crate) fn borrow(&self) -> Result<Typed<Borrow, T>, Error> {
        let HandedOver::Borrow(borrow) = self.edge.hand_over() else {
            unreachable!("an edge that lends was asked for the value");
        };
        // SAFETY: as above.
        let borrow = unsafe { typed::<_, T>(borrow) };
        match borrow.outcome() {
            Ok(_) => {}
            Err(error) => return Err(error.clone()),
        }
        Ok(borrow)
    }
}

/// How `Edge::settle` came out.
#[must_use]
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Settled {
    Here,
    /// The edge will be visited once more, when nobody borrows the value.
    Lent,
    /// `arm` was called for nothing: the last borrower has just gone.
    FreeAfterAll,
}

/// The dependents of a cell: null or a list, with the marks below in the low bits.
pub(crate) struct Waiters(AtomicPtr<Edge>);

/// The cell is set; what else the word holds is the edge to tell when the value is free.
const CLOSED: usize = 1;
/// Somebody who may leave again looks on: see `observers.rs`.
const OBSERVED: usize = 2;
const MARKS: usize = CLOSED | OBSERVED;

/// What a cell's closing has to tend to.
pub(crate) struct Closing {
    pub(crate) dependents: Dependents,
    pub(crate) observed: bool,
}

fn marks(word: *mut Edge) -> usize {
    word.addr() & MARKS
}

fn edge(word: *mut Edge) -> *mut Edge {
    word.map_addr(|addr| addr & !MARKS)
}

impl Waiters {
    pub(crate) fn new() -> Waiters {
        Waiters(AtomicPtr::new(ptr::null_mut()))
    }

    /// Whether the outcome is there to be read.
    pub(crate) fn is_closed(&self) -> bool {
        // ORDERING: Acquire pairs with the AcqRel of `close`: the outcome is visible.
        marks(self.0.load(Ordering::Acquire)) & CLOSED != 0
    }

    fn push(&self, node: &Edge) -> bool {
        let mut old = self.0.load(Ordering::Acquire);
        loop {
            if marks(old) & CLOSED != 0 {
                return false;
            }
            node.next.set(edge(old));
            let new = ptr::from_ref(node).cast_mut().map_addr(|addr| addr | marks(old));
            // ORDERING: AcqRel: Release publishes the node to `close`, Acquire reads the outcome
            // where the cell turns out to be closed.
            match self.0.compare_exchange_weak(old, new, Ordering::AcqRel, Ordering::Acquire) {
                Ok(_) => return true,
                Err(now) => old = now,
            }
        }
    }

    /// Marks the cell as observed; false where it is closed already.
    pub(crate) fn observe(&self) -> bool {
        let mut old = self.0.load(Ordering::Acquire);
        loop {
            if marks(old) & CLOSED != 0 {
                return false;
            }
            let new = old.map_addr(|addr| addr | OBSERVED);
            match self.0.compare_exchange_weak(old, new, Ordering::AcqRel, Ordering::Acquire) {
                Ok(_) => return true,
                Err(now) => old = now,
            }
        }
    }

    /// The outcome is there: no dependent comes any more, and those that came are handed out.
    pub(crate) fn close(&self) -> Closing {
        // ORDERING: Release publishes the outcome to every reader of the closed word; Acquire
        // sees what the dependents' tasks wrote into their nodes.
        let old = self.0.swap(ptr::without_provenance_mut(CLOSED), Ordering::AcqRel);
        debug_assert_eq!(marks(old) & CLOSED, 0, "a cell was closed twice");
        Closing {
            dependents: Dependents::in_order(edge(old)),
            observed: marks(old) & OBSERVED != 0,
        }
    }

    /// Names the edge to tell when the value is free. Only the last owner of a closed cell may.
    fn tell(&self, node: &Edge) {
        let word = ptr::from_ref(node).cast_mut().map_addr(|addr| addr | CLOSED);
        // ORDERING: published by `Holds::wait_for_borrows`.
        self.0.store(word, Ordering::Release);
    }

    /// As `tell`, for a thread or a future that looks on.
    pub(crate) fn tell_observers(&self) {
        self.0.store(ptr::without_provenance_mut(CLOSED | OBSERVED), Ordering::Release);
    }

    /// Whom to tell that the value is free: the one edge that waits, or the observers.
    pub(crate) fn told(&self) -> Closing {
        // ORDERING: acquired by `Holds::drop_borrow`.
        let word = self.0.load(Ordering::Acquire);
        let node = edge(word);
        if !node.is_null() {
            // SAFETY: the edge's dependent waits for this visit, so that its token keeps it; it
            // is in no list now.
            unsafe { (*node).next.set(ptr::null()) };
        }
        Closing { dependents: Dependents { next: node }, observed: marks(word) & OBSERVED != 0 }
    }
}

/// A list of edges that a closed cell has handed out, first come first.
pub(crate) struct Dependents {
    next: *const Edge,
}

impl Dependents {
    fn in_order(mut stack: *const Edge) -> Dependents {
        let mut next: *const Edge = ptr::null();
        while !stack.is_null() {
            // SAFETY: each node of the list is unvisited, so that its dependent's token is held
            // back and keeps the memory; the list is this thread's alone.
            let node = unsafe { &*stack };
            stack = node.next.replace(next);
            next = node;
        }
        Dependents { next }
    }
}

impl Iterator for Dependents {
    type Item = Visit;

    fn next(&mut self) -> Option<Visit> {
        if self.next.is_null() {
            return None;
        }
        let node = self.next;
        // SAFETY: as in `in_order`; `next` is read before the visit, which may free the node.
        self.next = unsafe { (*node).next.get() };
        Some(Visit(node))
    }
}

/// One edge to be visited; its dependent is there until `arrived`.
#[must_use]
pub(crate) struct Visit(*const Edge);

impl Visit {
    pub(crate) fn on_failure(&self) -> OnFailure {
        // SAFETY: an unvisited edge's dependent is kept by its token.
        unsafe { (*self.0).on_failure }
    }

    /// A reference to the dependent.
    pub(crate) fn dependent(&self) -> TaskRef {
        let dependent = self.raw_dependent();
        // SAFETY: as above: the dependent is there, and gets one more reference.
        unsafe {
            dependent.as_ref().holds.add_reference();
            TaskRef::from_raw(dependent)
        }
    }

    fn raw_dependent(&self) -> NonNull<Header> {
        // SAFETY: as above; `dependent` was set, to a task, before the edge was published.
        unsafe { NonNull::new_unchecked((*self.0).dependent.get().cast_mut()) }
    }

    /// Counts the input as there; whoever brings the last one gets the dependent's token.
    #[must_use]
    pub(crate) fn arrived(self) -> Option<Token> {
        let dependent = self.raw_dependent();
        // SAFETY: the dependent's token was held back for this visit among others.
        unsafe { Token::arrived(dependent, 1) }
    }
}
