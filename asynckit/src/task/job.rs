//! What a cell has to do: the interface between a cell and its closure and inputs.

use super::edge::VisitEdges;
use super::header::Header;
use crate::error::Error;
use crate::future::Sleep;

/// What a run of a job comes to.
pub(crate) enum Step<T> {
    Done(Result<T, Error>),
    /// Likewise, and nothing is left of closure and inputs.
    UsedUp(Result<T, Error>),
    /// The work returned a result. The job has an edge to it now, and is run once more when that
    /// is set.
    Forwards,
    /// A future is pending, and its waker runs the job once more.
    Pending,
}

/// The work of a cell.
///
/// A job is lent as `&`, to one thread at a time: the protocol of `state.rs` gives `run`,
/// `withdraw` and `release` to whoever has claimed or seized the task, and `edges` and `sleep` also to its visitors. So it
/// keeps what it uses up in `Cell`s.
pub(crate) trait Job<T> {
    /// Whether it runs to its end whenever and wherever it is called: no inputs, no future.
    const SIMPLE: bool;
    /// Whether it may wait for inputs before it runs.
    const WAITS: bool = false;
    /// Whether it runs on the thread that makes it ready, without a queue.
    const IMMEDIATE: bool = false;
    /// Whether inputs that nobody else needs are cancelled where it fails.
    const CANCELS: bool = false;
    /// Whether it goes on working with a result that it waited for. Otherwise that stands for its
    /// own, and is handed on on the spot.
    const CONTINUES: bool = false;
    /// Whether it ends by itself, after a time: what waits for it does not do so for ever.
    const TIMED: bool = false;
    /// Whether no work sets the result, but the program.
    const BY_HAND: bool = false;
    /// Whether any of the user's handles may set the result.
    const MANUAL: bool = false;
    /// Whether the value may borrow, though the cell has no place in a scope.
    const OF_SCOPE: bool = false;

    /// Shows the edges; those that are released may be shown or not.
    fn edges(&self, _visit: VisitEdges<'_>) {}

    /// Does the work, as a task.
    fn run(&self, task: &Header) -> Step<T>;

    /// Does the work on a thread that waits for it, to its end.
    fn run_in_place(&self, task: &Header) -> Step<T> {
        self.run(task)
    }

    /// What is known of it while its future is pending.
    fn sleep(&self) -> Option<&Sleep> {
        None
    }

    /// Lets go of what others wait for: inputs, a place in line. Calls no foreign code. Where it is to be
    /// `release`d soon.
    fn withdraw(&self, cancelled: bool) {
        self.edges(&mut |edge| edge.release(cancelled));
    }

    /// Drops closure and inputs, as far as they are still there.
    fn release(&self, cancelled: bool);
}
