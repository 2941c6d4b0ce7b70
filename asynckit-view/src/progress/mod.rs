//! How far the work is: a bar a function on a terminal, plain lines anywhere else.
//!
//! ```
//! use asynckit::{Pool, Results, async_work};
//! use asynckit_view::progress;
//!
//! #[async_work]
//! fn square(n: u64) -> u64 { n * n }
//!
//! let pool = Pool::new(2);
//! let bar = progress::bar(&pool);
//! let squares = (0..100).map(|n| square(n).spawn_on(&pool)).join_all();
//! bar.println("on the way");
//! assert_eq!(squares.get()?.len(), 100);
//! # Ok::<(), asynckit::Error>(())
//! ```
//!
//! ```text
//! download ████████████████▌───────  112/163  ✕ 2  41.2/s  1.2 s left
//! checksum ███████████████▊────────  108/161       40.9/s  1.3 s left
//! ```
//!
//! The total is what was submitted up to now, so it grows while work makes work. A call with retries, a limit, a limit
//! of time, or several of them counts once.
//!
//! # Printing meanwhile
//!
//! What a program prints while bars are drawn gets in their way. So print to standard error by
//! [`Bar::println`], and wrap all else into [`Bar::suspend`]; both are plain prints where nothing is drawn.

mod counter;
mod draw;

use std::fmt;
use std::io::Write;
use std::sync::Arc;
use std::time::Duration;

use asynckit::Pool;
use indicatif::ProgressDrawTarget;

use counter::Counter;
use draw::{Bars, Drawing, Lines};

/// How often plain lines are written.
const EVERY: Duration = Duration::from_secs(5);

/// Shows on standard error how far the work of a pool is, from now on: a bar for each function, those with most
/// calls first, with what is done and what is to do, failures, how many a second, and how long it will take.
///
/// Where standard error is no terminal, it is a line every five seconds, and one at the end.
///
/// It ends, and the bars are gone, when the pool has stopped, or when what this returns is dropped. What it costs a task,
/// `cargo bench -p asynckit-view` measures.
pub fn bar(pool: &Pool) -> Bar {
    let target = ProgressDrawTarget::stderr();
    if target.is_hidden() { lines(pool, EVERY, std::io::stderr()) } else { draw_on(pool, target) }
}

/// Writes plain lines, every so often and at the end, to where you like: a log, for example.
///
/// ```
/// use std::time::Duration;
///
/// use asynckit::Pool;
/// use asynckit_view::progress;
///
/// let pool = Pool::new(2);
/// let bar = progress::lines(&pool, Duration::from_secs(60), std::io::stdout());
/// pool.spawn(|| 5).get()?;
/// pool.stop(); // prints: [0 s] closure 1/1
/// # drop(bar);
/// # Ok::<(), asynckit::Error>(())
/// ```
pub fn lines(pool: &Pool, every: Duration, to: impl Write + Send + 'static) -> Bar {
    start(pool, Box::new(Lines::new(every, to)))
}

fn draw_on(pool: &Pool, target: ProgressDrawTarget) -> Bar {
    start(pool, Box::new(Bars::new(target)))
}

fn start(pool: &Pool, drawing: Box<dyn Drawing>) -> Bar {
    let counter = Counter::new();
    let print = drawing.printer();
    counter.start(drawing);
    pool.observe(counter.clone());
    Bar { counter, print }
}

/// Progress that is shown until this is dropped, or the pool has stopped.
#[must_use = "the bar is gone when this is dropped"]
pub struct Bar {
    counter: Arc<Counter>,
    print: draw::Printer,
}

impl Bar {
    /// Prints a line to standard error, above the bars; where [`lines`] go elsewhere, it goes there.
    pub fn println(&self, line: impl AsRef<str>) {
        self.print.println(line.as_ref());
    }

    /// Takes the bars away while this runs, so that it may print.
    pub fn suspend<R>(&self, print: impl FnOnce() -> R) -> R {
        self.print.suspend(print)
    }

    /// Ends it, as dropping it does: the last is shown, and the bars are gone.
    pub fn finish(&self) {
        self.counter.end();
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        self.finish();
    }
}

impl fmt::Debug for Bar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Bar").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
