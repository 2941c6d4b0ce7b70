//! Servers, workers and directories, all of which end with the test.

use std::io::Write;
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Once};
use std::time::{Duration, Instant};

use async_nats::jetstream::stream::Config;
use asynckit_cluster::Cluster;
use futures_util::StreamExt;

/// How long anything may take, on a machine that does much else.
pub const LONG: Duration = Duration::from_secs(90);

/// Waits until this is so.
#[track_caller]
pub fn soon(what: &str, mut is_so: impl FnMut() -> bool) {
    let begin = Instant::now();
    while !is_so() {
        assert!(begin.elapsed() < LONG, "waited in vain: {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
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

/// A server with a store of its own.
pub struct NatsServer {
    dir: Dir,
    port: u16,
    more: String,
    process: Option<Child>,
}

impl NatsServer {
    /// `None` where there is no such program on this machine.
    pub fn start() -> Option<NatsServer> {
        NatsServer::with("", "")
    }

    /// With this in its configuration, and this in its part `jetstream`.
    pub fn with(more: &str, jetstream: &str) -> Option<NatsServer> {
        if !is_there() {
            return None;
        }
        let dir = Dir::new();
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let store = dir.join("store");
        let more = format!(
            "listen: \"127.0.0.1:{port}\"\njetstream {{ store_dir: {store:?}\n{jetstream}\n}}\n{more}\n"
        );
        let mut server = NatsServer { dir, port, more, process: None };
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
        std::fs::write(&config, &self.more).unwrap();
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

    /// Takes away all that it has stored.
    pub fn forget(&mut self) {
        assert!(self.process.is_none());
        std::fs::remove_dir_all(self.dir.join("store")).unwrap();
    }

    pub fn cluster(&self) -> Cluster {
        Cluster::connect(self.url(), "test").unwrap()
    }

    pub fn worker(&self, name: &str, threads: u32) -> WorkerProcess {
        WorkerProcess::start(&format!("{}/test", self.url()), name, threads)
    }
}

impl Drop for NatsServer {
    fn drop(&mut self) {
        self.kill();
    }
}

/// A worker; it ends with the test.
pub struct WorkerProcess {
    process: Child,
}

impl WorkerProcess {
    pub fn start(url: &str, name: &str, threads: u32) -> WorkerProcess {
        WorkerProcess::of(&std::env::current_exe().unwrap(), url, name, threads)
    }

    /// With something more in its environment.
    pub fn with(
        url: &str,
        name: &str,
        threads: u32,
        more: impl FnOnce(&mut Command),
    ) -> WorkerProcess {
        let program = std::env::current_exe().unwrap();
        let mut command = WorkerProcess::command(&program, url, name, threads);
        more(&mut command);
        WorkerProcess { process: command.spawn().unwrap() }
    }

    /// One of another program.
    pub fn of(program: &Path, url: &str, name: &str, threads: u32) -> WorkerProcess {
        let mut command = WorkerProcess::command(program, url, name, threads);
        WorkerProcess { process: command.spawn().unwrap() }
    }

    fn command(program: &Path, url: &str, name: &str, threads: u32) -> Command {
        let mut command = Command::new(program);
        command.args(["--exact", "this_is_a_worker", "--nocapture"]);
        command.env("ASYNCKIT_WORKER", url).env("ASYNCKIT_WORKER_NAME", name);
        command.env("ASYNCKIT_WORKER_THREADS", threads.to_string());
        command.stdout(Stdio::null());
        command
    }

    pub fn id(&self) -> u32 {
        self.process.id()
    }

    pub fn signal(&self, name: &str) {
        let id = self.process.id().to_string();
        let sent = Command::new("kill").args([&format!("-{name}"), &id]).status().unwrap();
        assert!(sent.success());
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

impl WorkerProcess {
    pub fn is_alive(&mut self) -> bool {
        self.process.try_wait().unwrap().is_none()
    }
}

/// What somebody else may do on the server, by its client.
impl NatsServer {
    fn by_client<T>(&self, act: impl AsyncFnOnce(async_nats::Client) -> T) -> T {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let client = async_nats::connect(self.url()).await.unwrap();
            let done = act(client.clone()).await;
            client.flush().await.unwrap();
            done
        })
    }

    /// How many messages are in a stream of the app `test`.
    pub fn messages(&self, stream: &str) -> u64 {
        let name = format!("ASYNCKIT_test_{stream}");
        self.by_client(async move |client| {
            let stream = async_nats::jetstream::new(client).get_stream(name).await.unwrap();
            stream.cached_info().state.messages
        })
    }

    /// Takes all large bodies of the app `test` away.
    pub fn forget_objects(&self) {
        self.by_client(async move |client| {
            let js = async_nats::jetstream::new(client);
            js.get_stream("OBJ_ASYNCKIT_test").await.unwrap().purge().await.unwrap();
        });
    }

    pub fn change(&self, stream: &str, how: impl FnOnce(&mut Config)) {
        let name = format!("ASYNCKIT_test_{stream}");
        self.by_client(async move |client| {
            let js = async_nats::jetstream::new(client);
            let mut config = js.get_stream(name).await.unwrap().cached_info().config.clone();
            how(&mut config);
            js.update_stream(config).await.unwrap();
        });
    }

    pub fn make(&self, config: Config) {
        self.by_client(async move |client| {
            async_nats::jetstream::new(client).create_stream(config).await.unwrap();
        });
    }

    pub fn publish(&self, subject: &str, payload: &[u8]) {
        let (subject, payload) = (subject.to_owned(), payload.to_vec());
        self.by_client(async move |client| {
            client.publish(subject, payload.into()).await.unwrap();
        });
    }

    /// A subject by which calls come to workers of this build.
    pub fn a_subject_of_calls(&self) -> String {
        let build = self.part_of_a_beat(3);
        format!("asynckit.test.work.{build}.any.{}", "0".repeat(32))
    }

    pub fn subject_of_outcomes(&self) -> String {
        format!("asynckit.test.done.{}", self.part_of_a_beat(4))
    }

    /// A part of the subject of what a driver says each second.
    fn part_of_a_beat(&self, at: usize) -> String {
        self.by_client(async move |client| {
            let mut beats = client.subscribe("asynckit.test.driver.>").await.unwrap();
            let beat = beats.next().await.unwrap();
            beat.subject.split('.').nth(at).unwrap().to_owned()
        })
    }

    /// What workers of any build say each second.
    pub fn watch_beats(&self) -> Beats {
        let count = Arc::new(AtomicU32::new(0));
        let (its, url) = (count.clone(), self.url());
        std::thread::spawn(move || {
            let runtime =
                tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let client = async_nats::connect(url).await.unwrap();
                let mut beats = client.subscribe("asynckit.test.beat.>").await.unwrap();
                while Arc::strong_count(&its) > 1 && beats.next().await.is_some() {
                    its.fetch_add(1, Ordering::SeqCst);
                }
            });
        });
        Beats(count)
    }
}

/// How often workers have said that they live.
pub struct Beats(Arc<AtomicU32>);

impl Beats {
    pub fn has_come(&mut self) -> bool {
        self.0.load(Ordering::SeqCst) > 0
    }

    pub fn wait_for(&mut self, more: u32) {
        let goal = self.0.load(Ordering::SeqCst) + more;
        soon("workers say that they live", || self.0.load(Ordering::SeqCst) >= goal);
    }
}
