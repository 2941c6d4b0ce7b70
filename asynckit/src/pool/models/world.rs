//! What the models share: a pool, ways to submit to it and to wait, and gates.

use std::panic::Location;
use std::sync::PoisonError;

use crate::core::{
    self, Body, CallWithInputs, Callable, Closure, Here, Inputs, LIVE, Outcome, Owner, Simple,
};
use crate::error::{BoxError, Error, ErrorKind, Hop};
use crate::pool::goal::Set;
use crate::pool::handle::Pool;
use crate::pool::spawn;
use crate::pool::wait::wait;
use crate::sync::Ordering::SeqCst;
use crate::sync::loom::{self, Bounds, FENCES, LIGHT};
use crate::sync::{Arc, Condvar, Mutex, lock};

struct Calls<F>(F);

impl<T, F: FnOnce() -> T> Callable<T> for Calls<F> {
    fn call(self) -> Result<T, BoxError> {
        Ok((self.0)())
    }
}

pub(super) fn hop() -> Hop {
    Hop::here(&"pool::model")
}

pub(super) fn submit<T: Send + 'static>(
    pool: &Pool,
    f: impl FnOnce() -> T + Send + 'static,
) -> Owner<T> {
    spawn::on_pool(pool.shared(), hop(), Simple(Calls(f)))
}

/// Submits work that waits for inputs.
pub(super) fn call<L: Inputs, T: Send + 'static>(
    pool: &Pool,
    inputs: L,
    f: impl FnOnce(L::Values) -> T + Send + 'static,
) -> Owner<T> {
    fn closure<V, T, B: Body<V, Outcome<T>> + Send + 'static>(
        body: B,
    ) -> Closure<'static, V, Outcome<T>, B> {
        Closure::new(body)
    }
    let call = move |_: &Here<'_>, values: L::Values| Outcome::Done(Ok(f(values)));
    spawn::on_pool(pool.shared(), hop(), CallWithInputs::new(inputs, closure(call)))
}

/// Waits for a result, from outside or within work.
pub(super) fn await_set<T>(owner: &Owner<T>) {
    let reached = wait(&Set(&[owner.reference()]), None, Location::caller());
    assert!(reached.is_ok_and(|reached| reached), "the wait has failed");
}

pub(super) fn was_stopped<T>(outcome: &Result<T, Error>) -> bool {
    outcome.as_ref().is_err_and(|error| error.kind() == ErrorKind::Stopped)
}

/// With so many workers, all of which sleep.
pub(super) fn pool(workers: usize) -> Pool {
    let pool = Pool::builder().workers(workers).build().unwrap();
    pool.run_until_idle();
    pool
}

/// Where threads wait for each other, and no pool knows.
#[derive(Clone)]
pub(super) struct Gate(Arc<(Mutex<bool>, Condvar)>);

impl Gate {
    pub(super) fn new() -> Gate {
        Gate(Arc::new((Mutex::new(false), Condvar::new())))
    }

    pub(super) fn open(&self) {
        let mut open = lock(&self.0.0);
        *open = true;
        self.0.1.notify_all();
    }

    pub(super) fn pass(&self) {
        let mut open = lock(&self.0.0);
        while !*open {
            open = self.0.1.wait(open).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

/// Work that is under way, up to here.
pub(super) fn begun(pool: &Pool, goes_on: impl FnOnce() + Send + 'static) -> (Owner<()>, Gate) {
    let (here, go) = (Gate::new(), Gate::new());
    let (its_here, its_go) = (here.clone(), go.clone());
    let task = submit(pool, move || {
        its_here.open();
        its_go.pass();
        goes_on();
    });
    here.pass();
    (task, go)
}

/// What is explored.
pub(super) fn explored<R>(f: impl FnOnce() -> R) -> R {
    ::loom::explore();
    let result = f();
    ::loom::stop_exploring();
    result
}

/// For most models. More interruptions, where loads read what is old, would take minutes.
pub(super) const USUAL: Bounds = Bounds { unseen: 1, seen: 2, in_part: true };
/// For those of few steps.
pub(super) const THOROUGH: Bounds = Bounds { unseen: 2, seen: 2, in_part: true };
/// For those of many.
pub(super) const BRIEF: Bounds = Bounds { unseen: 1, seen: 1, in_part: true };

/// Each order of what is `explored`, where those who go to sleep fence for those who submit. No cell may be left, and no
/// thread.
pub(super) fn model(bounds: Bounds, f: impl Fn() + Sync + Send + 'static) {
    LIGHT.set(true);
    model_where_all_fence(bounds, f);
    LIGHT.set(false);
}

/// Likewise, where all of them fence.
pub(super) fn model_where_all_fence(bounds: Bounds, f: impl Fn() + Sync + Send + 'static) {
    FENCES.set(true);
    loom::model(bounds, move || {
        let before = LIVE.load(SeqCst);
        f();
        core::drain();
        assert_eq!(LIVE.load(SeqCst), before, "cells that are left");
    });
    FENCES.set(false);
}
