//! What the driver's thread has, and how it begins.

use std::collections::{HashMap, HashSet, VecDeque};
use std::pin::Pin;
use std::sync::{Arc, Weak};
use std::time::Instant;

use async_nats::Subscriber;
use async_nats::jetstream::context::PublishError;
use asynckit::BoxError;
use bytes::Bytes;
use futures_util::stream::FuturesUnordered;
use tokio::time::timeout;

use super::calls::{Calls, Instance, Open};
use super::recover::{Listed, Recovered, Relics};
use super::seen::Workers;
use super::spare::Larges;
use crate::nats::names::{Lane, Names};
use crate::nats::objects::Objects;
use crate::nats::server::{Connection, PATIENCE, Server};
use crate::nats::streams::{self, Streams};
use crate::seam::{Driver, Ran};
use crate::status::{self, RunningCall, Status};
use crate::wire::{self, CallId, Hash};

/// What a future that was set off has found out. A number in the middle is the [epoch](Acting::epoch) that it is of.
pub(super) enum DriverFound {
    /// What a call needs of large bodies is stored, or not.
    Put(u64, u32, u32, Vec<(Hash, u64)>, Result<(), BoxError>),
    /// A call that went out then is, or not.
    Sent(u64, u32, u32, Instant, Result<u64, PublishError>),
    /// This delivery is taken out of the stream, or could not be.
    TakenOut(u64, u32, u32, bool),
    /// An outcome whose body lay by itself, of this delivery.
    Fetched(CallId, u32, Box<Got>, (Hash, u64), Result<Option<Bytes>, BoxError>),
    Made(Lane, Result<(), BoxError>),
    Recovered(u32, Result<Box<Recovered>, BoxError>),
    /// How far a lane was handed out, and what is not in the stream any more.
    LookedAt(Lane, u32, Result<(u64, Vec<(u64, u32)>), BoxError>),
    /// Outcomes that are kept.
    Outcomes(u32, Result<Vec<Bytes>, BoxError>),
    /// How far there are outcomes.
    Tidied(u32, Result<u64, BoxError>),
    /// Calls that workers have taken.
    Taken(u32, Result<Listed, BoxError>),
    /// What has gone out has left this process.
    Flushed,
    Nothing,
}

/// An outcome, and where it comes from.
pub(super) type Got = (wire::Outcome, Option<Ran>);

type Finding = Pin<Box<dyn Future<Output = DriverFound> + Send>>;

pub(super) struct ActingDriver {
    pub(super) names: Names,
    pub(super) run: u64,
    pub(super) copies: usize,
    driver: Weak<dyn Driver>,
    pub(super) connection: Connection,
    /// Which server that is, in this life of it.
    pub(super) server: String,
    pub(super) streams: Streams,
    /// Large arguments, and large values.
    pub(super) arguments: Arc<Objects>,
    pub(super) values: Arc<Objects>,
    pub(super) done: Subscriber,
    pub(super) news: Subscriber,
    pub(super) beats: Subscriber,
    pub(super) calls: Calls,
    pub(super) workers: Workers,
    pub(super) findings: FuturesUnordered<Finding>,
    /// Calls that nobody wants any more, and workers may have.
    pub(super) withdrawn: VecDeque<(CallId, Instant)>,
    /// A worker has gone, and it has not been looked what is left of it.
    pub(super) has_relics: bool,
    /// What may be left of one.
    pub(super) relics: Option<Relics>,
    /// Calls that workers have and nobody waits for, and since when.
    pub(super) strays: HashMap<CallId, Instant>,
    pub(super) has_news: bool,
    pub(super) is_connected: bool,
    /// Since when it is, or was last.
    pub(super) connected: Instant,
    /// The recovery that is on its way, and has to come before all else, is of this [epoch](Acting::epoch).
    pub(super) recovering: Option<u32>,
    pub(super) is_reading: bool,
    /// Counts losses of the connection, or of what came by it: what was asked before one says nothing of what came after.
    pub(super) epoch: u32,
    /// Up to where in the stream all outcomes have come: a while ago, and lately.
    pub(super) marks: (u64, u64),
    pub(super) larges: Larges,
    pub(super) said_again: Option<Instant>,
    /// It has been said that somebody speaks otherwise.
    pub(super) said_foreign: bool,
    /// What is to be sent again now.
    pub(super) again: Vec<u64>,
    /// What is to be sent now, as the large bodies that it needs are there.
    pub(super) complete: Vec<u64>,
    /// How many bytes of calls have gone out, and nobody has looked since whether they have left this process.
    pub(super) unflushed: u64,
    /// They are so many that others wait until they have.
    pub(super) is_full: bool,
    /// Counts how often calls went out, so that each time another lane comes first.
    pub(super) turn: usize,
    /// Deliveries that nobody wants, and are being taken out of the stream, or will be when the server has them.
    pub(super) leaving: HashMap<(u64, u32), Open>,
    /// Those that are to be taken out when that can be said to the server.
    pub(super) to_take_out: Vec<Open>,
    /// Lanes whose consumer could not be made.
    pub(super) unmade: Vec<Lane>,
    /// Lanes that are being looked at.
    pub(super) looked_at: HashSet<Lane>,
    /// Outcomes have come since the stream was tidied.
    pub(super) is_untidy: bool,
    /// No call comes any more.
    pub(super) is_ending: bool,
}

impl ActingDriver {
    pub(super) async fn connect(
        server: &Server,
        names: Names,
        driver: Weak<dyn Driver>,
    ) -> Result<ActingDriver, BoxError> {
        let run = driver.upgrade().ok_or("the driver has gone")?.run();
        let mut connection = server.connect(&format!("asynckit driver of {}", names.app)).await?;
        connection.watch(names.done_stream());
        let copies = server.copies();
        let streams = streams::open(&connection.js, &names, copies).await?;
        let client = &connection.client;
        let done = client.subscribe(names.done(run)).await?;
        let news = client.subscribe(names.news(run)).await?;
        let beats = client.subscribe(names.all_beats()).await?;
        let (arguments, values) = Objects::of_both_kinds(&connection.js, &names, copies);
        let last = streams.done.cached_info().state.last_sequence;
        let acting = ActingDriver {
            arguments,
            values,
            workers: Workers::new(names.build.clone()),
            names,
            run,
            copies,
            driver,
            server: connection.server(),
            connection,
            streams,
            done,
            news,
            beats,
            calls: Calls::default(),
            findings: FuturesUnordered::new(),
            withdrawn: VecDeque::new(),
            has_relics: false,
            relics: None,
            strays: HashMap::new(),
            has_news: true,
            is_connected: true,
            connected: Instant::now(),
            recovering: None,
            is_reading: false,
            epoch: 0,
            marks: (last, last),
            larges: Larges::default(),
            said_again: None,
            said_foreign: false,
            again: Vec::new(),
            complete: Vec::new(),
            unflushed: 0,
            is_full: false,
            turn: 0,
            leaving: HashMap::new(),
            to_take_out: Vec::new(),
            unmade: Vec::new(),
            looked_at: HashSet::new(),
            is_untidy: false,
            is_ending: false,
        };
        // A client whose connection is lost by now would wait until that is back.
        timeout(PATIENCE, acting.connection.client.flush()).await??;
        Ok(acting)
    }

    pub(super) fn find(&self, finding: impl Future<Output = DriverFound> + Send + 'static) {
        self.findings.push(Box::pin(finding));
    }

    /// Tells the driver, where it is still there.
    pub(super) fn tell(&self, what: impl FnOnce(&dyn Driver)) {
        if let Some(driver) = self.driver.upgrade() {
            what(&*driver);
        }
    }

    pub(super) fn status(&self) -> Status {
        let waiting = self.calls.all().filter(|open| open.claim.is_none());
        let queued = status::by_function(waiting.map(|open| open.outgoing.about.path));
        let mut running: HashMap<Instance, Vec<RunningCall>> = HashMap::new();
        for open in self.calls.all() {
            let Some(claim) = &open.claim else { continue };
            running.entry(claim.instance).or_default().push(open.outgoing.running(claim.since));
        }
        Status {
            workers: self.workers.status(running),
            queued,
            refused: self.workers.refused(),
            ..Status::default()
        }
    }
}
