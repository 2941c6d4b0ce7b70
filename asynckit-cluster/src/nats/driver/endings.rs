//! What becomes of calls when workers, the server or the connection are lost.
//!
//! A call is lost when nobody has it any more: its worker is silent, or does not name it, or the stream has handed it
//! out and nobody says that he has it, or it isn't in the stream. Before any of that counts, the outcomes that are kept
//! in the stream are read: the call may be over.

use std::time::{Duration, Instant};

use asynckit::BoxError;
use bytes::Bytes;

use super::acting::{ActingDriver, DriverFound, Got};
use super::calls::{Hold, Instance, Open};
use super::recover::{self, Recovered};
use crate::nats::frames::Told;
use crate::nats::names::Lane;
use crate::nats::say;
use crate::nats::streams::LEASE;
use crate::seam::{Blame, Lost};
use crate::wire::{self, CallId};

/// How long until the server is asked again.
const AGAIN: Duration = Duration::from_millis(200);

impl ActingDriver {
    /// What a worker says of one call.
    pub(super) fn told(
        &mut self,
        id: CallId,
        delivery: u32,
        told: Told,
        worker: &str,
        of: Instance,
    ) {
        if id.run != self.run {
            return;
        }
        match told {
            Told::Claimed(reply, is_alone) => {
                let hold = if is_alone { Hold::Alone } else { Hold::Begun };
                let is_it = self.calls.claim(id.number, delivery, of, reply, hold);
                if !is_it && self.calls.get(id.number).is_none() {
                    self.tell_unwanted(id);
                }
            }
            Told::Lost(lost) => self.lose(id.number, delivery, lost),
            Told::Returned => self.lose(id.number, delivery, not_begun(worker)),
            Told::Missing(hash) => {
                let open = self.calls.delivery(id.number, delivery);
                if let Some(sent) = open.and_then(|open| open.sent) {
                    self.arguments.doubt_one(self.run, &hash, sent);
                }
                self.lose(id.number, delivery, not_begun(worker));
            }
        }
    }

    /// No outcome will come of this delivery.
    fn lose(&mut self, number: u64, delivery: u32, lost: Lost) {
        if self.calls.delivery(number, delivery).is_none() {
            return;
        }
        let Some(open) = self.close(number) else { return };
        let id = open.outgoing.call.id;
        match &open.claim {
            // So the permit of a limit is free at once.
            Some(claim) if !claim.reply.is_empty() => {
                let (client, reply) = (self.connection.client.clone(), claim.reply.clone());
                self.find(async move {
                    client.publish(reply, Bytes::from_static(b"+TERM")).await.ok();
                    DriverFound::Nothing
                });
            }
            _ => self.take_out(open),
        }
        self.tell(|driver| driver.lost(id, delivery, lost));
    }

    /// A worker has gone, having ended or handed back all that it had.
    pub(super) fn has_left(&mut self, instance: Instance) {
        for (number, delivery) in self.calls.of(instance) {
            self.lose(number, delivery, not_begun("a worker that has left"));
        }
    }

    /// Each second: who is silent, and what is missing?
    pub(super) fn look_around(&mut self, now: Instant) {
        let has_doubts =
            !self.workers.silent(now).is_empty() || !self.calls.unnamed(now).is_empty();
        if has_doubts {
            self.read_outcomes();
        }
        for (lane, calls) in self.calls.unclaimed() {
            if self.looked_at.insert(lane) {
                let looking =
                    recover::look_at(self.streams.work.clone(), self.names.clone(), lane, calls);
                let epoch = self.epoch;
                self.find(async move { DriverFound::LookedAt(lane, epoch, looking.await) });
            }
        }
        if let Some(words) = self.workers.alone(!self.calls.is_empty(), now) {
            say(&words);
        }
    }

    /// Gives up what is still in doubt, when all outcomes have been read.
    fn give_up(&mut self) {
        let now = Instant::now();
        for instance in self.workers.silent(now) {
            let calls = self.calls.of(instance);
            let Some(seen) = self.workers.leaves(instance) else { continue };
            self.has_relics = true;
            let is_only = calls.len() == 1;
            for (number, delivery) in calls {
                let lost = Lost {
                    worker: seen.name.clone(),
                    words: format!("gave no sign of life for {} s", LEASE.as_secs()),
                    blame: self.blame(number, is_only),
                };
                self.lose(number, delivery, lost);
            }
        }
        for (number, delivery) in self.calls.unnamed(now) {
            let worker = self.worker_of(number);
            let words = "has it no more, and has told no outcome".to_owned();
            self.lose(number, delivery, Lost { worker, words, blame: self.doubt(number) });
        }
    }

    /// What a call has to do with the silence of its worker. Nobody has told a reason, and workers are killed for many: so it
    /// counts only where nothing else was there. Of several it isn't known which of them it was, if any: what has begun
    /// has more to itself next.
    fn blame(&self, number: u64, is_only: bool) -> Blame {
        let claim = self.calls.get(number).and_then(|open| open.claim.as_ref());
        match claim.map(|claim| claim.hold) {
            Some(Hold::Alone) => Blame::Its,
            Some(Hold::Begun) if is_only => Blame::Likely,
            Some(Hold::Begun) => Blame::Maybe,
            Some(Hold::Named) | None => self.doubt(number),
        }
    }

    /// What it is where a call may have begun, but nobody has said so. A suspect hardly has: that is said first.
    fn doubt(&self, number: u64) -> Blame {
        if self.is_suspect(number) { Blame::Hardly } else { Blame::Maybe }
    }

    /// The name of who has this call.
    fn worker_of(&self, number: u64) -> String {
        let claim = self.calls.get(number).and_then(|open| open.claim.as_ref());
        let name = claim.and_then(|claim| self.workers.name(claim.instance));
        name.unwrap_or("a worker that is gone").to_owned()
    }

    fn is_suspect(&self, number: u64) -> bool {
        self.calls.get(number).is_some_and(|open| open.outgoing.is_suspect())
    }

    pub(super) fn read_outcomes(&mut self) {
        if std::mem::replace(&mut self.is_reading, true) {
            return;
        }
        let (done, subject) = (self.streams.done.clone(), self.names.done(self.run));
        let (after, epoch) = (self.marks.0, self.epoch);
        self.find(async move {
            DriverFound::Outcomes(epoch, recover::outcomes(&done, &subject, after).await)
        });
    }

    pub(super) fn have_read(&mut self, epoch: u32, read: Result<Vec<Bytes>, BoxError>) {
        self.is_reading = false;
        let Ok(messages) = read else { return };
        messages.iter().for_each(|message| self.outcomes(message));
        if epoch == self.epoch && self.is_connected && self.recovering.is_none() {
            self.give_up();
        }
    }

    pub(super) fn looked_at(
        &mut self,
        lane: Lane,
        epoch: u32,
        found: Result<(u64, Vec<(u64, u32)>), BoxError>,
    ) {
        self.looked_at.remove(&lane);
        if epoch != self.epoch {
            return;
        }
        let Ok((upto, gone)) = found else {
            // Its consumer is not there any more, it may be: the server forgets one that nobody has used for a day.
            self.unmade.extend(matches!(lane, Lane::One(_)).then_some(lane));
            return;
        };
        for (number, delivery) in self.calls.handed_out(lane, upto, Instant::now()) {
            // Whoever got it may have begun, and have died before he could say so: maybe of it.
            self.lose_unclaimed(number, delivery, Blame::Maybe);
        }
        for (number, delivery) in gone {
            self.lose_unclaimed(number, delivery, Blame::None);
        }
    }

    pub(super) fn lose_unclaimed(&mut self, number: u64, delivery: u32, blame: Blame) {
        if self.calls.get(number).is_some_and(|open| open.claim.is_none()) {
            // Whoever got it may have begun, and have died before he could say so: of most calls that is no harm.
            let lost = match self.is_suspect(number) {
                false => Lost { blame, ..not_begun("the server") },
                true => Lost {
                    worker: "a worker that is gone".to_owned(),
                    words: "may have begun it, and was not heard of again".to_owned(),
                    blame: Blame::Hardly,
                },
            };
            self.lose(number, delivery, lost);
        }
    }

    fn recovery(&self) -> impl Future<Output = DriverFound> + Send + 'static {
        let (js, names) = (self.connection.js.clone(), self.names.clone());
        let (copies, streams, run) = (self.copies, self.streams.clone(), self.run);
        let (after, listed, epoch) = (self.marks.0, self.calls.unclaimed(), self.epoch);
        async move {
            let all = recover::all(js, names, copies, streams, run, after, listed);
            DriverFound::Recovered(epoch, all.await.map(Box::new))
        }
    }

    /// Sets off what is to be done when the connection is there again, or something was dropped that came by it.
    pub(super) fn recover(&mut self) {
        self.recovering = Some(self.epoch);
        let finding = self.recovery();
        self.find(finding);
    }

    pub(super) fn have_recovered(&mut self, epoch: u32, found: Result<Box<Recovered>, BoxError>) {
        if epoch != self.epoch {
            // The connection was lost again, and another recovery is on its way, or will be; else only messages were
            // dropped, and nobody but this one sees to it.
            if self.recovering == Some(epoch) && self.is_connected {
                self.recover();
            }
            return;
        }
        let found = match found {
            Ok(found) => found,
            Err(error) => {
                self.complain(&format!("what has become of the calls is asked for again: {error}"));
                // A server that has just begun may not be ready for all.
                let finding = self.recovery();
                return self.find(async move {
                    tokio::time::sleep(AGAIN).await;
                    finding.await
                });
            }
        };
        let now = Instant::now();
        self.streams = found.streams;
        self.recovering = None;
        self.marks = if found.is_new { (0, 0) } else { (self.marks.0, self.marks.0) };
        let server = self.connection.server();
        let is_same = !found.is_new && server == self.server;
        self.server = server;
        if found.is_new {
            self.arguments.doubt_all();
        }
        self.calls.begin_anew(now);
        self.workers.begin_anew(now);
        self.make_all();
        found.outcomes.iter().for_each(|message| self.outcomes(message));
        for (number, delivery) in found.gone {
            self.lose_unclaimed(number, delivery, Blame::None);
        }
        // What was underway when the connection was lost may have arrived or not: under its id it is stored once, as long
        // as that is known. A server that was away may have handed out what it had not written yet.
        let (is_known, since) = (self.knows(now), self.connected);
        let is_known = |open: &Open| {
            let is_here = is_same || open.sent.is_none_or(|sent| sent >= since);
            is_known(open) && (is_here || !open.outgoing.is_suspect())
        };
        self.again.extend(self.calls.underway(now, is_known));
        self.bring_back(found.is_new, is_known);
        self.take_all_out();
        self.has_news = true;
    }

    /// An outcome whose body lay by itself.
    pub(super) fn fetched(
        &mut self,
        id: CallId,
        delivery: u32,
        got: Box<Got>,
        body: (wire::Hash, u64),
        found: Result<Option<Bytes>, BoxError>,
    ) {
        if self.calls.get(id.number).is_none() {
            return self.forget(&self.values, body.0);
        }
        match found {
            Ok(Some(bytes)) => {
                self.forget(&self.values, body.0);
                self.finished(id, delivery, *got, bytes);
            }
            Ok(None) => {
                self.calls.tell(id.number, false);
                // It has run: where that may be but once, it is lost.
                let blame = if self.is_suspect(id.number) { Blame::Hardly } else { Blame::None };
                let words =
                    "has told its outcome, but the value is not to be had any more".to_owned();
                let lost = Lost { worker: self.worker_of(id.number), words, blame };
                self.lose(id.number, delivery, lost);
            }
            Err(_) => self.fetch(id, delivery, got, body, AGAIN),
        }
    }
}

/// How it is told of a call that nobody has begun.
fn not_begun(by: &str) -> Lost {
    let words = "it was handed back, or lost on its way".to_owned();
    Lost { worker: by.to_owned(), words, blame: Blame::None }
}
