//! The seam between what a cluster is and how its calls travel: what a backend does for a driver and for a worker,
//! and what these do for it. A third backend is one more implementation of this file.
//!
//! ```text
//!  driver                backend                          worker
//!  publish(outgoing) ──▶ queue, limit of the function ──▶ Worker::take(call, arguments)
//!                        claims and signs of life     ◀── Tell::begun, Worker::running
//!  finished(outcome) ◀──                              ◀── Tell::finished   first outcome of an id wins
//!                                                     ◀── Tell::over       its code has ended, which may be later
//!  lost(delivery)    ◀── no outcome will come of this delivery, and no sign of life
//!  withdraw(id)      ──▶ not begun: forgotten; begun  ──▶ Worker::cancel(id)
//! ```
//!
//! All are callbacks that don't wait: a backend of blocking threads and one of an async runtime both fit. None may be
//! called with a lock held that a callback in the other direction takes.
//!
//! *Who keeps what.* The driver keeps each call until its outcome: its message, its deliveries, and which of them is
//! the latest. It publishes again what was [`lost`](Driver::lost), until its deliveries are used up. The backend keeps
//! the queue, the functions' limits, the workers and their leases, and tells of each delivery in the end one of
//! `finished` and `lost`; it may tell more, or late, and the driver drops what is of no use any more.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use crate::status::{RunningCall, Status};
use crate::wire::{self, CallId, Hash};

/// One delivery of a call, on its way out.
#[derive(Clone, Debug)]
pub(crate) struct Outgoing {
    /// The head, with the number of this delivery; its parts are those of `arguments`.
    pub(crate) call: wire::Call,
    pub(crate) arguments: Vec<ArgumentBytes>,
    pub(crate) about: Arc<About>,
    /// What it has to itself.
    pub(crate) alone: Alone,
}

/// What a call has to itself, so that it is known whose end it was, should there be one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Alone {
    /// Nothing.
    No,
    /// A process, as it may go out but once: it must not be lost with another one.
    Once,
    /// A process: a delivery of it has ended its own, maybe.
    InProcess,
    /// A worker, with all of its processes: it has begun in one that went as a whole, for the second time.
    InWorker,
}

impl Alone {
    /// It was lost once more, and it is not known by whose doing.
    pub(crate) fn more(self) -> Alone {
        if self == Alone::No { Alone::InProcess } else { Alone::InWorker }
    }
}

impl Outgoing {
    /// Whether it may be the end of whatever runs it.
    pub(crate) fn is_suspect(&self) -> bool {
        self.alone != Alone::No
    }

    /// What a status says of it, while a worker has it.
    pub(crate) fn running(&self, since: Instant) -> RunningCall {
        RunningCall { function: self.about.path.to_owned(), id: self.call.id, since }
    }
}

/// An argument as bytes.
#[derive(Clone, Debug)]
pub(crate) enum ArgumentBytes {
    /// Goes with the call.
    Here(Bytes),
    /// Goes by itself, once, to wherever it is needed.
    Large(Hash, Bytes),
}

/// What is set on a function, for all of its calls.
#[derive(Debug)]
pub(crate) struct About {
    pub(crate) function: wire::FunctionId,
    /// `module::function`.
    pub(crate) path: &'static str,
    /// How many of its calls may run at once in the whole cluster.
    pub(crate) limit: Option<NonZeroUsize>,
}

/// What a backend does for a driver.
pub(crate) trait Backend: Send + Sync + 'static {
    /// Brings a call to a worker. It must not block: what has no room yet is kept.
    fn publish(&self, outgoing: Outgoing);

    /// Nobody waits for this call any more. What is not begun is not begun; what runs is told so, and where it can be
    /// ended by force it is, after the grace period. Nothing needs to be told of it any more.
    fn withdraw(&self, id: CallId);

    /// What is going on.
    fn status(&self) -> Status;

    /// The end: no call is open. Ends what it has started, and waits for that. It is called once.
    fn stop(&self);
}

/// What a driver does for a backend.
pub(crate) trait Driver: Send + Sync + 'static {
    /// This run of the program, which is part of the id of each of its calls.
    #[cfg_attr(not(feature = "nats"), allow(dead_code))]
    fn run(&self) -> u64;

    /// Its outcome, of whichever delivery; the first one counts. (`body`: value, or typed error.)
    fn finished(&self, id: CallId, outcome: wire::Outcome, body: Bytes, ran: Option<Ran>);

    /// As `finished`, of what is out of time: its code still runs, until `over`.
    fn finished_early(&self, id: CallId, outcome: wire::Outcome, body: Bytes) {
        self.finished(id, outcome, body, None);
    }

    /// The code of a call has ended that was withdrawn, or had finished early; or it was not begun, and won't be.
    fn over(&self, _id: CallId) {}

    /// No outcome will come of this delivery. Where it is the latest one, it is published again, as the next, or fails.
    fn lost(&self, id: CallId, delivery: u32, how: Lost);

    /// There will never be an outcome, whatever is tried: fails it, as lost, with these words.
    fn fail(&self, id: CallId, words: String);

    /// No further process could be had, for this reason: calls wait for those that are there.
    fn is_short(&self, why: &str);

    /// Something came that can't be read. It was dropped.
    fn refused(&self, why: &wire::Garbled);
}

/// Where the code of a call has run, and when, as far as that is known here.
#[derive(Clone, Debug)]
pub(crate) struct Ran {
    /// The name of the process.
    pub(crate) place: Arc<str>,
    pub(crate) began: Instant,
    pub(crate) ended: Instant,
}

/// How a delivery ended without an outcome.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Lost {
    /// The name of the worker.
    pub(crate) worker: String,
    /// What is known of its end, with its last words: `ended by signal 11 (SIGSEGV); last words: ..`.
    pub(crate) words: String,
    /// What the call has to do with that.
    pub(crate) blame: Blame,
}

/// What a call has to do with the end of its worker.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Blame {
    /// It ran there, alone: this counts as one of its deliveries.
    Its,
    /// So it did, but for what others may have sent there: this counts, and it has more to itself next.
    Likely,
    /// It may have run there, and so may others: it has more to itself next.
    Maybe,
    /// It had hardly begun: that counts where it may be begun but once, or where it was so some times in a row.
    Hardly,
    /// It was not begun.
    None,
}

/// What a backend does for a worker: where the worker's news go. It is called on threads of the worker's pool, and
/// should be quick.
pub(crate) trait Tell: Send + Sync + 'static {
    /// The code of a call begins.
    fn begun(&self, id: CallId);

    /// How it came out: once, but not at all where it was given up before it began.
    fn finished(&self, id: CallId, outcome: wire::Outcome, body: Bytes);

    /// As `finished`, of what is out of time: its code still runs.
    fn finished_early(&self, id: CallId, outcome: wire::Outcome, body: Bytes) {
        self.finished(id, outcome, body);
    }

    /// Its code has ended, at once after `finished`, or later: the thread is free again. Once for each call that was
    /// taken, and the last that is told of it.
    fn over(&self, id: CallId);
}

/// For tests.
#[cfg(test)]
impl About {
    pub(crate) fn limited(limit: Option<usize>) -> Arc<About> {
        let function = wire::decode(&[7; 16]).unwrap();
        Arc::new(About { function, path: "f", limit: limit.and_then(NonZeroUsize::new) })
    }
}

/// For tests.
#[cfg(test)]
impl Outgoing {
    /// A delivery of a call without arguments.
    pub(crate) fn delivered(number: u64, delivery: u32, about: &Arc<About>) -> Outgoing {
        let call = wire::Call {
            id: CallId { run: 1, number },
            delivery,
            function: about.function,
            site: String::new(),
            deadline: None,
            trace: None,
            parts: Vec::new(),
        };
        Outgoing { call, arguments: Vec::new(), about: about.clone(), alone: Alone::No }
    }
}
