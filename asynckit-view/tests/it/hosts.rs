//! Every kind of pool can be recorded.

use asynckit::Pool;

use crate::{data, html, runs, states};

const SMALL: [&str; 3] = ["add: 1 done", "count: 2 done", "read: 2 done"];

#[test]
fn threads() {
    let data = data(&html(&runs::small(&Pool::new(2))));
    assert_eq!(states(&data), SMALL);
    let workers = data["workers"].as_array().unwrap();
    assert!(workers.iter().all(|row| row["name"].as_str().unwrap().starts_with("asynckit-")));
    assert_eq!(workers.len() as u64 + data["unneeded"].as_u64().unwrap(), 2);
}

#[test]
fn no_workers() {
    let data = data(&html(&runs::small(&Pool::builder().workers(0).build().unwrap())));
    assert_eq!(states(&data), SMALL);
    assert_eq!(data["workers"][0]["name"], std::thread::current().name().unwrap());
}

#[test]
fn deterministic() {
    let data = data(&html(&runs::small(&Pool::deterministic(9))));
    assert_eq!(states(&data), SMALL);
    assert_eq!(data["recorded"], "virtual time");
    assert_eq!(data["end"], 0);
}

#[test]
fn on_rayon() {
    let rayon =
        std::sync::Arc::new(rayon::ThreadPoolBuilder::new().num_threads(2).build().unwrap());
    let data = data(&html(&runs::small(&Pool::on_rayon(rayon))));
    assert_eq!(states(&data), SMALL);
}

#[test]
fn on_tokio() {
    let tokio = tokio::runtime::Builder::new_multi_thread().worker_threads(2).build().unwrap();
    let data = data(&html(&runs::small(&Pool::on_tokio(tokio.handle().clone()))));
    assert_eq!(states(&data), SMALL);
}
