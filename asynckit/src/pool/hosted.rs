//! Pools on somebody else's threads.
//!
//! A *hosted* pool starts no workers of its own. When work is queued and fewer workers are there
//! than wanted, it asks its *host* to call one; that is a worker like any other, but it leaves
//! where another one would go to sleep, so that the thread goes back to its owner. All else is as
//! in any pool: spares, waits, stops.
//!
//! *Named race, "the last look":* work is queued while a worker leaves. The worker counts itself
//! out, fences, and looks at the queues once more; the submitter queues, and then looks
//! whether workers are missing. One of them sees the other: it is "the short pool" of `block.rs`, where a
//! hosted pool counts as short whenever a worker is missing.

use std::time::Duration;

use crate::observe::{Row, RowKind};
use crate::pool::config::Host;
use crate::pool::shared::Shared;
use crate::pool::sleep::Idle;
use crate::pool::threads::Threads;
use crate::pool::{context, life};
use crate::sync::{Arc, weakened};
use crate::terms::Timers;

/// A worker that a host was asked for, whether it comes or not.
struct Asked(Option<Arc<Shared>>);

impl Asked {
    fn comes(mut self) {
        let Some(shared) = self.0.take() else { return };
        let mut threads = shared.threads();
        threads.asked -= 1;
        if context::works_for(&shared) || shared.host().is_some_and(|host| host.is_nested()) {
            // Work of the pool waits here for the host's: what it has locked, others might ask for.
            shared.publish(&threads);
            drop(threads);
            return call_later(&shared);
        }
        Row::begin(RowKind::Host);
        threads.alive += 1;
        threads.next_id += 1;
        let id = threads.next_id;
        shared.publish(&threads);
        drop(threads);
        life::work(shared, id);
    }
}

/// How long it takes until a host is asked again that has called on a thread which is busy.
const AGAIN: Duration = Duration::from_millis(2);

/// Asks for another worker soon: not at once, as the same thread might be the next to call it.
fn call_later(shared: &Arc<Shared>) {
    let shared = Arc::downgrade(shared);
    let call = move || {
        if let Some(shared) = shared.upgrade()
            && !shared.queue.is_empty()
        {
            shared.notify();
        }
    };
    let _ = Timers::system().after(AGAIN, Box::new(call));
}

impl Drop for Asked {
    /// The host has dropped the call: it has shut down, and nobody will run anything any more.
    fn drop(&mut self) {
        if let Some(shared) = self.0.take() {
            shared.threads().asked -= 1;
            shared.close();
        }
    }
}

impl Shared {
    pub(crate) fn host(&self) -> Option<&Arc<dyn Host>> {
        self.config.host.as_ref()
    }

    pub(crate) fn is_hosted(&self) -> bool {
        self.config.host.is_some()
    }

    /// Whether a thread from outside that waits does the pool's work: nobody else may.
    pub(crate) fn is_helped(&self, threads: &Threads) -> bool {
        threads.wanted == 0 || self.host().is_some_and(|host| host.is_here())
    }

    /// As `is_helped`, for who has not the lock.
    pub(crate) fn is_helped_here(&self) -> bool {
        let threads = self.threads();
        self.is_helped(&threads)
    }

    /// Calls one more worker, where one is missing: a host's, or a spare one on a thread of the
    /// pool's own.
    pub(crate) fn call_worker(&self, host: &Arc<dyn Host>) {
        let mut threads = self.threads();
        let all = threads.alive + threads.asked;
        if all >= self.most_threads(&threads) || !self.attention.is_short() {
            return;
        }
        if all < threads.wanted || host.has_spares() {
            threads.asked += 1;
            self.publish(&threads);
            drop(threads);
            let asked = Asked(Some(self.arc()));
            host.call(Box::new(move || asked.comes()));
        } else {
            let started = life::start(&self.arc(), &mut threads);
            self.try_again(threads, started);
        }
    }

    /// What a worker of the host's does in place of sleeping.
    pub(crate) fn leave_or_search(&self) -> Idle {
        let mut threads = self.threads();
        threads.alive -= 1;
        self.publish(&threads);
        self.attention.look_again(&mut threads.looks);
        if !self.is_closed() && !self.queue.is_empty() && !weakened("last look") {
            threads.alive += 1;
            self.publish(&threads);
            // As in `sleep`.
            self.attention.begin_search(1);
            return Idle::Search { woken: true };
        }
        self.tell_left(&threads);
        Idle::Leave
    }
}
