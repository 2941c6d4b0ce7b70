//! Rates: a line for each clock by which work is timed, and a rate of its own for each key.

use std::any::Any;
use std::hash::Hash;
use std::panic::Location;

use crate::sync::{Arc, Mutex, Weak, lock};
use crate::terms::keys::{Forget, Keys};
use crate::terms::permits::Permits;
use crate::terms::timers::Timers;
use crate::terms::turns::{Pace, Turns};

/// So many in so long.
pub(crate) struct Rates {
    pace: Pace,
    made_at: &'static Location<'static>,
    /// Deterministic pools have clocks of their own, all others the system's.
    lines: Mutex<Vec<Arc<Permits>>>,
    keys: Keys<Rates>,
    /// Of one that is a key's.
    forget: Option<Forget>,
}

impl Rates {
    pub(crate) fn new(
        pace: Pace,
        made_at: &'static Location<'static>,
        forget: Option<Forget>,
    ) -> Arc<Rates> {
        let (lines, keys) = (Mutex::default(), Keys::none());
        Arc::new(Rates { pace, made_at, lines, keys, forget })
    }

    pub(crate) fn pace(&self) -> Pace {
        self.pace
    }

    pub(crate) fn made_at(&self) -> &'static Location<'static> {
        self.made_at
    }

    /// The line by these timers.
    pub(crate) fn line(self: &Arc<Self>, timers: &Arc<Timers>) -> Arc<Permits> {
        let mut lines = lock(&self.lines);
        if let Some(line) = lines.iter().find(|line| line.goes_by(timers)) {
            return line.clone();
        }
        let over: Vec<Arc<Permits>> = lines.extract_if(.., |line| line.is_over()).collect();
        let kept = self.forget.as_ref().map(|_| {
            let own: Weak<dyn Any + Send + Sync> = Arc::<Rates>::downgrade(self);
            own
        });
        let line = Permits::of_turns(Turns::new(self.pace, timers, kept), self.made_at);
        lines.push(line.clone());
        drop(lines);
        drop(over);
        line
    }

    /// How many stand in line.
    pub(crate) fn waiting(&self) -> usize {
        lock(&self.lines).iter().map(|line| line.waiting()).sum()
    }

    /// The rate of a key.
    pub(crate) fn of<K>(&self, key: &K) -> Arc<Rates>
    where
        K: ?Sized + Hash + Eq + ToOwned,
        K::Owned: Hash + Eq + Send + Sync + 'static,
    {
        self.keys.of(key, |forget| Rates::new(self.pace, self.made_at, Some(forget)))
    }

    /// How many keys there are.
    pub(crate) fn keys(&self) -> usize {
        self.keys.len()
    }
}
