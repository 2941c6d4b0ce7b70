//! What it costs to be recorded: a stencil whose tasks compute for 1 µs and for 10 µs, not observed, recorded, and
//! with progress shown.
//!
//! ```text
//! cargo bench -p asynckit-view
//! ```
//!
//! The three take turns, so that what disturbs the machine for a while disturbs all of them. Printed are the medians
//! of the time a task; by how much the others are slower than the first, as the median of what each round says, with
//! the quarter below and above which a quarter of them are; and the least of each, which on a busy machine says more.

use std::hint::black_box;
use std::time::{Duration, Instant};

use asynckit::{AsyncResult, Pool, Results, async_work, chain};
use asynckit_view::{Recording, progress};

const WIDTH: usize = 64;
const ROWS: usize = 500;
const ROUNDS: usize = 40;
const TASKS: usize = WIDTH * ROWS;

/// Computes for so many nanoseconds.
fn compute(nanos: u64) -> u64 {
    let (begin, long) = (Instant::now(), Duration::from_nanos(nanos));
    let mut sum = 0_u64;
    while begin.elapsed() < long {
        sum = black_box(sum.wrapping_add(1));
    }
    sum
}

#[async_work]
fn step(a: &u64, b: &u64, c: &u64, nanos: u64) -> u64 {
    a.wrapping_add(*b).wrapping_add(*c).wrapping_add(compute(nanos))
}

/// Nanoseconds a task.
fn stencil(pool: &Pool, nanos: u64) -> f64 {
    let begin = Instant::now();
    let mut row: Vec<AsyncResult<u64>> = (0..WIDTH as u64).map(|n| pool.spawn(move || n)).collect();
    for _ in 1..ROWS {
        row = (0..WIDTH)
            .map(|k| {
                let at = |d: usize| &row[(k + WIDTH + d - 1) % WIDTH];
                let (a, b, c) = (at(0), at(1), at(2));
                chain!(pool, step(a, b, c, nanos))
            })
            .collect();
    }
    row.join_all().get().unwrap();
    begin.elapsed().as_nanos() as f64 / TASKS as f64
}

fn plain(nanos: u64) -> f64 {
    stencil(&Pool::new(2), nanos)
}

fn recorded(nanos: u64) -> f64 {
    let pool = Pool::new(2);
    let recording = Recording::of(&pool);
    let time = stencil(&pool, nanos);
    assert_eq!(recording.finish().tasks(), TASKS);
    time
}

fn shown(nanos: u64) -> f64 {
    let pool = Pool::new(2);
    let _bar = progress::lines(&pool, Duration::from_secs(3600), std::io::sink());
    stencil(&pool, nanos)
}

/// Nanoseconds a task with a body of so many.
type Way = fn(u64) -> f64;

fn main() {
    println!("{WIDTH} × {ROWS} tasks on 2 workers, {ROUNDS} rounds; ns a task\n");
    println!("| body | | median | slower by | quarters | least | slower by |");
    println!("|---|---|---|---|---|---|---|");
    for nanos in [1_000, 10_000] {
        let ways: [(&str, Way); 3] =
            [("not observed", plain), ("recorded", recorded), ("progress", shown)];
        let mut times = [const { Vec::new() }; 3];
        for _ in 0..ROUNDS {
            for (way, times) in ways.iter().zip(&mut times) {
                times.push(way.1(nanos));
            }
        }
        let not_observed = times[0].clone();
        for ((name, _), times) in ways.iter().zip(times) {
            let more = |time: f64, than: f64| 100.0 * (time / than - 1.0);
            let ratios = times.iter().zip(&not_observed).map(|(time, than)| more(*time, *than));
            let (ratios, times) = (sorted(ratios.collect()), sorted(times));
            let least = sorted(not_observed.clone())[0];
            println!(
                "| {} µs | {name} | {:.0} | {:+.1} % | {:+.1} to {:+.1} % | {:.0} | {:+.1} % |",
                nanos / 1_000,
                times[ROUNDS / 2],
                ratios[ROUNDS / 2],
                ratios[ROUNDS / 4],
                ratios[3 * ROUNDS / 4],
                times[0],
                more(times[0], least),
            );
        }
    }
}

fn sorted(mut numbers: Vec<f64>) -> Vec<f64> {
    numbers.sort_by(f64::total_cmp);
    numbers
}
