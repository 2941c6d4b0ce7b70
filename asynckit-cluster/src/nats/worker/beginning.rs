//! Which of the calls that are here may begin. One that may be the end of what runs it begins when it has to itself what it
//! should have, and its driver is told before. So when this worker goes as a whole, it is known which of them had begun.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;

use super::acting::ActingWorker;
use super::taken::Taken;
use crate::seam::{About, Alone, ArgumentBytes, Backend, Outgoing};
use crate::wire::{self, CallId, Outcome};

/// A call that has a worker to itself comes at a moment of chance within this time: whoever ends workers by the clock does
/// not meet it each time.
const APART: Duration = Duration::from_secs(1);

/// How long it waits for that. Then it goes with the others, in a process of its own: what runs here may run for ever, and
/// the others that wait for it need not.
const PATIENCE: Duration = Duration::from_secs(4);

/// How long a call waits before it has come.
pub(super) fn pause(alone: Alone) -> Duration {
    match alone {
        Alone::No | Alone::Once | Alone::InProcess => Duration::ZERO,
        Alone::InWorker => {
            let chance = crate::nats::by_chance() % APART.as_micros() as u64;
            Duration::from_micros(chance)
        }
    }
}

impl ActingWorker {
    /// Gives those that may begin to processes. Who has them is told the driver in a moment, unless they are over by then;
    /// so nothing begins while nobody can be told.
    pub(super) async fn begin_all(&mut self) {
        if self.arrived.is_empty() && self.alone.is_none() || !self.is_connected {
            return;
        }
        let begin = self.who_may_begin();
        if begin.is_empty() {
            return;
        }
        self.claims.extend(&begin);
        let is_suspect = |id| self.taken.alone(id) != Alone::No;
        if self.taken.has_suspects() && begin.iter().any(is_suspect) {
            // Should this machine die of it, the driver is to know of whom to ask: so it is told first.
            self.say_all().await;
            if !self.flush().await {
                return;
            }
        } else {
            self.say_soon();
        }
        match begin.len() == self.arrived.len() {
            true => self.arrived.clear(),
            false => self.arrived.retain(|id| !begin.contains(id)),
        }
        let now = Instant::now();
        for id in begin {
            let Some(held) = self.held.remove(&id) else { continue };
            let Some(taken) = self.taken.get(&id) else { continue };
            (taken.is_given, taken.since) = (true, now);
            let alone = taken.alone;
            match held.arguments() {
                Ok(arguments) => self.give(held.call, arguments, alone),
                Err(garbled) => {
                    if let Some(taken) = self.taken.leave(&id) {
                        self.refuse(taken.reply, &garbled, held.body);
                    }
                }
            }
        }
    }

    /// Of those that may have ended a process no more at a time than there are processes, as each has one to itself; and one
    /// that has this worker to itself when all else has come to its end. Until then others wait for it, for a time.
    fn who_may_begin(&mut self) -> Vec<CallId> {
        let begins_or_waits =
            |id| self.taken.is_for_itself(&id, PATIENCE) || self.taken.has(&id) && !self.waits(id);
        if self.alone.is_some_and(|id| !begins_or_waits(id)) {
            self.alone = None;
        }
        if !self.taken.has_suspects() {
            return self.arrived.clone();
        }
        if self.alone.is_none() {
            let is_meant = |id: &&CallId| self.taken.is_for_itself(id, PATIENCE);
            self.alone = self.arrived.iter().find(is_meant).copied();
        }
        if let Some(id) = self.alone {
            let has_begun = |(_, taken): (&CallId, &Taken)| taken.is_given;
            let is_next = self.arrived.contains(&id) && !self.taken.iter().any(has_begun);
            return if is_next { vec![id] } else { Vec::new() };
        }
        let has_its_own = |alone| matches!(alone, Alone::InProcess | Alone::InWorker);
        let runs = |taken: &&Taken| taken.is_given && !taken.is_over && has_its_own(taken.alone);
        let run = self.taken.iter().filter(|(_, taken)| runs(taken)).count();
        let mut room = self.settings.processes.saturating_sub(run);
        let mut may = |id: &&CallId| {
            let counts = has_its_own(self.taken.alone(id));
            let may = !counts || room > 0;
            room -= usize::from(counts && may);
            may
        };
        self.arrived.iter().filter(|id| may(id)).copied().collect()
    }

    /// Whether it is here and waits to begin.
    pub(super) fn waits(&self, id: CallId) -> bool {
        self.arrived.contains(&id)
    }

    fn give(&mut self, call: wire::Call, arguments: Vec<ArgumentBytes>, alone: Alone) {
        let (id, function) = (call.id, call.function);
        let path = match self.functions.find(&function) {
            Ok(served) => served.function().path(),
            Err(why) => {
                self.finished(id, Outcome::Refused(why), Bytes::new(), None);
                return self.over(id);
            }
        };
        // (The server sees to the functions' limits.)
        let about = || Arc::new(About { function, path, limit: None });
        let about = self.abouts.entry(function).or_insert_with(about).clone();
        self.crew.publish(Outgoing { call, arguments, about, alone });
    }
}
