//! What becomes of processes whose calls are given up, and of what those have started.

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use asynckit::{ErrorKind, async_work, is_cancelled};
use asynckit_cluster::Cluster;

use crate::functions::*;
use crate::signals::is_alive;
use crate::site::{Folder, Here, LIMIT, eventually};

pub const ALL: &[(&str, fn())] = &[
    ("what_was_cancelled_may_clean_up_at_a_drop", what_was_cancelled_may_clean_up_at_a_drop),
    ("what_a_stop_gives_up_may_clean_up", what_a_stop_gives_up_may_clean_up),
    ("a_drop_waits_no_longer_than_a_grace", a_drop_waits_no_longer_than_a_grace),
    (
        "a_process_whose_threads_are_all_held_is_replaced",
        a_process_whose_threads_are_all_held_is_replaced,
    ),
    (
        "a_process_in_which_nothing_else_runs_is_replaced",
        a_process_in_which_nothing_else_runs_is_replaced,
    ),
    (
        "memory_of_a_function_needs_a_process_of_its_own",
        memory_of_a_function_needs_a_process_of_its_own,
    ),
    ("what_a_killed_call_has_started_ends_with_it", what_a_killed_call_has_started_ends_with_it),
    (
        "what_a_call_has_started_ends_with_the_cluster",
        what_a_call_has_started_ends_with_the_cluster,
    ),
    (
        "a_program_that_a_call_starts_may_have_a_cluster",
        a_program_that_a_call_starts_may_have_a_cluster,
    ),
];

/// Learns that it is cancelled, and cleans up, which takes until somebody has seen that it is at it.
#[async_work(remote)]
fn clean_up(runs: PathBuf, cleans: PathBuf, until: PathBuf, cleaned: PathBuf) -> u32 {
    note(&runs);
    while !is_cancelled() {
        std::thread::sleep(Duration::from_millis(1));
    }
    note(&cleans);
    wait_for(&until);
    note(&cleaned);
    1
}

/// Drops or stops a cluster while a cancelled call cleans up.
fn ends_while_it_cleans_up(cancel: bool, end: fn(Cluster)) {
    let folder = Folder::new();
    let cluster = Cluster::builder().grace(LIMIT).processes(1).unwrap();
    let [runs, cleans, until, cleaned] =
        ["runs", "cleans", "until", "cleaned"].map(|name| folder.file(name));
    let result = clean_up(runs, cleans, until, cleaned).spawn_on(&cluster);
    eventually("it runs", || folder.count("runs") == 1);
    if cancel {
        assert!(result.cancel());
    }
    let process = folder.processes("runs")[0];
    let ends = std::thread::spawn(move || end(cluster));
    eventually("it cleans up", || folder.count("cleans") == 1);
    // Long enough for whoever would not wait.
    std::thread::sleep(Duration::from_millis(200));
    assert!(!ends.is_finished(), "it waits for it");
    folder.make("until");
    ends.join().unwrap();
    assert_eq!(folder.count("cleaned"), 1);
    assert!(!is_alive(process));
}

fn what_was_cancelled_may_clean_up_at_a_drop() {
    ends_while_it_cleans_up(true, drop);
}

fn what_a_stop_gives_up_may_clean_up() {
    ends_while_it_cleans_up(false, |cluster| cluster.stop_timeout(Duration::ZERO));
}

#[async_work(remote)]
fn never_ends(file: PathBuf) -> u32 {
    note_process(&file);
    std::thread::sleep(Duration::from_secs(600));
    1
}

fn a_drop_waits_no_longer_than_a_grace() {
    let folder = Folder::new();
    let builder = Cluster::builder().grace(Duration::from_millis(200));
    let cluster = builder.processes(1).unwrap();
    let result = never_ends(folder.file("process")).spawn_on(&cluster);
    let process = folder.process("process");
    let begin = Instant::now();
    assert!(result.cancel());
    drop(cluster);
    assert!(begin.elapsed() < LIMIT / 2, "{:?}", begin.elapsed());
    assert!(!is_alive(process));
}

fn a_process_whose_threads_are_all_held_is_replaced() {
    let folder = Folder::new();
    let builder = Cluster::builder().threads(2).grace(Duration::from_millis(50));
    let cluster = builder.processes(1).unwrap();
    let [a, b] = ["a", "b"].map(|name| never_ends(folder.file(name)).spawn_on(&cluster));
    let held = folder.process("a");
    assert_eq!(folder.process("b"), held);
    assert!(a.cancel() && b.cancel());
    assert_ne!(process().spawn_on(&cluster).get().unwrap(), held);
    eventually("it is gone", || !is_alive(held));
    assert_eq!(cluster.status().redelivered, 0);
}

fn a_process_in_which_nothing_else_runs_is_replaced() {
    let folder = Folder::new();
    let builder = Cluster::builder().threads(2).grace(Duration::from_millis(50));
    let cluster = builder.processes(1).unwrap();
    let [runs, until] = ["runs", "until"].map(|name| folder.file(name));
    cluster.pool().scope(|s| {
        let beside = meet(&runs, &until).spawn_on(&cluster.on(s));
        let deaf = never_ends(folder.file("process")).spawn_on(&cluster);
        let held = folder.process("process");
        eventually("both run", || folder.count("runs") == 1);
        assert!(deaf.cancel());
        // Well past the grace: the other one still runs.
        std::thread::sleep(Duration::from_millis(300));
        assert!(is_alive(held));
        folder.make("until");
        assert_eq!(beside.get().unwrap(), held);
        eventually("it is gone", || !is_alive(held));
    });
    assert_eq!(add(1, 2).spawn_on(&cluster).get().unwrap(), 3);
    assert_eq!((folder.count("runs"), cluster.status().redelivered), (1, 0));
}

fn memory_of_a_function_needs_a_process_of_its_own() {
    let cluster = Cluster::builder().threads(2).processes(1).unwrap();
    let error = greedy(1 << 20).fail_here(&cluster);
    assert_eq!(error.kind(), ErrorKind::Failed);
    let text = error.to_string();
    assert!(text.contains("greedy") && text.contains("this one runs 2 at once"), "{text}");
    // What says nothing of memory runs.
    assert_eq!(unlimited(1 << 20).spawn_on(&cluster).get().unwrap(), 1 << 20);
}

/// Starts a program that takes long, and may leave it behind.
#[allow(clippy::zombie_processes)]
#[async_work(remote)]
fn starts(file: PathBuf, waits: bool) -> u32 {
    // (What it prints to would keep the lines of this process open.)
    let mut started = Command::new("sleep")
        .arg("600")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let new = file.with_extension("new");
    fs::write(&new, started.id().to_string()).unwrap();
    fs::rename(new, file).unwrap();
    if waits {
        started.wait().unwrap();
    }
    started.id()
}

fn what_a_killed_call_has_started_ends_with_it() {
    let folder = Folder::new();
    let builder = Cluster::builder().grace(Duration::from_millis(50));
    let cluster = builder.processes(1).unwrap();
    let result = starts(folder.file("started"), true).spawn_on(&cluster);
    let started = folder.process("started");
    assert!(is_alive(started));
    assert!(result.cancel());
    eventually("it has ended", || !is_alive(started));
    assert_eq!(add(1, 2).spawn_on(&cluster).get().unwrap(), 3);
}

fn what_a_call_has_started_ends_with_the_cluster() {
    let folder = Folder::new();
    let cluster = Cluster::processes(1).unwrap();
    let started = starts(folder.file("started"), false).spawn_on(&cluster).get().unwrap();
    assert!(is_alive(started), "it goes on when its call has ended");
    drop(cluster);
    eventually("it has ended", || !is_alive(started));
}

/// Runs this program as any other one.
#[async_work(remote)]
fn runs_a_program() -> String {
    let mut command = Command::new(std::env::current_exe().unwrap());
    let out = command.arg("--has-a-cluster").output().unwrap();
    String::from_utf8_lossy(&[out.stdout, out.stderr].concat()).into_owned()
}

/// What it does then.
pub fn has_a_cluster() {
    let cluster = Cluster::processes(1);
    println!("{:?}", cluster.map(|cluster| add(1, 2).spawn_on(&cluster).get().unwrap()));
}

#[async_work(remote)]
fn makes_a_cluster() -> String {
    format!("{:?}", Cluster::processes(1).map(drop))
}

fn a_program_that_a_call_starts_may_have_a_cluster() {
    let cluster = Cluster::processes(1).unwrap();
    assert_eq!(runs_a_program().spawn_on(&cluster).get().unwrap(), "Ok(3)\n");
    // The worker itself may not.
    assert_eq!(makes_a_cluster().spawn_on(&cluster).get().unwrap(), "Err(IsWorker)");
}
