//! A NATS server of a bench, and workers of it.

use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use asynckit_cluster::Cluster;

pub struct Server {
    dir: PathBuf,
    port: u16,
    process: Option<Child>,
}

pub struct Worker(pub Child);

impl Server {
    pub fn start(sync: &str) -> Server {
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

    pub fn run(&mut self) {
        let program = std::env::var_os("ASYNCKIT_NATS_SERVER").unwrap_or("nats-server".into());
        let mut command = Command::new(Path::new(&program));
        command.arg("-c").arg(self.dir.join("server.conf")).stderr(Stdio::null());
        self.process = Some(command.spawn().expect("`nats-server` is on the path"));
        while TcpStream::connect(("127.0.0.1", self.port)).is_err() {
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    pub fn kill(&mut self) {
        if let Some(mut process) = self.process.take() {
            process.kill().unwrap();
            process.wait().unwrap();
        }
    }

    /// A driver's cluster.
    pub fn connect(&self) -> Cluster {
        Cluster::connect(self.url(), "bench").unwrap()
    }

    fn url(&self) -> String {
        format!("nats://127.0.0.1:{}", self.port)
    }

    pub fn worker(&self) -> Worker {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.env("ASYNCKIT_WORKER", format!("{}/bench", self.url()));
        Worker(command.env("ASYNCKIT_WORKER_THREADS", "2").spawn().unwrap())
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
