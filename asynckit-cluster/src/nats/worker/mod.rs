//! The worker's side: one thread with the connection, which brings calls to processes and their outcomes back.
//!
//! The processes are copies of this program, as with `Cluster::processes` and by the same code (`crate::processes`): so
//! a call that ends its process harms no other one and leaves its last words, and one that nobody wants any more can be
//! ended for real.
//!
//! # The files
//!
//! `settings` is what a worker is told to be; `taken` the calls that it has; `acting` what its thread has; `pulling`
//! how it gets calls, `beginning` which of them begin, `telling` what it says of them; `life` is its life.

mod settings;
mod taken;

mod acting;

mod beginning;

mod pulling;
mod telling;

mod life;

use std::sync::Arc;
use std::time::Duration;

use asynckit::BoxError;
use bytes::Bytes;
use tokio::sync::mpsc;

use acting::ActingWorker;
use settings::WorkerSettings;

use super::names::{self, Names};
use crate::processes::{Options, Processes, lines};
use crate::seam::{Backend, Driver, Lost, Ran};
use crate::wire::{CallId, Garbled, Outcome};

/// A process that runs a call and shows no sign of life for so long is killed.
const LEASE: Duration = Duration::from_secs(10);

/// How long a worker rests that could not start a process: the first time, and at most.
const LEAST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(10);

/// What is heard of the processes that run the calls.
enum Said {
    Finished(CallId, Outcome, Bytes, Option<Ran>),
    Early(CallId, Outcome, Bytes),
    Over(CallId),
    Lost(CallId, u32, Lost),
    /// No process could be had for it, for this reason.
    NoProcess(CallId, String),
    /// There are fewer than there may be.
    Short(String),
    Refused,
}

/// To its processes a worker is their driver.
struct Ear(mpsc::UnboundedSender<Said>);

impl Ear {
    fn hear(&self, said: Said) {
        // Without a listener this process is about to end.
        self.0.send(said).ok();
    }
}

impl Driver for Ear {
    fn run(&self) -> u64 {
        unreachable!("calls have the runs of their own drivers")
    }

    fn finished(&self, id: CallId, outcome: Outcome, body: Bytes, ran: Option<Ran>) {
        self.hear(Said::Finished(id, outcome, body, ran));
    }

    fn finished_early(&self, id: CallId, outcome: Outcome, body: Bytes) {
        self.hear(Said::Early(id, outcome, body));
    }

    fn over(&self, id: CallId) {
        self.hear(Said::Over(id));
    }

    fn lost(&self, id: CallId, delivery: u32, how: Lost) {
        self.hear(Said::Lost(id, delivery, how));
    }

    fn fail(&self, id: CallId, words: String) {
        // Another worker may be better off.
        self.hear(Said::NoProcess(id, words));
    }

    fn is_short(&self, why: &str) {
        self.hear(Said::Short(why.to_owned()));
    }

    fn refused(&self, _: &Garbled) {
        self.hear(Said::Refused);
    }
}

/// Serves calls for as long as the process lives, where the environment or the arguments ask for it, and never returns
/// then.
pub(crate) fn serve_if_asked() {
    let arguments: Vec<String> =
        std::env::args_os().skip(1).map(|one| one.to_string_lossy().into_owned()).collect();
    let served = match settings::read(&arguments, |name| std::env::var(name).ok()) {
        Ok(None) => return,
        Ok(Some(settings)) => super::build().and_then(|build| serve(settings, build)),
        Err(error) => Err(error),
    };
    match served {
        Ok(()) => std::process::exit(0),
        Err(error) => {
            super::say(&format!("the worker ends: {error}"));
            std::process::exit(1);
        }
    }
}

/// Serves until the process is asked to end.
fn serve(settings: WorkerSettings, build: String) -> Result<(), BoxError> {
    if let Some(complaint) = settings.app.as_deref().and_then(names::complaint) {
        return Err(complaint.into());
    }
    if let Some(warning) = settings.server.warning() {
        super::say(&warning);
    }
    let (send, said) = mpsc::unbounded_channel();
    let ear: Arc<dyn Driver> = Arc::new(Ear(send));
    let options = Options {
        name: settings.name.clone(),
        processes: settings.processes,
        threads: settings.threads / settings.processes,
        max_calls: None,
        memory: None,
        // They get to the same line as this process did.
        arguments: std::env::args_os().skip(1).collect(),
        grace: settings.grace,
        lease: LEASE,
        on_line: Arc::new(lines::print),
    };
    let crew = Arc::new(Processes::start(options, Arc::downgrade(&ear))?);
    let its = crew.clone();
    let served = super::runtime()?.block_on(async move {
        let connection =
            settings.server.connect(&format!("asynckit worker {}", settings.name)).await?;
        let app = match &settings.app {
            Some(app) => app.clone(),
            None => life::app_of_a_driver(&connection.client, &build).await?,
        };
        let names = Names { app, build };
        ActingWorker::begin(settings, names, connection, its).await?.act(said).await
    });
    crew.stop();
    served
}
