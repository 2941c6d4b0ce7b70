//! What moves a stream's items: the thread that asks the source, and *runners*, which are tasks of the pool.
//!
//! A runner takes an item through as many stages as it can. Where a stage is busy it leaves the item in that
//! stage's line, and looks for others, those first that are furthest; where it finds none, it ends. So a hand-over
//! is an entry in a line, and a task begins where there is more to do than runners that do it. After some items a runner
//! makes place for the pool's other work: a new one takes over.
//!
//! What bounds the memory are *places*. An item has one from when it is asked for until its last stage is done, and
//! there are as many as the limits of the stages add up to. `flat_map` and `chunks` make new items, and what follows
//! them has places of its own.
//!
//! A runner that finds nothing looks out for a while before it ends, one at a time. As long as it does, no other is begun
//! for what comes; so whoever takes an item and sees more of them begins another runner, if there is none that looks.
//!
//! *Named race, "the last look":* an item comes to stand in a line while the last runner ends. The runner counts itself
//! out, and then looks once more; whoever adds an item does so first, and then looks at the count. Of one who adds to
//! a line while running himself nothing is to be feared: he looks again before he ends.

use std::hint;

use crate::core::{TaskRef, Watch};
use crate::error::{Error, Hop};
use crate::panic;
use crate::pool::{Goal, Part, Place, Shared, Test, is_cancelled};
use crate::result::AsyncResult;
use crate::sync::{Arc, AtomicU8, AtomicUsize, Mutex, Ordering, Parker, lock, yield_now};
use crate::work::new_work;

/// So many items a runner takes in a row.
const ROW: usize = 64;
/// So often a thread looks for something to do before it sleeps, as an item mostly comes sooner than a thread wakes;
/// and so often it lets others go first, who may be about to bring it.
const SPINS: u32 = 60;
const YIELDS: u32 = 4;

/// A piece of the work that waits at a stage, or further on.
pub(super) trait Works: Sync {
    /// Does one, that which is furthest; whether there was any.
    fn work(&self, run: &Crew<'_>) -> bool;
    /// Whether there is any.
    fn is_ready(&self, flow: &Flow) -> bool;
}

/// What a stream's runners share with the thread that asks the source.
pub(super) struct Flow {
    hop: Hop,
    /// How many are free from one end to the next.
    places: Vec<AtomicUsize>,
    /// So many free places wake the thread that asks the source.
    enough: usize,
    runners: AtomicUsize,
    most: usize,
    workers: usize,
    row: usize,
    is_over: AtomicU8,
    failure: Mutex<Option<Error>>,
    /// The runners that were begun, for the sake of their failures.
    runs: Mutex<Vec<AsyncResult<()>>>,
    asker: Arc<Parker>,
    asker_waits: AtomicU8,
    /// Whether a runner looks for work, so that no other need begin.
    looks: AtomicU8,
}

impl Flow {
    /// `places`: how many there are from one end to the next.
    pub(super) fn new(hop: Hop, pool: &Shared, places: &[usize]) -> Flow {
        let most: usize = places.iter().sum();
        let first = places.first().copied().unwrap_or(1);
        Flow {
            hop,
            places: places.iter().map(|&free| AtomicUsize::new(free)).collect(),
            enough: first.div_ceil(2),
            runners: AtomicUsize::new(0),
            most,
            workers: pool.wanted(),
            // What the seed decides is the order of tasks.
            row: if pool.queue.seeded().is_some() { 1 } else { ROW },
            is_over: AtomicU8::new(0),
            failure: Mutex::new(None),
            runs: Mutex::new(Vec::new()),
            asker: Parker::current(),
            asker_waits: AtomicU8::new(0),
            looks: AtomicU8::new(0),
        }
    }

    pub(super) fn hop(&self) -> Hop {
        self.hop
    }

    /// Looks for a while whether there is a place, before the thread sleeps for one.
    pub(super) fn looks_for_place(&self) -> bool {
        self.workers > 0 && look_out(|| self.has_room())
    }

    /// As long as a runner looks out for work, that is.
    fn looks_for(&self, work: impl Fn() -> bool) -> bool {
        if self.workers == 0 || self.looks.swap(1, Ordering::SeqCst) != 0 {
            return false;
        }
        let found = look_out(work);
        // Before the last look, as is the count.
        self.looks.store(0, Ordering::SeqCst);
        found
    }

    /// Takes a place for an item.
    pub(super) fn take_place(&self, part: usize) -> bool {
        let one_less = |free: usize| free.checked_sub(1);
        let places = &self.places[part];
        places.fetch_update(Ordering::SeqCst, Ordering::SeqCst, one_less).is_ok()
    }

    pub(super) fn has_place(&self, part: usize) -> bool {
        self.places[part].load(Ordering::SeqCst) > 0
    }

    /// Whether there is a place for one more item from the source, or nothing more is to be asked for.
    fn has_room(&self) -> bool {
        self.has_place(0) || self.is_over()
    }

    /// Gives one back that was taken in vain.
    pub(super) fn give_back(&self, part: usize) {
        self.places[part].fetch_add(1, Ordering::SeqCst);
    }

    /// An item's last stage is done.
    pub(super) fn give_place(&self, part: usize) {
        let free = self.places[part].fetch_add(1, Ordering::SeqCst) + 1;
        if part == 0
            && self.asker_waits.load(Ordering::SeqCst) != 0
            && (free >= self.enough || self.runners.load(Ordering::SeqCst) < self.workers)
        {
            self.asker.unpark();
        }
    }

    pub(super) fn is_over(&self) -> bool {
        self.is_over.load(Ordering::SeqCst) != 0
    }

    /// Nothing more is begun, for this reason.
    pub(super) fn fail(&self, error: Error) {
        let late = match &mut *lock(&self.failure) {
            Some(_) => Some(error),
            failure => failure.replace(error),
        };
        // Nobody is to hear of it twice.
        drop(late.map(Error::observed));
        self.end();
    }

    fn end(&self) {
        self.is_over.store(1, Ordering::SeqCst);
        self.asker.unpark();
    }

    /// What became of it, when all runners are over.
    pub(super) fn came_to(&self) -> Result<(), Error> {
        let failure = lock(&self.failure).take();
        let runs = std::mem::take(&mut *lock(&self.runs));
        let failed = runs.into_iter().filter_map(|run| run.get().err());
        match failure.into_iter().chain(failed).reduce(|first, _| first) {
            Some(error) => Err(error.observed()),
            None => Ok(()),
        }
    }

    /// A runner was submitted.
    fn note(&self, run: AsyncResult<()>) {
        let mut runs = lock(&self.runs);
        let mut over = Vec::new();
        if runs.len() == runs.capacity() {
            over = runs.extract_if(.., |run| run.is_set() && !run.is_error()).collect();
        }
        runs.push(run);
        drop(runs);
        drop(over);
    }

    /// Counts one runner more, unless there are as many as could have an item each.
    fn count_in(&self) -> bool {
        let one_more = |runners: usize| (runners < self.most).then_some(runners + 1);
        self.runners.load(Ordering::SeqCst) < self.most
            && self.runners.fetch_update(Ordering::SeqCst, Ordering::SeqCst, one_more).is_ok()
    }

    fn count_out(&self) {
        self.runners.fetch_sub(1, Ordering::SeqCst);
        if self.asker_waits.load(Ordering::SeqCst) != 0 {
            self.asker.unpark();
        }
    }
}

fn look_out(found: impl Fn() -> bool) -> bool {
    (0..SPINS + YIELDS).any(|n| {
        if n < SPINS {
            hint::spin_loop()
        } else {
            yield_now()
        }
        found()
    })
}

/// As `has_room`, to wait for.
pub(super) struct Room {
    pub(super) flow: Arc<Flow>,
    pub(super) scope: Arc<Part>,
}

impl Goal for Room {
    fn reached(&self) -> bool {
        self.flow.has_room()
    }

    fn test(&self) -> Test {
        let flow = self.flow.clone();
        Box::new(move || flow.has_room())
    }

    fn roots(&self) -> Vec<TaskRef> {
        let mut runners = self.scope.members();
        runners.retain(|runner| !runner.is_set());
        runners
    }

    fn pools(&self) -> Vec<Arc<Shared>> {
        vec![self.scope.pool().clone()]
    }

    fn any(&self) -> bool {
        true
    }

    fn watch(&self, _parker: &Arc<Parker>) -> Vec<Watch> {
        self.flow.asker_waits.store(1, Ordering::SeqCst);
        Vec::new()
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        self.flow.asker_waits.store(0, Ordering::SeqCst);
    }
}

/// The runners of a stream, for one of them and who begins them.
#[derive(Clone)]
pub(super) struct Crew<'s> {
    /// A scope that ends before what they use, with the token that may cancel it.
    pub(super) place: Place,
    pub(super) flow: &'s Flow,
    pub(super) stages: &'s dyn Works,
}

/// A runner that was counted in. Where it is dropped unrun, nobody does what it was to do.
struct CountedRunner<'s>(Option<&'s Flow>);

impl Drop for CountedRunner<'_> {
    fn drop(&mut self) {
        if let Some(flow) = self.0 {
            flow.end();
            flow.count_out();
        }
    }
}

impl<'s> Crew<'s> {
    /// Calls the program's code; `None` where it panics, which ends the stream.
    pub(super) fn call<R>(&self, hop: Hop, f: impl FnOnce() -> R) -> Option<R> {
        match panic::catch(f) {
            Ok(value) => Some(value),
            Err(payload) => {
                self.flow.fail(Error::panicked(hop, payload, None).passed_on(self.flow.hop));
                None
            }
        }
    }

    /// There is more to do than what runners do next: one more of them, if there is any to be.
    pub(super) fn more(&self) {
        let is_seen = self.flow.looks.load(Ordering::SeqCst) != 0;
        if !is_seen && !self.flow.is_over() && self.flow.count_in() {
            self.begin(CountedRunner(Some(self.flow)));
        }
    }

    fn begin(&self, counted: CountedRunner<'s>) {
        let crew = self.clone();
        let work = new_work(self.flow.hop, move || {
            crew.run(counted);
            Ok(())
        });
        self.flow.note(work.spawn_at(self.place.clone()));
    }

    fn run(&self, mut counted: CountedRunner<'s>) {
        let flow = self.flow;
        for _ in 0..flow.row {
            if is_cancelled() {
                flow.fail(Error::cancelled(flow.hop));
            }
            while flow.is_over() || !self.stages.work(self) {
                if !flow.is_over() && flow.looks_for(|| self.stages.is_ready(flow)) {
                    continue;
                }
                counted.0 = None;
                flow.count_out();
                if flow.is_over() || !self.stages.is_ready(flow) {
                    return;
                }
                flow.runners.fetch_add(1, Ordering::SeqCst);
                counted.0 = Some(flow);
            }
        }
        self.begin(counted);
    }
}
