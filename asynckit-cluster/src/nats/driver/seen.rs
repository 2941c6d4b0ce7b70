//! The workers that a driver has heard of, of its build and of others.

use std::collections::{BTreeMap, HashMap};
use std::time::{Duration, Instant};

use crate::clock::{self, Aligned};
use crate::nats::frames::{Beat, News};
use crate::nats::streams::LEASE;
use crate::nats::{EACH, machine};
use crate::seam::Ran;
use crate::status::{RunningCall, WorkerStatus};

use super::calls::Instance;

/// How long calls may be there without a worker until that is said.
const ALONE: Duration = Duration::from_secs(10);

/// How long the clock of a worker is known that has gone.
const FORGOTTEN: Duration = Duration::from_secs(60);

pub(super) struct Seen {
    pub(super) name: String,
    build: String,
    /// Its process, where it is on this machine; else 0.
    process: u32,
    last: Instant,
    refused: u64,
}

/// All of them.
pub(super) struct Workers {
    build: String,
    /// What this machine is called.
    machine: String,
    all: HashMap<Instance, Seen>,
    /// What the clocks of workers show; also of those that have gone, whose outcomes may still come.
    clocks: HashMap<Instance, (Aligned, Instant)>,
    /// Workers of other builds.
    others: HashMap<Instance, Seen>,
    /// What those that have gone have refused.
    refused: u64,
    /// Since when there has been work and no worker.
    alone: Option<Instant>,
    is_said: bool,
}

impl Workers {
    pub(super) fn new(build: String) -> Workers {
        let (all, clocks, others) = Default::default();
        Workers {
            build,
            machine: machine(),
            all,
            clocks,
            others,
            refused: 0,
            alone: None,
            is_said: false,
        }
    }

    /// A worker says what it is at.
    pub(super) fn beats(&mut self, beat: Beat, now: Instant) {
        let is_ours = beat.hello.build == self.build;
        if beat.is_last {
            match is_ours {
                true => drop(self.leaves(beat.instance)),
                false => drop(self.others.remove(&beat.instance)),
            }
            return;
        }
        let process = self.process_here(&beat.machine, beat.hello.process);
        let (name, build) = (beat.hello.name, beat.hello.build);
        let seen = Seen { name, build, process, last: now, refused: beat.refused };
        let all = if is_ours { &mut self.all } else { &mut self.others };
        all.insert(beat.instance, seen);
    }

    /// What its clock has shown when it sent a message that has come now.
    pub(super) fn shows(&mut self, instance: Instance, sent: u64) {
        let now = Instant::now();
        let (clock, last) = self.clocks.entry(instance).or_insert((Aligned::default(), now));
        clock.hears(sent, now);
        *last = now;
    }

    /// When one of its processes has run a call.
    pub(super) fn ran(&self, instance: Instance, place: &str, ran: clock::RanWhen) -> Option<Ran> {
        let (clock, _) = self.clocks.get(&instance)?;
        let (began, ended) = clock.ran(ran)?;
        Some(Ran { place: place.into(), began, ended })
    }

    /// It has said something, if not all that it is at.
    pub(super) fn speaks(&mut self, news: &News, now: Instant) {
        let process = self.process_here(&news.machine, news.process);
        // (Those of other builds have nothing to say to this driver.)
        let build = &self.build;
        let new = || Seen {
            name: news.worker.clone(),
            build: build.clone(),
            process,
            last: now,
            refused: 0,
        };
        self.all.entry(news.instance).or_insert_with(new).last = now;
    }

    /// A process, where it is one of this machine; else 0.
    fn process_here(&self, machine: &str, process: u32) -> u32 {
        if machine == self.machine { process } else { 0 }
    }

    pub(super) fn name(&self, instance: Instance) -> Option<&str> {
        self.all.get(&instance).map(|seen| &*seen.name)
    }

    pub(super) fn leaves(&mut self, instance: Instance) -> Option<Seen> {
        let seen = self.all.remove(&instance)?;
        self.refused += seen.refused;
        Some(seen)
    }

    /// Those that have not said anything for too long.
    pub(super) fn silent(&mut self, now: Instant) -> Vec<Instance> {
        let all = &self.all;
        let is_old = |last: Instant| now.duration_since(last) >= FORGOTTEN;
        self.clocks.retain(|instance, (_, last)| all.contains_key(instance) || !is_old(*last));
        self.others.retain(|_, seen| now.duration_since(seen.last) < ALONE);
        let silent = |seen: &Seen| now.duration_since(seen.last) >= LEASE;
        self.all.iter().filter(|(_, seen)| silent(seen)).map(|(instance, _)| *instance).collect()
    }

    /// Nobody could say anything meanwhile.
    pub(super) fn begin_anew(&mut self, now: Instant) {
        self.all.values_mut().for_each(|seen| seen.last = now);
        self.alone = None;
    }

    /// What to say, once, where there has been work for a while and nobody to do it.
    pub(super) fn alone(&mut self, has_work: bool, now: Instant) -> Option<String> {
        if !has_work || !self.all.is_empty() {
            (self.alone, self.is_said) = (None, false);
            return None;
        }
        let since = *self.alone.get_or_insert(now);
        // It is looked at each second, so that it is seen a second late, and seen to be due another one late.
        if self.is_said || now.duration_since(since) + 2 * EACH < ALONE {
            return None;
        }
        self.is_said = true;
        let mut words = format!(
            "no worker of this build ({}) has been there for a while, and calls wait for one: start this same program \
             with ASYNCKIT_WORKER set to the server's address",
            self.build
        );
        let mut others = BTreeMap::<&str, Vec<&str>>::new();
        self.others.values().for_each(|its| others.entry(&its.build).or_default().push(&its.name));
        for (build, mut names) in others {
            names.sort_unstable();
            words += &format!(
                "; {} of another build ({build}), to which nothing is sent",
                names.join(", ")
            );
        }
        Some(words)
    }

    pub(super) fn refused(&self) -> u64 {
        self.refused + self.all.values().map(|seen| seen.refused).sum::<u64>()
    }

    /// All of them, with what each runs.
    pub(super) fn status(
        &self,
        mut running: HashMap<Instance, Vec<RunningCall>>,
    ) -> Vec<WorkerStatus> {
        let seen = self.all.iter().chain(&self.others);
        let status = seen.map(|(instance, seen)| WorkerStatus {
            name: seen.name.clone(),
            build: seen.build.clone(),
            is_of_this_build: seen.build == self.build,
            process: seen.process,
            running: running.remove(instance).unwrap_or_default(),
        });
        let mut all: Vec<WorkerStatus> = status.collect();
        all.sort_by(|a, b| (&a.name, &a.build).cmp(&(&b.name, &b.build)));
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whenever work comes between two looks, and however late these are, by up to a tenth.
    #[test]
    fn that_there_is_no_worker_is_said_within_ten_seconds() {
        let begin = Instant::now();
        for each in [1_000, 1_001, 1_010, 1_050, 1_100] {
            let mut workers = Workers::new("build".to_owned());
            let look = |n: u64| begin + Duration::from_millis(n * each);
            assert_eq!(workers.alone(false, begin), None);
            // It comes right after that.
            let said = (1..).find(|n| workers.alone(true, look(*n)).is_some()).unwrap();
            assert!(look(said) <= begin + ALONE, "after {said} looks, each {each} ms");
            // Once, and again when there was a worker meanwhile.
            assert!((said + 1..said + 30).all(|n| workers.alone(true, look(n)).is_none()));
            assert_eq!(workers.alone(false, look(said + 30)), None);
            assert!((said + 31..said + 45).any(|n| workers.alone(true, look(n)).is_some()));
        }
    }
}
