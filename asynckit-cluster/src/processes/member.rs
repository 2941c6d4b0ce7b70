//! A process, as the crew sees it, and the calls that it has.

use std::collections::VecDeque;
use std::process::Child;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal};

use super::messages::{Kept, ToWorker};
use super::pipe::{Frame, Outbox};
use crate::clock::{self, Aligned};
use crate::seam::{ArgumentBytes, Outgoing, Ran};

/// A process.
pub(super) struct Member {
    pub(super) name: String,
    /// The same, for whoever looks on.
    pub(super) place: Arc<str>,
    pub(super) clock: Aligned,
    pub(super) process: u32,
    /// Closed, it ends.
    pub(super) outbox: Option<Arc<Outbox>>,
    pub(super) child: Child,
    pub(super) since: Instant,
    /// It has said hello.
    pub(super) is_ready: bool,
    /// In the order in which they were sent.
    pub(super) calls: VecDeque<Sent>,
    /// How many of them are not quick.
    pub(super) slow: usize,
    pub(super) large: Kept<()>,
    /// How many calls it was sent.
    pub(super) given: u64,
    /// A call that may be the end of it is there: no other one comes beside it.
    pub(super) has_suspect: bool,
    pub(super) last_sign: Instant,
    pub(super) last_end: Instant,
    /// Why it was killed, if we did so.
    pub(super) killed: Option<Why>,
}

/// Why we kill a process.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Why {
    /// A call was given up, and its code did not end.
    GivenUp,
    /// It showed no sign of life.
    NoSign,
    /// What it says can't be read.
    Garbled,
}

/// A call that a process has.
pub(super) struct Sent {
    pub(super) outgoing: Outgoing,
    pub(super) since: Instant,
    /// Its outcome is known, or nobody wants it any more; its code still runs.
    pub(super) is_settled: bool,
    /// Its code has to end until then.
    pub(super) until: Option<Instant>,
    pub(super) is_asked_back: bool,
    /// It is of a function whose calls are.
    pub(super) is_quick: bool,
}

impl Sent {
    /// It may be the end of its process now: that is not quick. Says whether it was until now, as a number.
    pub(super) fn settle(&mut self, grace: Duration) -> usize {
        self.is_settled = true;
        // Its time runs from when it was told first.
        self.until.get_or_insert(Instant::now() + grace);
        usize::from(std::mem::replace(&mut self.is_quick, false))
    }
}

impl Member {
    pub(super) fn takes_more(&self, max_calls: Option<u64>) -> bool {
        let is_used_up = max_calls.is_some_and(|most| self.given >= most);
        self.is_ready && self.outbox.is_some() && !self.has_suspect && !is_used_up
    }

    /// When it has run a call, of which it tells now.
    pub(super) fn ran(&mut self, ran: clock::RanWhen) -> Option<Ran> {
        self.clock.hears(ran.ended, Instant::now());
        let (began, ended) = self.clock.ran(ran)?;
        Some(Ran { place: self.place.clone(), began, ended })
    }

    pub(super) fn say(&self, message: &ToWorker) {
        if let Some(outbox) = &self.outbox {
            outbox.send(Frame::new(message, Vec::new()), false);
        }
    }

    /// Whether code runs there that was given up, and may clean up for a while.
    pub(super) fn cleans_up(&self) -> bool {
        self.calls.iter().any(|sent| sent.is_settled)
    }

    /// When it is of no use any more: all that runs there was given up, and its grace is over, or that holds as many
    /// threads as it has. While another call runs, it is not ended for the sake of one.
    pub(super) fn overdue(&self, threads: usize) -> Option<Instant> {
        let mut until: Vec<Instant> = self.calls.iter().filter_map(|sent| sent.until).collect();
        until.sort_unstable();
        let last = threads.min(self.calls.len()).checked_sub(1)?;
        until.get(last).copied()
    }

    /// Ends it, and what it has started: that is in its group, unless it has one of its own. (Its id is not another
    /// process's by now: it was not waited for.)
    pub(super) fn kill(&mut self) {
        if let Some(group) = i32::try_from(self.process).ok().and_then(Pid::from_raw) {
            let _ = rustix::process::kill_process_group(group, Signal::KILL);
        }
        let _ = self.child.kill();
    }

    pub(super) fn close(&mut self) {
        if let Some(outbox) = self.outbox.take() {
            outbox.close();
        }
    }

    pub(super) fn send(&mut self, outgoing: Outgoing, is_quick: bool, threads: usize) {
        let Some(outbox) = &self.outbox else { return };
        let (mut small, mut has_large) = (Vec::new(), false);
        for argument in &outgoing.arguments {
            match argument {
                ArgumentBytes::Here(bytes) => small.push(bytes.clone()),
                ArgumentBytes::Large(hash, bytes) => {
                    has_large = true;
                    if self.large.touch(hash).is_none() {
                        self.large.add(*hash, bytes.len() as u64, ());
                        let frame = Frame::new(&ToWorker::Large(*hash), vec![bytes.clone()]);
                        outbox.send(frame, false);
                    }
                }
            }
        }
        if has_large {
            // As the other side does: in this order, and no sooner.
            for argument in &outgoing.arguments {
                if let ArgumentBytes::Large(hash, _) = argument {
                    self.large.touch(hash);
                }
            }
            self.large.trim();
        }
        // It has enough to do meanwhile.
        let held = self.calls.len() >= threads;
        outbox.send(Frame::new(&ToWorker::Call(outgoing.call.clone()), small), held);
        self.given += 1;
        self.has_suspect |= outgoing.is_suspect();
        let since = Instant::now();
        if self.calls.is_empty() {
            self.last_sign = since;
        }
        self.slow += usize::from(!is_quick);
        self.calls.push_back(Sent {
            is_quick,
            outgoing,
            since,
            is_settled: false,
            until: None,
            is_asked_back: false,
        });
    }

    /// What is on its way to it goes now.
    pub(super) fn flush(&self) {
        if let Some(outbox) = &self.outbox {
            outbox.flush();
        }
    }
}
