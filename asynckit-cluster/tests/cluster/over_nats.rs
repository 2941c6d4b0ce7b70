//! Clusters over a NATS server of their own, with workers that are started again when they end, as by systemd.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use asynckit_cluster::ClusterBuilder;

use crate::site::Place;
use crate::support::NatsServer;

pub fn make(builder: ClusterBuilder, workers: usize) -> Place {
    let server = Arc::new(NatsServer::start().unwrap());
    let cluster = builder.connect(server.url(), "test").unwrap();
    let mut with: Vec<Box<dyn Send>> = Vec::new();
    for n in 0..workers {
        with.push(Box::new(Kept::start(server.clone(), format!("w{n}"))));
    }
    with.push(Box::new(server));
    Place::new(cluster, with)
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
