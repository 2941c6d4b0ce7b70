//! The inside of a process that runs calls: what it does first, and how calls come and outcomes go.

use std::collections::HashMap;
use std::io::{self, BufReader, IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::fs::MetadataExt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, Weak};
use std::time::{Duration, Instant};
use std::{env, fs, process, thread};

use bytes::Bytes;
use rustix::io::{Errno, FdFlags};
use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer,
    SendAncillaryMessage, SendFlags,
};
use rustix::process::{Resource, Rlimit};

use super::messages::{self, FromWorker, Kept, ProcessSettings, ToWorker};
use super::pipe::{self, Frame, Outbox};
use crate::clock::RanWhen;
use crate::seam::Tell;
use crate::sync::lock;
use crate::wire::{self, CallId, Hello, Outcome, Part};
use crate::worker::Worker;

/// Says to a process whose worker it is: the id of the driver's process, and the number of the socket that is the worker's
/// standard input. Who inherits it from a worker has another one, and is not meant.
pub(super) const ASKED: &str = "ASYNCKIT_CLUSTER_OF";

/// This process is a worker.
static SERVES: AtomicBool = AtomicBool::new(false);

/// Whether this process is a worker, or was started as one and has not begun to be one: then it must not start others.
pub(crate) fn is_copy() -> bool {
    SERVES.load(Ordering::Relaxed) || asked().is_some()
}

/// What a process is told by `ASKED` that has this standard input.
pub(super) fn asks(socket: impl AsFd) -> io::Result<String> {
    Ok(format!("{} {}", process::id(), number(socket)?))
}

/// Whose worker this process is to be, if it is.
fn asked() -> Option<u32> {
    let asked = env::var(ASKED).ok()?;
    let (driver, socket) = asked.split_once(' ')?;
    let is_meant = number(rustix::stdio::stdin()).ok()? == socket.parse::<u64>().ok()?;
    driver.parse().ok().filter(|_| is_meant)
}

/// By which the system knows a file that is open.
fn number(file: impl AsFd) -> io::Result<u64> {
    Ok(fs::File::from(file.as_fd().try_clone_to_owned()?).metadata()?.ino())
}

/// Hands the ends of the pipes to a process that is started, over its standard input.
pub(super) fn hand_over(over: impl AsFd, ends: [BorrowedFd<'_>; 2]) -> io::Result<()> {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(2))];
    let mut message = SendAncillaryBuffer::new(&mut space);
    message.push(SendAncillaryMessage::ScmRights(&ends));
    rustix::net::sendmsg(over, &[IoSlice::new(&[0])], &mut message, SendFlags::empty())?;
    Ok(())
}

/// The ends of the pipes, where the standard input is a socket of a driver.
fn taken_over() -> Result<(OwnedFd, OwnedFd), Errno> {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(2))];
    let mut message = RecvAncillaryBuffer::new(&mut space);
    let mut byte = [0];
    let parts = &mut [IoSliceMut::new(&mut byte)];
    rustix::net::recvmsg(rustix::stdio::stdin(), parts, &mut message, RecvFlags::empty())?;
    let mut ends = message.drain().filter_map(|message| match message {
        RecvAncillaryMessage::ScmRights(ends) => Some(ends),
        _ => None,
    });
    let mut ends = ends.next().into_iter().flatten();
    match (ends.next(), ends.next()) {
        (Some(calls), Some(outcomes)) => {
            // They go on to nobody.
            rustix::io::fcntl_setfd(&calls, FdFlags::CLOEXEC)?;
            rustix::io::fcntl_setfd(&outcomes, FdFlags::CLOEXEC)?;
            Ok((calls, outcomes))
        }
        _ => Err(Errno::PIPE),
    }
}

/// Serves, if this process was started to do so, and does not come back then.
pub(crate) fn serve_if_asked() {
    // (A program that a worker has started is none: nothing here is for it.)
    let Some(driver) = asked() else { return };
    SERVES.store(true, Ordering::Relaxed);
    // First of all: whatever becomes of the driver, this process does not outlive it.
    #[cfg(target_os = "linux")]
    let _ = rustix::process::set_parent_process_death_signal(Some(rustix::process::Signal::KILL));
    match taken_over() {
        // The driver ended while it started this.
        Err(Errno::CONNRESET | Errno::PIPE) => process::exit(0),
        Err(error) => {
            eprintln!("asynckit-cluster: there are no pipes to the driver: {error}");
            process::exit(1);
        }
        // The driver ended before the signal was set.
        Ok(_) if parent() != driver => process::exit(0),
        Ok((calls, outcomes)) => {
            if let Err(error) = serve(calls, outcomes) {
                eprintln!("asynckit-cluster: {error}");
                process::exit(1);
            }
            process::exit(0);
        }
    }
}

fn parent() -> u32 {
    rustix::process::getppid().map_or(0, |id| id.as_raw_nonzero().get().cast_unsigned())
}

/// What a process tells its driver.
struct Outcomes {
    outbox: Outbox,
    worker: OnceLock<Weak<Worker>>,
    /// Calls whose code has begun, and when; with outcomes that go with the news that it has ended, which comes at once.
    told: Mutex<HashMap<CallId, Begun>>,
    /// When its clock began.
    since: Instant,
}

struct Begun {
    at: Instant,
    outcome: Option<(Outcome, Bytes)>,
}

impl Outcomes {
    fn told(&self) -> MutexGuard<'_, HashMap<CallId, Begun>> {
        lock(&self.told)
    }

    fn say(&self, message: &FromWorker, body: Bytes) {
        let worker = self.worker.get().and_then(Weak::upgrade);
        let more_follow = worker.is_some_and(|worker| worker.has_more());
        self.outbox.send(Frame::new(message, vec![body]), more_follow);
    }
}

impl Tell for Outcomes {
    fn begun(&self, id: CallId) {
        self.told().insert(id, Begun { at: Instant::now(), outcome: None });
    }

    fn finished(&self, id: CallId, outcome: Outcome, body: Bytes) {
        let begun = Begun { at: Instant::now(), outcome: None };
        self.told().entry(id).or_insert(begun).outcome = Some((outcome, body));
    }

    fn finished_early(&self, id: CallId, outcome: Outcome, body: Bytes) {
        self.say(&FromWorker::Early(id, outcome), body);
    }

    fn over(&self, id: CallId) {
        let told = self.told().remove(&id);
        match told {
            Some(Begun { at, outcome: Some((outcome, body)) }) => {
                let ran = RanWhen::by(self.since, at, Instant::now());
                self.say(&FromWorker::Finished(id, outcome, ran), body);
            }
            _ => self.say(&FromWorker::Over(id), Bytes::new()),
        }
    }
}

fn serve(calls: OwnedFd, outcomes: OwnedFd) -> Result<(), asynckit::BoxError> {
    // What the functions start gets nothing of ours: not the socket, and no end of a pipe.
    rustix::stdio::dup2_stdin(fs::File::open("/dev/null")?)?;
    let mut calls = BufReader::with_capacity(1 << 16, fs::File::from(calls));
    let Some(ToWorker::Be(settings)) = next(&mut calls)?.map(|(message, _)| message) else {
        return Ok(());
    };
    let outcomes = Arc::new(Outcomes {
        outbox: Outbox::new(outcomes)?,
        worker: OnceLock::new(),
        told: Mutex::default(),
        since: Instant::now(),
    });
    let (threads, usual) = (settings.threads.max(1), settings.memory);
    limit_memory(usual);
    let tell: Arc<dyn Tell> = outcomes.clone();
    let before = move |memory: Option<u64>| limit_memory(memory.or(usual));
    let worker = Worker::new(threads as usize, &settings.name, tell, before)?;
    let _ = outcomes.worker.set(Arc::downgrade(&worker));
    let writer = outcomes.clone();
    thread::Builder::new().name("outcomes".to_owned()).spawn(move || writer.outbox.write_all())?;
    show_life(&settings, worker.clone(), outcomes.clone())?;
    let hello = Hello {
        version: wire::VERSION,
        name: settings.name,
        process: process::id(),
        threads,
        build: String::new(),
    };
    outcomes.say(&FromWorker::Hello(hello), Bytes::new());
    let mut large = Kept::new();
    while let Some((message, body)) = next(&mut calls)? {
        match message {
            ToWorker::Be(_) => {}
            ToWorker::Large(hash) => large.add(hash, body.len() as u64, body),
            ToWorker::Call(call) => {
                let needed = call.parts.iter().filter_map(|part| match part {
                    Part::Large(hash, _) => large.touch(hash).cloned().map(|body| (*hash, body)),
                    Part::Here(_) => None,
                });
                let needed: HashMap<_, _> = needed.collect();
                let arguments = call.arguments(&body, |hash| needed.get(hash).cloned())?;
                large.trim();
                worker.take(call, arguments);
            }
            ToWorker::Cancel(id) => worker.cancel(id),
            ToWorker::GiveBack(id) => {
                if worker.give_back(id) {
                    outcomes.say(&FromWorker::GivenBack(id), Bytes::new());
                }
            }
        }
    }
    // The driver has ended, or wants nothing more. What runs is of no use to anybody.
    Ok(())
}

fn next(calls: &mut BufReader<fs::File>) -> Result<Option<(ToWorker, Bytes)>, asynckit::BoxError> {
    let Some((head, body)) = pipe::read(calls)? else { return Ok(None) };
    let message = messages::decode(&head)?;
    Ok(Some((message, body)))
}

/// While calls run, the driver hears from this process, also when they take long.
fn show_life(
    settings: &ProcessSettings,
    worker: Arc<Worker>,
    outcomes: Arc<Outcomes>,
) -> io::Result<()> {
    let pause = Duration::from_millis(settings.alive.max(1));
    let show = move || {
        loop {
            thread::sleep(pause);
            if !worker.running().is_empty() {
                outcomes.say(&FromWorker::Alive, Bytes::new());
            }
        }
    };
    thread::Builder::new().name("alive".to_owned()).spawn(show)?;
    Ok(())
}

/// How much memory this process may take from now on. What is more it does not get, and ends.
fn limit_memory(most: Option<u64>) {
    if cfg!(target_os = "linux") {
        static NOW: Mutex<Option<u64>> = Mutex::new(None);
        let mut now = lock(&NOW);
        if *now != most {
            let Rlimit { maximum, .. } = rustix::process::getrlimit(Resource::Data);
            let current = most.or(maximum);
            let _ = rustix::process::setrlimit(Resource::Data, Rlimit { current, maximum });
            *now = most;
        }
    }
}
