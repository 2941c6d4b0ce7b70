//! Tokens that cancel whole trees of work, and results that are cancelled by dropping them.

use std::time::Duration;

use asynckit::{
    AsyncResult, CancelToken, ErrorKind, Pool, Retry, async_work, chain, current, is_cancelled,
    try_current, work,
};

use crate::support::{Broken, Counter, Gate, LIMIT, eventually, occupy, soon};

const SHORT: Duration = Duration::from_millis(20);

#[async_work]
fn inc(n: u32) -> u32 {
    n + 1
}

/// Runs until it is told to end.
#[async_work]
fn endless(begun: Counter, ended: Counter) {
    begun.add();
    eventually("cancelled", is_cancelled);
    ended.add();
}

#[track_caller]
fn kind_of<T: Send>(result: AsyncResult<T>) -> ErrorKind {
    result.get().map(drop).unwrap_err().kind()
}

#[test]
fn a_token_cancels_what_runs_waits_and_is_queued() {
    soon(|| {
        let (pool, token) = (Pool::new(1), CancelToken::new());
        let place = token.on(&pool);
        let (begun, ended) = (Counter::new(), Counter::new());
        let runs = endless(begun.clone(), ended.clone()).spawn_on(&place);
        let input = AsyncResult::<u32>::new();
        let waits = chain!(&place, inc(input.clone()));
        eventually("it runs", || begun.count() == 1);
        let queued = place.spawn(|| unreachable!("it does not begin"));
        assert!(!token.is_cancelled());
        assert!(token.cancel());
        assert!(!token.cancel(), "once");
        assert!(token.is_cancelled());
        for kind in [kind_of(runs), kind_of(waits), kind_of(queued)] {
            assert_eq!(kind, ErrorKind::Cancelled);
        }
        eventually("it was told", || ended.count() == 1);
        assert!(!input.is_set(), "which is not the token's");
        assert_eq!(kind_of(inc(1).spawn_on(&place)), ErrorKind::Cancelled, "from now on");
        assert_eq!(inc(1).spawn_on(&pool).get().unwrap(), 2, "others are left alone");
    });
}

#[test]
fn what_the_work_submits_belongs_to_the_token_too() {
    /// Submits more of itself in several ways, then runs until it is told to end.
    fn grow(depth: u32, other: &'static Pool, begun: Counter, ended: Counter) {
        if depth > 0 {
            let more = || {
                let (begun, ended) = (begun.clone(), ended.clone());
                work(move || grow(depth - 1, other, begun, ended))
            };
            more().detach_on(&current());
            more().detach_on(other);
            let (handle, last) = (current(), more());
            drop(chain!(&handle, async move { last }));
        }
        begun.add();
        eventually("cancelled", is_cancelled);
        ended.add();
    }
    soon(|| {
        let other: &'static Pool = Box::leak(Box::new(Pool::new(16)));
        let (pool, token) = (Pool::new(16), CancelToken::new());
        let (begun, ended) = (Counter::new(), Counter::new());
        let (its_begun, its_ended) = (begun.clone(), ended.clone());
        token.on(&pool).spawn(move || grow(2, other, its_begun, its_ended)).on_set(|_| {});
        eventually("all of them run", || begun.count() == 1 + 3 + 9);
        assert_eq!(ended.count(), 0);
        token.cancel();
        eventually("all of them were told", || ended.count() == 1 + 3 + 9);
    });
}

#[test]
fn work_may_ask_for_its_token() {
    soon(|| {
        let (pool, token) = (Pool::new(1), CancelToken::new());
        assert!(CancelToken::current().is_none());
        assert!(pool.spawn(|| CancelToken::current().is_none()).get().unwrap());
        let submitted = Gate::new();
        let gate = submitted.clone();
        let cancels_itself = token.on(&pool).spawn(move || {
            gate.pass();
            let token = CancelToken::current().expect("it has one");
            assert!(token.cancel());
            assert!(is_cancelled());
        });
        submitted.open();
        assert_eq!(kind_of(cancels_itself), ErrorKind::Cancelled);
        assert!(token.is_cancelled());
    });
}

#[test]
fn children_are_cancelled_with_their_parent_and_alone() {
    soon(|| {
        let pool = Pool::new(1);
        let parent = CancelToken::new();
        let (first, second) = (parent.child(), parent.child());
        let below = second.child();
        let busy = occupy(&pool);
        let of = |token: &CancelToken| token.on(&pool).spawn(|| 1);
        let results = [of(&parent), of(&first), of(&second), of(&below)];
        assert!(first.cancel());
        assert_eq!(results.each_ref().map(AsyncResult::is_error), [false, true, false, false]);
        assert!(parent.cancel());
        assert!(results.iter().all(AsyncResult::is_error));
        assert!(second.is_cancelled() && below.is_cancelled());
        assert!(parent.child().is_cancelled(), "born so");
        busy.free();
    });
}

#[test]
fn a_deadline_for_a_whole_tree() {
    soon(|| {
        let pool = Pool::new(2);
        let token = CancelToken::with_timeout(SHORT);
        let (begun, ended) = (Counter::new(), Counter::new());
        let never = AsyncResult::<u32>::new();
        let result = chain!(&token.on(&pool), {
            endless(begun.clone(), ended.clone());
            let n = inc(never.clone());
            inc(n)
        });
        let error = result.get().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::TimedOut);
        assert!(error.to_string().ends_with("inc was not done within 20ms"), "{error}");
        eventually("what ran was told", || ended.count() == begun.count());
        assert!(token.is_cancelled());

        let parent = CancelToken::new();
        let child = parent.child_with_timeout(SHORT);
        eventually("its time is over", || child.is_cancelled());
        assert!(!parent.is_cancelled());
        let child = CancelToken::with_timeout(SHORT).child_with_timeout(LIMIT);
        let late = child.on(&pool).spawn(|| eventually("cancelled", is_cancelled));
        assert_eq!(kind_of(late), ErrorKind::TimedOut, "the parent lives as long as its child");
    });
}

#[test]
fn scopes_and_what_runs_on_them() {
    soon(|| {
        let (pool, token) = (Pool::new(2), CancelToken::new());
        let (ended, gate) = (Counter::new(), Gate::new());
        let (its, begun) = (&ended, &gate);
        pool.scope(|s| {
            let place = token.on(s);
            let inside = place.spawn(move || {
                begun.open();
                eventually("cancelled", is_cancelled);
                its.add();
            });
            begun.pass();
            token.cancel();
            assert_eq!(kind_of(inside), ErrorKind::Cancelled);
        });
        assert_eq!(ended.count(), 1, "the scope has waited for it");

        // A scope within a token's work is the token's.
        let token = CancelToken::new();
        let (shared, begun) = (std::sync::Arc::new(Pool::new(2)), Counter::new());
        let (its_pool, its) = (shared.clone(), begun.clone());
        let outer = token.on(&shared).spawn(move || {
            its_pool.scope(|s| {
                s.spawn(|| {
                    its.add();
                    eventually("cancelled", is_cancelled);
                })
                .wait();
            });
        });
        eventually("it runs", || begun.count() == 1);
        token.cancel();
        assert_eq!(kind_of(outer), ErrorKind::Cancelled);
    });
}

#[test]
fn pauses_and_limits_of_time_are_cancelled_too() {
    soon(|| {
        let (pool, token) = (Pool::new(1), CancelToken::new());
        let calls = Counter::new();
        let its = calls.clone();
        let retried = Retry::new(9).backoff(LIMIT * 9).work(move || {
            its.add();
            asynckit::try_work(|| Err::<u8, _>(Broken(1)))
        });
        let retried = retried.timeout(LIMIT * 9).spawn_on(&token.on(&pool));
        eventually("it was tried", || calls.count() == 1);
        token.cancel();
        assert_eq!(kind_of(retried), ErrorKind::Cancelled);
        assert_eq!(calls.count(), 1);
    });
}

#[test]
fn a_token_keeps_nothing_of_work_that_is_over() {
    soon(|| {
        let (pool, token) = (Pool::new(2), CancelToken::new());
        let drops = Counter::new();
        for _ in 0..1000 {
            let value = drops.on_drop();
            drop(token.on(&pool).spawn(move || value));
        }
        eventually("the values are dropped", || drops.count() == 1000);
        let held = token.on(&pool).spawn(|| 1);
        token.cancel();
        drop(held);
    });
}

#[test]
fn cancelling_races_with_submitting() {
    soon(|| {
        let pool = Pool::new(2);
        for n in 0..300 {
            let token = CancelToken::new();
            let place = token.on(&pool);
            let results: Vec<_> = (0..20)
                .map(|k| {
                    if k == n % 20 {
                        let token = token.clone();
                        drop(pool.spawn(move || token.cancel()));
                    }
                    chain!(&place, {
                        let a = inc(k);
                        inc(a)
                    })
                })
                .collect();
            for (k, result) in results.into_iter().enumerate() {
                match result.get() {
                    Ok(value) => assert_eq!(value, k as u32 + 2),
                    Err(error) => assert_eq!(error.kind(), ErrorKind::Cancelled),
                }
            }
        }
    });
}

#[test]
fn many_tasks_and_many_children() {
    soon(|| {
        let (pool, token) = (Pool::new(1), CancelToken::new());
        let busy = occupy(&pool);
        let children: Vec<_> = (0..1000).map(|_| token.child()).collect();
        let results: Vec<_> = children
            .iter()
            .flat_map(|child| (0..50).map(|n| child.on(&pool).spawn(move || n)))
            .collect();
        drop(children);
        token.cancel();
        assert!(results.iter().all(AsyncResult::is_error));
        busy.free();
        for _ in 0..100_000 {
            drop(token.child());
        }
    });
}

#[test]
fn a_result_is_cancelled_when_its_guard_is_dropped() {
    soon(|| {
        let pool = Pool::new(1);
        let busy = occupy(&pool);
        let ran = Counter::new();
        let spawn = || {
            let ran = ran.clone();
            pool.spawn(move || ran.add())
        };
        let guard = spawn().cancel_on_drop();
        assert!(!guard.is_set(), "it can be used as what is in it");
        drop(guard);
        let kept = spawn().cancel_on_drop().disarm();
        drop(spawn());
        busy.free();
        kept.get().unwrap();
        pool.stop();
        assert_eq!(ran.count(), 2);
    });
}

#[test]
fn a_token_is_cancelled_when_its_guard_is_dropped() {
    let token = CancelToken::new();
    drop(token.child().cancel_on_drop());
    assert!(!token.is_cancelled());
    drop(token.clone().cancel_on_drop().disarm());
    assert!(!token.is_cancelled());
    drop(token.clone().cancel_on_drop());
    assert!(token.is_cancelled());
}

#[test]
fn an_awaited_guard_cancels_when_its_future_is_dropped() {
    soon(|| {
        let pool = Pool::new(1);
        let (never, other) = (AsyncResult::<u8>::new(), AsyncResult::<u8>::new());
        let awaited = never.clone().cancel_on_drop();
        let r = chain!(&pool, async move {
            let n = awaited.await?;
            work(move || n)
        });
        let value = pool.spawn(|| 7).cancel_on_drop();
        let seven = chain!(&pool, async move {
            let n = value.await?;
            work(move || n)
        });
        assert_eq!(seven.get().unwrap(), 7);
        pool.spawn(|| ()).get().unwrap();
        assert!(r.cancel());
        eventually("cancelled with it", || never.is_error());
        assert!(!other.is_set());
    });
}

#[test]
fn outside_of_work_there_is_no_place() {
    assert!(try_current().is_none());
}

#[test]
fn work_that_cancels_its_own_token_is_cancelled() {
    soon(|| {
        let pool = Pool::new(2);
        // So quick that its submitter may still be at it.
        for _ in 0..500 {
            let token = CancelToken::new();
            let own = token.clone();
            let result = work(move || own.cancel()).spawn_on(&token.on(&pool));
            assert_eq!(kind_of(result), ErrorKind::Cancelled);
        }
    });
}
