//! A cluster in an ordinary test: the copies are told which test to run, and get to its first line.

use asynckit::{Results, async_work};
use asynckit_cluster::{Cluster, serve_if_asked};

#[async_work(remote)]
fn square(n: u64) -> u64 {
    n * n
}

#[test]
fn a_test_has_a_cluster() {
    serve_if_asked();
    let builder = Cluster::builder().args(["--exact", "a_test_has_a_cluster", "--nocapture"]);
    let cluster = builder.processes(2).unwrap();
    let squares = (0..100).map(|n| square(n).spawn_on(&cluster)).try_join_all();
    assert_eq!(squares.get().unwrap(), (0..100).map(|n| n * n).collect::<Vec<u64>>());
}
