//! Priorities: which of the work that is ready begins first.

use crate::sync::Arc;
use crate::terms::counts::{Counted, PASSED_ON};

/// Which work begins first, where more is ready than there are threads: a hint.
///
/// [`Work::priority`](crate::Work::priority) gives it to some work, [`Priority::on`] to all that is submitted by a
/// spawner, and `#[async_work(priority = "low")]` to a function. What such work submits while it runs has the same,
/// unless it says otherwise, to whichever pool or scope. Without any, work is `Normal`.
///
/// Nothing is interrupted, and nothing starves. A worker that looks for work takes `High` before `Normal` before `Low`
/// work; but of any four pieces that it takes one is not `High`, as long as there is such, and of any 16 one is `Low`
/// where that waits. (What becomes ready by the end of a task may follow it at once, up to 64 in a row.) Work that a
/// waiting thread needs is begun whatever its priority. As long as all queued work is `Normal`, nothing is
/// looked at.
///
/// ```
/// use asynckit::{Pool, Priority, work};
///
/// let pool = Pool::new(2);
/// let background = Priority::Low.on(&pool);
/// let index = background.spawn(|| 40); // begins when nothing else is to be done
/// let click = work(|| 2).priority(Priority::High).spawn_on(&pool);
/// assert_eq!(click.get()? + index.get()?, 42);
/// # Ok::<(), asynckit::Error>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub enum Priority {
    /// After all else.
    Low,
    /// As work that has none.
    #[default]
    Normal,
    /// Before all else.
    High,
}

/// Of so many pieces of work that are taken, one is of the usual priority or less.
const NOT_HIGH: u32 = 4;
/// Of so many one is low.
const LOW: u32 = 16;

impl Priority {
    /// In what order to look, when so many pieces of work have been taken before.
    pub(crate) fn order(taken: u32) -> [Priority; 3] {
        use Priority::{High, Low, Normal};
        if taken % LOW == LOW - 1 {
            [Low, Normal, High]
        } else if taken % NOT_HIGH == NOT_HIGH - 1 {
            [Normal, High, Low]
        } else {
            [High, Normal, Low]
        }
    }
}

/// The priority of a place, which goes on to what its work submits.
#[derive(Clone)]
pub(crate) struct Rank(
    Priority,
    #[expect(dead_code, reason = "it is there to be dropped")] Arc<Counted>,
);

impl Rank {
    pub(crate) fn new(priority: Priority) -> Rank {
        Rank(priority, Arc::new(PASSED_ON.counted()))
    }

    pub(crate) fn priority(&self) -> Priority {
        self.0
    }
}
