//! What an item of a stream costs, beside a pipeline of channels and oneTBB's `parallel_pipeline`: two stages with the
//! limits 8 and 2, and an end that gets the items one at a time.
//!
//! All have the same threads; the caller makes the items. A pipeline of channels has a thread for the end, one for the
//! second stage, and the others for the first; it does not keep the items' order.

use std::hint::black_box;
use std::thread;
use std::time::Instant;

use asynckit::Pool;
use clap::Parser;
use crossbeam_channel::bounded;

use body::{Body, Pace};
use tbb::Program;

// The other programs use the rest of it.
#[allow(dead_code)]
mod body;
mod tbb;

/// The limits of the stages.
const LIMITS: [usize; 2] = [8, 2];
/// How long a stage takes in ns, and of how many of the items that are asked for that is measured: one in so many.
const BODIES: [(f64, u64); 3] = [(0.0, 1), (1000.0, 4), (10_000.0, 40)];

/// Compares streams with other pipelines.
#[derive(Parser)]
struct Options {
    /// How many items the fastest row has; 10,000,000 shows that memory does not grow.
    #[arg(long, default_value_t = 400_000, value_parser = clap::value_parser!(u64).range(1000..))]
    items: u64,
    /// How often everything is measured; the table has the medians.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..))]
    rounds: u32,
    /// How many threads each has besides the caller's.
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u16).range(3..))]
    threads: u16,
}

fn stage(n: u64, body: Body) -> u64 {
    body.run();
    black_box(n + 1)
}

fn by_stream(pool: &Pool, items: u64, body: Body, in_order: bool) -> u64 {
    let first = pool.stream(0..items).map(|n| stage(n, body)).limit(LIMITS[0]);
    let second = first.map(|n| stage(n, body)).limit(LIMITS[1]);
    let stream = if in_order { second } else { second.unordered() };
    stream.fold(0, |sum, n| sum + n).expect("no stage panics")
}

fn by_channels(threads: usize, items: u64, body: Body) -> u64 {
    let (first, to_first) = bounded(LIMITS[0]);
    let (second, to_second) = bounded(LIMITS[0]);
    let (end, to_end) = bounded::<u64>(LIMITS[1]);
    thread::scope(|s| {
        for _ in 0..threads - 2 {
            let (items, next) = (to_first.clone(), second.clone());
            s.spawn(move || items.iter().try_for_each(|n| next.send(stage(n, body))));
        }
        drop((to_first, second));
        s.spawn(move || to_second.iter().try_for_each(|n| end.send(stage(n, body))));
        let sum = s.spawn(move || to_end.iter().sum());
        (0..items).for_each(|n| first.send(n).expect("the stages are there"));
        drop(first);
        sum.join().expect("the end does not panic")
    })
}

/// What that comes to, and how many ns it takes.
fn timed(work: impl FnOnce() -> u64) -> (u64, f64) {
    let begin = Instant::now();
    let answer = work();
    (answer, begin.elapsed().as_nanos() as f64)
}

fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures[figures.len() / 2]
}

/// Megabytes of the process that were ever resident, where the system tells.
fn most_resident() -> Option<f64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.split_whitespace().next()?.parse::<f64>().ok().map(|kilobytes| kilobytes / 1024.0)
}

fn main() {
    let options = Options::parse();
    let (threads, pace) = (usize::from(options.threads), Pace::measure());
    let pool = Pool::new(threads);
    // Its caller takes part.
    let mut tbb = (!tbb::PATH.is_empty()).then(|| Program::start(threads + 1));
    let theirs = tbb.as_mut().map(|tbb| tbb.ask("pace 1000000").1.as_nanos() as f64 / 1e6);
    println!("{threads} threads and the caller, ns an item, medians of {} rounds", options.rounds);
    println!("stage, ns | in order | unordered | channels | oneTBB");
    for (length, one_in) in BODIES {
        let (items, body) = (options.items / one_in, pace.body(length));
        let mut rows = [const { Vec::new() }; 4];
        for _ in 0..options.rounds {
            let mut figures = vec![
                timed(|| by_stream(&pool, items, body, true)),
                timed(|| by_stream(&pool, items, body, false)),
                timed(|| by_channels(threads, items, body)),
            ];
            if let Some((tbb, step)) = tbb.as_mut().zip(theirs) {
                let steps = (length / step).round();
                let (sum, took) = tbb.ask(&format!("stream {items} {steps}"));
                figures.push((sum, took.as_nanos() as f64));
            }
            for (row, (sum, took)) in rows.iter_mut().zip(figures) {
                assert_eq!(sum, items * (items - 1) / 2 + 2 * items);
                row.push(took / items as f64);
            }
        }
        let cells = rows.map(|row| match row.is_empty() {
            true => "–".to_owned(),
            false => format!("{:.0}", median(row)),
        });
        println!("{length} | {}", cells.join(" | "));
    }
    if let Some(megabytes) = most_resident() {
        println!("{} items at most; {megabytes:.1} MB were resident at most", options.items);
    }
}
