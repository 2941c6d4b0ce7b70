//! What holds for processes of this program, on this machine.

use std::collections::HashSet;
use std::io::{BufRead, BufReader, IoSlice, IoSliceMut, Read, Write};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, AsRawFd};
use std::os::unix::fs::MetadataExt;
use std::os::unix::net::UnixStream;
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use asynckit::{ErrorKind, Results};
use asynckit_cluster::{Cluster, ClusterError};
use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer,
    SendAncillaryMessage, SendFlags,
};
use rustix::process::{Resource, Rlimit, Signal, getrlimit, setrlimit};

use crate::functions::*;
use crate::signals::{is_alive, signal};
use crate::site::{Folder, eventually, within_once};

pub const ALL: &[(&str, fn())] = &[
    ("processes_are_started_when_they_are_needed", processes_are_started_when_they_are_needed),
    ("a_large_argument_goes_to_a_process_once", a_large_argument_goes_to_a_process_once),
    ("a_process_is_replaced_after_so_many_calls", a_process_is_replaced_after_so_many_calls),
    ("several_threads_share_a_process", several_threads_share_a_process),
    (
        "what_is_cancelled_beside_others_is_told_and_not_killed",
        what_is_cancelled_beside_others_is_told_and_not_killed,
    ),
    ("a_process_has_so_much_memory_unless_its_function_says", a_process_has_so_much_memory),
    ("calls_wait_for_the_processes_that_are_there", calls_wait_for_the_processes_that_are_there),
    ("numbers_that_make_no_sense_are_an_error", numbers_that_make_no_sense_are_an_error),
    ("a_lease_or_a_grace_may_be_for_ever", a_lease_or_a_grace_may_be_for_ever),
    ("a_line_that_is_not_wanted_harms_no_call", a_line_that_is_not_wanted_harms_no_call),
    ("lines_come_whole_and_with_a_name", lines_come_whole_and_with_a_name),
    ("quick_calls_do_not_wait_behind_a_long_one", quick_calls_do_not_wait_behind_a_long_one),
    ("a_drop_leaves_no_process", a_drop_leaves_no_process),
    ("a_killed_driver_leaves_no_process", a_killed_driver_leaves_no_process),
    ("a_death_is_noticed_at_once", a_death_is_noticed_at_once),
    ("a_copy_that_does_not_serve_is_told_of", a_copy_that_does_not_serve_is_told_of),
    ("a_copy_never_makes_a_cluster", a_copy_never_makes_a_cluster),
    ("a_copy_that_speaks_otherwise_is_refused", a_copy_that_speaks_otherwise_is_refused),
    ("a_driver_that_speaks_otherwise_is_refused", a_driver_that_speaks_otherwise_is_refused),
];

fn processes_are_started_when_they_are_needed() {
    let (cluster, folder) = (Cluster::processes(3).unwrap(), Folder::new());
    assert!(cluster.status().workers.is_empty());
    for _ in 0..20 {
        process().spawn_on(&cluster).get().unwrap();
    }
    assert_eq!(cluster.status().workers.len(), 1);
    let (runs, until) = (folder.file("runs"), folder.file("until"));
    cluster.pool().scope(|s| {
        let place = cluster.on(s);
        let both = [(); 2].map(|()| meet(&runs, &until).spawn_on(&place));
        eventually("both run", || folder.count("runs") == 2);
        folder.make("until");
        both.into_iter().for_each(|one| assert!(one.get().is_ok()));
    });
    assert_eq!(cluster.status().workers.len(), 2);
}

/// How many bytes a process has read so far.
#[cfg(target_os = "linux")]
fn has_read(process: u32) -> u64 {
    let text = std::fs::read_to_string(format!("/proc/{process}/io")).unwrap();
    let read = text.lines().find_map(|line| line.strip_prefix("rchar: ")).unwrap();
    read.parse().unwrap()
}

#[cfg(not(target_os = "linux"))]
fn has_read(_: u32) -> u64 {
    0
}

/// By its contents, however many calls need it.
fn a_large_argument_goes_to_a_process_once() {
    let cluster = Cluster::processes(1).unwrap();
    let size = 4 << 20;
    let (large, copy) = (vec![7; size], vec![7; size]);
    let its_process = process().spawn_on(&cluster).get().unwrap();
    let before = has_read(its_process);
    cluster.pool().scope(|s| {
        let place = cluster.on(s);
        for its in [&large, &copy] {
            let all: Vec<_> = (0..4).map(|_| length(its).spawn_on(&place).get()).collect();
            assert!(all.into_iter().all(|one| one.unwrap() == size));
        }
    });
    let read = has_read(its_process) - before;
    assert!(read < 2 * size as u64, "{read} bytes were read");
}

fn a_process_is_replaced_after_so_many_calls() {
    let cluster = Cluster::builder().max_calls(5).processes(1).unwrap();
    let all: Vec<u32> = (0..20).map(|_| process().spawn_on(&cluster).get().unwrap()).collect();
    assert!(all.chunks(5).all(|five| five.iter().all(|one| *one == five[0])), "{all:?}");
    assert_eq!(all.iter().collect::<HashSet<_>>().len(), 4);
    let many = (0..200).map(|n| add(n, 1).spawn_on(&cluster)).try_join_all().get().unwrap();
    assert_eq!(many.iter().sum::<u64>(), (1..=200).sum::<u64>());
}

fn several_threads_share_a_process() {
    let folder = Folder::new();
    let cluster = Cluster::builder().threads(3).processes(1).unwrap();
    let (runs, until) = (folder.file("runs"), folder.file("until"));
    cluster.pool().scope(|s| {
        let place = cluster.on(s);
        let all: Vec<_> = (0..6).map(|_| meet(&runs, &until).spawn_on(&place)).collect();
        eventually("three run", || folder.count("runs") == 3);
        folder.make("until");
        let all: HashSet<u32> = all.into_iter().map(|one| one.get().unwrap()).collect();
        assert_eq!(all.len(), 1);
    });
}

/// With several threads a process is not killed for the sake of one call.
fn what_is_cancelled_beside_others_is_told_and_not_killed() {
    let (folder, grace) = (Folder::new(), Duration::from_millis(50));
    let cluster = Cluster::builder().threads(3).grace(grace).processes(1).unwrap();
    let [runs, until, cancelled] = ["runs", "until", "cancelled"].map(|name| folder.file(name));
    cluster.pool().scope(|s| {
        let place = cluster.on(s);
        let beside = meet(&runs, &until).spawn_on(&place);
        let deaf = meet(&runs, &until).spawn_on(&place);
        let patient = patient(&runs, &cancelled).spawn_on(&place);
        eventually("all run", || folder.count("runs") == 3);
        assert!(deaf.cancel() && patient.cancel());
        eventually("it was told", || folder.count("cancelled") == 1);
        // Well past the grace.
        std::thread::sleep(6 * grace);
        folder.make("until");
        assert_eq!(beside.get().unwrap(), folder.processes("runs")[0]);
    });
    assert_eq!((folder.count("runs"), cluster.status().redelivered), (3, 0));
}

fn a_process_has_so_much_memory() {
    let cluster = Cluster::builder().memory(300 << 20).processes(1).unwrap();
    assert_eq!(unlimited(1 << 20).spawn_on(&cluster).get().unwrap(), 1 << 20);
    let error = unlimited(400 << 20).spawn_on(&cluster).get().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Lost);
    assert!(error.to_string().contains("memory allocation of 419430400 bytes failed"), "{error}");
    // The function has its own.
    assert_eq!(ample(400 << 20).spawn_on(&cluster).get().unwrap(), 400 << 20);
}

/// The driver of the next test, in a process of its own: it may have no more files open, and so start no process.
pub fn driver_without_files(folder: &str) {
    let folder = std::path::Path::new(folder);
    let [runs, until, again] = ["runs", "until", "again"].map(|name| folder.join(name));
    let count = || std::fs::read_to_string(&runs).unwrap_or_default().lines().count();
    let cluster = Cluster::processes(2).unwrap();
    cluster.pool().scope(|s| {
        let place = cluster.on(s);
        let first = meet(&runs, &until).spawn_on(&place);
        eventually("it runs", || count() == 1);
        let usual = getrlimit(Resource::Nofile);
        let next = std::fs::File::open("/dev/null").unwrap().as_raw_fd() as u64;
        setrlimit(Resource::Nofile, Rlimit { current: Some(next), ..usual }).unwrap();
        let second = add(1, 2).spawn_on(&place);
        assert_eq!(second.get().unwrap(), 3);
        // It ran before in the one process that there was; that it is told so may take a moment longer.
        eventually("the first one is told, too", || first.is_set());
        setrlimit(Resource::Nofile, usual).unwrap();
        let both = [meet(&runs, &again).spawn_on(&place), meet(&runs, &again).spawn_on(&place)];
        eventually("there is another one by now", || count() == 3);
        std::fs::write(&again, "").unwrap();
        both.into_iter().for_each(|one| assert!(one.get().is_ok()));
    });
}

/// That no further one can be started fails nothing, and is said.
fn calls_wait_for_the_processes_that_are_there() {
    let folder = Folder::new();
    let mut driver = Command::new(std::env::current_exe().unwrap())
        .env("DRIVER_WITHOUT_FILES", folder.file(""))
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut said = BufReader::new(driver.stderr.take().unwrap()).lines().map(Result::unwrap);
    let line = said.find(|line| line.contains("no process could be started")).unwrap();
    assert!(line.ends_with("calls wait for the processes that are there"), "{line}");
    folder.make("until");
    let rest: Vec<String> = said.collect();
    assert!(driver.wait().unwrap().success(), "{rest:?}");
}

fn numbers_that_make_no_sense_are_an_error() {
    let errors = [
        (Cluster::builder().processes(0), "processes"),
        (Cluster::builder().threads(0).processes(1), "threads"),
        (Cluster::builder().deliveries(0).processes(1), "deliveries"),
        (Cluster::builder().max_calls(0).processes(1), "max_calls"),
    ];
    for (error, what) in errors {
        assert_eq!(
            error.unwrap_err().to_string(),
            format!("`{what}` has to be one at least, and is 0")
        );
    }
}

fn a_lease_or_a_grace_may_be_for_ever() {
    let folder = Folder::new();
    let builder = Cluster::builder().lease(Duration::MAX).grace(Duration::MAX);
    let cluster = builder.processes(1).unwrap();
    let [runs, cancelled] = ["runs", "cancelled"].map(|name| folder.file(name));
    cluster.pool().scope(|s| {
        let result = patient(&runs, &cancelled).spawn_on(&cluster.on(s));
        eventually("it runs", || folder.count("runs") == 1);
        result.cancel();
        eventually("it was told", || folder.count("cancelled") == 1);
    });
    assert_eq!(process().spawn_on(&cluster).get().unwrap(), folder.processes("runs")[0]);
}

/// What is done with it panics, each time. Then nobody would read what the process says, and saying it would fail.
fn a_line_that_is_not_wanted_harms_no_call() {
    let builder = Cluster::builder().on_line(|_| std::panic::resume_unwind(Box::new(())));
    let cluster = builder.processes(1).unwrap();
    let much = "much\n".repeat(30_000);
    cluster.pool().scope(|s| {
        let place = cluster.on(s);
        for _ in 0..2 {
            says(&much, &much).spawn_on(&place).get().unwrap();
        }
    });
    assert_eq!(cluster.status().redelivered, 0);
}

fn lines_come_whole_and_with_a_name() {
    let lines = Arc::new(Mutex::new(Vec::new()));
    let its = lines.clone();
    let builder = Cluster::builder().on_line(move |line| {
        let line = (line.worker.to_owned(), line.is_error, line.text.to_owned());
        its.lock().unwrap().push(line);
    });
    let cluster = builder.processes(1).unwrap();
    cluster.pool().scope(|s| {
        let place = cluster.on(s);
        says("one\ntwo", "half a line, ").spawn_on(&place).get().unwrap();
        says("three", "and the rest\n").spawn_on(&place).get().unwrap();
    });
    let has = |is_error, text: &str| {
        let line = ("worker-1".to_owned(), is_error, text.to_owned());
        lines.lock().unwrap().contains(&line)
    };
    eventually("they have come", || has(false, "three") && has(true, "half a line, and the rest"));
    assert!(has(false, "one") && has(false, "two"));
}

fn quick_calls_do_not_wait_behind_a_long_one() {
    let (cluster, folder) = (Cluster::processes(2).unwrap(), Folder::new());
    // So that quick ones are known to be quick, and go ahead.
    (0..2_000).map(|n| add(n, n).spawn_on(&cluster)).try_join_all().get().unwrap();
    let (runs, until) = (folder.file("runs"), folder.file("until"));
    cluster.pool().scope(|s| {
        let place = cluster.on(s);
        let before: Vec<_> = (0..500).map(|n| add(n, n).spawn_on(&place)).collect();
        let long = meet(&runs, &until).spawn_on(&place);
        let after: Vec<_> = (0..500).map(|n| add(n, n).spawn_on(&place)).collect();
        for one in before.into_iter().chain(after) {
            one.get().unwrap();
        }
        assert!(!long.is_set());
        folder.make("until");
        long.get().unwrap();
    });
}

fn a_drop_leaves_no_process() {
    let cluster = Cluster::processes(3).unwrap();
    let all = (0..300).map(|_| process().spawn_on(&cluster)).try_join_all().get().unwrap();
    let all: HashSet<u32> = all.into_iter().collect();
    drop(cluster);
    assert!(all.iter().all(|one| !is_alive(*one)), "{all:?}");
    // Not even what is left until somebody looks.
    assert!(all.iter().all(|one| !std::path::Path::new(&format!("/proc/{one}")).exists()));
}

/// The driver of the next test, in a process of its own.
pub fn driver(folder: &str) {
    let folder = std::path::Path::new(folder);
    let cluster = Cluster::processes(3).unwrap();
    let files = ["a", "b"].map(|name| folder.join(name));
    cluster.pool().scope(|s| {
        let place = cluster.on(s);
        let busy: Vec<_> = files.iter().map(|file| deaf(file).spawn_on(&place)).collect();
        let idle = process().spawn_on(&place).get().unwrap();
        std::fs::write(folder.join("c.new"), idle.to_string()).unwrap();
        for file in &files {
            wait_for(file);
        }
        std::fs::rename(folder.join("c.new"), folder.join("c")).unwrap();
        match std::env::var("DRIVER_ENDS").as_deref() {
            Ok("exit") => std::process::exit(0),
            Ok("abort") => std::process::abort(),
            _ => {}
        }
        busy.into_iter().for_each(|one| drop(one.get()));
    });
}

/// Nor one that ends in another way without a word to its cluster.
fn a_killed_driver_leaves_no_process() {
    for how in ["kill", "exit", "abort", "terminate"] {
        let folder = Folder::new();
        let mut driver = Command::new(std::env::current_exe().unwrap())
            .env("DRIVER", folder.file(""))
            .env("DRIVER_ENDS", how)
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let all = ["a", "b", "c"].map(|name| folder.process(name));
        match how {
            "kill" => signal(driver.id(), Signal::KILL),
            "terminate" => signal(driver.id(), Signal::TERM),
            _ => {}
        }
        driver.wait().unwrap();
        eventually("they have ended, whatever they did", || all.iter().all(|one| !is_alive(*one)));
    }
}

fn a_death_is_noticed_at_once() {
    let (cluster, folder, mut n) = (Cluster::processes(1).unwrap(), Folder::new(), 0);
    within_once(Duration::from_millis(10), || {
        n += 1;
        let file = folder.file(&n.to_string());
        cluster.pool().scope(|s| {
            let result = deaf(&file).spawn_on(&cluster.on(s));
            let process = folder.process(&n.to_string());
            let (before, begin) = (cluster.status().redelivered, Instant::now());
            signal(process, Signal::KILL);
            while cluster.status().redelivered == before {
                std::thread::sleep(Duration::from_micros(100));
            }
            let took = begin.elapsed();
            result.cancel();
            took
        })
    });
}

/// How long it takes to be told of a copy with this argument, which makes it none; and what is said of it.
fn told_of_a_copy(argument: &str) -> (Duration, String) {
    let begin = Instant::now();
    let builder = Cluster::builder().args([argument]).on_line(|_| {});
    let cluster = builder.processes(2).unwrap();
    let error = add(1, 2).spawn_on(&cluster).get().unwrap_err();
    let took = begin.elapsed();
    assert_eq!(error.kind(), ErrorKind::Lost);
    let text = error.to_string();
    assert!(text.contains("Is `asynckit_cluster::serve_if_asked()` the first"), "{text}");
    (took, text)
}

/// With these arguments it never gets to be a worker, and ends or goes on.
fn a_copy_that_does_not_serve_is_told_of() {
    let mut said = String::new();
    within_once(Duration::from_secs(10), || {
        let (took, text) = told_of_a_copy("--does-not-serve");
        said = text;
        took
    });
    assert!(said.contains("exit code 5"), "{said}");
    within_once(Duration::from_secs(10), || told_of_a_copy("--goes-on-without-serving").0);
}

fn a_copy_never_makes_a_cluster() {
    let lines = Arc::new(Mutex::new(Vec::new()));
    let its = lines.clone();
    let builder = Cluster::builder()
        .args(["--makes-a-cluster"])
        .on_line(move |line| its.lock().unwrap().push(line.text.to_owned()));
    let cluster = builder.processes(1).unwrap();
    assert!(add(1, 2).spawn_on(&cluster).get().is_err());
    let lines = lines.lock().unwrap();
    assert!(lines.iter().any(|line| *line == ClusterError::IsWorker.to_string()), "{lines:?}");
}

/// A message of another version: which one it is comes first.
fn of_another_version() -> Vec<u8> {
    let head = [0, 99, 1, 2, 3];
    let lengths = [(head.len() as u32).to_le_bytes().to_vec(), 0u64.to_le_bytes().to_vec()];
    [lengths.concat(), head.to_vec()].concat()
}

/// What a copy does in the next test: it takes its pipes and says hello in its own way.
pub fn speak_otherwise() -> ! {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(2))];
    let mut message = RecvAncillaryBuffer::new(&mut space);
    let mut byte = [0];
    let parts = &mut [IoSliceMut::new(&mut byte)];
    rustix::net::recvmsg(rustix::stdio::stdin(), parts, &mut message, RecvFlags::empty()).unwrap();
    let ends = message.drain().find_map(|message| match message {
        RecvAncillaryMessage::ScmRights(ends) => Some(ends.collect::<Vec<_>>()),
        _ => None,
    });
    let [calls, outcomes] = ends.unwrap().try_into().unwrap();
    std::fs::File::from(outcomes).write_all(&of_another_version()).unwrap();
    // Until it is killed; or until nobody is there to do so.
    let _ = std::io::copy(&mut std::fs::File::from(calls), &mut std::io::sink());
    std::process::exit(0)
}

fn a_copy_that_speaks_otherwise_is_refused() {
    let builder = Cluster::builder().args(["--speaks-otherwise"]).on_line(|_| {});
    let cluster = builder.processes(2).unwrap();
    let error = add(1, 2).spawn_on(&cluster).get().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Lost);
    let text = error.to_string();
    assert!(text.contains("version 99 of the protocol") && text.contains("same build"), "{text}");
    assert!(cluster.status().refused > 0);
}

fn a_driver_that_speaks_otherwise_is_refused() {
    let (ours, its) = UnixStream::pair().unwrap();
    let its = std::fs::File::from(std::os::fd::OwnedFd::from(its));
    let asked = format!("{} {}", std::process::id(), its.metadata().unwrap().ino());
    let mut worker = Command::new(std::env::current_exe().unwrap())
        .env("ASYNCKIT_CLUSTER_OF", asked)
        .stdin(Stdio::from(its))
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let (its_calls, mut calls) = std::io::pipe().unwrap();
    let (_outcomes, its_outcomes) = std::io::pipe().unwrap();
    let ends = [its_calls.as_fd(), its_outcomes.as_fd()];
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(2))];
    let mut message = SendAncillaryBuffer::new(&mut space);
    message.push(SendAncillaryMessage::ScmRights(&ends));
    let parts = [IoSlice::new(&[0])];
    rustix::net::sendmsg(&ours, &parts, &mut message, SendFlags::empty()).unwrap();
    calls.write_all(&of_another_version()).unwrap();
    let mut said = String::new();
    worker.stderr.take().unwrap().read_to_string(&mut said).unwrap();
    assert_eq!(worker.wait().unwrap().code(), Some(1));
    assert!(said.contains("version 99 of the protocol") && said.contains("same build"), "{said}");
}
