//! Large bodies: they are put into the object store once, and fetched from there: arguments by their contents,
//! values by their call and its delivery.
//!
//! An object is one driver's, so that it may be taken away when that driver needs it no more (`driver/spare.rs`). That it is
//! gone too early (a server with an empty store) is no harm: the worker says so, and it is put again.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use async_nats::jetstream::object_store::{GetErrorKind, ObjectMetadata, ObjectStore};
use async_nats::jetstream::{self};
use asynckit::BoxError;
use bytes::Bytes;
use tokio::io::AsyncReadExt;
use tokio::sync::OnceCell;

use super::names::Names;
use super::streams;
use crate::sync::lock;
use crate::wire::{Hash, MOST_BODY, STEP};

/// How much of an object is one message.
const CHUNK: usize = 512 << 10;

/// The most bytes of objects that a worker keeps, for calls that need the same again.
const KEPT_BYTES: usize = 256 << 20;

/// How long a part of an object may take to come.
const STALLS: Duration = Duration::from_secs(10);

/// Whose it is, by its run, and what.
type Key = (u64, Hash);

pub(super) struct Objects {
    js: jetstream::Context,
    names: Names,
    copies: usize,
    bucket: tokio::sync::Mutex<Option<ObjectStore>>,
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
    pub(super) fn new(js: jetstream::Context, names: Names, copies: usize) -> Objects {
        Objects {
            js,
            names,
            copies,
            bucket: tokio::sync::Mutex::default(),
            put: Mutex::default(),
            fetching: Mutex::default(),
            fetched: Mutex::default(),
        }
    }

    async fn bucket(&self) -> Result<ObjectStore, BoxError> {
        let mut bucket = self.bucket.lock().await;
        if let Some(bucket) = &*bucket {
            return Ok(bucket.clone());
        }
        let found = streams::bucket(&self.js, &self.names, self.copies).await?;
        Ok(bucket.insert(found).clone())
    }

    /// Sees to it that this is there, for calls of this run.
    pub(super) async fn put(&self, run: u64, hash: Hash, body: &Bytes) -> Result<(), BoxError> {
        let put = lock(&self.put).entry((run, hash)).or_default().clone();
        let mut since = put.lock().await;
        if since.is_some() {
            return Ok(());
        }
        let stored = async {
            let bucket = self.bucket().await?;
            let object = ObjectMetadata {
                name: name(run, &hash),
                chunk_size: Some(CHUNK),
                ..Default::default()
            };
            bucket.put(object, &mut &body[..]).await?;
            Ok(())
        };
        let stored: Result<(), BoxError> = stored.await;
        match stored {
            Ok(()) => *since = Some(Instant::now()),
            // Maybe the server has lost the bucket: look again.
            Err(_) => *self.bucket.lock().await = None,
        }
        stored
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
        if let Ok(bucket) = self.bucket().await {
            // What can't be deleted now goes by its age.
            bucket.delete(name(run, hash)).await.ok();
        }
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
    ) -> Result<Option<Bytes>, BoxError> {
        let key = (run, hash);
        let cell = lock(&self.fetching).entry(key).or_default().clone();
        let got = cell.get_or_try_init(|| self.find(key, size)).await.cloned();
        lock(&self.fetching).retain(|its, now| *its != key || !Arc::ptr_eq(now, &cell));
        match got {
            Ok(body) => Ok((body.len() as u64 == size).then_some(body)),
            Err(Absent::NotThere) => Ok(None),
            Err(Absent::Error(error)) => Err(error),
        }
    }

    /// What is here, or is fetched.
    async fn find(&self, key: Key, size: u64) -> Result<Bytes, Absent> {
        let found = lock(&self.fetched).iter().find(|(its, _)| *its == key).cloned();
        if let Some((_, body)) = found {
            return Ok(body);
        }
        let bucket = self.bucket().await?;
        let mut object = match bucket.get(name(key.0, &key.1)).await {
            Ok(object) => object,
            Err(error) if error.kind() == GetErrorKind::NotFound => return Err(Absent::NotThere),
            Err(error) => {
                *self.bucket.lock().await = None;
                return Err(error.into());
            }
        };
        // Nothing is allocated for what is not as large as was said.
        if object.info().size as u64 != size || size > MOST_BODY {
            return Err(Absent::NotThere);
        }
        // What it says of its size may be a lie. (One more, so that there is room to find the end.)
        let mut body = Vec::with_capacity(size.min(STEP) as usize + 1);
        let mut limited = (&mut object).take(size + 1);
        // What was taken away meanwhile doesn't come to an end.
        while tokio::time::timeout(STALLS, limited.read_buf(&mut body)).await?? > 0 {}
        if body.len() as u64 != size {
            return Err(Absent::NotThere);
        }
        let body = Bytes::from(body);
        self.keep(key, &body);
        Ok(body)
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

fn name(run: u64, hash: &Hash) -> String {
    format!("{run:016x}-{}", blake3::Hash::from_bytes(*hash).to_hex())
}
