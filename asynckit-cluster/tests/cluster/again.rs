//! A driver that is killed half-way and started again: with a store it goes on where it was.

use std::collections::BTreeSet;
use std::env;
use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use asynckit::{Results, async_work};
use asynckit_cluster::{Cluster, call_id};
use asynckit_store::Store;

use crate::site::{Folder, Site, Test, eventually};

pub const ALL: &[Test] = &[(
    "a_driver_that_is_killed_and_started_again_does_what_is_missing",
    a_driver_that_is_killed_and_started_again_does_what_is_missing,
)];

const CALLS: u64 = 60;
/// So many of a driver's calls come to their end by themselves; the others are under way when it is killed.
const FREE: usize = 20;

fn append(file: &Path, line: &str) {
    let mut file = File::options().append(true).create(true).open(file).unwrap();
    file.write_all(format!("{line}\n").as_bytes()).unwrap();
}

/// The calls that have begun, by the run of their driver.
fn begun(folder: &Path) -> Vec<(String, u64)> {
    let lines = fs::read_to_string(folder.join("begun")).unwrap_or_default();
    let call = |line: &str| {
        let (run, n) = line.split_once(' ')?;
        Some((run.to_owned(), n.parse().ok()?))
    };
    lines.lines().filter_map(call).collect()
}

#[async_work(keep, remote)]
fn counted(folder: PathBuf, n: u64) -> u64 {
    let id = call_id().expect("it runs in a worker").to_string();
    let run = id.split('.').next().unwrap_or_default();
    append(&folder.join("begun"), &format!("{run} {n}"));
    if begun(&folder).iter().filter(|(other, _)| other == run).count() > FREE {
        let (all, killed) = (folder.join("all"), folder.join(run));
        let begin = Instant::now();
        while !all.exists() && !killed.exists() && begin.elapsed() < Duration::from_secs(60) {
            std::thread::sleep(Duration::from_millis(1));
        }
    }
    n * n
}

/// The driver, where this process is one.
pub fn drive_if_asked() -> bool {
    let Some(folder) = env::var_os("DRIVER_WITH_STORE") else { return false };
    let folder = PathBuf::from(folder);
    let cluster = match env::var("DRIVER_URL") {
        #[cfg(feature = "nats")]
        Ok(url) => Cluster::connect(url, "test").unwrap(),
        _ => Cluster::processes(2).unwrap(),
    };
    let store = Store::open(folder.join("results.redb")).unwrap();
    let on = store.on(&cluster);
    let all = (0..CALLS).map(|n| (n, counted(folder.clone(), n).spawn_on(&on)));
    for (n, value) in all.collect::<Vec<_>>().keyed().as_completed() {
        assert_eq!(value.get().unwrap(), n * n);
        store.flush().unwrap();
        append(&folder.join("committed"), &n.to_string());
    }
    let stats = store.stats();
    fs::write(folder.join("stats"), format!("{} {}", stats.hits, stats.misses)).unwrap();
    true
}

struct Killed(Child);

impl Drop for Killed {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn a_driver_that_is_killed_and_started_again_does_what_is_missing(site: &Site) {
    let (folder, workers) = (Folder::new(), site.workers(2));
    let committed = || -> BTreeSet<u64> {
        let lines = fs::read_to_string(folder.file("committed")).unwrap_or_default();
        // The last line of one that was killed may be half of one.
        let whole = lines.rsplit_once('\n').map_or("", |(whole, _)| whole);
        whole.lines().filter_map(|line| line.parse().ok()).collect()
    };
    let mut runs: BTreeSet<String> = BTreeSet::new();
    for round in 0..3 {
        let known = committed();
        let mut command = Command::new(env::current_exe().unwrap());
        command.env("DRIVER_WITH_STORE", folder.file("")).stdout(Stdio::null());
        if let Some(url) = workers.url() {
            command.env("DRIVER_URL", url);
        }
        let is_last = round == 2;
        if is_last {
            folder.make("all");
        }
        let mut driver = Killed(command.spawn().unwrap());
        if is_last {
            assert!(driver.0.wait().unwrap().success());
        } else {
            // What this one has sent out itself: before that come those that the one before it has kept and not said.
            eventually("half of it is done", || {
                let (all, done) = (begun(&folder.file("")), committed());
                let own = all.iter().filter(|(run, n)| !runs.contains(run) && done.contains(n));
                own.count() >= FREE / 2
            });
        }
        drop(driver);
        let all = begun(&folder.file(""));
        let run = all.iter().find(|(run, _)| !runs.contains(run)).unwrap().0.clone();
        folder.make(&run);
        let own: Vec<u64> =
            all.into_iter().filter(|(one, _)| *one == run).map(|one| one.1).collect();
        runs.insert(run);
        let set: BTreeSet<u64> = own.iter().copied().collect();
        assert_eq!(set.len(), own.len(), "each ran once: {own:?}");
        assert!(set.is_disjoint(&known), "of {known:?}, {own:?} ran again");
        assert!(known.len() < CALLS as usize && !own.is_empty(), "round {round} shows something");
        if is_last {
            let (hits, misses) = (CALLS - own.len() as u64, own.len() as u64);
            let stats = fs::read_to_string(folder.file("stats")).unwrap();
            assert_eq!(stats, format!("{hits} {misses}"));
            assert!(known.len() >= FREE && hits >= known.len() as u64);
        }
    }
    assert_eq!(committed(), (0..CALLS).collect());
}
