//! The workloads: what is measured, how it is checked, and in what it is counted.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use crate::alone::{self, Question};
use crate::body::{Body, Pace};
use crate::graph::Graph;
use crate::peers::Peer;

/// How many tasks the simple workloads have.
const TASKS: u64 = 100_000;
/// How often a task waits for a value that another one sets.
const WAITS: u64 = 5_000;
/// How many tasks a fan has between its first and its last, and how many fans are measured at once.
const FAN: usize = 10_000;
const FANS: usize = 10;
/// The stencil's width and depth.
const WIDTH: usize = 64;
const DEPTH: usize = 1000;
/// The leaves of the tree.
const LEAVES: usize = 1 << 16;
/// Which of Fibonacci's numbers: the value, and the number of calls that it takes.
const FIB: (u32, u64, u64) = (20, 6765, 21_891);
/// How many processes each tell one figure, where processes differ more than what happens in one.
const PROCESSES: u32 = 10;

/// The figure of a peer, unless it can't sensibly do the work.
type Measure = dyn Fn(&dyn Peer) -> Option<f64> + Send;

/// What comes before a measurement, in the same turn.
#[derive(Clone, Copy)]
enum Before {
    Nothing,
    /// The same work once, so that a peer has its memory and its caches as in the midst of a run: the peers whose turn
    /// it was before have had the caches, and longer than some keep memory that they don't use.
    Same,
    /// A rest, after which memory has gone back where a peer gives it back, and all threads sleep.
    Rest,
}

/// How long a rest is.
const REST: Duration = Duration::from_secs(1);

/// Something that peers are measured by; smaller figures are better.
pub struct Workload {
    pub name: &'static str,
    /// How often it is measured, where that is not for the user to say.
    pub rounds: Option<u32>,
    /// Whether all of its figures are of interest, and not only the one in the middle.
    pub is_spread: bool,
    /// What a peer does before each measurement.
    before: Before,
    measure: Box<Measure>,
}

impl Workload {
    fn new(
        name: &'static str,
        measure: impl Fn(&dyn Peer) -> Option<f64> + Send + 'static,
    ) -> Workload {
        let before = Before::Nothing;
        Workload { name, rounds: None, is_spread: false, before, measure: Box::new(measure) }
    }

    /// Measures the time from first to last, for each of so many tasks, and checks the result.
    fn timed(
        name: &'static str,
        tasks: usize,
        expected: u64,
        work: impl Fn(&dyn Peer) -> Option<u64> + Send + 'static,
    ) -> Workload {
        let measure = move |peer: &dyn Peer| {
            let (result, elapsed) = timed(peer, || work(peer));
            assert_eq!(result?, expected, "{}: {name}", peer.name());
            Some(elapsed.as_nanos() as f64 / tasks as f64)
        };
        Workload { before: Before::Same, ..Workload::new(name, measure) }
    }

    /// Measures a peer once.
    pub fn measure(&self, peer: &dyn Peer) -> Option<f64> {
        match self.before {
            Before::Nothing => {}
            Before::Same => {
                (self.measure)(peer)?;
            }
            Before::Rest => std::thread::sleep(REST),
        }
        (self.measure)(peer)
    }
}

/// All workloads.
pub fn all(threads: usize, pace: Pace) -> Vec<Workload> {
    let mut all = Vec::from(bursts(threads));
    all.extend(spawning());
    all.extend(shapes());
    all.extend(stencils(threads, pace));
    all.push(round_trips("round trip, warm", Question::Warm, threads));
    all.push(round_trips("round trip, 3 us", Question::WarmWithBody, threads));
    all.push(round_trips("round trip, cold", Question::Cold, threads));
    all
}

/// What some work of a peer comes to, and how long it takes.
fn timed<R>(peer: &dyn Peer, work: impl FnOnce() -> R) -> (R, Duration) {
    let begin = Instant::now();
    let result = work();
    let elapsed = begin.elapsed();
    (result, peer.took().unwrap_or(elapsed))
}

/// The figures of one process, in a row each.
fn bursts(threads: usize) -> [Workload; 4] {
    let known: Arc<Mutex<BTreeMap<&str, Vec<f64>>>> = Arc::default();
    let of = |name, at: usize| {
        let known = known.clone();
        let measure = move |peer: &dyn Peer| {
            let mut known = known.lock().expect("nothing has failed yet");
            let ask = || alone::ask(peer.name(), Question::Burst, threads);
            known.entry(peer.name()).or_insert_with(ask).get(at).copied()
        };
        Workload { rounds: Some(1), ..Workload::new(name, measure) }
    };
    [
        of("resident, before, MB", 0),
        of("resident, 1M tasks, MB", 1),
        of("resident, after, MB", 2),
        of("resident bytes a task", 3),
    ]
}

fn spawning() -> [Workload; 4] {
    let (tasks, sum) = (TASKS as usize, TASKS * (TASKS - 1) / 2);
    let outside = |name| Workload::timed(name, tasks, sum, |peer| Some(peer.spawn_outside(TASKS)));
    [
        outside("spawn from outside"),
        Workload { before: Before::Rest, ..outside("the same after a rest") },
        Workload::timed("spawn inside", tasks, sum, |peer| Some(peer.spawn_inside(TASKS))),
        Workload::timed("wait inside", WAITS as usize, WAITS * (WAITS - 1) / 2, |peer| {
            peer.wait_inside(WAITS)
        }),
    ]
}

fn shapes() -> [Workload; 6] {
    let of = |name, graph: Arc<Graph>, work: fn(&dyn Peer, &Arc<Graph>) -> u64| {
        let (tasks, answer) = (graph.len(), graph.answer());
        Workload::timed(name, tasks, answer, move |peer| Some(work(peer, &graph)))
    };
    let fan = Graph::fan(FAN);
    let answer = fan.answer();
    let (n, number, calls) = FIB;
    [
        of("chain, 100k links", Graph::chain(TASKS as usize), |peer, graph| peer.chain(graph)),
        Workload::timed("1 to 10k to 1", FANS * fan.len(), answer, move |peer| {
            (0..FANS).map(|_| peer.fan(&fan)).max()
        }),
        of("tree, 2^16 leaves", Graph::tree(LEAVES), |peer, graph| peer.tree(graph)),
        Workload::timed("fib, nested waits", calls as usize, number, move |peer| peer.fib(n)),
        of("random graph", Graph::random(TASKS as usize), |peer, graph| {
            peer.graph(graph, Body::EMPTY)
        }),
        released("random, released", Graph::random(TASKS as usize), None),
    ]
}

/// A graph of tasks without a body, which is all there before the time begins.
fn released(name: &'static str, graph: Arc<Graph>, width: Option<usize>) -> Workload {
    let answer = graph.answer();
    let measure = move |peer: &dyn Peer| {
        let (result, elapsed) = peer.released(&graph, width, Body::EMPTY)?;
        assert_eq!(result, answer, "{}: {name}", peer.name());
        Some(elapsed.as_nanos() as f64 / graph.len() as f64)
    };
    Workload { before: Before::Same, ..Workload::new(name, measure) }
}

fn stencils(threads: usize, pace: Pace) -> [Workload; 6] {
    let graph = Graph::stencil(WIDTH, DEPTH);
    let answer = graph.answer();
    let of = |name, body| {
        let graph = graph.clone();
        Workload::timed(name, graph.len(), answer, move |peer| {
            Some(peer.stencil(&graph, WIDTH, body))
        })
    };
    let metg = |name, run: Grain| {
        let graph = graph.clone();
        Workload::new(name, move |peer| {
            let run = |body| {
                let (result, elapsed) = run(peer, &graph, body)?;
                assert_eq!(result, answer, "{}: {name}", peer.name());
                Some(elapsed)
            };
            smallest_grain(run, graph.len(), threads, pace)
        })
    };
    [
        of("stencil, empty", Body::EMPTY),
        released("stencil, released", graph.clone(), Some(WIDTH)),
        of("stencil, 1 us", pace.body(1000.0)),
        of("stencil, 10 us", pace.body(10_000.0)),
        metg("METG", |peer, graph, body| Some(timed(peer, || peer.stencil(graph, WIDTH, body)))),
        metg("METG, released", |peer, graph, body| peer.released(graph, Some(WIDTH), body)),
    ]
}

/// Runs a stencil with a body: what it comes to, and how long it takes.
type Grain = fn(&dyn Peer, &Arc<Graph>, Body) -> Option<(u64, Duration)>;

/// The length of the shortest body with which the threads spend half of their time in bodies, if
/// bodies of up to 16 us do.
fn smallest_grain(
    run: impl Fn(Body) -> Option<Duration>,
    tasks: usize,
    threads: usize,
    pace: Pace,
) -> Option<f64> {
    let efficient = |body| {
        let elapsed = run(body)?;
        let useful = pace.nanoseconds(body) * tasks as f64;
        Some(useful >= 0.5 * elapsed.as_nanos() as f64 * threads as f64)
    };
    // Halves the interval between a body that is too short and one that is long enough, in
    // proportion: eight steps leave three per cent.
    let (mut short, mut long) = (10.0f64, 16_000.0f64);
    let mut smallest = None;
    for _ in 0..8 {
        let middle = (short * long).sqrt();
        let body = pace.body(middle);
        // Whatever else runs can only slow it down, so one good run of two is enough.
        if efficient(body)? || efficient(body)? {
            long = middle;
            smallest = Some(middle);
        } else {
            short = middle;
        }
    }
    smallest
}

fn round_trips(name: &'static str, question: Question, threads: usize) -> Workload {
    let measure =
        move |peer: &dyn Peer| alone::ask(peer.name(), question, threads).first().copied();
    Workload { rounds: Some(PROCESSES), is_spread: true, ..Workload::new(name, measure) }
}
