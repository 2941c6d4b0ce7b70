//! What the tests share.
#![allow(dead_code, reason = "each test uses some of it")]

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::path::PathBuf;
use std::sync::{Arc, Condvar, Mutex, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use asynckit_store::Store;

/// How long anything may take that should not take long at all.
pub const LIMIT: Duration = Duration::from_secs(120);

/// Fails the test if `body` is not done in time.
#[track_caller]
pub fn soon<R: Send + 'static>(body: impl FnOnce() -> R + Send + 'static) -> R {
    let (done, outcome) = mpsc::channel();
    thread::spawn(move || {
        let _ = done.send(catch_unwind(AssertUnwindSafe(body)));
    });
    match outcome.recv_timeout(LIMIT) {
        Ok(Ok(value)) => value,
        Ok(Err(payload)) => resume_unwind(payload),
        Err(_) => panic!("hangs: not done within {LIMIT:?}"),
    }
}

/// Waits until the condition holds.
#[track_caller]
pub fn eventually(what: &str, condition: impl Fn() -> bool) {
    let start = Instant::now();
    while !condition() {
        assert!(start.elapsed() < LIMIT / 2, "never came to be: {what}");
        thread::sleep(Duration::from_millis(1));
    }
}

/// A gate that threads wait at until it is opened.
#[derive(Clone, Default)]
pub struct Gate(Arc<(Mutex<bool>, Condvar)>);

impl Gate {
    pub fn new() -> Gate {
        Gate::default()
    }

    pub fn open(&self) {
        *self.0.0.lock().unwrap() = true;
        self.0.1.notify_all();
    }

    #[track_caller]
    pub fn pass(&self) {
        let shut = self.0.0.lock().unwrap();
        let (_open, timeout) = self.0.1.wait_timeout_while(shut, LIMIT / 2, |open| !*open).unwrap();
        assert!(!timeout.timed_out(), "nobody opened the gate");
    }
}

/// A folder for one test.
pub struct Temporary(tempfile::TempDir);

impl Temporary {
    pub fn new() -> Temporary {
        Temporary(tempfile::tempdir().unwrap())
    }

    pub fn file(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub fn store(&self) -> Store {
        Store::open(self.file("results.redb")).unwrap()
    }
}
