//! Snapshots of a pool in which some things stand still and others storm: right each time, and in nobody's way.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use asynckit::observe::{CallSite, PoolPhase, Waiting, WayEnd};
use asynckit::{AsyncResult, Limit, Pool, Results, Snapshot, async_work};

use crate::support::{Gate, eventually, soon};

#[async_work]
fn hold(gate: Gate) {
    gate.pass();
}

#[async_work]
fn count(all: Arc<AtomicU64>) {
    all.fetch_add(1, Ordering::Relaxed);
}

/// A hundred short tasks, which count themselves; their line.
fn storm(pool: &Pool, all: &Arc<AtomicU64>) -> u32 {
    let (line, hundred) = (line!(), (0..100).map(|_| count(all.clone()).spawn_on(pool)).join_all());
    hundred.get().unwrap();
    line
}

/// What stands still in a pool while other work storms through it: two tasks at a gate, one of them with the only permit of
/// a limit, three in its line, one that waits for a value that the program sets, and one that needs that.
struct Still {
    gate: Gate,
    value: AsyncResult<u32>,
    limit: Limit,
    /// The lines of the calls.
    at_gate: u32,
    with_permit: u32,
    in_line: u32,
    waits: u32,
    needs: u32,
    ends: Vec<AsyncResult<()>>,
}

impl Still {
    fn begin(pool: &Pool) -> Still {
        let (gate, value, limit) = (Gate::new(), AsyncResult::<u32>::new(), Limit::new(1));
        let (at_gate, first) = (line!(), hold(gate.clone()).spawn_on(pool));
        let (with_permit, second) = (line!(), hold(gate.clone()).limit(&limit).spawn_on(pool));
        let mut ends = vec![first, second];
        eventually("both run", || pool.snapshot().running.len() == 2);
        let in_line = line!() + 1;
        ends.extend((0..3).map(|_| hold(gate.clone()).limit(&limit).spawn_on(pool)));
        let its = value.clone();
        let (waits, waiter) = (line!(), pool.spawn(move || drop(its.get())));
        let (needs, needing) = (line!(), value.clone().map(drop).spawn_on(pool));
        ends.extend([waiter, needing]);
        eventually("it waits", || pool.snapshot().waits.len() == 1);
        Still { gate, value, limit, at_gate, with_permit, in_line, waits, needs, ends }
    }

    /// Whether a snapshot shows just that, beside what storms.
    #[track_caller]
    fn check(&self, snapshot: &Snapshot, storm: u32) {
        let lines =
            |calls: &[CallSite]| -> Vec<u32> { calls.iter().map(|call| call.at.line()).collect() };
        let runs =
            |line: u32| snapshot.running.iter().filter(move |one| one.call.at.line() == line);
        for line in [self.at_gate, self.with_permit] {
            let all: Vec<_> = runs(line).collect();
            let [one] = &all[..] else { panic!("{} of line {line} run: {snapshot}", all.len()) };
            assert!(one.call.name.ends_with("hold") && !one.waits && !one.is_settled, "{snapshot}");
        }
        let waiters: Vec<_> = runs(self.waits).collect();
        assert!(waiters.len() == 1 && waiters[0].waits, "{snapshot}");
        assert_eq!(runs(self.in_line).count() + runs(self.needs).count(), 0, "{snapshot}");

        let by_hand = |wait: &&Waiting| wait.call.is_some_and(|call| call.at.line() == self.waits);
        let waits: Vec<_> = snapshot.waits.iter().filter(by_hand).collect();
        let [wait] = &waits[..] else { panic!("{snapshot}") };
        assert!(wait.on.len() == 1 && wait.on[0].end == WayEnd::ByHand, "{snapshot}");
        assert_eq!(wait.row.id(), waiters[0].row.id(), "{snapshot}");

        let [used] = &snapshot.limits[..] else { panic!("{snapshot}") };
        assert_eq!((used.taken, used.in_line), (1, 3), "{snapshot}");
        assert_eq!(lines(&used.holders), [self.with_permit], "{snapshot}");
        assert_eq!(lines(&used.line), [self.in_line; 3], "{snapshot}");
        assert_eq!(snapshot.suspended.iter().filter(|one| one.in_line).count(), 3, "{snapshot}");
        let roots: Vec<_> = snapshot.roots.iter().filter(|root| root.by_hand).collect();
        let [root] = &roots[..] else { panic!("{snapshot}") };
        assert_eq!((root.waiting, lines(&root.dependents)), (1, vec![self.needs]), "{snapshot}");

        // Nothing else but the storm, a thread is in one task at a time unless that waits, and no more threads than there are.
        let known = [self.at_gate, self.with_permit, self.waits, storm];
        let mut rows = Vec::new();
        for one in &snapshot.running {
            let line = one.call.at.line();
            assert!(known.contains(&line), "line {line} runs: {snapshot}");
            assert!(!rows.contains(&one.row.id()), "two on one thread: {snapshot}");
            rows.push(one.row.id());
        }
        assert!(rows.len() <= 8, "{snapshot}");
        assert_eq!((snapshot.workers, snapshot.phase), (5, PoolPhase::Open));
        assert!(snapshot.callbacks.is_empty(), "{snapshot}");
        assert!(snapshot.to_string().lines().count() <= 60, "{snapshot}");
    }

    fn end(self) {
        self.gate.open();
        self.value.set(1).unwrap();
        self.ends.into_iter().join_all().get().unwrap();
        assert_eq!(self.limit.waiting(), 0);
    }
}

#[test]
fn snapshots_are_right_while_a_pool_is_busy_and_hold_nothing_up() {
    /// So much of what is done beside a thread that does anything else is done beside one that takes snapshots all the
    /// time, by the median of many short whiles: the machine may be busy with other things.
    const PART: f64 = 0.2;
    const SNAPSHOTS: usize = 2_000;
    soon(|| {
        let pool = Pool::builder().workers(5).build().unwrap();
        let still = Still::begin(&pool);
        let (done, over) = (Arc::new(AtomicU64::new(0)), AtomicBool::new(false));
        let line = storm(&pool, &done);
        thread::scope(|s| {
            let (pool, done, over) = (&pool, &done, &over);
            s.spawn(move || {
                while !over.load(Ordering::Relaxed) {
                    storm(pool, done);
                }
            });
            // If it fails the storm is to end as well.
            let _over = Over(over);
            // How much of the storm goes by in a second.
            let rate = |what: &mut dyn FnMut()| {
                let (before, begin) = (done.load(Ordering::Relaxed), Instant::now());
                while begin.elapsed() < Duration::from_millis(50) {
                    what();
                }
                (done.load(Ordering::Relaxed) - before) as f64 / begin.elapsed().as_secs_f64()
            };
            let (mut beside, mut alone, mut taken) = (Vec::new(), Vec::new(), 0);
            while taken < SNAPSHOTS || beside.len() < 25 {
                beside.push(rate(&mut || {
                    still.check(&pool.snapshot(), line);
                    taken += 1;
                }));
                alone.push(rate(&mut || std::hint::spin_loop()));
            }
            let [beside, alone] = [beside, alone].map(|mut rates| {
                rates.sort_by(f64::total_cmp);
                rates[rates.len() / 2]
            });
            assert!(
                beside >= PART * alone,
                "{beside:.0} with {taken} snapshots, {alone:.0} without"
            );
        });
        still.end();
        pool.stop();
    });
}

/// Says so where a test fails, too.
struct Over<'a>(&'a AtomicBool);

impl Drop for Over<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}
