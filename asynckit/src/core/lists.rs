//! What is taken out of the list of an open cell's dependents: those of a home that ends, and those that were
//! given up.

use super::cell::{self, CellPtr, Header};
use super::complete;
use super::edge::Edge;
use super::fail;
use super::news::Witness;
use super::schedule;
use super::state::Seize;
use super::trampoline::{self, Step};
use crate::error::Error;
use crate::sync::{Cell, StaticLocks, weakened};

/// So many lists that have failed stay at what may fail after them.
const MANY: usize = 64;

/// Whoever takes a list away to put a part of it back has one of these meanwhile, so that nobody else finds the
/// list empty and takes it that nobody waits: *the list in somebody's hand*.
static LISTS: StaticLocks = StaticLocks::new();

/// Takes edges away from an open cell: those for which `which` says so, and shows them to `then`, which visits
/// them; the others stay. How many these are.
///
/// # Safety
/// The caller has a hold. `then` visits what it is shown.
#[cold]
unsafe fn take_edges(
    cell: CellPtr,
    which: &dyn Fn(&Edge) -> bool,
    then: &mut dyn FnMut(&Edge),
) -> usize {
    // SAFETY: who has taken a list has its edges.
    unsafe {
        let header = cell.as_ref();
        let (mut taken, mut first, mut last) = (Vec::new(), 0, None::<&Edge>);
        let mut alive = 0;
        let lists = (!weakened("lists")).then(|| LISTS.lock(cell.as_ptr().addr()));
        let mut at = header.outcome.take_list();
        while at != 0 {
            let edge = Edge::at(at);
            at = edge.next.get();
            if which(edge) {
                taken.push(edge.address());
            } else {
                match last {
                    None => first = edge.address(),
                    Some(last) => last.next.set(edge.address()),
                }
                last = Some(edge);
                alive += 1;
            }
        }
        let mut late = false;
        if let Some(last) = last {
            last.next.set(0);
            late = !header.outcome.put_back(first, |next| last.next.set(next));
        }
        drop(lists);
        if let (true, Some(last)) = (late, last) {
            // It was closed meanwhile, and nobody has seen these.
            last.next.set(0);
            visit_late(cell, first);
        }
        taken.into_iter().for_each(|at| then(Edge::at(at)));
        alive
    }
}

/// Visits edges to a cell that was closed while they were out of its list.
///
/// # Safety
/// The caller has the list, and a hold on the cell.
#[cold]
unsafe fn visit_late(cell: CellPtr, list: usize) {
    // SAFETY: the caller's promise.
    unsafe {
        if cell.as_ref().outcome.is_failed() {
            cell.as_ref().holds.add_ref();
            let list = std::ptr::without_provenance_mut(list);
            trampoline::defer(Step::new(fail_late_list, list, cell.as_ptr().expose_provenance()));
        } else {
            complete::visit(list, &mut schedule::ToHomes);
        }
    }
}

/// As `fail::fail_list`, when the failure has been there for a while: it is gone where all have let go of it. An
/// edge has not as long as its dependent is not given up.
///
/// # Safety
/// As `fail::fail_list`; `cell` is what has failed, and a reference to it.
unsafe fn fail_late_list(list: *mut (), cell: usize) {
    // SAFETY: the list was taken out of the cell, so that nobody else has its edges, and the next one is read before
    // an edge is let go. A dependent that is visited is not given up meanwhile, so that its edge holds the cell, and
    // that the failure.
    unsafe {
        let cell = CellPtr::new_unchecked(std::ptr::with_exposed_provenance_mut(cell));
        let (mut at, mut error) = (list.addr(), None::<Error>);
        while at != 0 {
            let edge = Edge::at(at);
            at = edge.next.get();
            let state = &edge.dependent().as_ref().state;
            if error.is_none() && state.visit() {
                error = cell.as_ref().error().map(|error| (*error).clone());
                state.unvisit();
            }
            match &error {
                Some(error) => fail::fail_edge(edge, error),
                None => complete::pass(edge),
            }
        }
        cell::drop_ref(cell);
    }
}

/// Fails all tasks of a home that wait for this cell; whether there were any.
///
/// # Safety
/// The caller has a hold; the home is alive.
#[cold]
pub(super) unsafe fn fail_dependents_of(
    cell: CellPtr,
    is_of: &dyn Fn(&Header) -> bool,
    error: &dyn Fn(CellPtr) -> Error,
) -> bool {
    let mut any = false;
    // SAFETY: an edge that is not visited keeps its dependent.
    unsafe {
        let ours = |edge: &Edge| is_of(edge.dependent().as_ref());
        take_edges(cell, &ours, &mut |edge| {
            any = true;
            let error = error(edge.dependent());
            trampoline::hold_back(|| fail_taken(edge, &error));
        });
    }
    any
}

/// As `fail::fail_edge`, and the dependent fails whether it wants to look or not.
///
/// # Safety
/// As `fail::fail_edge`.
#[cold]
unsafe fn fail_taken(edge: &Edge, error: &Error) {
    // SAFETY: the caller's promise: the edge is out of its list and not visited yet, and an edge that is linked keeps its
    // dependent. That may be over by the step below, so it gets a reference first.
    unsafe {
        let dependent = edge.dependent();
        let header = dependent.as_ref();
        let witness = Witness::of(header);
        header.holds.add_ref();
        match header.state.seize() {
            Seize::Won(comes) => {
                (header.table().failed)(dependent, error, true);
                fail::fail_seized(dependent, comes, error.clone(), false, &witness);
            }
            Seize::Claimed => cell::drop_ref(dependent),
        }
        complete::pass(edge);
    }
}

/// Takes the edges of tasks that were given up off a cell's list, which ends what they kept. That is done before
/// there are more of them than of others: so each costs a look at a few edges, and where nobody else waits it is gone at
/// once. Those of lists that have failed stay for a while, as what fails after such a list counts as seen with its failure:
/// until there are many, and more of them than of others.
///
/// # Safety
/// The caller has a hold.
#[cold]
pub(super) unsafe fn sweep(cell: CellPtr) {
    // SAFETY: an edge that is linked lacks; so a task that is claimed meanwhile was seized.
    unsafe {
        let state = &cell.as_ref().state;
        loop {
            state.begin_sweep();
            let failed = Cell::new(0);
            let deaf = |edge: &Edge| {
                let state = &edge.dependent().as_ref().state;
                let deaf = state.is_deaf();
                failed.set(failed.get() + usize::from(!deaf && state.is_claimed()));
                deaf
            };
            let mut alive = take_edges(cell, &deaf, &mut |edge| complete::pass(edge));
            if failed.get() >= MANY && failed.get() * 2 >= alive {
                let dead = |edge: &Edge| edge.dependent().as_ref().state.is_claimed();
                alive = take_edges(cell, &dead, &mut |edge| complete::pass(edge));
            }
            if !state.swept(alive) {
                return;
            }
        }
    }
}

/// The tasks that wait for a cell now, with a reference to each.
///
/// # Safety
/// The caller has a hold.
#[cold]
pub(super) unsafe fn dependents(cell: CellPtr) -> Vec<CellPtr> {
    let dependents = std::cell::RefCell::new(Vec::new());
    // SAFETY: the caller's promise; an edge that is not visited keeps its dependent. None is taken away.
    unsafe {
        let note = |edge: &Edge| {
            edge.dependent().as_ref().holds.add_ref();
            dependents.borrow_mut().push(edge.dependent());
            false
        };
        take_edges(cell, &note, &mut |_| ());
    }
    dependents.into_inner()
}
