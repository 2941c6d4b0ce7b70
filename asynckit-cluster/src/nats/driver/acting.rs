//! What the driver's thread has, and how it begins.

use std::collections::{HashMap, HashSet, VecDeque};
use std::pin::Pin;
use std::sync::{Arc, Weak};
use std::time::Instant;

use async_nats::Subscriber;
use asynckit::BoxError;
use bytes::Bytes;
use futures_util::stream::FuturesUnordered;

use super::calls::{Calls, Instance};
use super::recover::Recovered;
use super::seen::Workers;
use crate::nats::names::{Lane, Names};
use crate::nats::objects::Objects;
use crate::nats::server::{Connection, Server};
use crate::nats::streams::{self, Streams};
use crate::seam::{Driver, Ran};
use crate::status::{self, RunningCall, Status};
use crate::wire::{self, CallId, Hash};

/// What a future that was set off has found out. A number in the middle is the [epoch](Acting::epoch) that it is of.
pub(super) enum Found {
    /// A call, with the large bodies that were stored for it.
    Sent(u64, u32, u32, Vec<Hash>, Result<u64, BoxError>),
    /// An outcome whose body lay in the object store, of this delivery.
    Fetched(CallId, u32, Box<Got>, (Hash, u64), Result<Option<Bytes>, BoxError>),
    Made(Lane, Result<(), BoxError>),
    Recovered(u32, Result<Box<Recovered>, BoxError>),
    /// How far a lane was handed out, and what is not in the stream any more.
    LookedAt(Lane, u32, Result<(u64, Vec<(u64, u32)>), BoxError>),
    /// Outcomes that are kept.
    Outcomes(u32, Result<Vec<Bytes>, BoxError>),
    /// How far there are outcomes.
    Tidied(u32, Result<u64, BoxError>),
    Nothing,
}

/// An outcome, and where it comes from.
pub(super) type Got = (wire::Outcome, Option<Ran>);

type Finding = Pin<Box<dyn Future<Output = Found> + Send>>;

pub(super) struct Acting {
    pub(super) names: Names,
    pub(super) run: u64,
    pub(super) copies: usize,
    driver: Weak<dyn Driver>,
    pub(super) connection: Connection,
    pub(super) streams: Streams,
    pub(super) objects: Arc<Objects>,
    pub(super) done: Subscriber,
    pub(super) news: Subscriber,
    pub(super) beats: Subscriber,
    pub(super) calls: Calls,
    pub(super) workers: Workers,
    pub(super) findings: FuturesUnordered<Finding>,
    /// Calls that nobody wants any more, and workers may have.
    pub(super) withdrawn: VecDeque<(CallId, Instant)>,
    pub(super) has_news: bool,
    pub(super) is_connected: bool,
    pub(super) is_recovering: bool,
    pub(super) is_reading: bool,
    /// Counts losses of the connection: what was asked before one says nothing of what came after it.
    pub(super) epoch: u32,
    /// Up to where in the stream all outcomes have come: a while ago, and lately.
    pub(super) marks: (u64, u64),
    /// How many open calls need a large body.
    pub(super) large: HashMap<Hash, usize>,
    /// Large bodies that no open call needed any more; one may need them again, as when it goes out anew.
    pub(super) unneeded: Vec<Hash>,
    pub(super) said_again: Option<Instant>,
    /// It has been said that somebody speaks otherwise.
    pub(super) said_foreign: bool,
    /// What is to be sent again now.
    pub(super) again: Vec<u64>,
    /// Deliveries that were withdrawn while they were underway: when the server has one, it is taken out.
    pub(super) to_take_out: HashSet<(u64, u32)>,
    /// Lanes whose consumer could not be made.
    pub(super) unmade: Vec<Lane>,
    /// Lanes that are being looked at.
    pub(super) looked_at: HashSet<Lane>,
    /// Outcomes have come since the stream was tidied.
    pub(super) is_untidy: bool,
}

impl Acting {
    pub(super) async fn connect(
        server: &Server,
        names: Names,
        driver: Weak<dyn Driver>,
    ) -> Result<Acting, BoxError> {
        let run = driver.upgrade().ok_or("the driver has gone")?.run();
        let mut connection = server.connect(&format!("asynckit driver of {}", names.app)).await?;
        connection.watch(names.done_stream());
        let copies = server.copies();
        let streams = streams::open(&connection.js, &names, copies).await?;
        let client = &connection.client;
        let done = client.subscribe(names.done(run)).await?;
        let news = client.subscribe(names.news(run)).await?;
        let beats = client.subscribe(names.all_beats()).await?;
        let objects = Objects::new(connection.js.clone(), names.clone(), copies);
        let last = streams.done.cached_info().state.last_sequence;
        let acting = Acting {
            objects: Arc::new(objects),
            workers: Workers::new(names.build.clone()),
            names,
            run,
            copies,
            driver,
            connection,
            streams,
            done,
            news,
            beats,
            calls: Calls::default(),
            findings: FuturesUnordered::new(),
            withdrawn: VecDeque::new(),
            has_news: true,
            is_connected: true,
            is_recovering: false,
            is_reading: false,
            epoch: 0,
            marks: (last, last),
            large: HashMap::new(),
            unneeded: Vec::new(),
            said_again: None,
            said_foreign: false,
            again: Vec::new(),
            to_take_out: HashSet::new(),
            unmade: Vec::new(),
            looked_at: HashSet::new(),
            is_untidy: false,
        };
        acting.connection.client.flush().await?;
        Ok(acting)
    }

    pub(super) fn find(&self, finding: impl Future<Output = Found> + Send + 'static) {
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
