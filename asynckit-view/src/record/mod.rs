//! Recordings: from a pool's events to a [`Run`].

mod assemble;
mod beyond;
mod callbacks;
mod entry;
mod failures;
mod limits;
mod log;
mod mine;
mod observer;
mod read;
mod recorder;
mod rows;
mod texts;
mod written;

use std::fmt;
use std::path::Path;
use std::sync::Arc;
use std::time::SystemTime;

use asynckit::Pool;
use asynckit::observe::Observer;

use crate::run::Run;
use recorder::Recorder;

/// Records what a pool does, from now until [`finish`](Recording::finish).
///
/// ```
/// use asynckit::{Pool, async_work, chain};
/// use asynckit_view::Recording;
///
/// #[async_work]
/// fn load(n: u64) -> u64 { n }
/// #[async_work]
/// fn add(a: u64, b: u64) -> u64 { a + b }
///
/// let pool = Pool::new(2);
/// let recording = Recording::of(&pool);
/// chain!(&pool, add(load(1), load(2))).get()?;
/// let run = recording.finish();
/// assert_eq!(run.tasks(), 3);
/// run.save_html(std::env::temp_dir().join("sums.html"))?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # What it costs
///
/// A recorded task takes 16 to 36 bytes, and 2 to 4 more for each of its inputs; a wait, a suspension or a
/// place in a limit's line takes 8 to 24 more. What is around a call is written, too: one with a limit of time takes 50
/// bytes or so, one under a [`Limit`](asynckit::Limit) 70, and 85 if it stood in line. No thread waits for another one. A recording
/// has room for [`limit`](Recording::limit) tasks. Of those that come later it counts, by function, how many there were, how
/// many failed and how long they ran.
///
/// Whatever happens, it takes no more than 256 bytes a task of its limit, what begins and ends of tasks take (about 28),
/// and some 100 bytes a callback, of which it keeps as many as tasks. Beside that, each thread that tells of the pool's work at the
/// same time as others takes some 200 bytes, and texts of failures and notes, each cut at 4 KiB, are kept until all
/// of them take 256 bytes a task of the limit, or 64 KiB if that is more.
///
/// When it is over its memory is free, but for a few KiB that the pool keeps to its own end, and its pool's tasks cost no more
/// than those of a pool that nobody looks on to.
pub struct Recording {
    recorder: Arc<Recorder>,
    name: Option<String>,
}

/// The tasks that a recording has room for, unless said otherwise.
const LIMIT: usize = 200_000;

impl Recording {
    /// Records what is submitted to this pool from now on.
    pub fn of(pool: &Pool) -> Recording {
        let recording = Recording::new();
        pool.observe(recording.observer());
        recording
    }

    /// A recording that looks on to nothing yet: for [`PoolBuilder::observer`](asynckit::PoolBuilder::observer),
    /// so that it sees the pool from its beginning.
    ///
    /// ```
    /// use asynckit::Pool;
    /// use asynckit_view::Recording;
    ///
    /// let recording = Recording::new();
    /// let pool = Pool::builder().workers(2).observer(recording.observer()).build()?;
    /// pool.spawn(|| 5).get()?;
    /// assert_eq!(recording.finish().tasks(), 1);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[allow(clippy::new_without_default, reason = "a recording of nothing is no good default")]
    pub fn new() -> Recording {
        Recording { recorder: Recorder::new(LIMIT), name: None }
    }

    /// What a pool tells of its work. It is meant for one pool.
    pub fn observer(&self) -> impl Observer + use<> {
        self.recorder.clone()
    }

    /// Records so many tasks in full, instead of 200,000. Of later ones only counts are kept.
    ///
    /// ```
    /// use asynckit::{Pool, Results};
    /// use asynckit_view::Recording;
    ///
    /// let pool = Pool::deterministic(1);
    /// let recording = Recording::of(&pool).limit(10);
    /// (0..25).map(|n| pool.spawn(move || n)).join_all().get()?;
    /// let run = recording.finish();
    /// assert_eq!((run.tasks(), run.beyond()), (10, 15));
    /// # Ok::<(), asynckit::Error>(())
    /// ```
    #[must_use]
    pub fn limit(self, tasks: usize) -> Recording {
        self.recorder.set_limit(tasks);
        self
    }

    /// What the run is called at the head of its page, instead of the program's name.
    #[must_use]
    pub fn name(mut self, name: impl Into<String>) -> Recording {
        self.name = Some(name.into());
        self
    }

    /// What was recorded up to now. The recording goes on.
    pub fn so_far(&self) -> Run {
        let mut model = assemble::model(&self.recorder);
        let mut arguments = std::env::args_os().map(|argument| argument.display().to_string());
        let program = arguments.next().unwrap_or_default();
        let program = Path::new(&program).file_stem().unwrap_or_default().display().to_string();
        model.command =
            std::iter::once(program.clone()).chain(arguments).collect::<Vec<_>>().join(" ");
        model.name = self.name.clone().unwrap_or(program);
        model.recorded = if self.recorder.pool().is_virtual {
            // The same run shall give the same page, whenever that is.
            "virtual time".to_owned()
        } else {
            humantime::format_rfc3339_seconds(SystemTime::now())
                .to_string()
                .replace(['T', 'Z'], " ")
                + "UTC"
        };
        Run::new(model)
    }

    /// Ends the recording. What has not ended is marked as still running.
    pub fn finish(self) -> Run {
        let run = self.so_far();
        self.recorder.end();
        run
    }

    /// Bytes of memory that the recording takes while it goes on, without its texts and callbacks.
    pub fn memory(&self) -> usize {
        self.recorder.memory()
    }

    /// Has this called when the pool has stopped.
    pub(crate) fn at_stop(&self, then: impl Fn() + Send + Sync + 'static) {
        let _ = self.recorder.at_stop.set(Box::new(then));
    }
}

/// Nothing is recorded any more.
impl Drop for Recording {
    fn drop(&mut self) {
        self.recorder.end();
    }
}

impl fmt::Debug for Recording {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Recording { recorder: _, name } = self;
        f.debug_struct("Recording")
            .field("name", name)
            .field("memory", &self.memory())
            .finish_non_exhaustive()
    }
}
