//! What becomes of calls that nobody waits for any more: what has not begun is taken out of the stream, and what may have
//! is told to workers.

use std::time::{Duration, Instant};

use async_nats::jetstream;
use async_nats::jetstream::context::{PublishError, PublishErrorKind};
use asynckit::BoxError;
use serde::Serialize;
use serde::de::IgnoredAny;

use super::acting::{ActingDriver, DriverFound};
use super::calls::{Open, Place};
use super::recover::{self, Listed, Relics};
use crate::wire::CallId;

/// For how long workers are told that a call is not wanted any more.
pub(super) const WITHDRAWN: Duration = Duration::from_secs(10);

/// How long a worker may have a call that nobody waits for before it is told.
const STRAY: Duration = Duration::from_secs(2);

impl ActingDriver {
    pub(super) fn withdraw(&mut self, id: CallId) {
        if let Some(open) = self.close(id.number) {
            self.let_go(open);
        }
    }

    /// Nobody waits for this one any more: it isn't begun, or whoever has begun it is told.
    pub(super) fn let_go(&mut self, open: Open) {
        if open.place != Place::Waiting {
            self.tell_unwanted(open.outgoing.call.id);
        }
        if open.claim.is_none() {
            self.take_out(open);
        }
    }

    /// Has workers told that nobody wants this call any more.
    pub(super) fn tell_unwanted(&mut self, id: CallId) {
        self.withdrawn.push_back((id, Instant::now()));
        self.has_news = true;
    }

    /// Which calls the server would know to be there by their ids, should they come again.
    pub(super) fn knows(&self, now: Instant) -> impl Fn(&Open) -> bool + use<> {
        // A little less, as its clock began later or runs faster.
        let window = self.streams.work.cached_info().config.duplicate_window * 4 / 5;
        move |open| open.sent.is_none_or(|sent| now.duration_since(sent) < window)
    }

    /// Takes a call out of the stream, if it is there.
    pub(super) fn take_out(&mut self, open: Open) {
        // It has not gone out.
        if open.sent.is_none() {
            return;
        }
        if !self.is_connected || self.recovering.is_some() {
            return self.to_take_out.push(open);
        }
        let (number, delivery) = (open.outgoing.call.id.number, open.outgoing.call.delivery);
        let (js, stream) = (self.connection.js.clone(), self.names.work_stream());
        let epoch = self.epoch;
        match open.place {
            Place::Waiting | Place::Doubtful(_) => return,
            // Where it is will be known in a moment.
            Place::Underway => {}
            Place::Stored { seq } => self.find(async move {
                DriverFound::TakenOut(number, delivery, epoch, is_deleted(js, stream, seq).await)
            }),
            // Where it is the server says if it is sent again.
            Place::Again(_) | Place::Unasked(_) => {
                if !self.knows(Instant::now())(&open) {
                    return;
                }
                let (subject, message) = self.message(&open);
                self.find(async move {
                    let sent = async { js.send_publish(subject, message).await?.await };
                    let is_out = match sent.await {
                        Ok(stored) => is_deleted(js, stream, stored.sequence).await,
                        Err(error) => is_refused(&error),
                    };
                    DriverFound::TakenOut(number, delivery, epoch, is_out)
                });
            }
        }
        self.leaving.insert((number, delivery), open);
    }

    /// A call is taken out, or could not be: then it is tried again in a while.
    pub(super) fn taken_out(&mut self, number: u64, delivery: u32, epoch: u32, is_out: bool) {
        // (Where the connection was lost meanwhile, who recovers from that sees to it.)
        if epoch == self.epoch
            && let Some(open) = self.leaving.remove(&(number, delivery))
            && !is_out
        {
            self.to_take_out.push(open);
        }
    }

    pub(super) fn take_all_out(&mut self) {
        for open in std::mem::take(&mut self.to_take_out) {
            self.take_out(open);
        }
    }

    /// The connection is there again: so is what was to be taken out, or may be, unless the stream is a new one.
    pub(super) fn bring_back(&mut self, is_new: bool, is_known: impl Fn(&Open) -> bool) {
        let leaving = std::mem::take(&mut self.leaving);
        self.to_take_out.extend(leaving.into_values());
        for open in self.to_take_out.iter_mut().filter(|open| open.place == Place::Underway) {
            // No answer comes any more.
            open.place = Place::Again(Instant::now());
        }
        self.to_take_out.retain(|open| match open.place {
            Place::Stored { .. } => !is_new,
            _ => is_known(open),
        });
    }

    /// A worker that was killed may have told an outcome, and not have said that the call can go.
    pub(super) fn look_for_relics(&mut self) {
        if self.relics.is_none() && std::mem::replace(&mut self.has_relics, false) {
            let (work, names, run) = (self.streams.work.clone(), self.names.clone(), self.run);
            let lanes = self.calls.lanes.keys().copied().collect();
            let (taken, epoch) = (recover::taken(work, names, lanes, run), self.epoch);
            self.find(async move { DriverFound::Taken(epoch, taken.await) });
        }
    }

    /// These are with workers. Soon one that lives has said that it has them, if it has.
    pub(super) fn note_relics(&mut self, epoch: u32, found: Result<Listed, BoxError>) {
        match found {
            Ok(listed) if epoch == self.epoch && self.relics.is_none() => {
                let since = if self.is_ending { None } else { Some(Instant::now()) };
                self.relics = Some(Relics { listed, epoch, since });
                self.take_relics_out(Instant::now());
            }
            _ => self.has_relics = true,
        }
    }

    pub(super) fn take_relics_out(&mut self, now: Instant) {
        let is_due = |relics: &mut Relics| {
            relics.since.is_none_or(|since| now.duration_since(since) >= 2 * STRAY)
        };
        let Some(relics) = self.relics.take_if(is_due) else { return };
        if relics.epoch != self.epoch {
            self.has_relics = true;
            return;
        }
        for (number, delivery, seq) in relics.listed {
            let id = CallId { run: self.run, number };
            let is_open = self.calls.delivery(number, delivery).is_some();
            if !is_open && !self.strays.contains_key(&id) {
                let (js, stream) = (self.connection.js.clone(), self.names.work_stream());
                self.find(async move {
                    is_deleted(js, stream, seq).await;
                    DriverFound::Nothing
                });
            }
        }
    }

    /// A worker has a call that nobody waits for: nobody has told it so, it may be, or it hasn't heard that.
    pub(super) fn notice_stray(&mut self, id: CallId, now: Instant) {
        let since = *self.strays.entry(id).or_insert(now);
        // (What has just ended is there for a moment.)
        if now.duration_since(since) >= STRAY {
            self.tell_unwanted(id);
            // It is told for that long.
            self.strays.insert(id, now + WITHDRAWN);
        }
    }

    /// What no worker has named for a while has come to its end.
    pub(super) fn forget_strays(&mut self, now: Instant) {
        self.strays.retain(|_, since| now.duration_since(*since) < WITHDRAWN);
    }
}

/// What the server is asked for, by its own names.
#[derive(Serialize)]
struct Delete {
    seq: u64,
    /// It need not be written over, which takes much longer.
    no_erase: bool,
}

/// Takes a message out of the stream; `false` where it may still be there.
async fn is_deleted(js: jetstream::Context, stream: String, seq: u64) -> bool {
    let (subject, which) = (format!("STREAM.MSG.DELETE.{stream}"), Delete { seq, no_erase: true });
    // Whatever the answer is: where it isn't there any more, a worker has it, and is told that it isn't wanted.
    js.request::<_, _, IgnoredAny>(subject, &which).await.is_ok()
}

/// Whether a message is known not to be stored, and it isn't only that there was no answer.
pub(super) fn is_refused(error: &PublishError) -> bool {
    !matches!(error.kind(), PublishErrorKind::TimedOut | PublishErrorKind::BrokenPipe)
}
