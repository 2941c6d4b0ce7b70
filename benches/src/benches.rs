//! Runs the same work on asynckit and on its peers, and prints how long a task takes each of them.

use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use clap::Parser;

use alone::Question;
use body::Pace;
use peers::Peer;
use workloads::Workload;

mod alone;
mod body;
mod graph;
mod peers;
mod table;
mod tbb;
mod workloads;

/// One measurement that takes longer than this is taken for a hang.
const LIMIT: Duration = Duration::from_secs(120);

/// Compares asynckit with other thread pools and executors.
#[derive(Parser)]
struct Options {
    /// How often everything is measured; the table has the medians.
    #[arg(long, default_value_t = 7, value_parser = clap::value_parser!(u32).range(1..))]
    rounds: u32,
    /// Runs only workloads and peers whose names contain this; may be given several times, for
    /// either.
    #[arg(long, value_name = "PATTERN")]
    only: Vec<String>,
    /// How many threads each pool has.
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u16).range(1..))]
    threads: u16,
    /// Asks this one peer a question and prints the figures, and nothing else.
    #[arg(long, hide = true, value_name = "PEER", requires = "question")]
    alone: Option<String>,
    #[arg(long, hide = true)]
    question: Option<Question>,
}

/// What the measuring thread tells the one that watches it.
enum Report {
    /// It begins a measurement: of this peer, by this workload.
    Begins(&'static str, &'static str),
    /// All of a workload's rounds are done: the figures of each peer.
    Row(&'static str, Vec<Vec<f64>>),
    /// The same, of a workload whose figures are all of interest.
    Spread(&'static str, Vec<Vec<f64>>),
}

fn main() {
    let options = Options::parse();
    let threads = usize::from(options.threads);
    if let Some((peer, question)) = options.alone.zip(options.question) {
        return alone::answer(&peer, question, threads);
    }
    let is_asked_for = |name: &str| options.only.iter().any(|pattern| pattern == name);
    let names = chosen(peers::names(is_asked_for), |name| *name, &options.only);
    let peers: Vec<_> = names.iter().filter_map(|name| peers::start(name, threads)).collect();
    let workloads =
        chosen(workloads::all(threads, Pace::measure()), |workload| workload.name, &options.only);

    println!("{threads} threads, medians of {} rounds", options.rounds);
    if let Some(why_not) = peers::onetbb::why_not() {
        println!("without {}: {why_not}", peers::onetbb::NAME);
    }
    table::print_head(&names);
    let (reports, reported) = mpsc::channel();
    let measuring = thread::spawn(move || {
        let mut spreads = Vec::new();
        for workload in &workloads {
            let figures = measure(workload, &peers, options.rounds, &reports);
            if workload.is_spread {
                spreads.push(Report::Spread(workload.name, figures.clone()));
            }
            reports.send(Report::Row(workload.name, figures)).expect("it is watched");
        }
        spreads.into_iter().for_each(|spread| reports.send(spread).expect("it is watched"));
    });
    watch(&names, &reported);
    measuring.join().expect("a measurement has failed");
}

/// Those whose name has one of the patterns, or all where no name has.
fn chosen<T>(all: Vec<T>, name: impl Fn(&T) -> &'static str, patterns: &[String]) -> Vec<T> {
    let fits = |one: &T| patterns.iter().any(|pattern| name(one).contains(pattern));
    if all.iter().any(fits) { all.into_iter().filter(fits).collect() } else { all }
}

/// The figures of a workload, for each peer. In each round all peers take their turn, so that what
/// disturbs the machine for a while disturbs all of them.
fn measure(
    workload: &Workload,
    peers: &[Box<dyn Peer>],
    rounds: u32,
    reports: &mpsc::Sender<Report>,
) -> Vec<Vec<f64>> {
    let mut figures = vec![Vec::new(); peers.len()];
    for _ in 0..workload.rounds.unwrap_or(rounds) {
        for (peer, figures) in peers.iter().zip(&mut figures) {
            reports.send(Report::Begins(peer.name(), workload.name)).expect("it is watched");
            figures.extend(workload.measure(&**peer));
        }
    }
    figures
}

/// Prints rows as they come, and ends the program where one does not.
fn watch(peers: &[&str], reported: &mpsc::Receiver<Report>) {
    let mut last = ("", "");
    loop {
        match reported.recv_timeout(LIMIT) {
            Ok(Report::Begins(peer, workload)) => last = (peer, workload),
            Ok(Report::Row(workload, figures)) => table::print_row(workload, peers, &figures),
            Ok(Report::Spread(workload, figures)) => {
                table::print_spread(workload, peers, &figures);
            }
            Err(RecvTimeoutError::Disconnected) => return,
            Err(RecvTimeoutError::Timeout) => {
                eprintln!("{} hangs in: {}", last.0, last.1);
                std::process::exit(1);
            }
        }
    }
}

/// The figure in the middle.
fn median(mut figures: Vec<f64>) -> Option<f64> {
    figures.sort_by(f64::total_cmp);
    figures.get(figures.len() / 2).copied()
}
