//! Limits on how much of some work runs at once.
//!
//! Work under a limit needs one of its *passes* to begin. Where there is none it is parked in the
//! limit's queue, as a task that sleeps, and holds no thread. A pass goes with the work that has it
//! (`Share`, a part of the work's place) and comes back when the last of that is really over: a
//! function that was cancelled or is out of time runs on, and keeps its pass until it returns.

use std::cell::Cell;
use std::fmt;
use std::panic::Location;
use std::time::Duration;

use crate::core::{Awaits, Here, Job, Step, TaskRef, Unsubmitted, VisitEdges, Watch};
use crate::error::{Error, Hop};
use crate::observe::tell;
use crate::pool::{self, Goal, Test};
use crate::sync::{Arc, OnceLock, Parker};
use crate::terms::{
    InLine, LimitFacts, Pass, Passes, Waiter, Who, end_in_place, with_pass_in_place,
};
use crate::work::stage::start_at;
use crate::work::{Term, Work};

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
    #[track_caller]
    pub fn new(most: usize) -> Limit {
        Limit::at(most, Location::caller())
    }

    fn at(most: usize, at: &'static Location<'static>) -> Limit {
        assert!(most > 0, "a limit of 0 would let no work begin");
        Limit { passes: Passes::new(most, at) }
    }

    /// How much work may run at once.
    ///
    /// ```
    /// assert_eq!(asynckit::Limit::new(8).most(), 8);
    /// ```
    pub fn most(&self) -> usize {
        self.passes.most()
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
        self.passes.waiting()
    }
}

impl fmt::Debug for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let waiting = self.waiting();
        f.debug_struct("Limit").field("most", &self.most()).field("waiting", &waiting).finish()
    }
}

/// Work under a limit.
struct Limited<'w, T> {
    passes: Arc<Passes>,
    inner: Cell<Option<Work<'w, T>>>,
    in_line: Cell<Option<InLine>>,
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
                Ok(pass) => return Some(self.got(pass)),
                Err(in_line) => {
                    let (LimitFacts { id: limit, most, made_at }, ahead) =
                        (self.passes.facts(), in_line.2);
                    if let Some((task, by)) = pool::listeners_here() {
                        let task = Some(task);
                        tell!(by.moment(), LineJoined { task, limit, most, made_at, ahead });
                    }
                    in_line
                }
            },
        };
        let pass = in_line.1.take();
        if pass.is_none() {
            self.in_line.set(Some(in_line));
        }
        pass.map(|pass| self.got(pass))
    }

    /// Tells of a pass, where anybody looks on, and has its return told.
    fn got(&self, mut pass: Pass) -> Pass {
        if let Some((task, by)) = pool::listeners_here() {
            let LimitFacts { id: limit, most, made_at } = self.passes.facts();
            let task = Some(task);
            tell!(by.moment(), PermitTaken { task, limit, most, made_at });
            pass.set_returned(Box::new(move || {
                tell!(by.moment(), PermitGiven { task, limit, most, made_at });
            }));
        }
        pass
    }

    /// Who stands in line.
    fn waiter(&self) -> Arc<Waiter> {
        let in_line = self.in_line.take();
        let in_line = in_line.unwrap_or_else(|| unreachable!("nobody stands in line"));
        let waiter = in_line.1.clone();
        self.in_line.set(Some(in_line));
        waiter
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
        let Some(pass) = self.pass(|| Who::Task(here.reference())) else {
            pool::look_at_queue(here.header());
            pool::look_at_limits();
            return Step::Pending;
        };
        let place = pool::place_here().map(|place| place.with_pass(pass));
        let inner = self.inner();
        let waits = inner.waits();
        let started = start_at(inner, here, place);
        if waits {
            pool::holds_while_it_waits(&started.reference());
        }
        self.awaits.result(started, true)
    }

    fn run_in_place(&self, here: &Here<'_>) -> Result<T, Error> {
        let until = end_in_place();
        let pass = loop {
            if let Some(pass) = self.pass(|| Who::Thread(Parker::current())) {
                break pass;
            }
            let turn = Turn { passes: self.passes.clone(), waiter: self.waiter() };
            if !pool::wait(&turn, until, here.hop().at)? {
                let limit = until.map_or(Duration::ZERO, |until| until.limit);
                return Err(Error::timed_out(here.hop(), limit));
            }
        };
        with_pass_in_place(pass, || self.inner().run_part(here.hook()))
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

/// The turn of a thread that stands in line itself.
struct Turn {
    passes: Arc<Passes>,
    waiter: Arc<Waiter>,
}

impl Goal for Turn {
    fn reached(&self) -> bool {
        self.waiter.has_pass()
    }

    fn test(&self) -> Test {
        let waiter = self.waiter.clone();
        Box::new(move || waiter.has_pass())
    }

    fn roots(&self) -> Vec<TaskRef> {
        Vec::new()
    }

    fn line(&self) -> Option<Arc<Passes>> {
        Some(self.passes.clone())
    }

    fn watch(&self, _parker: &Arc<Parker>) -> Vec<Watch> {
        // It is this thread's own parker that stands in line.
        Vec::new()
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
    pub fn limit(mut self, limit: &Limit) -> Work<'w, T> {
        // Whose value is known already needs no permit.
        match self.put_around(limited_cell, Term::Permit(limit.passes.clone())) {
            Ok(()) => self,
            Err(_) => self.limited(limit.passes.clone()),
        }
    }

    fn limited(self, passes: Arc<Passes>) -> Work<'w, T> {
        let job = Limited {
            passes,
            inner: Cell::new(None),
            in_line: Cell::new(None),
            awaits: Awaits::nothing(),
        };
        let hop = self.hop();
        job.inner.set(Some(self));
        Work::with_job(hop, job)
    }
}

fn limited_cell<T: Send>(hop: Hop, inner: Unsubmitted<T>, term: Term) -> Unsubmitted<T> {
    let Term::Permit(passes) = term else { unreachable!("a permit is no other term") };
    Work::with_cell(hop, inner).limited(passes).into_cell()
}

/// The limit of an annotated function: `#[async_work(limit = n)]`.
pub struct StaticLimit {
    most: usize,
    at: &'static Location<'static>,
    limit: OnceLock<Limit>,
}

impl StaticLimit {
    /// At most so many calls at once.
    ///
    /// # Panics
    ///
    /// For 0, when the program is compiled.
    #[track_caller]
    pub const fn new(most: usize) -> StaticLimit {
        assert!(most > 0, "a limit of 0 would let no work begin");
        StaticLimit { most, at: Location::caller(), limit: OnceLock::new() }
    }

    pub(crate) fn get(&self) -> &Limit {
        self.limit.get_or_init(|| Limit::at(self.most, self.at))
    }
}
