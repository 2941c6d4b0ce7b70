//! The list of those who wait for a cell: a stack of edges that only grows until the cell is set,
//! when it is closed and taken as a whole.

use std::ptr::{self, NonNull};

use super::edge::{Edge, OnFailure};
use super::handle::{Arrived, TaskRef, Token};
use super::header::Header;
use crate::sync::{AtomicPtr, Ordering};

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

impl Closing {
    /// Whether nobody waits.
    pub(crate) fn is_quiet(&self) -> bool {
        !self.observed && self.dependents.next.is_null()
    }
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

    /// Enters an edge; false where the cell is set already.
    pub(super) fn push(&self, node: &Edge) -> bool {
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

    /// Takes out of the list what nobody needs any more.
    pub(crate) fn sweep(&self) -> Swept {
        self.sweep_out(Edge::is_dead)
    }

    /// *Named race, "the late sweep":* the list is taken out and put back, and the cell may be closed in
    /// between. Who closes it finds no edges then, and who sweeps finds the cell closed, and visits them
    /// in its stead.
    fn sweep_out(&self, is_dead: impl Fn(&Edge) -> bool) -> Swept {
        let (mut dead, mut kept) = (Chain::new(), Chain::new());
        let mut left = 0;
        loop {
            let mut newer = Chain::new();
            let Some(mut next) = self.exchange(|_| ptr::null()) else { break };
            while !next.is_null() {
                // SAFETY: as in `Dependents::in_order`.
                let node = unsafe { &*next };
                next = node.next.get();
                if is_dead(node) {
                    dead.add(node);
                } else {
                    newer.add(node);
                    left += 1;
                }
            }
            newer.append(kept);
            kept = newer;
            // Unless others have come meanwhile, which are to stand before these.
            let mut more = false;
            let put_back = self.exchange(|now| {
                more = !now.is_null();
                if more { now } else { kept.first }
            });
            if put_back.is_none() {
                break;
            }
            if !more {
                kept = Chain::new();
                break;
            }
        }
        Swept { dead: dead.dependents(), late: kept.dependents(), left }
    }

    /// Puts another list in the place of this one, which is handed out; `None` where the cell is closed.
    fn exchange(&self, mut other: impl FnMut(*const Edge) -> *const Edge) -> Option<*const Edge> {
        let mut old = self.0.load(Ordering::Acquire);
        loop {
            if marks(old) & CLOSED != 0 {
                return None;
            }
            let new = other(edge(old)).cast_mut().map_addr(|addr| addr | marks(old));
            // ORDERING: AcqRel, both as in `push` and as in `close`.
            match self.0.compare_exchange_weak(old, new, Ordering::AcqRel, Ordering::Acquire) {
                Ok(_) => return Some(edge(old)),
                Err(now) => old = now,
            }
        }
    }

    /// Names the edge to tell when the value is free. Only the last owner of a closed cell may.
    pub(super) fn tell(&self, node: &Edge) {
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

/// What a look through a list has come to.
pub(crate) struct Swept {
    /// Those that nobody needs.
    pub(crate) dead: Dependents,
    /// The others, where the cell has been closed meanwhile.
    pub(crate) late: Dependents,
    /// How many others there are.
    pub(crate) left: usize,
}

/// Edges that are in no cell's list, the newest first, as in one.
struct Chain {
    first: *const Edge,
    last: *const Edge,
}

impl Chain {
    fn new() -> Chain {
        Chain { first: ptr::null(), last: ptr::null() }
    }

    /// One more, which is older than the rest.
    fn add(&mut self, node: &Edge) {
        node.next.set(ptr::null());
        self.append(Chain { first: node, last: node });
    }

    fn append(&mut self, older: Chain) {
        if self.last.is_null() {
            *self = older;
        } else if !older.first.is_null() {
            // SAFETY: as in `Dependents::in_order`.
            unsafe { &*self.last }.next.set(older.first);
            self.last = older.last;
        }
    }

    fn dependents(self) -> Dependents {
        Dependents::in_order(self.first.cast_mut())
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
    /// For an edge that was to be told that a value is free, and never will be now.
    pub(super) fn of_told(edge: &Edge) -> Visit {
        Visit(edge)
    }

    pub(crate) fn on_failure(&self) -> OnFailure {
        // SAFETY: an unvisited edge's dependent is kept by its token.
        unsafe { (*self.0).on_failure() }
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
        // SAFETY: as above; an edge in a list was linked.
        unsafe { (*self.0).dependent() }
    }

    /// Counts the input as there; whoever brings the last one gets the dependent's token.
    pub(crate) fn arrived(self) -> Arrived {
        let dependent = self.raw_dependent();
        // SAFETY: the dependent's token was held back for this visit among others.
        unsafe { Token::arrived(dependent) }
    }
}

#[cfg(all(asynckit_loom, test))]
mod models {
    use loom::cell::UnsafeCell;
    use loom::thread;
    use std::sync::Arc;

    use super::*;

    /// A cell's list, its outcome, and one edge to it.
    struct Cell {
        waiters: Waiters,
        outcome: UnsafeCell<u32>,
        edge: Edge,
    }

    // SAFETY: what the models are about: loom fails them where two threads are in the outcome at once.
    unsafe impl Send for Cell {}
    // SAFETY: as above.
    unsafe impl Sync for Cell {}

    fn new_cell() -> Arc<Cell> {
        let (waiters, outcome) = (Waiters::new(), UnsafeCell::new(0));
        Arc::new(Cell { waiters, outcome, edge: Edge::of_no_cells() })
    }

    impl Cell {
        fn set(&self) -> Closing {
            // SAFETY: loom's own pointer, within its closure.
            self.outcome.with_mut(|outcome| unsafe { *outcome = 7 });
            self.waiters.close()
        }

        fn look(&self) {
            // SAFETY: as above.
            self.outcome.with(|outcome| assert_eq!(unsafe { *outcome }, 7));
        }
    }

    /// An edge is linked while the upstream is set: it is visited, or sees the outcome itself.
    #[test]
    fn the_late_edge() {
        loom::model(|| {
            let cell = new_cell();
            let its = cell.clone();
            let linking = thread::spawn(move || {
                let linked = its.waiters.push(&its.edge);
                if !linked {
                    its.look();
                }
                linked
            });
            let visits = cell.set().dependents.count();
            assert_eq!(usize::from(linking.join().unwrap()), visits);
        });
    }

    /// The list is swept while the cell is set and another edge comes: each edge is visited once, or sees
    /// the outcome itself.
    #[test]
    fn the_late_sweep() {
        loom::model(|| {
            // The edges of the other cells are in the list of the first.
            let (cell, dead, late) = (new_cell(), new_cell(), new_cell());
            assert!(cell.waiters.push(&cell.edge) && cell.waiters.push(&dead.edge));
            let (its, other) = (cell.clone(), late.clone());
            let linking = thread::spawn(move || {
                let linked = its.waiters.push(&other.edge);
                if !linked {
                    its.look();
                }
                linked
            });
            let (its, other) = (cell.clone(), dead.clone());
            let sweeping = thread::spawn(move || {
                let swept = its.waiters.sweep_out(|edge| ptr::eq(edge, &other.edge));
                let (gone, late) = (swept.dead.count(), swept.late.count());
                if late > 0 {
                    its.look();
                }
                gone + late
            });
            let visits = cell.set().dependents.count();
            let linked = usize::from(linking.join().unwrap());
            assert_eq!(2 + linked, visits + sweeping.join().unwrap());
        });
    }

    /// An observer comes while the cell is set: it is told, or sees the outcome itself.
    #[test]
    fn looking_away() {
        loom::model(|| {
            let cell = new_cell();
            let its = cell.clone();
            let looking = thread::spawn(move || {
                let looks_on = its.waiters.observe();
                if !looks_on {
                    its.look();
                }
                looks_on
            });
            let tells = cell.set().observed;
            assert_eq!(looking.join().unwrap(), tells);
        });
    }
}
