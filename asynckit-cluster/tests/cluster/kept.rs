//! What a store promises, where the calls run on a cluster: the same list for each backend.

use std::fs;
use std::path::{Path, PathBuf};

use asynckit::{CancelToken, Error, ErrorKind, Limit, Pool, async_work, chain, current};
use asynckit_cluster::{Cluster, RemoteError};
use asynckit_store::{InputFile, OutputFile, Store};

use crate::functions::{Full, note, wait_for};
use crate::site::{Folder, Site, Test, eventually};

pub const ALL: &[Test] = &[
    ("a_hit_is_not_published", a_hit_is_not_published),
    ("the_same_at_the_same_time_goes_out_once", the_same_at_the_same_time_goes_out_once),
    ("failures_are_not_kept", failures_are_not_kept),
    ("what_is_lost_is_lost_for_all_who_asked", what_is_lost_is_lost_for_all_who_asked),
    (
        "who_waits_for_one_that_is_given_up_sends_its_own",
        who_waits_for_one_that_is_given_up_sends_its_own,
    ),
    ("terms_hold_and_a_hit_takes_none", terms_hold_and_a_hit_takes_none),
    ("files_count_by_their_contents", files_count_by_their_contents),
    ("a_file_that_changes_meanwhile_is_not_kept", a_file_that_changes_meanwhile_is_not_kept),
    (
        "what_is_submitted_here_is_kept_and_there_is_not",
        what_is_submitted_here_is_kept_and_there_is_not,
    ),
    ("what_borrows_is_kept", what_borrows_is_kept),
    ("a_deterministic_pool_keeps", a_deterministic_pool_keeps),
    ("a_killed_worker_keeps_nobody_from_keeping", a_killed_worker_keeps_nobody_from_keeping),
];

fn store(folder: &Folder) -> Store {
    Store::open(folder.file("results.redb")).unwrap()
}

#[async_work(keep, remote)]
fn square(runs: PathBuf, n: u64) -> u64 {
    note(&runs);
    n * n
}

#[async_work(keep, remote)]
async fn cube(runs: PathBuf, n: u64) -> u64 {
    note(&runs);
    n * n * n
}

fn a_hit_is_not_published(site: &Site) {
    let (cluster, folder) = (site.cluster(2), Folder::new());
    let runs = folder.file("runs");
    for round in 0..3 {
        let store = store(&folder);
        let on = store.on(&*cluster);
        let value = chain!(&on, {
            let one = square(runs.clone(), 3);
            let two = square(runs.clone(), one);
            cube(runs.clone(), two)
        });
        assert_eq!(value.get().unwrap(), 531_441);
        let its = runs.clone();
        let value = chain!(&on, async move {
            let one = square(its.clone(), 2).await?;
            cube(its, one)
        });
        assert_eq!(value.get().unwrap(), 64);
        let stats = store.stats();
        assert_eq!((stats.hits, stats.misses), if round == 0 { (0, 5) } else { (5, 0) });
    }
    assert_eq!(folder.count("runs"), 5);
    // A pool and a cluster have it from the same store, whichever of the two is asked first.
    let (store, pool) = (store(&folder), Pool::new(1));
    let value = square(runs.clone(), 3).spawn_on(&store.on(&pool));
    assert_eq!(value.get().unwrap(), 9);
    let value = square(runs.clone(), 9).spawn_on(&cluster.on(&store.on(&pool)));
    assert_eq!((value.get().unwrap(), store.stats().hits), (81, 2));
    let new = square(runs.clone(), 10).spawn_on(&cluster.on(&store.on(&pool)));
    assert_eq!((new.get().unwrap(), folder.count("runs")), (100, 6));
    assert_eq!(square(runs, 3).spawn_on(&*cluster).get().unwrap(), 9);
    assert_eq!(folder.count("runs"), 7, "without a store it goes out");
}

#[async_work(keep, remote)]
fn gated(runs: PathBuf, until: PathBuf, fails: bool) -> Result<u32, String> {
    note(&runs);
    while !until.exists() && !asynckit::is_cancelled() {
        std::thread::sleep(std::time::Duration::from_millis(1));
    }
    if fails { Err("on purpose".to_owned()) } else { Ok(std::process::id()) }
}

fn the_same_at_the_same_time_goes_out_once(site: &Site) {
    let (cluster, folder) = (site.cluster(2), Folder::new());
    let (store, other) = (store(&folder), Pool::new(1));
    let ask = |fails| {
        let (runs, until) =
            (folder.file(if fails { "failing" } else { "runs" }), folder.file("until"));
        gated(runs, until, fails)
    };
    let all: Vec<_> = (0..8)
        .map(|n| match n % 2 {
            0 => ask(false).spawn_on(&store.on(&*cluster)),
            _ => ask(false).spawn_on(&store.on(&cluster.on(&other))),
        })
        .collect();
    let failing: Vec<_> = (0..4).map(|_| ask(true).spawn_on(&store.on(&*cluster))).collect();
    eventually("both run", || folder.count("runs") + folder.count("failing") == 2);
    assert_eq!(cluster.status().open, 2);
    folder.make("until");
    let values: Vec<u32> = all.into_iter().map(|one| one.get().unwrap()).collect();
    assert!(values.iter().all(|value| *value == values[0] && *value != std::process::id()));
    assert_eq!(folder.count("runs"), 1);
    for one in failing {
        let error = one.get().unwrap_err();
        assert_eq!(error.downcast_ref::<RemoteError>().unwrap().to_string(), "on purpose");
    }
}

#[async_work(keep, remote(error))]
fn fails_first(runs: PathBuf) -> Result<u64, Full> {
    match note(&runs) {
        1 => Err(Full { disk: "A".to_owned() }),
        runs => Ok(runs),
    }
}

fn failures_are_not_kept(site: &Site) {
    let (cluster, folder) = (site.cluster(1), Folder::new());
    let store = store(&folder);
    let ask = || fails_first(folder.file("runs")).spawn_on(&store.on(&*cluster)).get();
    assert_eq!(ask().unwrap_err().downcast_ref::<Full>().unwrap().disk, "A");
    assert_eq!((ask().unwrap(), ask().unwrap()), (2, 2));
}

#[async_work(keep, remote)]
fn aborts(runs: PathBuf, until: PathBuf) -> u64 {
    note(&runs);
    wait_for(&until);
    std::process::abort()
}

fn what_is_lost_is_lost_for_all_who_asked(site: &Site) {
    let folder = Folder::new();
    let cluster = site.with(Cluster::builder().pool(Pool::new(1)), 1);
    let store = store(&folder);
    let ask = || aborts(folder.file("runs"), folder.file("until")).spawn_on(&store.on(&*cluster));
    let both = [ask(), ask()];
    eventually("it runs", || folder.count("runs") == 1);
    // What was submitted before has its turn before.
    asynckit::work(|| ()).spawn_on(cluster.pool()).get().unwrap();
    folder.make("until");
    for one in both {
        assert_eq!(one.get().unwrap_err().kind(), ErrorKind::Lost);
    }
    assert_eq!(folder.count("runs"), 3);
}

fn who_waits_for_one_that_is_given_up_sends_its_own(site: &Site) {
    let (cluster, folder) = (site.cluster(2), Folder::new());
    let (store, token) = (store(&folder), CancelToken::new());
    let ask = || gated(folder.file("runs"), folder.file("until"), false);
    let first = ask().spawn_on(&token.on(&store.on(&*cluster)));
    eventually("it runs", || folder.count("runs") == 1);
    let second = ask().spawn_on(&store.on(&*cluster));
    token.cancel();
    assert_eq!(first.get().unwrap_err().kind(), ErrorKind::Cancelled);
    eventually("it runs again", || folder.count("runs") == 2);
    folder.make("until");
    let value = second.get().unwrap();
    assert_eq!(ask().spawn_on(&store.on(&*cluster)).get().unwrap(), value);
    assert_eq!(folder.count("runs"), 2);
}

#[async_work(
    keep,
    remote,
    retry = 2,
    timeout = "1m",
    limit = 1,
    priority = "high",
    deadline = "1m"
)]
fn under_terms(runs: PathBuf) -> Result<u64, Full> {
    match note(&runs) {
        1 => Err(Full { disk: "A".to_owned() }),
        runs => Ok(runs),
    }
}

fn terms_hold_and_a_hit_takes_none(site: &Site) {
    let (cluster, folder) = (site.cluster(2), Folder::new());
    let (store, one) = (store(&folder), Limit::new(1));
    let on = store.on(&*cluster);
    let ask = || under_terms(folder.file("terms")).limit(&one).spawn_on(&on);
    assert_eq!(ask().get().unwrap(), 2, "it was tried again");
    let holds = gated(folder.file("runs"), folder.file("until"), false).limit(&one).spawn_on(&on);
    eventually("the permit is taken", || folder.count("runs") == 1);
    assert_eq!(ask().get().unwrap(), 2);
    assert!(!holds.is_set());
    folder.make("until");
    assert!(holds.get().is_ok());
    assert_eq!(folder.count("terms"), 2);
}

#[async_work(keep, remote)]
fn upper(runs: PathBuf, input: InputFile, to: PathBuf) -> std::io::Result<OutputFile> {
    note(&runs);
    fs::write(&to, fs::read_to_string(&input)?.to_uppercase())?;
    Ok(to.into())
}

#[async_work(keep, remote)]
fn join(runs: PathBuf, parts: Vec<OutputFile>) -> std::io::Result<String> {
    note(&runs);
    parts.iter().map(fs::read_to_string).collect()
}

fn files_count_by_their_contents(site: &Site) {
    let (cluster, folder) = (site.cluster(2), Folder::new());
    let store = store(&folder);
    let on = store.on(&*cluster);
    let names = ["a", "b"];
    for name in names {
        fs::write(folder.file(name), name).unwrap();
    }
    let (written, joined) = (folder.file("written"), folder.file("joined"));
    let build = || {
        let text = chain!(&on, {
            let parts: Vec<_> = names
                .iter()
                .map(|name| {
                    let to = folder.file(&format!("{name}.out"));
                    upper(written.clone(), folder.file(name).into(), to)
                })
                .collect();
            join(joined.clone(), parts)
        });
        (text.get().unwrap(), folder.count("written"), folder.count("joined"))
    };
    assert_eq!(build(), ("AB".to_owned(), 2, 1));
    assert_eq!(build(), ("AB".to_owned(), 2, 1));
    fs::remove_file(folder.file("a.out")).unwrap();
    assert_eq!(build(), ("AB".to_owned(), 3, 1), "it is the same again");
    fs::write(folder.file("b"), "other").unwrap();
    assert_eq!(build(), ("AOTHER".to_owned(), 4, 2));
}

#[async_work(keep, remote)]
fn reads_late(runs: PathBuf, until: PathBuf, input: InputFile) -> std::io::Result<String> {
    note(&runs);
    wait_for(&until);
    fs::read_to_string(&input)
}

fn a_file_that_changes_meanwhile_is_not_kept(site: &Site) {
    let (cluster, folder) = (site.cluster(1), Folder::new());
    let (store, input) = (store(&folder), folder.file("input"));
    let ask = || {
        let (runs, until) = (folder.file("runs"), folder.file("until"));
        reads_late(runs, until, input.clone().into()).spawn_on(&store.on(&*cluster))
    };
    fs::write(&input, "before").unwrap();
    let first = ask();
    eventually("it runs", || folder.count("runs") == 1);
    fs::write(&input, "afterwards").unwrap();
    folder.make("until");
    assert_eq!(first.get().unwrap(), "afterwards");
    assert!(store.entries().unwrap().is_empty());
    fs::write(&input, "before").unwrap();
    assert_eq!((ask().get().unwrap(), folder.count("runs")), ("before".to_owned(), 2));
}

#[async_work(keep)]
fn submits_here(runs: PathBuf, n: u64) -> Result<u64, Error> {
    square(runs, n).spawn_on(&current()).get()
}

#[async_work(keep, remote)]
fn submits_there(runs: PathBuf, n: u64) -> Result<u64, Error> {
    square(runs, n).spawn_on(&current()).get()
}

fn what_is_submitted_here_is_kept_and_there_is_not(site: &Site) {
    let (cluster, folder) = (site.cluster(1), Folder::new());
    let (store, runs) = (store(&folder), folder.file("runs"));
    let on = store.on(&*cluster);
    for _ in 0..2 {
        assert_eq!(submits_here(runs.clone(), 3).spawn_on(&on).get().unwrap(), 9);
        assert_eq!(square(runs.clone(), 3).spawn_on(&on).get().unwrap(), 9);
        assert_eq!(folder.count("runs"), 1);
    }
    for _ in 0..2 {
        assert_eq!(submits_there(runs.clone(), 4).spawn_on(&on).get().unwrap(), 16);
        assert_eq!(folder.count("runs"), 2);
    }
    // The store is the driver's: what a worker calls by itself is not known to it.
    assert_eq!(square(runs.clone(), 4).spawn_on(&on).get().unwrap(), 16);
    assert_eq!(folder.count("runs"), 3);
}

#[async_work(keep, remote)]
fn total(runs: &Path, all: &[u64], name: &str) -> u64 {
    note(runs);
    all.iter().sum::<u64>() + name.len() as u64
}

fn what_borrows_is_kept(site: &Site) {
    let (cluster, folder) = (site.cluster(2), Folder::new());
    let (store, runs) = (store(&folder), folder.file("runs"));
    let (numbers, name) = ((0..100).collect::<Vec<u64>>(), "name".to_owned());
    for _ in 0..2 {
        let sums: Vec<u64> = cluster.pool().scope(|s| {
            let place = cluster.on(s);
            let on = store.on(&place);
            let all = (0..10).map(|n| total(&runs, &numbers[..n], &name).spawn_on(&on));
            all.collect::<Vec<_>>().into_iter().map(|sum| sum.get().unwrap()).collect()
        });
        let here: Vec<u64> = (0..10).map(|n| numbers[..n].iter().sum::<u64>() + 4).collect();
        assert_eq!((sums, folder.count("runs")), (here, 10));
    }
}

fn a_deterministic_pool_keeps(site: &Site) {
    let folder = Folder::new();
    let cluster = site.with(Cluster::builder().pool(Pool::deterministic(5)), 1);
    let (store, runs) = (store(&folder), folder.file("runs"));
    for _ in 0..2 {
        let on = store.on(&*cluster);
        let value = chain!(&on, {
            let two = square(runs.clone(), 2);
            cube(runs.clone(), two)
        });
        assert_eq!((value.get().unwrap(), folder.count("runs")), (64, 2));
    }
}

#[async_work(keep, remote)]
fn ends_at_first(runs: PathBuf) -> u64 {
    match note(&runs) {
        1 => std::process::abort(),
        runs => runs,
    }
}

fn a_killed_worker_keeps_nobody_from_keeping(site: &Site) {
    let (cluster, folder) = (site.cluster(1), Folder::new());
    let store = store(&folder);
    for _ in 0..2 {
        let value = ends_at_first(folder.file("runs")).spawn_on(&store.on(&*cluster));
        assert_eq!(value.get().unwrap(), 2);
    }
    assert_eq!(cluster.status().redelivered, 1);
}
