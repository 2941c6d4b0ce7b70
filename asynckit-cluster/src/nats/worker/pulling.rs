//! How a worker gets calls: it asks for as many as it has threads for, and a few ahead where calls are short. What has
//! waited for a thread for too long is handed back, so that another worker may have it.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use async_nats::{HeaderMap, Message, StatusCode};
use bytes::Bytes;
use futures_util::{FutureExt, StreamExt};

use super::LONGEST_PAUSE;
use super::acting::{ActingWorker, Asked, GONE, Held, WorkerFound};
use super::beginning::pause;
use super::settings::WorkerSettings;
use super::taken::Taken;
use crate::nats::frames::{self, Told};
use crate::nats::names::{self, Lane};
use crate::nats::{self, say, streams};
use crate::seam::ArgumentBytes;
use crate::wire::{CallId, Garbled, Hash, Part};

/// How long a request for calls stands.
const STANDS: Duration = Duration::from_secs(5);

/// How long a call may wait here for a thread; and each time that it has come again, twice as long. So calls go to who
/// has time for them; and one that nobody has time for stays somewhere until it has its turn, however long others take.
const WAITS: Duration = Duration::from_secs(1);

impl ActingWorker {
    /// Asks for as many calls as there is room for.
    pub(super) async fn pull(&mut self) {
        if !self.is_connected || self.is_draining || self.rests.is_some() || self.alone.is_some() {
            return;
        }
        let now = Instant::now();
        let depth = self.taken.depth();
        let room = depth.saturating_sub(self.taken.busy());
        for asked in &mut self.lanes {
            if asked.until <= now {
                asked.count = 0;
            }
            // Not for each single call, where many are fetched.
            if room == 0 || asked.count > room / 2 || !asked.is_wanted(now) {
                continue;
            }
            let more = room - asked.count;
            asked.count = room;
            // A little more than the request stands: the server says when it is over.
            asked.until = now + STANDS + Duration::from_secs(1);
            let request = format!("{{\"batch\":{more},\"expires\":{}}}", STANDS.as_nanos());
            let (stream, consumer) = (self.names.work_stream(), self.names.consumer(asked.lane));
            let subject = format!("$JS.API.CONSUMER.MSG.NEXT.{stream}.{consumer}");
            let reply = format!("{}.{}", self.inbox, names::mark(asked.lane));
            let sent = self.connection.client.publish_with_reply(subject, reply, request.into());
            sent.await.ok();
        }
    }

    /// All messages that are here.
    pub(super) fn all_come(&mut self) {
        while let Some(Some(message)) = self.calls.next().now_or_never() {
            self.come(message);
        }
    }

    /// A message that was asked for; or the server's word that there is none.
    pub(super) fn come(&mut self, message: Message) {
        let asked = self.lane_of(&message);
        if let None | Some(StatusCode::OK) = message.status {
            if let Some(asked) = asked {
                asked.count = asked.count.saturating_sub(1);
            }
            return self.take_in(message);
        }
        let Some(asked) = asked else { return };
        match message.status {
            Some(StatusCode::NO_RESPONDERS) => {
                // The consumer isn't there: it is asked for again later.
                asked.count = 0;
                asked.until = Instant::now() + WAITS;
                self.reopen(Duration::from_millis(200));
            }
            Some(StatusCode::IDLE_HEARTBEAT) => {}
            _ => {
                let rest = message.headers.as_ref().and_then(pending);
                asked.count = asked.count.saturating_sub(rest.unwrap_or(asked.count));
            }
        }
    }

    /// Calls come under their own subject, the server's words under that of the request.
    fn lane_of(&mut self, message: &Message) -> Option<&mut Asked> {
        let (rest, last) = message.subject.rsplit_once('.')?;
        let is_any = rest.ends_with(".any") || rest == self.inbox && last == names::ANY;
        self.lanes.iter_mut().find(|asked| match asked.lane {
            Lane::Any => is_any,
            Lane::One(function) => !is_any && function.to_string() == last,
        })
    }

    fn take_in(&mut self, message: Message) {
        let Some(reply) = message.reply else { return };
        let reply = reply.to_string();
        let (head, body) = match frames::unpack::<frames::CallFrame>(&message.payload) {
            Ok(read) => read,
            Err(garbled) => return self.refuse(reply, &garbled, message.payload),
        };
        let call = head.call;
        // That it all fits is looked at before anything is fetched.
        if let Err(garbled) = call.arguments(&body, |_| None::<Bytes>)
            && call.parts.iter().all(|part| matches!(part, Part::Here(_)))
        {
            return self.refuse(reply, &garbled, message.payload);
        }
        if self.is_gone(call.id.run) || self.unwanted.contains_key(&call.id) {
            // A driver that was merely silent has to send it again.
            self.returned.push((call.id, call.delivery, Told::Returned));
            return self.acknowledge(reply, "+TERM");
        }
        let id = call.id;
        let has_limit = message.subject.rsplit('.').nth(1) == Some("one");
        let taken = Taken {
            reply,
            delivery: call.delivery,
            alone: head.alone,
            has_limit,
            since: Instant::now(),
            has_outcome: false,
            is_stored: false,
            is_over: false,
            is_given: false,
            is_unwanted: false,
        };
        self.taken.enter(id, taken);
        let large: Vec<(Hash, u64)> = call
            .parts
            .iter()
            .filter_map(|part| match part {
                Part::Here(_) => None,
                Part::Large(hash, size) => Some((*hash, *size)),
            })
            .collect();
        let pause = pause(head.alone);
        let is_complete = large.is_empty() && pause.is_zero();
        let held = Held { call, body, large: HashMap::new() };
        self.held.insert(id, held);
        if is_complete {
            return self.arrived.push(id);
        }
        let arguments = self.arguments.clone();
        self.find(async move {
            nats::pause(pause).await;
            let mut all = HashMap::new();
            for (hash, size) in large {
                match arguments.get(id.run, hash, size, None).await {
                    Ok(Some(body)) => drop(all.insert(hash, body)),
                    Ok(None) => return WorkerFound::Fetched(id, Err(Some(hash))),
                    Err(_) => return WorkerFound::Fetched(id, Err(None)),
                }
            }
            WorkerFound::Fetched(id, Ok(all))
        });
    }

    pub(super) fn fetched(
        &mut self,
        id: CallId,
        found: Result<HashMap<Hash, Bytes>, Option<Hash>>,
    ) {
        // It was withdrawn meanwhile.
        let Some(held) = self.held.get_mut(&id) else { return };
        match found {
            Ok(large) => {
                held.large = large;
                self.arrived.push(id);
            }
            Err(hash) => self.hand_over(id, hash.map_or(Told::Returned, Told::Missing)),
        }
    }

    /// What has waited for too long may go to another worker.
    pub(super) fn hand_back(&mut self, now: Instant) {
        for id in self.taken.long_here(WAITS, now) {
            if self.waits(id) || self.crew.take_back(id) {
                self.taken.are_slow();
                self.hand_over(id, Told::Returned);
            }
        }
    }

    /// No process could be started, and there is none: other workers may be better off, and this one may be so later.
    pub(super) async fn rest(&mut self, why: &str) {
        if self.is_draining || self.rests.is_some() {
            return;
        }
        let (name, pause) = (&self.settings.name, self.pause.as_secs());
        say(&format!("{name} hands its calls back, and takes none for {pause} s: {why}"));
        self.rests = Some(Instant::now() + self.pause);
        self.pause = LONGEST_PAUSE.min(2 * self.pause);
        self.take_no_more().await;
    }

    /// One more process could not be started: it goes on with those that it has, and takes no more calls than these run.
    pub(super) fn make_do(&mut self, there: usize, why: &str) {
        let WorkerSettings { name, threads, processes, .. } = &self.settings;
        if self.is_short.replace(Instant::now() + LONGEST_PAUSE).is_none() {
            say(&format!(
                "{name} goes on with the processes that it has, {there} of {processes}: {why}"
            ));
        }
        self.taken.have_threads(threads / processes * there);
    }

    /// Nothing that was asked for is wanted: requests stand for a while, and would bring back what is handed back.
    pub(super) async fn take_no_more(&mut self) {
        // What is on its way comes before the end of this.
        self.calls.unsubscribe().await.ok();
        self.flush().await;
        self.all_come();
        self.hand_all_back();
    }

    /// Calls come again, by new requests.
    pub(super) async fn take_again(&mut self) {
        let inbox = self.connection.client.new_inbox();
        if let Ok(calls) = self.connection.client.subscribe(format!("{inbox}.*")).await {
            (self.inbox, self.calls, self.rests) = (inbox, calls, None);
            self.lanes.iter_mut().for_each(|asked| asked.count = 0);
        }
    }

    /// All that has not begun goes back.
    fn hand_all_back(&mut self) {
        let all: Vec<CallId> = self.taken.iter().map(|(id, _)| *id).collect();
        for id in all {
            if self.held.contains_key(&id) || self.crew.take_back(id) {
                self.hand_over(id, Told::Returned);
            }
        }
        self.arrived.clear();
    }

    /// No outcome will come from here: its driver is told why.
    pub(super) fn hand_over(&mut self, id: CallId, told: Told) {
        if self.held.remove(&id).is_some() {
            self.arrived.retain(|its| *its != id);
        }
        let Some(taken) = self.taken.leave(&id) else { return };
        self.returned.push((id, taken.delivery, told));
        self.acknowledge(taken.reply, "+TERM");
    }

    /// Whether nobody will ask for outcomes of this run any more.
    fn is_gone(&self, run: u64) -> bool {
        if self.ended.contains_key(&run) {
            return true;
        }
        let last = self.heard.get(&run).copied().unwrap_or(self.began);
        last.elapsed() > GONE
    }

    /// Puts what can't be read where somebody may look at it.
    pub(super) fn refuse(&mut self, reply: String, why: &Garbled, payload: Bytes) {
        self.count_refused(why);
        self.set_aside(why, payload);
        self.acknowledge(reply, "+TERM");
    }

    pub(super) fn set_aside(&self, why: &Garbled, payload: Bytes) {
        let (client, names) = (self.connection.client.clone(), self.names.clone());
        let setting = streams::set_aside(client, names, why.to_string(), payload);
        self.find(async move {
            setting.await;
            WorkerFound::Nothing
        });
    }

    pub(super) fn count_refused(&mut self, why: &Garbled) {
        self.refused += 1;
        if why.is_foreign && !std::mem::replace(&mut self.said_foreign, true) {
            say(&why.to_string());
        }
    }

    pub(super) fn acknowledge(&self, reply: String, how: &'static str) {
        let client = self.connection.client.clone();
        self.find(async move {
            client.publish(reply, Bytes::from_static(how.as_bytes())).await.ok();
            WorkerFound::Nothing
        });
    }
}

impl Held {
    /// Its arguments: what is large goes on by itself.
    pub(super) fn arguments(&self) -> Result<Vec<ArgumentBytes>, Garbled> {
        let all = self.call.arguments(&self.body, |hash| self.large.get(hash).cloned())?;
        let each = self.call.parts.iter().zip(all).map(|(part, bytes)| match part {
            Part::Here(_) => ArgumentBytes::Here(bytes),
            Part::Large(hash, _) => ArgumentBytes::Large(*hash, bytes),
        });
        Ok(each.collect())
    }
}

/// How many of the calls that were asked for won't come.
fn pending(headers: &HeaderMap) -> Option<usize> {
    headers.get("Nats-Pending-Messages")?.as_str().parse().ok()
}
