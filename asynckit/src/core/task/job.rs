//! Work that does more than to call a closure once.

use std::marker::PhantomData;

use super::super::cell::{
    CellKind, CellPtr, Ran, Run, Table, drop_of, job_ptr, room_of, value_ptr,
};
use super::super::handle::TaskRef;
use super::super::here::Here;
use super::super::inputs::VisitEdges;
use super::super::run;
use super::super::wish;
use super::TaskOf;
use crate::error::Error;
use crate::observe::TaskKind;
use crate::panic;

/// What a run of a job comes to.
pub(crate) enum JobStep<T> {
    Done(Result<T, Error>),
    /// The job has an edge now to a result that it waits for, and is run once more when that is set. `last`: that
    /// result stands for its own, so that nothing but handing it on is left.
    Waits {
        last: bool,
    },
    /// A future is pending, and its waker runs the job once more.
    Pending,
}

/// Work that does more than to call a closure once.
///
/// A job is lent as `&`, to one thread at a time: to whoever has claimed or seized the task, and `edges` also
/// to its visitors. So it keeps what it uses up in `Cell`s.
pub(crate) trait Job<T> {
    /// Whether it is done on the spot, rather than on a worker.
    const IMMEDIATE: bool = false;
    /// Whether it ends by itself, after a time.
    const TIMED: bool = false;
    /// What it is for those who look on.
    const SHOWN_AS: TaskKind = TaskKind::Around;

    /// Shows the edges; those that have let go may be shown or not.
    fn edges(&self, _visit: VisitEdges<'_>) {}

    /// Does the work, as a task.
    fn run(&self, here: &Here<'_>) -> JobStep<T>;

    /// Does the work on a thread that waits for it, to its end.
    fn run_in_place(&self, here: &Here<'_>) -> Result<T, Error>;

    /// The results of which it awaits one, while it is suspended and nothing else can wake it.
    fn awaited(&self) -> Option<Vec<TaskRef>> {
        None
    }

    /// Has one of these awaits fail, when it is run once more.
    fn fail_await(&self, _error: Error) {}

    /// Lets go of what others wait for: inputs, a place in line. Where it will not run, and is to be
    /// `release`d soon.
    fn withdraw(&self, cancelled: bool) {
        // SAFETY: whoever withdraws a job disposes of it.
        self.edges(&mut |edge| unsafe { wish::let_go(edge, cancelled) });
    }

    /// Drops closure and inputs, as far as they are still there.
    fn release(&self, cancelled: bool);
}

/// A job as a task.
pub(crate) struct Jobbed<J>(pub(crate) J);

struct TableOfJob<T, J>(PhantomData<(T, J)>);

impl<T, J: Job<T>> TableOfJob<T, J> {
    const TABLE: Table = Table {
        run: Self::run,
        on_the_spot: run::on_the_spot,
        drop_job: Self::drop_job,
        drop_edges: Self::drop_edges,
        edges: Self::edges,
        loans: |_, _| (),
        withdraw: Self::withdraw,
        awaited: Self::awaited,
        fail_await: Self::fail_await,
        failed: |_, _, _| (),
        drop_value: drop_of::<T>(),
        room: room_of::<T, Jobbed<J>>(),
        moves: true,
        kind: if J::TIMED { CellKind::Timed } else { CellKind::Task },
        shown_as: J::SHOWN_AS,
    };

    /// # Safety
    /// The cell is of these types, and what is done with its job is the caller's to do.
    unsafe fn job<'a>(task: CellPtr) -> &'a J {
        // SAFETY: the caller's promise.
        unsafe { &(*job_ptr::<T, Jobbed<J>>(task)).0 }
    }

    /// # Safety
    /// As `Table` says.
    unsafe fn run(task: CellPtr, how: Run) -> Ran {
        let in_place = how == Run::InPlace;
        // SAFETY: the caller's promise.
        let (job, here) = unsafe { (Self::job(task), Here::new(task, in_place)) };
        // SAFETY: the caller has the claim where the task is not run in place; a job's edges stay where they are.
        if how == Run::Plain && !unsafe { wish::loans_are_over(task) } {
            return Ran::Lent;
        }
        let step = panic::catch(|| match in_place {
            false => job.run(&here),
            true => JobStep::Done(job.run_in_place(&here)),
        });
        match step {
            Ok(JobStep::Done(Ok(value))) => {
                // SAFETY: the caller has the claim, so that the place of the value is its to write, once; and the cell is
                // of a `T`.
                unsafe { value_ptr::<T>(task).write(value) };
                Ran::Over
            }
            Ok(JobStep::Done(Err(error))) => Ran::OverFailed(error),
            Ok(JobStep::Waits { last: false }) => Ran::Waits,
            Ok(JobStep::Waits { last: true }) => Ran::WaitsLast,
            Ok(JobStep::Pending) => Ran::Pending,
            Err(payload) => Ran::OverFailed(Error::panicked(here.hop(), payload, here.hook())),
        }
    }

    /// # Safety
    /// As `Table` says.
    unsafe fn withdraw(task: CellPtr, cancelled: bool) {
        // SAFETY: the caller's promise.
        let job = unsafe {
            task.as_ref().state.mark_deaf();
            Self::job(task)
        };
        while panic::contain(|| job.withdraw(cancelled)).is_none() {}
    }

    /// # Safety
    /// As `Table` says.
    unsafe fn awaited(task: CellPtr, show: &mut dyn FnMut(CellPtr)) -> bool {
        // SAFETY: the caller's promise.
        let awaited = unsafe { Self::job(task) }.awaited();
        awaited.iter().flatten().for_each(|one| show(one.raw()));
        awaited.is_some()
    }

    /// # Safety
    /// As `Table` says.
    unsafe fn fail_await(task: CellPtr, error: Error) {
        // SAFETY: the caller's promise.
        unsafe { Self::job(task) }.fail_await(error);
    }

    /// # Safety
    /// As `Table` says.
    unsafe fn drop_job(task: CellPtr, cancelled: bool) {
        // SAFETY: the caller's promise.
        let job = unsafe { Self::job(task) };
        // A drop that panics must not keep the rest from being dropped: each part is taken out before it is
        // dropped, so that every round gets further.
        while panic::contain(|| job.release(cancelled)).is_none() {}
    }

    /// # Safety
    /// As `Table` says.
    unsafe fn drop_edges(task: CellPtr) {
        // SAFETY: the caller's promise.
        let _ = panic::contain(|| unsafe { job_ptr::<T, Jobbed<J>>(task).drop_in_place() });
    }

    /// # Safety
    /// As `Table` says.
    unsafe fn edges(task: CellPtr, visit: VisitEdges<'_>) {
        // SAFETY: the caller's promise.
        unsafe { Self::job(task) }.edges(visit);
    }
}

// SAFETY: the table is for these types.
unsafe impl<T, J: Job<T>> TaskOf<T> for Jobbed<J> {
    const INPUTS: Option<usize> = Some(0);
    const SLEEPS: bool = true;
    const TABLE: &'static Table = &TableOfJob::<T, J>::TABLE;
}
