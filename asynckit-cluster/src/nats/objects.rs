//! Large bodies: they are stored once, each in a stream of its kind, and fetched from there: arguments by their contents,
//! values by their contents and whose they are.
//!
//! ```text
//!  a body of three chunks      asynckit.<app>.argument.<run>.<hash>.0, .1, .2      each a message
//! ```
//!
//! Whoever fetches one has been told its hash and its size, and so knows which chunks there are and how long each is: he asks
//! for several at the same time, takes nothing longer, and looks at the end whether it is what the hash says. So there is
//! nothing else to be stored with it, nor to be asked for first; and what is stored again takes the place of what is there.
//!
//! A body is one driver's, so that it may be taken away when that driver needs it no more (`driver/spare.rs`). That it is
//! gone too early (a server with an empty store) is no harm: the worker says so, and it is put again.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use async_nats::jetstream;
use async_nats::jetstream::context::{PublishError, PublishErrorKind};
use async_nats::jetstream::message::PublishMessage;
use async_nats::jetstream::stream::{DirectGetErrorKind, LastRawMessageErrorKind, Stream};
use asynckit::BoxError;
use bytes::Bytes;
use futures_util::{StreamExt, stream};
use tokio::sync::{OnceCell, Semaphore};

use super::names::{Large, Names};
use super::streams;
use crate::sync::lock;
use crate::wire::{CallId, Hash, MOST_BODY, STEP};

/// How much of a body is one message: so much that a MiB and what says how long it is are four.
const CHUNK: usize = 260 << 10;

/// How many chunks are on their way at once: what else is said waits behind them.
const AT_ONCE: usize = 4;

/// The most bytes of bodies that a worker keeps, for calls that need the same again.
const KEPT_BYTES: usize = 256 << 20;

/// How long a chunk may take to come.
const STALLS: Duration = Duration::from_secs(10);

/// Whose it is, by its run, and what.
type Key = (u64, Hash);

/// Of which delivery of a call a value is; none where it is an argument.
pub(super) type Of = Option<(CallId, u32)>;

/// The large bodies of one kind.
pub(super) struct Objects {
    js: jetstream::Context,
    names: Names,
    copies: usize,
    kind: Large,
    /// For each chunk that may be on its way to the server, and from there.
    sends: Semaphore,
    fetches: Semaphore,
    /// What was put, or is being put or deleted.
    put: Mutex<HashMap<Key, Arc<Put>>>,
    /// What is being fetched.
    fetching: Mutex<HashMap<Key, Arc<OnceCell<Bytes>>>>,
    /// What was fetched, from the oldest on.
    fetched: Mutex<Vec<(Key, Bytes)>>,
}

/// Since when it is there, if it is. Held by who puts or deletes it, so that these don't meet.
type Put = tokio::sync::Mutex<Option<Instant>>;

/// Why a body is not here.
enum Absent {
    NotThere,
    Error(BoxError),
}

impl<E: Into<BoxError>> From<E> for Absent {
    fn from(error: E) -> Absent {
        Absent::Error(error.into())
    }
}

impl Objects {
    /// Those for arguments, and those for values.
    pub(super) fn of_both_kinds(
        js: &jetstream::Context,
        names: &Names,
        copies: usize,
    ) -> (Arc<Objects>, Arc<Objects>) {
        let of = |kind| Arc::new(Objects::new(js.clone(), names.clone(), copies, kind));
        (of(Large::Argument), of(Large::Value))
    }

    fn new(js: jetstream::Context, names: Names, copies: usize, kind: Large) -> Objects {
        Objects {
            js,
            names,
            copies,
            kind,
            sends: Semaphore::new(AT_ONCE),
            fetches: Semaphore::new(AT_ONCE),
            put: Mutex::default(),
            fetching: Mutex::default(),
            fetched: Mutex::default(),
        }
    }

    /// Sees to it that this is there, for calls of this run.
    pub(super) async fn put(&self, run: u64, hash: Hash, body: &Bytes) -> Result<(), BoxError> {
        let put = lock(&self.put).entry((run, hash)).or_default().clone();
        let mut since = put.lock().await;
        if since.is_some() {
            return Ok(());
        }
        let parts = (0..body.len()).step_by(CHUNK).enumerate().map(|(n, from)| {
            let part = body.slice(from..body.len().min(from + CHUNK));
            self.store(self.names.chunk(self.kind, run, &hash, n), part)
        });
        let mut parts = stream::iter(parts).buffered(AT_ONCE);
        while let Some(stored) = parts.next().await {
            let Err(error) = stored else { continue };
            drop(parts);
            self.after_refusal(run, &hash, &error).await;
            return Err(error.into());
        }
        *since = Some(Instant::now());
        Ok(())
    }

    async fn store(&self, subject: String, part: Bytes) -> Result<(), PublishError> {
        let _permit = self.sends.acquire().await;
        let message = PublishMessage::build().payload(part);
        self.js.send_publish(subject, message).await?.await?;
        Ok(())
    }

    /// A body is not there as a whole. Where the server has said so the stream may be full, or be lost.
    async fn after_refusal(&self, run: u64, hash: &Hash, error: &PublishError) {
        match error.kind() {
            PublishErrorKind::TimedOut | PublishErrorKind::BrokenPipe => {}
            PublishErrorKind::StreamNotFound => {
                streams::large(&self.js, &self.names, self.kind, self.copies).await.ok();
            }
            // So that those that are there in part don't take the room from each other.
            _ => self.purge(run, hash).await,
        }
    }

    async fn stream(&self) -> Option<Stream<()>> {
        self.js.get_stream_no_info(self.names.large_stream(self.kind)).await.ok()
    }

    /// Takes away what there is of it. What can't be taken away now goes by its age.
    async fn purge(&self, run: u64, hash: &Hash) {
        if let Some(stream) = self.stream().await {
            stream.purge().filter(self.names.all_chunks(self.kind, run, hash)).await.ok();
        }
    }

    /// Whatever was put may not be there any more.
    pub(super) fn doubt_all(&self) {
        lock(&self.put).clear();
    }

    /// This one was not there, for something that was sent then. What was put after that is.
    pub(super) fn doubt_one(&self, run: u64, hash: &Hash, sent: Instant) {
        let put = lock(&self.put).get(&(run, *hash)).cloned();
        // (Else it is being put, or deleted.)
        if let Some(put) = put
            && let Ok(mut since) = put.try_lock()
            && since.is_some_and(|since| since <= sent)
        {
            *since = None;
        }
    }

    /// Nobody puts this again.
    pub(super) fn forget(&self, run: u64, hash: &Hash) {
        lock(&self.put).remove(&(run, *hash));
    }

    /// Nobody needs this any more.
    pub(super) async fn delete(&self, run: u64, hash: &Hash) {
        let key = (run, *hash);
        lock(&self.fetched).retain(|(its, _)| *its != key);
        let put = lock(&self.put).entry(key).or_default().clone();
        let mut since = put.lock().await;
        self.purge(run, hash).await;
        *since = None;
        drop(since);
        let mut all = lock(&self.put);
        // Nobody waits for his turn to put it.
        if all.get(&key).is_some_and(|its| Arc::ptr_eq(its, &put) && Arc::strong_count(its) == 2) {
            all.remove(&key);
        }
    }

    /// This one, unless it isn't there. Who comes while it is being fetched waits for that.
    pub(super) async fn get(
        &self,
        run: u64,
        hash: Hash,
        size: u64,
        of: Of,
    ) -> Result<Option<Bytes>, BoxError> {
        let key = (run, hash);
        let cell = lock(&self.fetching).entry(key).or_default().clone();
        let got = cell.get_or_try_init(|| self.find(key, size, of)).await.cloned();
        lock(&self.fetching).retain(|its, now| *its != key || !Arc::ptr_eq(now, &cell));
        match got {
            Ok(body) => Ok((body.len() as u64 == size).then_some(body)),
            Err(Absent::NotThere) => Ok(None),
            Err(Absent::Error(error)) => Err(error),
        }
    }

    /// What is here, or is fetched.
    async fn find(&self, key: Key, size: u64, of: Of) -> Result<Bytes, Absent> {
        let found = lock(&self.fetched).iter().find(|(its, _)| *its == key).cloned();
        if let Some((_, body)) = found {
            return Ok(body);
        }
        if size > MOST_BODY {
            return Err(Absent::NotThere);
        }
        let stream = self.stream().await.ok_or("a stream without a name")?;
        let parts = (0..size).step_by(CHUNK).enumerate().map(|(n, from)| {
            let its = (size - from).min(CHUNK as u64);
            self.chunk(&stream, self.names.chunk(self.kind, key.0, &key.1, n), its)
        });
        let mut parts = stream::iter(parts).buffered(AT_ONCE);
        // What was said of its size may be a lie: nothing is allocated for more than comes.
        let mut body = Vec::new();
        let mut hash = blake3::Hasher::new();
        while let Some(part) = parts.next().await {
            let part = part?;
            if body.is_empty() {
                body.reserve_exact(size.min(STEP) as usize);
            }
            hash.update(&part);
            body.extend_from_slice(&part);
        }
        if finish(hash, of) != key.1 {
            return Err(Absent::NotThere);
        }
        let body = Bytes::from(body);
        self.keep(key, &body);
        Ok(body)
    }

    /// A chunk, which has to be so long.
    async fn chunk(
        &self,
        stream: &Stream<()>,
        subject: String,
        size: u64,
    ) -> Result<Bytes, Absent> {
        let _permit = self.fetches.acquire().await;
        let direct = stream.direct_get_builder().last_by_subject(&*subject);
        let part = match tokio::time::timeout(STALLS, direct.send()).await? {
            Ok(message) => message.payload,
            // Of several copies another one may have it.
            Err(error) if error.kind() == DirectGetErrorKind::NotFound => {
                match stream.get_last_raw_message_by_subject(&subject).await {
                    Ok(message) => message.payload,
                    Err(error) if error.kind() == LastRawMessageErrorKind::NoMessageFound => {
                        return Err(Absent::NotThere);
                    }
                    Err(error) => return Err(error.into()),
                }
            }
            Err(error) => return Err(error.into()),
        };
        if part.len() as u64 == size { Ok(part) } else { Err(Absent::NotThere) }
    }

    fn keep(&self, key: Key, body: &Bytes) {
        let mut dropped = Vec::new();
        let mut fetched = lock(&self.fetched);
        fetched.push((key, body.clone()));
        while fetched.iter().map(|(_, body)| body.len()).sum::<usize>() > KEPT_BYTES {
            dropped.push(fetched.remove(0));
        }
        drop(fetched);
    }
}

/// What a large value is called: by its contents, so that these can be looked at, and by whose it is, so that its driver
/// takes away this one, and no other call's.
pub(super) fn value(body: &[u8], id: CallId, delivery: u32) -> Hash {
    let mut hash = blake3::Hasher::new();
    hash.update(body);
    finish(hash, Some((id, delivery)))
}

fn finish(mut hash: blake3::Hasher, of: Of) -> Hash {
    if let Some((id, delivery)) = of {
        hash.update(format!("{id}.{delivery}").as_bytes());
    }
    *hash.finalize().as_bytes()
}
