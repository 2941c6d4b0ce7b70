//! A million links: run, failed, cancelled and dropped without overflowing a stack, which is small on
//! all threads here.

use std::thread;
use std::time::Duration;

use asynckit::{AsyncResult, CancelToken, ErrorKind, Pool, Setter, Work, async_work, chain, work};

use crate::support::{Broken, Counter};

const LINKS: u64 = 1_000_000;
const LONG: Duration = Duration::from_secs(120);
/// Enough for what a few calls need in a build without optimisation.
const STACK: usize = 192 * 1024;

/// Runs the body on a small stack, and fails if it is not done in time.
#[track_caller]
fn on_a_small_stack(body: impl FnOnce() + Send + 'static) {
    crate::support::within(LONG, || {
        let body = thread::Builder::new().stack_size(STACK).spawn(body).expect("a small thread");
        if let Err(payload) = body.join() {
            std::panic::resume_unwind(payload);
        }
    });
}

fn pool(workers: usize) -> Pool {
    Pool::builder().workers(workers).stack_size(STACK).build().expect("a pool of small threads")
}

#[async_work]
fn inc(n: u64) -> u64 {
    n + 1
}

#[async_work]
fn next(n: &u64) -> u64 {
    n + 1
}

/// A chain that waits for its setter.
fn built_ahead(pool: &Pool) -> (Setter<u64>, AsyncResult<u64>) {
    let (setter, mut last) = AsyncResult::channel();
    for _ in 0..LINKS {
        last = chain!(pool, inc(last));
    }
    (setter, last)
}

#[test]
fn built_ahead_and_run() {
    on_a_small_stack(|| {
        let pool = pool(2);
        let (setter, last) = built_ahead(&pool);
        setter.set(0).unwrap();
        assert_eq!(last.get().unwrap(), LINKS);
    });
}

#[test]
fn built_while_it_runs() {
    on_a_small_stack(|| {
        let pool = pool(2);
        let mut last = pool.spawn(|| 0);
        for _ in 0..LINKS {
            last = chain!(&pool, inc(last));
        }
        assert_eq!(last.get().unwrap(), LINKS);
    });
}

#[test]
fn lent_from_link_to_link() {
    on_a_small_stack(|| {
        let pool = pool(2);
        let (setter, mut last) = AsyncResult::channel();
        for _ in 0..LINKS {
            last = chain!(&pool, next(&last));
        }
        setter.set(0).unwrap();
        assert_eq!(last.get().unwrap(), LINKS);
    });
}

#[test]
fn failed_at_its_beginning() {
    on_a_small_stack(|| {
        let pool = pool(2);
        let (setter, last) = built_ahead(&pool);
        setter.fail(Broken(1)).unwrap();
        let error = last.get().unwrap_err();
        assert_eq!(error.downcast_ref(), Some(&Broken(1)));
        // The path is kept in bounded memory.
        assert!(format!("{error:#}").len() < 10_000);
    });
}

#[test]
fn cancelled_at_its_end() {
    on_a_small_stack(|| {
        let pool = pool(2);
        let (setter, last) = built_ahead(&pool);
        assert!(last.cancel());
        assert_eq!(last.get().unwrap_err().kind(), ErrorKind::Cancelled);
        drop(setter);
    });
}

#[test]
fn abandoned() {
    on_a_small_stack(|| {
        let pool = pool(2);
        let (setter, last) = built_ahead(&pool);
        drop(setter);
        assert_eq!(last.get().unwrap_err().kind(), ErrorKind::Abandoned);
    });
}

#[test]
fn dropped_unset() {
    on_a_small_stack(|| {
        let pool = pool(2);
        let (setter, last) = built_ahead(&pool);
        drop(last);
        drop(setter);
        assert_eq!(pool.spawn(|| 1).get().unwrap(), 1);
    });
}

#[test]
fn stopped_while_it_waits() {
    on_a_small_stack(|| {
        let pool = pool(2);
        let (setter, last) = built_ahead(&pool);
        drop(pool);
        assert_eq!(last.get().unwrap_err().kind(), ErrorKind::Stopped);
        drop(setter);
    });
}

#[test]
fn without_workers() {
    on_a_small_stack(|| {
        let pool = pool(0);
        let (setter, last) = built_ahead(&pool);
        setter.set(0).unwrap();
        assert_eq!(last.get().unwrap(), LINKS);
    });
}

#[test]
fn from_callback_to_callback() {
    on_a_small_stack(|| {
        let mut last = AsyncResult::<u64>::new();
        let end = last.clone();
        for _ in 0..LINKS {
            let before = AsyncResult::new();
            before.on_set(move |n: Result<&u64, &asynckit::Error>| {
                last.set(n.unwrap() + 1).unwrap();
            });
            last = before;
        }
        last.set(0).unwrap();
        assert_eq!(end.get().unwrap(), LINKS);
    });
}

#[test]
fn from_drop_to_drop() {
    on_a_small_stack(|| {
        // Each task owns the setter of what the next one waits for. None of them runs: each is
        // dropped because the one before it was.
        let pool = pool(2);
        let ran = Counter::new();
        let (first, mut input) = AsyncResult::<()>::channel();
        for _ in 0..LINKS / 4 {
            let (setter, next) = AsyncResult::channel();
            let runs = ran.clone();
            let task = input.map(move |()| {
                runs.add();
                setter.set(()).is_ok()
            });
            task.detach_on(&pool);
            input = next;
        }
        drop(first);
        assert_eq!(input.get().unwrap_err().kind(), ErrorKind::Abandoned);
        assert_eq!(ran.count(), 0);
    });
}

#[test]
fn values_that_own_results_that_own_values() {
    struct Node(Option<AsyncResult<Node>>);
    on_a_small_stack(|| {
        let mut list = AsyncResult::ready(Node(None));
        for _ in 0..LINKS / 4 {
            list = AsyncResult::ready(Node(Some(list)));
        }
        assert!(list.get_ref().is_ok_and(|node| node.0.is_some()));
        drop(list);
    });
}

#[test]
fn waited_for_inside_work() {
    on_a_small_stack(|| {
        let pool = Pool::builder().workers(1).max_spares(0).stack_size(STACK).build().unwrap();
        let r = pool.spawn(|| {
            let pool = asynckit::current();
            let mut last = AsyncResult::ready(0);
            for _ in 0..LINKS {
                last = chain!(&pool, inc(last));
            }
            last.get().unwrap()
        });
        assert_eq!(r.get().unwrap(), LINKS);
    });
}

/// A chain whose links are added while it runs.
fn built_link_by_link(pool: &Pool, first: AsyncResult<u64>) -> AsyncResult<u64> {
    (0..LINKS / 4).fold(first, |last, _| chain!(pool, inc(last)))
}

#[test]
fn failed_before_it_is_built() {
    on_a_small_stack(|| {
        let pool = pool(2);
        let last = built_link_by_link(&pool, AsyncResult::failed(Broken(2)));
        let error = last.get().unwrap_err();
        assert_eq!(error.downcast_ref(), Some(&Broken(2)));
        assert!(format!("{error:#}").len() < 10_000);
    });
}

#[test]
fn failed_while_it_is_built() {
    on_a_small_stack(|| {
        let pool = pool(2);
        let (setter, first) = AsyncResult::channel();
        let failing = thread::spawn(move || {
            thread::sleep(Duration::from_millis(20));
            setter.fail(Broken(3)).unwrap();
        });
        let error = built_link_by_link(&pool, first).get().unwrap_err();
        assert_eq!(error.downcast_ref(), Some(&Broken(3)));
        failing.join().unwrap();
    });
}

#[test]
fn panicked_at_its_beginning() {
    on_a_small_stack(|| {
        let pool = pool(2);
        let (setter, first) = AsyncResult::<u64>::channel();
        let panics = |_: u64| -> u64 { std::panic::resume_unwind(Box::new("on purpose")) };
        let last = built_link_by_link(&pool, chain!(&pool, panics(first)));
        setter.set(1).unwrap();
        assert!(last.get().unwrap_err().is_panic());
    });
}

#[test]
fn cancelled_at_its_beginning() {
    on_a_small_stack(|| {
        let pool = pool(2);
        let (setter, first) = AsyncResult::channel();
        let kept = first.clone();
        let last = built_link_by_link(&pool, first);
        assert!(kept.cancel());
        assert_eq!(last.get().unwrap_err().kind(), ErrorKind::Cancelled);
        assert!(setter.set(1).is_err());
    });
}

#[test]
fn cancelled_while_it_runs() {
    on_a_small_stack(|| {
        let pool = pool(2);
        let (setter, last) = built_ahead(&pool);
        setter.set(0).unwrap();
        // Either the cancelling or the last link comes first.
        let cancelled = last.cancel();
        let end = last.get();
        assert_eq!(end.is_err(), cancelled);
        assert!(end.is_err() || end.is_ok_and(|n| n == LINKS));
    });
}

#[test]
fn stopped_while_it_runs() {
    on_a_small_stack(|| {
        let pool = pool(2);
        let (setter, last) = built_ahead(&pool);
        setter.set(0).unwrap();
        pool.stop_now();
        match last.get() {
            Ok(n) => assert_eq!(n, LINKS, "it was quicker"),
            Err(error) => assert_eq!(error.kind(), ErrorKind::Stopped),
        }
    });
}

#[test]
fn detached_while_it_runs() {
    on_a_small_stack(|| {
        let pool = pool(2);
        let drops = Counter::new();
        let (setter, mut last) = AsyncResult::channel();
        for _ in 0..LINKS / 4 {
            let held = drops.on_drop();
            last = last
                .map(move |n: u64| {
                    drop(held);
                    n + 1
                })
                .spawn_on(&pool);
        }
        setter.set(0).unwrap();
        drop(last);
        drop(pool);
        assert_eq!(drops.count() as u64, LINKS / 4);
    });
}

#[test]
fn every_link_heals_what_the_one_before_it_broke() {
    on_a_small_stack(|| {
        let pool = pool(2);
        let (setter, mut last) = AsyncResult::<u64>::channel();
        for _ in 0..LINKS / 4 {
            let broken = last.and_then(|n| Err::<u64, _>(Broken(n as u32)));
            let healed = broken.spawn_on(&pool).or_else(|error| {
                Ok::<_, Broken>(u64::from(error.downcast_ref::<Broken>().map_or(0, |b| b.0)) + 1)
            });
            last = healed.spawn_on(&pool);
        }
        setter.set(0).unwrap();
        assert_eq!(last.get().unwrap(), LINKS / 4);
    });
}

#[test]
fn awaited_link_by_link() {
    on_a_small_stack(|| {
        let pool = pool(1);
        let sum = chain!(&pool, async move {
            let mut n = 0;
            for _ in 0..LINKS / 4 {
                n = inc(n).await?;
            }
            AsyncResult::ready(n)
        });
        assert_eq!(sum.get().unwrap(), LINKS / 4);
    });
}

#[test]
fn tokens_that_descend_from_each_other() {
    on_a_small_stack(|| {
        let first = CancelToken::new();
        let mut last = first.child();
        for _ in 0..LINKS / 10 {
            last = last.child();
        }
        assert!(first.cancel() && last.is_cancelled());
        drop(first);
        drop(last);
    });
}

/// Work that follows a result again and again.
fn many_times_after(earlier: &AsyncResult<u64>) -> Work<'static, u64> {
    (0..LINKS / 4).fold(work(|| 42), |work, _| work.after(earlier))
}

#[test]
fn work_after_many_results() {
    on_a_small_stack(|| {
        let pool = pool(2);
        let (setter, earlier) = AsyncResult::channel();
        drop(many_times_after(&earlier));
        let waits = many_times_after(&earlier).spawn_on(&pool);
        let cancelled = many_times_after(&earlier).spawn_on(&pool);
        assert!(cancelled.cancel());
        let inside = many_times_after(&earlier);
        let inside = pool.spawn(move || inside.run());
        setter.set(1).unwrap();
        assert_eq!(waits.get().unwrap(), 42);
        assert_eq!(inside.get().unwrap().unwrap(), 42);
        assert_eq!(many_times_after(&earlier).run().unwrap(), 42);
        assert_eq!(
            many_times_after(&AsyncResult::failed("no")).run().unwrap_err().kind(),
            ErrorKind::Failed
        );
        pool.stop();
        let refused = many_times_after(&earlier).spawn_on(&pool);
        assert_eq!(refused.get().unwrap_err().kind(), ErrorKind::Stopped);
        // Nobody has the value lent any more.
        assert_eq!(earlier.get().unwrap(), 1);
    });
}
