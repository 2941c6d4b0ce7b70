//! Edges: how a dependent is tied to the results it needs.
//!
//! An edge lies in its dependent's inputs and is at the same time a node in the list of the
//! upstream cell, so that tying two tasks allocates nothing. The list is a stack that only grows
//! until the upstream is set, when it is closed and taken as a whole.
//!
//! What keeps the memory good: a dependent's token is held back (see `Token`) until each linked
//! edge has been visited; and the edge's hold keeps the upstream cell.

use std::cell::Cell;
use std::collections::HashMap;
use std::marker::PhantomData;
use std::ptr::{self, NonNull};

use super::cell::{Steps, each_edge};
use super::handle::{Borrow, Owner, TaskRef, Typed, typed};
use super::header::Header;
use super::holds::{Holds, Left, Take};
use super::waiters::Visit;
use crate::continuation;
use crate::error::Error;
use crate::sync::{Ordering, StaticCounter};

/// What an edge holds of its upstream cell: the low bits of its pointer to that.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(usize)]
enum Hold {
    /// Nothing (any more).
    Nothing = 0,
    /// The right to the value.
    Owner = 1,
    /// As `Owner`, while the upstream cell tells this edge when nobody borrows any more.
    Mover = 2,
    /// A borrow.
    Borrow = 3,
}

/// Where the pointer to the upstream has its `Hold`.
const HOLD: usize = 0b11;
/// Set there while the edge was lent the value, to clone it when the task runs.
const CLONES: usize = 0b100;
/// The same bit where nothing is held any more: what the edge held is with the call that the task makes.
const LENT_TO_CALL: usize = CLONES;
/// Set in the pointer to the dependent where that wants to see a failure: `OnFailure::Look`.
const LOOKS: usize = 0b1;
const _: () =
    assert!(align_of::<Header>() > (HOLD | CLONES), "the marks lie below a header's address");

/// How many edges wait for a value that they might clone, for who need not look for them.
static MIGHT_CLONE: StaticCounter = StaticCounter::new(0);

/// Whether any edge waits for a value that it might clone.
pub(crate) fn any_might_clone() -> bool {
    MIGHT_CLONE.load(Ordering::SeqCst) > 0
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
/// rest belongs to whoever has the dependent's claim or visits it.
pub struct Edge {
    pub(super) next: Cell<*const Edge>,
    /// The cell whose input this is, once it is linked, and the mark for `OnFailure`.
    dependent: Cell<*mut Header>,
    /// The upstream cell, and the marks for `Hold`.
    upstream: Cell<*mut Header>,
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

    /// For models of the list alone.
    #[cfg(all(asynckit_loom, test))]
    pub(super) fn of_no_cells() -> Edge {
        Edge::new(NonNull::dangling(), Hold::Nothing, OnFailure::Skip)
    }

    fn new(upstream: NonNull<Header>, hold: Hold, on_failure: OnFailure) -> Edge {
        let looks = if on_failure == OnFailure::Look { LOOKS } else { 0 };
        Edge {
            next: Cell::new(ptr::null()),
            dependent: Cell::new(ptr::without_provenance_mut(looks)),
            upstream: Cell::new(upstream.as_ptr().map_addr(|addr| addr | hold as usize)),
        }
    }

    fn hold(&self) -> Hold {
        match self.upstream.get().addr() & HOLD {
            0 => Hold::Nothing,
            1 => Hold::Owner,
            2 => Hold::Mover,
            _ => Hold::Borrow,
        }
    }

    fn set_hold(&self, hold: Hold) {
        let _ = self.replace_hold(hold);
    }

    /// Notes another hold; the one before.
    fn replace_hold(&self, hold: Hold) -> Hold {
        let before = self.hold();
        if (before == Hold::Mover) != (hold == Hold::Mover) && self.upstream().has_clones() {
            if hold == Hold::Mover {
                MIGHT_CLONE.fetch_add(1, Ordering::SeqCst);
            } else {
                MIGHT_CLONE.fetch_sub(1, Ordering::SeqCst);
            }
        }
        let marks = if hold == Hold::Nothing { HOLD | CLONES } else { HOLD };
        let upstream = self.upstream.get();
        self.upstream.set(upstream.map_addr(|addr| (addr & !marks) | hold as usize));
        before
    }

    fn upstream_raw(&self) -> NonNull<Header> {
        let upstream = self.upstream.get().map_addr(|addr| addr & !(HOLD | CLONES));
        // SAFETY: the edge was made with a pointer to a cell, and only its marks change.
        unsafe { NonNull::new_unchecked(upstream) }
    }

    /// Whether the edge still has to do with its upstream cell.
    pub(crate) fn is_open(&self) -> bool {
        self.hold() != Hold::Nothing
    }

    pub(crate) fn moves(&self) -> bool {
        matches!(self.hold(), Hold::Owner | Hold::Mover)
    }

    /// Whether it waits until nobody borrows the value any more. (An edge that is to move a value that
    /// others own too need not.)
    pub(crate) fn waits_for_loans(&self) -> bool {
        self.hold() == Hold::Mover
    }

    pub(crate) fn borrows(&self) -> bool {
        self.hold() == Hold::Borrow
    }

    /// The cell that the value comes from, while the edge is open.
    pub(crate) fn upstream(&self) -> &Header {
        assert!(self.is_open(), "an edge was used after its release");
        // SAFETY: an open edge has a hold on the cell, so that its memory is there.
        unsafe { self.upstream_raw().as_ref() }
    }

    pub(crate) fn comes_from(&self, cell: &TaskRef) -> bool {
        self.upstream_raw() == cell.raw()
    }

    /// A reference to that cell.
    pub(crate) fn upstream_ref(&self) -> TaskRef {
        self.upstream().holds.add_reference();
        // SAFETY: the reference was added just now.
        unsafe { TaskRef::from_raw(self.upstream_raw()) }
    }

    /// Ties the dependent to the upstream cell; false where that is set already.
    pub(crate) fn link(&self, dependent: NonNull<Header>) -> bool {
        let looks = self.dependent.get().addr() & LOOKS;
        self.dependent.set(dependent.as_ptr().map_addr(|addr| addr | looks));
        self.upstream().waiters.push(self)
    }

    fn is_linked(&self) -> bool {
        self.dependent.get().addr() & !LOOKS != 0
    }

    /// Whether nobody needs the edge any more: its dependent is over. Only for who has the list that the
    /// edge is in.
    pub(super) fn is_dead(&self) -> bool {
        // SAFETY: an edge in a list was linked, and its dependent's token is held back until it has been
        // visited.
        unsafe { self.dependent().as_ref() }.state.is_over()
    }

    /// Whether there is nothing to be settled about how a value that is there gets to this edge.
    pub(crate) fn is_settled(&self) -> bool {
        if self.hold() == Hold::Mover {
            // It was told, or it is asked for the first time since it began to wait.
            self.set_hold(Hold::Owner);
        }
        let upstream = self.upstream();
        debug_assert!(upstream.is_set(), "an input was prepared before it was there");
        self.hold() != Hold::Owner || upstream.state.is_failed() || upstream.holds.is_sole()
    }

    /// Settles it. `arm` is called where the edge has to wait for borrowers, before anybody can
    /// tell it that they are gone.
    pub(crate) fn settle(&self, own: &mut Siblings, arm: impl FnOnce()) -> Settled {
        let upstream = self.upstream();
        match upstream.holds.take_of(own.owners, own.lent) {
            Take::Itself => {}
            Take::Clone => {
                own.owners -= 1;
                self.set_hold(Hold::Borrow);
                self.upstream.set(self.upstream.get().map_addr(|addr| addr | CLONES));
            }
            // One edge waits for all that the task has to this cell.
            Take::Lent if own.armed => {}
            Take::Lent => {
                own.armed = true;
                arm();
                self.set_hold(Hold::Mover);
                upstream.waiters.tell(self);
                if upstream.holds.wait_for_borrows() {
                    return Settled::Lent;
                }
                own.armed = false;
                self.set_hold(Hold::Owner);
                return Settled::FreeAfterAll;
            }
        }
        Settled::Here
    }

    /// Takes back that the value is to be cloned, as the task has to wait for another one: what waits
    /// for that must not find this one lent meanwhile. The cell, if somebody is to be told that it
    /// is free.
    pub(crate) fn own_again(&self) -> Option<TaskRef> {
        let upstream = self.upstream.get();
        if upstream.addr() & CLONES == 0 {
            return None;
        }
        self.upstream.set(upstream.map_addr(|addr| addr & !CLONES));
        let holds = &self.upstream().holds;
        // The borrow keeps the value until there is an owner again.
        holds.add_owner();
        self.set_hold(Hold::Owner);
        let left = holds.drop_borrow();
        debug_assert!(matches!(left, Left::Held | Left::FreeToTake), "{left:?}");
        // SAFETY: this answer comes with a reference.
        (left == Left::FreeToTake).then(|| unsafe { TaskRef::from_raw(self.upstream_raw()) })
    }

    /// Has the edge clone the value that it waits for, where a clone was written: the borrowers would
    /// wait for this task. The visit that the edge need not wait for any more, if there is one.
    pub(crate) fn clone_instead(&self) -> Option<Visit> {
        if !self.waits_for_loans() || !self.upstream().has_clones() {
            return None;
        }
        let holds = &self.upstream().holds;
        if !holds.stop_waiting() {
            // Told already that nobody borrows any more.
            return None;
        }
        holds.add_borrow();
        let left = holds.drop_owner();
        debug_assert_eq!(left, Left::Held, "there is a borrow");
        self.set_hold(Hold::Borrow);
        self.upstream.set(self.upstream.get().map_addr(|addr| addr | CLONES));
        Some(Visit::of_told(self))
    }

    /// Counts this edge among those that its task has to one cell.
    pub(crate) fn count(&self, own: &mut HashMap<NonNull<Header>, Siblings>) {
        if self.is_open() {
            let own = own.entry(self.upstream_raw()).or_default();
            own.owners += u64::from(self.moves());
            own.lent |= self.borrows();
        }
    }

    /// This edge's share of that count.
    pub(crate) fn siblings<'a>(
        &self,
        own: &'a mut HashMap<NonNull<Header>, Siblings>,
    ) -> &'a mut Siblings {
        own.entry(self.upstream_raw()).or_default()
    }

    /// As `settle`, for a thread that waits itself; false while the value is lent.
    pub(crate) fn settle_here(&self) -> bool {
        if self.is_settled() {
            return true;
        }
        match self.upstream().holds.take() {
            Take::Itself => {}
            Take::Clone => self.set_hold(Hold::Borrow),
            Take::Lent => return false,
        }
        true
    }

    /// Passes the hold on to the caller, who has waited until the input was ready.
    pub(crate) fn hand_over(&self) -> HandedOver {
        match self.replace_hold(Hold::Nothing) {
            Hold::Owner => {
                // SAFETY: the edge had an owner's right, and has let go of it just now.
                HandedOver::Owner(unsafe { Owner::from_raw(self.upstream_raw()) })
            }
            // SAFETY: likewise a borrower's.
            Hold::Borrow => HandedOver::Borrow(unsafe { Borrow::from_raw(self.upstream_raw()) }),
            hold => unreachable!("an input was taken before its time: {hold:?}"),
        }
    }

    /// The loan that the call has which the task makes, once more. Only within that call.
    fn lend_again(&self) -> Option<Borrow> {
        if self.is_open() || self.upstream.get().addr() & LENT_TO_CALL == 0 {
            return None;
        }
        let upstream = self.upstream_raw();
        // SAFETY: the call has not returned and has its loans until it does (`loans_of`), so that the
        // cell is there, and lent; this is one more borrow of it.
        unsafe {
            upstream.as_ref().holds.add_borrow();
            Some(Borrow::from_raw(upstream))
        }
    }

    pub(crate) fn on_failure(&self) -> OnFailure {
        if self.dependent.get().addr() & LOOKS == 0 { OnFailure::Skip } else { OnFailure::Look }
    }

    /// The cell whose input this is.
    ///
    /// # Safety
    /// The edge was linked.
    pub(super) unsafe fn dependent(&self) -> NonNull<Header> {
        let dependent = self.dependent.get().map_addr(|addr| addr & !LOOKS);
        // SAFETY: it was set, to a task, before the edge was published.
        unsafe { NonNull::new_unchecked(dependent) }
    }

    /// Lets go of the upstream cell. `cancelled`: what nobody needs any more need not run.
    pub(crate) fn release(&self, cancelled: bool) {
        let hold = self.hold();
        if hold == Hold::Nothing {
            return;
        }
        let upstream = self.upstream();
        let holds: &Holds = &upstream.holds;
        let stays_linked = self.is_linked() && !upstream.is_set();
        if !cancelled && !stays_linked {
            return self.release_hold(hold, holds);
        }
        // A reference keeps the cell for what follows.
        let upstream = self.upstream_ref();
        self.release_hold(hold, holds);
        let lives_on = upstream.holds.is_owned();
        if lives_on && stays_linked {
            continuation::given_up(upstream);
        } else if cancelled && !lives_on && !upstream.state.is_detached() {
            continuation::defer_cancel(upstream);
        }
    }

    fn release_hold(&self, hold: Hold, holds: &Holds) {
        self.set_hold(Hold::Nothing);
        let left = match hold {
            Hold::Nothing => return,
            Hold::Borrow => holds.drop_borrow(),
            Hold::Owner => holds.drop_owner(),
            Hold::Mover => {
                if holds.stop_waiting() {
                    // Nobody will visit this edge any more: that is done here.
                    drop(Visit::of_told(self).arrived());
                }
                holds.drop_owner()
            }
        };
        // SAFETY: the hold was on this cell, and its release has answered `left`.
        unsafe { super::cell::let_go(self.upstream_raw(), left) }
    }
}

impl Drop for Edge {
    fn drop(&mut self) {
        self.release(false);
    }
}

/// What is shown each edge of a task.
pub type VisitEdges<'a> = &'a mut dyn FnMut(&Edge);

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
            HandedOver::Owner(owner) => unsafe { typed::<_, T>(owner) }.take_or_clone(),
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

    /// As `borrow`, for the call that the task makes, which keeps it until it returns.
    pub(crate) fn lend(&self) -> Result<Typed<Borrow, T>, Error> {
        let borrow = self.borrow()?;
        let upstream = self.edge.upstream.get();
        self.edge.upstream.set(upstream.map_addr(|addr| addr | LENT_TO_CALL));
        Ok(borrow)
    }
}

/// One more of each loan that the call of a task has. Only for that task's thread, before the call has
/// returned.
pub(crate) fn loans_of(task: &TaskRef) -> Vec<Borrow> {
    let mut loans = Vec::new();
    each_edge(task, |edge| loans.extend(edge.lend_again()));
    loans
}

/// An edge to a result that is only to come first, whatever its value is.
pub(crate) struct EndEdge(Edge);

// SAFETY: as with `TypedEdge`. The value, which `new` knows to be `Send`, may be dropped where the loan
// ends.
unsafe impl Send for EndEdge {}

impl EndEdge {
    pub(crate) fn new<T: Send>(owner: &Typed<Owner, T>) -> EndEdge {
        EndEdge(Edge::lending(owner))
    }

    pub(crate) fn edge(&self) -> &Edge {
        &self.0
    }

    /// Ends the loan; fails where the result did.
    pub(crate) fn end(&self) -> Result<(), Error> {
        let HandedOver::Borrow(borrow) = self.0.hand_over() else {
            unreachable!("an edge that lends has no other hold");
        };
        let failure = borrow.error().cloned();
        continuation::end_loan(borrow);
        failure.map_or(Ok(()), Err)
    }
}

/// What edges a task has to one cell.
#[derive(Debug, Default)]
pub(crate) struct Siblings {
    /// How many have an owner's right.
    owners: u64,
    /// Whether any is lent the value.
    lent: bool,
    /// Whether one of them waits for borrowers.
    armed: bool,
}

/// How `Edge::settle` came out.
#[must_use]
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Settled {
    Here,
    /// The edge will be visited once more, when nobody borrows the value.
    Lent,
    /// `arm` was called for nothing: the last borrower has just gone, or owns again.
    FreeAfterAll,
}
