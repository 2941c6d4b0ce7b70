//! Permits to run, and the line of those who wait for some.
//!
//! A permit goes with the work that has it (`share.rs`), and comes back when the last of that is really over. Who comes
//! first is served first, also where others would find room, so that much is not starved by little. Turns of a rate
//! (`turns.rs`) have the same line, and come back with time.

#[cfg(feature = "jobserver")]
mod of_slots;
mod permit;

use std::collections::{BTreeMap, HashSet};
use std::hash::Hash;
use std::panic::Location;
use std::time::Duration;

use crate::core::{self, Deferred, TaskRef};
use crate::observe::{LimitFacts, LimitId};
use crate::sync::{Arc, Mutex, Parker, Weak, lock};
use crate::terms::counts::{Counted, IN_LINE, LENDING};
use crate::terms::keys::{Forget, Keys};
use crate::terms::supply::Supply;
use crate::terms::watched::Watched;
#[cfg(feature = "rate")]
use crate::terms::{timers::Timers, turns::Turns};

/// At most so many at once; or so many in so long.
pub(crate) struct Permits {
    facts: LimitFacts,
    /// There, where work that waits inside gives its own back meanwhile.
    lends: Option<Counted>,
    state: Mutex<LineState>,
    keys: Keys<Permits>,
    /// Of those of a key.
    _forget: Option<Forget>,
}

struct LineState {
    supply: Supply,
    /// Who waits, in the order of arrival. Who gives up takes itself out.
    line: BTreeMap<Number, Arc<Waiter>>,
    /// The addresses of the tasks in line.
    tasks: HashSet<usize>,
    last: u64,
    /// The tasks that have permits, by numbers of their own.
    holders: BTreeMap<u64, TaskRef>,
    /// How many permits are with somebody.
    taken: usize,
}

/// A place in line. Who has begun before and comes back is in front of who has not.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Number {
    is_new: bool,
    arrived: u64,
}

/// All limits that there are, for who looks at a pool.
static LIMITS: Mutex<BTreeMap<LimitId, Weak<Permits>>> = Mutex::new(BTreeMap::new());

pub(crate) fn all_limits() -> Vec<Arc<Permits>> {
    lock(&LIMITS).values().filter_map(Weak::upgrade).collect()
}

impl LineState {
    fn line_up(&mut self, is_new: bool, waiter: &Arc<Waiter>) -> Number {
        IN_LINE.one_more();
        self.last += 1;
        let number = Number { is_new, arrived: self.last };
        self.line.insert(number, waiter.clone());
        self.tasks.extend(waiter.address());
        number
    }

    /// Somebody has a permit of such a weight; by which number.
    fn hold(&mut self, who: Option<&TaskRef>, weight: usize) -> u64 {
        self.last += 1;
        if self.supply.comes_back() {
            self.taken += weight;
            self.holders.extend(who.map(|task| (self.last, task.clone())));
        }
        self.last
    }

    fn take_out(&mut self, number: Number) -> Option<Arc<Waiter>> {
        let waiter = self.line.remove(&number)?;
        IN_LINE.one_less();
        if let Some(address) = waiter.address() {
            self.tasks.remove(&address);
        }
        Some(waiter)
    }
}

/// Somebody in line.
pub(crate) struct Waiter {
    who: Who,
    /// The task that goes on then, where a thread stands here for it.
    on_behalf_of: Option<TaskRef>,
    weight: usize,
    slot: Mutex<PermitSlot>,
}

#[derive(Default)]
struct PermitSlot {
    /// Put here by who hands it on. If nobody takes it out, it goes back with the waiter.
    permit: Option<Permit>,
    /// It was taken out of the line, and is to enter it again when it can go on.
    stepped_aside: bool,
    /// Who is told if the line is left without it, and of how much.
    told: Vec<(Watched, usize)>,
}

/// Whether who comes to a line has begun before.
pub(crate) enum ComesAs {
    New,
    /// In front of those who have not; for this task, if for any.
    Back(Option<TaskRef>),
}

pub(crate) enum Who {
    Task(TaskRef),
    Thread(Arc<Parker>),
}

/// The right to run. Dropped, it goes to the next in line.
pub(crate) struct Permit {
    permits: Arc<Permits>,
    /// How much of the limit it is.
    weight: usize,
    /// Its holder's number; zero where that has another one.
    number: u64,
    /// Who is told before.
    told: Option<Watched>,
}

/// A place in line.
pub(crate) struct InLine {
    number: Number,
    pub(crate) waiter: Arc<Waiter>,
    pub(crate) permits: Arc<Permits>,
    /// How many were there before.
    ahead: usize,
}

impl Permits {
    pub(crate) fn new(
        most: usize,
        lends: bool,
        made_at: &'static Location<'static>,
    ) -> Arc<Permits> {
        let facts = LimitFacts { id: LimitId::next(), most, every: None, made_at };
        Permits::with(facts, lends, Supply::Permits(most), None)
    }

    /// The line for turns.
    #[cfg(feature = "rate")]
    pub(crate) fn of_turns(turns: Turns, made_at: &'static Location<'static>) -> Arc<Permits> {
        let (most, every) = (turns.pace().most(), Some(turns.pace().every));
        let facts = LimitFacts { id: LimitId::next(), most, every, made_at };
        Permits::with(facts, false, Supply::Turns(turns), None)
    }

    fn with(
        facts: LimitFacts,
        lends: bool,
        supply: Supply,
        forget: Option<Forget>,
    ) -> Arc<Permits> {
        let (line, tasks, holders) = (BTreeMap::new(), HashSet::new(), BTreeMap::new());
        let state = Mutex::new(LineState { supply, line, tasks, last: 0, holders, taken: 0 });
        let (lends, keys) = (lends.then(|| LENDING.counted()), Keys::none());
        let permits = Arc::new(Permits { facts, lends, state, keys, _forget: forget });
        lock(&LIMITS).insert(facts.id, Arc::downgrade(&permits));
        permits
    }

    /// Those of a key.
    pub(crate) fn of<K>(&self, key: &K) -> Arc<Permits>
    where
        K: ?Sized + Hash + Eq + ToOwned,
        K::Owned: Hash + Eq + Send + Sync + 'static,
    {
        self.keys.of(key, |forget| {
            let facts = LimitFacts { id: LimitId::next(), ..self.facts };
            let supply = lock(&self.state).supply.alike(facts.most);
            Permits::with(facts, self.lends(), supply, Some(forget))
        })
    }

    /// How many keys there are.
    pub(crate) fn keys(&self) -> usize {
        self.keys.len()
    }

    /// How many wait in line now.
    pub(crate) fn waiting(&self) -> usize {
        lock(&self.state).line.len()
    }

    /// A permit, or a place in line.
    pub(crate) fn enter(
        self: &Arc<Self>,
        weight: usize,
        comes: ComesAs,
        who: impl FnOnce() -> Who,
    ) -> Result<Permit, InLine> {
        let mut state = lock(&self.state);
        let (is_new, ahead, on_behalf_of) = match comes {
            ComesAs::New => (true, state.line.len(), None),
            ComesAs::Back(task) => {
                (false, state.line.keys().take_while(|number| !number.is_new).count(), task)
            }
        };
        let taken = if ahead == 0 { state.supply.take(weight) } else { Err(None) };
        let who = who();
        if taken.is_ok() {
            let number = state.hold(on_behalf_of.as_ref().or(who.task()), weight);
            return Ok(Permit { permits: self.clone(), weight, number, told: None });
        }
        let waiter = Arc::new(Waiter { who, on_behalf_of, weight, slot: Mutex::default() });
        let number = state.line_up(is_new, &waiter);
        self.call_when_due(&mut state, taken);
        Err(InLine { number, waiter, permits: self.clone(), ahead })
    }

    /// Where time, or a jobserver, brings what the first in line needs: sees to it that it gets it then.
    fn call_when_due(self: &Arc<Self>, state: &mut LineState, taken: Result<(), Option<Duration>>) {
        if let Err(Some(wait)) = taken {
            let line = Arc::downgrade(self);
            state.supply.call_after(wait, move || line.upgrade().iter().for_each(Permits::hand_on));
        }
        #[cfg(feature = "jobserver")]
        self.fetch_slot(state);
    }

    /// Gives what there is to the first in line, and to those behind as long as there is enough.
    fn hand_on(self: &Arc<Self>) {
        while let Some((next, permit)) = self.next() {
            // From the trampoline, as the next one may be given up at once, and so on down the line.
            core::defer(Deferred::of_closure(move || next.get(permit)));
        }
    }

    fn next(self: &Arc<Self>) -> Option<(Arc<Waiter>, Permit)> {
        let mut state = lock(&self.state);
        let Some((&first, waiter)) = state.line.first_key_value() else {
            state.supply.call_off();
            return None;
        };
        let weight = waiter.weight;
        let taken = state.supply.take(weight);
        if taken.is_err() {
            self.call_when_due(&mut state, taken);
            return None;
        }
        let next = state.take_out(first)?;
        let number = state.hold(next.task(), weight);
        Some((next, Permit { permits: self.clone(), weight, number, told: None }))
    }

    /// What there is to know of it.
    pub(crate) fn facts(&self) -> LimitFacts {
        self.facts
    }

    /// Whether it is a rate's, whose line goes on by itself.
    pub(crate) fn is_timed(&self) -> bool {
        self.facts.every.is_some()
    }

    /// Whether work that waits inside gives its own back meanwhile.
    pub(crate) fn lends(&self) -> bool {
        self.lends.is_some()
    }

    /// Whether its turns come by these timers.
    #[cfg(feature = "rate")]
    pub(crate) fn goes_by(&self, timers: &Arc<Timers>) -> bool {
        matches!(&lock(&self.state).supply, Supply::Turns(turns) if turns.go_by(timers))
    }

    /// Whether its clock is gone.
    #[cfg(feature = "rate")]
    pub(crate) fn is_over(&self) -> bool {
        matches!(&lock(&self.state).supply, Supply::Turns(turns) if turns.are_over())
    }

    /// How much the first in line needs.
    pub(crate) fn needed(&self) -> usize {
        lock(&self.state).line.values().next().map_or(1, |first| first.weight)
    }

    /// The tasks that have permits, and those in line; and how many permits are with somebody.
    pub(crate) fn look(&self) -> (Vec<TaskRef>, Vec<TaskRef>, usize) {
        let state = lock(&self.state);
        let in_line = state.line.values().filter_map(|waiter| waiter.task().cloned());
        (state.holders.values().cloned().collect(), in_line.collect(), state.taken)
    }

    pub(crate) fn is(&self, other: &Permits) -> bool {
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

impl Drop for Permits {
    fn drop(&mut self) {
        let known = lock(&LIMITS).remove(&self.facts.id);
        drop(known);
    }
}

impl Who {
    fn task(&self) -> Option<&TaskRef> {
        match self {
            Who::Task(task) => Some(task),
            Who::Thread(_) => None,
        }
    }
}

impl Waiter {
    fn address(&self) -> Option<usize> {
        self.who.task().map(|task| task.address())
    }

    /// The task that it is for.
    fn task(&self) -> Option<&TaskRef> {
        self.on_behalf_of.as_ref().or(self.who.task())
    }

    fn get(&self, permit: Permit) {
        let mut slot = lock(&self.slot);
        if slot.stepped_aside {
            drop(slot);
            return drop(permit);
        }
        slot.permit = Some(permit);
        drop(slot);
        match &self.who {
            Who::Task(task) => task.resume(),
            Who::Thread(parker) => parker.unpark(),
        }
    }

    /// Whether it is this one's turn, or it is to enter the line again.
    pub(crate) fn is_called(&self) -> bool {
        let slot = lock(&self.slot);
        slot.permit.is_some() || slot.stepped_aside
    }

    pub(crate) fn has_stepped_aside(&self) -> bool {
        lock(&self.slot).stepped_aside
    }

    pub(crate) fn take(&self) -> Option<Permit> {
        let mut slot = lock(&self.slot);
        let permit = slot.permit.take()?;
        let told = std::mem::take(&mut slot.told);
        drop(slot);
        drop(told);
        Some(permit)
    }
}
