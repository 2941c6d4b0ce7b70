//! What a seed decides: which task of a deterministic pool runs next.
//!
//! A task that becomes ready draws a priority, and of all that are ready the highest runs next. To
//! draw once a task, and not once a choice, makes extreme orders likely: that one task comes after
//! a chain of n others has the chance 1 in n + 1, where choices made one by one would give it 1 in
//! 2^n. It is such orders that show faults. Of work of several priorities, the draw is among what is first.
//!
//! What is drawn depends on the seed and on the order of events alone: not on addresses, hashes,
//! threads or time. So nothing may come here in an order that does: `known.rs` keeps the order in which things
//! were met.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::time::Duration;

use crate::core::{Entry, TaskRef};
use crate::sync::{Arc, Mutex, MutexGuard, lock};
use crate::terms::{Priority, Random, Timers};

/// What takes the place of the queues.
pub(crate) struct Seeded {
    draw: Mutex<Draw>,
    /// The pool's clock shows how long the pool has been there.
    timers: Arc<Timers>,
}

struct Draw {
    random: Random,
    /// By priority of the work.
    ready: [Ready; 3],
    /// How much has been taken.
    taken: u32,
    /// How many tasks have become ready.
    drawn: u64,
    /// How many runs have begun.
    runs: u64,
    fault: Option<Fault>,
}

/// Tasks by what they have drawn, of which the highest is next; of equal ones the elder.
type Ready = BTreeMap<(u64, Reverse<u64>), Entry>;

/// What is made to go wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Fault {
    /// The run it happens in, counted from 1.
    pub(crate) run: u64,
    pub(crate) how: FaultKind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FaultKind {
    Fails,
    Panics,
}

impl Seeded {
    pub(crate) fn new(seed: u64, fault: Option<Fault>) -> Seeded {
        let draw = Draw {
            random: Random(seed),
            ready: Default::default(),
            taken: 0,
            drawn: 0,
            runs: 0,
            fault,
        };
        Seeded { draw: Mutex::new(draw), timers: Timers::virtual_ones(seed) }
    }

    fn draw(&self) -> MutexGuard<'_, Draw> {
        lock(&self.draw)
    }

    pub(crate) fn push(&self, entry: Entry, of: Priority) {
        let mut draw = self.draw();
        let priority = draw.random.next();
        draw.drawn += 1;
        let elder = Reverse(draw.drawn);
        draw.ready[of as usize].insert((priority, elder), entry);
    }

    pub(crate) fn pop(&self) -> Option<Entry> {
        let mut draw = self.draw();
        let order = Priority::order(draw.taken);
        let (_, entry) = order.into_iter().find_map(|of| draw.ready[of as usize].pop_last())?;
        draw.taken = draw.taken.wrapping_add(1);
        Some(entry)
    }

    /// How much is queued.
    pub(crate) fn len(&self) -> usize {
        self.draw().ready.iter().map(Ready::len).sum()
    }

    /// What is queued, the elder first.
    pub(crate) fn tasks(&self) -> Vec<TaskRef> {
        let draw = self.draw();
        let mut all: Vec<_> = draw.ready.iter().flatten().collect();
        all.sort_by_key(|((_, elder), _)| *elder);
        all.into_iter().rev().map(|(_, entry)| entry.reference()).collect()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.draw().ready.iter().all(Ready::is_empty)
    }

    /// Puts what a waiting task may begin with into an order of the seed's.
    pub(crate) fn shuffle(&self, tasks: &mut [TaskRef]) {
        let mut draw = self.draw();
        for last in (1..tasks.len()).rev() {
            let other = draw.random.next() % (last as u64 + 1);
            tasks.swap(last, other as usize);
        }
    }

    pub(crate) fn timers(&self) -> &Arc<Timers> {
        &self.timers
    }

    pub(crate) fn now(&self) -> Duration {
        self.timers.now()
    }

    /// Goes on to the next moment at which something is to happen; false where there is none.
    pub(crate) fn go_on(&self) -> bool {
        let next = self.timers.until_next();
        if let Some(step) = next {
            self.timers.advance(step);
        }
        next.is_some()
    }

    /// How many runs have begun.
    pub(crate) fn runs(&self) -> u64 {
        self.draw().runs
    }

    /// Counts one more run; the fault that is to happen in it.
    pub(super) fn begin_run(&self) -> Option<Fault> {
        let mut draw = self.draw();
        draw.runs += 1;
        let runs = draw.runs;
        draw.fault.filter(|fault| fault.run == runs)
    }
}
