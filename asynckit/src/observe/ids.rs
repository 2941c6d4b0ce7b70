//! What events call things by: numbers of tasks, pools, limits and callbacks; rows.

use std::cell::{Cell, OnceCell};
use std::fmt;
use std::num::NonZeroU64;
use std::panic::Location;
use std::time::Duration;

use crate::sync::{Arc, Ordering, StaticCounter, thread};

/// So many numbers of tasks or of callbacks a thread takes at once, so that threads seldom meet.
const BLOCK: u64 = 256;

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident)*) => {$(
        $(#[$doc])*
        ///
        /// No two in a process are the same, whatever pools there are. Numbers of one kind ascend with time
        /// only on one thread, and have gaps.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(NonZeroU64);

        impl $name {
            /// The number, which is never zero.
            pub fn get(self) -> u64 {
                self.0.get()
            }

            fn of(number: u64) -> $name {
                $name(NonZeroU64::new(number).unwrap_or(NonZeroU64::MAX))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self.0)
            }
        }
    )*};
}

ids! {
    /// One task.
    TaskId
    /// One pool.
    PoolId
    /// One [`Limit`](crate::Limit), with all its clones.
    LimitId
    /// One callback of [`on_set`](crate::AsyncResult::on_set).
    CallbackId
    /// One [`Row`].
    RowId
}

macro_rules! numbered {
    ($($name:ident)*) => {$(
        impl $name {
            pub(crate) fn next() -> $name {
                static LAST: StaticCounter = StaticCounter::new(0);
                $name::of(LAST.fetch_add(1, Ordering::Relaxed) + 1)
            }
        }
    )*};
}
numbered!(PoolId LimitId RowId);

/// Of these there are so many that all threads would be at one counter.
macro_rules! numbered_in_blocks {
    ($($name:ident)*) => {$(
        impl $name {
            #[inline]
            pub(crate) fn next() -> $name {
                static BLOCKS: StaticCounter = StaticCounter::new(0);
                thread_local! {
                    /// The next number that this thread has taken, and the first that is not its own.
                    static OWN: Cell<(u64, u64)> = const { Cell::new((0, 0)) };
                }
                let (mut next, mut end) = OWN.get();
                if next == end {
                    next = BLOCKS.fetch_add(1, Ordering::Relaxed) * BLOCK + 1;
                    end = next + BLOCK;
                }
                OWN.set((next + 1, end));
                $name::of(next)
            }
        }
    )*};
}
numbered_in_blocks!(TaskId CallbackId);

impl PoolId {
    /// Of what has no pool.
    pub(super) fn none() -> PoolId {
        PoolId(NonZeroU64::MAX)
    }
}

thread_local! {
    static ROW: OnceCell<Row> = const { OnceCell::new() };
}

/// What a result comes from that is needed or waited for.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[non_exhaustive]
pub enum Need {
    /// A task that the observer was told of, or could have been.
    Task(TaskId),
    /// Anything else: a result that the program sets, or a task that nobody looked on to when it was submitted.
    Outside,
}

impl Need {
    /// The task, if it is one.
    pub fn task(self) -> Option<TaskId> {
        match self {
            Need::Task(task) => Some(task),
            Need::Outside => None,
        }
    }
}

/// What there is to know of a limit.
#[derive(Clone, Copy)]
pub(crate) struct LimitFacts {
    pub(crate) id: LimitId,
    pub(crate) most: usize,
    /// How long it takes for one more, where time brings them.
    pub(crate) every: Option<Duration>,
    pub(crate) made_at: &'static Location<'static>,
}

/// Where something happens: a thread, or whatever else runs work one piece at a time.
///
/// A clone is the same row.
#[derive(Clone)]
pub struct Row(Arc<RowInner>);

struct RowInner {
    id: RowId,
    kind: RowKind,
    name: Box<str>,
}

/// What a [`Row`] is.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[non_exhaustive]
pub enum RowKind {
    /// A thread that a pool has started.
    Worker,
    /// A thread of rayon's or tokio's that works for a pool.
    Host,
    /// Any other thread of the program: it submits, sets results, and does the work of pools that have nobody
    /// else for it.
    Program,
    /// No thread of this process: whoever carries work elsewhere says where.
    Elsewhere,
}

impl Row {
    /// A row that is no thread of this process.
    ///
    /// ```
    /// use asynckit::observe::{Row, RowKind};
    ///
    /// let row = Row::elsewhere("machine 7");
    /// assert_eq!((row.name(), row.kind()), ("machine 7", RowKind::Elsewhere));
    /// ```
    pub fn elsewhere(name: &str) -> Row {
        Row::new(RowKind::Elsewhere, name)
    }

    fn new(kind: RowKind, name: &str) -> Row {
        Row(Arc::new(RowInner { id: RowId::next(), kind, name: name.into() }))
    }

    /// The calling thread's.
    ///
    /// ```
    /// use asynckit::observe::Row;
    ///
    /// assert_eq!(Row::here().id(), Row::here().id());
    /// ```
    pub fn here() -> Row {
        Row::with_here(Row::clone).unwrap_or_else(Row::of_program)
    }

    /// Shows the calling thread's, where that has one still.
    #[inline(always)]
    pub(crate) fn with_here<R>(show: impl FnOnce(&Row) -> R) -> Option<R> {
        ROW.try_with(|row| show(row.get_or_init(Row::of_program))).ok()
    }

    /// Shows a new one.
    #[cold]
    #[inline(never)]
    pub(crate) fn with_new<R>(show: impl FnOnce(&Row) -> R) -> R {
        show(&Row::of_program())
    }

    #[cold]
    #[inline(never)]
    fn of_program() -> Row {
        Row::of_thread(RowKind::Program)
    }

    /// What this thread is from now on, if nothing is known of it yet.
    pub(crate) fn begin(kind: RowKind) {
        let _ = ROW.try_with(|row| row.get_or_init(|| Row::of_thread(kind)).id());
    }

    fn of_thread(kind: RowKind) -> Row {
        match thread::current().name() {
            Some(name) => Row::new(kind, name),
            None => Row::new(kind, "a thread without a name"),
        }
    }

    /// Its number.
    pub fn id(&self) -> RowId {
        self.0.id
    }

    /// What it is.
    pub fn kind(&self) -> RowKind {
        self.0.kind
    }

    /// A thread's name: of a worker that of the pool and a number (`asynckit-3`).
    pub fn name(&self) -> &str {
        &self.0.name
    }
}

impl fmt::Debug for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let RowInner { id, kind, name } = &*self.0;
        f.debug_struct("Row").field("id", id).field("kind", kind).field("name", name).finish()
    }
}
