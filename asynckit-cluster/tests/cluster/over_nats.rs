//! Clusters over a NATS server of their own, with workers that are started again when they end, as by systemd.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use asynckit_cluster::ClusterBuilder;

use crate::site::{Place, Workers};
use crate::support::NatsServer;

pub fn make(builder: ClusterBuilder, workers: usize) -> Place {
    let server = Arc::new(NatsServer::start().unwrap());
    let cluster = builder.connect(server.url(), "test").unwrap();
    Place::new(cluster, with(server, workers))
}

/// A server and its workers, for a driver that is another process.
pub fn workers(workers: usize) -> Workers {
    let server = Arc::new(NatsServer::start().unwrap());
    Workers::at(server.url(), with(server, workers))
}

fn with(server: Arc<NatsServer>, workers: usize) -> Vec<Box<dyn Send>> {
    let start = |n| Box::new(Kept::start(server.clone(), format!("w{n}"))) as Box<dyn Send>;
    let mut with: Vec<_> = (0..workers).map(start).collect();
    with.push(Box::new(server));
    with
}

/// A worker that is started again when it ends.
struct Kept {
    is_over: Arc<AtomicBool>,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl Kept {
    fn start(server: Arc<NatsServer>, name: String) -> Kept {
        let is_over = Arc::new(AtomicBool::new(false));
        let its = is_over.clone();
        let thread = std::thread::spawn(move || {
            let mut worker = server.worker(&name, 1);
            while !its.load(Ordering::SeqCst) {
                if !worker.is_alive() {
                    worker = server.worker(&name, 1);
                }
                std::thread::sleep(Duration::from_millis(20));
            }
        });
        Kept { is_over, thread: Some(thread) }
    }
}

impl Drop for Kept {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::SeqCst);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
