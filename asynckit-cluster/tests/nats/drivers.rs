//! Drivers that are killed, and several at once.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use asynckit_cluster::Cluster;

use crate::calls::{add, begun, gated, whoami};
use crate::support::{Dir, NatsServer, soon};

/// Drives calls, where this process was started for that: one that runs until it may go on, and many after it.
pub fn drive_if_asked() {
    let Some(url) = std::env::var_os("NATS_TEST_DRIVER") else { return };
    let dir = PathBuf::from(std::env::var_os("NATS_TEST_DIR").unwrap());
    let cluster = Cluster::connect(url.to_str().unwrap(), "test").unwrap();
    let all: Vec<_> = (0..20).map(|n| gated(dir.clone(), n).spawn_on(&cluster)).collect();
    for one in all {
        one.get().unwrap();
    }
}

/// Its workers end what they run, and serve the next driver.
#[test]
fn workers_of_a_killed_driver_end_their_calls_and_idle() {
    let Some(server) = NatsServer::start() else { return };
    let dir = Dir::new();
    let _worker = server.worker("w", 1);
    let mut driver = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "this_is_a_driver", "--nocapture"])
        .env("NATS_TEST_DRIVER", server.url())
        .env("NATS_TEST_DIR", dir.path())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let any = || (0..20).filter(|n| !begun(dir.path(), *n).is_empty()).count();
    soon("one runs", || any() == 1);
    driver.kill().unwrap();
    driver.wait().unwrap();
    // Long enough for the worker to know: then what is left of that driver is dropped, and not run.
    let mut beats = server.watch_beats();
    beats.wait_for(17);
    dir.allow("go");
    let cluster = server.cluster();
    assert_eq!(add(1, 1).spawn_on(&cluster).get().unwrap(), 2);
    soon("what it left is gone", || server.messages("WORK") == 0);
    assert!(any() <= 2, "{} of its calls ran", any());
}

#[test]
fn two_drivers_of_one_app_share_its_workers() {
    let Some(server) = NatsServer::start() else { return };
    let clusters = [server.cluster(), server.cluster()];
    let worker = server.worker("w", 2);
    let all: Vec<_> =
        (0..400).map(|n| (n, add(n, 1).spawn_on(&clusters[(n % 2) as usize]))).collect();
    for (n, one) in all {
        assert_eq!(one.get().unwrap(), n + 1);
    }
    for cluster in &clusters {
        assert_eq!(whoami(0).spawn_on(cluster).get().unwrap(), worker.id());
    }
    let [first, second] = clusters;
    drop(first);
    assert_eq!(add(1, 1).spawn_on(&second).get().unwrap(), 2);
}

#[test]
fn two_apps_on_one_server_have_nothing_to_do_with_each_other() {
    let Some(server) = NatsServer::start() else { return };
    let films = Cluster::connect(server.url(), "films").unwrap();
    let songs = Cluster::connect(server.url(), "songs").unwrap();
    let start = |app: &str| {
        crate::support::WorkerProcess::start(&format!("{}/{app}", server.url()), app, 1)
    };
    let (of_films, of_songs) = (start("films"), start("songs"));
    for _ in 0..20 {
        assert_eq!(whoami(0).spawn_on(&films).get().unwrap(), of_films.id());
        assert_eq!(whoami(0).spawn_on(&songs).get().unwrap(), of_songs.id());
    }
}

/// A worker that isn't told an app serves that of a driver of its build.
#[test]
fn a_worker_without_an_app_finds_its_driver() {
    let Some(server) = NatsServer::start() else { return };
    let worker = crate::support::WorkerProcess::start(&server.url(), "w", 1);
    let cluster = Cluster::connect(server.url(), "whatever").unwrap();
    assert_eq!(whoami(0).spawn_on(&cluster).get().unwrap(), worker.id());
}
