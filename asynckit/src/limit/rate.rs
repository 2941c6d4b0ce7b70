//! Rates: how often work begins.

use std::fmt;
use std::hash::Hash;
use std::num::NonZeroU32;
use std::ops::Deref;
use std::panic::Location;
use std::time::Duration;

use super::job::LimitedWork;
use crate::sync::{Arc, OnceLock};
use crate::terms::{Pace, Rates, Whose};
use crate::work::Work;

/// So much work in so long: for what must not be asked too often.
///
/// [`Work::rate`] has work begin by a rate. What comes too early waits in line, first come, first served, without
/// holding a thread, until it is its turn. Without a [`burst`](Rate::burst) turns are spread evenly: of ten a
/// second, one comes each 100 ms. A clone is the same rate, which may be used on several pools.
///
/// A turn is taken when the work is ready to begin, by each try of a [`Retry`](crate::Retry) anew. Who is cancelled
/// leaves the line and takes none. A pool that is stopped finishes what stands in line, as it does with pauses of a
/// `Retry`; [`stop_timeout`](crate::Pool::stop_timeout) and [`stop_now`](crate::Pool::stop_now) don't. Where all
/// workers are busy, work begins later than its turn comes; a [`Limit`](crate::Limit) bounds how much begins at once
/// after that.
///
/// The turns of a deterministic pool come by its own virtual time, and are counted apart from those of all others.
///
/// `#[async_work(rate = "10/s")]` gives a function a rate of its own, and `burst = 5` that a burst.
///
/// ```
/// use std::time::Duration;
/// use asynckit::{Pool, Rate, Results, async_work};
///
/// #[async_work]
/// fn fetch(page: u32) -> String { format!("page {page}") }
///
/// let (pool, polite) = (Pool::new(8), Rate::per_second(100).burst(5));
/// let start = std::time::Instant::now();
/// let pages = (0..8).map(|page| fetch(page).rate(&polite).spawn_on(&pool)).join_all();
/// assert_eq!(pages.get()?.len(), 8);
/// assert!(start.elapsed() >= Duration::from_millis(30)); // five at once, and three more
/// # Ok::<(), asynckit::Error>(())
/// ```
#[derive(Clone)]
pub struct Rate {
    rates: Arc<Rates>,
    /// How many turns work takes.
    weight: usize,
}

impl Rate {
    /// So many a second.
    ///
    /// # Panics
    ///
    /// For 0, as such work would never begin.
    ///
    /// ```
    /// use asynckit::{Pool, Rate, work};
    ///
    /// let (pool, rate) = (Pool::new(1), Rate::per_second(1000));
    /// assert_eq!(work(|| 1).rate(&rate).spawn_on(&pool).get()?, 1);
    /// # Ok::<(), asynckit::Error>(())
    /// ```
    #[track_caller]
    pub fn per_second(count: u32) -> Rate {
        Rate::in_each(Duration::from_secs(1), count)
    }

    /// So many a minute.
    ///
    /// # Panics
    ///
    /// For 0, as such work would never begin.
    ///
    /// ```
    /// let rate = asynckit::Rate::per_minute(30);
    /// assert_eq!(rate.interval().as_secs(), 2);
    /// ```
    #[track_caller]
    pub fn per_minute(count: u32) -> Rate {
        Rate::in_each(Duration::from_secs(60), count)
    }

    /// So many an hour.
    ///
    /// # Panics
    ///
    /// For 0, as such work would never begin.
    ///
    /// ```
    /// let rate = asynckit::Rate::per_hour(1000).burst(100);
    /// assert_eq!((rate.interval().as_millis(), rate.most()), (3600, 100));
    /// ```
    #[track_caller]
    pub fn per_hour(count: u32) -> Rate {
        Rate::in_each(Duration::from_secs(3600), count)
    }

    /// One in so long.
    ///
    /// # Panics
    ///
    /// For no time at all.
    ///
    /// ```
    /// use std::time::Duration;
    /// use asynckit::{Rate, explore, work};
    ///
    /// explore(5, |pool| {
    ///     let now_and_then = Rate::every(Duration::from_secs(3600));
    ///     let twice = [1, 2].map(|n| work(move || n).rate(&now_and_then).spawn_on(pool));
    ///     assert_eq!(twice.map(|one| one.get().unwrap()), [1, 2]); // an hour of virtual time
    /// });
    /// ```
    #[track_caller]
    pub fn every(interval: Duration) -> Rate {
        assert!(!interval.is_zero(), "a rate of one in no time is none: leave it out");
        Rate::by(Pace { every: interval, burst: NonZeroU32::MIN }, Location::caller())
    }

    #[track_caller]
    fn in_each(period: Duration, count: u32) -> Rate {
        assert!(count > 0, "a rate of 0 would let no work begin");
        Rate::by(pace(period, count, NonZeroU32::MIN), Location::caller())
    }

    fn by(pace: Pace, at: &'static Location<'static>) -> Rate {
        Rate { rates: Rates::new(pace, at, None), weight: 1 }
    }

    /// As many may begin at once, after a rest that is long enough. It is a rate of its own.
    ///
    /// # Panics
    ///
    /// For 0, as no work would ever begin.
    ///
    /// ```
    /// // Five at once, and then one each 100 ms.
    /// let rate = asynckit::Rate::per_second(10).burst(5);
    /// assert_eq!(rate.most(), 5);
    /// ```
    #[must_use = "it is a rate of its own"]
    #[track_caller]
    pub fn burst(self, most: u32) -> Rate {
        let burst = NonZeroU32::new(most).expect("a burst of 0 would let no work begin");
        Rate {
            weight: self.weight,
            ..Rate::by(Pace { burst, ..self.rates.pace() }, self.rates.made_at())
        }
    }

    /// The same rate, of which work takes so many turns at once: of bytes a second, say.
    ///
    /// # Errors
    ///
    /// Work that takes more than the rate's [`burst`](Rate::burst) could never begin: it fails when it is submitted.
    ///
    /// ```
    /// use asynckit::{Pool, Rate, work};
    ///
    /// let (pool, bytes) = (Pool::new(1), Rate::per_second(1_000_000).burst(65_536));
    /// let sent = work(|| 4096).rate(&bytes.take(4096)).spawn_on(&pool);
    /// assert_eq!(sent.get()?, 4096);
    /// # Ok::<(), asynckit::Error>(())
    /// ```
    pub fn take(&self, turns: usize) -> Rate {
        Rate { rates: self.rates.clone(), weight: turns }
    }

    /// The rate of a key: as this one, and apart from it. Five a second a host, say.
    ///
    /// Each key has one, which is made when it is asked for. It is forgotten when nobody has it any more, neither as a
    /// handle nor for work, and it is as if it had never been used: a million keys leave nothing behind. Keys are
    /// compared as those of a map; keys of different types are different, but a `str` is the key that the same `String`
    /// is.
    ///
    /// ```
    /// use asynckit::{Pool, Rate, Results, async_work};
    ///
    /// #[async_work]
    /// fn fetch(host: &'static str, page: u32) -> String { format!("{host}/{page}") }
    ///
    /// let (pool, polite) = (Pool::new(8), Rate::per_second(500));
    /// let pages = (0..8).map(|n| {
    ///     let host = if n % 2 == 0 { "a.example" } else { "b.example" };
    ///     fetch(host, n).rate(&polite.of(host)).spawn_on(&pool)
    /// });
    /// assert_eq!(pages.join_all().get()?[3], "b.example/3");
    /// # Ok::<(), asynckit::Error>(())
    /// ```
    pub fn of<K>(&self, key: &K) -> Rate
    where
        K: ?Sized + Hash + Eq + ToOwned,
        K::Owned: Hash + Eq + Send + Sync + 'static,
    {
        Rate { rates: self.rates.of(key), weight: self.weight }
    }

    /// How many keys have a rate now; see [`of`](Rate::of).
    ///
    /// ```
    /// let rate = asynckit::Rate::per_second(5);
    /// let (one, other) = (rate.of(&1), rate.of(&2));
    /// assert_eq!(rate.keys(), 2);
    /// drop((one, other));
    /// assert_eq!(rate.keys(), 0);
    /// ```
    pub fn keys(&self) -> usize {
        self.rates.keys()
    }

    /// How long it takes for one more turn to come.
    ///
    /// ```
    /// assert_eq!(asynckit::Rate::per_second(10).interval().as_millis(), 100);
    /// ```
    pub fn interval(&self) -> Duration {
        self.rates.pace().every
    }

    /// How many turns may be taken at once.
    ///
    /// ```
    /// assert_eq!(asynckit::Rate::per_second(10).most(), 1);
    /// ```
    pub fn most(&self) -> usize {
        self.rates.pace().most()
    }

    /// How much work waits in line now.
    ///
    /// ```
    /// use std::time::Duration;
    /// use asynckit::{Pool, Rate, work};
    ///
    /// let (pool, rate) = (Pool::new(1), Rate::every(Duration::from_secs(3600)));
    /// let first = work(|| 1).rate(&rate).spawn_on(&pool);
    /// let second = work(|| 2).rate(&rate).spawn_on(&pool);
    /// assert_eq!((first.get()?, rate.waiting()), (1, 1));
    /// second.cancel(); // it leaves the line
    /// assert_eq!(rate.waiting(), 0);
    /// # Ok::<(), asynckit::Error>(())
    /// ```
    pub fn waiting(&self) -> usize {
        self.rates.waiting()
    }
}

/// So many in each such time.
fn pace(period: Duration, count: u32, burst: NonZeroU32) -> Pace {
    // Of more than the clock can tell apart, as many as it can.
    Pace { every: (period / count).max(Duration::from_nanos(1)), burst }
}

impl fmt::Debug for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rate")
            .field("interval", &self.interval())
            .field("burst", &self.most())
            .field("waiting", &self.waiting())
            .finish()
    }
}

impl<'w, T: Send + 'w> Work<'w, T> {
    /// The same work, which begins by a rate; see [`Rate`].
    ///
    /// It stands in line from the moment when it is submitted, also while it waits for inputs.
    /// [`run`](Work::run) in place blocks until it is its turn.
    ///
    /// ```
    /// use asynckit::{Pool, Rate, Results, async_work};
    ///
    /// #[async_work]
    /// fn fetch(page: u32) -> String { format!("page {page}") }
    ///
    /// let (pool, polite) = (Pool::new(8), Rate::per_second(200));
    /// let pages = (0..4).map(|page| fetch(page).rate(&polite).spawn_on(&pool)).join_all();
    /// assert_eq!(pages.get()?[3], "page 3");
    /// # Ok::<(), asynckit::Error>(())
    /// ```
    pub fn rate(self, rate: &Rate) -> Work<'w, T> {
        self.under(LimitedWork::new(Whose::Rate(rate.rates.clone()), rate.weight))
    }
}

/// The rate of an annotated function: `#[async_work(rate = "10/s")]`.
pub struct StaticRate {
    period: Duration,
    count: u32,
    burst: u32,
    at: &'static Location<'static>,
    rate: OnceLock<Rate>,
}

impl StaticRate {
    /// So many calls in each such time.
    ///
    /// # Panics
    ///
    /// For 0, when the program is compiled.
    #[track_caller]
    pub const fn new(count: u32, period: Duration, burst: u32) -> StaticRate {
        assert!(count > 0 && !period.is_zero(), "a rate of 0 would let no work begin");
        assert!(burst > 0, "a burst of 0 would let no work begin");
        StaticRate { period, count, burst, at: Location::caller(), rate: OnceLock::new() }
    }
}

impl Deref for StaticRate {
    type Target = Rate;

    fn deref(&self) -> &Rate {
        self.rate.get_or_init(|| {
            let burst = NonZeroU32::new(self.burst).unwrap_or(NonZeroU32::MIN);
            Rate::by(pace(self.period, self.count, burst), self.at)
        })
    }
}
