//! The calls that a worker has.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use crate::seam::Alone;
use crate::wire::CallId;

/// Calls that take less than this are fetched ahead, so that no thread waits for the next.
const SHORT: Duration = Duration::from_millis(20);

/// The most calls that are fetched ahead.
const MOST_AHEAD: usize = 256;

pub(super) struct Taken {
    /// By which it is acknowledged.
    pub(super) reply: String,
    pub(super) delivery: u32,
    pub(super) alone: Alone,
    /// Its function has one, for the whole cluster.
    pub(super) has_limit: bool,
    pub(super) since: Instant,
    pub(super) has_outcome: bool,
    /// Its outcome is stored.
    pub(super) is_stored: bool,
    /// Its code has ended.
    pub(super) is_over: bool,
    /// It has been given to the processes.
    pub(super) is_given: bool,
    /// Nobody waits for its outcome any more.
    pub(super) is_unwanted: bool,
}

pub(super) struct All {
    all: HashMap<CallId, Taken>,
    /// How long a call takes, as of late, in seconds.
    usual: f64,
    /// When one last ended.
    last_end: Instant,
    /// How many have not ended.
    busy: usize,
    /// How many have something to themselves.
    suspects: usize,
    /// How many run at once.
    threads: usize,
}

impl All {
    pub(super) fn new(threads: usize) -> All {
        // Until some calls have ended, nothing is fetched ahead.
        All {
            all: HashMap::new(),
            usual: 1.0,
            last_end: Instant::now(),
            busy: 0,
            suspects: 0,
            threads,
        }
    }

    /// So many run at once from now on.
    pub(super) fn have_threads(&mut self, threads: usize) {
        self.threads = threads;
    }

    /// Calls have waited here in vain: they are not short.
    pub(super) fn are_slow(&mut self) {
        self.usual = self.usual.max(1.0);
    }

    pub(super) fn enter(&mut self, id: CallId, taken: Taken) {
        self.busy += 1;
        self.suspects += usize::from(taken.alone != Alone::No);
        // It may have come twice.
        if let Some(before) = self.all.insert(id, taken) {
            self.has_left(&before);
        }
    }

    fn has_left(&mut self, taken: &Taken) {
        self.busy -= usize::from(!taken.is_over);
        self.suspects -= usize::from(taken.alone != Alone::No);
    }

    pub(super) fn has(&self, id: &CallId) -> bool {
        self.all.contains_key(id)
    }

    pub(super) fn has_suspects(&self) -> bool {
        self.suspects > 0
    }

    /// What a call has to itself.
    pub(super) fn alone(&self, id: &CallId) -> Alone {
        self.all.get(id).map_or(Alone::No, |taken| taken.alone)
    }

    /// Whether it is to have the worker to itself, and has not waited for that for so long yet.
    pub(super) fn is_for_itself(&self, id: &CallId, patience: Duration) -> bool {
        let is_it =
            |taken: &Taken| taken.alone == Alone::InWorker && taken.since.elapsed() < patience;
        self.all.get(id).is_some_and(is_it)
    }

    pub(super) fn get(&mut self, id: &CallId) -> Option<&mut Taken> {
        self.all.get_mut(id)
    }

    pub(super) fn leave(&mut self, id: &CallId) -> Option<Taken> {
        let taken = self.all.remove(id)?;
        self.has_left(&taken);
        Some(taken)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&CallId, &Taken)> {
        self.all.iter()
    }

    /// How many are here and have not ended.
    pub(super) fn busy(&self) -> usize {
        self.busy
    }

    /// Its code has ended.
    pub(super) fn over(&mut self, id: &CallId, now: Instant) {
        let Some(taken) = self.all.get_mut(id).filter(|taken| !taken.is_over) else { return };
        taken.is_over = true;
        // While several run, one ends in a fraction of the time that each takes.
        let run = self.busy.min(self.threads) as f64;
        let took = now.duration_since(taken.since.max(self.last_end)).as_secs_f64() * run;
        self.usual += (took - self.usual) / 16.0;
        self.last_end = now;
        self.busy -= 1;
    }

    /// How many calls to have here.
    pub(super) fn depth(&self) -> usize {
        let ahead = SHORT.as_secs_f64() / self.usual.max(1e-6) * self.threads as f64;
        self.threads + if ahead < 1.0 { 0 } else { (ahead as usize).clamp(1, MOST_AHEAD) }
    }

    /// Those that have been here for so long, or for twice that at each further delivery, and have no outcome.
    pub(super) fn long_here(&self, first: Duration, now: Instant) -> Vec<CallId> {
        let waits = |taken: &Taken| {
            let patience = first * (1 << (taken.delivery.max(1) - 1).min(16));
            !taken.has_outcome && now.duration_since(taken.since) >= patience
        };
        self.all.iter().filter(|(_, taken)| waits(taken)).map(|(id, _)| *id).collect()
    }
}
