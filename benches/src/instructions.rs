//! What `scripts/instructions` counts the instructions of: small graphs on a pool of one worker, as
//! a user of asynckit writes them, run so often as the command line says.
//!
//!     asynckit-instructions ROW REPETITIONS
//!
//! It prints how many tasks one repetition has. The difference between two numbers of repetitions is
//! free of what starting and ending a process takes, and of what is done once.

use std::hint::black_box;

use asynckit::{AsyncResult, Error, Observer, Pool, async_work, chain, current};

/// How many tasks the rows have, or about so many.
const TASKS: usize = 2000;
/// How many tasks the fan has between its first and its last.
const FAN: usize = 1000;
/// The stencil's width and depth.
const WIDTH: usize = 64;
const DEPTH: usize = 31;
/// The leaves of the tree.
const LEAVES: usize = 1024;
/// Which of Fibonacci's numbers, and the number of calls that it takes.
const FIB: (u64, usize) = (15, 1973);

/// What each task does: next to nothing, which the optimizer can't see through.
fn body(n: u64) -> u64 {
    black_box(n.wrapping_add(1))
}

#[async_work]
fn of_none(n: u64) -> u64 {
    body(n)
}

#[async_work]
fn of_one(a: &u64, n: u64) -> u64 {
    body(a.wrapping_add(n))
}

#[async_work]
fn of_two(a: &u64, b: &u64, n: u64) -> u64 {
    body(a.wrapping_add(*b).wrapping_add(n))
}

#[async_work]
fn of_three(a: &u64, b: &u64, c: &u64, n: u64) -> u64 {
    body(a.wrapping_add(*b).wrapping_add(*c).wrapping_add(n))
}

#[async_work]
fn of_four(a: &u64, b: &u64, c: &u64, d: &u64, n: u64) -> u64 {
    body(a.wrapping_add(*b).wrapping_add(*c).wrapping_add(*d).wrapping_add(n))
}

#[async_work]
fn of_many(all: Vec<u64>, n: u64) -> u64 {
    body(all.into_iter().fold(n, u64::wrapping_add))
}

#[async_work]
fn pair(a: u64, b: u64) -> u64 {
    body(a.wrapping_add(b))
}

#[async_work]
fn spawn_all(tasks: u64) -> Result<u64, Error> {
    let here = current();
    let results: Vec<_> = (0..tasks).map(|n| of_none(n).spawn_on(&here)).collect();
    results.into_iter().map(AsyncResult::get).sum()
}

#[async_work]
fn fib(n: u64) -> Result<u64, Error> {
    if n < 2 {
        return Ok(n);
    }
    let here = current();
    let (a, b) = (fib(n - 1).spawn_on(&here), fib(n - 2).spawn_on(&here));
    Ok(a.get()? + b.get()?)
}

/// The value of a task that can't fail.
fn value(result: AsyncResult<u64>) -> u64 {
    result.get().expect("the work can't fail")
}

/// A graph: for each task the ones before it whose values it needs.
struct Graph {
    inputs: Vec<Vec<usize>>,
    ends: Vec<usize>,
    answer: u64,
}

impl Graph {
    fn new(inputs: impl Iterator<Item = Vec<usize>>) -> Graph {
        let inputs: Vec<Vec<usize>> = inputs.collect();
        let mut is_end = vec![true; inputs.len()];
        let mut values: Vec<u64> = Vec::with_capacity(inputs.len());
        for needed in &inputs {
            needed.iter().for_each(|&input| is_end[input] = false);
            values.push(needed.iter().fold(1, |sum, &input| sum.wrapping_add(values[input])));
        }
        let ends: Vec<usize> = (0..inputs.len()).filter(|&task| is_end[task]).collect();
        let answer = ends.iter().fold(0, |sum: u64, &end| sum.wrapping_add(values[end]));
        Graph { inputs, ends, answer }
    }

    /// Each task needs the one before.
    fn chain() -> Graph {
        Graph::new((0..TASKS).map(|task| task.checked_sub(1).into_iter().collect()))
    }

    /// One task, many that need it, and one that needs all of these.
    fn fan() -> Graph {
        Graph::new((0..FAN + 2).map(|task| match task {
            0 => Vec::new(),
            _ if task <= FAN => vec![0],
            _ => (1..=FAN).collect(),
        }))
    }

    /// Each task needs the one above it, and that one's neighbours. At the edges there is one less.
    fn stencil() -> Graph {
        Graph::new((0..WIDTH * DEPTH).map(|task| {
            let Some(above) = task.checked_sub(WIDTH) else { return Vec::new() };
            let (row, column) = (above / WIDTH * WIDTH, above % WIDTH);
            let columns = column.saturating_sub(1)..=(column + 1).min(WIDTH - 1);
            columns.map(|column| row + column).collect()
        }))
    }

    /// Each task needs up to four of the hundred before it.
    fn random() -> Graph {
        let mut state = 0x2545_F491_4F6C_DD1Du64;
        let mut below = move |limit: u64| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            ((state >> 33) % limit) as usize
        };
        Graph::new((0..TASKS).map(|task| {
            let mut inputs = Vec::new();
            for _ in 0..below(5) {
                let input = task.checked_sub(1 + below(100));
                inputs.extend(input.filter(|input| !inputs.contains(input)));
            }
            inputs
        }))
    }

    /// Runs it: each task is lent what it needs, but for one that needs a list.
    fn run(&self, pool: &Pool) -> u64 {
        let n = black_box(0);
        let mut results: Vec<AsyncResult<u64>> = Vec::with_capacity(self.inputs.len());
        for inputs in &self.inputs {
            let result = match **inputs {
                [] => of_none(n).spawn_on(pool),
                [a] => {
                    let a = &results[a];
                    chain!(pool, of_one(a, n))
                }
                [a, b] => {
                    let (a, b) = (&results[a], &results[b]);
                    chain!(pool, of_two(a, b, n))
                }
                [a, b, c] => {
                    let (a, b, c) = (&results[a], &results[b], &results[c]);
                    chain!(pool, of_three(a, b, c, n))
                }
                [a, b, c, d] => {
                    let (a, b, c, d) = (&results[a], &results[b], &results[c], &results[d]);
                    chain!(pool, of_four(a, b, c, d, n))
                }
                ref more => {
                    let all: Vec<_> = more.iter().map(|&input| results[input].clone()).collect();
                    chain!(pool, of_many(all, n))
                }
            };
            results.push(result);
        }
        let value = |end: &usize| *results[*end].get_ref().expect("the work can't fail");
        self.ends.iter().map(value).fold(0, u64::wrapping_add)
    }
}

fn spawn_outside(pool: &Pool) -> u64 {
    let results: Vec<_> = (0..TASKS as u64).map(|n| of_none(n).spawn_on(pool)).collect();
    results.into_iter().map(value).sum()
}

/// Pairs of values are moved into the tasks of the next level, up to the root.
fn tree(pool: &Pool) -> u64 {
    let mut level: Vec<_> = (0..LEAVES).map(|_| of_none(0).spawn_on(pool)).collect();
    while level.len() > 1 {
        let mut below = level.into_iter();
        let mut next = Vec::with_capacity(below.len() / 2);
        while let (Some(a), Some(b)) = (below.next(), below.next()) {
            next.push(chain!(pool, pair(a, b)));
        }
        level = next;
    }
    level.into_iter().map(value).sum()
}

/// The stencil on a pool where somebody looks on.
const OBSERVED: &str = "stencil-seen";

/// Looks on and does nothing.
struct Idle;

impl Observer for Idle {}

/// How many tasks one repetition of a row has, what it comes to, and how it is run.
type Row = (usize, u64, Box<dyn Fn(&Pool) -> u64>);

fn row(name: &str) -> Option<Row> {
    let spawned = (1..=TASKS as u64).sum();
    let of = |graph: Graph| -> Row {
        (graph.inputs.len(), graph.answer, Box::new(move |pool| graph.run(pool)))
    };
    Some(match name {
        "spawn-outside" => (TASKS, spawned, Box::new(spawn_outside)),
        "spawn-inside" => {
            (TASKS, spawned, Box::new(|pool| value(spawn_all(TASKS as u64).spawn_on(pool))))
        }
        "link" => of(Graph::chain()),
        "fan" => of(Graph::fan()),
        "stencil" | OBSERVED => of(Graph::stencil()),
        "tree" => (2 * LEAVES - 1, 2 * LEAVES as u64 - 1, Box::new(tree)),
        "fib" => (FIB.1, 610, Box::new(|pool| value(fib(FIB.0).spawn_on(pool)))),
        "random" => of(Graph::random()),
        _ => return None,
    })
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [name, repetitions] = &arguments[..] else { panic!("a row, and how often") };
    let repetitions: u32 = repetitions.parse().expect("a number of repetitions");
    let (tasks, answer, run) = row(name).expect("the name of a row");
    let builder = Pool::builder().workers(1);
    let builder = if name == OBSERVED { builder.observer(Idle) } else { builder };
    let pool = builder.build().expect("a thread can be started");
    for _ in 0..repetitions {
        assert_eq!(run(&pool), answer, "{name}");
    }
    println!("{tasks}");
}
