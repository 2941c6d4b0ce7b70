//! How a worker gets calls: it asks for as many as it has threads for, and a few ahead where calls are short. What has
//! waited for a thread for too long is handed back, so that another worker may have it.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use async_nats::{HeaderMap, Message, StatusCode};
use bytes::Bytes;

use super::acting::{Acting, Asked, Found, Held};
use super::taken::Taken;
use crate::nats::frames::{self, Told};
use crate::nats::names::Lane;
use crate::nats::say;
use crate::wire::{CallId, Garbled, Hash, Part};

/// How long a request for calls stands.
const STANDS: Duration = Duration::from_secs(5);

/// How long a call may wait here for a thread.
const WAITS: Duration = Duration::from_secs(1);

/// How long a driver may be silent before its calls are not begun any more: nobody will ask for their outcomes.
pub(super) const GONE: Duration = Duration::from_secs(15);

impl Acting {
    /// Asks for as many calls as there is room for.
    pub(super) async fn pull(&mut self) {
        if !self.is_connected || self.is_draining || !self.suspects.is_empty() {
            return;
        }
        let now = Instant::now();
        let depth = self.taken.depth(self.settings.threads);
        let room = depth.saturating_sub(self.taken.busy());
        for at in 0..self.lanes.len() {
            let asked = &mut self.lanes[at];
            if asked.until <= now {
                asked.count = 0;
            }
            // Not for each single call, where many are fetched.
            if room == 0 || asked.count > room / 2 {
                continue;
            }
            let more = room - asked.count;
            asked.count = room;
            // A little more than the request stands: the server says when it is over.
            asked.until = now + STANDS + Duration::from_secs(1);
            let request = format!("{{\"batch\":{more},\"expires\":{}}}", STANDS.as_nanos());
            let (stream, consumer) = (self.names.work_stream(), self.names.consumer(asked.lane));
            let subject = format!("$JS.API.CONSUMER.MSG.NEXT.{stream}.{consumer}");
            let reply = format!("{}.{at}", self.inbox);
            let sent = self.connection.client.publish_with_reply(subject, reply, request.into());
            sent.await.ok();
        }
    }

    /// A message that was asked for; or the server's word that there is none.
    pub(super) fn come(&mut self, message: Message) {
        let Some(asked) = self.lane_of(&message) else { return };
        match message.status {
            None | Some(StatusCode::OK) => {
                asked.count = asked.count.saturating_sub(1);
                self.take_in(message);
            }
            Some(StatusCode::NO_RESPONDERS) => {
                // The consumer isn't there: it is asked for again later.
                asked.count = 0;
                asked.until = Instant::now() + WAITS;
                self.reopen(Duration::from_millis(200));
            }
            Some(StatusCode::IDLE_HEARTBEAT) => {}
            Some(_) => {
                let rest = message.headers.as_ref().and_then(pending);
                asked.count = asked.count.saturating_sub(rest.unwrap_or(asked.count));
            }
        }
    }

    /// Calls come under their own subject, the server's words under that of the request.
    fn lane_of(&mut self, message: &Message) -> Option<&mut Asked> {
        let (rest, last) = message.subject.rsplit_once('.')?;
        if rest == self.inbox {
            return self.lanes.get_mut(last.parse::<usize>().ok()?);
        }
        let is_any = rest.ends_with(".any");
        self.lanes.iter_mut().find(|asked| match asked.lane {
            Lane::Any => is_any,
            Lane::One(function) => !is_any && function.to_string() == last,
        })
    }

    fn take_in(&mut self, message: Message) {
        let Some(reply) = message.reply else { return };
        let reply = reply.to_string();
        let (head, body) = match frames::unpack::<frames::Call>(&message.payload) {
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
            return self.acknowledge(reply, "+TERM");
        }
        let id = call.id;
        let taken = Taken {
            reply,
            delivery: call.delivery,
            is_suspect: head.is_suspect,
            since: Instant::now(),
            begun: None,
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
        let is_complete = large.is_empty();
        self.held.insert(id, Held { call, body, large: HashMap::new() });
        if is_complete {
            return self.complete(id);
        }
        let objects = self.objects.clone();
        self.find(async move {
            let mut all = HashMap::new();
            for (hash, size) in large {
                match objects.get(id.run, hash, size).await {
                    Ok(Some(body)) => drop(all.insert(hash, body)),
                    Ok(None) => return Found::Fetched(id, Err(Some(hash))),
                    Err(_) => return Found::Fetched(id, Err(None)),
                }
            }
            Found::Fetched(id, Ok(all))
        });
    }

    /// All of its arguments are here.
    pub(super) fn complete(&mut self, id: CallId) {
        let is_suspect = self.taken.get(&id).is_some_and(|taken| taken.is_suspect);
        if is_suspect { self.suspects.push_back(id) } else { self.arrived.push(id) }
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
                self.complete(id);
            }
            Err(hash) => self.give_back(id, hash.map_or(Told::Returned, Told::Missing)),
        }
    }

    /// Gives those that are here to the pool. Who has them is told the driver before anything begins.
    pub(super) async fn begin_all(&mut self) {
        let now = Instant::now();
        let mut begin = Vec::new();
        if let Some(&first) = self.suspects.front() {
            // All else waits until it has run, and it waits until all else has.
            if !self.taken.is_running() {
                self.suspects.pop_front();
                begin.push(first);
            }
        } else if !self.arrived.is_empty() && !self.runs_suspect() {
            begin = std::mem::take(&mut self.arrived);
        }
        if begin.is_empty() {
            return;
        }
        let claims = begin.iter().filter_map(|id| {
            let taken = self.taken.get(id)?;
            taken.is_given = true;
            taken.since = now;
            Some((*id, taken.delivery, Told::Claimed(taken.reply.clone())))
        });
        let claims: Vec<_> = claims.collect();
        self.tell(claims).await;
        if self.is_connected {
            // Should this process die of them, the driver is to know of whom to ask.
            self.connection.client.flush().await.ok();
        }
        for id in begin {
            let Some(Held { call, body, large }) = self.held.remove(&id) else { continue };
            match call.arguments(&body, |hash| large.get(hash).cloned()) {
                Ok(arguments) => self.worker.take(call, arguments),
                Err(garbled) => {
                    if let Some(taken) = self.taken.leave(&id) {
                        self.refuse(taken.reply, &garbled, body);
                    }
                }
            }
        }
    }

    fn runs_suspect(&self) -> bool {
        let is_running = |taken: &Taken| taken.is_suspect && taken.is_given && !taken.is_over;
        self.taken.iter().any(|(_, taken)| is_running(taken))
    }

    /// What has waited for too long may go to another worker.
    pub(super) fn hand_back(&mut self, now: Instant) {
        let waiting = self.taken.waiting(WAITS, now);
        if waiting.is_empty() {
            return;
        }
        self.taken.are_slow();
        for id in waiting {
            if self.worker.give_back(id) {
                self.give_back(id, Told::Returned);
            }
        }
        self.arrived_back(now);
    }

    /// What could not even be given to the pool, as one has it to itself.
    fn arrived_back(&mut self, now: Instant) {
        let arrived = std::mem::take(&mut self.arrived);
        for id in arrived {
            let since = self.taken.get(&id).map(|taken| taken.since);
            match since {
                Some(since) if self.is_draining || now.duration_since(since) >= WAITS => {
                    self.give_back(id, Told::Returned);
                }
                Some(_) => self.arrived.push(id),
                None => {}
            }
        }
    }

    /// All that has not begun goes back.
    pub(super) fn hand_all_back(&mut self) {
        let now = Instant::now();
        let all: Vec<CallId> = self.taken.iter().map(|(id, _)| *id).collect();
        for id in all {
            if self.held.contains_key(&id) || self.worker.give_back(id) {
                self.give_back(id, Told::Returned);
            }
        }
        self.suspects.clear();
        self.arrived_back(now);
    }

    /// This worker won't run it.
    fn give_back(&mut self, id: CallId, told: Told) {
        self.held.remove(&id);
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
    fn refuse(&mut self, reply: String, why: &Garbled, payload: Bytes) {
        self.count_refused(why);
        let mut headers = HeaderMap::new();
        headers.insert("Asynckit-Why", why.to_string().replace(['\r', '\n'], " "));
        let (client, subject) = (self.connection.client.clone(), self.names.dead());
        self.find(async move {
            client.publish_with_headers(subject, headers, payload).await.ok();
            Found::Nothing
        });
        self.acknowledge(reply, "+TERM");
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
            Found::Nothing
        });
    }
}

/// How many of the calls that were asked for won't come.
fn pending(headers: &HeaderMap) -> Option<usize> {
    headers.get("Nats-Pending-Messages")?.as_str().parse().ok()
}
