//! Servers, workers and directories, all of which end with the test.

use std::collections::BTreeMap;
use std::io::Write;
use std::net::{TcpListener, TcpStream};
use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, Once};
use std::time::{Duration, Instant};

use asynckit::Spawner;
use asynckit::carry::{AsyncSpawner, Handle, Spawn};
use asynckit_cluster::{Cluster, Server};

use crate::signals::{self, Signal};

/// How long anything may take, on a machine that does much else.
pub const LONG: Duration = Duration::from_secs(90);

/// What each test, by the name of its thread, has waited for last.
static WAITS: Mutex<BTreeMap<String, String>> = Mutex::new(BTreeMap::new());

fn waits_for(what: &str) {
    let test = std::thread::current().name().unwrap_or_default().to_owned();
    WAITS.lock().unwrap().insert(test, what.to_owned());
}

/// Waits until this is so.
#[track_caller]
pub fn soon(what: &str, mut is_so: impl FnMut() -> bool) {
    waits_for(what);
    let begin = Instant::now();
    while !is_so() {
        assert!(begin.elapsed() < LONG, "waited in vain: {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// This is so within so long. A machine that does much else at the time holds it up now and then, and so it is tried some
/// times: what takes longer by itself does so each time.
#[track_caller]
pub fn within_once(limit: Duration, mut takes: impl FnMut() -> Duration) {
    let all: Vec<_> = (0..5).map(|_| takes()).take_while(|took| *took >= limit).collect();
    assert!(all.len() < 5, "never within {limit:?}: {all:?}");
}

/// A directory that goes with the test.
pub struct Dir(PathBuf);

impl Dir {
    pub fn new() -> Dir {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir();
        let path = path.join(format!("asynckit-nats-{}-{number}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Dir(path)
    }

    pub fn path(&self) -> &Path {
        &self.0
    }

    pub fn join(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    /// What calls that wait for this may go on by.
    pub fn allow(&self, name: &str) {
        std::fs::write(self.0.join(name), "").unwrap();
    }
}

impl Drop for Dir {
    fn drop(&mut self) {
        std::fs::remove_dir_all(&self.0).ok();
    }
}

/// The program of the server, where there is one.
fn program() -> Option<PathBuf> {
    if let Some(path) = std::env::var_os("ASYNCKIT_NATS_SERVER") {
        return Some(path.into());
    }
    let path = std::env::var_os("PATH")?;
    let found = std::env::split_paths(&path).map(|dir| dir.join("nats-server"));
    found.into_iter().find(|path| path.is_file())
}

/// Whether there is one. Where there is none, and need not be, it says so.
pub fn is_there() -> bool {
    if program().is_some() {
        return true;
    }
    let needs = std::env::var("ASYNCKIT_NEEDS_NATS").is_ok_and(|value| value == "1");
    assert!(!needs, "there is no `nats-server` on the path");
    static SAID: Once = Once::new();
    SAID.call_once(|| {
        // Past what the test harness keeps to itself.
        let words = b"Left out: the tests over NATS, as there is no `nats-server` on the path.\n";
        std::io::stderr().write_all(words).unwrap();
    });
    false
}

/// No test takes longer than so many times `LONG`, nor its server: one that hangs says so, and ends all of them.
const LIMIT: u32 = 4;

fn watch(server: &Arc<()>) {
    let (server, test) = (Arc::downgrade(server), std::thread::current());
    let soak = std::env::var("ASYNCKIT_SOAK").ok().and_then(|text| text.parse().ok());
    let until = Instant::now() + LIMIT * LONG + 3 * Duration::from_secs(soak.unwrap_or(0));
    std::thread::spawn(move || {
        while server.strong_count() > 0 {
            if Instant::now() > until {
                let test = test.name().unwrap_or_default();
                let last = WAITS.lock().unwrap().get(test).cloned().unwrap_or_default();
                eprintln!("{test} hangs, after or in its wait for this: {last}");
                std::process::abort();
            }
            std::thread::sleep(Duration::from_secs(1));
        }
    });
}

/// A port that nobody has.
pub fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// A server with a store of its own.
pub struct NatsServer {
    _watched: Arc<()>,
    dir: Dir,
    port: u16,
    config: String,
    process: Option<Child>,
}

impl NatsServer {
    /// `None` where there is no such program on this machine.
    pub fn start() -> Option<NatsServer> {
        NatsServer::with("", "")
    }

    /// With this in its configuration, and this in its part `jetstream`.
    pub fn with(more: &str, jetstream: &str) -> Option<NatsServer> {
        NatsServer::by(|port, store| {
            let listen = format!("listen: \"127.0.0.1:{port}\"");
            format!("{listen}\njetstream {{ store_dir: {store:?}\n{jetstream}\n}}\n{more}\n")
        })
    }

    /// By this configuration, of a port and a directory for its store.
    pub fn by(config: impl FnOnce(u16, &Path) -> String) -> Option<NatsServer> {
        if !is_there() {
            return None;
        }
        let (dir, port) = (Dir::new(), free_port());
        let config = config(port, &dir.join("store"));
        let watched = Arc::new(());
        watch(&watched);
        let mut server = NatsServer { _watched: watched, dir, port, config, process: None };
        server.run();
        Some(server)
    }

    pub fn url(&self) -> String {
        format!("nats://127.0.0.1:{}", self.port)
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    /// Starts it, with what it has stored.
    pub fn run(&mut self) {
        let config = self.dir.join("server.conf");
        std::fs::write(&config, &self.config).unwrap();
        let log = std::fs::File::create(self.dir.join("server.log")).unwrap();
        let mut command = Command::new(program().unwrap());
        command.arg("-c").arg(&config).stdout(Stdio::null()).stderr(log);
        self.process = Some(command.spawn().unwrap());
        soon("the server is there", || {
            let ended = self.process.as_mut().unwrap().try_wait().unwrap();
            let log = || std::fs::read_to_string(self.dir.join("server.log")).unwrap();
            assert!(ended.is_none(), "the server has ended: {}", log());
            TcpStream::connect(("127.0.0.1", self.port)).is_ok()
        });
    }

    /// Ends it at once, whatever it was at.
    pub fn kill(&mut self) {
        if let Some(mut process) = self.process.take() {
            process.kill().unwrap();
            process.wait().unwrap();
        }
    }

    /// It does nothing any more, and whoever is connected to it is not told so.
    pub fn stop(&self) {
        signals::stop(self.process.as_ref().unwrap().id());
    }

    /// Takes away all that it has stored.
    pub fn forget(&mut self) {
        assert!(self.process.is_none());
        std::fs::remove_dir_all(self.dir.join("store")).unwrap();
    }

    pub fn cluster(&self) -> Driven {
        Driven::at(self.url())
    }

    pub fn worker(&self, name: &str, threads: u32) -> WorkerProcess {
        WorkerProcess::start(&format!("{}/test", self.url()), name, threads)
    }

    /// A worker of this build whose file is gone by the time when it serves.
    pub fn replaced_worker(&self, dir: &Dir, name: &str) -> WorkerProcess {
        let url = format!("{}/test", self.url());
        WorkerProcess::of(&replaced(dir, name), &url, name, 1, |command| {
            command.env(REPLACED, "1");
        })
    }

    /// A worker of another build: the same program with one more byte at its end is another program, that does the same.
    pub fn older_worker(&self, dir: &Dir, name: &str) -> WorkerProcess {
        let other = dir.join(name);
        std::fs::copy(std::env::current_exe().unwrap(), &other).unwrap();
        let mut bytes = std::fs::OpenOptions::new().append(true).open(&other).unwrap();
        bytes.write_all(b"\0").unwrap();
        drop(bytes);
        WorkerProcess::of(&other, &format!("{}/test", self.url()), name, 1, |_| ())
    }
}

impl Drop for NatsServer {
    fn drop(&mut self) {
        self.kill();
    }
}

/// A cluster whose calls nobody waits for when the test fails: they would need what is gone by then.
pub struct Driven(Cluster);

impl Driven {
    /// One of the app `test`.
    pub fn at(server: impl Into<Server>) -> Driven {
        Driven(Cluster::connect(server, "test").unwrap())
    }
}

impl Drop for Driven {
    fn drop(&mut self) {
        if std::thread::panicking() {
            // What it says is held back until the test has ended, which it may not do.
            waits_for("its failure, and the end of a driver");
            self.0.stop_timeout(Duration::ZERO);
            return;
        }
        waits_for("the end of a driver");
        let begin = Instant::now();
        self.0.stop_timeout(LONG);
        assert!(begin.elapsed() < LONG, "a driver has not ended, or late: {:?}", begin.elapsed());
    }
}

impl Deref for Driven {
    type Target = Cluster;

    fn deref(&self) -> &Cluster {
        &self.0
    }
}

impl Spawn for Driven {
    fn place(&self) -> Handle {
        self.0.place()
    }
}
impl Spawner<'static> for Driven {}
impl AsyncSpawner for Driven {}

/// The variable of a program that is to lose its file.
pub const REPLACED: &str = "ASYNCKIT_TEST_REPLACED";

/// Takes the file of this program away, where it is to lose it: it is a copy.
pub fn lose_the_file_if_asked() {
    if std::env::var_os(REPLACED).is_some() {
        // (A process that this one starts finds none.)
        std::fs::remove_file(std::env::current_exe().unwrap()).ok();
    }
}

/// A copy of this program that may lose its file.
pub fn replaced(dir: &Dir, name: &str) -> PathBuf {
    let copy = dir.join(name);
    std::fs::copy(std::env::current_exe().unwrap(), &copy).unwrap();
    copy
}

/// A worker; it ends with the test.
pub struct WorkerProcess {
    process: Child,
}

impl WorkerProcess {
    pub fn start(url: &str, name: &str, threads: u32) -> WorkerProcess {
        WorkerProcess::with(url, name, threads, |_| ())
    }

    /// With something more in its environment.
    pub fn with(
        url: &str,
        name: &str,
        threads: u32,
        more: impl FnOnce(&mut Command),
    ) -> WorkerProcess {
        WorkerProcess::of(&std::env::current_exe().unwrap(), url, name, threads, more)
    }

    /// One that is told all by its arguments.
    pub fn by_arguments(arguments: &[&str]) -> WorkerProcess {
        let mut command = Command::new(std::env::current_exe().unwrap());
        // (To the harness of tests what comes behind `--` are names of tests that are not there.)
        command.args(["--exact", "this_is_a_worker", "--nocapture", "--"]).args(arguments);
        command.stdout(Stdio::null());
        WorkerProcess { process: command.spawn().unwrap() }
    }

    /// One of this program.
    fn of(
        program: &Path,
        url: &str,
        name: &str,
        threads: u32,
        more: impl FnOnce(&mut Command),
    ) -> WorkerProcess {
        let mut command = Command::new(program);
        command.args(["--exact", "this_is_a_worker", "--nocapture"]);
        command.env("ASYNCKIT_WORKER", url).env("ASYNCKIT_WORKER_NAME", name);
        command.env("ASYNCKIT_WORKER_THREADS", threads.to_string());
        command.stdout(Stdio::null());
        more(&mut command);
        WorkerProcess { process: command.spawn().unwrap() }
    }

    pub fn id(&self) -> u32 {
        self.process.id()
    }

    pub fn signal(&self, signal: Signal) {
        signals::signal(self.process.id(), signal);
    }

    pub fn stop(&self) {
        signals::stop(self.process.id());
    }

    pub fn is_alive(&mut self) -> bool {
        self.process.try_wait().unwrap().is_none()
    }

    pub fn kill(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }

    /// Waits until it has ended by itself; whether it did so in order.
    pub fn ended(&mut self) -> bool {
        let mut status = None;
        soon("the worker ends", || {
            status = self.process.try_wait().unwrap();
            status.is_some()
        });
        status.unwrap().success()
    }
}

impl Drop for WorkerProcess {
    fn drop(&mut self) {
        self.process.kill().ok();
        self.process.wait().ok();
    }
}
