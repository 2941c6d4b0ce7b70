//! The calls of a driver that have no outcome yet, and what is known of where each is.

use std::collections::{HashMap, VecDeque};
use std::time::Instant;

use crate::nats::names::Lane;
use crate::nats::streams::LEASE;
use crate::seam::Outgoing;

/// How many calls of a lane are given to the server at once: more than the workers of any cluster of ours have, and few
/// enough to be looked at one by one.
const WINDOW: usize = 4096;

/// So many calls are few.
const FEW: usize = 4;

/// How long after a call was taken from the stream nobody has to say that he has it.
const UNSAID: std::time::Duration = LEASE;

/// One run of a worker.
pub(super) type Instance = u64;

pub(super) struct Open {
    pub(super) outgoing: Outgoing,
    pub(super) lane: Lane,
    pub(super) place: Place,
    pub(super) claim: Option<Claim>,
    /// When the first message of this delivery went out that the server may have.
    pub(super) sent: Option<Instant>,
    /// Since when it is known to have been taken from the stream, while nobody has said that he has it.
    gone: Option<Instant>,
    /// Its outcome has been told, and the value is on its way.
    is_told: bool,
}

/// Where a call is, as far as the driver has brought it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Place {
    /// In its lane, with us.
    Waiting,
    /// Its large bodies are on their way, or the message is.
    Underway,
    /// The server would not have it, or its answer did not come. It is sent again then, under the same id.
    Again(Instant),
    /// It has gone out alone, and the server was not asked whether it has it, as that takes longer than a short call. It is
    /// sent again then, likewise, if nobody has said by then that he has it.
    Unasked(Instant),
    /// It has gone out, and if the server has it, it may not know it by its id any more: so it isn't sent again. It is lost
    /// then, if nobody has said by then that he has it.
    Doubtful(Instant),
    /// In the stream.
    Stored { seq: u64 },
}

pub(super) struct Claim {
    pub(super) instance: Instance,
    /// By which it is acknowledged.
    pub(super) reply: String,
    pub(super) hold: Hold,
    /// Since when its worker has it.
    pub(super) since: Instant,
    /// When its worker last said that it has it.
    pub(super) seen: Instant,
}

/// How a worker has a call.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Hold {
    /// It has named it, and not said that it begins: a suspect hasn't begun.
    Named,
    /// It is about to begin, or has.
    Begun,
    /// So it is, and nothing else is there.
    Alone,
}

#[derive(Default)]
pub(super) struct LaneOf {
    waiting: VecDeque<u64>,
    /// How many of its calls are with the server.
    given: usize,
    pub(super) limit: Option<usize>,
    /// Whether its consumer is there.
    pub(super) is_made: bool,
}

#[derive(Default)]
pub(super) struct Calls {
    open: HashMap<u64, Open>,
    pub(super) lanes: HashMap<Lane, LaneOf>,
}

impl Calls {
    /// A call, or its next delivery.
    pub(super) fn enter(&mut self, outgoing: Outgoing) -> Lane {
        let number = outgoing.call.id.number;
        self.leave(number);
        let lane = match outgoing.about.limit {
            None => Lane::Any,
            Some(_) => Lane::One(outgoing.about.function),
        };
        let its = self.lanes.entry(lane).or_default();
        its.limit = outgoing.about.limit.map(Into::into);
        its.waiting.push_back(number);
        let (place, claim, sent, gone, is_told) = (Place::Waiting, None, None, None, false);
        let open = Open { outgoing, lane, place, claim, sent, gone, is_told };
        self.open.insert(number, open);
        lane
    }

    /// It is over, one way or another.
    pub(super) fn leave(&mut self, number: u64) -> Option<Open> {
        let open = self.open.remove(&number)?;
        let Some(lane) = self.lanes.get_mut(&open.lane) else { return Some(open) };
        if open.place != Place::Waiting {
            lane.given -= 1;
        } else if lane.waiting.len() > 2 * self.open.len() + 8 {
            // Those that are gone would be found to be so when their turn came, which may never be.
            let waits = |open: &Open| open.place == Place::Waiting;
            lane.waiting.retain(|number| self.open.get(number).is_some_and(waits));
        }
        Some(open)
    }

    /// The next call of a lane that the server may have.
    pub(super) fn next(&mut self, lane: Lane) -> Option<u64> {
        let its = self.lanes.get_mut(&lane)?;
        while its.given < WINDOW {
            let number = its.waiting.pop_front()?;
            if let Some(open) = self.open.get_mut(&number)
                && open.place == Place::Waiting
            {
                open.place = Place::Underway;
                its.given += 1;
                return Some(number);
            }
        }
        None
    }

    pub(super) fn get(&self, number: u64) -> Option<&Open> {
        self.open.get(&number)
    }

    /// This delivery, unless it is over.
    pub(super) fn delivery(&mut self, number: u64, delivery: u32) -> Option<&mut Open> {
        self.open.get_mut(&number).filter(|open| open.outgoing.call.delivery == delivery)
    }

    /// Whether there are so few that each of them is waited for, rather than all.
    pub(super) fn are_few(&self) -> bool {
        self.open.len() <= FEW
    }

    pub(super) fn is_empty(&self) -> bool {
        self.open.is_empty()
    }

    pub(super) fn all(&self) -> impl Iterator<Item = &Open> {
        self.open.values()
    }

    /// A message of it goes out.
    pub(super) fn goes_out(&mut self, number: u64, now: Instant) {
        if let Some(open) = self.open.get_mut(&number) {
            open.sent.get_or_insert(now);
        }
    }

    /// It has gone out, and the server is not asked whether it has it before then.
    pub(super) fn goes_unasked(&mut self, number: u64, until: Instant) {
        if let Some(open) = self.open.get_mut(&number) {
            open.place = Place::Unasked(until);
        }
    }

    /// The server would not have it, or did not answer: it goes again then.
    pub(super) fn goes_again(&mut self, number: u64, until: Instant) {
        if let Some(open) = self.open.get_mut(&number) {
            open.place = Place::Again(until);
        }
    }

    /// Its outcome is told, or is not to be had after all; whether it was told before.
    pub(super) fn tell(&mut self, number: u64, is_told: bool) -> bool {
        let open = self.open.get_mut(&number);
        open.is_some_and(|open| std::mem::replace(&mut open.is_told, is_told))
    }

    /// A worker takes this delivery. `false` where it isn't the one that is waited for.
    pub(super) fn claim(
        &mut self,
        number: u64,
        delivery: u32,
        by: Instance,
        reply: String,
        hold: Hold,
    ) -> bool {
        let Some(open) = self.delivery(number, delivery) else { return false };
        open.gone = None;
        let now = Instant::now();
        open.claim = Some(Claim { instance: by, reply, hold, since: now, seen: now });
        true
    }

    /// The connection is there again: what is to be sent again now, of what was on its way. `is_known` says of which
    /// calls the server would know that it has them; the others are doubtful from now on.
    pub(super) fn underway(&mut self, now: Instant, is_known: impl Fn(&Open) -> bool) -> Vec<u64> {
        for open in self.open.values_mut().filter(|open| open.place == Place::Underway) {
            // No answer comes any more.
            open.place = Place::Again(now);
        }
        self.sent_again(now, is_known, |place| match place {
            Place::Again(at) => Some(at <= now),
            Place::Unasked(_) => Some(true),
            _ => None,
        })
    }

    /// What is to be sent again by now, likewise.
    pub(super) fn due(&mut self, now: Instant, is_known: impl Fn(&Open) -> bool) -> Vec<u64> {
        self.sent_again(now, is_known, |place| match place {
            Place::Again(at) | Place::Unasked(at) => Some(at <= now),
            _ => None,
        })
    }

    /// `is_meant` says of each place whether a call that is there has no answer of the server, and whether it is sent again
    /// now. What somebody has, as he says, isn't.
    fn sent_again(
        &mut self,
        now: Instant,
        is_known: impl Fn(&Open) -> bool,
        is_meant: impl Fn(Place) -> Option<bool>,
    ) -> Vec<u64> {
        let mut again = Vec::new();
        for (number, open) in &mut self.open {
            let Some(is_due) = is_meant(open.place) else { continue };
            if open.claim.is_some() || open.is_told {
                continue;
            }
            if !is_known(open) {
                open.place = Place::Doubtful(now + UNSAID);
            } else if is_due {
                open.place = Place::Underway;
                again.push(*number);
            }
        }
        again
    }

    /// What was doubtful for long enough.
    pub(super) fn given_up(&self, now: Instant) -> Vec<(u64, u32)> {
        let is_meant = |open: &Open| match open.place {
            Place::Doubtful(until) => until <= now && open.claim.is_none() && !open.is_told,
            _ => false,
        };
        let open = self.open.iter().filter(|(_, open)| is_meant(open));
        open.map(|(number, open)| (*number, open.outgoing.call.delivery)).collect()
    }

    /// A worker says that it has this delivery.
    pub(super) fn has(&mut self, number: u64, delivery: u32, instance: Instance, now: Instant) {
        let Some(open) = self.delivery(number, delivery) else { return };
        open.gone = None;
        match &mut open.claim {
            Some(claim) if claim.instance == instance => claim.seen = now,
            // It was stored twice, and two have it: the first outcome counts.
            Some(_) => {}
            None => {
                let (reply, hold) = (String::new(), Hold::Named);
                open.claim = Some(Claim { instance, reply, hold, since: now, seen: now })
            }
        }
    }

    /// Calls of a lane that are in the stream, as far as is known, with nobody who says that he has them.
    pub(super) fn unclaimed(&self) -> HashMap<Lane, Vec<(u64, u32, u64)>> {
        let mut all: HashMap<Lane, Vec<_>> = HashMap::new();
        for (number, open) in &self.open {
            if let (Place::Stored { seq }, None, false) = (open.place, &open.claim, open.is_told) {
                let entry = (*number, open.outgoing.call.delivery, seq);
                all.entry(open.lane).or_default().push(entry);
            }
        }
        all
    }

    /// The consumer has handed out all up to this one. Returns what was handed out too long ago, to nobody.
    pub(super) fn handed_out(&mut self, lane: Lane, upto: u64, now: Instant) -> Vec<(u64, u32)> {
        let mut lost = Vec::new();
        for (number, open) in &mut self.open {
            let Place::Stored { seq } = open.place else { continue };
            if open.lane == lane && open.claim.is_none() && !open.is_told && seq <= upto {
                let since = *open.gone.get_or_insert(now);
                if now.duration_since(since) >= UNSAID {
                    lost.push((*number, open.outgoing.call.delivery));
                }
            }
        }
        lost
    }

    /// Nobody could say anything meanwhile: the clocks begin anew.
    pub(super) fn begin_anew(&mut self, now: Instant) {
        for open in self.open.values_mut() {
            open.gone = None;
            if let Place::Doubtful(until) = &mut open.place {
                *until = now + UNSAID;
            }
            if let Some(claim) = &mut open.claim {
                claim.seen = now;
            }
        }
    }

    /// Those that their worker, which lives, has not named for a while.
    pub(super) fn unnamed(&self, now: Instant) -> Vec<(u64, u32)> {
        self.claimed(|claim| now.duration_since(claim.seen) >= LEASE)
    }

    /// Those that this worker has.
    pub(super) fn of(&self, instance: Instance) -> Vec<(u64, u32)> {
        self.claimed(|claim| claim.instance == instance)
    }

    fn claimed(&self, is_meant: impl Fn(&Claim) -> bool) -> Vec<(u64, u32)> {
        let is_meant = |open: &Open| !open.is_told && open.claim.as_ref().is_some_and(&is_meant);
        let open = self.open.iter().filter(|(_, open)| is_meant(open));
        open.map(|(number, open)| (*number, open.outgoing.call.delivery)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seam::About;

    fn call(number: u64) -> Outgoing {
        Outgoing::delivered(number, 1, &About::limited(None))
    }

    /// What has gone out, and the server has said nothing of.
    fn underway(numbers: std::ops::Range<u64>) -> (Calls, Instant) {
        let (mut calls, now) = (Calls::default(), Instant::now());
        for number in numbers {
            calls.enter(call(number));
            calls.next(Lane::Any);
            calls.goes_out(number, now);
        }
        (calls, now)
    }

    #[test]
    fn what_the_server_would_not_know_or_somebody_has_is_not_sent_again() {
        let (mut calls, now) = underway(1..4);
        assert!(calls.claim(2, 1, 7, "ack".to_owned(), Hold::Begun));
        let is_known = |open: &Open| open.outgoing.call.id.number != 3;
        assert_eq!(calls.underway(now, is_known), [1]);
        assert_eq!(calls.given_up(now), []);
        assert_eq!(calls.given_up(now + UNSAID), [(3, 1)]);
        // The connection comes back once more, and somebody says that he has it.
        calls.begin_anew(now + UNSAID);
        assert_eq!(calls.given_up(now + UNSAID), []);
        calls.has(3, 1, 7, now);
        assert_eq!(calls.given_up(now + 2 * UNSAID), []);
    }

    /// It is with who was given up, and has come back.
    #[test]
    fn who_has_an_older_delivery_does_not_have_the_newer_one() {
        let (mut calls, now) = (Calls::default(), Instant::now());
        let mut second = call(1);
        second.call.delivery = 2;
        calls.enter(second);
        calls.has(1, 1, 7, now);
        assert!(calls.get(1).is_some_and(|open| open.claim.is_none()));
        calls.has(1, 2, 7, now);
        assert!(calls.get(1).is_some_and(|open| open.claim.is_some()));
    }

    /// While the server is away, for instance.
    #[test]
    fn what_is_given_up_before_it_went_out_is_not_kept() {
        let mut calls = Calls::default();
        calls.enter(call(1));
        for number in 2..10_000 {
            calls.enter(call(number));
            calls.leave(number);
        }
        assert!(calls.lanes[&Lane::Any].waiting.len() < 20);
        assert_eq!((calls.next(Lane::Any), calls.next(Lane::Any)), (Some(1), None));
    }
}
