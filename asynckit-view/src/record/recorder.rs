//! What one recording has: the logs of all threads, and what they have in common.
//!
//! Each thread has a log of its own (`mine.rs`), and none waits for another one. Texts, of failures and
//! notes, go over a channel. Beyond the limit of tasks only counts are kept.

use std::panic::Location;
use std::sync::atomic::{AtomicU8, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, Weak};
use std::time::Duration;

use asynckit::observe::{
    CallbackBegun, CallbackRegistered, LimitId, Need, Row, TaskId, TaskSubmitted,
};
use papaya::HashMap;

use super::callbacks::Callbacks;
use super::entry::{Entry, Kind, Tasks};
use super::log::{Log, log};
use super::mine::{Mine, Rest, with_mine};
use super::texts::Text;
use crate::live::Live;
use crate::model::Stored;
use crate::sites::Sites;
use crate::sync::{lock, map};

/// A limit that work stood under.
pub(super) struct LimitSeen {
    pub(super) most: usize,
    /// Of a rate: how long it takes for one more.
    pub(super) every: Option<Duration>,
    pub(super) at: &'static Location<'static>,
}

/// What an observer is told of the pool itself.
#[derive(Clone, Copy, Default)]
pub(super) struct PoolSeen {
    pub(super) began: Option<u64>,
    pub(super) stopped: Option<u64>,
    /// The most that it was to have.
    pub(super) workers: usize,
    /// Whether it was to have more than at its beginning.
    pub(super) grew: bool,
    pub(super) is_virtual: bool,
}

/// A row, and when it was first met.
pub(super) struct RowSeen {
    pub(super) row: Row,
    pub(super) first: u64,
}

/// The number of the first row that is no thread's: more than there are threads in any process.
pub(super) const PLACES: u64 = 1 << 62;

/// Bytes of a task that is recorded in full, at most; beyond that, only its begin and its end.
const BYTES_A_TASK: usize = 256;
/// Bytes of a limit that is known, at most.
const BYTES_A_LIMIT: usize = 64;
/// Tasks that a thread may record before it asks again whether there is room for more.
const QUOTA: usize = 64;

/// What is the matter with a recording; nothing, as a rule, so that one look does.
pub(super) const IS_OVER: u8 = 1;
/// A limit was reached, so that there may be tasks that only count.
pub(super) const COUNTS: u8 = 2;
/// There is no room for more than the begin and end of tasks.
const IS_FULL: u8 = 4;

/// What a recording keeps of a task.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Keeps {
    /// It is over.
    Nothing,
    /// A count by its function.
    Count,
    Entries,
}

/// What one pool's recording has.
pub(crate) struct Recorder {
    state: AtomicU8,
    pub(super) limit: AtomicUsize,
    /// Tasks that were recorded in full, in quotas.
    tasks: AtomicUsize,
    bytes: AtomicUsize,
    pub(super) texts: AtomicUsize,
    pub(super) text_bytes: AtomicUsize,
    /// What the first blocks of logs take: apart, as there is one for each thread, however few tasks there are.
    first_bytes: AtomicUsize,
    /// Tasks that are not recorded in full, with the numbers of their sites.
    pub(super) live: Live,
    pub(super) sites: Sites,
    pub(super) logs: Mutex<Vec<Log>>,
    /// What threads have left that ended: others go on with it.
    rests: Arc<Mutex<Vec<Rest>>>,
    pub(super) rows: HashMap<u64, RowSeen>,
    pub(super) limits: HashMap<u64, LimitSeen>,
    /// What else code ran on than threads of this process, by their names; their rows are numbered from `PLACES` on.
    pub(super) places: Mutex<Vec<String>>,
    pub(super) callbacks: Callbacks,
    pool: Mutex<PoolSeen>,
    pub(super) told: Sender<Text>,
    pub(super) texts_told: Mutex<(Receiver<Text>, Vec<Text>)>,
    /// What stores had, of all tasks.
    pub(super) stored: Mutex<Stored>,
    /// Called when the pool has stopped.
    pub(super) at_stop: OnceLock<Box<dyn Fn() + Send + Sync>>,
}

impl Recorder {
    pub(super) fn new(limit: usize) -> Arc<Recorder> {
        let (told, texts) = channel();
        Arc::new(Recorder {
            state: AtomicU8::new(0),
            limit: AtomicUsize::new(limit),
            tasks: AtomicUsize::new(0),
            bytes: AtomicUsize::new(0),
            texts: AtomicUsize::new(0),
            text_bytes: AtomicUsize::new(0),
            first_bytes: AtomicUsize::new(0),
            live: Live::default(),
            sites: Sites::default(),
            logs: Mutex::default(),
            rests: Arc::default(),
            rows: map(),
            limits: map(),
            places: Mutex::default(),
            callbacks: Callbacks::default(),
            pool: Mutex::default(),
            told,
            texts_told: Mutex::new((texts, Vec::new())),
            stored: Mutex::default(),
            at_stop: OnceLock::new(),
        })
    }

    pub(super) fn set_limit(&self, tasks: usize) {
        self.limit.store(tasks, Ordering::Relaxed);
    }

    /// Nothing is recorded from now on, and nothing kept: the pool keeps who looks on, to its own end.
    pub(super) fn end(&self) {
        self.set(IS_OVER);
        *lock(&self.logs) = Vec::new();
        *lock(&self.rests) = Vec::new();
        self.live.end();
        self.sites.end();
        self.rows.pin().clear();
        self.limits.pin().clear();
        *lock(&self.places) = Vec::new();
        self.callbacks.let_go();
        let mut told = lock(&self.texts_told);
        told.0.try_iter().for_each(drop);
        told.1 = Vec::new();
    }

    pub(super) fn has_ended(&self) -> bool {
        self.has(IS_OVER)
    }

    #[inline]
    fn state(&self) -> u8 {
        // ORDERING: Relaxed: nothing is read by it; a little later does as well.
        self.state.load(Ordering::Relaxed)
    }

    #[inline]
    pub(super) fn has(&self, what: u8) -> bool {
        self.state() & what != 0
    }

    fn set(&self, what: u8) {
        self.state.fetch_or(what, Ordering::Relaxed);
    }

    /// The row of a place elsewhere.
    pub(super) fn place(&self, name: &str) -> u64 {
        let mut places = lock(&self.places);
        let known = places.iter().position(|place| place == name);
        let at = known.unwrap_or_else(|| {
            places.push(name.to_owned());
            places.len() - 1
        });
        PLACES + at as u64
    }

    /// What is kept of a task.
    #[inline]
    pub(super) fn keeps(&self, task: TaskId) -> Keeps {
        #[cold]
        #[inline(never)]
        fn look(recorder: &Recorder, task: TaskId) -> Keeps {
            let is_live = |mine: &mut Mine| mine.live.get(&recorder.live, task.get()).is_some();
            match recorder.has(IS_OVER) {
                true => Keeps::Nothing,
                false if with_mine(recorder, is_live) => Keeps::Count,
                false => Keeps::Entries,
            }
        }
        if self.has(IS_OVER | COUNTS) { look(self, task) } else { Keeps::Entries }
    }

    /// What needs a task that only counts does so too: when it was ready would not be known.
    #[cold]
    #[inline(never)]
    fn needs_what_counts(&self, mine: &mut Mine, needs: &[Need]) -> bool {
        let mut needs = needs.iter().filter_map(|need| need.task());
        needs.any(|need| mine.live.get(&self.live, need.get()).is_some())
    }

    /// Whether one more quota of tasks may be recorded: how many.
    pub(super) fn quota(&self) -> usize {
        let limit = self.limit.load(Ordering::Relaxed);
        let before = self.tasks.fetch_add(QUOTA, Ordering::Relaxed);
        let quota = limit.saturating_sub(before).min(QUOTA);
        if quota == 0 {
            self.tasks.fetch_sub(QUOTA, Ordering::Relaxed);
            self.set(COUNTS);
        }
        quota
    }

    /// A log has taken so many words of memory more.
    pub(super) fn grew(&self, words: usize) {
        let (bytes, limit) = (words * size_of::<u32>(), self.limit.load(Ordering::Relaxed));
        let before = self.bytes.fetch_add(bytes, Ordering::Relaxed);
        if before + bytes > limit.saturating_mul(BYTES_A_TASK) {
            // Parts only count from now on.
            self.set(IS_FULL | COUNTS);
        }
    }

    /// Bytes of memory that all logs have taken.
    pub(super) fn memory(&self) -> usize {
        self.bytes.load(Ordering::Relaxed) + self.first_bytes.load(Ordering::Relaxed)
    }

    pub(super) fn submit(&self, event: &TaskSubmitted<'_>) {
        #[cold]
        #[inline(never)]
        fn under_a_limit(recorder: &Recorder, event: &TaskSubmitted<'_>, state: u8) {
            with_mine(recorder, |mine| recorder.submit_in(state, mine, event));
        }
        match self.state() {
            0 => with_mine(self, |mine| self.submit_in(0, mine, event)),
            state if state & IS_OVER == 0 => under_a_limit(self, event, state),
            _ => {}
        }
    }

    /// Inlined, as nothing is the matter as a rule.
    #[inline(always)]
    fn submit_in(&self, state: u8, mine: &mut Mine, event: &TaskSubmitted<'_>) {
        let (counts, is_full) = (state & COUNTS != 0, state & IS_FULL != 0);
        if counts && self.needs_what_counts(mine, event.needs) {
            return self.count(mine, event);
        }
        // A part goes with the whole, as long as there is room: it may be one of many tries.
        let may = match event.part_of {
            Some(_) if is_full => false,
            Some(whole) => !counts || mine.live.get(&self.live, whole.get()).is_none(),
            None => mine.may_record(self),
        };
        if !may {
            return self.count(mine, event);
        }
        let entry = Entry::Submitted {
            task: event.task.get(),
            site: mine.sites.number(&self.sites, event.name, event.at),
            kind: Kind::of(event.kind),
            by: event.by.map(TaskId::get),
            part_of: event.part_of.map(TaskId::get),
            needs: if is_full { &[] } else { event.needs },
            more: is_full,
        };
        mine.write(self, event.row, nanos(event.time), &entry);
    }

    pub(super) fn begin(&self, task: TaskId, row: &Row, time: Duration) {
        match self.keeps(task) {
            Keeps::Nothing => {}
            Keeps::Count => self.count_begin(task, time),
            Keeps::Entries => {
                let entry: Entry<&[Need]> = Entry::Started(task.get());
                with_mine(self, |mine| mine.write(self, row, nanos(time), &entry));
            }
        }
    }

    /// Whether the details of a task are recorded: where the task is, and there is room.
    #[inline]
    pub(super) fn has_details_of(&self, task: TaskId) -> bool {
        !self.has(IS_FULL) && self.keeps(task) == Keeps::Entries
    }

    /// Records one.
    #[inline]
    pub(super) fn detail(
        &self,
        task: TaskId,
        row: &Row,
        time: Duration,
        entry: &Entry<impl Tasks>,
    ) {
        if self.has_details_of(task) {
            with_mine(self, |mine| mine.write(self, row, nanos(time), entry));
        }
    }

    pub(super) fn register_callback(&self, event: &CallbackRegistered<'_>) {
        if !self.has(IS_OVER) {
            let (number, on) = (event.callback.get(), event.on.task().map(TaskId::get));
            self.callbacks.register(number, on, event.at, self.limit.load(Ordering::Relaxed));
        }
    }

    pub(super) fn begin_callback(&self, event: &CallbackBegun<'_>) {
        let (row, time) = (event.row, nanos(event.time));
        if !self.has(IS_OVER) && self.callbacks.begin(event.callback.get(), row.id().get(), time) {
            self.see_row(row, time);
        }
    }

    /// The thread of a row shows a sign of life.
    pub(super) fn see_worker(&self, row: &Row, time: Duration) {
        if !self.has(IS_OVER) && !self.rows.pin().contains_key(&row.id().get()) {
            self.see_row(row, nanos(time));
        }
    }

    pub(super) fn see_row(&self, row: &Row, time: u64) {
        let seen = || RowSeen { row: row.clone(), first: time };
        self.rows.pin().get_or_insert_with(row.id().get(), seen);
    }

    /// A limit that a recorded task stands under: its number.
    pub(super) fn see_limit(&self, limit: LimitId, seen: LimitSeen) -> u64 {
        let (limit, limits) = (limit.get(), self.limits.pin());
        if limits.get(&limit).is_none() && limits.try_insert(limit, seen).is_ok() {
            // There may be one for each key of many.
            self.grew(BYTES_A_LIMIT / size_of::<u32>());
        }
        limit
    }

    pub(super) fn pool(&self) -> MutexGuard<'_, PoolSeen> {
        lock(&self.pool)
    }

    /// Where a thread writes from now on, and where it is to leave that.
    pub(super) fn pen(&self) -> (Rest, Weak<Mutex<Vec<Rest>>>) {
        let rest = lock(&self.rests).pop().unwrap_or_else(|| {
            let (writer, log, words) = log();
            self.first_bytes.fetch_add(words * size_of::<u32>(), Ordering::Relaxed);
            let mut logs = lock(&self.logs);
            // Whoever holds the lock after `end` sees that it is over.
            if !self.has(IS_OVER) {
                logs.push(log);
            }
            Rest::of(writer)
        });
        (rest, Arc::downgrade(&self.rests))
    }
}

/// Of a pool's times, which have room in it.
pub(super) fn nanos(time: Duration) -> u64 {
    time.as_nanos() as u64
}

/// Of any other: as many as there is room for.
pub(super) fn most_nanos(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}
