//! One round: two pools, some builders, and somebody who disturbs them; and its end.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::thread;
use std::time::Duration;

use asynckit::{ErrorKind, Pool, work};
use crossbeam_channel::unbounded;

use crate::builder::Builder;
use crate::errands::{courier, getter};
use crate::expected::{Mercy, Node};
use crate::ledger::Ledger;
use crate::looks::look;
use crate::random::Random;
use crate::tally::{Left, TALLY, Value};
use crate::watch;

/// How a round differs from others.
#[derive(Debug)]
struct Weather {
    workers: usize,
    spares: usize,
    capacity: Option<usize>,
    builders: usize,
    /// How many steps each builder takes.
    steps: usize,
    /// Whether the number of workers changes.
    resizes: bool,
    /// How many tasks each builder may make that wait for others while they run.
    waiting_tasks: usize,
    mercy: Mercy,
    /// Whether the pools are stopped before all is looked at.
    stops_early: bool,
    /// Whether somebody looks on.
    is_seen: bool,
    /// Whether contexts follow the work.
    has_context: bool,
}

impl Weather {
    fn of(random: &mut Random) -> Weather {
        let calm = random.once_in(2);
        let stopped = !calm && random.once_in(2);
        let few_spares = !calm && random.once_in(3);
        let (workers, resizes) = (random.below(5), random.once_in(2));
        // Who waits runs any work of a pool without workers, also such as waits for the waiter.
        let waits = workers > 0 && !resizes;
        Weather {
            workers,
            spares: if few_spares { random.below(3) } else { 256 },
            capacity: random.once_in(3).then(|| 1 + random.below(40)),
            builders: 1 + random.below(3),
            steps: 20 + random.below(600),
            resizes,
            waiting_tasks: if waits { 20 } else { 0 },
            mercy: Mercy { cancelled: !calm, stopped, deadlock: few_spares },
            stops_early: stopped,
            is_seen: random.once_in(2),
            has_context: random.once_in(4),
        }
    }

    fn pool(&self, workers: usize, ledger: &Ledger) -> Pool {
        let builder = Pool::builder().workers(workers).max_spares(self.spares);
        let builder = builder.on_unobserved_error(|_| watch::progress());
        let builder = match self.capacity {
            Some(most) => builder.queue_capacity(most),
            None => builder,
        };
        let builder = if self.is_seen { builder.observer(ledger.clone()) } else { builder };
        let builder = if self.has_context { builder.context(context) } else { builder };
        let begun = Arc::new(AtomicUsize::new(0));
        let ends = begun.clone();
        let builder = builder.on_worker_start(move || _ = begun.fetch_add(1, SeqCst));
        let builder = builder.on_worker_stop(move || {
            if ends.fetch_sub(1, SeqCst) == 0 {
                watch::fail("a worker has ended that had not begun");
            }
        });
        builder.build().unwrap_or_else(|error| watch::fail(&error.to_string()))
    }
}

/// A value that follows the work, and another one as the guard of each of its runs.
fn context() -> impl Fn() -> Value {
    let taken = Value::new(3);
    move || Value::new(taken.read())
}

/// Runs the round of this seed.
pub fn run(seed: u64) {
    let mut random = Random::new(seed);
    let weather = Weather::of(&mut random);
    watch::round(seed, format!("{weather:?}"));
    let ledger = Ledger::default();
    let pools =
        [weather.pool(weather.workers, &ledger), weather.pool(1 + random.below(2), &ledger)];
    let left = build(&pools, &weather, &mut random);
    if weather.stops_early {
        end(pools, &mut random);
        // Whatever became of the pools, no result is left unset.
        look_at(left, &weather, &mut random);
    } else {
        watch::doing(0, "running the pools until they are idle");
        // One may have brought the other work.
        pools.iter().chain(&pools).for_each(Pool::run_until_idle);
        look_at(left, &weather, &mut random);
        end(pools, &mut random);
    }
    settle(&ledger);
}

fn look_at(left: Vec<Node>, weather: &Weather, random: &mut Random) {
    watch::doing(0, "looking at what the builders have left");
    for node in left {
        look(node, weather.mercy, random);
    }
}

/// Builds the graph; what the builders have left open.
fn build(pools: &[Pool; 2], weather: &Weather, random: &mut Random) -> Vec<Node> {
    let (errands, to_run) = unbounded();
    let (gets, to_get) = unbounded();
    let done = AtomicBool::new(false);
    thread::scope(|s| {
        let courier_random = random.fork();
        let courier = s.spawn(move || courier(&to_run, courier_random));
        let (mercy, getter_random) = (weather.mercy, random.fork());
        let getter = s.spawn(move || getter(1, &to_get, mercy, getter_random));
        let disturber_random = random.fork();
        let disturber = s.spawn(|| disturb(pools, weather, disturber_random, &done));
        let builders: Vec<_> = (0..weather.builders)
            .map(|n| {
                let mut builder = Builder {
                    random: random.fork(),
                    pools,
                    open: Vec::new(),
                    errands: errands.clone(),
                    gets: gets.clone(),
                    mercy: weather.mercy,
                    waiting_tasks: weather.waiting_tasks,
                };
                s.spawn(move || {
                    let slot = 3 + n;
                    for _ in 0..weather.steps {
                        builder.step(slot);
                    }
                    if !weather.stops_early {
                        watch::doing(slot, "looking at what is open");
                        builder.finish();
                    }
                    watch::doing(slot, "");
                    builder.open
                })
            })
            .collect();
        drop((errands, gets));
        // Each is joined by its handle: the scope's own end is told by the standard library, out
        // of ThreadSanitizer's sight.
        let left = builders.into_iter().flat_map(join).collect();
        join(getter);
        done.store(true, SeqCst);
        join(disturber);
        join(courier);
        left
    })
}

fn join<T>(handle: thread::ScopedJoinHandle<'_, T>) -> T {
    handle.join().unwrap_or_else(|_| watch::fail("a thread of the stress panicked"))
}

/// Changes the number of workers, lends a hand where there are none, and stops the pools where the
/// weather is such.
fn disturb(pools: &[Pool; 2], weather: &Weather, mut random: Random, done: &AtomicBool) {
    let slot = 2;
    let mut stops_in = if weather.stops_early { 1 + random.below(200) } else { usize::MAX };
    while !done.load(SeqCst) {
        let which = random.below(2);
        let pool = &pools[which];
        if weather.resizes && random.once_in(3) {
            watch::doing(slot, "changing the number of workers");
            pool.set_worker_count(which + random.below(4));
        }
        if random.once_in(20) {
            watch::doing(slot, "looking at a pool");
            assert!(pool.snapshot().to_string().lines().count() < 70);
        }
        stops_in = stops_in.saturating_sub(1);
        if stops_in == 0 && weather.stops_early {
            stops_in = usize::MAX;
            stop(pool, &mut random, slot);
        }
        // Who awaits a result runs no work; here is who does where there are no workers.
        for pool in pools.iter().filter(|pool| pool.worker_count() == 0) {
            watch::doing(slot, "running a pool until it is idle");
            pool.run_until_idle();
        }
        watch::doing(slot, "");
        thread::sleep(Duration::from_micros(random.below(500) as u64));
    }
}

fn stop(pool: &Pool, random: &mut Random, slot: usize) {
    watch::doing(slot, "stopping");
    match random.below(4) {
        0 => pool.stop(),
        1 => pool.stop_now(),
        2 => pool.end_within(Duration::from_micros(random.below(2000) as u64)),
        _ => {
            let _ = pool.stop_timeout(Duration::from_micros(random.below(2000) as u64));
        }
    }
}

/// The pools' end, in one way or another.
fn end(pools: [Pool; 2], random: &mut Random) {
    watch::doing(0, "ending the pools");
    for pool in pools {
        match random.below(7) {
            0 => pool.stop(),
            1 => {
                pool.stop_now();
                assert!(work(|| ()).try_spawn_on(&pool).is_err());
            }
            2 => {
                let _ = pool.stop_timeout(Duration::from_micros(random.below(300) as u64));
            }
            3 => pool.run_until_idle(),
            4 => pool.set_worker_count(random.below(3)),
            5 => {
                pool.end_within(Duration::from_micros(random.below(300) as u64));
                let late = pool.spawn(|| ()).get().map_err(|error| error.kind());
                assert_eq!(late, Err(ErrorKind::Cancelled));
            }
            _ => {}
        }
        drop(pool);
    }
    watch::doing(0, "");
}

/// Waits until everything is dropped, and checks the counts.
fn settle(ledger: &Ledger) {
    watch::doing(0, "waiting until everything is dropped");
    // Threads that nobody joins, after a `stop_now`, may take a moment.
    while TALLY.left() != Left::NOTHING || ledger.open() > 0 {
        thread::sleep(Duration::from_micros(100));
    }
    let (written, made) = (TALLY.clones_written.load(SeqCst), TALLY.clones_made.load(SeqCst));
    if made > written {
        watch::fail("values were cloned that nobody wrote a clone of");
    }
    watch::doing(0, "");
}
