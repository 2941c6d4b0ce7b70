//! The streams and consumers of an app: made where they are missing, checked where they are there.

use std::time::Duration;

use async_nats::header::NATS_MESSAGE_ID;
use async_nats::jetstream;
use async_nats::jetstream::consumer::{self, AckPolicy, IntoConsumerConfig, pull};
use async_nats::jetstream::context::{CreateStreamErrorKind, GetStreamErrorKind};
use async_nats::jetstream::stream::{
    Config, ConsumerCreateStrictErrorKind, DiscardPolicy, PersistenceMode, RetentionPolicy,
    StorageType, Stream,
};
use async_nats::{Client, HeaderMap};
use asynckit::BoxError;
use bytes::Bytes;

use super::names::{Lane, Large, Names};

/// How long a call is its worker's without a sign of life.
pub(super) const LEASE: Duration = Duration::from_secs(5);

/// How long the server waits for such a sign before it gives the permit of a limit to another call: no less than the
/// driver waits.
const ACK_WAIT: Duration = Duration::from_secs(6);

/// How long an outcome is kept for a driver that is away.
pub(super) const KEPT: Duration = Duration::from_secs(3600);

/// How long a call that nobody takes is kept by the server. Its driver, where it lives, publishes it again.
const WAITS: Duration = Duration::from_secs(7 * 24 * 3600);

/// How long a large body is kept, unless its driver takes it away. One that is needed for longer is put again.
pub(super) const STORED: Duration = Duration::from_secs(24 * 3600);

/// How long a message is known by its id, so that it isn't stored twice.
const DUPLICATES: Duration = Duration::from_secs(60);

/// How long a consumer is kept of which nobody takes anything, such as that of an old build.
const UNUSED: Duration = Duration::from_secs(24 * 3600);

/// How many calls may be with workers at once, of functions without a limit.
const MOST_CLAIMED: i64 = 1 << 20;

/// What an app has on a server.
#[derive(Clone)]
pub(super) struct Streams {
    pub(super) work: Stream,
    pub(super) done: Stream,
}

/// Gets all streams of an app, and makes those that are missing.
pub(super) async fn open(
    js: &jetstream::Context,
    names: &Names,
    copies: usize,
) -> Result<Streams, BoxError> {
    let work = stream(js, work_config(names, copies)).await?;
    let done = stream(js, done_config(names, copies)).await?;
    stream(js, dead_config(names, copies)).await?;
    large(js, names, Large::Argument, copies).await?;
    large(js, names, Large::Value, copies).await?;
    consumer(&work, names, Lane::Any, MOST_CLAIMED).await?;
    Ok(Streams { work, done })
}

fn work_config(names: &Names, copies: usize) -> Config {
    Config {
        name: names.work_stream(),
        subjects: vec![names.all_work()],
        retention: RetentionPolicy::WorkQueue,
        discard: DiscardPolicy::New,
        storage: StorageType::File,
        max_age: WAITS,
        duplicate_window: DUPLICATES,
        allow_direct: true,
        num_replicas: copies,
        // The driver keeps the graph, and publishes again what a server that died had not written yet. The server has
        // this for a single copy alone.
        persist_mode: (copies == 1).then_some(PersistenceMode::Async),
        description: Some("calls that wait for a worker, or are with one".to_owned()),
        ..Config::default()
    }
}

fn done_config(names: &Names, copies: usize) -> Config {
    Config {
        name: names.done_stream(),
        subjects: vec![names.all_done()],
        retention: RetentionPolicy::Limits,
        discard: DiscardPolicy::New,
        storage: StorageType::File,
        max_age: KEPT,
        allow_direct: true,
        num_replicas: copies,
        allow_message_ttl: true,
        description: Some("outcomes of calls, until their driver has them".to_owned()),
        ..Config::default()
    }
}

fn dead_config(names: &Names, copies: usize) -> Config {
    Config {
        name: names.dead_stream(),
        subjects: vec![names.dead()],
        discard: DiscardPolicy::Old,
        max_messages: 1000,
        max_age: WAITS,
        num_replicas: copies,
        description: Some("messages that could not be read".to_owned()),
        ..Config::default()
    }
}

fn large_config(names: &Names, kind: Large, copies: usize) -> Config {
    let (what, is_again) = match kind {
        Large::Argument => ("large arguments, while calls need them", true),
        Large::Value => ("large values, until their driver has them", false),
    };
    Config {
        name: names.large_stream(kind),
        subjects: vec![names.all_large(kind)],
        retention: RetentionPolicy::Limits,
        discard: DiscardPolicy::New,
        storage: StorageType::File,
        max_age: STORED,
        // What is stored again takes the place of what is there.
        max_messages_per_subject: 1,
        allow_direct: true,
        num_replicas: copies,
        // As with calls: a driver puts again what is missing. Of a value nobody has another copy.
        persist_mode: (is_again && copies == 1).then_some(PersistenceMode::Async),
        description: Some(what.to_owned()),
        ..Config::default()
    }
}

/// Where large bodies of a kind are.
pub(super) async fn large(
    js: &jetstream::Context,
    names: &Names,
    kind: Large,
    copies: usize,
) -> Result<(), BoxError> {
    stream(js, large_config(names, kind, copies)).await.map(drop)
}

async fn stream(js: &jetstream::Context, wanted: Config) -> Result<Stream, BoxError> {
    // Two may be making it at the same time, with the same settings or not: so who fails looks again.
    for _ in 0..3 {
        match js.get_stream(&wanted.name).await {
            Ok(stream) => {
                differs(&wanted, &stream.cached_info().config)?;
                return Ok(stream);
            }
            Err(error) => match error.kind() {
                GetStreamErrorKind::JetStream(why)
                    if why.error_code() == jetstream::ErrorCode::STREAM_NOT_FOUND => {}
                _ => return Err(format!("the stream {}: {error}", wanted.name).into()),
            },
        }
        match js.create_stream(wanted.clone()).await {
            Ok(stream) => return Ok(stream),
            Err(error) => match error.kind() {
                CreateStreamErrorKind::JetStream(why)
                    if why.error_code() == jetstream::ErrorCode::STREAM_NAME_EXIST => {}
                _ => {
                    return Err(format!("the stream {} can't be made: {error}", wanted.name).into());
                }
            },
        }
    }
    Err(format!("the stream {} comes and goes", wanted.name).into())
}

/// What something on the server has, and should have otherwise.
#[derive(Default)]
struct Differences(Vec<String>);

impl Differences {
    fn look<T: std::fmt::Debug + PartialEq>(&mut self, what: &str, wanted: &T, found: &T) {
        if wanted != found {
            self.0.push(format!("{what} is {found:?} and should be {wanted:?}"));
        }
    }

    fn tell(self, of: &str) -> Result<(), BoxError> {
        if self.0.is_empty() {
            return Ok(());
        }
        Err(format!("{of} has other settings than it needs: {}", self.0.join("; ")).into())
    }
}

/// Refuses a stream on which the promises would not hold. How large it may become, and where its copies are, is up to
/// who runs the server.
fn differs(wanted: &Config, found: &Config) -> Result<(), BoxError> {
    let mut all = Differences::default();
    all.look("subjects", &wanted.subjects, &found.subjects);
    all.look("retention", &wanted.retention, &found.retention);
    all.look("discard", &wanted.discard, &found.discard);
    all.look("storage", &wanted.storage, &found.storage);
    all.look("allow_direct", &wanted.allow_direct, &found.allow_direct);
    all.look("allow_msg_ttl", &wanted.allow_message_ttl, &found.allow_message_ttl);
    all.look("allow_rollup_hdrs", &wanted.allow_rollup, &found.allow_rollup);
    let per_subject = |config: &Config| config.max_messages_per_subject.max(0);
    all.look("max_msgs_per_subject", &per_subject(wanted), &per_subject(found));
    all.look("no_ack", &wanted.no_ack, &found.no_ack);
    all.look("sealed", &wanted.sealed, &found.sealed);
    all.look("deny_delete", &wanted.deny_delete, &found.deny_delete);
    all.look("deny_purge", &wanted.deny_purge, &found.deny_purge);
    let transform = |config: &Config| config.subject_transform.is_some();
    all.look("subject_transform", &transform(wanted), &transform(found));
    // To keep a call more safely than it must be is slower, and does no harm.
    let is_async = |config: &Config| config.persist_mode == Some(PersistenceMode::Async);
    if !is_async(wanted) && is_async(found) {
        all.look("persist_mode", &PersistenceMode::Default, &PersistenceMode::Async);
    }
    if found.max_age != Duration::ZERO && found.max_age < KEPT.min(wanted.max_age) {
        all.look("max_age", &wanted.max_age, &found.max_age);
    }
    all.tell(&format!("the stream {}", wanted.name))
}

/// The consumer of a lane: made, or checked and brought to this limit.
///
/// It delivers each message once: what is lost after that is the driver's to see, and it publishes the call again as
/// its next delivery. So there are no two minds on whether a call is lost.
pub(super) async fn consumer(
    work: &Stream,
    names: &Names,
    lane: Lane,
    limit: i64,
) -> Result<(), BoxError> {
    let name = names.consumer(lane);
    let wanted = pull::Config {
        durable_name: Some(name.clone()),
        filter_subject: names.filter(lane),
        ack_policy: AckPolicy::Explicit,
        ack_wait: ACK_WAIT,
        max_deliver: 1,
        max_ack_pending: limit,
        max_waiting: 4096,
        inactive_threshold: UNUSED,
        ..pull::Config::default()
    };
    let complaint = |error: &dyn std::fmt::Display| format!("the consumer {name}: {error}");
    match work.create_consumer_strict(wanted.clone()).await {
        Ok(_) => return Ok(()),
        Err(error) if error.kind() == ConsumerCreateStrictErrorKind::AlreadyExists => {}
        Err(error) => return Err(complaint(&error).into()),
    }
    // It is there, with other settings.
    let found = work.consumer_info(&name).await.map_err(|error| complaint(&error))?.config;
    consumer_differs(&name, &wanted.clone().into_consumer_config(), &found)?;
    if found.max_ack_pending != limit {
        let updated = pull::Config { inactive_threshold: found.inactive_threshold, ..wanted };
        work.update_consumer(updated).await.map_err(|error| complaint(&error))?;
    }
    Ok(())
}

/// Refuses a consumer by which calls would not come, or come twice. For how long it is kept is up to who runs the server.
fn consumer_differs(
    name: &str,
    wanted: &consumer::Config,
    found: &consumer::Config,
) -> Result<(), BoxError> {
    let mut all = Differences::default();
    all.look("filter_subject", &wanted.filter_subject, &found.filter_subject);
    all.look("filter_subjects", &wanted.filter_subjects, &found.filter_subjects);
    all.look("deliver_subject", &wanted.deliver_subject, &found.deliver_subject);
    all.look("deliver_policy", &wanted.deliver_policy, &found.deliver_policy);
    all.look("ack_policy", &wanted.ack_policy, &found.ack_policy);
    all.look("ack_wait", &wanted.ack_wait, &found.ack_wait);
    all.look("max_deliver", &wanted.max_deliver, &found.max_deliver);
    all.look("backoff", &wanted.backoff, &found.backoff);
    all.look("replay_policy", &wanted.replay_policy, &found.replay_policy);
    all.look("headers_only", &wanted.headers_only, &found.headers_only);
    all.look("max_waiting", &wanted.max_waiting, &found.max_waiting);
    all.look("max_batch", &wanted.max_batch, &found.max_batch);
    all.look("max_bytes", &wanted.max_bytes, &found.max_bytes);
    all.look("max_expires", &wanted.max_expires, &found.max_expires);
    all.tell(&format!("the consumer {name}"))
}

/// Puts a message that can't be read where somebody may look at it: once, however many have got it.
pub(super) async fn set_aside(client: Client, names: Names, why: String, payload: Bytes) {
    let mut headers = HeaderMap::new();
    headers.insert("Asynckit-Why", why.replace(['\r', '\n'], " "));
    headers.insert(NATS_MESSAGE_ID, blake3::hash(&payload).to_hex().as_str());
    client.publish_with_headers(names.dead(), headers, payload).await.ok();
}
