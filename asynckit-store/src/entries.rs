//! What one gets to see of what is kept.

use std::fmt;
use std::time::Duration;

use crate::disk::Row;
use crate::record::since;

/// A value that is kept.
///
/// ```
/// # use asynckit_store::Store;
/// let folder = tempfile::tempdir()?;
/// let store = Store::open(folder.path().join("results.redb"))?;
/// for entry in store.entries()? {
///     println!("{entry}"); // transcribe (src/main.rs:31): 12 kB, 2 h old, used 3 times
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Entry {
    row: Box<EntryOf>,
}

#[derive(Clone, Debug)]
struct EntryOf {
    function: String,
    at: String,
    size: u64,
    age: Duration,
    unused: Duration,
    took: Duration,
    hits: u64,
}

impl Entry {
    pub(crate) fn of(row: Row) -> Entry {
        Entry {
            row: Box::new(EntryOf {
                size: row.note.size,
                age: row.note.age(),
                unused: since(row.used.last),
                took: Duration::from_micros(row.note.took),
                hits: row.used.hits,
                function: row.function.path,
                at: row.note.at,
            }),
        }
    }

    /// The function, as `module::function`.
    pub fn function(&self) -> &str {
        &self.row.function
    }

    /// Where it was called, as `file:line`.
    pub fn at(&self) -> &str {
        &self.row.at
    }

    /// How many bytes it takes.
    pub fn size(&self) -> u64 {
        self.row.size
    }

    /// How long ago it was computed.
    pub fn age(&self) -> Duration {
        self.row.age
    }

    /// How long ago it was used, or computed.
    pub fn unused(&self) -> Duration {
        self.row.unused
    }

    /// How long it took to compute it, waiting included.
    pub fn took(&self) -> Duration {
        self.row.took
    }

    /// How often it was used since.
    pub fn hits(&self) -> u64 {
        self.row.hits
    }
}

impl fmt::Display for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let EntryOf { function, at, size, age, hits, .. } = &*self.row;
        let (size, age) = (Size(*size), Time(*age));
        write!(f, "{function} ({at}): {size}, {age} old, used {hits} times")
    }
}

/// What a store has done since it was opened.
///
/// ```
/// use std::time::Duration;
/// use asynckit_store::Stats;
///
/// let stats = Stats { hits: 480, misses: 20, saved: Duration::from_secs(200) };
/// assert_eq!(stats.to_string(), "kept: 480 of 500, saved 3 min 20 s");
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// Calls whose values were there.
    pub hits: u64,
    /// Calls that were computed.
    pub misses: u64,
    /// How long it had taken to compute what was there.
    pub saved: Duration,
}

impl fmt::Display for Stats {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Stats { hits, misses, saved } = self;
        write!(f, "kept: {hits} of {}, saved {}", hits + misses, Time(*saved))
    }
}

struct Time(Duration);

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.0.as_secs();
        match seconds {
            0 => write!(f, "{} ms", self.0.as_millis()),
            1..60 => write!(f, "{seconds} s"),
            60..3600 => write!(f, "{} min {} s", seconds / 60, seconds % 60),
            3600..86_400 => write!(f, "{} h {} min", seconds / 3600, seconds / 60 % 60),
            _ => write!(f, "{} d {} h", seconds / 86_400, seconds / 3600 % 24),
        }
    }
}

struct Size(u64);

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            size @ 0..1000 => write!(f, "{size} B"),
            size @ 1000..1_000_000 => write!(f, "{} kB", size / 1000),
            size @ 1_000_000..1_000_000_000 => write!(f, "{} MB", size / 1_000_000),
            size => write!(f, "{} GB", size / 1_000_000_000),
        }
    }
}
