//! What the worker's thread has, and how it begins.

use std::collections::{HashMap, VecDeque};
use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use async_nats::Subscriber;
use asynckit::BoxError;
use bytes::Bytes;
use futures_util::stream::FuturesUnordered;

use super::LEAST_PAUSE;
use super::settings::WorkerSettings;
use super::taken::All;
use crate::nats::frames::{self, Told};
use crate::nats::names::{Lane, Names};
use crate::nats::objects::Objects;
use crate::nats::server::Connection;
use crate::nats::streams;
use crate::processes::Processes;
use crate::seam::{About, Ran};
use crate::wire::{self, CallId, FunctionId, Hash};
use crate::worker::Functions;

/// How long a driver may be silent before its calls are not begun any more: nobody will ask for their outcomes.
pub(super) const GONE: Duration = Duration::from_secs(15);

/// What a future that was set off has found out.
pub(super) enum WorkerFound {
    /// A call's large arguments are here, or one of them isn't to be had.
    Fetched(CallId, Result<HashMap<Hash, Bytes>, Option<Hash>>),
    /// A large value was put where its driver finds it.
    Put(Box<Ready>),
    /// The outcomes that were being stored in this [epoch](Acting::epoch) are, or not.
    Stored(u32, Result<(), BoxError>),
    /// The streams are there again.
    Opened(u32, Result<(), BoxError>),
    Nothing,
}

type Finding = Pin<Box<dyn Future<Output = WorkerFound> + Send>>;

/// A call that is here and has not been given to a process.
pub(super) struct Held {
    pub(super) call: wire::Call,
    pub(super) body: Bytes,
    pub(super) large: HashMap<Hash, Bytes>,
}

/// An outcome on its way to the driver.
pub(super) struct Ready {
    pub(super) id: CallId,
    pub(super) delivery: u32,
    pub(super) outcome: wire::Outcome,
    pub(super) body: frames::Body,
    pub(super) bytes: Bytes,
    pub(super) ran: Option<Ran>,
}

impl Ready {
    /// How much of a message it is, but for what all outcomes have: a failure is long, too.
    pub(super) fn size(&self) -> usize {
        wire::size(&self.outcome) + self.bytes.len()
    }
}

/// What is outstanding of what was asked for.
pub(super) struct Asked {
    pub(super) lane: Lane,
    pub(super) count: usize,
    pub(super) until: Instant,
    /// When a driver has last said that it has calls of this kind.
    pub(super) named: Instant,
}

impl Asked {
    /// Whether there is a driver that has calls of this kind, or may have: of functions without a limit any has.
    pub(super) fn is_wanted(&self, now: Instant) -> bool {
        self.lane == Lane::Any || now.duration_since(self.named) < GONE
    }
}

pub(super) struct ActingWorker {
    pub(super) settings: WorkerSettings,
    pub(super) names: Names,
    pub(super) instance: u64,
    /// What this machine is called.
    pub(super) machine: String,
    pub(super) crew: Arc<Processes>,
    pub(super) functions: Functions,
    /// What the crew wants to know of each function.
    pub(super) abouts: HashMap<FunctionId, Arc<About>>,
    pub(super) connection: Connection,
    /// Large arguments, and large values.
    pub(super) arguments: Arc<Objects>,
    pub(super) values: Arc<Objects>,
    pub(super) drivers: Subscriber,
    /// Where the server answers; one more part says of which lane.
    pub(super) inbox: String,
    pub(super) calls: Subscriber,
    pub(super) lanes: Vec<Asked>,
    pub(super) taken: All,
    pub(super) held: HashMap<CallId, Held>,
    /// Those of them that are here with all that they need.
    pub(super) arrived: Vec<CallId>,
    /// The call that has this worker to itself, or will when all else has come to its end.
    pub(super) alone: Option<CallId>,
    pub(super) ready: VecDeque<Ready>,
    /// Outcomes that are being stored.
    pub(super) storing: Vec<Ready>,
    /// Calls that have begun, and of which their drivers have not been told.
    pub(super) claims: Vec<CallId>,
    /// Acknowledgements that are due.
    pub(super) done: Vec<String>,
    /// When both are said at the latest: before that they go with something that can't wait.
    pub(super) say_by: Option<Instant>,
    /// What drivers are to be told now.
    pub(super) returned: Vec<(CallId, u32, Told)>,
    pub(super) findings: FuturesUnordered<Finding>,
    /// When its clock began.
    pub(super) since: Instant,
    /// When each driver was heard of last.
    pub(super) heard: HashMap<u64, Instant>,
    /// Drivers that have said that they end, and when.
    pub(super) ended: HashMap<u64, Instant>,
    pub(super) began: Instant,
    /// Calls that nobody wants any more, and since when: they may still come.
    pub(super) unwanted: HashMap<CallId, Instant>,
    pub(super) refused: u64,
    /// It has been said that somebody speaks otherwise.
    pub(super) said_foreign: bool,
    pub(super) is_connected: bool,
    /// Counts losses of the connection.
    pub(super) epoch: u32,
    /// Why a process could not be had, where that is new.
    pub(super) complaint: Option<String>,
    /// As none could, it takes nothing until then.
    pub(super) rests: Option<Instant>,
    /// How long it rests the next time.
    pub(super) pause: Duration,
    /// It does with fewer processes than it may have until then.
    pub(super) is_short: Option<Instant>,
    /// It takes no more, and ends when it has nothing left.
    pub(super) is_draining: bool,
}

impl ActingWorker {
    pub(super) async fn begin(
        settings: WorkerSettings,
        names: Names,
        mut connection: Connection,
        crew: Arc<Processes>,
    ) -> Result<ActingWorker, BoxError> {
        connection.watch(names.done_stream());
        let copies = settings.server.copies();
        streams::open(&connection.js, &names, copies).await?;
        let client = &connection.client;
        let drivers = client.subscribe(names.all_drivers()).await?;
        let inbox = client.new_inbox();
        let calls = client.subscribe(format!("{inbox}.*")).await?;
        let (arguments, values) = Objects::of_both_kinds(&connection.js, &names, copies);
        let mut acting = ActingWorker {
            taken: All::new(settings.threads),
            settings,
            names,
            instance: crate::nats::by_chance(),
            machine: crate::nats::machine(),
            crew,
            functions: Functions::all(),
            abouts: HashMap::new(),
            connection,
            arguments,
            values,
            drivers,
            inbox,
            calls,
            lanes: Vec::new(),
            held: HashMap::new(),
            arrived: Vec::new(),
            alone: None,
            ready: VecDeque::new(),
            storing: Vec::new(),
            claims: Vec::new(),
            done: Vec::new(),
            say_by: None,
            returned: Vec::new(),
            findings: FuturesUnordered::new(),
            since: Instant::now(),
            heard: HashMap::new(),
            ended: HashMap::new(),
            began: Instant::now(),
            unwanted: HashMap::new(),
            refused: 0,
            said_foreign: false,
            is_connected: true,
            epoch: 0,
            complaint: None,
            rests: None,
            pause: LEAST_PAUSE,
            is_short: None,
            is_draining: false,
        };
        acting.serve_lane(Lane::Any);
        Ok(acting)
    }

    /// From now on takes calls of this lane, too, as long as drivers name it. Of a function that isn't here none can
    /// come.
    pub(super) fn serve_lane(&mut self, lane: Lane) {
        let now = Instant::now();
        if let Some(asked) = self.lanes.iter_mut().find(|asked| asked.lane == lane) {
            asked.named = now;
            return;
        }
        if let Lane::One(function) = lane
            && self.functions.find(&function).is_err()
        {
            return;
        }
        self.lanes.push(Asked { lane, count: 0, until: now, named: now });
    }

    pub(super) fn find(&self, finding: impl Future<Output = WorkerFound> + Send + 'static) {
        self.findings.push(Box::pin(finding));
    }
}
