//! Drivers that are killed, and several at once.

use std::io::{BufRead, BufReader};
use std::ops::{Deref, DerefMut};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use asynckit_cluster::Cluster;

use crate::calls::{add, gated, whoami};
use crate::support::{Dir, NatsServer, REPLACED, replaced, soon};

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
    let mut driver = driver(&server, &dir, Stdio::inherit());
    let any = |what: &str| {
        let entries = std::fs::read_dir(dir.path()).unwrap();
        let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        names.filter(|name| name.starts_with(what)).count()
    };
    soon("one runs", || any("begun-") == 1);
    driver.kill().unwrap();
    driver.wait().unwrap();
    // Long enough for the worker to know: then what is left of that driver is dropped, and not run.
    let mut beats = server.watch_beats();
    beats.wait_for(17);
    dir.allow("go");
    let cluster = server.cluster();
    assert_eq!(add(1, 1).spawn_on(&cluster).get().unwrap(), 2);
    soon("what it left is gone", || server.messages("WORK") == 0);
    soon("what ran has come to its end", || any("done-") == 1);
    assert_eq!(any("begun-"), 1, "no other one has begun");
}

/// So that nobody waits for what never comes: within 10 s, and with the names of those who would do if they were of the
/// same build.
#[test]
fn a_driver_without_workers_says_so_and_who_is_there_instead() {
    let Some(server) = NatsServer::start() else { return };
    let (dir, builds) = (Dir::new(), Dir::new());
    let _older = server.older_worker(&builds, "the-older-one");
    server.watch_beats().wait_for(1);
    let mut driver = driver(&server, &dir, Stdio::piped());
    let lines = BufReader::new(driver.stderr.take().unwrap()).lines().map(Result::unwrap);
    let said = std::thread::spawn(move || {
        let mut lines = lines;
        lines.find(|line| line.contains("no worker of this build"))
    });
    soon("calls wait", || server.messages("WORK") == 20);
    let mut beats = server.watch_drivers();
    beats.wait_for(1);
    let before = beats.count();
    soon("it says so", || said.is_finished());
    // One comes each second, or later where the machine does much else.
    assert!(beats.count() - before <= 10, "{} s", beats.count() - before);
    let line = said.join().unwrap().unwrap();
    assert!(
        line.contains("ASYNCKIT_WORKER") && line.contains("the-older-one of another build"),
        "{line}"
    );
    // And is served as soon as there is one.
    dir.allow("go");
    let _worker = server.worker("w", 2);
    assert!(driver.wait().unwrap().success());
}

/// As when it was installed anew. Both are still of this build.
#[test]
fn a_driver_and_a_worker_whose_file_was_replaced_do_all_the_same() {
    let Some(server) = NatsServer::start() else { return };
    let (dir, copies) = (Dir::new(), Dir::new());
    dir.allow("go");
    let mut driver = command(&replaced(&copies, "driver"), &server, &dir);
    let mut driver = Driver(driver.env(REPLACED, "1").spawn().unwrap());
    let mut worker = server.replaced_worker(&copies, "worker");
    soon("the driver has ended", || {
        assert!(worker.is_alive());
        driver.try_wait().unwrap().is_some_and(|status| {
            assert!(status.success());
            true
        })
    });
    assert_eq!(std::fs::read_dir(copies.path()).unwrap().count(), 0, "there is no such file");
}

/// The process of `this_is_a_driver`; it ends with the test, also where that fails.
pub struct Driver(Child);

impl Deref for Driver {
    type Target = Child;

    fn deref(&self) -> &Child {
        &self.0
    }
}

impl DerefMut for Driver {
    fn deref_mut(&mut self) -> &mut Child {
        &mut self.0
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        self.0.kill().ok();
        self.0.wait().ok();
    }
}

pub fn driver(server: &NatsServer, dir: &Dir, stderr: Stdio) -> Driver {
    let program = std::env::current_exe().unwrap();
    Driver(command(&program, server, dir).stderr(stderr).spawn().unwrap())
}

fn command(program: &Path, server: &NatsServer, dir: &Dir) -> Command {
    let mut command = Command::new(program);
    command
        .args(["--exact", "this_is_a_driver", "--nocapture"])
        .env("NATS_TEST_DRIVER", server.url())
        .env("NATS_TEST_DIR", dir.path())
        .stdout(Stdio::null());
    command
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
