//! The life of the worker's thread: what it waits for, and what it does about each.

use std::time::{Duration, Instant};

use async_nats::{Client, Event};
use asynckit::BoxError;
use bytes::Bytes;
use futures_util::StreamExt;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc;
use tokio::time::{MissedTickBehavior, interval};

use super::Said;
use super::acting::{ActingWorker, GONE, WorkerFound};
use crate::nats::frames::{self, DriverBeat, Told};
use crate::nats::names::{self, Lane};
use crate::nats::{EACH, say, streams};
use crate::seam::Backend;
use crate::wire::CallId;

/// How often the server is told that a call is being worked on, in ticks: well within the time that it waits for that.
const PROGRESS: u32 = 2;

/// Waits for a driver of this build, and serves its app.
pub(super) async fn app_of_a_driver(client: &Client, build: &str) -> Result<String, BoxError> {
    let mut drivers = client.subscribe(names::drivers_of_any_app(build)).await?;
    let mut terminate = signal(SignalKind::terminate())?;
    let first = tokio::select! {
        first = drivers.next() => first,
        _ = terminate.recv() => return Err("it was asked to end, and had no driver yet".into()),
    };
    let app = first.as_ref().and_then(|message| names::app_of(&message.subject));
    app.map(str::to_owned).ok_or_else(|| "the connection has ended".into())
}

/// Waits until then.
async fn moment(until: Option<Instant>) {
    if let Some(until) = until {
        tokio::time::sleep_until(until.into()).await;
    }
}

impl ActingWorker {
    pub(super) async fn act(
        mut self,
        mut said: mpsc::UnboundedReceiver<Said>,
    ) -> Result<(), BoxError> {
        let mut ticks = interval(EACH);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut terminate = signal(SignalKind::terminate())?;
        let mut count = 0u32;
        loop {
            tokio::select! {
                biased;
                // First, whatever else there is to do: it has others know that this worker lives.
                _ = ticks.tick() => {
                    count += 1;
                    self.tick(count).await;
                }
                Some(one) = said.recv() => {
                    self.hear(one);
                    while let Ok(one) = said.try_recv() {
                        self.hear(one);
                    }
                }
                // Before calls: what came first says which of these nobody wants.
                Some(message) = self.drivers.next() => self.hear_driver(&message.payload),
                Some(message) = self.calls.next() => {
                    self.come(message);
                    // All that are there, so that one message tells of all of them.
                    self.all_come();
                }
                Some(found) = self.findings.next(), if !self.findings.is_empty() => self.learn(found),
                Some(event) = self.connection.events.recv() => self.happened(&event),
                _ = terminate.recv() => self.drain().await,
                () = moment(self.say_by), if self.say_by.is_some() => {}
            }
            if let Some(why) = self.complaint.take() {
                match self.crew.count() {
                    0 => self.rest(&why).await,
                    there => self.make_do(there, &why),
                }
            }
            if self.store() || self.has_to_say() {
                self.say_all().await;
            }
            self.begin_all().await;
            self.pull().await;
            if self.is_draining && self.taken.is_empty() && self.findings.is_empty() {
                self.say_all().await;
                self.beat(true).await;
                self.flush().await;
                return Ok(());
            }
        }
    }

    fn hear(&mut self, said: Said) {
        match said {
            Said::Finished(id, outcome, body, ran) => {
                self.finished(id, outcome, body, ran);
                self.over(id);
            }
            Said::Early(id, outcome, body) => self.finished(id, outcome, body, None),
            Said::Over(id) => self.over(id),
            Said::Lost(id, delivery, how) => self.lost(id, delivery, how),
            Said::NoProcess(id, why) => {
                self.hand_over(id, Told::Returned);
                self.complaint = Some(why);
            }
            Said::Short(why) => self.complaint = Some(why),
            Said::Refused => self.refused += 1,
        }
    }

    fn learn(&mut self, found: WorkerFound) {
        match found {
            WorkerFound::Fetched(id, found) => self.fetched(id, found),
            WorkerFound::Put(ready) => self.ready.push_back(*ready),
            WorkerFound::Stored(epoch, stored) => self.stored(epoch, stored.is_ok()),
            WorkerFound::Opened(epoch, opened) => {
                if opened.is_err() && epoch == self.epoch {
                    self.reopen(Duration::from_millis(200));
                }
            }
            WorkerFound::Nothing => {}
        }
    }

    fn hear_driver(&mut self, message: &Bytes) {
        let beat = match frames::unpack::<DriverBeat>(message) {
            Ok((beat, _)) => beat,
            Err(garbled) => {
                self.count_refused(&garbled);
                // (That of another version comes again each second.)
                if !garbled.is_foreign {
                    self.set_aside(&garbled, message.clone());
                }
                return;
            }
        };
        if beat.is_last {
            self.heard.remove(&beat.run);
            self.ended.insert(beat.run, Instant::now());
            let all: Vec<CallId> = self.taken.iter().map(|(id, _)| *id).collect();
            all.into_iter().filter(|id| id.run == beat.run).for_each(|id| self.withdraw(id));
        } else {
            self.heard.insert(beat.run, Instant::now());
        }
        for function in beat.limited {
            self.serve_lane(Lane::One(function));
        }
        for id in beat.withdrawn {
            self.withdraw(id);
        }
    }

    /// Nobody wants this call any more.
    fn withdraw(&mut self, id: CallId) {
        self.unwanted.insert(id, Instant::now());
        let Some(taken) = self.taken.get(&id) else { return };
        if taken.is_given && !self.crew.take_back(id) {
            taken.is_unwanted = true;
            return self.crew.withdraw(id);
        }
        self.held.remove(&id);
        self.arrived.retain(|its| *its != id);
        if let Some(taken) = self.taken.leave(&id) {
            self.acknowledge(taken.reply, "+TERM");
        }
    }

    fn happened(&mut self, event: &Event) {
        self.connection.heed(event);
        match event {
            Event::Disconnected => {
                self.is_connected = false;
                self.epoch += 1;
                // Its acknowledgement would be waited for in vain, for seconds.
                self.store_again();
            }
            Event::Connected => {
                self.is_connected = true;
                self.epoch += 1;
                self.store_again();
                // Whatever was asked for is forgotten there.
                self.lanes.iter_mut().for_each(|asked| asked.count = 0);
                let now = Instant::now();
                self.heard.values_mut().for_each(|heard| *heard = now);
                self.lanes.iter_mut().for_each(|asked| asked.named = now);
                self.began = now;
                self.reopen(Duration::ZERO);
            }
            _ => {}
        }
    }

    /// Sees to it that the streams are there: a server may have come back with an empty store.
    pub(super) fn reopen(&mut self, after: Duration) {
        let (js, names) = (self.connection.js.clone(), self.names.clone());
        let (copies, epoch) = (self.settings.server.copies(), self.epoch);
        self.find(async move {
            tokio::time::sleep(after).await;
            WorkerFound::Opened(epoch, streams::open(&js, &names, copies).await.map(drop))
        });
    }

    async fn tick(&mut self, count: u32) {
        let now = Instant::now();
        self.unwanted.retain(|_, since| now.duration_since(*since) < GONE);
        let has_calls = |run: u64| self.taken.iter().any(|(id, _)| id.run == run);
        self.ended.retain(|run, since| now.duration_since(*since) < GONE || has_calls(*run));
        if self.is_connected {
            // What drivers that are gone have named. A request that stands may still bring a call.
            self.heard.retain(|_, heard| now.duration_since(*heard) <= GONE);
            self.lanes.retain(|asked| asked.is_wanted(now) || asked.count > 0);
            self.hand_back(now);
            if self.rests.is_some_and(|until| until <= now) && !self.is_draining {
                self.take_again().await;
            }
            if self.is_short.is_some_and(|until| until <= now) {
                self.is_short = None;
                self.taken.have_threads(self.settings.threads);
            }
            self.beat(false).await;
            if count.is_multiple_of(PROGRESS) {
                self.make_progress().await;
            }
        }
    }

    /// Takes no more, and ends when what runs has ended.
    async fn drain(&mut self) {
        if std::mem::replace(&mut self.is_draining, true) {
            return;
        }
        say(&format!(
            "{} takes no more calls, and ends when those that run have ended",
            self.settings.name
        ));
        self.take_no_more().await;
    }
}
