//! The handle on a store.

use std::collections::HashSet;
use std::fmt;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use asynckit::Spawner;
use asynckit::carry::{self, CarriedBy};

use crate::carrier::{Counts, Inner, OfStore};
use crate::disk::Disk;
use crate::entries::{Entry, Stats};
use crate::error::StoreError;
use crate::explain::{Explain, Why};
use crate::record::{Functions, Key};
use crate::writer::{Hook, Settings, Writer};

/// Results that are kept, in one file; see [the crate](crate).
///
/// A clone is the same store. The last one to be dropped writes what is not written yet and closes the file: work that
/// still runs then is not kept any more.
#[derive(Clone)]
pub struct Store(Arc<Opened>);

/// What goes with the last handle.
struct Opened {
    inner: Arc<Inner>,
    thread: Option<JoinHandle<()>>,
}

/// How a store is to be opened; see [`Store::builder`].
#[must_use = "a builder opens nothing until `open`"]
pub struct StoreBuilder {
    delay: Duration,
    max_size: Option<u64>,
    large: usize,
    explain: Option<bool>,
    checks: bool,
    hook: Hook,
}

impl Store {
    /// Opens the store in a file, and makes it where there is none.
    ///
    /// Where the file may not be written, nothing is kept: that is told once, on standard error, and work goes on.
    ///
    /// # Errors
    ///
    /// Where somebody else has it open, where the file is no store or a damaged one, and where the system says no.
    ///
    /// ```
    /// use asynckit::{Pool, async_work};
    /// use asynckit_store::Store;
    ///
    /// #[async_work(keep)]
    /// fn square(n: u64) -> u64 { n * n }
    ///
    /// let folder = tempfile::tempdir()?;
    /// let path = folder.path().join("results.redb");
    /// let pool = Pool::new(1);
    /// for run in 0..2 {
    ///     let store = Store::open(&path)?; // as a program that is run twice would
    ///     assert_eq!(square(4).spawn_on(&store.on(&pool)).get()?, 16);
    ///     assert_eq!(store.stats().hits, run);
    /// }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn open(path: impl AsRef<Path>) -> Result<Store, StoreError> {
        Store::builder().open(path)
    }

    /// As [`open`](Store::open); what is no store, or a damaged one, is removed and begun anew.
    ///
    /// # Errors
    ///
    /// Where somebody else has it open, and where the system says no.
    ///
    /// ```
    /// use asynckit_store::Store;
    ///
    /// let folder = tempfile::tempdir()?;
    /// let path = folder.path().join("results.redb");
    /// std::fs::write(&path, "what is left of a store")?;
    /// assert_eq!(Store::open_or_reset(&path)?.entries()?.len(), 0);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn open_or_reset(path: impl AsRef<Path>) -> Result<Store, StoreError> {
        Store::builder().open_or_reset(path)
    }

    /// Opens a store in another way than `open` does.
    ///
    /// ```
    /// use asynckit_store::Store;
    ///
    /// let folder = tempfile::tempdir()?;
    /// let store = Store::builder().max_size(10 << 30).open(folder.path().join("results.redb"))?;
    /// # drop(store);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn builder() -> StoreBuilder {
        StoreBuilder {
            delay: Duration::from_millis(50),
            max_size: None,
            large: 64 << 10,
            explain: None,
            checks: true,
            hook: Box::new(|error| eprintln!("asynckit-store: results are not kept: {error}")),
        }
    }

    /// The pool or scope, for work whose results are kept: that of functions with `keep`, and of what they submit.
    ///
    /// ```
    /// use asynckit::{CancelToken, Pool, async_work, chain};
    /// use asynckit_store::Store;
    ///
    /// #[async_work(keep)]
    /// fn read(name: String) -> String { format!("what {name} says") }
    /// #[async_work(keep)]
    /// fn size(text: &str) -> usize { text.len() }
    ///
    /// let folder = tempfile::tempdir()?;
    /// let (pool, store) = (Pool::new(2), Store::open(folder.path().join("results.redb"))?);
    /// let token = CancelToken::new();
    /// let sizes = chain!(&token.on(&store.on(&pool)), {
    ///     let text = read("a".into());
    ///     size(&text)
    /// });
    /// assert_eq!(sizes.get()?, 11);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn on<'a, 'w, S: Spawner<'w> + ?Sized>(&self, place: &'a S) -> CarriedBy<'a, S> {
        carry::on(place, OfStore(self.0.inner.clone()))
    }

    /// Waits until all results that work has come to so far are on the disk.
    ///
    /// # Errors
    ///
    /// Where they could not be written.
    ///
    /// ```
    /// # use asynckit_store::Store;
    /// let folder = tempfile::tempdir()?;
    /// let store = Store::open(folder.path().join("results.redb"))?;
    /// store.flush()?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn flush(&self) -> Result<(), StoreError> {
        self.0.inner.writer.flush()
    }

    /// All that is kept, the last used first.
    ///
    /// # Errors
    ///
    /// Where the file can't be read.
    ///
    /// ```
    /// use asynckit::{Pool, async_work};
    /// use asynckit_store::Store;
    ///
    /// #[async_work(keep)]
    /// fn square(n: u64) -> u64 { n * n }
    ///
    /// let folder = tempfile::tempdir()?;
    /// let (pool, store) = (Pool::new(1), Store::open(folder.path().join("results.redb"))?);
    /// square(4).spawn_on(&store.on(&pool)).get()?;
    /// let entry = &store.entries()?[0];
    /// assert!(entry.function().ends_with("::square") && entry.hits() == 0);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn entries(&self) -> Result<Vec<Entry>, StoreError> {
        Ok(self.rows()?.into_iter().map(|(_, entry)| entry).collect())
    }

    fn rows(&self) -> Result<Vec<(Key, Entry)>, StoreError> {
        let writer = &self.0.inner.writer;
        writer.flush()?;
        let mut rows = writer.disk.rows()?;
        rows.sort_by_key(|row| std::cmp::Reverse(row.used.last));
        Ok(rows.into_iter().map(|row| (row.key, Entry::of(row))).collect())
    }

    /// Forgets what the closure picks, and says how many these were.
    ///
    /// # Errors
    ///
    /// Where the file can't be read or written.
    ///
    /// ```
    /// use asynckit::{Pool, async_work};
    /// use asynckit_store::Store;
    ///
    /// #[async_work(keep)]
    /// fn square(n: u64) -> u64 { n * n }
    ///
    /// let folder = tempfile::tempdir()?;
    /// let (pool, store) = (Pool::new(1), Store::open(folder.path().join("results.redb"))?);
    /// square(4).spawn_on(&store.on(&pool)).get()?;
    /// assert_eq!(store.forget(|entry| entry.function().ends_with("::square"))?, 1);
    /// assert_eq!(store.entries()?.len(), 0);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn forget(&self, mut picks: impl FnMut(&Entry) -> bool) -> Result<usize, StoreError> {
        let rows = self.rows()?;
        let picked: Vec<(Key, u64)> = rows
            .into_iter()
            .filter(|(_, entry)| picks(entry))
            .map(|(key, entry)| (key, entry.size()))
            .collect();
        self.0.inner.writer.forget(&picked)?;
        Ok(picked.len())
    }

    /// What the store has done since it was opened.
    ///
    /// ```
    /// # use asynckit_store::Store;
    /// let folder = tempfile::tempdir()?;
    /// let store = Store::open(folder.path().join("results.redb"))?;
    /// assert_eq!(store.stats().to_string(), "kept: 0 of 0, saved 0 ms");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn stats(&self) -> Stats {
        let Counts { hits, misses, saved } = &self.0.inner.counts;
        Stats {
            hits: hits.load(Ordering::Relaxed),
            misses: misses.load(Ordering::Relaxed),
            saved: Duration::from_micros(saved.load(Ordering::Relaxed)),
        }
    }

    /// Why calls were computed since it was opened: for the last thousand of them, and only where
    /// [`StoreBuilder::explain`] or `ASYNCKIT_EXPLAIN=1` asks for it.
    pub fn explain(&self) -> Vec<Why> {
        self.0.inner.explain.as_ref().map(Explain::whys).unwrap_or_default()
    }
}

impl StoreBuilder {
    /// How long a result may wait to be written together with others: 50 ms unless said. The result itself never
    /// waits for that.
    pub fn commit_after(mut self, delay: Duration) -> StoreBuilder {
        self.delay = delay;
        self
    }

    /// The most that all values may take, in bytes: where it is more, those go that were not used for the longest
    /// time. No limit unless said.
    pub fn max_size(mut self, bytes: u64) -> StoreBuilder {
        self.max_size = Some(bytes);
        self
    }

    /// From which size on a value is a file of its own in a folder beside the store: 64 KiB unless said.
    pub fn files_from(mut self, bytes: usize) -> StoreBuilder {
        self.large = bytes;
        self
    }

    /// Whether [`Store::explain`] is to tell why calls were computed. Without a word it does, and on standard error as
    /// well, where the environment says `ASYNCKIT_EXPLAIN=1`.
    pub fn explain(mut self, explains: bool) -> StoreBuilder {
        self.explain = Some(explains);
        self
    }

    /// Whether the file is read through when it is opened, so that damage shows then: it is unless said, and takes a
    /// second or so for each gigabyte. Otherwise damage shows when somebody comes upon it, as a panic of the database's
    /// that goes no further, and what is damaged is computed anew.
    pub fn check(mut self, checks: bool) -> StoreBuilder {
        self.checks = checks;
        self
    }

    /// What is told, once, that results can't be kept: a full disk, a folder that may not be written. A line on
    /// standard error unless said.
    pub fn on_trouble(
        mut self,
        hook: impl Fn(&StoreError) + Send + Sync + 'static,
    ) -> StoreBuilder {
        self.hook = Box::new(hook);
        self
    }

    /// As [`Store::open`].
    ///
    /// # Errors
    ///
    /// As there.
    pub fn open(self, path: impl AsRef<Path>) -> Result<Store, StoreError> {
        let (disk, trouble) = Disk::open(path.as_ref(), self.checks)?;
        self.start(disk, trouble)
    }

    /// As [`Store::open_or_reset`].
    ///
    /// # Errors
    ///
    /// As there.
    pub fn open_or_reset(self, path: impl AsRef<Path>) -> Result<Store, StoreError> {
        let path = path.as_ref();
        let opened = Disk::open(path, self.checks).and_then(|(disk, trouble)| {
            disk.rows()?;
            Ok((disk, trouble))
        });
        let (disk, trouble) = match opened {
            Err(StoreError::Damaged { .. }) => {
                std::fs::remove_file(path).map_err(|error| StoreError::io(path, error))?;
                Disk::open(path, self.checks)?
            }
            opened => opened?,
        };
        self.start(disk, trouble)
    }

    fn start(self, disk: Disk, trouble: Option<StoreError>) -> Result<Store, StoreError> {
        let told = std::env::var("ASYNCKIT_EXPLAIN").is_ok_and(|value| value == "1");
        let explains = self.explain.unwrap_or(told);
        let sweeps = disk.is_writable() && disk.large.is_there();
        // All of it is read once, and only for who needs it.
        let rows = match explains || sweeps || self.max_size.is_some() {
            true => disk.rows()?,
            false => Vec::new(),
        };
        if sweeps {
            let known: HashSet<&Key> = rows.iter().map(|row| &row.key).collect();
            disk.large.sweep(|key| known.contains(key));
        }
        let settings = Settings { delay: self.delay, max_size: self.max_size, hook: self.hook };
        let (writer, thread) = Writer::start(disk, settings, &rows)?;
        let explain = explains.then(|| Explain::new(rows, self.explain.is_none()));
        if let Some(error) = &trouble {
            writer.tell(error);
        }
        let inner = Inner {
            writer,
            flights: Arc::default(),
            stamps: Arc::default(),
            counts: Counts::default(),
            functions: Functions::default(),
            explain,
            large: self.large,
            is_closed: AtomicBool::new(false),
        };
        Ok(Store(Arc::new(Opened { inner: Arc::new(inner), thread: Some(thread) })))
    }
}

impl Drop for Opened {
    fn drop(&mut self) {
        self.inner.is_closed.store(true, Ordering::Release);
        self.inner.writer.close();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
        self.inner.writer.disk.close();
    }
}

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = self.0.inner.writer.disk.path();
        f.debug_struct("Store").field("path", &path).finish_non_exhaustive()
    }
}

impl fmt::Debug for StoreBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StoreBuilder")
            .field("delay", &self.delay)
            .field("max_size", &self.max_size)
            .finish_non_exhaustive()
    }
}
