//! Those who look on are told who leaves the line of a limit without a permit, and when.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use asynckit::observe::{LineJoined, LineLeft, Observer, PermitGiven, PermitTaken};
use asynckit::{
    AsyncResult, CancelToken, Limit, Pool, Rate, Results, Retry, async_work, current, try_work,
    work,
};

use crate::support::{Gate, eventually, soon};

/// Writes down what it is told of lines and permits.
#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<String>>>);

impl Lines {
    fn note(&self, what: &str, weight: usize) {
        self.0.lock().unwrap().push(format!("{what} {weight}"));
    }

    fn told(&self) -> Vec<String> {
        self.0.lock().unwrap().clone()
    }

    fn count(&self, what: &str) -> usize {
        self.told().iter().filter(|told| *told == what).count()
    }
}

impl Observer for Lines {
    fn stands_in_line(&self, e: &LineJoined<'_>) {
        self.note("in line", e.weight);
    }

    fn left_line(&self, e: &LineLeft<'_>) {
        self.note("left", e.weight);
    }

    fn got_permit(&self, e: &PermitTaken<'_>) {
        self.note("got", e.weight);
    }

    fn gave_permit(&self, e: &PermitGiven<'_>) {
        self.note("gave", e.weight);
    }
}

fn looked_on(workers: usize) -> (Pool, Lines) {
    let lines = Lines::default();
    let pool = Pool::builder().workers(workers).observer(lines.clone()).build().unwrap();
    (pool, lines)
}

const SHORT: Duration = Duration::from_millis(5);

#[async_work]
fn nothing() {}

/// Keeps so many permits until it may end.
fn hold(pool: &Pool, limit: &Limit) -> (AsyncResult<()>, Gate) {
    let (begun, gate) = (Gate::new(), Gate::new());
    let held = {
        let (begun, gate) = (begun.clone(), gate.clone());
        work(move || {
            begun.open();
            gate.pass();
        })
    };
    let held = held.limit(limit).spawn_on(pool);
    begun.pass();
    (held, gate)
}

fn looked_on_by_seed() -> (Pool, Lines) {
    let lines = Lines::default();
    let pool = Pool::builder().deterministic(1).observer(lines.clone()).build().unwrap();
    (pool, lines)
}

/// Likewise for half an hour of a pool's own clock, in a pause between two tries.
fn keep(pool: &Pool, limit: &Limit) -> AsyncResult<()> {
    let mut tries = 0;
    let pause = Retry::new(1).backoff(Duration::from_secs(3600)).work(move || {
        tries += 1;
        let is_first = tries == 1;
        try_work(move || if is_first { Err("once more") } else { Ok(()) })
    });
    pause.limit(limit).spawn_on(pool)
}

#[test]
fn work_in_place_that_is_out_of_time_has_left_the_line_before_it_returns() {
    soon(|| {
        let (pool, lines) = looked_on_by_seed();
        let limit = Limit::new(3);
        let kept = keep(&pool, &limit.take(3));
        let (its, seen) = (limit.clone(), lines.clone());
        let outer = work(move || {
            let inner = nothing().limit(&its.take(2)).deadline(SHORT).run();
            (inner.is_err(), seen.told())
        });
        let (is_late, told) = outer.spawn_on(&pool).get().unwrap();
        assert!(is_late);
        assert_eq!(told, ["got 3", "in line 2", "left 2"]);
        kept.get().unwrap();
        pool.run_until_idle();
        assert_eq!(lines.told()[3..], ["gave 3"]);
    });
}

#[test]
fn so_has_work_that_is_given_up_in_line_in_whatever_way() {
    /// Submits work that comes to stand in line, and gives it up. How often it stands there.
    type Way = fn(&Pool, &Limit) -> usize;
    let ways: [(&str, Way); 5] = [
        ("a cancel", |pool, limit| {
            let one = nothing().limit(limit).spawn_on(pool);
            assert_eq!(limit.waiting(), 1);
            one.cancel();
            1
        }),
        ("a token, and several", |pool, limit| {
            let token = CancelToken::new();
            let all = (0..3).map(|_| nothing().limit(limit).spawn_on(&token.on(pool)));
            let all = all.settle_all();
            assert_eq!(limit.waiting(), 3);
            token.cancel();
            drop(all.get());
            3
        }),
        ("a limit of time", |pool, limit| {
            assert!(nothing().limit(limit).deadline(SHORT).spawn_on(pool).get().is_err());
            1
        }),
        ("each try", |pool, limit| {
            let its = limit.clone();
            let tried = Retry::new(2).work(move || nothing().limit(&its).deadline(SHORT));
            assert!(tried.spawn_on(pool).get().is_err());
            3
        }),
        ("async work", |pool, limit| {
            let its = limit.clone();
            let outer = work(move || {
                let inner = awaits_nothing().limit(&its).deadline(SHORT).spawn_on(&current());
                inner.get().is_err()
            });
            assert!(outer.spawn_on(pool).get().unwrap());
            1
        }),
    ];
    for (name, way) in ways {
        soon(move || {
            let (pool, lines) = looked_on_by_seed();
            let limit = Limit::new(1);
            let kept = keep(&pool, &limit);
            let times = way(&pool, &limit);
            assert_eq!((lines.count("in line 1"), lines.count("left 1")), (times, times), "{name}");
            kept.get().unwrap();
            // What has its turn has not left.
            nothing().limit(&limit).spawn_on(&pool).get().unwrap();
            pool.run_until_idle();
            assert_eq!((lines.count("got 1"), lines.count("left 1")), (2, times), "{name}");
        });
    }
}

#[async_work]
async fn awaits_nothing() {}

#[test]
fn a_stop_has_all_in_line_get_their_permits_and_an_end_has_none() {
    for ends in [false, true] {
        soon(move || {
            let (pool, lines) = looked_on(2);
            let limit = Limit::new(1);
            let (_held, gate) = hold(&pool, &limit);
            let all: Vec<_> = (0..3).map(|_| nothing().limit(&limit).spawn_on(&pool)).collect();
            eventually("they stand in line", || limit.waiting() == 3);
            if ends {
                pool.end_within(Duration::from_secs(60));
                eventually("they have left", || lines.count("left 1") == 3);
            }
            gate.open();
            pool.stop();
            drop(all);
            let (got, left) = if ends { (1, 3) } else { (4, 0) };
            assert_eq!((lines.count("got 1"), lines.count("left 1")), (got, left));
        });
    }
}

#[test]
fn who_waits_for_a_turn_of_a_rate_leaves_its_line_likewise() {
    let (pool, lines) = looked_on_by_seed();
    let rate = Rate::every(Duration::from_secs(60));
    nothing().rate(&rate).spawn_on(&pool).get().unwrap();
    assert!(nothing().rate(&rate).deadline(SHORT).spawn_on(&pool).get().is_err());
    assert_eq!(lines.told(), ["got 1", "in line 1", "left 1"]);
}

#[test]
fn who_can_not_go_on_leaves_the_line_to_go_on() {
    soon(|| {
        let (pool, lines) = looked_on(2);
        let limit = Limit::new(1).lending();
        let value = AsyncResult::<()>::new();
        let (its, ended, seen) = (value.clone(), Gate::new(), lines.clone());
        let at = ended.clone();
        let outer = work(move || {
            let waited = its.get();
            at.open();
            (waited.is_err(), seen.told())
        });
        let outer = outer.limit(&limit).spawn_on(&pool);
        eventually("it has lent its permit", || lines.count("gave 1") == 1);
        let (_held, gate) = hold(&pool, &limit);
        value.set(()).unwrap();
        eventually("it stands in line to go on", || limit.waiting() == 1);
        pool.end_within(Duration::ZERO);
        // The other one has the permit still.
        ended.pass();
        assert_eq!(lines.told(), ["got 1", "gave 1", "got 1", "in line 1", "left 1"]);
        gate.open();
        drop(outer);
    });
}

#[test]
fn who_stands_below_other_work_that_waits_leaves_the_line_for_so_long() {
    soon(|| {
        let (pool, lines) = looked_on_by_seed();
        let limit = Limit::new(1).lending();
        let value = AsyncResult::<()>::new();
        let its = value.clone();
        let outer = work(move || its.get().unwrap()).limit(&limit).spawn_on(&pool);
        // Keeps the permit in the pause between two tries, where the pool has the other work on the outer one's stack.
        let other = Retry::new(1).backoff(Duration::from_secs(3600)).work(move || {
            let is_first = value.set(()).is_ok();
            if is_first {
                work(|| AsyncResult::<()>::new().wait_timeout(SHORT)).detach_on(&current());
            }
            try_work(move || if is_first { Err("once more") } else { Ok(()) })
        });
        let other = other.limit(&limit).spawn_on(&pool);
        outer.get().unwrap();
        other.get().unwrap();
        pool.run_until_idle();
        let told = lines.told();
        assert_eq!(told[..4], ["got 1", "in line 1", "gave 1", "got 1"]);
        let again = ["in line 1", "left 1", "in line 1", "gave 1", "got 1", "gave 1"];
        assert_eq!(told[4..], again);
    });
}
