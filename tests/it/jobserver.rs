//! Limits that share the slots of a jobserver.

use std::time::Duration;

use asynckit::{AsyncResult, ErrorKind, Limit, Pool, Results, Retry, async_work, work};
use jobserver::Client;

use crate::support::{Broken, Counter, Gate, Inside, eventually, occupy, soon};

#[async_work]
fn step(n: u32, count: Inside) -> u32 {
    count.visit(|| std::thread::sleep(Duration::from_micros(200)));
    n
}

#[async_work]
fn held(begun: Counter, gate: Gate) {
    begun.add();
    gate.pass();
}

#[track_caller]
fn has_all_back(client: &Client, tokens: usize) {
    eventually("the tokens are back", || client.available().unwrap() == tokens);
}

#[test]
fn at_most_the_tokens_and_the_implicit_slot() {
    soon(|| {
        for tokens in [1, 3] {
            let (pool, client) = (Pool::new(8), Client::new(tokens).unwrap());
            let (slots, count) = (Limit::jobserver(client.clone(), 8), Inside::default());
            let all = (0..100).map(|n| step(n, count.clone()).limit(&slots).spawn_on(&pool));
            assert!(all.join_all().get().unwrap().into_iter().eq(0..100));
            assert!((1..=tokens + 1).contains(&count.most()), "{} with {tokens}", count.most());
            has_all_back(&client, tokens);
        }
    });
}

#[test]
fn all_of_them_are_used() {
    soon(|| {
        let (pool, client) = (Pool::new(4), Client::new(3).unwrap());
        let slots = Limit::jobserver(client.clone(), 4);
        let (begun, gate) = (Counter::new(), Gate::new());
        let all: Vec<_> = (0..6)
            .map(|_| held(begun.clone(), gate.clone()).limit(&slots).spawn_on(&pool))
            .collect();
        eventually("four run", || begun.count() == 4);
        assert_eq!(client.available().unwrap(), 0);
        gate.open();
        all.join_all().get().unwrap();
        has_all_back(&client, 3);
    });
}

#[test]
fn no_more_than_was_said_and_others_have_the_rest() {
    soon(|| {
        let (pool, client) = (Pool::new(4), Client::new(5).unwrap());
        let slots = Limit::jobserver(client.clone(), 2);
        let (begun, gate) = (Counter::new(), Gate::new());
        let all: Vec<_> = (0..6)
            .map(|_| held(begun.clone(), gate.clone()).limit(&slots).spawn_on(&pool))
            .collect();
        eventually("two run", || begun.count() == 2);
        assert_eq!(client.available().unwrap(), 4);
        gate.open();
        all.join_all().get().unwrap();
        assert_eq!(slots.waiting(), 0);
        has_all_back(&client, 5);
    });
}

/// Others have all tokens: what this process has anyway is enough to go on, and no thread waits for more.
#[test]
fn without_a_token_one_after_the_other() {
    soon(|| {
        let (pool, client) = (Pool::new(2), Client::new(1).unwrap());
        let theirs = client.acquire().unwrap();
        let (slots, count) = (Limit::jobserver(client.clone(), 2), Inside::default());
        let (begun, gate) = (Counter::new(), Gate::new());
        let first = held(begun.clone(), gate.clone()).limit(&slots).spawn_on(&pool);
        eventually("it has the implicit slot", || begun.count() == 1);
        let rest: Vec<_> =
            (0..20).map(|n| step(n, count.clone()).limit(&slots).spawn_on(&pool)).collect();
        // The other worker is free for other work.
        assert_eq!(pool.spawn(|| 1).get().unwrap(), 1);
        assert!(rest.iter().all(|one| !one.is_set()));
        gate.open();
        first.get().unwrap();
        rest.join_all().get().unwrap();
        assert_eq!(count.most(), 1);
        drop(theirs);
        has_all_back(&client, 1);
    });
}

#[test]
fn a_token_that_comes_late_is_taken_or_goes_back() {
    soon(|| {
        let (pool, client) = (Pool::new(2), Client::new(1).unwrap());
        let slots = Limit::jobserver(client.clone(), 2);
        for comes_in_time in [true, false] {
            let theirs = client.acquire().unwrap();
            let (begun, gate) = (Counter::new(), Gate::new());
            let both =
                [1, 2].map(|_| held(begun.clone(), gate.clone()).limit(&slots).spawn_on(&pool));
            eventually("one runs", || begun.count() == 1 && slots.waiting() == 1);
            if comes_in_time {
                drop(theirs);
                eventually("both run", || begun.count() == 2);
                gate.open();
                both.join_all().get().unwrap();
            } else {
                let waits = both.iter().position(|one| one.cancel()).unwrap();
                let _ = waits;
                gate.open();
                drop(both);
                drop(theirs);
            }
            has_all_back(&client, 1);
        }
    });
}

/// In place, with tries, and where the pool is stopped while work stands in line.
#[test]
fn with_all_that_work_may_be_subject_to() {
    soon(|| {
        let (pool, client) = (Pool::new(3), Client::new(2).unwrap());
        let slots = Limit::jobserver(client.clone(), 3);
        assert_eq!(work(|| 1).limit(&slots).run().unwrap(), 1);

        let its = slots.clone();
        let tries =
            Retry::new(2).work(move || asynckit::try_work(|| Err::<u8, _>(Broken(1))).limit(&its));
        assert_eq!(tries.spawn_on(&pool).get().unwrap_err().tries(), 3);

        let text = "borrowed".to_owned();
        let sizes = pool.scope(|s| {
            let sizes = (0..9).map(|_| work(|| text.len()).limit(&slots).spawn_on(s));
            s.join_all(sizes).get()
        });
        assert_eq!(sizes.unwrap().len(), 9);

        let (begun, gate) = (Counter::new(), Gate::new());
        let all: Vec<_> = (0..9)
            .map(|_| held(begun.clone(), gate.clone()).limit(&slots).spawn_on(&pool))
            .collect();
        eventually("three run", || begun.count() == 3);
        pool.stop_timeout(Duration::ZERO).unwrap_err();
        gate.open();
        let ended = all.settle_all().get().unwrap();
        let stopped =
            ended.iter().filter(|one| one.as_ref().is_err_and(|e| e.kind() == ErrorKind::Stopped));
        assert!(stopped.count() >= 6);
        has_all_back(&client, 2);
    });
}

#[test]
fn on_a_deterministic_pool_and_with_weights() {
    soon(|| {
        let client = Client::new(2).unwrap();
        let (pool, slots) = (Pool::deterministic(5), Limit::jobserver(client.clone(), 4));
        let all = (0..20).map(|n| work(move || n).limit(&slots.take(3)).spawn_on(&pool));
        assert_eq!(all.join_all().get().unwrap().len(), 20);
        let busy = Pool::new(1);
        let kept = occupy(&busy);
        let late = work(|| 1).limit(&slots).spawn_on(&busy);
        kept.free();
        assert_eq!(late.get().unwrap(), 1);
        has_all_back(&client, 2);
    });
}

/// Work that waits inside for work under the same limit gives its slot back meanwhile: one slot is enough.
#[test]
fn who_waits_for_others_in_line_needs_no_slot() {
    soon(|| {
        let (pool, client) = (Pool::new(4), Client::new(1).unwrap());
        let theirs = client.acquire().unwrap();
        let slots = Limit::jobserver(client.clone(), 4);
        let parents = (0..8).map(|n| {
            let its = slots.clone();
            let parent = asynckit::try_work(move || {
                let children =
                    (0..3).map(|_| work(move || n).limit(&its).spawn_on(&asynckit::current()));
                children.join_all().get().map(|values| values.into_iter().sum::<u32>())
            });
            parent.limit(&slots).spawn_on(&pool)
        });
        assert!(parents.join_all().get().unwrap().into_iter().eq((0..8).map(|n| 3 * n)));
        drop(theirs);
        has_all_back(&client, 1);
    });
}

/// Work in work under the same limit has two permits. It gives both back while it waits, takes both again at once, and
/// gives each back by itself.
#[test]
fn within_itself() {
    soon(|| {
        let (pool, client) = (Pool::new(4), Client::new(3).unwrap());
        let (slots, page) = (Limit::jobserver(client.clone(), 4), AsyncResult::<u32>::new());
        let (its, begun, needs) = (slots.clone(), Gate::new(), page.clone());
        let begins = begun.clone();
        let outer = asynckit::try_work(move || {
            let inner = asynckit::try_work(move || {
                begins.open();
                needs.get()
            });
            inner.limit(&its).run()
        });
        let outer = outer.limit(&slots).spawn_on(&pool);
        begun.pass();
        eventually("both are back", || client.available().unwrap() == 3);
        page.set(7).unwrap();
        assert_eq!(outer.get().unwrap(), 7);
        has_all_back(&client, 3);
        let (begun, gate) = (Counter::new(), Gate::new());
        let all: Vec<_> = (0..6)
            .map(|_| held(begun.clone(), gate.clone()).limit(&slots).spawn_on(&pool))
            .collect();
        eventually("four run", || begun.count() == 4);
        gate.open();
        all.join_all().get().unwrap();
        has_all_back(&client, 3);
    });
}
