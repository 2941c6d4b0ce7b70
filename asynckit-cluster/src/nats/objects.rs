//! Large bodies: they are put into the object store once, and fetched from there: arguments by their contents,
//! values by their call and its delivery.
//!
//! An object is one driver's, so that it may be taken away when that driver needs it no more. That it is gone too early
//! (a server with an empty store) is no harm: the worker says so, and it is put again.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

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
    /// What was put, or is being put.
    put: Mutex<HashMap<Key, Arc<OnceCell<()>>>>,
    /// What was fetched, from the oldest on.
    fetched: Mutex<Vec<(Key, Bytes)>>,
}

impl Objects {
    pub(super) fn new(js: jetstream::Context, names: Names, copies: usize) -> Objects {
        Objects {
            js,
            names,
            copies,
            bucket: tokio::sync::Mutex::default(),
            put: Mutex::default(),
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
        let cell = lock(&self.put).entry((run, hash)).or_default().clone();
        let put = cell.get_or_try_init(|| async {
            let bucket = self.bucket().await?;
            let object = ObjectMetadata {
                name: name(run, &hash),
                chunk_size: Some(CHUNK),
                ..Default::default()
            };
            bucket.put(object, &mut &body[..]).await?;
            Ok(())
        });
        let put: Result<(), BoxError> = put.await.copied();
        if put.is_err() {
            // Maybe the server has lost the bucket: look again.
            *self.bucket.lock().await = None;
        }
        put
    }

    /// Whatever was put may not be there any more.
    pub(super) fn doubt_all(&self) {
        lock(&self.put).clear();
    }

    /// This one is not there.
    pub(super) fn doubt_one(&self, run: u64, hash: &Hash) {
        lock(&self.put).remove(&(run, *hash));
    }

    /// Nobody needs this any more.
    pub(super) async fn delete(&self, run: u64, hash: &Hash) {
        let key = (run, *hash);
        lock(&self.put).remove(&key);
        lock(&self.fetched).retain(|(its, _)| *its != key);
        if let Ok(bucket) = self.bucket().await {
            // What can't be deleted now goes by its age.
            bucket.delete(name(run, hash)).await.ok();
        }
    }

    /// This one, unless it isn't there.
    pub(super) async fn get(
        &self,
        run: u64,
        hash: Hash,
        size: u64,
    ) -> Result<Option<Bytes>, BoxError> {
        let found = lock(&self.fetched).iter().find(|(key, _)| *key == (run, hash)).cloned();
        if let Some((_, body)) = found {
            return Ok((body.len() as u64 == size).then_some(body));
        }
        let bucket = self.bucket().await?;
        let mut object = match bucket.get(name(run, &hash)).await {
            Ok(object) => object,
            Err(error) if error.kind() == GetErrorKind::NotFound => return Ok(None),
            Err(error) => {
                *self.bucket.lock().await = None;
                return Err(error.into());
            }
        };
        // Nothing is allocated for what is not as large as was said.
        if object.info().size as u64 != size || size > MOST_BODY {
            return Ok(None);
        }
        // What it says of its size may be a lie. (One more, so that there is room to find the end.)
        let mut body = Vec::with_capacity(size.min(STEP) as usize + 1);
        let mut limited = (&mut object).take(size + 1);
        // What was taken away meanwhile doesn't come to an end.
        while tokio::time::timeout(STALLS, limited.read_buf(&mut body)).await?? > 0 {}
        if body.len() as u64 != size {
            return Ok(None);
        }
        let body = Bytes::from(body);
        self.keep((run, hash), &body);
        Ok(Some(body))
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
