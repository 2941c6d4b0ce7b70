//! What a driver asks the server for, apart from its own thread of thought: each is a future that ends with news.

use std::collections::HashMap;
use std::ops::RangeInclusive;
use std::time::Instant;

use async_nats::jetstream;
use async_nats::jetstream::context::ConsumerInfoErrorKind;
use async_nats::jetstream::message::StreamMessage;
use async_nats::jetstream::stream::{DirectGetErrorKind, Stream};
use asynckit::BoxError;
use bytes::Bytes;
use futures_util::{StreamExt, stream};

use crate::nats::names::{Lane, Names};
use crate::nats::streams::{self, Streams};

/// How many messages are looked at at once.
const AT_ONCE: usize = 256;

/// Into how many parts messages are divided that are read at the same time, and how few are not.
const PARTS: u64 = 64;
const SMALLEST: u64 = 16;

/// How many old calls are looked at at once.
const MOST_OLD: usize = 1024;

/// Calls: number, delivery, and where it is in the stream.
pub(super) type Listed = Vec<(u64, u32, u64)>;

/// Calls that workers have taken, and of which nobody may know.
pub(super) struct Relics {
    pub(super) listed: Listed,
    /// They were listed in this [epoch](super::acting::Acting::epoch), and then; unless it doesn't matter who has them.
    pub(super) epoch: u32,
    pub(super) since: Option<Instant>,
}

/// What a message of ours is called in the stream.
pub(super) fn message_id(run: u64, number: u64, delivery: u32) -> String {
    format!("{run:016x}.{number}.{delivery}")
}

/// Number and delivery of a call of this run, by what its message is called.
fn read_id(id: &str, run: u64) -> Option<(u64, u32)> {
    let mut parts = id.split('.');
    let is_ours = u64::from_str_radix(parts.next()?, 16) == Ok(run);
    let its = (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
    is_ours.then_some(its)
}

/// Outcomes that are kept for this driver, from after this one on. What is stored meanwhile is not waited for, as it
/// comes by itself: where many come, there would be no end to it, and until there is nothing is known to be lost.
pub(super) async fn outcomes(
    done: &Stream,
    subject: &str,
    after: u64,
) -> Result<Vec<Bytes>, BoxError> {
    let last = done.get_info().await?.state.last_sequence;
    read(done, subject, after + 1..=last, usize::MAX, |message| Some(message.payload)).await
}

/// What is of use in the messages of a part of a stream, in their order, in many parts at the same time; until it is enough.
async fn read<T>(
    from: &Stream,
    subject: &str,
    range: RangeInclusive<u64>,
    most: usize,
    what: impl Fn(StreamMessage) -> Option<T>,
) -> Result<Vec<T>, BoxError> {
    let (first, last) = range.into_inner();
    let size = (last + 1).saturating_sub(first).div_ceil(PARTS).max(SMALLEST);
    let parts = (first..=last).step_by(size as usize);
    let parts = parts.map(|at| part(from, subject, at..=last.min(at + size - 1), &what));
    let mut parts = stream::iter(parts).buffered(PARTS as usize);
    let mut all = Vec::new();
    while all.len() < most
        && let Some(part) = parts.next().await
    {
        all.extend(part?);
    }
    Ok(all)
}

/// One of the parts: each message is asked for when the one before it is here.
async fn part<T>(
    stream: &Stream,
    subject: &str,
    range: RangeInclusive<u64>,
    what: impl Fn(StreamMessage) -> Option<T>,
) -> Result<Vec<T>, BoxError> {
    let (mut next, to) = range.into_inner();
    let mut all = Vec::new();
    while next <= to {
        match stream.direct_get_next_for_subject(subject, Some(next)).await {
            Ok(message) if message.sequence > to => break,
            Ok(message) => {
                next = message.sequence + 1;
                all.extend(what(message));
            }
            Err(error) if error.kind() == DirectGetErrorKind::NotFound => break,
            Err(error) => return Err(error.into()),
        }
    }
    Ok(all)
}

/// What was found out after the connection has come back.
pub(super) struct Recovered {
    pub(super) streams: Streams,
    pub(super) outcomes: Vec<Bytes>,
    /// Calls that are not in the stream any more.
    pub(super) gone: Vec<(u64, u32)>,
    /// The server has another store than before.
    pub(super) is_new: bool,
}

/// Makes what is missing, gets the outcomes that came meanwhile, and looks for each call that nobody has claimed.
pub(super) async fn all(
    js: jetstream::Context,
    names: Names,
    copies: usize,
    before: Streams,
    run: u64,
    after: u64,
    listed: HashMap<Lane, Listed>,
) -> Result<Recovered, BoxError> {
    let streams = streams::open(&js, &names, copies).await?;
    let created = |stream: &Stream| stream.cached_info().created;
    let is_new_done = created(&before.done) != created(&streams.done);
    let is_new = is_new_done || created(&before.work) != created(&streams.work);
    let after = if is_new_done { 0 } else { after };
    let last = streams.done.cached_info().state.last_sequence;
    let outcomes = outcomes(&streams.done, &names.done(run), after.min(last)).await?;
    let calls: Listed = listed.into_values().flatten().collect();
    let gone = missing(&streams.work, run, calls).await?;
    Ok(Recovered { streams, outcomes, gone, is_new })
}

/// Those calls that are not in the stream, at the place where they were.
async fn missing(work: &Stream, run: u64, calls: Listed) -> Result<Vec<(u64, u32)>, BoxError> {
    let look = |(number, delivery, seq): (u64, u32, u64)| async move {
        match work.direct_get(seq).await {
            Ok(message) => {
                let id = message.headers.get(async_nats::header::NATS_MESSAGE_ID);
                let is_there =
                    id.is_some_and(|id| id.as_str() == message_id(run, number, delivery));
                Ok((!is_there).then_some((number, delivery)))
            }
            Err(error) if error.kind() == DirectGetErrorKind::NotFound => {
                Ok(Some((number, delivery)))
            }
            Err(error) => Err(BoxError::from(error)),
        }
    };
    let mut looks = stream::iter(calls).map(look).buffer_unordered(AT_ONCE);
    let mut gone = Vec::new();
    while let Some(found) = looks.next().await {
        gone.extend(found?);
    }
    Ok(gone)
}

/// How far a lane has been handed out, and which calls can't be in the stream any more.
pub(super) async fn look_at(
    work: Stream,
    names: Names,
    lane: Lane,
    calls: Listed,
) -> Result<(u64, Vec<(u64, u32)>), BoxError> {
    let upto = work.consumer_info(names.consumer(lane)).await?.delivered.stream_sequence;
    let state = work.get_info().await?.state;
    let is_there = |seq: u64| (state.first_sequence..=state.last_sequence).contains(&seq);
    let gone = calls.into_iter().filter(|(_, _, seq)| *seq > upto && !is_there(*seq));
    Ok((upto, gone.map(|(number, delivery, _)| (number, delivery)).collect()))
}

/// Calls of this driver that workers have taken from these lanes and that are still in the stream, from the oldest on.
pub(super) async fn taken(
    work: Stream,
    names: Names,
    lanes: Vec<Lane>,
    run: u64,
) -> Result<Listed, BoxError> {
    let mut upto = 0;
    for lane in lanes {
        match work.consumer_info(names.consumer(lane)).await {
            Ok(info) => upto = info.delivered.stream_sequence.max(upto),
            // The server has forgotten it, as nobody has used it for a day.
            Err(error) if error.kind() == ConsumerInfoErrorKind::NotFound => {}
            Err(error) => return Err(error.into()),
        }
    }
    let first = work.get_info().await?.state.first_sequence;
    let its = |message: StreamMessage| {
        let id = message.headers.get(async_nats::header::NATS_MESSAGE_ID)?;
        let (number, delivery) = read_id(id.as_str(), run)?;
        Some((number, delivery, message.sequence))
    };
    read(&work, &names.all_of_build(), first..=upto, MOST_OLD, its).await
}

/// Forgets outcomes that have arrived, and says how far there are any.
pub(super) async fn tidy(done: Stream, subject: String, upto: u64) -> Result<u64, BoxError> {
    let last = done.get_info().await?.state.last_sequence;
    if upto > 0 {
        done.purge().filter(subject).sequence(upto + 1).await?;
    }
    Ok(last)
}
