//! Pools on somebody else's threads.

use std::collections::VecDeque;
use std::sync::PoisonError;

use super::world::{BRIEF, await_set, explored, model, submit};
use crate::pool::config::{Call, Host};
use crate::pool::handle::Pool;
use crate::sync::{Arc, Condvar, Mutex, lock, thread};

/// A host with one thread.
#[derive(Clone, Default)]
struct OneThread(Arc<(Mutex<Calls>, Condvar)>);

#[derive(Default)]
struct Calls {
    queued: VecDeque<Call>,
    is_over: bool,
}

impl OneThread {
    fn start(&self) -> thread::JoinHandle<()> {
        let its = self.clone();
        thread::spawn(move || {
            while let Some(call) = its.next() {
                call();
            }
        })
    }

    fn next(&self) -> Option<Call> {
        let mut calls = lock(&self.0.0);
        while calls.queued.is_empty() && !calls.is_over {
            calls = self.0.1.wait(calls).unwrap_or_else(PoisonError::into_inner);
        }
        calls.queued.pop_front()
    }

    fn end(&self) {
        lock(&self.0.0).is_over = true;
        self.0.1.notify_all();
    }
}

impl Host for OneThread {
    fn call(&self, call: Call) {
        lock(&self.0.0).queued.push_back(call);
        self.0.1.notify_all();
    }

    fn has_spares(&self) -> bool {
        true
    }

    fn is_here(&self) -> bool {
        false
    }

    fn give_way(&self) {}
}

/// Work is queued while the only worker has done something, finds nothing more and goes home.
#[test]
fn a_worker_that_goes_home() {
    model(BRIEF, || {
        let host = OneThread::default();
        let thread = host.start();
        let mut builder = Pool::builder().workers(1);
        builder.config.host = Some(Arc::new(host.clone()));
        let pool = builder.build().unwrap();
        explored(|| {
            let first = submit(&pool, || ());
            await_set(&first);
            let second = submit(&pool, || ());
            await_set(&second);
        });
        drop(pool);
        host.end();
        thread.join().unwrap();
    });
}
