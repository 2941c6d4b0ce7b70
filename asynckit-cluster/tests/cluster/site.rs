//! Where the tests run: the backends.

use std::ops::Deref;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc::channel;
use std::time::{Duration, Instant};
use std::{env, fs, process, thread};

use asynckit::Work;
use asynckit_cluster::{Cluster, ClusterBuilder};

/// No test takes longer than that.
pub const LIMIT: Duration = Duration::from_secs(60);

/// For how many seconds workers are killed, where somebody wants to see more of that than is usual (`scripts/soak`).
pub fn soak() -> Option<u64> {
    env::var("ASYNCKIT_SOAK").ok()?.parse().ok()
}

/// A test and its name.
pub type Test = (&'static str, fn(&Site));

/// A backend.
#[derive(Clone, Copy)]
pub struct Site {
    pub name: &'static str,
    /// Makes a cluster with so many workers, each of one thread.
    make: fn(ClusterBuilder, usize) -> Place,
    workers: fn(usize) -> Workers,
}

/// What is there before a driver is: workers, and a server, where these are not the driver's own.
#[derive(Default)]
pub struct Workers {
    url: Option<String>,
    _with: Vec<Box<dyn Send>>,
}

impl Workers {
    #[cfg(feature = "nats")]
    pub fn at(url: String, with: Vec<Box<dyn Send>>) -> Workers {
        Workers { url: Some(url), _with: with }
    }

    /// Where a driver finds them.
    pub fn url(&self) -> Option<&str> {
        self.url.as_deref()
    }
}

/// A cluster, and what has to be there as long as it.
pub struct Place {
    cluster: Cluster,
    _with: Vec<Box<dyn Send>>,
}

impl Place {
    #[cfg(feature = "nats")]
    pub fn new(cluster: Cluster, with: Vec<Box<dyn Send>>) -> Place {
        Place { cluster, _with: with }
    }
}

/// Nobody waits for the calls of a test that fails.
impl Drop for Place {
    fn drop(&mut self) {
        if thread::panicking() {
            self.cluster.stop_timeout(Duration::ZERO);
        }
    }
}

impl Deref for Place {
    type Target = Cluster;

    fn deref(&self) -> &Cluster {
        &self.cluster
    }
}

impl Site {
    pub fn all() -> Vec<Site> {
        let make = |builder: ClusterBuilder, workers| Place {
            cluster: builder.processes(workers).unwrap(),
            _with: Vec::new(),
        };
        let mut all = vec![Site { name: "processes", make, workers: |_| Workers::default() }];
        #[cfg(feature = "nats")]
        if crate::support::is_there() {
            use crate::over_nats::{make, workers};
            all.push(Site { name: "nats", make, workers });
        }
        #[cfg(not(feature = "nats"))]
        let _ = &mut all;
        all
    }

    pub fn with(&self, builder: ClusterBuilder, workers: usize) -> Place {
        (self.make)(builder, workers)
    }

    /// Workers for a driver that is another process.
    pub fn workers(&self, workers: usize) -> Workers {
        (self.workers)(workers)
    }

    pub fn cluster(&self, workers: usize) -> Place {
        self.with(Cluster::builder(), workers)
    }
}

/// Runs a test; fails where it takes too long.
pub fn soon(name: &str, test: impl FnOnce() + Send + 'static) {
    // Twice the time of a soak to see to what is left of it.
    within(LIMIT + 3 * Duration::from_secs(soak().unwrap_or(0)), name, test);
}

/// The same, where it takes so long.
pub fn within(limit: Duration, name: &str, test: impl FnOnce() + Send + 'static) {
    let (done, end) = channel();
    let test = thread::spawn(move || {
        test();
        let _ = done.send(());
    });
    if let Err(std::sync::mpsc::RecvTimeoutError::Timeout) = end.recv_timeout(limit) {
        eprintln!("{name} hangs");
        process::abort();
    }
    if let Err(panic) = test.join() {
        std::panic::resume_unwind(panic);
    }
}

/// Waits until that is so.
#[track_caller]
pub fn eventually(what: &str, mut is_so: impl FnMut() -> bool) {
    let begin = Instant::now();
    while !is_so() {
        assert!(begin.elapsed() < LIMIT / 2, "not so: {what}");
        thread::sleep(Duration::from_millis(1));
    }
}

/// This is so within so long. A machine that does much else at the time holds it up now and then, and so it is tried some
/// times: what takes longer by itself does so each time.
#[track_caller]
pub fn within_once(limit: Duration, mut takes: impl FnMut() -> Duration) {
    let (begin, mut all) = (Instant::now(), Vec::new());
    while all.len() < 20 && begin.elapsed() < LIMIT / 3 {
        let took = takes();
        if took < limit {
            return;
        }
        all.push(took);
    }
    panic!("never within {limit:?}: {all:?}");
}

/// A folder that goes with the test.
pub struct Folder(PathBuf);

impl Folder {
    pub fn new() -> Folder {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let path = env::temp_dir().join(format!("asynckit-cluster-{}-{number}", process::id()));
        fs::create_dir_all(&path).unwrap();
        Folder(path)
    }

    pub fn file(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    /// How often something was noted in a file.
    pub fn count(&self, name: &str) -> u64 {
        self.lines(name).len() as u64
    }

    /// What was noted in a file, one after the other.
    pub fn lines(&self, name: &str) -> Vec<String> {
        let text = fs::read_to_string(self.file(name)).unwrap_or_default();
        text.lines().map(str::to_owned).collect()
    }

    /// The processes that have noted that they run something.
    pub fn processes(&self, name: &str) -> Vec<u32> {
        self.lines(name).iter().map(|line| line.parse().unwrap()).collect()
    }

    pub fn make(&self, name: &str) {
        fs::write(self.file(name), "").unwrap();
    }

    /// The process that has noted itself in a file, as soon as it has.
    pub fn process(&self, name: &str) -> u32 {
        eventually("a process has noted itself", || self.file(name).exists());
        fs::read_to_string(self.file(name)).unwrap().parse().unwrap()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Work that borrows, on a scope of the cluster's pool.
pub trait Here<T> {
    fn spawn_here(self, cluster: &Cluster) -> T;
    fn fail_here(self, cluster: &Cluster) -> asynckit::Error;
}

impl<'w, T: Send + std::fmt::Debug + 'w> Here<T> for Work<'w, T> {
    fn spawn_here(self, cluster: &Cluster) -> T {
        cluster.pool().scope(|s| self.spawn_on(&cluster.on(s)).get()).unwrap()
    }

    fn fail_here(self, cluster: &Cluster) -> asynckit::Error {
        cluster.pool().scope(|s| self.spawn_on(&cluster.on(s)).get()).unwrap_err()
    }
}
