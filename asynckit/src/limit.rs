//! Limits on how much of some work runs at once, and rates at which it begins (`limit/rate.rs`).

mod job;
#[cfg(feature = "rate")]
mod rate;

#[cfg(feature = "rate")]
pub use rate::{Rate, StaticRate};

use std::fmt;
use std::hash::Hash;
use std::ops::Deref;
use std::panic::Location;

use crate::sync::{Arc, OnceLock};
#[cfg(feature = "jobserver")]
use crate::terms::Slots;
use crate::terms::{Permits, Whose};
use crate::work::Work;
use job::LimitedWork;

/// At most so much work at once: for what strains something else than the pool's own threads.
///
/// [`Work::limit`] puts work under a limit. What finds no room waits in line, first come, first
/// served, without holding a thread; and goes on when one of those before it has ended, by
/// whatever way. A clone is the same limit, which may be used on several pools.
///
/// `#[async_work(limit = 8)]` gives a function a limit of its own.
///
/// ```
/// use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
/// use asynckit::{Limit, Pool, Results, async_work};
///
/// static CONNECTIONS: AtomicUsize = AtomicUsize::new(0);
///
/// #[async_work]
/// fn query(n: usize) -> usize {
///     let at_once = CONNECTIONS.fetch_add(1, SeqCst) + 1;
///     std::thread::yield_now();
///     CONNECTIONS.fetch_sub(1, SeqCst);
///     at_once.max(n.min(1))
/// }
///
/// let (pool, connections) = (Pool::new(4), Limit::new(2));
/// let results = (0..100).map(|n| query(n).limit(&connections).spawn_on(&pool));
/// assert!(results.join_all().get()?.into_iter().all(|at_once| at_once <= 2));
/// # Ok::<(), asynckit::Error>(())
/// ```
///
/// Where all that run under a limit wait (with `get`, `.await` and the like) for work that stands in its line,
/// one of the waits fails as [`Deadlock`](crate::ErrorKind::Deadlock).
#[derive(Clone)]
pub struct Limit {
    permits: Arc<Permits>,
    /// How much of it work takes up.
    weight: usize,
}

impl Limit {
    /// At most so much at once.
    ///
    /// # Panics
    ///
    /// For 0, as such work would never begin.
    ///
    /// ```
    /// use asynckit::{Limit, Pool, work};
    ///
    /// let (pool, one) = (Pool::new(4), Limit::new(1));
    /// let results = [1, 2, 3].map(|n| work(move || n).limit(&one).spawn_on(&pool)); // one after the other
    /// assert_eq!(results.map(|result| result.get().unwrap()), [1, 2, 3]);
    /// ```
    #[track_caller]
    pub fn new(most: usize) -> Limit {
        Limit::at(most, Location::caller())
    }

    fn at(most: usize, at: &'static Location<'static>) -> Limit {
        assert!(most > 0, "a limit of 0 would let no work begin");
        Limit { permits: Permits::new(most, false, at), weight: 1 }
    }

    /// As many at once, of which work that waits gives its own back meanwhile. It is a limit of its own.
    ///
    /// Work that waits inside for other work (by `get`, `wait`, `.await` of results, the end of a scope and the like)
    /// gives what it has of the limit back, and takes it again before it goes on, in front of those who have not begun.
    /// So parents and children may be under one limit, and as many run as it says. (A wait with a limit of time ends
    /// later by that.) A plain limit is kept meanwhile, as it may stand for a lock; and where all wait for such as stand
    /// in its line, that is a [`Deadlock`](crate::ErrorKind::Deadlock).
    ///
    /// Work that blocks otherwise keeps its own.
    ///
    /// ```
    /// use asynckit::{Limit, Pool, Work, current, work};
    ///
    /// /// Two more at each step, all under one limit.
    /// fn tree(depth: u32, limit: Limit) -> Work<'static, asynckit::Result<u32>> {
    ///     let its = limit.clone();
    ///     let grow = move || {
    ///         if depth == 0 {
    ///             return Ok(1);
    ///         }
    ///         let [a, b] = [0, 1].map(|_| tree(depth - 1, its.clone()).spawn_on(&current()));
    ///         Ok(a.get()?? + b.get()??)
    ///     };
    ///     work(grow).limit(&limit)
    /// }
    ///
    /// let (pool, limit) = (Pool::new(2), Limit::new(2).lending());
    /// assert_eq!(tree(5, limit).spawn_on(&pool).get()??, 32);
    /// # Ok::<(), asynckit::Error>(())
    /// ```
    #[must_use = "it is a limit of its own"]
    pub fn lending(self) -> Limit {
        if self.permits.lends() {
            return self;
        }
        let permits = Permits::new(self.permits.facts().most, true, self.permits.facts().made_at);
        Limit { permits, ..self }
    }

    /// A limit that shares the slots of GNU make's jobserver: for a build tool that runs under `make -j`, or as a
    /// build script under cargo. At most `most` at once, and as much as make has slots free.
    ///
    /// One slot the process has anyway: it is the one that make has started it in. For others the work stands in
    /// line until make has some free, and holds no thread for that. They go back when nothing is left in line.
    /// Each work takes one, whatever it [takes](Limit::take) of `most`, which should be how much the pool can run.
    ///
    /// How to get hold of the jobserver is told by [`jobserver::Client::from_env`]; it is for the beginning of `main`, and
    /// `unsafe`, as it takes over what make has opened for the process. Under no make there is none: use
    /// [`Limit::new`].
    ///
    /// Work that waits inside for other work gives its slot back meanwhile, as with a [lending](Limit::lending) limit.
    ///
    /// ```
    /// use asynckit::{Limit, Pool, Results, async_work};
    ///
    /// #[async_work]
    /// fn compile(source: u32) -> u32 { source }
    ///
    /// let pool = Pool::new(4);
    /// let jobserver = jobserver::Client::new(2)?; // as make would
    /// let slots = Limit::jobserver(jobserver, pool.worker_count());
    /// let objects = (0..10).map(|n| compile(n).limit(&slots).spawn_on(&pool)).join_all();
    /// assert_eq!(objects.get()?.len(), 10); // at most three at once
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Panics
    ///
    /// For a `most` of 0, as such work would never begin.
    #[cfg(feature = "jobserver")]
    #[track_caller]
    pub fn jobserver(client: jobserver::Client, most: usize) -> Limit {
        assert!(most > 0, "a limit of 0 would let no work begin");
        Limit {
            permits: Permits::of_slots(Slots::new(client, most), Location::caller()),
            weight: 1,
        }
    }

    /// How much work may run at once.
    ///
    /// ```
    /// assert_eq!(asynckit::Limit::new(8).most(), 8);
    /// ```
    pub fn most(&self) -> usize {
        self.permits.facts().most
    }

    /// The same limit, of which work takes up so much: 4 of the 16 GB of memory, say.
    ///
    /// First come, first served: light work does not go past heavy work, so that neither waits for ever.
    ///
    /// # Errors
    ///
    /// Work that takes more than the whole limit could never begin: it fails when it is submitted.
    ///
    /// ```
    /// use asynckit::{Limit, Pool, async_work};
    ///
    /// #[async_work]
    /// fn link(objects: &'static [&'static str]) -> usize { objects.len() }
    ///
    /// let (pool, gigabytes) = (Pool::new(4), Limit::new(16));
    /// let large = link(&["a.o", "b.o"]).limit(&gigabytes.take(12)).spawn_on(&pool);
    /// let small = link(&["c.o"]).limit(&gigabytes).spawn_on(&pool); // takes 1
    /// assert_eq!(large.get()? + small.get()?, 3);
    ///
    /// let too_large = link(&[]).limit(&gigabytes.take(17)).spawn_on(&pool);
    /// assert!(too_large.get().unwrap_err().to_string().contains("takes 17 of a limit of 16"));
    /// # Ok::<(), asynckit::Error>(())
    /// ```
    pub fn take(&self, weight: usize) -> Limit {
        Limit { permits: self.permits.clone(), weight }
    }

    /// The limit of a key: as this one, and apart from it. At most two connections a host, say.
    ///
    /// Each key has one, which is made when it is asked for, and forgotten when nobody has it any more, neither as a
    /// handle nor for work: a million keys leave nothing behind. Keys are compared as those of a map; keys of different
    /// types are different, but a `str` is the key that the same `String` is.
    ///
    /// ```
    /// use asynckit::{Limit, Pool, Results, async_work};
    ///
    /// #[async_work]
    /// fn fetch(host: &'static str, page: u32) -> String { format!("{host}/{page}") }
    ///
    /// let (pool, connections) = (Pool::new(8), Limit::new(2));
    /// let pages = (0..20).map(|n| {
    ///     let host = if n % 2 == 0 { "a.example" } else { "b.example" };
    ///     fetch(host, n).limit(&connections.of(host)).spawn_on(&pool)
    /// });
    /// assert_eq!(pages.join_all().get()?[3], "b.example/3");
    /// # Ok::<(), asynckit::Error>(())
    /// ```
    pub fn of<K>(&self, key: &K) -> Limit
    where
        K: ?Sized + Hash + Eq + ToOwned,
        K::Owned: Hash + Eq + Send + Sync + 'static,
    {
        Limit { permits: self.permits.of(key), weight: self.weight }
    }

    /// How many keys have a limit now; see [`of`](Limit::of).
    ///
    /// ```
    /// let limit = asynckit::Limit::new(2);
    /// let (one, same, other) = (limit.of("a"), limit.of(&"a".to_owned()), limit.of("b"));
    /// assert_eq!(limit.keys(), 2);
    /// drop((one, same, other));
    /// assert_eq!(limit.keys(), 0);
    /// ```
    pub fn keys(&self) -> usize {
        self.permits.keys()
    }

    /// How much work waits in line now.
    ///
    /// ```
    /// use asynckit::{Limit, Pool, work};
    ///
    /// let (pool, one) = (Pool::new(2), Limit::new(1));
    /// let (go, gate) = std::sync::mpsc::channel::<()>();
    /// let first = work(move || gate.recv().is_ok()).limit(&one).spawn_on(&pool);
    /// let second = work(|| 2).limit(&one).spawn_on(&pool);
    /// assert!(one.waiting() <= 1); // the second, once the first has begun
    /// go.send(()).unwrap();
    /// assert!(first.get()? && second.get()? == 2);
    /// # Ok::<(), asynckit::Error>(())
    /// ```
    pub fn waiting(&self) -> usize {
        self.permits.waiting()
    }
}

impl fmt::Debug for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let waiting = self.waiting();
        f.debug_struct("Limit").field("most", &self.most()).field("waiting", &waiting).finish()
    }
}

impl<'w, T: Send + 'w> Work<'w, T> {
    /// The same work under a limit, of which it takes up one when it begins, or
    /// [so much](Limit::take); see [`Limit`].
    ///
    /// It stands in line from the moment when it is submitted, also while it waits for inputs.
    /// [`run`](Work::run) in place blocks until there is room.
    ///
    /// ```
    /// use asynckit::{Limit, Pool, Results, async_work};
    ///
    /// #[async_work]
    /// fn fetch(page: u32) -> String { format!("page {page}") }
    ///
    /// let (pool, polite) = (Pool::new(8), Limit::new(2));
    /// let pages = (0..4).map(|page| fetch(page).limit(&polite).spawn_on(&pool)).join_all();
    /// assert_eq!(pages.get()?[3], "page 3");
    /// # Ok::<(), asynckit::Error>(())
    /// ```
    pub fn limit(self, limit: &Limit) -> Work<'w, T> {
        self.under(LimitedWork::new(Whose::Limit(limit.permits.clone()), limit.weight))
    }
}

/// The limit of an annotated function: `#[async_work(limit = n)]`.
pub struct StaticLimit {
    most: usize,
    at: &'static Location<'static>,
    limit: OnceLock<Limit>,
}

impl StaticLimit {
    /// At most so many calls at once.
    ///
    /// # Panics
    ///
    /// For 0, when the program is compiled.
    #[track_caller]
    pub const fn new(most: usize) -> StaticLimit {
        assert!(most > 0, "a limit of 0 would let no work begin");
        StaticLimit { most, at: Location::caller(), limit: OnceLock::new() }
    }
}

impl Deref for StaticLimit {
    type Target = Limit;

    fn deref(&self) -> &Limit {
        self.limit.get_or_init(|| Limit::at(self.most, self.at))
    }
}
