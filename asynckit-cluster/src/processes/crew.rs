//! The processes of a cluster, and who gets which call: all under one lock, and without ever waiting.
//!
//! A process runs so many calls at a time as it has threads. Where calls are quick it is sent some ahead, so that it
//! does not wait for the next one; should one of them take long after all, it is asked to give the others back.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::process::Child;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::member::{Member, Sent, Why};
use super::messages::{FromWorker, Kept, ToWorker};
use super::pipe::Outbox;
use super::queue::Queue;
use crate::clock::Aligned;
use crate::seam::{Blame, Lost, Outgoing, Ran};
use crate::wire::{CallId, FunctionId};

/// How many calls a process has ahead at most.
const AHEAD: usize = 64;

/// The work that a process has ahead takes about so long.
const WORTH: Duration = Duration::from_micros(1_000);

/// What takes longer is not quick.
pub(super) const LONG: Duration = Duration::from_millis(5);

/// A call of a process that is gone, and what it has to do with that: `None` where nobody waits for it any more.
pub(super) type Blamed = (Sent, Option<Blame>);

pub(super) struct Crew {
    pub(super) queue: Queue,
    pub(super) members: BTreeMap<u64, Member>,
    /// How long calls take, by function, in microseconds.
    times: HashMap<FunctionId, f64>,
    /// The most members.
    most: usize,
    threads: usize,
    max_calls: Option<u64>,
    /// How many more are to be started, and whether one just is.
    pub(super) to_start: usize,
    pub(super) is_starting: bool,
    /// Until when none is started, as none could be.
    pub(super) starts_none: Option<Instant>,
    /// How many have ended, and not been looked after yet.
    pub(super) leaving: usize,
    /// How many members there have been.
    pub(super) started: u64,
    /// How many have ended in a row without a word, and when the first of them was started.
    pub(super) silent: Option<(u32, Instant)>,
    pub(super) is_stopping: bool,
    /// Whether the keeper looks at the clock often, or at all.
    pub(super) ticks: bool,
    pub(super) watches: bool,
}

/// What is to be told when the lock is released.
pub(super) enum CrewNews {
    Finished(CallId, crate::wire::Outcome, bytes::Bytes, Option<Ran>),
    Early(CallId, crate::wire::Outcome, bytes::Bytes),
    Over(CallId),
    Lost(CallId, u32, Lost),
    Keeper,
}

impl Crew {
    pub(super) fn new(most: usize, threads: usize, max_calls: Option<u64>) -> Crew {
        Crew {
            queue: Queue::default(),
            members: BTreeMap::new(),
            times: HashMap::new(),
            most,
            threads,
            max_calls,
            to_start: 0,
            is_starting: false,
            starts_none: None,
            leaving: 0,
            started: 0,
            silent: None,
            is_stopping: false,
            ticks: false,
            watches: false,
        }
    }

    /// A process was started; it may say hello.
    pub(super) fn add(&mut self, number: u64, name: String, child: Child, outbox: Arc<Outbox>) {
        let now = Instant::now();
        let mut member = Member {
            place: name.as_str().into(),
            clock: Aligned::default(),
            name,
            process: child.id(),
            outbox: Some(outbox),
            child,
            since: now,
            is_ready: false,
            calls: VecDeque::new(),
            slow: 0,
            large: Kept::new(),
            given: 0,
            has_suspect: false,
            last_sign: now,
            last_end: now,
            killed: None,
        };
        if self.is_stopping {
            member.close();
        }
        self.members.insert(number, member);
    }

    /// Sends out what may go out. Says whether the keeper has something to do.
    pub(super) fn dispatch(&mut self) -> bool {
        let mut rouse = false;
        while self.queue.len() > 0 {
            let Some(outgoing) = self.queue.next() else { break };
            let Some(number) = self.place_for(&outgoing) else {
                self.queue.push_back(outgoing);
                rouse |= self.want_more();
                break;
            };
            rouse |= !std::mem::replace(&mut self.watches, true);
            let is_quick = self.ahead(&outgoing.about.function) > 1;
            let Some(member) = self.members.get_mut(&number) else { break };
            member.send(outgoing, is_quick, self.threads);
            if member.calls.len() > self.threads {
                rouse |= !std::mem::replace(&mut self.ticks, true);
                rouse |= self.want_more();
            }
        }
        rouse
    }

    /// Has one more process started, if that would be of use.
    fn want_more(&mut self) -> bool {
        let soon = self.to_start + usize::from(self.is_starting);
        let coming = soon + self.members.values().filter(|one| !one.is_ready).count();
        let there = self.members.len() + soon;
        let is_wanted = there < self.most && coming * self.threads < self.queue.len().max(1);
        let is_wanted = is_wanted && !self.is_stopping && self.starts_none.is_none();
        self.to_start += usize::from(is_wanted);
        is_wanted
    }

    /// None could be started: calls wait for those that are there, and for better times.
    pub(super) fn starts_none(&mut self, until: Instant) {
        self.to_start = 0;
        self.starts_none = Some(until);
    }

    /// Whether times may be better by now, and there is something to do.
    pub(super) fn may_start_again(&mut self, now: Instant) -> bool {
        if self.starts_none.is_none_or(|until| now < until) {
            return false;
        }
        self.starts_none = None;
        self.dispatch()
    }

    /// Who has time for a call: who is idle, else who has the least ahead, where that is quick.
    fn place_for(&self, outgoing: &Outgoing) -> Option<u64> {
        let fit = self.members.iter().filter(|(_, one)| one.takes_more(self.max_calls));
        let (number, least) = fit.min_by_key(|(_, one)| one.calls.len())?;
        let has = least.calls.len();
        if outgoing.is_suspect() {
            return (has == 0).then_some(*number);
        }
        let fits = has < self.threads
            || least.slow == 0 && has < self.ahead(&outgoing.about.function) * self.threads;
        fits.then_some(*number)
    }

    /// How many calls of a function are sent ahead.
    fn ahead(&self, function: &FunctionId) -> usize {
        let time = self.times.get(function).copied().unwrap_or(f64::MAX);
        ((WORTH.as_micros() as f64 / time.max(1.0)) as usize).clamp(1, AHEAD)
    }

    /// A call of a process is over.
    fn ends(&mut self, number: u64, id: CallId, was_run: bool) -> Option<Sent> {
        let member = self.members.get_mut(&number)?;
        let at = member.calls.iter().position(|sent| sent.outgoing.call.id == id)?;
        let sent = member.calls.remove(at)?;
        member.slow -= usize::from(!sent.is_quick);
        let now = Instant::now();
        if was_run {
            let took = now - sent.since.max(member.last_end);
            let took = took.as_micros() as f64;
            let time = self.times.entry(sent.outgoing.about.function).or_insert(took);
            let is_long = took > LONG.as_micros() as f64;
            *time = if is_long { took } else { 0.75 * *time + 0.25 * took };
            member.last_end = now;
        }
        member.has_suspect &= !sent.outgoing.is_suspect();
        let is_used_up = self.max_calls.is_some_and(|most| member.given >= most);
        if member.calls.is_empty() && is_used_up || self.is_stopping && !member.cleans_up() {
            member.close();
        }
        self.queue.leaves(&sent.outgoing.about);
        Some(sent)
    }

    /// A process has said something.
    pub(super) fn hears(
        &mut self,
        number: u64,
        message: FromWorker,
        body: bytes::Bytes,
        grace: Duration,
        news: &mut Vec<CrewNews>,
    ) {
        let Some(member) = self.members.get_mut(&number) else { return };
        // (One look at the clock a second is enough.)
        if !matches!(message, FromWorker::Finished(..)) || member.calls.len() == 1 {
            member.last_sign = Instant::now();
        }
        match message {
            FromWorker::Hello(_) => {
                member.is_ready = true;
                self.silent = None;
            }
            FromWorker::Finished(id, outcome, ran) => {
                let ran = member.ran(ran);
                match self.ends(number, id, true) {
                    Some(sent) if sent.is_settled => news.push(CrewNews::Over(id)),
                    Some(_) => news.push(CrewNews::Finished(id, outcome, body, ran)),
                    None => {}
                }
            }
            FromWorker::Early(id, outcome) => {
                let sent = member.calls.iter_mut().find(|sent| sent.outgoing.call.id == id);
                if let Some(sent) = sent.filter(|sent| !sent.is_settled) {
                    member.slow += sent.settle(grace);
                    news.extend([CrewNews::Early(id, outcome, body), CrewNews::Keeper]);
                }
            }
            FromWorker::Over(id) => match self.ends(number, id, false) {
                Some(sent) if sent.is_settled => news.push(CrewNews::Over(id)),
                Some(sent) => {
                    let worker = self.members.get(&number).map(|member| member.name.clone());
                    let words = "told no outcome of it".to_owned();
                    let lost =
                        Lost { worker: worker.unwrap_or_default(), words, blame: Blame::Its };
                    news.push(CrewNews::Lost(id, sent.outgoing.call.delivery, lost));
                }
                None => {}
            },
            FromWorker::GivenBack(id) => match self.ends(number, id, false) {
                Some(sent) if sent.is_settled => news.push(CrewNews::Over(id)),
                Some(sent) => self.queue.push_first(sent.outgoing),
                None => {}
            },
            FromWorker::Alive => {}
        }
        // What is left there may be nothing but what was given up.
        let is_left = self.threads > 1 && self.members.get(&number).is_some_and(Member::cleans_up);
        if self.dispatch() || is_left {
            news.push(CrewNews::Keeper);
        }
    }

    /// Nobody wants a call any more. Says whether the keeper has something to do.
    pub(super) fn withdraw(&mut self, id: CallId, grace: Duration) -> bool {
        if self.queue.remove(id) {
            return false;
        }
        for member in self.members.values_mut() {
            let sent = member.calls.iter_mut().find(|sent| sent.outgoing.call.id == id);
            if let Some(sent) = sent {
                member.slow += sent.settle(grace);
                member.say(&ToWorker::Cancel(id));
                return true;
            }
        }
        false
    }

    /// Takes a process out that is gone, and says of each call that it had what the call has to do with that.
    pub(super) fn remove(&mut self, number: u64) -> Option<(Member, Vec<Blamed>)> {
        let mut member = self.members.remove(&number)?;
        self.leaving += 1;
        let calls = std::mem::take(&mut member.calls);
        calls.iter().for_each(|sent| self.queue.leaves(&sent.outgoing.about));
        let open = calls.iter().filter(|sent| !sent.is_settled).count();
        let blame = match (member.killed, open) {
            (Some(Why::GivenUp), _) => Blame::None,
            (_, 1) => Blame::Its,
            _ => Blame::Maybe,
        };
        let blamed = calls.into_iter().map(|sent| {
            let blame = (!sent.is_settled).then_some(blame);
            (sent, blame)
        });
        Some((member, blamed.collect()))
    }

    /// Asks back what waits behind calls that take long.
    pub(super) fn ask_back(&mut self, now: Instant) {
        self.ticks = false;
        for member in self.members.values_mut().filter(|one| one.calls.len() > self.threads) {
            self.ticks = true;
            let begun = member.calls[0].since.max(member.last_end);
            if now - begun < LONG {
                continue;
            }
            let mut asked = Vec::new();
            for sent in member.calls.iter_mut().skip(self.threads).filter(|one| !one.is_asked_back)
            {
                sent.is_asked_back = true;
                asked.push(sent.outgoing.call.id);
            }
            asked.into_iter().for_each(|id| member.say(&ToWorker::GiveBack(id)));
        }
    }

    /// Whether nothing is left of any of them.
    pub(super) fn is_gone(&self) -> bool {
        self.members.is_empty() && self.leaving == 0 && !self.is_starting
    }

    /// Has all of them end: those where cancelled code still runs, when that has ended or its grace is over.
    pub(super) fn stop(&mut self) {
        self.is_stopping = true;
        self.to_start = 0;
        self.members.values_mut().filter(|one| !one.cleans_up()).for_each(Member::close);
    }
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;
    use crate::clock::RanWhen as Took;
    use crate::processes::pipe;
    use crate::seam::About;
    use crate::wire::{self, Hello, Outcome};

    fn call(number: u64) -> Outgoing {
        Outgoing::delivered(number, 1, &About::limited(None))
    }

    /// A process that says so has lost the call: else nobody would ever answer it.
    #[test]
    fn what_is_over_without_an_outcome_is_lost_where_somebody_waits_for_it() {
        let (mut crew, mut news) = (Crew::new(1, 2, None), Vec::new());
        let mut child = Command::new("true").spawn().unwrap();
        child.wait().unwrap();
        let (_calls, to) = pipe::pipe().unwrap();
        crew.add(1, "w".to_owned(), child, Arc::new(Outbox::new(to).unwrap()));
        let hello = Hello {
            version: wire::VERSION,
            name: String::new(),
            process: 1,
            threads: 2,
            build: String::new(),
        };
        let mut hear = |crew: &mut Crew, message| {
            crew.hears(1, message, bytes::Bytes::new(), Duration::ZERO, &mut news);
            std::mem::take(&mut news)
        };
        hear(&mut crew, FromWorker::Hello(hello));
        (1..=3).for_each(|number| crew.queue.push(call(number)));
        crew.dispatch();
        let id = |number| CallId { run: 1, number };
        let heard = hear(&mut crew, FromWorker::Over(id(1)));
        let is_lost = |one: &CrewNews| match one {
            CrewNews::Lost(lost, 1, how) => *lost == id(1) && how.blame == Blame::Its,
            _ => false,
        };
        assert!(heard.iter().any(is_lost));
        // Of what nobody waits for any more that is all that is told.
        crew.withdraw(id(2), Duration::ZERO);
        let heard = hear(&mut crew, FromWorker::Over(id(2)));
        assert!(matches!(heard[..], [CrewNews::Over(over)] if over == id(2)));
        let took = Took::by(Instant::now(), Instant::now(), Instant::now());
        let heard = hear(&mut crew, FromWorker::Finished(id(3), Outcome::Value, took));
        assert!(matches!(heard[..], [CrewNews::Finished(over, ..)] if over == id(3)));
    }
}
