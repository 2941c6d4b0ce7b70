//! Functions that workers run. What they have done, and what they wait for, are files, so that tests see it.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use asynckit::{AsyncResult, async_work, is_cancelled};
use asynckit_cluster::call_id;
use serde::{Deserialize, Serialize};

use crate::support::{Dir, Driven, soon};

#[async_work(remote)]
pub fn add(a: u64, b: u64) -> u64 {
    a + b
}

#[async_work(remote)]
pub fn fails(words: String) -> Result<u64, std::io::Error> {
    Err(std::io::Error::other(words))
}

/// As much as may travel, and more: it has many causes, and carries bytes with it.
#[derive(Debug, Serialize, Deserialize)]
pub struct Lengthy {
    pub bytes: Vec<u8>,
    #[serde(skip)]
    cause: Option<Box<Lengthy>>,
}

impl std::fmt::Display for Lengthy {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&"all is lost, ".repeat(2_000))
    }
}

impl std::error::Error for Lengthy {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.cause.as_deref().map(|cause| cause as _)
    }
}

/// Fails at length, when it may, having noted that.
#[async_work(remote(error))]
pub fn fails_at_length(dir: PathBuf, number: u64, bytes: usize) -> Result<u64, Lengthy> {
    note(&dir, number);
    wait_for(&dir.join("go"));
    let cause = (0..40).fold(None, |cause, _| Some(Box::new(Lengthy { bytes: vec![], cause })));
    std::fs::write(dir.join(format!("done-{number}")), "").unwrap();
    Err(Lengthy { bytes: vec![7; bytes], cause })
}

#[async_work(remote)]
pub fn panics(words: String) -> u64 {
    panic!("{words}")
}

/// How many bytes, and their sum.
#[async_work(remote)]
pub fn sum(bytes: Vec<u8>) -> (usize, u64) {
    (bytes.len(), bytes.iter().map(|byte| u64::from(*byte)).sum())
}

#[async_work(remote)]
pub fn zeros(count: usize) -> Vec<u8> {
    vec![0; count]
}

#[async_work(remote)]
pub fn whoami(_any: u32) -> u32 {
    worker()
}

#[async_work(remote)]
pub fn process(_any: u32) -> u32 {
    std::process::id()
}

/// Takes its time.
#[async_work(remote)]
pub fn nap(milliseconds: u64) {
    std::thread::sleep(Duration::from_millis(milliseconds));
}

/// Notes that it has begun, waits until it may go on, and returns its number.
#[async_work(remote)]
pub fn gated(dir: PathBuf, number: u64) -> u64 {
    note(&dir, number);
    wait_for(&dir.join("go"));
    std::fs::write(dir.join(format!("done-{number}")), "").unwrap();
    number
}

/// Such a call, number 1, that has begun.
#[track_caller]
pub fn held(cluster: &Driven, dir: &Dir) -> AsyncResult<u64> {
    let held = gated(dir.path().to_owned(), 1).spawn_on(cluster);
    soon("it runs", || !begun(dir.path(), 1).is_empty());
    held
}

/// The same, with so many bytes for its value.
#[async_work(remote)]
pub fn gated_zeros(dir: PathBuf, number: u64, count: usize) -> Vec<u8> {
    note(&dir, number);
    wait_for(&dir.join("go"));
    vec![0; count]
}

/// The same, and never twice.
#[async_work(remote(deliveries = 1))]
pub fn gated_zeros_once(dir: PathBuf, number: u64, count: usize) -> Vec<u8> {
    note(&dir, number);
    wait_for(&dir.join("go"));
    vec![0; count]
}

/// As `gated`, and never twice.
#[async_work(remote(deliveries = 1))]
pub fn gated_once(dir: PathBuf, number: u64) -> u64 {
    note(&dir, number);
    wait_for(&dir.join("go"));
    number
}

/// One at a time in the whole cluster, and never twice.
#[async_work(remote(deliveries = 1), limit = 1)]
pub fn limited_once(dir: PathBuf, number: u64) -> u64 {
    note(&dir, number);
    number
}

/// Waits until this one may go on; two of them run at once in the whole cluster.
#[async_work(remote, limit = 2)]
pub fn limited(dir: PathBuf, number: u64) -> u64 {
    note(&dir, number);
    wait_for(&dir.join(format!("go-{number}")));
    let end = dir.join(format!("ended-{number}"));
    std::fs::write(end, "").unwrap();
    number
}

/// Until it is cancelled.
#[async_work(remote)]
pub fn endless(dir: PathBuf, number: u64) -> u64 {
    note(&dir, number);
    while !is_cancelled() {
        std::thread::sleep(Duration::from_millis(5));
    }
    std::fs::write(dir.join(format!("cancelled-{number}")), "").unwrap();
    number
}

#[async_work(remote, timeout = "300ms")]
pub fn too_long(dir: PathBuf, number: u64) -> u64 {
    note(&dir, number);
    wait_for(&dir.join("go"));
    number
}

/// Ends its process.
#[async_work(remote)]
pub fn poison(dir: PathBuf, number: u64) -> u64 {
    note(&dir, number);
    std::process::abort()
}

/// With an argument.
#[async_work(remote)]
pub fn poison_with(_bytes: Vec<u8>) -> u64 {
    std::process::abort()
}

#[async_work(remote(deliveries = 1))]
pub fn poison_once(dir: PathBuf, number: u64) -> u64 {
    note(&dir, number);
    std::process::abort()
}

/// What it does is noted under its id.
#[async_work(remote)]
pub fn id_of(_any: u64) -> String {
    call_id().map(|id| id.to_string()).unwrap_or_default()
}

/// The worker, whose process this is one of.
fn worker() -> u32 {
    std::os::unix::process::parent_id()
}

/// Notes that a call has begun, with the worker and its process and, where it isn't the first time, a mark.
fn note(dir: &Path, number: u64) {
    let times = begun(dir, number).len();
    let name = format!("begun-{number}-{}-{}-{times}", worker(), std::process::id());
    std::fs::write(dir.join(name), "").unwrap();
}

/// The workers in which a call has begun so far.
pub fn begun(dir: &Path, number: u64) -> Vec<u32> {
    noted(dir, number).into_iter().map(|(worker, _)| worker).collect()
}

/// The processes in which a call has begun so far.
pub fn begun_in(dir: &Path, number: u64) -> Vec<u32> {
    noted(dir, number).into_iter().map(|(_, process)| process).collect()
}

fn noted(dir: &Path, number: u64) -> Vec<(u32, u32)> {
    let prefix = format!("begun-{number}-");
    let entries = std::fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().file_name());
    let names = entries.filter_map(|name| {
        let mut parts = name.to_str()?.strip_prefix(&prefix)?.split('-').map(str::parse);
        Some((parts.next()?.ok()?, parts.next()?.ok()?))
    });
    names.collect()
}

fn wait_for(path: &Path) {
    let begin = Instant::now();
    while !path.exists() {
        assert!(begin.elapsed() < Duration::from_secs(120), "{} never came", path.display());
        std::thread::sleep(Duration::from_millis(2));
    }
}
