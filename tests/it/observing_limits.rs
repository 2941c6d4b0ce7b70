//! Those who look on are told of each permit of a limit, by whichever way it comes and goes; and of turns of a rate.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use asynckit::observe::{
    LimitId, LineJoined, LineLeft, Observer, PermitGiven, PermitTaken, TaskId, TaskKind,
    TaskSubmitted,
};
use asynckit::{
    AsyncResult, CancelToken, Limit, Pool, Rate, Results, Retry, async_work, current, explore,
    try_work, work,
};

use crate::support::{Gate, eventually, soon};

/// Keeps account of permits, and of who stands in line. Each change of one that makes no sense is a fault.
#[derive(Clone, Default)]
struct Account(Arc<Mutex<Inner>>);

#[derive(Default)]
struct Inner {
    /// With whom so many are.
    with: HashMap<(LimitId, TaskId), usize>,
    in_line: HashMap<(LimitId, TaskId), usize>,
    /// The tasks that are around what stands in line.
    around: HashSet<TaskId>,
    told: Vec<String>,
    faults: Vec<String>,
}

impl Inner {
    fn tell(&mut self, is_right: bool, what: String) {
        if !is_right {
            self.faults.push(what.clone());
        }
        self.told.push(what);
    }

    fn taken(&self, of: LimitId) -> usize {
        self.with.iter().filter(|((limit, _), _)| *limit == of).map(|(_, weight)| weight).sum()
    }
}

impl Account {
    fn told(&self) -> Vec<String> {
        self.0.lock().unwrap().told.clone()
    }

    /// All that was taken has come back, nobody is left in line, and nothing was at fault.
    #[track_caller]
    fn check(&self) {
        eventually("all is given back", || self.0.lock().unwrap().with.is_empty());
        let inner = self.0.lock().unwrap();
        assert_eq!(inner.faults, Vec::<String>::new());
        assert!(inner.in_line.is_empty(), "{:?}", inner.in_line);
    }
}

impl Observer for Account {
    fn submitted(&self, e: &TaskSubmitted<'_>) {
        if e.kind == TaskKind::Around {
            self.0.lock().unwrap().around.insert(e.task);
        }
    }

    fn stands_in_line(&self, e: &LineJoined<'_>) {
        let (mut inner, key) = (self.0.lock().unwrap(), (e.limit, e.task.unwrap()));
        let mut is_right = inner.around.contains(&key.1) && !inner.with.contains_key(&key);
        is_right &= inner.in_line.insert(key, e.weight).is_none();
        inner.tell(is_right, format!("in line for {}", e.weight));
    }

    fn left_line(&self, e: &LineLeft<'_>) {
        let (mut inner, key) = (self.0.lock().unwrap(), (e.limit, e.task.unwrap()));
        let is_right = inner.in_line.remove(&key) == Some(e.weight);
        inner.tell(is_right, format!("left the line for {}", e.weight));
    }

    fn got_permit(&self, e: &PermitTaken<'_>) {
        let (mut inner, key) = (self.0.lock().unwrap(), (e.limit, e.task.unwrap()));
        let wanted = inner.in_line.remove(&key);
        // Also when it has them again after a wait.
        let mut is_right = inner.around.contains(&key.1);
        is_right &= wanted.is_none_or(|wanted| wanted == e.weight);
        if e.every.is_none() {
            is_right &= inner.with.insert(key, e.weight).is_none();
            is_right &= inner.taken(e.limit) <= e.most;
        }
        inner.tell(is_right, format!("got {} of {}", e.weight, e.most));
    }

    fn gave_permit(&self, e: &PermitGiven<'_>) {
        let (mut inner, key) = (self.0.lock().unwrap(), (e.limit, e.task.unwrap()));
        let is_right = inner.with.remove(&key) == Some(e.weight);
        inner.tell(is_right, format!("gave {}", e.weight));
    }
}

fn looked_on(pool: asynckit::PoolBuilder) -> (Pool, Account) {
    let account = Account::default();
    (pool.observer(account.clone()).build().unwrap(), account)
}

#[async_work]
fn nothing() {}

#[async_work]
async fn awaits(limit: Limit) -> asynckit::Result<()> {
    nothing().limit(&limit).spawn_on(&current()).await?;
    nothing().spawn_on(&current()).await
}

/// Work of all kinds under a limit, of which it takes so much.
fn all_kinds(pool: &Pool, limit: &Limit, weight: usize) {
    let its = limit.take(weight);
    let plain = (0..4).map(|_| nothing().limit(&its).spawn_on(pool)).join_all();
    // Under the limit at each try, and around all tries.
    let tried = || {
        let mut tries = 0;
        let fails = move || {
            tries += 1;
            let last = tries == 3;
            try_work(move || if last { Ok(()) } else { Err("busy") })
        };
        (Retry::new(2).backoff(Duration::from_millis(1)), fails)
    };
    let (retry, mut fails) = tried();
    let each = {
        let its = its.clone();
        retry.work(move || fails().limit(&its)).spawn_on(pool)
    };
    let (retry, fails) = tried();
    let around = retry.work(fails).limit(&its).timeout(Duration::from_secs(60)).spawn_on(pool);
    let waits = {
        let inner = its.clone();
        work(move || nothing().limit(&inner).spawn_on(&current()).get())
    };
    let awaiting = awaits(its.clone()).limit(&its);
    if limit.most() > 2 * weight {
        // A limit that does not lend has room for what waits and for what it waits for.
        waits.limit(&its).spawn_on(pool).get().unwrap().unwrap();
        awaiting.spawn_on(pool).get().unwrap();
    }
    pool.scope(|s| {
        drop(nothing().limit(&its).spawn_on(s));
    });
    let token = CancelToken::new();
    let given_up = (0..4).map(|_| nothing().limit(&its).spawn_on(&token.on(pool))).settle_all();
    token.cancel();
    drop(given_up.get());
    plain.get().unwrap();
    each.get().unwrap();
    around.get().unwrap();
}

#[test]
fn all_permits_that_are_taken_are_given_back_by_whom_they_were_taken() {
    soon(|| {
        for (workers, lends, weight) in
            [(0, false, 1), (0, true, 1), (1, true, 2), (3, false, 2), (3, true, 2)]
        {
            let (pool, account) = looked_on(Pool::builder().workers(workers));
            let limit = if lends { Limit::new(5).lending() } else { Limit::new(5) };
            for _ in 0..20 {
                all_kinds(&pool, &limit, weight);
            }
            pool.stop();
            account.check();
        }
    });
}

#[test]
fn likewise_in_many_orders() {
    explore(30, |pool| {
        let account = Account::default();
        pool.observe(account.clone());
        all_kinds(pool, &Limit::new(5).lending(), 2);
        pool.run_until_idle();
        account.check();
    });
}

#[test]
fn work_that_waits_gives_its_permit_back_and_stands_in_line_to_go_on() {
    soon(|| {
        let (pool, account) = looked_on(Pool::builder().workers(2));
        let limit = Limit::new(3).lending();
        let (begun, gate) = (Gate::new(), Gate::new());
        let value = AsyncResult::<()>::new();
        let its = value.clone();
        let outer = work(move || its.get()).limit(&limit.take(2)).spawn_on(&pool);
        let other = {
            let (begun, gate) = (begun.clone(), gate.clone());
            work(move || {
                begun.open();
                gate.pass();
            })
        };
        let other = other.limit(&limit.take(3)).spawn_on(&pool);
        begun.pass();
        value.set(()).unwrap();
        // It has its place before that is told.
        eventually("the outer one stands in line", || {
            account.told().contains(&"in line for 2".to_owned())
        });
        assert_eq!(limit.waiting(), 1);
        let snapshot = pool.snapshot();
        let [used] = &snapshot.limits[..] else { panic!("{snapshot}") };
        assert_eq!((used.taken, used.in_line, used.line.len()), (3, 1, 1), "{snapshot}");
        let text = snapshot.to_string();
        assert!(text.contains(": 3 taken, held by closure ("), "{text}");
        assert!(text.contains(" in the line of a limit (tests/it/observing_limits.rs:"), "{text}");
        gate.open();
        other.get().unwrap();
        outer.get().unwrap().unwrap();
        pool.stop();
        account.check();
        let told = account.told();
        let expected = [
            "got 2 of 3",
            "gave 2",
            "got 3 of 3",
            "in line for 2",
            "gave 3",
            "got 2 of 3",
            "gave 2",
        ];
        // The second may stand in line before the first waits.
        let told: Vec<_> = told.into_iter().filter(|told| told != "in line for 3").collect();
        assert_eq!(told, expected);
    });
}

#[test]
fn work_that_has_its_permit_again_is_shown_to_have_it() {
    soon(|| {
        let pool = Pool::new(2);
        let limit = Limit::new(1).lending();
        let (again, gate) = (Gate::new(), Gate::new());
        let value = AsyncResult::<()>::new();
        let outer = {
            let (its, again, gate) = (value.clone(), again.clone(), gate.clone());
            work(move || {
                its.get().unwrap();
                again.open();
                gate.pass();
            })
        };
        let outer = outer.limit(&limit).spawn_on(&pool);
        let lent = || pool.snapshot().running.iter().any(|one| one.waits);
        eventually("it waits without its permit", || lent() && pool.snapshot().limits.is_empty());
        value.set(()).unwrap();
        again.pass();
        let snapshot = pool.snapshot();
        let [used] = &snapshot.limits[..] else { panic!("{snapshot}") };
        assert_eq!((used.taken, used.holders.len(), used.in_line), (1, 1, 0), "{snapshot}");
        gate.open();
        outer.get().unwrap();
    });
}

#[test]
fn turns_of_a_rate_are_told_as_such() {
    /// How long it takes for one more, where that was told.
    #[derive(Clone, Default)]
    struct Turns(Arc<Mutex<Vec<Turn>>>);
    type Turn = (&'static str, Option<Duration>, usize);
    impl Observer for Turns {
        fn stands_in_line(&self, e: &LineJoined<'_>) {
            self.0.lock().unwrap().push(("in line", e.every, e.weight));
        }
        fn got_permit(&self, e: &PermitTaken<'_>) {
            self.0.lock().unwrap().push(("got", e.every, e.weight));
        }
        fn gave_permit(&self, e: &PermitGiven<'_>) {
            self.0.lock().unwrap().push(("gave", None, e.weight));
        }
    }
    let turns = Turns::default();
    let pool = Pool::builder().deterministic(1).observer(turns.clone()).build().unwrap();
    let rate = Rate::per_second(20);
    let first = nothing().rate(&rate).spawn_on(&pool);
    let second = nothing().rate(&rate).spawn_on(&pool);
    let snapshot = pool.snapshot();
    let [used] = &snapshot.limits[..] else { panic!("{snapshot}") };
    assert_eq!((used.every, used.taken), (Some(Duration::from_millis(50)), 0));
    let text = snapshot.to_string();
    assert!(text.contains("\n  20 per second (tests/it/observing_limits.rs:"), "{text}");
    assert!(text.contains("nothing ("), "{text}");
    assert!(text.contains(" stands in the line of a rate"), "{text}");
    first.get().unwrap();
    second.get().unwrap();
    let every = Some(Duration::from_millis(50));
    assert_eq!(
        *turns.0.lock().unwrap(),
        [("got", every, 1), ("in line", every, 1), ("got", every, 1)]
    );
}

#[test]
fn how_often_is_said_in_the_units_of_the_program() {
    for (rate, said) in [
        (Rate::per_second(3), "3 per second"),
        (Rate::per_minute(40), "40 per minute"),
        (Rate::per_hour(7), "7 per hour"),
        (Rate::every(Duration::from_secs(1)), "1 per second"),
        (Rate::every(Duration::from_millis(1500)), "40 per minute"),
        (Rate::every(Duration::from_secs(7)), "one each 7s"),
    ] {
        let pool = Pool::deterministic(1);
        let all: Vec<_> = (0..2).map(|_| nothing().rate(&rate).spawn_on(&pool)).collect();
        let text = pool.snapshot().to_string();
        assert!(text.contains(&format!("\n  {said} (tests")), "{said}: {text}");
        all.into_iter().join_all().get().unwrap();
    }
}
