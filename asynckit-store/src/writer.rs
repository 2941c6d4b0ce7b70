//! The one thread of a store, which writes what is to be kept: many values in one step, so that keeping costs the
//! work nothing but to hand the bytes over.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crate::disk::{Batch, Disk, Put, Row};
use crate::error::StoreError;
use crate::record::{Key, Used, now};

/// So many bytes are written without waiting for more.
const MANY: usize = 4 << 20;

/// What is told of trouble in keeping: once, as more of it would say the same.
pub(crate) type Hook = Box<dyn Fn(&StoreError) + Send + Sync>;

/// How a store writes.
pub(crate) struct Settings {
    /// How long a value waits for others.
    pub(crate) delay: Duration,
    /// The most that all values may take.
    pub(crate) max_size: Option<u64>,
    pub(crate) hook: Hook,
}

/// What is to be written, and what has been.
pub(crate) struct Writer {
    pub(crate) disk: Disk,
    settings: Settings,
    state: Mutex<WriterState>,
    changed: Condvar,
    writes: AtomicU64,
}

#[derive(Default)]
struct WriterState {
    /// What is not on the disk yet.
    pending: HashMap<Key, Arc<Put>>,
    queue: Vec<Key>,
    bytes: usize,
    /// When the first of these came.
    since: Option<Instant>,
    uses: HashMap<Key, Used>,
    /// How often somebody has asked for all to be written, and how often that was done.
    asked: u64,
    done: u64,
    /// Why the last write failed, for those who asked for it.
    failure: Option<String>,
    was_told: bool,
    /// How much all values take on the disk, where that is limited.
    size: u64,
    closing: bool,
}

impl Writer {
    /// `rows`: all that is on the disk, where that is limited.
    pub(crate) fn start(
        disk: Disk,
        settings: Settings,
        rows: &[Row],
    ) -> Result<(Arc<Writer>, JoinHandle<()>), StoreError> {
        let state = WriterState { size: total(rows), ..WriterState::default() };
        let path = disk.path().to_owned();
        let writer = Arc::new(Writer {
            disk,
            settings,
            state: Mutex::new(state),
            changed: Condvar::new(),
            writes: AtomicU64::new(0),
        });
        let its = writer.clone();
        let thread = std::thread::Builder::new()
            .name("asynckit-store".to_owned())
            .spawn(move || its.run())
            .map_err(|error| StoreError::io(&path, error))?;
        Ok((writer, thread))
    }

    fn lock(&self) -> MutexGuard<'_, WriterState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What is not on the disk yet.
    pub(crate) fn pending(&self, key: &Key) -> Option<Arc<Put>> {
        self.lock().pending.get(key).cloned()
    }

    /// How often something was written: what was not found on the disk since then may be there now.
    pub(crate) fn writes(&self) -> u64 {
        self.writes.load(Ordering::Acquire)
    }

    /// Has a value written.
    pub(crate) fn put(&self, key: Key, put: Put) {
        let mut state = self.lock();
        if state.closing || !self.disk.is_writable() {
            return;
        }
        let is_first = state.queue.is_empty();
        state.since.get_or_insert_with(Instant::now);
        state.bytes += put.bytes.len();
        if state.pending.insert(key, Arc::new(put)).is_none() {
            state.queue.push(key);
        }
        let wakes = is_first || state.bytes >= MANY;
        drop(state);
        if wakes {
            self.changed.notify_all();
        }
    }

    /// A value was used.
    pub(crate) fn used(&self, key: Key) {
        let mut state = self.lock();
        let used = state.uses.entry(key).or_insert(Used { last: 0, hits: 0 });
        *used = Used { last: now(), hits: used.hits + 1 };
    }

    /// Whether somebody is told of trouble.
    pub(crate) fn tell(&self, error: &StoreError) {
        let first = !std::mem::replace(&mut self.lock().was_told, true);
        if first {
            (self.settings.hook)(error);
        }
    }

    /// Waits until all that was put is on the disk.
    pub(crate) fn flush(&self) -> Result<(), StoreError> {
        let mut state = self.lock();
        state.asked += 1;
        let own = state.asked;
        self.changed.notify_all();
        while state.done < own && !state.closing {
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        match &state.failure {
            None => Ok(()),
            Some(failure) => {
                let error = std::io::Error::other(failure.clone());
                Err(StoreError::io(self.disk.path(), error))
            }
        }
    }

    /// Forgets values.
    pub(crate) fn forget(&self, rows: &[(Key, u64)]) -> Result<(), StoreError> {
        let forget = rows.iter().map(|(key, _)| *key).collect();
        self.disk.write(&Batch { forget, ..Batch::default() })?;
        let freed: u64 = rows.iter().map(|(_, size)| size).sum();
        let mut state = self.lock();
        state.size = state.size.saturating_sub(freed);
        Ok(())
    }

    /// Has the thread end; what was put before is written.
    pub(crate) fn close(&self) {
        let _ = self.flush();
        self.lock().closing = true;
        self.changed.notify_all();
    }

    fn run(&self) {
        loop {
            let mut state = self.lock();
            loop {
                let due = state.since.map(|since| since + self.settings.delay);
                let left = due.map(|due| due.saturating_duration_since(Instant::now()));
                if state.closing {
                    return;
                }
                if state.asked > state.done || state.bytes >= MANY || left == Some(Duration::ZERO) {
                    break;
                }
                state = match left {
                    None => self.changed.wait(state).unwrap_or_else(PoisonError::into_inner),
                    Some(left) => {
                        let waited = self.changed.wait_timeout(state, left);
                        waited.unwrap_or_else(PoisonError::into_inner).0
                    }
                };
            }
            let (asked, queue) = (state.asked, std::mem::take(&mut state.queue));
            let uses = std::mem::take(&mut state.uses);
            (state.bytes, state.since) = (0, None);
            let mut puts: Vec<(Key, Arc<Put>)> = queue
                .into_iter()
                .filter_map(|key| Some((key, state.pending.get(&key)?.clone())))
                .collect();
            drop(state);
            // In the order of the table, which is quicker.
            puts.sort_unstable_by_key(|(key, _)| *key);
            let written = self.write(&puts, uses);
            // Before it is found no more among what is pending.
            self.writes.fetch_add(1, Ordering::Release);
            let mut state = self.lock();
            for (key, put) in &puts {
                if state.pending.get(key).is_some_and(|pending| Arc::ptr_eq(pending, put)) {
                    state.pending.remove(key);
                }
            }
            let added: u64 = puts.iter().map(|(_, put)| put.note.size).sum();
            state.size += if written.is_ok() { added } else { 0 };
            state.failure = written.as_ref().err().map(ToString::to_string);
            state.done = asked;
            let size = state.size;
            drop(state);
            self.changed.notify_all();
            match written {
                Ok(()) => self.make_room(size),
                Err(error) => self.tell(&error),
            }
        }
    }

    fn write(&self, puts: &[(Key, Arc<Put>)], uses: HashMap<Key, Used>) -> Result<(), StoreError> {
        if puts.is_empty() && uses.is_empty() {
            return Ok(());
        }
        let batch = Batch {
            puts: puts.iter().map(|(key, put)| (*key, &**put)).collect(),
            uses: uses.into_iter().collect(),
            forget: Vec::new(),
        };
        let written = self.disk.write(&batch);
        if written.is_err() {
            // There may be room again for the next ones.
            self.disk.open_anew()?;
        }
        written
    }

    /// The least recently used values go until a tenth is free.
    fn make_room(&self, size: u64) {
        let Some(most) = self.settings.max_size.filter(|most| size > *most) else { return };
        let made = self.disk.rows().and_then(|mut rows| {
            rows.sort_by_key(|row| row.used.last);
            let mut left = total(&rows);
            let goes = rows.into_iter().take_while(|row| {
                let goes = left > most - most / 10;
                left = left.saturating_sub(row.note.size);
                goes
            });
            let goes: Vec<(Key, u64)> = goes.map(|row| (row.key, row.note.size)).collect();
            self.forget(&goes)?;
            // What was written anew was counted twice.
            self.lock().size = left;
            Ok(())
        });
        if let Err(error) = made {
            self.tell(&error);
        }
    }
}

/// How much values take.
fn total(rows: &[Row]) -> u64 {
    rows.iter().map(|row| row.note.size).sum()
}
