//! What a driver sends: calls, and what workers have to know of it.

use std::sync::Arc;
use std::time::{Duration, Instant};

use async_nats::jetstream::context::PublishError;
use async_nats::jetstream::message::PublishMessage;
use asynckit::BoxError;
use bytes::Bytes;

use super::acting::{ActingDriver, DriverFound};
use super::calls::{Open, Place};
use super::leaving::{WITHDRAWN, is_refused};
use super::recover::message_id;
use crate::nats::frames::{self, DriverBeat};
use crate::nats::names::Lane;
use crate::nats::objects::Objects;
use crate::nats::{say, streams};
use crate::seam::{ArgumentBytes, Outgoing};
use crate::wire::{self, CallId, Hash, Part};

/// How long until a message that the server would not have is sent again.
const AGAIN: Duration = Duration::from_millis(300);

/// How many bytes of calls go out before it is seen to it that they have: what is said each second waits behind them.
const AT_ONCE: u64 = 1 << 20;

/// The most of those that are told at once.
const MOST_WITHDRAWN: usize = 8 << 10;

impl ActingDriver {
    pub(super) fn enter(&mut self, mut outgoing: Outgoing) {
        slim(&mut outgoing);
        for (hash, _) in larges(&outgoing) {
            self.larges.need(hash);
        }
        // The delivery before it is over.
        self.close(outgoing.call.id.number);
        let lane = self.calls.enter(outgoing);
        self.make(lane);
    }

    /// Takes a call out of the open ones. What it needed stays on the server for a while.
    pub(super) fn close(&mut self, number: u64) -> Option<Open> {
        let open = self.calls.leave(number)?;
        let now = Instant::now();
        for (hash, size) in larges(&open.outgoing) {
            self.larges.release(hash, size, now);
        }
        Some(open)
    }

    /// Takes large arguments away that no call has needed for a while.
    pub(super) fn forget_old(&mut self, now: Instant) {
        self.larges.old(now).into_iter().for_each(|hash| self.forget(&self.arguments, hash));
    }

    /// Takes all of them away that no call needs.
    pub(super) fn forget_spare(&mut self) {
        self.larges.all_spare().into_iter().for_each(|hash| self.forget(&self.arguments, hash));
    }

    pub(super) fn forget(&self, objects: &Arc<Objects>, hash: Hash) {
        let (objects, run) = (objects.clone(), self.run);
        self.find(async move {
            objects.delete(run, &hash).await;
            DriverFound::Nothing
        });
    }

    /// The consumer of a lane, where it isn't there.
    pub(super) fn make(&mut self, lane: Lane) {
        let Some(its) = self.calls.lanes.get_mut(&lane).filter(|its| !its.is_made) else { return };
        its.is_made = true;
        let Some(limit) = its.limit else { return };
        let (work, names) = (self.streams.work.clone(), self.names.clone());
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        self.find(async move {
            DriverFound::Made(lane, streams::consumer(&work, &names, lane, limit).await)
        });
    }

    /// Sends what may be sent. Without its server a client has room for so much, and then this waits.
    pub(super) async fn send_all(&mut self) {
        let complete = std::mem::take(&mut self.complete);
        if !self.is_connected {
            return;
        }
        // First, so that it doesn't wait behind a long line of calls.
        if self.has_news {
            self.beat(false).await;
        }
        for number in complete {
            self.send_message(number, true).await;
        }
        for number in std::mem::take(&mut self.again) {
            self.send(number, true).await;
        }
        let mut lanes: Vec<Lane> = self.calls.lanes.keys().copied().collect();
        self.turn = self.turn.wrapping_add(1);
        let first = self.turn % lanes.len().max(1);
        lanes.rotate_left(first);
        for lane in lanes {
            while !self.is_full
                && let Some(number) = self.calls.next(lane)
            {
                let asks = !self.calls.are_few();
                self.send(number, asks).await;
            }
        }
    }

    /// Sends a call, after the large bodies that it needs; and asks the server whether it has it, where so wanted.
    async fn send(&mut self, number: u64, asks: bool) {
        let Some(open) = self.calls.get(number) else { return };
        let bodies: Vec<(Hash, Bytes)> = open.outgoing.arguments.iter().filter_map(large).collect();
        if bodies.is_empty() {
            return self.send_message(number, asks).await;
        }
        let (epoch, delivery) = (self.epoch, open.outgoing.call.delivery);
        let (arguments, run) = (self.arguments.clone(), self.run);
        self.find(async move {
            let put = async {
                for (hash, body) in &bodies {
                    arguments.put(run, *hash, body).await?;
                }
                Ok(())
            };
            let put = put.await;
            let bodies = bodies.into_iter().map(|(hash, body)| (hash, body.len() as u64));
            DriverFound::Put(number, delivery, epoch, bodies.collect(), put)
        });
    }

    /// What a call needs of large bodies is there, or is not.
    pub(super) fn put(
        &mut self,
        number: u64,
        delivery: u32,
        epoch: u32,
        bodies: Vec<(Hash, u64)>,
        put: Result<(), BoxError>,
    ) {
        if put.is_err() && self.is_connected && epoch == self.epoch {
            // There may be no room for it.
            self.forget_spare();
        }
        let Some(open) = self.calls.delivery(number, delivery) else {
            // It may have been stored after it was taken away.
            let now = Instant::now();
            bodies.into_iter().for_each(|(hash, size)| self.larges.there(hash, size, now));
            // An earlier message of it may be there, while this one does not go out any more.
            if epoch == self.epoch
                && let Some(mut open) = self.leaving.remove(&(number, delivery))
            {
                open.place = Place::Again(Instant::now());
                self.take_out(open);
            }
            return;
        };
        // Else it is put, and sent, again by who recovers from the loss of the connection.
        if open.place == Place::Underway && epoch == self.epoch {
            match put {
                Ok(()) => self.complete.push(number),
                Err(error) => self.send_later(number, &error),
            }
        }
    }

    async fn send_message(&mut self, number: u64, asks: bool) {
        let now = Instant::now();
        self.calls.goes_out(number, now);
        let Some(open) = self.calls.get(number) else { return };
        let (epoch, delivery) = (self.epoch, open.outgoing.call.delivery);
        let is_suspect = open.outgoing.is_suspect();
        let size = open.outgoing.call.body_size().unwrap_or_default();
        let (subject, message) = self.message(open);
        self.holds_back(size);
        if !asks && !is_suspect {
            let message = message.outbound_message(subject);
            let (headers, payload) = (message.headers.unwrap_or_default(), message.payload);
            // What is lost on its way is sent again.
            let client = &self.connection.client;
            client.publish_with_headers(message.subject, headers, payload).await.ok();
            return self.calls.goes_unasked(number, now + AGAIN);
        }
        // In the order in which they came.
        let sent = self.connection.js.send_publish(subject, message).await;
        self.find(async move {
            let acknowledged = async { Ok(sent?.await?.sequence) };
            DriverFound::Sent(number, delivery, epoch, now, acknowledged.await)
        });
    }

    /// What goes out now waits in this process until the server takes it: where that is much, other calls wait for it.
    fn holds_back(&mut self, size: u64) {
        self.unflushed += size;
        if self.unflushed >= AT_ONCE {
            self.unflushed = 0;
            self.is_full = true;
            let client = self.connection.client.clone();
            self.find(async move {
                client.flush().await.ok();
                DriverFound::Flushed
            });
        }
    }

    /// A call as a message, and its subject.
    pub(super) fn message(&self, open: &Open) -> (String, PublishMessage) {
        let Outgoing { call, arguments, alone, .. } = &open.outgoing;
        let bodies: Vec<Bytes> = arguments.iter().filter_map(here).collect();
        let head = frames::CallFrame { version: wire::VERSION, call: call.clone(), alone: *alone };
        let id = message_id(call.id.run, call.id.number, call.delivery);
        let message = PublishMessage::build().message_id(id).payload(frames::pack(&head, &bodies));
        (self.names.work(open.lane, call.function), message)
    }

    /// The server has a call that went out then, or would not have it.
    pub(super) fn sent(
        &mut self,
        number: u64,
        delivery: u32,
        epoch: u32,
        at: Instant,
        seq: Result<u64, PublishError>,
    ) {
        let Some(open) = self.calls.delivery(number, delivery) else {
            // (Where the connection was lost, its answer doesn't say where it is now.)
            if epoch == self.epoch
                && let Some(mut open) = self.leaving.remove(&(number, delivery))
            {
                open.place = match seq {
                    Ok(seq) => Place::Stored { seq },
                    Err(error) if is_refused(&error) => return,
                    Err(_) => Place::Again(at),
                };
                self.take_out(open);
            }
            return;
        };
        match open.place {
            Place::Underway => {}
            // So it is there.
            Place::Doubtful(_) if epoch == self.epoch && seq.is_ok() => {}
            _ => return,
        }
        match seq {
            Ok(seq) => open.place = Place::Stored { seq },
            // The connection was lost meanwhile: it is sent again by who recovers from that.
            Err(_) if epoch != self.epoch => {}
            Err(error) => {
                if is_refused(&error) && open.sent == Some(at) {
                    // So it isn't there.
                    open.sent = None;
                }
                self.send_later(number, &error.into());
            }
        }
    }

    /// The server would not have a call: it is sent again.
    fn send_later(&mut self, number: u64, why: &BoxError) {
        let now = Instant::now();
        self.calls.goes_again(number, now + AGAIN);
        self.complain(&format!("the server doesn't take a call, which is sent again: {why}"));
    }

    /// Says what is the matter with the server, once a minute at most.
    pub(super) fn complain(&mut self, what: &str) {
        let now = Instant::now();
        let is_old = |then: Instant| now.duration_since(then) > Duration::from_secs(60);
        if self.is_connected && self.said_again.is_none_or(is_old) {
            self.said_again = Some(now);
            say(what);
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
        arguments[at] = ArgumentBytes::Large(hash, bytes);
    }
}

fn here(argument: &ArgumentBytes) -> Option<Bytes> {
    match argument {
        ArgumentBytes::Here(bytes) => Some(bytes.clone()),
        ArgumentBytes::Large(..) => None,
    }
}

fn large(argument: &ArgumentBytes) -> Option<(Hash, Bytes)> {
    match argument {
        ArgumentBytes::Here(_) => None,
        ArgumentBytes::Large(hash, bytes) => Some((*hash, bytes.clone())),
    }
}

/// The large ones of its arguments, and how large they are.
fn larges(outgoing: &Outgoing) -> Vec<(Hash, u64)> {
    let larges = outgoing.arguments.iter().filter_map(large);
    larges.map(|(hash, bytes)| (hash, bytes.len() as u64)).collect()
}
