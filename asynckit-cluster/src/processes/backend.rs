//! The backend: the keeper, what it does, and what becomes of a process that ends.

use std::ffi::OsString;
use std::io;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use bytes::Bytes;

use super::crew::{Blamed, Crew, CrewNews, LONG};
use super::lines::{LastWords, OnLine};
use super::member::{Member, Why};
use super::messages::{self, FromWorker, ProcessSettings};
use super::start::{Started, in_words};
use crate::seam::{Backend, Driver, Lost, Outgoing};
use crate::status::{Status, WorkerStatus};
use crate::sync::lock;
use crate::wire::{self, CallId, Garbled};

/// A process that has not said hello after this time does not do so any more. (So that this is said within ten seconds.)
const HELLO: Duration = Duration::from_secs(9);

/// So many processes that end before their hello are enough.
const SILENT: u32 = 3;

/// How long none is started where one could not be, and others are there.
const PAUSE: Duration = Duration::from_secs(1);

/// How processes are to be.
pub(crate) struct Options {
    /// What their names begin with.
    pub(crate) name: String,
    pub(crate) processes: usize,
    pub(crate) threads: usize,
    pub(crate) max_calls: Option<u64>,
    pub(crate) memory: Option<u64>,
    pub(crate) arguments: Vec<OsString>,
    pub(crate) grace: Duration,
    pub(crate) lease: Duration,
    pub(crate) on_line: OnLine,
}

/// The backend.
pub(crate) struct Processes {
    shared: Arc<Shared>,
    keeper: Mutex<Option<JoinHandle<()>>>,
}

struct Shared {
    options: Options,
    driver: Weak<dyn Driver>,
    crew: Mutex<Crew>,
    keeper: Condvar,
    gone: Condvar,
}

impl Processes {
    pub(crate) fn start(options: Options, driver: Weak<dyn Driver>) -> io::Result<Processes> {
        let crew = Crew::new(options.processes, options.threads, options.max_calls);
        let (crew, keeper, gone) = (Mutex::new(crew), Condvar::new(), Condvar::new());
        let shared = Arc::new(Shared { options, driver, crew, keeper, gone });
        let its = shared.clone();
        let keeper = thread::Builder::new().name("keeper".to_owned()).spawn(move || its.keep())?;
        Ok(Processes { shared, keeper: Mutex::new(Some(keeper)) })
    }

    /// How many processes there are that serve.
    #[cfg(feature = "nats")]
    pub(crate) fn count(&self) -> usize {
        self.shared.crew().members.values().filter(|member| member.is_ready).count()
    }

    /// Takes a call out again that no process has got yet; `false` where one has.
    #[cfg(feature = "nats")]
    pub(crate) fn take_back(&self, id: CallId) -> bool {
        self.shared.crew().queue.remove(id)
    }
}

impl Backend for Processes {
    fn publish(&self, outgoing: Outgoing) {
        let mut crew = self.shared.crew();
        crew.queue.push(outgoing);
        if crew.dispatch() {
            self.shared.keeper.notify_one();
        }
    }

    fn withdraw(&self, id: CallId) {
        if self.shared.crew().withdraw(id, self.shared.options.grace) {
            self.shared.keeper.notify_one();
        }
    }

    fn status(&self) -> Status {
        let crew = self.shared.crew();
        let workers = crew.members.values().map(|member| WorkerStatus {
            name: member.name.clone(),
            build: "this program".to_owned(),
            is_of_this_build: true,
            process: member.process,
            running: member.calls.iter().map(|sent| sent.outgoing.running(sent.since)).collect(),
        });
        Status { workers: workers.collect(), queued: crew.queue.by_function(), ..Status::default() }
    }

    fn stop(&self) {
        let mut crew = self.shared.crew();
        crew.stop();
        self.shared.keeper.notify_one();
        let until = Instant::now() + self.shared.options.grace;
        while !crew.is_gone() {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                crew.members.values_mut().for_each(Member::kill);
            }
            let left = left.max(Duration::from_millis(100));
            let waited = self.shared.gone.wait_timeout(crew, left);
            (crew, _) = waited.unwrap_or_else(PoisonError::into_inner);
        }
        drop(crew);
        let keeper = lock(&self.keeper).take();
        if let Some(keeper) = keeper {
            let _ = keeper.join();
        }
    }
}

impl Shared {
    fn crew(&self) -> MutexGuard<'_, Crew> {
        lock(&self.crew)
    }

    fn tell(&self, tell: impl FnOnce(&dyn Driver)) {
        if let Some(driver) = self.driver.upgrade() {
            tell(&*driver);
        }
    }

    /// What the keeper does: it starts processes, and ends those whose time is over.
    fn keep(self: &Arc<Self>) {
        let mut crew = self.crew();
        // To the very last: processes end with the thread that has started them.
        while !(crew.is_stopping && crew.is_gone()) {
            if crew.to_start > 0 {
                crew.to_start -= 1;
                crew.started += 1;
                crew.is_starting = true;
                let number = crew.started;
                drop(crew);
                let started = self.start(number);
                crew = self.crew();
                crew.is_starting = false;
                let has_others = !crew.members.is_empty();
                if started.is_err() && has_others {
                    crew.starts_none(Instant::now() + PAUSE);
                }
                // One that has ended by now was still counted as one to come when it was looked whether more are wanted.
                crew.dispatch();
                self.gone.notify_all();
                if let Err(error) = started {
                    let words = format!("no process could be started: {error}");
                    if has_others {
                        drop(crew);
                        self.tell(|driver| driver.is_short(&words));
                    } else {
                        self.fail_all(crew, &words);
                    }
                    crew = self.crew();
                }
                continue;
            }
            if crew.may_start_again(Instant::now()) {
                continue;
            }
            let pause = self.look_at_the_clock(&mut crew);
            crew = match pause {
                None => self.keeper.wait(crew).unwrap_or_else(PoisonError::into_inner),
                Some(pause) => {
                    let waited = self.keeper.wait_timeout(crew, pause);
                    waited.unwrap_or_else(PoisonError::into_inner).0
                }
            };
        }
    }

    /// Sees to what is due; says when to look again.
    fn look_at_the_clock(&self, crew: &mut Crew) -> Option<Duration> {
        let (now, lease) = (Instant::now(), self.options.lease);
        if crew.ticks {
            crew.ask_back(now);
        }
        let (mut pause, mut is_busy) = (None::<Duration>, false);
        for member in crew.members.values_mut() {
            let overdue = member.overdue(self.options.threads);
            let sign = (!member.calls.is_empty()).then(|| member.last_sign + lease);
            let hello = (!member.is_ready).then(|| member.since + HELLO);
            is_busy |= !member.calls.is_empty();
            let due = [(overdue, Why::GivenUp), (sign, Why::NoSign), (hello, Why::NoSign)];
            for (until, why) in due {
                let Some(until) = until else { continue };
                if until > now {
                    pause = Some(pause.unwrap_or(Duration::MAX).min(until - now));
                } else if member.killed.is_none() {
                    member.killed = Some(why);
                    member.kill();
                }
            }
        }
        if let Some(until) = crew.starts_none {
            pause = Some(pause.unwrap_or(Duration::MAX).min(until.saturating_duration_since(now)));
        }
        crew.watches = is_busy || pause.is_some();
        if crew.ticks {
            pause = Some(pause.unwrap_or(Duration::MAX).min(LONG));
        }
        pause.map(|pause| pause.max(Duration::from_millis(1)))
    }

    fn start(self: &Arc<Self>, number: u64) -> io::Result<()> {
        let name = format!("{}-{number}", self.options.name);
        let alive = (self.options.lease / 4).as_millis() as u64;
        let (threads, memory) = (self.options.threads as u32, self.options.memory);
        let settings =
            ProcessSettings { version: wire::VERSION, name: name.clone(), threads, memory, alive };
        let started =
            super::start::start(&settings, &self.options.arguments, &self.options.on_line)?;
        let Started { child, outbox, mut outcomes, last_words } = started;
        let this = self.clone();
        // It is a member when somebody listens to it, who waits for this lock: nobody would see to its end otherwise.
        let mut crew = self.crew();
        let listening = thread::Builder::new().name(format!("{name}-outcomes")).spawn(move || {
            let why = this.listen(number, &mut outcomes);
            this.gone(number, why, &last_words);
        });
        match listening {
            Ok(_) => crew.add(number, name, child.taken_over(), outbox),
            Err(error) => {
                outbox.close();
                return Err(error);
            }
        }
        Ok(())
    }

    /// Hears what a process says, until it ends.
    fn listen(&self, number: u64, from: &mut io::BufReader<std::fs::File>) -> Option<Garbled> {
        let mut news = Vec::new();
        loop {
            let (message, body): (FromWorker, Bytes) = match super::pipe::read(from) {
                Ok(None) => return None,
                Ok(Some((head, body))) => match messages::decode(&head) {
                    Ok(message) => (message, body),
                    Err(garbled) => return Some(garbled),
                },
                Err(error) if error.kind() == io::ErrorKind::InvalidData => {
                    return Some(Garbled::new(error.to_string()));
                }
                Err(_) => return None,
            };
            let mut crew = self.crew();
            crew.hears(number, message, body, self.options.grace, &mut news);
            if from.buffer().is_empty()
                && let Some(member) = crew.members.get(&number)
            {
                member.flush();
            }
            drop(crew);
            for one in news.drain(..) {
                match one {
                    CrewNews::Finished(id, outcome, body, ran) => {
                        self.tell(|driver| driver.finished(id, outcome, body, ran));
                    }
                    CrewNews::Early(id, outcome, body) => {
                        self.tell(|driver| driver.finished_early(id, outcome, body));
                    }
                    CrewNews::Over(id) => self.tell(|driver| driver.over(id)),
                    CrewNews::Lost(id, delivery, lost) => {
                        self.tell(|driver| driver.lost(id, delivery, lost));
                    }
                    CrewNews::Keeper => self.keeper.notify_one(),
                }
            }
        }
    }

    /// A process has ended.
    fn gone(&self, number: u64, garbled: Option<Garbled>, last_words: &LastWords) {
        if let Some(garbled) = &garbled {
            self.tell(|driver| driver.refused(garbled));
        }
        let mut crew = self.crew();
        let Some((mut member, calls)) = crew.remove(number) else { return };
        if garbled.is_some() {
            member.killed.get_or_insert(Why::Garbled);
        }
        drop(crew);
        // Its pipe has ended: it has, too, or is not of use any more. Nor is what it has started.
        member.kill();
        let status = member.child.wait();
        let last_words = last_words.get();
        let words = match member.killed {
            Some(Why::NoSign) => {
                let lease = self.options.lease;
                format!("was killed, as it had shown no sign of life for {lease:?}")
            }
            Some(Why::Garbled) => match &garbled {
                Some(garbled) => format!("was killed, as it has said {garbled}"),
                None => "was killed, as what it said could not be read".to_owned(),
            },
            Some(Why::GivenUp) => {
                "was killed, as a call that was given up did not come to its end".to_owned()
            }
            None => in_words(status, &last_words),
        };
        self.redeliver(&member, calls, &words);
        let mut crew = self.crew();
        let mut is_hopeless = false;
        if !member.is_ready && !crew.is_stopping {
            let (times, since) = crew.silent.get_or_insert((0, member.since));
            *times += 1;
            is_hopeless = *times >= SILENT || since.elapsed() >= HELLO;
        }
        if garbled.is_some_and(|garbled| garbled.is_foreign) {
            let words =
                format!("did not run: a copy of this program was started to run it, which {words}");
            self.fail_all(crew, &words);
            crew = self.crew();
        } else if is_hopeless {
            crew.silent = None;
            let words = format!(
                "did not run: a copy of this program was started to run it, which {words}, before \
                 it had said that it serves. Is `asynckit_cluster::serve_if_asked()` the first \
                 line of `main`?"
            );
            self.fail_all(crew, &words);
            crew = self.crew();
        }
        crew.leaving -= 1;
        if crew.dispatch() || crew.is_stopping {
            self.keeper.notify_one();
        }
        drop(crew);
        self.gone.notify_all();
    }

    fn redeliver(&self, member: &Member, calls: Vec<Blamed>, words: &str) {
        for (sent, blame) in calls {
            let Some(blame) = blame else {
                self.tell(|driver| driver.over(sent.outgoing.call.id));
                continue;
            };
            let (worker, words) = (member.name.clone(), words.to_owned());
            let (id, delivery) = (sent.outgoing.call.id, sent.outgoing.call.delivery);
            self.tell(|driver| driver.lost(id, delivery, Lost { worker, words, blame }));
        }
    }

    /// All that waits fails.
    fn fail_all(&self, mut crew: MutexGuard<'_, Crew>, words: &str) {
        let all = crew.queue.take_all();
        drop(crew);
        for id in all {
            self.tell(|driver| driver.fail(id, words.to_owned()));
        }
    }
}
