//! Closures that wait for nothing.

use std::marker::PhantomData;

use super::super::cell::{
    CellKind, CellPtr, Ran, Run, Table, drop_of, job_ptr, room_of, value_ptr,
};
use super::super::here::Here;
use super::super::run;
use super::TaskOf;
use crate::error::BoxError;
use crate::observe::TaskKind;
use crate::panic;

/// What can be called once.
pub(crate) trait Callable<T> {
    fn call(self) -> Result<T, BoxError>;
}

/// A closure as a task.
pub(crate) struct Simple<C>(pub(crate) C);

struct TableOfSimple<T, C>(PhantomData<(T, C)>);

impl<T, C: Callable<T>> TableOfSimple<T, C> {
    const TABLE: Table = Table {
        run: Self::run,
        on_the_spot: run::on_the_spot,
        drop_job: Self::drop_job,
        drop_edges: |_| (),
        edges: |_, _| (),
        loans: |_, _| (),
        withdraw: |_, _| (),
        awaited: |_, _| false,
        fail_await: |_, _| (),
        failed: |_, _, _| (),
        drop_value: drop_of::<T>(),
        room: room_of::<T, Simple<C>>(),
        moves: false,
        kind: CellKind::Task,
        shown_as: TaskKind::Call,
    };

    /// # Safety
    /// The cell is of these types, and claimed.
    unsafe fn run(task: CellPtr, _: Run) -> Ran {
        // SAFETY: the caller's promise: the closure is used once.
        unsafe {
            let call = job_ptr::<T, Simple<C>>(task).read().0;
            match call.call() {
                Ok(value) => {
                    value_ptr::<T>(task).write(value);
                    Ran::Value
                }
                Err(error) => failed(task, error),
            }
        }
    }

    /// # Safety
    /// As `Table` says.
    unsafe fn drop_job(task: CellPtr, _cancelled: bool) {
        // SAFETY: the caller's promise.
        let _ = panic::contain(|| unsafe { job_ptr::<T, Simple<C>>(task).drop_in_place() });
    }
}

/// # Safety
/// The caller runs the task.
#[cold]
#[inline(never)]
unsafe fn failed(task: CellPtr, error: BoxError) -> Ran {
    // SAFETY: the caller's promise.
    unsafe { Ran::Failed(Here::new(task, false).failed(error)) }
}

// SAFETY: the table is for these types.
unsafe impl<T, C: Callable<T>> TaskOf<T> for Simple<C> {
    const INPUTS: Option<usize> = Some(0);
    const TABLE: &'static Table = &TableOfSimple::<T, C>::TABLE;
}
