//! Calls over NATS JetStream, with real servers and real workers, each a process, on loopback.
//!
//! They need `nats-server` on the path, or where `ASYNCKIT_NATS_SERVER` says; without it they are left out, unless
//! `ASYNCKIT_NEEDS_NATS=1` makes that an error.
//!
//! A worker is this same program, with the one test `this_is_a_worker`; a driver that is to be killed is
//! `this_is_a_driver`.
#![cfg(all(unix, feature = "nats"))]
#![forbid(unsafe_code)]

mod calls;
mod client;
#[path = "../signals/mod.rs"]
mod signals;
mod support;

mod asked;
mod blame;
mod certificates;
mod chaos;
mod connections;
mod credentials;
mod doubts;
mod drivers;
mod ends;
mod forged;
mod large;
mod promises;
mod quick;
mod secured;
mod servers;
mod streams;
mod template;
mod turns;
mod workers;

/// What a worker process runs.
#[test]
fn this_is_a_worker() {
    workers::fall_ill_if_asked();
    forged::have_little_space_if_asked();
    support::lose_the_file_if_asked();
    asynckit_cluster::serve_if_asked();
}

/// What a driver process runs: as many calls as it is told, until it is killed.
#[test]
fn this_is_a_driver() {
    support::lose_the_file_if_asked();
    drivers::drive_if_asked();
}
