//! What one recording has: the logs of all threads, and what they have in common.
//!
//! Each thread has a log of its own (`mine.rs`), and none waits for another one. Texts, of failures and
//! notes, are rare and go over a channel. Beyond the limit of tasks only counts are kept.

use std::panic::Location;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use asynckit::ErrorKind;
use asynckit::observe::{Row, TaskId, TaskSubmitted};
use papaya::HashMap;

use super::entry::{Entry, Kind, need};
use super::log::Log;
use super::mine::with_mine;
use crate::sites::{Counts, Live, Site, Sites};

/// What is told of a task in words.
#[derive(Clone)]
pub(super) enum Told {
    Failure { kind: ErrorKind, message: String },
    Note(String),
}

#[derive(Clone)]
pub(super) struct Text {
    pub(super) task: u64,
    pub(super) time: u64,
    pub(super) told: Told,
}

/// A limit that work stood under.
pub(super) struct LimitSeen {
    pub(super) most: usize,
    pub(super) site: String,
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

/// Words of a task that is recorded in full, at most; beyond that, only its begin and its end.
pub(super) const WORDS_A_TASK: usize = 32;
/// Bytes of a text that are kept.
const LONGEST_TEXT: usize = 4096;
/// Tasks that a thread may record before it asks again whether there is room for more.
const QUOTA: usize = 64;

/// What one pool's recording has.
pub(crate) struct Recorder {
    pub(super) number: u64,
    /// Gone when this is gone, so that threads let go of what they have of it.
    pub(super) alive: Arc<()>,
    on: AtomicBool,
    limit: AtomicUsize,
    /// Tasks that were recorded in full, in quotas.
    tasks: AtomicUsize,
    words: AtomicUsize,
    texts: AtomicUsize,
    /// Whether the limit was reached, so that there may be tasks that only count.
    over: AtomicBool,
    /// Tasks that are not recorded in full, with their sites; none of those that only hand results on.
    live: Live<Option<Arc<Site>>>,
    pub(super) sites: Sites,
    pub(super) logs: Mutex<Vec<Log>>,
    pub(super) rows: HashMap<u64, RowSeen>,
    pub(super) limits: HashMap<u64, LimitSeen>,
    /// What else code ran on than threads of this process, by their names; their rows are numbered from `PLACES` on.
    pub(super) places: Mutex<Vec<String>>,
    pool: Mutex<PoolSeen>,
    told: Sender<Text>,
    texts_told: Mutex<(Receiver<Text>, Vec<Text>)>,
    /// Called when the pool has stopped.
    pub(super) at_stop: OnceLock<Box<dyn Fn() + Send + Sync>>,
}

impl Recorder {
    pub(super) fn new(limit: usize) -> Arc<Recorder> {
        static LAST: AtomicU64 = AtomicU64::new(0);
        let (told, texts) = channel();
        Arc::new(Recorder {
            number: LAST.fetch_add(1, Ordering::Relaxed),
            alive: Arc::new(()),
            on: AtomicBool::new(true),
            limit: AtomicUsize::new(limit),
            tasks: AtomicUsize::new(0),
            words: AtomicUsize::new(0),
            texts: AtomicUsize::new(0),
            over: AtomicBool::new(false),
            live: Live::default(),
            sites: Sites::default(),
            logs: Mutex::default(),
            rows: HashMap::new(),
            limits: HashMap::new(),
            places: Mutex::default(),
            pool: Mutex::default(),
            told,
            texts_told: Mutex::new((texts, Vec::new())),
            at_stop: OnceLock::new(),
        })
    }

    pub(super) fn set_limit(&self, tasks: usize) {
        self.limit.store(tasks, Ordering::Relaxed);
    }

    /// Nothing is recorded from now on.
    pub(super) fn end(&self) {
        self.on.store(false, Ordering::Relaxed);
    }

    fn is_on(&self) -> bool {
        self.on.load(Ordering::Relaxed)
    }

    /// The row of a place elsewhere.
    pub(super) fn place(&self, name: &str) -> u64 {
        let mut places = self.places.lock().unwrap_or_else(PoisonError::into_inner);
        let known = places.iter().position(|place| place == name);
        let at = known.unwrap_or_else(|| {
            places.push(name.to_owned());
            places.len() - 1
        });
        PLACES + at as u64
    }

    /// Whether the task only counts.
    fn only_counts(&self, task: TaskId) -> bool {
        self.over.load(Ordering::Relaxed) && self.live.has(task.get())
    }

    /// Whether there is no room for more than the begin and end of tasks.
    fn is_full(&self) -> bool {
        let most = self.limit.load(Ordering::Relaxed).saturating_mul(WORDS_A_TASK);
        self.words.load(Ordering::Relaxed) > most
    }

    /// Whether one more quota of tasks may be recorded: how many.
    pub(super) fn quota(&self) -> usize {
        let limit = self.limit.load(Ordering::Relaxed);
        let before = self.tasks.fetch_add(QUOTA, Ordering::Relaxed);
        let quota = limit.saturating_sub(before).min(QUOTA);
        if quota == 0 {
            self.tasks.fetch_sub(QUOTA, Ordering::Relaxed);
            self.over.store(true, Ordering::Relaxed);
        }
        quota
    }

    /// A log has taken more memory.
    pub(super) fn grew(&self, words: usize) {
        self.words.fetch_add(words, Ordering::Relaxed);
    }

    /// Words of memory that all logs have taken.
    pub(super) fn memory(&self) -> usize {
        self.words.load(Ordering::Relaxed)
    }

    pub(super) fn submit(&self, event: &TaskSubmitted<'_>) {
        if !self.is_on() {
            return;
        }
        let is_full = self.is_full();
        with_mine(self, |mine| {
            let site = mine.site(self, event.name, event.at);
            if !mine.may_record(self) {
                let runs = Kind::of(event.kind) != Kind::Gather;
                Counts::add(&site.counts.submitted, u64::from(runs));
                return self.live.begin(event.task.get(), runs.then_some(site));
            }
            let mut needs = std::mem::take(&mut mine.needs);
            needs.clear();
            if !is_full {
                needs.extend(event.needs.iter().map(need));
            }
            let entry = Entry::Submitted {
                task: event.task.get(),
                site: site.number,
                kind: Kind::of(event.kind),
                by: event.by.map(TaskId::get),
                part_of: event.part_of.map(TaskId::get),
                needs: &needs,
            };
            mine.write(self, event.row, nanos(event.time), &entry);
            mine.needs = needs;
        });
    }

    pub(super) fn begin(&self, task: TaskId, row: &Row, time: Duration) {
        if !self.is_on() {
            return;
        }
        let only_counts = self.only_counts(task);
        with_mine(self, |mine| {
            if only_counts {
                mine.begun.push((task.get(), nanos(time)));
            } else {
                mine.write(self, row, nanos(time), &Entry::Started(task.get()));
            }
        });
    }

    pub(super) fn finish(
        &self,
        task: TaskId,
        row: &Row,
        time: Duration,
        entry: &Entry<'_>,
        failed: bool,
    ) {
        if !self.is_on() {
            return;
        }
        let only_counts = self.only_counts(task);
        with_mine(self, |mine| {
            if !only_counts {
                return mine.write(self, row, nanos(time), entry);
            }
            // Of a task that was suspended in between, the time since it began here last.
            let begun = mine.begun.pop_if(|(begun, _)| *begun == task.get());
            if let Some(Some(site)) = self.live.end(task.get()) {
                Counts::add(&site.counts.ended, 1);
                Counts::add(&site.counts.failed, u64::from(failed));
                let ran = begun.map_or(0, |(_, begun)| nanos(time).saturating_sub(begun));
                Counts::add(&site.counts.total, ran);
            }
        });
    }

    /// A detail of a task, which is recorded where the task is and there is room.
    pub(super) fn detail(&self, task: TaskId, row: &Row, time: Duration, entry: &Entry<'_>) {
        if self.is_on() && !self.only_counts(task) && !self.is_full() {
            with_mine(self, |mine| mine.write(self, row, nanos(time), entry));
        }
    }

    /// The thread of a row shows a sign of life.
    pub(super) fn see_worker(&self, row: &Row, time: Duration) {
        if self.is_on() && !self.rows.pin().contains_key(&row.id().get()) {
            self.see_row(row, nanos(time));
        }
    }

    pub(super) fn see_row(&self, row: &Row, time: u64) {
        let seen = || RowSeen { row: row.clone(), first: time };
        self.rows.pin().get_or_insert_with(row.id().get(), seen);
    }

    pub(super) fn see_limit(&self, limit: u64, most: usize, at: &'static Location<'static>) {
        let seen = || LimitSeen { most, site: at.to_string() };
        self.limits.pin().get_or_insert_with(limit, seen);
    }

    /// The text is made only where it is kept.
    pub(super) fn tell(&self, task: TaskId, time: Duration, told: impl FnOnce() -> Told) {
        if !self.is_on() || self.only_counts(task) {
            return;
        }
        if self.texts.fetch_add(1, Ordering::Relaxed) < self.limit.load(Ordering::Relaxed) {
            let text = Text { task: task.get(), time: nanos(time), told: told() };
            // The receiver is ours as well.
            let _ = self.told.send(text);
        }
    }

    /// All texts up to now.
    pub(super) fn texts(&self) -> Vec<Text> {
        let mut told = self.texts_told.lock().unwrap_or_else(PoisonError::into_inner);
        let (receiver, texts) = &mut *told;
        texts.extend(receiver.try_iter());
        texts.clone()
    }

    pub(super) fn pool(&self) -> MutexGuard<'_, PoolSeen> {
        self.pool.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn add_log(&self, log: Log) {
        self.logs.lock().unwrap_or_else(PoisonError::into_inner).push(log);
    }
}

pub(super) fn nanos(time: Duration) -> u64 {
    // Not by `as_nanos`, whose arithmetic is that of 128 bits.
    time.as_secs().saturating_mul(1_000_000_000) + u64::from(time.subsec_nanos())
}

/// A text that is not kept whole if it is very long.
pub(super) fn cut(mut text: String) -> String {
    if text.len() > LONGEST_TEXT {
        let end = (0..=LONGEST_TEXT).rfind(|&end| text.is_char_boundary(end));
        text.truncate(end.unwrap_or(0));
        text.push('…');
    }
    text
}
