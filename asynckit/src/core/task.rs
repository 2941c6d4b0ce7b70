//! Kinds of tasks, and how they are made, submitted and run in place.
//!
//! | kind | what it does |
//! |---|---|
//! | `Simple` | calls a closure; waits for nothing |
//! | `Call` | waits for inputs, then calls a closure with them, which may return a result to go on with |
//! | any `Job` | anything else: futures, retries, limits |
//! | by hand | nothing: the program sets it |

use std::marker::PhantomData;
use std::mem::{ManuallyDrop, MaybeUninit, forget};

use super::cell::{
    self, CellPtr, Header, Home, Kind, Ran, Table, drop_of, job_ptr, layout_of, value_ptr,
};
use super::closure::Closure;
use super::complete;
use super::edge::{Edge, OnFailure};
use super::entry::Entry;
use super::fail;
use super::handle::{Lender, Owner, Setting, TaskRef};
use super::here::Here;
use super::hold;
use super::inputs::{Inputs, VisitEdges};
use super::run;
use super::state::{Arrival, State, Traits};
use super::wish;
use crate::error::{BoxError, Error, Hop};
use crate::panic;

/// What a call comes to.
pub enum Outcome<T> {
    /// Its value, or its failure.
    Done(Result<T, Error>),
    /// A result that stands for it.
    #[doc(hidden)]
    Flatten(Flat<T>),
}

/// A result that stands for another one.
pub struct Flat<T>(pub(crate) Owner<T>);

/// A kind of task whose value is a `T`.
///
/// # Safety
/// The table is for cells with a `T` and this as their job.
pub(crate) unsafe trait TaskOf<T>: Sized {
    /// How many inputs it has to be tied to; `None`: to be counted.
    const INPUTS: Option<usize>;
    const TABLE: &'static Table;
    /// Of inputs to be counted.
    fn count(&self) -> usize {
        0
    }
    /// # Safety
    /// As `Inputs::link`.
    unsafe fn link(&self, task: CellPtr, home: *const Home) -> super::inputs::Linked {
        let _ = (task, home);
        super::inputs::Linked::default()
    }
}

/// What was submitted.
#[must_use]
pub(crate) enum Submitted {
    /// It is ready.
    Ready(Entry),
    /// It is ready, and nobody's to queue: the caller has it done on the spot.
    Immediate(Entry),
    /// It waits, or has failed with one of its inputs.
    Tied,
}

/// Makes a task and ties it to its inputs.
///
/// # Safety
/// `home` is alive, or null; it is counted for a hooked task.
#[inline(always)]
pub(super) unsafe fn submit<T, K: TaskOf<T>>(
    home: *const Home,
    traits: Traits,
    hop: Hop,
    task: K,
) -> (Owner<T>, Submitted) {
    let count = match K::INPUTS {
        Some(count) => count,
        None => task.count(),
    };
    let sole = matches!(K::INPUTS, Some(1));
    let state = match count {
        0 => State::ready(traits),
        1 if sole => State::lacking_one(traits),
        more => State::tying(more, traits),
    };
    // SAFETY: the table is the kind's own; the caller's promise. Nobody knows the cell but its inputs, once they
    // are linked; until it is tied nobody claims or seizes it, or, if the edge is the only one, nobody
    // does before its link. The owner keeps it.
    unsafe {
        let cell = cell::make::<T, K>(K::TABLE, home, hop, state, task);
        let owner = Owner::new(cell);
        if count == 0 {
            return (owner, ready(cell, traits));
        }
        let linked = (*job_ptr::<T, K>(cell)).link(cell, home);
        if linked.failed {
            fail_late(cell, linked.there, sole);
            return (owner, Submitted::Tied);
        }
        let state = &cell.as_ref().state;
        let is_ready = if !sole {
            matches!(state.tied(linked.there), Arrival::Ready { .. })
        } else if linked.there == 1 {
            state.sole_was_there();
            true
        } else {
            false
        };
        (owner, if is_ready { ready(cell, traits) } else { Submitted::Tied })
    }
}

/// # Safety
/// The caller has the task's entry.
#[inline]
unsafe fn ready(task: CellPtr, traits: Traits) -> Submitted {
    // SAFETY: the caller's promise.
    let entry = unsafe { Entry::new(task) };
    if traits.is_immediate() { Submitted::Immediate(entry) } else { Submitted::Ready(entry) }
}

/// An input had failed already, of `there` that are not counted down yet; nor is the submitter, so that nobody
/// runs the task meanwhile.
///
/// # Safety
/// That is so, and the caller has a hold.
#[cold]
#[inline(never)]
unsafe fn fail_late(task: CellPtr, there: usize, sole: bool) {
    // SAFETY: the caller's promise.
    unsafe {
        let header = task.as_ref();
        let mut error = None;
        (header.table().edges)(task, &mut |edge| {
            if error.is_none() && edge.is_open() && edge.on_failure() == OnFailure::Skip {
                error = edge.upstream().error().map(|error| error.passed_on(header.hop));
            }
        });
        let mut uncounted = there;
        if !sole {
            header.state.unvisit();
            uncounted += 1;
        }
        let Some(error) = error else { unreachable!("an input has failed") };
        let cancelled = error.kind() == crate::ErrorKind::Cancelled;
        let _ = fail::fail_waiting(task, error, cancelled);
        for _ in 0..uncounted {
            if header.state.arrive() == Arrival::Gone {
                complete::gone(task);
            }
        }
    }
}

// ---- Simple ----------------------------------------------------------------------------------------

/// What can be called once.
pub(crate) trait Callable<T> {
    fn call(self) -> Result<T, BoxError>;
}

/// A closure as a task.
pub(crate) struct Simple<C>(pub(crate) C);

struct TableOfSimple<T, C>(PhantomData<(T, C)>);

impl<T, C: Callable<T>> TableOfSimple<T, C> {
    const TABLE: Table = Table {
        run: Self::run,
        drop_job: Self::drop_job,
        drop_edges: |_| (),
        edges: |_, _| (),
        loans: |_, _| (),
        drop_value: drop_of::<T>(),
        layout: layout_of::<T, Simple<C>>().0,
        class: layout_of::<T, Simple<C>>().1,
        kind: Kind::Task,
    };

    /// # Safety
    /// The cell is of these types, and claimed.
    unsafe fn run(task: CellPtr, _in_place: bool) -> Ran {
        // SAFETY: the caller's promise: the closure is used once.
        unsafe {
            let call = job_ptr::<T, Simple<C>>(task).read().0;
            match call.call() {
                Ok(value) => {
                    value_ptr::<T>(task).write(value);
                    Ran::Value
                }
                Err(error) => failed(task, error),
            }
        }
    }

    /// # Safety
    /// As for `Table`.
    unsafe fn drop_job(task: CellPtr, _cancelled: bool) {
        // SAFETY: the caller's promise.
        let _ = panic::contain(|| unsafe { job_ptr::<T, Simple<C>>(task).drop_in_place() });
    }
}

/// # Safety
/// The caller runs the task.
#[cold]
#[inline(never)]
unsafe fn failed(task: CellPtr, error: BoxError) -> Ran {
    // SAFETY: the caller's promise.
    unsafe { Ran::Failed(Here::new(task, false).failed(error)) }
}

// SAFETY: the table is for these types.
unsafe impl<T, C: Callable<T>> TaskOf<T> for Simple<C> {
    const INPUTS: Option<usize> = Some(0);
    const TABLE: &'static Table = &TableOfSimple::<T, C>::TABLE;
}

// ---- Call ------------------------------------------------------------------------------------------

type ClosureOf<'w, L, T, Room> = Closure<'w, <L as Inputs>::Values, Outcome<T>, Room>;

/// A call with its inputs.
pub(crate) struct Call<'w, L: Inputs, T, Room> {
    inputs: MaybeUninit<Waits<L>>,
    closure: MaybeUninit<ClosureOf<'w, L, T, Room>>,
}

/// What a call waits for: its inputs, and when it has returned a result, that.
union Waits<L> {
    inputs: ManuallyDrop<L>,
    _result: ManuallyDrop<Edge>,
}

impl<'w, L: Inputs, T, Room> Call<'w, L, T, Room> {
    pub(crate) fn new(inputs: L, closure: ClosureOf<'w, L, T, Room>) -> Self {
        let waits = Waits { inputs: ManuallyDrop::new(inputs) };
        Call { inputs: MaybeUninit::new(waits), closure: MaybeUninit::new(closure) }
    }
}

/// Calls `f`, which moves so many bytes: where these are many, in a frame of its own, so that they are not on the
/// stack once more while something else is called.
#[inline(always)]
fn apart<R>(bytes: usize, f: impl FnOnce() -> R) -> R {
    #[inline(never)]
    fn in_its_own_frame<R>(f: impl FnOnce() -> R) -> R {
        f()
    }
    if bytes > 256 { in_its_own_frame(f) } else { f() }
}

/// Work that is dropped before it is submitted is in a cell, which disposes of it; but a call may be dropped on
/// its way there.
struct TableOfCall<'w, L, T, Room>(PhantomData<(&'w (), L, T, Room)>);

impl<'w, L: Inputs, T, Room> TableOfCall<'w, L, T, Room> {
    const TABLE: Table = Table {
        run: Self::run,
        drop_job: Self::drop_job,
        drop_edges: Self::drop_edges,
        edges: Self::edges,
        loans: Self::loans,
        drop_value: drop_of::<T>(),
        layout: layout_of::<T, Call<'w, L, T, Room>>().0,
        class: layout_of::<T, Call<'w, L, T, Room>>().1,
        kind: Kind::Task,
    };
    /// When the call has returned a result.
    const FORWARD: Table = Table {
        run: Self::run_forward,
        drop_job: Self::drop_forward,
        drop_edges: |_| (),
        edges: Self::edges_of_forward,
        loans: |_, _| (),
        ..Self::TABLE
    };

    /// # Safety
    /// The cell is of these types.
    unsafe fn job(task: CellPtr) -> *mut Call<'w, L, T, Room> {
        // SAFETY: the caller's promise.
        unsafe { job_ptr::<T, Call<'w, L, T, Room>>(task) }
    }

    /// # Safety
    /// As above.
    unsafe fn inputs(task: CellPtr) -> *mut L {
        // SAFETY: only the address.
        unsafe { (&raw mut (*Self::job(task)).inputs).cast() }
    }

    /// # Safety
    /// As for `Table`.
    unsafe fn run(task: CellPtr, in_place: bool) -> Ran {
        /// Ends what was lent to the call, and drops the closure where it was not called, also where something
        /// panics.
        struct Used<'w, L: Inputs, T, Room>(*mut L, *mut ClosureOf<'w, L, T, Room>);
        impl<L: Inputs, T, Room> Drop for Used<'_, L, T, Room> {
            fn drop(&mut self) {
                // SAFETY: the call is over, or never comes to be.
                unsafe {
                    let _ = panic::contain(|| (*self.1).release());
                    let _ = (*self.0).end_loans();
                }
            }
        }
        // SAFETY: the caller's promise: claimed, and each edge was visited. Inputs and closure are used once.
        unsafe {
            let inputs = Self::inputs(task);
            while L::MOVES
                && let Some(lent) = (*inputs).lent()
            {
                if !wish::wait_for_loans(task, lent) {
                    return Ran::Lent;
                }
            }
            let closure = Self::closure(task);
            let used = Used(inputs, closure);
            // Here, and nowhere else on the way: see `Body`.
            let mut values = None;
            let mut outcome = None;
            apart(size_of::<L::Values>(), || values = Some(L::take(inputs)));
            (*closure).call(&Here::new(task, in_place), &mut values, &mut outcome);
            forget(used);
            let later = (*inputs).end_loans();
            match apart(size_of::<T>(), || Self::put(task, &mut outcome)) {
                Ran::Value if later => Ran::ValueFirst,
                ran => ran,
            }
        }
    }

    /// Puts what the call has come to where it belongs.
    ///
    /// # Safety
    /// The caller runs the task, and nothing is left of its inputs.
    unsafe fn put(task: CellPtr, outcome: &mut Option<Outcome<T>>) -> Ran {
        // SAFETY: the caller's promise.
        unsafe {
            match outcome.take() {
                Some(Outcome::Done(Ok(value))) => {
                    value_ptr::<T>(task).write(value);
                    Ran::Value
                }
                Some(Outcome::Done(Err(error))) => Ran::Failed(error),
                Some(Outcome::Flatten(result)) => Self::forward(task, result.0),
                None => unreachable!("a call had no outcome"),
            }
        }
    }

    /// # Safety
    /// As above.
    unsafe fn closure(task: CellPtr) -> *mut ClosureOf<'w, L, T, Room> {
        // SAFETY: only the address.
        unsafe { (&raw mut (*Self::job(task)).closure).cast() }
    }

    /// # Safety
    /// The caller runs the task, and nothing is left of its inputs.
    #[cold]
    #[inline(never)]
    unsafe fn forward(task: CellPtr, result: Owner<T>) -> Ran {
        // SAFETY: the caller's promise: there is room for an edge.
        unsafe {
            let edge = Edge::moving(result.into_holder(), OnFailure::Look);
            Self::inputs(task).cast::<Edge>().write(edge);
            task.as_ref().change_table(&Self::FORWARD);
        }
        Ran::Waits { last: true }
    }

    /// # Safety
    /// As for `Table`; the call has returned a result.
    unsafe fn edge<'a>(task: CellPtr) -> &'a Edge {
        // SAFETY: `forward` has written it.
        unsafe { &*Self::inputs(task).cast::<Edge>() }
    }

    /// # Safety
    /// As above.
    unsafe fn run_forward(task: CellPtr, _in_place: bool) -> Ran {
        // SAFETY: the caller's promise; the edge was visited.
        unsafe {
            let edge = Self::edge(task);
            while edge.holder().is_lent() {
                if !wish::wait_for_loans(task, edge) {
                    return Ran::Lent;
                }
            }
            let Some((holder, _)) = edge.take() else { unreachable!("a result was used twice") };
            match hold::take_outcome::<T>(holder) {
                Ok(value) => {
                    value_ptr::<T>(task).write(value);
                    Ran::Value
                }
                Err(error) => Ran::Failed(error),
            }
        }
    }

    /// # Safety
    /// As above.
    unsafe fn drop_forward(task: CellPtr, cancelled: bool) {
        // SAFETY: the caller's promise.
        unsafe { wish::let_go(Self::edge(task), cancelled) }
    }

    /// # Safety
    /// As above.
    unsafe fn edges_of_forward(task: CellPtr, visit: VisitEdges<'_>) {
        // SAFETY: the caller's promise.
        visit(unsafe { Self::edge(task) });
    }

    /// # Safety
    /// As for `Table`.
    unsafe fn drop_job(task: CellPtr, cancelled: bool) {
        // SAFETY: the caller's promise.
        unsafe {
            let closure = Self::closure(task);
            let _ = panic::contain(|| closure.drop_in_place());
            let inputs = Self::inputs(task);
            let _ = panic::contain(|| L::let_go(inputs, cancelled));
        }
    }

    /// # Safety
    /// As for `Table`.
    unsafe fn drop_edges(task: CellPtr) {
        // SAFETY: the caller's promise.
        unsafe { L::drop_edges(Self::inputs(task)) }
    }

    /// # Safety
    /// As for `Table`.
    unsafe fn edges(task: CellPtr, visit: VisitEdges<'_>) {
        // SAFETY: the caller's promise.
        unsafe { (*Self::inputs(task)).edges(visit) }
    }

    /// # Safety
    /// As for `Table`.
    unsafe fn loans(task: CellPtr, visit: VisitEdges<'_>) {
        // SAFETY: the caller's promise; the edges that lend lie in the inputs themselves.
        unsafe { (*Self::inputs(task)).loans(visit) }
    }
}

// SAFETY: the table is for these types.
unsafe impl<'w, L: Inputs, T, Room> TaskOf<T> for Call<'w, L, T, Room> {
    const INPUTS: Option<usize> = if L::IS_MANY { None } else { Some(L::EDGES) };
    const TABLE: &'static Table = &TableOfCall::<'w, L, T, Room>::TABLE;

    fn count(&self) -> usize {
        // SAFETY: the inputs are there until the task is run.
        unsafe { &self.inputs.assume_init_ref().inputs }.count()
    }

    #[inline]
    unsafe fn link(&self, task: CellPtr, home: *const Home) -> super::inputs::Linked {
        // SAFETY: the caller's promise.
        unsafe { self.inputs.assume_init_ref().inputs.link(task, home) }
    }
}

// ---- Job -------------------------------------------------------------------------------------------

/// What a run of a job comes to.
pub(crate) enum Step<T> {
    Done(Result<T, Error>),
    /// The job has an edge now to a result that it waits for, and is run once more when that is set. `last`: that
    /// result stands for its own, so that nothing but handing it on is left.
    Waits {
        last: bool,
    },
    /// A future is pending, and its waker runs the job once more.
    Pending,
}

/// Work that does more than to call a closure once.
///
/// A job is lent as `&`, to one thread at a time: to whoever has claimed or seized the task, and `edges` also
/// to its visitors. So it keeps what it uses up in `Cell`s.
pub(crate) trait Job<T> {
    /// Whether it is done on the spot, rather than on a worker.
    const IMMEDIATE: bool = false;
    /// Whether it ends by itself, after a time.
    const TIMED: bool = false;

    /// Shows the edges; those that have let go may be shown or not.
    fn edges(&self, _visit: VisitEdges<'_>) {}

    /// Does the work, as a task.
    fn run(&self, here: &Here<'_>) -> Step<T>;

    /// Does the work on a thread that waits for it, to its end.
    fn run_in_place(&self, here: &Here<'_>) -> Result<T, Error>;

    /// Drops closure and inputs, as far as they are still there.
    fn release(&self, cancelled: bool);
}

/// A job as a task.
pub(crate) struct Jobbed<J>(pub(crate) J);

struct TableOfJob<T, J>(PhantomData<(T, J)>);

impl<T, J: Job<T>> TableOfJob<T, J> {
    const TABLE: Table = Table {
        run: Self::run,
        drop_job: Self::drop_job,
        drop_edges: Self::drop_edges,
        edges: Self::edges,
        loans: |_, _| (),
        drop_value: drop_of::<T>(),
        layout: layout_of::<T, Jobbed<J>>().0,
        class: layout_of::<T, Jobbed<J>>().1,
        kind: if J::TIMED { Kind::Timed } else { Kind::Task },
    };

    /// # Safety
    /// The cell is of these types, and what is done with its job is the caller's to do.
    unsafe fn job<'a>(task: CellPtr) -> &'a J {
        // SAFETY: the caller's promise.
        unsafe { &(*job_ptr::<T, Jobbed<J>>(task)).0 }
    }

    /// # Safety
    /// As for `Table`.
    unsafe fn run(task: CellPtr, in_place: bool) -> Ran {
        // SAFETY: the caller's promise.
        let (job, here) = unsafe { (Self::job(task), Here::new(task, in_place)) };
        if !in_place && !loans_are_over(job, task) {
            return Ran::Lent;
        }
        let step = panic::catch(|| match in_place {
            false => job.run(&here),
            true => Step::Done(job.run_in_place(&here)),
        });
        match step {
            Ok(Step::Done(Ok(value))) => {
                // SAFETY: as above.
                unsafe { value_ptr::<T>(task).write(value) };
                Ran::Over(Ok(()))
            }
            Ok(Step::Done(Err(error))) => Ran::Over(Err(error)),
            Ok(Step::Waits { last }) => Ran::Waits { last },
            Ok(Step::Pending) => Ran::Pending,
            Err(payload) => Ran::Over(Err(Error::panicked(here.hop(), payload, here.hook()))),
        }
    }

    /// # Safety
    /// As for `Table`.
    unsafe fn drop_job(task: CellPtr, cancelled: bool) {
        // SAFETY: the caller's promise.
        let job = unsafe { Self::job(task) };
        // A drop that panics must not keep the rest from being dropped: each part is taken out before it is
        // dropped, so that every round gets further.
        while panic::contain(|| job.release(cancelled)).is_none() {}
    }

    /// # Safety
    /// As for `Table`.
    unsafe fn drop_edges(task: CellPtr) {
        // SAFETY: the caller's promise.
        let _ = panic::contain(|| unsafe { job_ptr::<T, Jobbed<J>>(task).drop_in_place() });
    }

    /// # Safety
    /// As for `Table`.
    unsafe fn edges(task: CellPtr, visit: VisitEdges<'_>) {
        // SAFETY: the caller's promise.
        unsafe { Self::job(task) }.edges(visit);
    }
}

/// Whether nothing is lent of what a job is to take; else its task waits for that, or is gone.
fn loans_are_over<T>(job: &impl Job<T>, task: CellPtr) -> bool {
    loop {
        let mut lent = None;
        job.edges(&mut |edge| {
            if edge.is_open() && edge.moves() && edge.holder().is_lent() {
                lent = Some(std::ptr::from_ref(edge));
            }
        });
        let Some(edge) = lent else { return true };
        // SAFETY: the caller runs the task, whose edge this is; a job's edges stay where they are.
        if !unsafe { wish::wait_for_loans(task, &*edge) } {
            return false;
        }
    }
}

// SAFETY: the table is for these types.
unsafe impl<T, J: Job<T>> TaskOf<T> for Jobbed<J> {
    const INPUTS: Option<usize> = Some(0);
    const TABLE: &'static Table = &TableOfJob::<T, J>::TABLE;
}

// ---- By hand ---------------------------------------------------------------------------------------

struct TableByHand<T>(PhantomData<T>);

impl<T> TableByHand<T> {
    const TABLE: Table = Table {
        run: |_, _| unreachable!("a result without work was run"),
        drop_job: |_, _| (),
        drop_edges: |_| (),
        edges: |_, _| (),
        loans: |_, _| (),
        drop_value: drop_of::<T>(),
        layout: layout_of::<T, ()>().0,
        class: layout_of::<T, ()>().1,
        kind: Kind::ByHand,
    };
}

fn by_hand<T>(hop: Hop, traits: Traits) -> CellPtr {
    let state = State::lacking_one(traits);
    // SAFETY: the table is for these types; there is no home to be hooked to.
    unsafe { cell::make::<T, ()>(&TableByHand::<T>::TABLE, std::ptr::null(), hop, state, ()) }
}

/// A result that any of its handles may set.
pub(crate) fn manual<T>(hop: Hop) -> Owner<T> {
    // SAFETY: the cell was made just now; its state counts one handle.
    unsafe { Owner::setting(by_hand::<T>(hop, Traits::PLAIN)) }
}

/// A result that one other may set.
pub(crate) fn channel<T>(hop: Hop) -> (Owner<T>, Setting<T>) {
    // SAFETY: the cell was made just now.
    unsafe {
        let owner = Owner::new(by_hand::<T>(hop, Traits::PLAIN));
        let setting = Setting::new(owner.reference());
        (owner, setting)
    }
}

// ---- Work that was not submitted -------------------------------------------------------------------

/// A task in a cell that nobody else knows yet.
pub(crate) struct Unsubmitted<T> {
    /// `None` once used.
    owner: Option<Owner<T>>,
}

impl<T> Unsubmitted<T> {
    pub(crate) fn new<K: TaskOf<T>>(hop: Hop, traits: Traits, task: K) -> Unsubmitted<T> {
        let state = State::unsubmitted(traits);
        // SAFETY: the table is the kind's own; there is no home yet.
        let owner =
            unsafe { Owner::new(cell::make::<T, K>(K::TABLE, std::ptr::null(), hop, state, task)) };
        Unsubmitted { owner: Some(owner) }
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
    pub(super) unsafe fn submit(
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
            if count == 0 {
                header.state.begin(State::ready(traits));
                return (owner, ready(cell, traits));
            }
            header.state.begin(State::tying(count, traits));
            let (mut there, mut failed) = (0, false);
            (header.table().edges)(cell, &mut |edge| match edge.link(cell, home) {
                super::edge::Link::Pending => {}
                super::edge::Link::There => there += 1,
                super::edge::Link::Failed => {
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
            run::Here::Over => Ok(owner),
            run::Here::Again => Err(Unsubmitted { owner: Some(owner) }),
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
