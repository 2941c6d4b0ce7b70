//! The life of the driver's thread: what it waits for, and what it does about each.

use std::time::{Duration, Instant};

use async_nats::Event;
use futures_util::StreamExt;
use tokio::sync::{Notify, mpsc};
use tokio::time::{MissedTickBehavior, interval, timeout};

use super::Command;
use super::acting::{ActingDriver, DriverFound};
use super::recover;
use crate::nats::EACH;
use crate::seam::Blame;

/// How long the last words to the server may take, and then each of its answers.
const AT_THE_END: Duration = Duration::from_secs(2);

/// How long the server is waited for where calls that nobody wants are in the stream, and how often it is tried.
const FOR_THE_REST: Duration = Duration::from_secs(6);
const AGAIN: Duration = Duration::from_millis(200);

/// How long all of these may.
const AT_MOST: Duration = Duration::from_secs(20);

impl ActingDriver {
    /// Until it is asked to end, or nobody can ask for anything any more.
    pub(super) async fn act(
        mut self,
        mut commands: mpsc::UnboundedReceiver<Command>,
        end: &Notify,
    ) {
        let mut ticks = interval(EACH);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                biased;
                () = end.notified() => break,
                // First, whatever else there is to do: it has others know that this driver lives.
                _ = ticks.tick() => self.tick(),
                // Before anything is sent to what may be another server by now.
                Some(event) = self.connection.events.recv() => self.happened(&event),
                Some(message) = self.done.next() => self.outcomes(&message.payload),
                command = commands.recv() => {
                    let Some(command) = command else { break };
                    self.obey(command);
                    self.obey_all(&mut commands);
                }
                Some(found) = self.findings.next(), if !self.findings.is_empty() => self.learn(found),
                Some(message) = self.news.next() => self.hear_news(&message.payload),
                Some(message) = self.beats.next() => self.hear_beat(&message.payload),
            }
            tokio::select! {
                biased;
                () = self.send_all() => {}
                // There may never be room. Nobody wants what has not gone out.
                () = end.notified() => break,
            }
        }
        self.obey_all(&mut commands);
        self.stop().await;
    }

    fn obey_all(&mut self, commands: &mut mpsc::UnboundedReceiver<Command>) {
        while let Ok(command) = commands.try_recv() {
            self.obey(command);
        }
    }

    fn obey(&mut self, command: Command) {
        match command {
            Command::Publish(outgoing) => self.enter(outgoing),
            Command::Withdraw(id) => self.withdraw(id),
            Command::Status(answer) => drop(answer.try_send(self.status())),
        }
    }

    fn happened(&mut self, event: &Event) {
        self.connection.heed(event);
        match event {
            Event::Disconnected => {
                self.is_connected = false;
                self.epoch += 1;
            }
            Event::Connected => {
                self.is_connected = true;
                self.connected = Instant::now();
                self.epoch += 1;
                self.is_full = false;
                // Nobody could be told meanwhile.
                self.withdrawn.iter_mut().for_each(|(_, since)| *since = Instant::now());
                self.has_news = true;
                self.recover();
            }
            // Outcomes were dropped: they are in the stream. What is on its way goes by the epoch, as when the connection
            // was lost.
            Event::SlowConsumer(_) => {
                self.epoch += 1;
                if self.recovering.is_none() {
                    self.recover();
                }
            }
            _ => {}
        }
    }

    fn learn(&mut self, found: DriverFound) {
        match found {
            DriverFound::Put(number, delivery, epoch, bodies, put) => {
                self.put(number, delivery, epoch, bodies, put);
            }
            DriverFound::Sent(number, delivery, epoch, at, seq) => {
                self.sent(number, delivery, epoch, at, seq);
            }
            DriverFound::TakenOut(number, delivery, epoch, is_out) => {
                self.taken_out(number, delivery, epoch, is_out);
            }
            DriverFound::Fetched(id, delivery, got, body, found) => {
                self.fetched(id, delivery, got, body, found);
            }
            DriverFound::Made(lane, made) => match made {
                Ok(()) => self.made(lane, true),
                Err(error) => {
                    self.complain(&format!("calls can't be had by workers: {error}"));
                    self.unmade.push(lane);
                }
            },
            DriverFound::Recovered(epoch, found) => self.have_recovered(epoch, found),
            DriverFound::LookedAt(lane, epoch, found) => self.looked_at(lane, epoch, found),
            DriverFound::Outcomes(epoch, read) => self.have_read(epoch, read),
            DriverFound::Tidied(epoch, Ok(last)) if epoch == self.epoch => {
                // Until the last of them is gone, also where no more come.
                self.is_untidy |= self.marks.0 < last;
                self.marks = (self.marks.1, last);
            }
            DriverFound::Tidied(..) => self.is_untidy = true,
            DriverFound::Taken(epoch, found) => self.note_relics(epoch, found),
            DriverFound::Flushed => self.is_full = false,
            DriverFound::Nothing => {}
        }
    }

    fn tick(&mut self) {
        self.has_news = true;
        if !self.is_connected || self.recovering.is_some() {
            return;
        }
        let now = Instant::now();
        self.forget_old(now);
        self.forget_strays(now);
        self.take_relics_out(now);
        self.look_for_relics();
        let is_known = self.knows(now);
        self.again.extend(self.calls.due(now, is_known));
        for (number, delivery) in self.calls.given_up(now) {
            self.lose_unclaimed(number, delivery, Blame::Maybe);
        }
        self.take_all_out();
        for lane in std::mem::take(&mut self.unmade) {
            self.made(lane, false);
        }
        self.look_around(now);
        if std::mem::replace(&mut self.is_untidy, false) {
            let subject = self.names.done(self.run);
            let tidying = recover::tidy(self.streams.done.clone(), subject, self.marks.0);
            let epoch = self.epoch;
            self.find(async move { DriverFound::Tidied(epoch, tidying.await) });
        }
    }

    /// Leaves nothing in the stream that nobody wants; also where the connection is lost, and comes back.
    async fn take_the_rest_out(&mut self) {
        let mut last = Instant::now();
        while !(self.leaving.is_empty() && self.to_take_out.is_empty())
            && last.elapsed() <= FOR_THE_REST
        {
            tokio::select! {
                Some(found) = self.findings.next(), if !self.findings.is_empty() => {
                    self.learn(found);
                    last = Instant::now();
                }
                Some(event) = self.connection.events.recv() => self.happened(&event),
                () = tokio::time::sleep(AGAIN) => self.take_all_out(),
            }
        }
    }

    /// The end: no call is open.
    async fn stop(mut self) {
        timeout(AT_MOST, self.take_the_rest_out()).await.ok();
        if !self.is_connected {
            return;
        }
        let (done, subject) = (self.streams.done.clone(), self.names.done(self.run));
        let last_things = async {
            self.beat(true).await;
            // Of outcomes that nobody waits for the large values go first: nothing else says where they are.
            if let Ok(kept) = recover::outcomes(&done, &subject, self.marks.0).await {
                kept.iter().for_each(|message| self.outcomes(message));
            }
            done.purge().filter(subject).await.ok();
            self.forget_spare();
        };
        timeout(AT_THE_END, last_things).await.ok();
        // Nor does anybody want what workers have, if they are there.
        self.is_ending = true;
        self.has_relics |= self.relics.take().is_some();
        self.look_for_relics();
        // What is being deleted, and what is stored only now and is to be: as long as the server answers.
        let rest = async {
            while let Ok(Some(found)) = timeout(AT_THE_END, self.findings.next()).await {
                self.learn(found);
                self.forget_spare();
            }
        };
        timeout(AT_MOST, rest).await.ok();
        timeout(AT_THE_END, self.connection.client.flush()).await.ok();
    }
}
