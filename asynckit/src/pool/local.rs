//! What a worker has to itself, and which worker a thread is.

use std::cell::Cell;

use crate::core::{Entry, Scoped};
use crate::pool::shared::Shared;
use crate::sync::Arc;
use crate::sync::deque::{Stealer, Worker as Deque};

/// What a worker has to itself.
pub(crate) struct Local {
    pub(super) shared: Arc<Shared>,
    /// For what its work keeps of the pool.
    pub(super) counted: Arc<CountedPool>,
    pub(super) id: usize,
    pub(super) deque: Deque<Entry>,
    /// What it has taken from outside, or from another worker's deque, many at once and in that order: its next
    /// when its own deque is empty.
    pub(super) taken: Deque<Entry>,
    pub(super) oldest: Stealer<Entry>,
    /// How often it takes its own newest before it looks elsewhere first.
    pub(super) until_turn: Cell<u32>,
    /// Whether its host is to have a turn next.
    pub(super) gives_way: Cell<bool>,
    /// What it was before it looked for work; zero where it has just run some.
    pub(super) before: Cell<u8>,
}

/// A pool, with a count of a worker's own. The pool's is one for all: were each task of each worker to count itself in
/// and out there, they would do little else than to hand it to and fro.
#[repr(align(128))]
pub(crate) struct CountedPool(pub(crate) Arc<Shared>);

crate::sync::local! {
    /// The worker that this thread is.
    static LOCAL: Scoped<Local> = const { Scoped::nothing() };
}

/// Is this worker while `f` runs.
pub(crate) fn as_local<R>(local: &Local, f: impl FnOnce() -> R) -> R {
    LOCAL.with(|here| here.lend(Some(local), f))
}

/// Shows the worker that this thread is.
#[inline]
pub(crate) fn with_local<R>(f: impl FnOnce(Option<&Local>) -> R) -> R {
    LOCAL.with(|here| here.with(f))
}

pub(crate) fn is_worker_of(pool: &Shared) -> bool {
    with_local(|local| local.is_some_and(|local| local.shared.is(pool)))
}
