//! What a peer is asked in a process of its own, with nobody else in it: where processes differ from
//! one another, and where the memory is the process's.

use std::io::{self, Read};
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use clap::ValueEnum;

use crate::body::{Body, Pace};
use crate::peers::{self, Peer};

/// How many round trips are taken to and from an idle pool. Before a cold one it is left alone.
const WARM_TRIPS: u64 = 2000;
const COLD_TRIPS: u64 = 50;
const COLD: Duration = Duration::from_millis(2);
/// How long the body of a round trip is that has one, in ns.
const BODY: f64 = 3000.0;
/// How many tasks a burst has.
const BURST: usize = 1_000_000;
/// How long a burst is left alone: its tasks until they are all there, and the pool after it.
const REST: Duration = Duration::from_secs(1);
/// A process that takes longer is taken for one that hangs.
const LIMIT: Duration = Duration::from_secs(100);

/// What is asked.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum Question {
    /// The median of round trips that follow each other at once.
    Warm,
    /// The same where the task computes for a while.
    WarmWithBody,
    /// The median of round trips with a rest before each.
    Cold,
    /// Resident megabytes before many tasks, while they are pending, and some time after; and
    /// bytes a task.
    Burst,
}

/// Starts a process that answers.
pub fn ask(peer: &str, question: Question, threads: usize) -> Vec<f64> {
    let program = std::env::current_exe().expect("this program has a path");
    let word = question.to_possible_value().expect("no question is left out");
    let mut process = Command::new(program)
        .args(["--alone", peer, "--question", word.get_name(), "--threads", &threads.to_string()])
        .stdout(Stdio::piped())
        .spawn()
        .expect("a process can be started");
    let mut text = String::new();
    let mut output = process.stdout.take().expect("it was piped");
    output.read_to_string(&mut text).expect("the process says something");
    let status = process.wait().expect("the process ends");
    assert!(status.success(), "{peer}, alone, {question:?}: {status}");
    text.split_whitespace().map(|figure| figure.parse().expect("a figure")).collect()
}

/// Answers: prints figures, or nothing where the peer can't do it.
pub fn answer(peer: &str, question: Question, threads: usize) {
    let peer = peers::start(peer, threads).expect("a peer of this name");
    thread::spawn(|| {
        thread::sleep(LIMIT);
        std::process::exit(1);
    });
    let trips = |trips, pause, body| peer.round_trips(trips, pause, body).into_iter().collect();
    let figures: Vec<f64> = match question {
        Question::Warm => trips(WARM_TRIPS, Duration::ZERO, Body::EMPTY),
        Question::WarmWithBody => trips(WARM_TRIPS, Duration::ZERO, Pace::measure().body(BODY)),
        Question::Cold => trips(COLD_TRIPS, COLD, Body::EMPTY),
        Question::Burst => burst(&*peer).unwrap_or_default(),
    };
    figures.into_iter().for_each(|figure| println!("{figure}"));
}

fn burst(peer: &dyn Peer) -> Option<Vec<f64>> {
    let read = || resident().expect("the system says how much memory is resident");
    // Something of the pool's own is made with its first task.
    peer.burst(1, &mut || ())?;
    let (before, mut full) = (read(), 0.0);
    let sum = peer.burst(BURST, &mut || {
        thread::sleep(REST);
        full = read();
    });
    assert_eq!(sum?, BURST as u64, "{}: burst", peer.name());
    thread::sleep(REST);
    let megabytes = |bytes: f64| bytes / 1e6;
    let figures = [megabytes(before), megabytes(full), megabytes(read())];
    Some(figures.into_iter().chain([(full - before) / BURST as f64]).collect())
}

/// How many bytes of this process are in memory.
fn resident() -> io::Result<f64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kilobytes = line.and_then(|line| line.trim().strip_suffix(" kB")?.parse::<f64>().ok());
    kilobytes.map(|kilobytes| kilobytes * 1024.0).ok_or(io::ErrorKind::InvalidData.into())
}
