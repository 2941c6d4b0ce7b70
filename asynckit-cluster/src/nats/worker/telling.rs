//! What a worker says: who has which call, that it lives, and how calls came out.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use async_nats::jetstream::message::PublishMessage;
use bytes::Bytes;

use super::LEAST_PAUSE;
use super::acting::{ActingWorker, Ready, WorkerFound};
use crate::clock;
use crate::nats::frames::{self, Beat, Body, Done, DoneOne, News, Told};
use crate::nats::streams::KEPT;
use crate::nats::{EACH, objects};
use crate::seam::{Lost, Ran};
use crate::wire::{self, CallId, LARGE, Outcome};

/// The most outcomes in one message.
const MOST: usize = 64;

/// The most bytes of several outcomes in one message.
const MOST_BYTES: usize = 256 << 10;

/// How long until outcomes are stored again that the server would not have.
const AGAIN: Duration = Duration::from_millis(200);

/// How long claims and acknowledgements wait for something that they can go with.
const MOMENT: Duration = Duration::from_millis(1);

impl ActingWorker {
    /// Tells drivers of their calls.
    pub(super) async fn tell(&self, all: Vec<(CallId, u32, Told)>) {
        if !self.is_connected {
            return;
        }
        let mut by_run: HashMap<u64, Vec<_>> = HashMap::new();
        for (id, delivery, told) in all {
            by_run.entry(id.run).or_default().push((id, delivery, told));
        }
        for (run, of) in by_run {
            let news = News {
                version: wire::VERSION,
                worker: self.settings.name.clone(),
                process: std::process::id(),
                machine: self.machine.clone(),
                instance: self.instance,
                of,
            };
            let news = frames::pack(&news, &[]);
            self.connection.client.publish(self.names.news(run), news).await.ok();
        }
    }

    /// Says that it lives, and what it has.
    pub(super) async fn beat(&self, is_last: bool) {
        if !self.is_connected {
            return;
        }
        let has = self.taken.iter().map(|(id, taken)| (*id, taken.delivery));
        let beat = Beat {
            hello: wire::Hello {
                version: wire::VERSION,
                name: self.settings.name.clone(),
                process: std::process::id(),
                threads: u32::try_from(self.settings.threads).unwrap_or(u32::MAX),
                build: self.names.build.clone(),
            },
            machine: self.machine.clone(),
            instance: self.instance,
            has: has.collect(),
            refused: self.refused,
            is_last,
        };
        self.connection.client.publish(self.names.beat(), frames::pack(&beat, &[])).await.ok();
    }

    /// Sends what was said; `false` where that can't be now. A client without its server would wait until that is back.
    pub(super) async fn flush(&self) -> bool {
        let flushed = tokio::time::timeout(EACH, self.connection.client.flush()).await;
        flushed.is_ok_and(|flushed| flushed.is_ok())
    }

    /// Tells the server that what is here is being worked on.
    pub(super) async fn make_progress(&self) {
        for (_, taken) in self.taken.iter() {
            let progress = Bytes::from_static(b"+WPI");
            self.connection.client.publish(taken.reply.clone(), progress).await.ok();
        }
    }

    /// A call has an outcome.
    pub(super) fn finished(
        &mut self,
        id: CallId,
        outcome: Outcome,
        bytes: Bytes,
        ran: Option<Ran>,
    ) {
        let Some(taken) = self.taken.get(&id) else { return };
        taken.has_outcome = true;
        // A process has run it.
        self.pause = LEAST_PAUSE;
        if taken.is_unwanted {
            // Whoever would take it away there may have gone.
            taken.is_stored = true;
            return;
        }
        let delivery = taken.delivery;
        let size = bytes.len() as u64;
        let ready = Ready { id, delivery, outcome, body: Body::Here(size), bytes, ran };
        if ready.size() <= LARGE {
            return self.ready.push_back(ready);
        }
        let bytes = ready.bytes;
        let hash = objects::value(&bytes, id, delivery);
        let ready = Ready { body: Body::Stored(hash, size), bytes: Bytes::new(), ..ready };
        let values = self.values.clone();
        self.find(async move {
            while values.put(id.run, hash, &bytes).await.is_err() {
                tokio::time::sleep(AGAIN).await;
            }
            values.forget(id.run, &hash);
            WorkerFound::Put(Box::new(ready))
        });
    }

    /// Stores outcomes that are ready, as one message. Says whether one goes out now.
    pub(super) fn store(&mut self) -> bool {
        if !self.storing.is_empty() || !self.is_connected {
            return false;
        }
        self.drop_unwanted();
        let Some(first) = self.ready.front() else { return false };
        let run = first.id.run;
        let (mut all, mut rest, mut size) = (Vec::new(), Vec::new(), 0);
        for ready in self.ready.drain(..) {
            let its = ready.size();
            let fits = all.is_empty() || all.len() < MOST && size + its <= MOST_BYTES;
            if ready.id.run == run && fits && rest.is_empty() {
                size += its;
                all.push(ready);
            } else {
                rest.push(ready);
            }
        }
        self.ready.extend(rest);
        let outcomes = all.iter().map(|one| DoneOne {
            id: one.id,
            delivery: one.delivery,
            outcome: one.outcome.clone(),
            body: one.body,
            ran: one.ran.as_ref().map(|ran| {
                (ran.place.to_string(), clock::RanWhen::by(self.since, ran.began, ran.ended))
            }),
        });
        let head = Done {
            version: wire::VERSION,
            instance: self.instance,
            sent: clock::micros(self.since, Instant::now()),
            outcomes: outcomes.collect(),
        };
        let bodies: Vec<Bytes> = all.iter().map(|one| one.bytes.clone()).collect();
        let message = PublishMessage::build().payload(frames::pack(&head, &bodies)).ttl(KEPT);
        let (js, subject) = (self.connection.js.clone(), self.names.done(run));
        self.storing = all;
        let epoch = self.epoch;
        self.find(async move {
            let stored = async {
                js.send_publish(subject, message).await?.await?;
                Ok(())
            };
            let stored = stored.await;
            if stored.is_err() {
                tokio::time::sleep(AGAIN).await;
            }
            WorkerFound::Stored(epoch, stored)
        });
        true
    }

    /// What nobody waits for any more is not stored: the driver that would take it away may have gone.
    fn drop_unwanted(&mut self) {
        for ready in std::mem::take(&mut self.ready) {
            match self.taken.get(&ready.id) {
                Some(taken) if taken.is_unwanted => {
                    taken.is_stored = true;
                    self.acknowledge_done(ready.id);
                    self.take_away(&ready);
                }
                _ => self.ready.push_back(ready),
            }
        }
    }

    /// The large value of an outcome that nobody gets.
    fn take_away(&self, ready: &Ready) {
        if let Body::Stored(hash, _) = ready.body {
            let (values, run) = (self.values.clone(), ready.id.run);
            self.find(async move {
                values.delete(run, &hash).await;
                WorkerFound::Nothing
            });
        }
    }

    /// Takes away the outcomes of a driver that had gone by the time when they were stored.
    fn purge(&self, run: u64) {
        let (js, names) = (self.connection.js.clone(), self.names.clone());
        self.find(async move {
            if let Ok(done) = js.get_stream(names.done_stream()).await {
                // What can't be taken away now goes by its age.
                done.purge().filter(names.done(run)).await.ok();
            }
            WorkerFound::Nothing
        });
    }

    /// What was being stored goes again: it was refused, or nobody knows. (Twice is no harm: the first one counts.)
    pub(super) fn store_again(&mut self) {
        for ready in std::mem::take(&mut self.storing).into_iter().rev() {
            self.ready.push_front(ready);
        }
    }

    pub(super) fn stored(&mut self, epoch: u32, is_stored: bool) {
        // The connection was lost meanwhile, and it goes again.
        if epoch != self.epoch {
            return;
        }
        if !is_stored {
            return self.store_again();
        }
        let all = std::mem::take(&mut self.storing);
        // (All are of one driver.)
        if let Some(run) = all.first().map(|ready| ready.id.run)
            && self.ended.contains_key(&run)
        {
            self.purge(run);
            all.iter().for_each(|ready| self.take_away(ready));
        }
        for ready in all {
            if let Some(taken) = self.taken.get(&ready.id) {
                taken.is_stored = true;
                self.acknowledge_done(ready.id);
            }
        }
    }

    /// A call has ended with its process.
    pub(super) fn lost(&mut self, id: CallId, delivery: u32, how: Lost) {
        if self.taken.get(&id).is_some_and(|taken| taken.delivery == delivery) {
            self.hand_over(id, Told::Lost(how));
        }
    }

    /// The code of a call has ended.
    pub(super) fn over(&mut self, id: CallId) {
        self.taken.over(&id, Instant::now());
        if self.taken.get(&id).is_some_and(|taken| !taken.has_outcome) {
            // It was given up before it began.
            if let Some(taken) = self.taken.leave(&id) {
                self.acknowledge(taken.reply, "+TERM");
            }
            return;
        }
        self.acknowledge_done(id);
    }

    /// A call is acknowledged when its outcome is stored, and its code has ended: until then a limit counts it.
    fn acknowledge_done(&mut self, id: CallId) {
        let is_done = self.taken.get(&id).is_some_and(|taken| taken.is_stored && taken.is_over);
        if is_done && let Some(taken) = self.taken.leave(&id) {
            self.done.push(taken.reply);
            match taken.has_limit {
                // A permit of it may be waited for.
                true => self.say_by = Some(Instant::now()),
                false => self.say_soon(),
            }
        }
    }

    /// Claims and acknowledgements go with the next thing that can't wait, or in a moment. To send each by itself would
    /// take longer than a short call.
    pub(super) fn say_soon(&mut self) {
        self.say_by.get_or_insert_with(|| Instant::now() + MOMENT);
    }

    pub(super) fn has_to_say(&self) -> bool {
        !self.returned.is_empty() || self.say_by.is_some_and(|by| by <= Instant::now())
    }

    /// Sends acknowledgements, and tells drivers which calls are here, or won't be any more.
    pub(super) async fn say_all(&mut self) {
        self.say_by = None;
        for reply in std::mem::take(&mut self.done) {
            let done = Bytes::from_static(b"+ACK");
            self.connection.client.publish(reply, done).await.ok();
        }
        // While nobody hears it, it is kept.
        if !self.is_connected {
            return;
        }
        let mut news = std::mem::take(&mut self.returned);
        for id in std::mem::take(&mut self.claims) {
            // Of one that has an outcome by now, that says enough.
            if let Some(taken) = self.taken.get(&id).filter(|taken| !taken.has_outcome) {
                let is_alone = self.alone == Some(id);
                news.push((id, taken.delivery, Told::Claimed(taken.reply.clone(), is_alone)));
            }
        }
        self.tell(news).await;
    }
}
