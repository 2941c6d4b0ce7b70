//! Limits on how much of some work runs at once.
//!
//! Work under a limit needs one of its *passes* to begin. Where there is none it is parked in the
//! limit's queue, as a task that sleeps, and holds no thread. A pass goes with the work that has it
//! (`Share`, a part of the work's place) and comes back when the last of that is really over: a
//! function that was cancelled or is out of time runs on, and keeps its pass until it returns.

use std::cell::Cell;
use std::collections::{BTreeMap, HashSet};
use std::fmt;
use std::time::Duration;

use crate::Work;
use crate::core::{self, Awaits, Deferred, Here, Job, Step, TaskRef, VisitEdges};
use crate::error::Error;
use crate::pool;
use crate::stage::start_at;
use crate::sync::{Arc, Mutex, OnceLock, Ordering, Parker, StaticCounter, lock};
use crate::time;
use crate::trace::Around;

/// At most so much work at once: for what strains something else than the pool's own threads.
///
/// [`Work::limit`] puts work under a limit. What finds no room waits in line, first come, first
/// served, without holding a thread; and goes on when one of those before it has ended, by
/// whatever way. A clone is the same limit, which may be used on several pools.
///
/// `#[async_work(limit = 8)]` gives a function a limit of its own.
///
/// ```
/// use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
/// use asynckit::{Limit, Pool, Results, async_work};
///
/// static CONNECTIONS: AtomicUsize = AtomicUsize::new(0);
///
/// #[async_work]
/// fn query(n: usize) -> usize {
///     let at_once = CONNECTIONS.fetch_add(1, SeqCst) + 1;
///     std::thread::yield_now();
///     CONNECTIONS.fetch_sub(1, SeqCst);
///     at_once.max(n.min(1))
/// }
///
/// let (pool, connections) = (Pool::new(4), Limit::new(2));
/// let results = (0..100).map(|n| query(n).limit(&connections).spawn_on(&pool));
/// assert!(results.join_all().get()?.into_iter().all(|at_once| at_once <= 2));
/// # Ok::<(), asynckit::Error>(())
/// ```
///
/// Where all that run under a limit wait (with `get`, `.await` and the like) for work that stands in its line,
/// one of the waits fails as [`Deadlock`](crate::ErrorKind::Deadlock).
#[derive(Clone)]
pub struct Limit {
    passes: Arc<Passes>,
}

pub(crate) struct Passes {
    most: usize,
    state: Mutex<State>,
}

struct State {
    free: usize,
    /// Who waits, in the order of arrival. Who gives up takes itself out.
    line: BTreeMap<u64, Arc<Waiter>>,
    /// The addresses of the tasks in line.
    tasks: HashSet<usize>,
    last: u64,
}

/// How many stand in line, for all limits.
static IN_LINE: StaticCounter = StaticCounter::new(0);

/// Whether anybody stands in line anywhere.
pub(crate) fn has_lines() -> bool {
    // ORDERING: Relaxed: between fences, see `look_at_limits`.
    IN_LINE.load(Ordering::Relaxed) != 0
}

impl State {
    fn line_up(&mut self, waiter: &Arc<Waiter>) -> u64 {
        IN_LINE.fetch_add(1, Ordering::Relaxed);
        self.last += 1;
        self.line.insert(self.last, waiter.clone());
        self.tasks.extend(waiter.address());
        self.last
    }

    fn take_out(&mut self, number: u64) -> Option<Arc<Waiter>> {
        let waiter = self.line.remove(&number)?;
        IN_LINE.fetch_sub(1, Ordering::Relaxed);
        if let Some(address) = waiter.address() {
            self.tasks.remove(&address);
        }
        Some(waiter)
    }

    fn take_first(&mut self) -> Option<Arc<Waiter>> {
        let (&number, _) = self.line.first_key_value()?;
        self.take_out(number)
    }
}

/// Somebody in line.
struct Waiter {
    who: Who,
    /// Put here by who hands it on. If nobody takes it out, it goes back with the waiter.
    pass: Mutex<Option<Pass>>,
}

enum Who {
    Task(TaskRef),
    Thread(Arc<Parker>),
}

/// The right to run. Dropped, it goes to the next in line.
pub(crate) struct Pass(Arc<Passes>);

impl Limit {
    /// At most so much at once.
    ///
    /// # Panics
    ///
    /// For 0, as such work would never begin.
    ///
    /// ```
    /// use asynckit::{Limit, Pool, work};
    ///
    /// let (pool, one) = (Pool::new(4), Limit::new(1));
    /// let results = [1, 2, 3].map(|n| work(move || n).limit(&one).spawn_on(&pool)); // one after the other
    /// assert_eq!(results.map(|result| result.get().unwrap()), [1, 2, 3]);
    /// ```
    pub fn new(most: usize) -> Limit {
        assert!(most > 0, "a limit of 0 would let no work begin");
        let state = State { free: most, line: BTreeMap::new(), tasks: HashSet::new(), last: 0 };
        Limit { passes: Arc::new(Passes { most, state: Mutex::new(state) }) }
    }

    /// How much work may run at once.
    ///
    /// ```
    /// assert_eq!(asynckit::Limit::new(8).most(), 8);
    /// ```
    pub fn most(&self) -> usize {
        self.passes.most
    }

    /// How much work waits in line now.
    ///
    /// ```
    /// use asynckit::{Limit, Pool, work};
    ///
    /// let (pool, one) = (Pool::new(2), Limit::new(1));
    /// let (go, gate) = std::sync::mpsc::channel::<()>();
    /// let first = work(move || gate.recv().is_ok()).limit(&one).spawn_on(&pool);
    /// let second = work(|| 2).limit(&one).spawn_on(&pool);
    /// assert!(one.waiting() <= 1); // the second, once the first has begun
    /// go.send(()).unwrap();
    /// assert!(first.get()? && second.get()? == 2);
    /// # Ok::<(), asynckit::Error>(())
    /// ```
    pub fn waiting(&self) -> usize {
        lock(&self.passes.state).line.len()
    }
}

impl fmt::Debug for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let waiting = self.waiting();
        f.debug_struct("Limit").field("most", &self.most()).field("waiting", &waiting).finish()
    }
}

/// A place in line: its number, and who waits.
type InLine = (u64, Arc<Waiter>);

impl Passes {
    /// A pass, or a place in line.
    fn enter(self: &Arc<Self>, who: impl FnOnce() -> Who) -> Result<Pass, InLine> {
        let mut state = lock(&self.state);
        if state.free > 0 {
            state.free -= 1;
            return Ok(Pass(self.clone()));
        }
        let waiter = Arc::new(Waiter { who: who(), pass: Mutex::new(None) });
        let number = state.line_up(&waiter);
        Err((number, waiter))
    }

    fn give_up(&self, (number, waiter): InLine) {
        let in_line = lock(&self.state).take_out(number);
        drop((in_line, waiter));
    }

    pub(crate) fn most(&self) -> usize {
        self.most
    }

    pub(crate) fn is(&self, other: &Passes) -> bool {
        std::ptr::eq(self, other)
    }

    /// Whether a task stands in this line.
    pub(crate) fn has_in_line(&self, task: &TaskRef) -> bool {
        lock(&self.state).tasks.contains(&task.address())
    }
}

impl Pass {
    pub(crate) fn limit(&self) -> &Arc<Passes> {
        &self.0
    }
}

impl Drop for Pass {
    fn drop(&mut self) {
        let mut state = lock(&self.0.state);
        let Some(next) = state.take_first() else {
            state.free += 1;
            return;
        };
        drop(state);
        let pass = Pass(self.0.clone());
        // From the trampoline, as the next one may be given up at once, and so on down the line.
        core::defer(Deferred::of_closure(move || next.get(pass)));
    }
}

impl Waiter {
    fn address(&self) -> Option<usize> {
        match &self.who {
            Who::Task(task) => Some(task.address()),
            Who::Thread(_) => None,
        }
    }

    fn get(&self, pass: Pass) {
        *lock(&self.pass) = Some(pass);
        match &self.who {
            Who::Task(task) => pool::resume(task),
            Who::Thread(parker) => parker.unpark(),
        }
    }

    fn take(&self) -> Option<Pass> {
        lock(&self.pass).take()
    }
}

/// Work under a limit.
struct Limited<'w, T> {
    passes: Arc<Passes>,
    inner: Cell<Option<Work<'w, T>>>,
    in_line: Cell<Option<InLine>>,
    /// Where it was submitted, once it stands in line.
    around: Cell<Option<Around>>,
    awaits: Awaits<T>,
}

impl<'w, T> Limited<'w, T> {
    fn inner(&self) -> Work<'w, T> {
        self.inner.take().unwrap_or_else(|| unreachable!("work was started twice"))
    }

    /// The pass, when it is this work's turn.
    fn pass(&self, who: impl FnOnce() -> Who) -> Option<Pass> {
        let in_line = match self.in_line.take() {
            Some(in_line) => in_line,
            None => match self.passes.enter(who) {
                Ok(pass) => return Some(pass),
                Err(in_line) => in_line,
            },
        };
        let pass = in_line.1.take();
        if pass.is_none() {
            self.in_line.set(Some(in_line));
        }
        pass
    }
}

impl<T: Send> Job<T> for Limited<'_, T> {
    const IMMEDIATE: bool = true;

    fn edges(&self, visit: VisitEdges<'_>) {
        self.awaits.edges(visit);
    }

    fn run(&self, here: &Here<'_>) -> Step<T> {
        if let Some(outcome) = self.awaits.outcome() {
            return Step::Done(outcome);
        }
        let around = self.around.take().unwrap_or_else(Around::here);
        let Some(pass) = self.pass(|| Who::Task(here.reference())) else {
            self.around.set(Some(around));
            pool::look_at_limits();
            return Step::Pending;
        };
        let place = pool::place_here().map(|place| place.with_pass(pass));
        self.awaits.result(around.within(|| start_at(self.inner(), here, place)), true)
    }

    fn run_in_place(&self, here: &Here<'_>) -> Result<T, Error> {
        let parker = Parker::current();
        let who = || Who::Thread(parker.clone());
        let until = time::end_in_place();
        let pass = self.pass(who).or_else(|| {
            pool::blocking(|| {
                loop {
                    parker.park(until);
                    let pass = self.pass(who);
                    if pass.is_some() || until.is_some_and(|until| until.is_over()) {
                        return pass;
                    }
                }
            })
        });
        let Some(pass) = pass else {
            let limit = until.map_or(Duration::ZERO, |until| until.limit);
            return Err(Error::timed_out(here.hop(), limit));
        };
        let outcome = self.inner().run_part(here.hook());
        drop(pass);
        outcome
    }

    fn withdraw(&self, cancelled: bool) {
        if let Some(in_line) = self.in_line.take() {
            self.passes.give_up(in_line);
        }
        self.awaits.release(cancelled);
    }

    fn release(&self, cancelled: bool) {
        Job::<T>::withdraw(self, cancelled);
        drop(self.inner.take());
    }
}

impl<'w, T: Send + 'w> Work<'w, T> {
    /// The same work under a limit, of which it takes up one when it begins; see [`Limit`].
    ///
    /// It stands in line from the moment when it is submitted, also while it waits for inputs.
    /// [`run`](Work::run) in place blocks until there is room.
    ///
    /// ```
    /// use asynckit::{Limit, Pool, Results, async_work};
    ///
    /// #[async_work]
    /// fn fetch(page: u32) -> String { format!("page {page}") }
    ///
    /// let (pool, polite) = (Pool::new(8), Limit::new(2));
    /// let pages = (0..4).map(|page| fetch(page).limit(&polite).spawn_on(&pool)).join_all();
    /// assert_eq!(pages.get()?[3], "page 3");
    /// # Ok::<(), asynckit::Error>(())
    /// ```
    pub fn limit(self, limit: &Limit) -> Work<'w, T> {
        let job = Limited {
            passes: limit.passes.clone(),
            inner: Cell::new(None),
            in_line: Cell::new(None),
            around: Cell::new(None),
            awaits: Awaits::nothing(),
        };
        let hop = self.hop();
        job.inner.set(Some(self));
        Work::with_job(hop, job)
    }
}

/// The limit of an annotated function: `#[async_work(limit = n)]`.
pub struct StaticLimit {
    most: usize,
    limit: OnceLock<Limit>,
}

impl StaticLimit {
    /// At most so many calls at once.
    ///
    /// # Panics
    ///
    /// For 0, when the program is compiled.
    pub const fn new(most: usize) -> StaticLimit {
        assert!(most > 0, "a limit of 0 would let no work begin");
        StaticLimit { most, limit: OnceLock::new() }
    }

    pub(crate) fn get(&self) -> &Limit {
        self.limit.get_or_init(|| Limit::new(self.most))
    }
}
