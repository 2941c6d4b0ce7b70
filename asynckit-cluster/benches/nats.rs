//! What it costs to send calls over NATS on loopback, by default and with `sync_interval: always`:
//! `cargo bench -p asynckit-cluster --features nats --bench nats`. It needs `nats-server` on the path.

mod measure;

use std::collections::VecDeque;
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use asynckit::{AsyncResult, async_work};
use asynckit_cluster::{Cluster, serve_if_asked};
use measure::{WINDOW, empty, most_memory, quantiles, run};

#[async_work(remote)]
fn length(bytes: Vec<u8>) -> usize {
    bytes.len()
}

/// Takes long the first time.
#[async_work(remote)]
fn sleeps_once(file: PathBuf) -> u32 {
    // A worker has its calls run by processes of its own.
    let worker = std::os::unix::process::parent_id();
    if !file.exists() {
        std::fs::write(file, worker.to_string()).unwrap();
        std::thread::sleep(Duration::from_secs(60));
    }
    worker
}

fn main() {
    serve_if_asked();
    println!("{} processors", std::thread::available_parallelism().map_or(0, usize::from));
    for sync in ["", "sync_interval: always"] {
        println!("-- {}", if sync.is_empty() { "the server's default" } else { sync });
        let mut server = Server::start(sync);
        one_at_a_time(&server);
        many_at_a_time(&server);
        large(&server);
        memory(&server);
        restart(&mut server);
        death(&server);
    }
}

fn one_at_a_time(server: &Server) {
    let (cluster, _workers) = server.cluster(1);
    let times = (0..3_000).map(|n| {
        let begin = Instant::now();
        assert_eq!(empty(n).spawn_on(&cluster).get().unwrap(), n);
        begin.elapsed()
    });
    println!("submit -> result, one at a time: {}", quantiles(times.collect()));
}

fn many_at_a_time(server: &Server) {
    for workers in [1, 2, 4] {
        let (cluster, _workers) = server.cluster(workers);
        let mut best = f64::MAX;
        for _ in 0..3 {
            let begin = Instant::now();
            run(&cluster, 30_000);
            best = best.min(begin.elapsed().as_secs_f64());
        }
        let rate = 30_000.0 / best;
        println!("empty calls, {WINDOW} out at once, {workers} workers: {rate:.0} a second");
    }
}

fn large(server: &Server) {
    let (cluster, _workers) = server.cluster(1);
    for megabytes in [1, 50] {
        let once = |seed: u8| {
            let bytes = vec![seed; megabytes << 20];
            let begin = Instant::now();
            assert_eq!(length(bytes).spawn_on(&cluster).get().unwrap(), megabytes << 20);
            begin.elapsed()
        };
        let times: Vec<_> = (0..7).map(once).collect();
        println!("an argument of {megabytes} MB: {}", quantiles(times));
    }
}

fn memory(server: &Server) {
    let (cluster, _workers) = server.cluster(2);
    let before = most_memory();
    run(&cluster, 100_000);
    println!("100,000 calls: the driver's memory {before} kB before, {} kB after", most_memory());
}

/// The server is killed under load and started again at once: how long no call comes out.
fn restart(server: &mut Server) {
    let (cluster, _workers) = server.cluster(2);
    let mut longest = Duration::ZERO;
    let mut last = Instant::now();
    let mut out = VecDeque::new();
    for n in 0..30_000 {
        if out.len() == WINDOW {
            let result: AsyncResult<u64> = out.pop_front().unwrap();
            result.get().unwrap();
            longest = longest.max(last.elapsed());
            last = Instant::now();
        }
        out.push_back(empty(n).spawn_on(&cluster));
        if n == 15_000 {
            server.kill();
            server.run();
        }
    }
    out.into_iter().for_each(|result| assert!(result.get().is_ok()));
    println!(
        "the server killed and started again, 30,000 calls: the longest silence {longest:.2?}"
    );
}

/// A worker is killed while it runs a call: how long until another one has done it.
fn death(server: &Server) {
    let (cluster, mut workers) = server.cluster(2);
    let times = (0..4).map(|n| {
        let file = std::env::temp_dir().join(format!("asynckit-bench-{}-{n}", std::process::id()));
        let result = sleeps_once(file.clone()).spawn_on(&cluster);
        let id = loop {
            match std::fs::read_to_string(&file).ok().and_then(|id| id.parse::<u32>().ok()) {
                Some(id) => break id,
                None => std::thread::sleep(Duration::from_millis(1)),
            }
        };
        let begin = Instant::now();
        let its = workers.iter_mut().find(|worker| worker.0.id() == id).unwrap();
        *its = server.worker();
        assert_ne!(result.get().unwrap(), id);
        let _ = std::fs::remove_file(&file);
        begin.elapsed()
    });
    println!(
        "a worker's death, until another one has done its call: {}",
        quantiles(times.collect())
    );
}

struct Server {
    dir: PathBuf,
    port: u16,
    process: Option<Child>,
}

struct Worker(Child);

impl Server {
    fn start(sync: &str) -> Server {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let dir = std::env::temp_dir().join(format!("asynckit-bench-nats-{port}"));
        std::fs::create_dir_all(&dir).unwrap();
        let store = dir.join("store");
        let text = format!(
            "listen: \"127.0.0.1:{port}\"\njetstream {{ store_dir: {store:?}\n{sync}\n}}\n"
        );
        std::fs::write(dir.join("server.conf"), text).unwrap();
        let mut server = Server { dir, port, process: None };
        server.run();
        server
    }

    fn run(&mut self) {
        let program = std::env::var_os("ASYNCKIT_NATS_SERVER").unwrap_or("nats-server".into());
        let mut command = Command::new(Path::new(&program));
        command.arg("-c").arg(self.dir.join("server.conf")).stderr(Stdio::null());
        self.process = Some(command.spawn().expect("`nats-server` is on the path"));
        while TcpStream::connect(("127.0.0.1", self.port)).is_err() {
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    fn kill(&mut self) {
        if let Some(mut process) = self.process.take() {
            process.kill().unwrap();
            process.wait().unwrap();
        }
    }

    fn url(&self) -> String {
        format!("nats://127.0.0.1:{}", self.port)
    }

    fn worker(&self) -> Worker {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.env("ASYNCKIT_WORKER", format!("{}/bench", self.url()));
        Worker(command.env("ASYNCKIT_WORKER_THREADS", "2").spawn().unwrap())
    }

    /// A cluster of so many workers, which have done something already.
    fn cluster(&self, workers: usize) -> (Cluster, Vec<Worker>) {
        let cluster = Cluster::connect(self.url(), "bench").unwrap();
        let workers = (0..workers).map(|_| self.worker()).collect();
        run(&cluster, 5_000);
        (cluster, workers)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
        let _ = std::fs::remove_dir_all(&self.dir);
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}
