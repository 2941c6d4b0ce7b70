//! What a driver sends: calls, and what workers have to know of it.

use std::time::{Duration, Instant};

use async_nats::jetstream::message::PublishMessage;
use asynckit::BoxError;
use bytes::Bytes;

use super::acting::{Acting, Found};
use super::calls::{Open, Place};
use super::recover::message_id;
use crate::nats::frames::{self, DriverBeat};
use crate::nats::names::Lane;
use crate::nats::{say, streams};
use crate::seam::{Argument, Outgoing};
use crate::wire::{self, CallId, Hash, Part};

/// How long until a message that the server would not have is sent again.
const AGAIN: Duration = Duration::from_millis(300);

/// For how long workers are told that a call is not wanted any more.
const WITHDRAWN: Duration = Duration::from_secs(10);

/// The most of those that are told at once.
const MOST_WITHDRAWN: usize = 8 << 10;

impl Acting {
    pub(super) fn enter(&mut self, mut outgoing: Outgoing) {
        slim(&mut outgoing);
        for hash in hashes(&outgoing) {
            *self.large.entry(hash).or_default() += 1;
        }
        // The delivery before it is over.
        self.close(outgoing.call.id.number);
        let lane = self.calls.enter(outgoing);
        self.make(lane);
    }

    /// Takes a call out of the open ones, and what only it needed out of the object store.
    pub(super) fn close(&mut self, number: u64) -> Option<Open> {
        let open = self.calls.leave(number)?;
        for hash in hashes(&open.outgoing) {
            let Some(count) = self.large.get_mut(&hash) else { continue };
            *count -= 1;
            if *count == 0 {
                self.large.remove(&hash);
                self.unneeded.push(hash);
            }
        }
        Some(open)
    }

    /// Takes large arguments away that no call needs by now.
    pub(super) fn forget_unneeded(&mut self) {
        for hash in std::mem::take(&mut self.unneeded) {
            if !self.large.contains_key(&hash) {
                self.forget(hash);
            }
        }
    }

    pub(super) fn forget(&self, hash: Hash) {
        let (objects, run) = (self.objects.clone(), self.run);
        self.find(async move {
            objects.delete(run, &hash).await;
            Found::Nothing
        });
    }

    /// The consumer of a lane, where it isn't there.
    pub(super) fn make(&mut self, lane: Lane) {
        let Some(its) = self.calls.lanes.get_mut(&lane).filter(|its| !its.is_made) else { return };
        its.is_made = true;
        let Some(limit) = its.limit else { return };
        let (work, names) = (self.streams.work.clone(), self.names.clone());
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        self.find(
            async move { Found::Made(lane, streams::consumer(&work, &names, lane, limit).await) },
        );
    }

    pub(super) fn withdraw(&mut self, id: CallId) {
        let Some(open) = self.close(id.number) else { return };
        if open.claim.is_none() {
            self.take_out(&open);
        }
        if open.place != Place::Waiting {
            self.unwanted(id);
        }
    }

    /// Has workers told that nobody wants this call any more.
    pub(super) fn unwanted(&mut self, id: CallId) {
        self.withdrawn.push_back((id, Instant::now()));
        self.has_news = true;
    }

    /// Takes a call out of the stream, if it is there.
    pub(super) fn take_out(&mut self, open: &Open) {
        match open.place {
            Place::Stored { seq } => self.delete(seq),
            Place::Underway => {
                let call = &open.outgoing.call;
                self.to_take_out.insert((call.id.number, call.delivery));
            }
            // Where it is the server says if it is sent again.
            Place::Unasked(_) => {
                let (subject, message) = self.message(open);
                let (js, work) = (self.connection.js.clone(), self.streams.work.clone());
                self.find(async move {
                    let sent = async { js.send_publish(subject, message).await?.await };
                    if let Ok(stored) = sent.await {
                        work.delete_message(stored.sequence).await.ok();
                    }
                    Found::Nothing
                });
            }
            Place::Waiting | Place::Again(_) => {}
        }
    }

    fn delete(&self, seq: u64) {
        let work = self.streams.work.clone();
        self.find(async move {
            // Where it isn't there any more, a worker has it, and is told that it isn't wanted.
            work.delete_message(seq).await.ok();
            Found::Nothing
        });
    }

    /// Sends what may be sent.
    pub(super) async fn send_all(&mut self) {
        if !self.is_connected {
            return;
        }
        for number in std::mem::take(&mut self.again) {
            self.send(number, true).await;
        }
        let lanes: Vec<Lane> = self.calls.lanes.keys().copied().collect();
        for lane in lanes {
            while let Some(number) = self.calls.next(lane) {
                let asks = !self.calls.are_few();
                self.send(number, asks).await;
            }
        }
        if self.has_news {
            self.beat(false).await;
        }
    }

    /// Sends a call; and asks the server whether it has it, where so wanted.
    async fn send(&mut self, number: u64, asks: bool) {
        let Some(open) = self.calls.get(number) else { return };
        let (epoch, delivery) = (self.epoch, open.outgoing.call.delivery);
        let (subject, message) = self.message(open);
        let js = self.connection.js.clone();
        let stored: Vec<(Hash, Bytes)> = open.outgoing.arguments.iter().filter_map(large).collect();
        if !stored.is_empty() {
            let (objects, run) = (self.objects.clone(), self.run);
            return self.find(async move {
                let sent = async {
                    for (hash, body) in &stored {
                        objects.put(run, *hash, body).await?;
                    }
                    Ok(js.send_publish(subject, message).await?.await?.sequence)
                };
                let sent = sent.await;
                let stored = stored.into_iter().map(|(hash, _)| hash);
                Found::Sent(number, delivery, epoch, stored.collect(), sent)
            });
        }
        if !asks && !open.outgoing.is_suspect {
            let message = message.outbound_message(subject);
            let (headers, payload) = (message.headers.unwrap_or_default(), message.payload);
            // What is lost on its way is sent again.
            let client = &self.connection.client;
            client.publish_with_headers(message.subject, headers, payload).await.ok();
            return self.calls.is_unasked(number, Instant::now() + AGAIN);
        }
        // In the order in which they came.
        let sent = js.send_publish(subject, message).await;
        self.find(async move {
            let acknowledged = async { Ok(sent?.await?.sequence) };
            Found::Sent(number, delivery, epoch, Vec::new(), acknowledged.await)
        });
    }

    /// A call as a message, and its subject.
    fn message(&self, open: &Open) -> (String, PublishMessage) {
        let Outgoing { call, arguments, is_suspect, .. } = &open.outgoing;
        let bodies: Vec<Bytes> = arguments.iter().filter_map(here).collect();
        let head =
            frames::Call { version: wire::VERSION, call: call.clone(), is_suspect: *is_suspect };
        let id = message_id(call.id.run, call.id.number, call.delivery);
        let message = PublishMessage::build().message_id(id).payload(frames::pack(&head, &bodies));
        (self.names.work(open.lane, call.function), message)
    }

    /// The server has a call, or would not have it.
    pub(super) fn sent(
        &mut self,
        number: u64,
        delivery: u32,
        epoch: u32,
        stored: Vec<Hash>,
        seq: Result<u64, BoxError>,
    ) {
        let Some(open) = self.calls.delivery(number, delivery) else {
            // What it needed may have been stored after it was taken away.
            self.unneeded.extend(stored);
            // It was withdrawn meanwhile, or is over: then its worker takes it out, if it isn't over by an earlier delivery.
            let is_left = self.to_take_out.remove(&(number, delivery)) || delivery > 1;
            if is_left && let Ok(seq) = seq {
                self.delete(seq);
            }
            return;
        };
        if open.place != Place::Underway {
            return;
        }
        match seq {
            Ok(seq) => open.place = Place::Stored { seq },
            // The connection was lost meanwhile: it is sent again by who recovers from that.
            Err(_) if epoch != self.epoch => {}
            Err(error) => {
                let now = Instant::now();
                open.place = Place::Again(now + AGAIN);
                let is_old = |then: Instant| now.duration_since(then) > Duration::from_secs(60);
                if self.is_connected && self.said_again.is_none_or(is_old) {
                    self.said_again = Some(now);
                    say(&format!("the server doesn't take a call, which is sent again: {error}"));
                }
            }
        }
    }

    /// What workers have to know of this driver.
    pub(super) async fn beat(&mut self, is_last: bool) {
        let now = Instant::now();
        let is_old = |(_, since): &(CallId, Instant)| now.duration_since(*since) > WITHDRAWN;
        while self.withdrawn.front().is_some_and(is_old) || self.withdrawn.len() > MOST_WITHDRAWN {
            self.withdrawn.pop_front();
        }
        let limited = self.calls.lanes.keys().filter_map(|lane| match lane {
            Lane::Any => None,
            Lane::One(function) => Some(*function),
        });
        let beat = DriverBeat {
            version: wire::VERSION,
            run: self.run,
            limited: limited.collect(),
            withdrawn: self.withdrawn.iter().map(|(id, _)| *id).collect(),
            is_last,
        };
        let subject = self.names.driver(self.run);
        // It is said again in a second.
        self.connection.client.publish(subject, frames::pack(&beat, &[])).await.ok();
        self.has_news = false;
    }

    /// The consumers of all lanes, in case that the server has lost them.
    pub(super) fn make_all(&mut self) {
        let lanes: Vec<Lane> = self.calls.lanes.keys().copied().collect();
        for lane in lanes {
            self.made(lane, false);
        }
    }

    /// A consumer is there; or not, and is made.
    pub(super) fn made(&mut self, lane: Lane, is_made: bool) {
        if let Some(its) = self.calls.lanes.get_mut(&lane) {
            its.is_made = is_made;
        }
        if is_made { self.has_news = true } else { self.make(lane) }
    }
}

/// Has the largest arguments go by themselves, where all of them are too much for one message.
fn slim(outgoing: &mut Outgoing) {
    let Outgoing { call, arguments, .. } = outgoing;
    while call.body_size().is_some_and(|size| size > wire::LARGE as u64) {
        let here = arguments.iter().enumerate().filter_map(|(at, one)| Some((at, here(one)?)));
        let Some((at, bytes)) = here.max_by_key(|(_, bytes)| bytes.len()) else { return };
        let hash = *blake3::hash(&bytes).as_bytes();
        call.parts[at] = Part::Large(hash, bytes.len() as u64);
        arguments[at] = Argument::Large(hash, bytes);
    }
}

fn here(argument: &Argument) -> Option<Bytes> {
    match argument {
        Argument::Here(bytes) => Some(bytes.clone()),
        Argument::Large(..) => None,
    }
}

fn large(argument: &Argument) -> Option<(Hash, Bytes)> {
    match argument {
        Argument::Here(_) => None,
        Argument::Large(hash, bytes) => Some((*hash, bytes.clone())),
    }
}

fn hashes(outgoing: &Outgoing) -> Vec<Hash> {
    outgoing.arguments.iter().filter_map(large).map(|(hash, _)| hash).collect()
}
