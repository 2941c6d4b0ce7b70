//! Permits to run, and the line of those who wait for one.
//!
//! A pass goes with the work that has it (`share.rs`), and comes back when the last of that is really over.

use std::collections::{BTreeMap, HashSet};
use std::panic::Location;

use crate::core::{self, Deferred, TaskRef};
use crate::observe::LimitId;
use crate::sync::{Arc, Mutex, Ordering, Parker, StaticCounter, Weak, lock};

/// What there is to know of a limit.
#[derive(Clone, Copy)]
pub(crate) struct LimitFacts {
    pub(crate) id: LimitId,
    pub(crate) most: usize,
    pub(crate) made_at: &'static Location<'static>,
}

/// At most so many at once.
pub(crate) struct Passes {
    facts: LimitFacts,
    state: Mutex<State>,
}

struct State {
    free: usize,
    /// Who waits, in the order of arrival. Who gives up takes itself out.
    line: BTreeMap<u64, Arc<Waiter>>,
    /// The addresses of the tasks in line.
    tasks: HashSet<usize>,
    last: u64,
    /// The tasks that have passes, by numbers of their own.
    holders: BTreeMap<u64, TaskRef>,
}

/// How many stand in line, for all limits.
static IN_LINE: StaticCounter = StaticCounter::new(0);

/// All limits that there are, for who looks at a pool.
static LIMITS: Mutex<Vec<Weak<Passes>>> = Mutex::new(Vec::new());

/// All limits that there are.
pub(crate) fn all_limits() -> Vec<Arc<Passes>> {
    lock(&LIMITS).iter().filter_map(Weak::upgrade).collect()
}

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

    /// Somebody has a pass; by which number.
    fn hold(&mut self, who: &Who) -> u64 {
        self.last += 1;
        if let Who::Task(task) = who {
            self.holders.insert(self.last, task.clone());
        }
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
pub(crate) struct Waiter {
    who: Who,
    /// Put here by who hands it on. If nobody takes it out, it goes back with the waiter.
    pass: Mutex<Option<Pass>>,
}

pub(crate) enum Who {
    Task(TaskRef),
    Thread(Arc<Parker>),
}

/// The right to run. Dropped, it goes to the next in line.
pub(crate) struct Pass {
    passes: Arc<Passes>,
    /// Its holder's number.
    number: u64,
    /// What is to be told before.
    told: Option<Returned>,
}

/// What is told when a pass comes back.
pub(crate) type Returned = Box<dyn FnOnce() + Send + Sync>;

/// A place in line: its number, and who waits; and how many were there before.
pub(crate) type InLine = (u64, Arc<Waiter>, usize);

impl Passes {
    pub(crate) fn new(most: usize, made_at: &'static Location<'static>) -> Arc<Passes> {
        let facts = LimitFacts { id: LimitId::next(), most, made_at };
        let state = State {
            free: most,
            line: BTreeMap::new(),
            tasks: HashSet::new(),
            last: 0,
            holders: BTreeMap::new(),
        };
        let passes = Arc::new(Passes { facts, state: Mutex::new(state) });
        let mut all = lock(&LIMITS);
        if all.len() == all.capacity() {
            all.retain(|limit| limit.strong_count() > 0);
        }
        all.push(Arc::downgrade(&passes));
        drop(all);
        passes
    }

    /// How many wait in line now.
    pub(crate) fn waiting(&self) -> usize {
        lock(&self.state).line.len()
    }

    /// A pass, or a place in line.
    pub(crate) fn enter(self: &Arc<Self>, who: impl FnOnce() -> Who) -> Result<Pass, InLine> {
        let mut state = lock(&self.state);
        if state.free > 0 {
            state.free -= 1;
            let number = state.hold(&who());
            return Ok(Pass { passes: self.clone(), number, told: None });
        }
        let waiter = Arc::new(Waiter { who: who(), pass: Mutex::new(None) });
        let ahead = state.line.len();
        let number = state.line_up(&waiter);
        Err((number, waiter, ahead))
    }

    pub(crate) fn give_up(&self, (number, waiter, _): InLine) {
        let in_line = lock(&self.state).take_out(number);
        drop((in_line, waiter));
    }

    pub(crate) fn most(&self) -> usize {
        self.facts.most
    }

    /// What there is to know of it.
    pub(crate) fn facts(&self) -> LimitFacts {
        self.facts
    }

    /// The tasks that have passes, and those in line.
    pub(crate) fn look(&self) -> (Vec<TaskRef>, Vec<TaskRef>) {
        let state = lock(&self.state);
        let in_line = state.line.values().filter_map(|waiter| match &waiter.who {
            Who::Task(task) => Some(task.clone()),
            Who::Thread(_) => None,
        });
        (state.holders.values().cloned().collect(), in_line.collect())
    }

    pub(crate) fn is(&self, other: &Passes) -> bool {
        std::ptr::eq(self, other)
    }

    /// Whether such a task stands in this line.
    pub(crate) fn has_any_in_line(&self, is: impl Fn(&TaskRef) -> bool) -> bool {
        let tests = |waiter: &Arc<Waiter>| matches!(&waiter.who, Who::Task(task) if is(task));
        lock(&self.state).line.values().any(tests)
    }

    /// Whether this task stands in this line.
    pub(crate) fn has_in_line(&self, task: &TaskRef) -> bool {
        lock(&self.state).tasks.contains(&task.address())
    }
}

impl Pass {
    pub(crate) fn limit(&self) -> &Arc<Passes> {
        &self.passes
    }

    /// Before it goes to the next in line, this is called.
    pub(crate) fn set_returned(&mut self, told: Returned) {
        self.told = Some(told);
    }
}

impl Drop for Pass {
    fn drop(&mut self) {
        if let Some(told) = self.told.take() {
            told();
        }
        let mut state = lock(&self.passes.state);
        let left = state.holders.remove(&self.number);
        let Some(next) = state.take_first() else {
            state.free += 1;
            drop(state);
            return drop(left);
        };
        let number = state.hold(&next.who);
        drop(state);
        drop(left);
        let pass = Pass { passes: self.passes.clone(), number, told: None };
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
            Who::Task(task) => task.resume(),
            Who::Thread(parker) => parker.unpark(),
        }
    }

    /// Whether it is this one's turn.
    pub(crate) fn has_pass(&self) -> bool {
        lock(&self.pass).is_some()
    }

    pub(crate) fn take(&self) -> Option<Pass> {
        lock(&self.pass).take()
    }
}
