//! The cell: one block with the three words, the inputs, the closure and the value.
//!
//! | part | who may touch it |
//! |---|---|
//! | inputs, closure | who makes the cell; who has claimed or seized it; the edges also who visits it |
//! | an edge's `next` | its dependent until it is linked, then the upstream's list, then who visits that |
//! | value | written by who has the claim, before the close; read by owners and loans after it |
//! | the rest | never changes, or is atomic |

use std::alloc::Layout;
use std::cell::UnsafeCell;
use std::mem::{ManuallyDrop, MaybeUninit, needs_drop};
use std::ptr::NonNull;

pub(crate) use super::answers::{Ran, Run};
use super::holds::Holds;
use super::outcome::OutcomeWord;
use super::seen::CellRoom;
use super::slab;
use super::state::State;
use crate::error::{Error, Hook, Hop, Report};
use crate::observe::{Need, Onlookers, Record, TaskKind};
use crate::panic;
use crate::sync::{Arc, AtomicPtr, Cell, Ordering, Peeked};

/// A cell, whatever its types are.
pub type CellPtr = NonNull<Header>;

/// What every cell begins with: a line of the cache.
#[repr(C)]
pub struct Header {
    pub(super) outcome: OutcomeWord,
    pub(super) state: State,
    pub(super) holds: Holds,
    /// Changed once, by the runner of a task whose work returns a result.
    table: AtomicPtr<Table>,
    /// The name of the work and the place of its call.
    pub(crate) hop: Hop,
    /// Null for a result that the program sets, until a dependent is tied to it.
    home: AtomicPtr<Home>,
    /// `fn(&T) -> T`, once a handle was cloned.
    cloner: AtomicPtr<()>,
}

const _: () = assert!(cfg!(asynckit_loom) || size_of::<Header>() <= 64, "a line of the cache");

/// Shows a cell's edges, one by one.
pub(super) type VisitsEdges = unsafe fn(CellPtr, &mut dyn FnMut(&Edge));

/// One input of a task that may still be missing: what it does is in `edge.rs`.
pub struct Edge {
    pub(super) next: Cell<usize>,
    /// The dependent's address once the edge is linked, with the marks LOOKS and CROSS.
    pub(super) dependent: Cell<usize>,
    /// What it holds, with the marks OWNS or LENT; zero when it has let go. Written by whoever has the task's
    /// claim or visits it; those who look for borrowers compare it meanwhile.
    pub(super) upstream: Peeked,
}

/// The rest of a long list, to be visited.
#[must_use]
pub(crate) struct ListRest(pub(super) usize);

/// What depends on a cell's types.
///
/// # Safety
/// For cells of these types, which the caller keeps. `run` is for who has the claim, once each edge was visited; who has
/// claimed or seized a task that will not run calls `withdraw`, `drop_job` and, with no edge linked, `drop_edges`, once.
pub(crate) struct Table {
    /// Runs a claimed task.
    pub(super) run: unsafe fn(CellPtr, Run) -> Ran,
    /// A step that does a task on the spot, of which the home knows: `run::on_the_spot`.
    pub(super) on_the_spot: unsafe fn(*mut (), claimed: usize),
    /// Before `drop_job`, of a task that will not run: lets go of what others wait for, its inputs above all.
    pub(super) withdraw: unsafe fn(CellPtr, cancelled: bool),
    /// Of a task that will not run, or that has not run to its end: drops its closure and lets go of
    /// its inputs. The edges themselves stay where they are. `cancelled`: what nobody needs any more
    /// need not run.
    pub(super) drop_job: unsafe fn(CellPtr, cancelled: bool),
    /// After that, when no edge is linked any more: the edges' own memory.
    pub(super) drop_edges: unsafe fn(CellPtr),
    pub(super) edges: VisitsEdges,
    /// Shows the edges that lend; whoever runs the task may end them meanwhile, so that they are only good to
    /// be compared.
    pub(super) loans: VisitsEdges,
    /// Shows the cells that a suspended task awaits; whether nothing else can wake it.
    pub(super) awaited: unsafe fn(CellPtr, &mut dyn FnMut(CellPtr)) -> bool,
    /// Has one of these awaits fail, when the task goes on.
    pub(super) fail_await: unsafe fn(CellPtr, Error),
    /// It is about to fail with this (`own`), or an input that is not visited yet has failed when it had.
    pub(super) failed: unsafe fn(CellPtr, &Error, own: bool),
    pub(super) drop_value: Option<unsafe fn(CellPtr)>,
    pub(super) room: CellRoom,
    /// Whether a value moves in along an edge, and may be on loan when the task is to run.
    pub(super) moves: bool,
    pub(super) kind: CellKind,
    /// What it is for those who look on.
    pub(super) shown_as: TaskKind,
}

/// What a cell is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum CellKind {
    /// A task.
    Task,
    /// A task that ends by itself after a time: what waits for it does not do so for ever.
    Timed,
    /// No work sets it, but the program.
    ByHand,
}

/// Where a task runs, as far as the core knows: what the layers above have to be told.
///
/// Only ever a raw pointer, never `&Home`: it points to the beginning of something larger, all of
/// which changes; but what is behind a `&Home` the compiler may take for constant.
#[repr(C)]
pub struct Home {
    pub(crate) table: &'static HomeTable,
    /// Who looks on to its tasks, where these have their records with them.
    pub(crate) onlookers: Option<Arc<Onlookers>>,
}

/// The functions of a home. For all of them: the home is alive.
pub struct HomeTable {
    /// Queues a task that became ready, on whatever thread this is.
    pub(crate) schedule: unsafe fn(*const Home, CellPtr),
    /// Likewise, for whoever has nothing else to do.
    pub(crate) queue: unsafe fn(*const Home, CellPtr),
    /// The rest of a long list of dependents is to be visited, the first of which is of this home.
    pub(crate) rest: unsafe fn(*const Home, ListRest),
    /// A task of this home is to be tied to a cell of another one. True where the home has counted the edge,
    /// and is to be told of its visit (`met`): it must live until then.
    pub(crate) meet: unsafe fn(*const Home, CellPtr) -> bool,
    /// Counts something that the home has to live for: a task of its that is ready and in somebody's hand.
    pub(crate) hold: unsafe fn(*const Home),
    /// An edge that was counted was visited, and its task is queued if it became ready; or what `release` was
    /// for is over.
    pub(crate) met: unsafe fn(*const Home),
    /// A task of this home has come to wait again: for loans to end, for its waker, or for another result. It
    /// is to be found when the home ends.
    pub(crate) sleeps: unsafe fn(*const Home, CellPtr, hidden: bool),
    /// A hooked task is over: it has run, or never will; nothing is left of its closure and inputs.
    pub(crate) over: unsafe fn(*const Home, CellPtr),
    /// What those who look on know of a task that is hooked to it.
    pub(crate) record: unsafe fn(*const Home) -> Option<NonNull<Record>>,
    /// News of a hooked task, on the thread that brings them.
    pub(crate) tells: unsafe fn(*const Home, CellPtr, &News<'_>),
    /// A hooked task's memory goes, and with it a count of its home's.
    pub(crate) release: unsafe fn(*const Home),
    /// Whom to tell of failures that nobody looks at.
    pub(crate) hook: unsafe fn(*const Home) -> Option<Hook>,
    /// What tells homes of one type from others.
    pub(crate) kind: u8,
}

/// What has become of a task: for those who look on.
pub(crate) enum News<'a> {
    /// It is about to be tied to what it needs.
    Submitted(&'a [Need]),
    /// It is run next; `then`: its thread has come here from what was told last, and from nowhere else.
    Begins { then: bool },
    /// It has run, and waits for what it needs now.
    Waits(&'a [Need]),
    /// It has run, and failed or not.
    Ends(Option<&'a Error>),
    /// It will not run, or go on; why, if its result was not set before.
    Lost(Option<&'a Error>),
    /// Its result was set so while somebody runs it.
    Cut(&'a Error),
}

/// The part that depends on the value's type alone.
#[repr(C)]
struct Slot<T> {
    header: Header,
    value: UnsafeCell<MaybeUninit<T>>,
}

/// All of a cell. `J` is its job: inputs and closure.
#[repr(C)]
struct WholeCell<T, J> {
    slot: Slot<T>,
    job: UnsafeCell<MaybeUninit<J>>,
}

/// How many cells there are, for tests.
#[cfg(test)]
pub(crate) static LIVE: std::sync::atomic::AtomicUsize = std::sync::atomic::AtomicUsize::new(0);

/// The parts of a table that follow from the types.
pub(super) const fn room_of<T, J>() -> CellRoom {
    CellRoom::of(Layout::new::<WholeCell<T, J>>())
}

/// How to drop a value, where that is anything to do.
pub(super) const fn drop_of<T>() -> Option<unsafe fn(CellPtr)> {
    /// # Safety
    /// The cell has a `T`, which nobody uses after this.
    unsafe fn drop_value<T>(cell: CellPtr) {
        // SAFETY: the caller's promise.
        unsafe { value_ptr::<T>(cell).drop_in_place() }
    }
    if needs_drop::<T>() { Some(drop_value::<T>) } else { None }
}

/// Makes a cell with one owner.
///
/// # Safety
/// The table is one for `T` and `J`. Where the state says that the task is hooked, the home is counted for
/// it; else it lives until the cell is closed.
#[inline(always)]
pub(super) unsafe fn make<T, J>(
    table: &'static Table,
    home: *const Home,
    hop: Hop,
    state: State,
    job: J,
    watched: Option<Record>,
) -> CellPtr {
    #[cfg(test)]
    LIVE.fetch_add(1, Ordering::Relaxed);
    let cell = match watched {
        None => slab::take::<WholeCell<T, J>>(),
        Some(watched) => const { room_of::<T, J>() }.take(watched).cast(),
    };
    let at = cell.as_ptr();
    // SAFETY: the block is ours; each part is written where it will be.
    unsafe {
        let header = &raw mut (*at).slot.header;
        (&raw mut (*header).outcome).write(OutcomeWord::open());
        (&raw mut (*header).state).write(state);
        (&raw mut (*header).holds).write(Holds::owned());
        (&raw mut (*header).table).write(AtomicPtr::new(std::ptr::from_ref(table).cast_mut()));
        (&raw mut (*header).hop).write(hop);
        (&raw mut (*header).home).write(AtomicPtr::new(home.cast_mut()));
        (&raw mut (*header).cloner).write(AtomicPtr::new(std::ptr::null_mut()));
        (&raw mut (*at).job).cast::<J>().write(job);
    }
    cell.cast()
}

/// Gives a cell's memory back.
///
/// # Safety
/// Nobody holds it, and nothing is left in it that has a drop.
#[inline]
pub(super) unsafe fn free(cell: CellPtr) {
    #[cfg(test)]
    LIVE.fetch_sub(1, Ordering::Relaxed);
    // SAFETY: the caller's promise; the table has the layout that the block was taken for.
    unsafe {
        let header = cell.as_ref();
        if header.state.has_news() {
            return free_more(cell);
        }
        let room = &header.table().room;
        slab::put(cell.cast(), room.class, room.cell);
    }
}

/// As `free`, of a cell that is hooked, or that somebody looks on to.
///
/// # Safety
/// As `free`.
#[cold]
#[inline(never)]
unsafe fn free_more(cell: CellPtr) {
    // SAFETY: the caller's promise; a hooked cell's home is counted for it, and so alive.
    unsafe {
        let header = cell.as_ref();
        if header.state.is_hooked() {
            let home = header.home();
            ((*home).table.release)(home);
        }
        let table = header.table();
        match header.state.is_watched() {
            false => slab::put(cell.cast(), table.room.class, table.room.cell),
            true => table.room.put(cell.cast()),
        }
    }
}

/// Where a cell's job is.
///
/// # Safety
/// The cell has a `J`.
#[inline]
pub(super) unsafe fn job_ptr<T, J>(cell: CellPtr) -> *mut J {
    // SAFETY: only the address.
    unsafe { UnsafeCell::raw_get(&raw const (*cell.cast::<WholeCell<T, J>>().as_ptr()).job).cast() }
}

/// Where a cell's value is, or will be.
///
/// # Safety
/// The cell is for a `T`.
#[inline]
pub(super) unsafe fn value_ptr<T>(cell: CellPtr) -> *mut T {
    // SAFETY: only the address.
    unsafe { UnsafeCell::raw_get(&raw const (*cell.cast::<Slot<T>>().as_ptr()).value).cast() }
}

impl Header {
    #[inline]
    pub(super) fn table(&self) -> &'static Table {
        // SAFETY: only ever set to a table that lives for ever.
        // ORDERING: Relaxed: a table is constant; which of the two it is, is published by the state.
        unsafe { &*self.table.load(Ordering::Relaxed) }
    }

    /// From now on another table counts, for the same types.
    #[cold]
    pub(super) fn change_table(&self, table: &'static Table) {
        self.table.store(std::ptr::from_ref(table).cast_mut(), Ordering::Relaxed);
    }

    #[inline]
    pub(super) fn home(&self) -> *const Home {
        // ORDERING: Relaxed: only compared, unless its holder knows that it is alive.
        self.home.load(Ordering::Relaxed)
    }

    /// A result that the program sets belongs from now on to the home whose tasks wait for it; whether it
    /// does.
    #[cold]
    pub(super) fn adopt(&self, home: *const Home) -> bool {
        let none = std::ptr::null_mut();
        let (success, failure) = (Ordering::AcqRel, Ordering::Acquire);
        self.home.compare_exchange(none, home.cast_mut(), success, failure).is_ok()
    }

    /// That ends; whether it did belong to the home.
    #[cold]
    pub(super) fn abandon(&self, home: *const Home) -> bool {
        let none = std::ptr::null_mut();
        let (success, failure) = (Ordering::AcqRel, Ordering::Acquire);
        self.home.compare_exchange(home.cast_mut(), none, success, failure).is_ok()
    }

    pub(super) fn kind(&self) -> CellKind {
        self.table().kind
    }

    pub(super) fn set_cloner(&self, cloner: *mut ()) {
        // ORDERING: Release pairs with the Acquire in `cloner`; who reads has seen two owners.
        self.cloner.store(cloner, Ordering::Release);
    }

    pub(super) fn cloner(&self) -> *mut () {
        self.cloner.load(Ordering::Acquire)
    }

    /// The failure, for who owns the value or has a loan of it.
    pub(super) fn error(&self) -> Option<ManuallyDrop<Error>> {
        // SAFETY: a failure's address comes from `into_raw`; it is there as long as anybody holds the value.
        self.outcome.failure().map(|raw| ManuallyDrop::new(unsafe { failure_from_raw(raw) }))
    }
}

/// A failure as an address, for the outcome's word.
pub(super) fn failure_into_raw(error: Error) -> usize {
    const { assert!(align_of::<Report>() >= 8, "room for the outcome's marks") };
    Arc::into_raw(error.into_report()).expose_provenance()
}

/// # Safety
/// The address comes from `failure_into_raw`, once.
pub(super) unsafe fn failure_from_raw(raw: usize) -> Error {
    // SAFETY: the caller's promise.
    Error::from_report(unsafe { Arc::from_raw(std::ptr::with_exposed_provenance::<Report>(raw)) })
}

/// Drops the outcome of a closed cell.
///
/// # Safety
/// Nobody owns the value or has a loan of it, and it was not taken; the caller alone does this.
#[inline]
pub(super) unsafe fn drop_outcome(cell: CellPtr) {
    // SAFETY: the caller's promise.
    unsafe {
        let header = cell.as_ref();
        if let Some(raw) = header.outcome.failure() {
            drop(failure_from_raw(raw));
        } else if let Some(drop_value) = header.table().drop_value {
            let _ = panic::contain(|| drop_value(cell));
        }
    }
}

/// Ends a reference.
///
/// # Safety
/// The caller has it.
#[inline]
pub(super) unsafe fn drop_ref(cell: CellPtr) {
    // SAFETY: the caller's promise; who ends the last hold frees the cell. Nothing is left in it: the last
    // owner or loan drops the outcome before it turns into a reference, or as one.
    unsafe {
        if cell.as_ref().holds.drop_ref() {
            free(cell);
        }
    }
}
