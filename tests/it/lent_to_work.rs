//! What is lent to a call is lent until the work that the call returned is over, whatever becomes of
//! its result and of the handles.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::Poll;
use std::time::Duration;

use asynckit::{
    AsyncResult, CancelToken, ErrorKind, Limit, Pool, Retry, Work, async_work, chain, work,
};

use crate::support::{Broken, Counter, Gate, OnDrop, eventually, soon};

/// A value that tells when it is dropped.
struct Text {
    drops: Counter,
    _tells: OnDrop,
}

impl Text {
    fn new(drops: &Counter) -> Text {
        Text { drops: drops.clone(), _tells: drops.on_drop() }
    }

    fn is_there(&self) -> bool {
        self.drops.count() == 0
    }
}

/// What work has seen, and where it stops to be looked at.
#[derive(Clone, Default)]
struct Watched {
    begun: Gate,
    go: Gate,
    /// It has gone on, and the text was there.
    saw: Counter,
    missed: Counter,
}

impl Watched {
    fn stop(&self, drops: &Counter) {
        self.begun.open();
        self.go.pass();
        if drops.count() == 0 {
            self.saw.add()
        } else {
            self.missed.add()
        };
    }

    /// Lets the work go on, which must find the text.
    fn goes_on(&self) {
        self.go.open();
        eventually("the work has gone on", || self.saw.count() + self.missed.count() > 0);
        assert_eq!(self.missed.count(), 0, "the text was gone while work had it lent");
    }
}

#[async_work]
async fn look(text: &Text, gate: AsyncResult<()>) -> bool {
    let _ = gate.await;
    text.is_there()
}

#[async_work(timeout = "20ms")]
fn in_time(text: &Text, watched: Watched) -> bool {
    // Not by way of the text, which may be gone.
    let drops = text.drops.clone();
    watched.stop(&drops);
    true
}

#[async_work(retry = 1)]
fn tried(text: &Text, watched: Watched) -> Result<(), Broken> {
    let drops = text.drops.clone();
    watched.stop(&drops);
    Err(Broken(1))
}

#[async_work(limit = 1)]
fn in_line(text: &Text, watched: Watched) {
    let drops = text.drops.clone();
    watched.stop(&drops);
}

#[async_work(limit = 1, retry = 1, timeout = "20ms")]
fn all_at_once(text: &Text, watched: Watched) -> Result<(), Broken> {
    let drops = text.drops.clone();
    watched.stop(&drops);
    Err(Broken(1))
}

/// Work around work around work, by hand.
fn nested(text: &Text, watched: Watched, limit: Limit) -> Work<'_, ()> {
    let attempt = move || {
        let (drops, watched) = (text.drops.clone(), watched.clone());
        let inner = work(move || {
            let _borrowed = text;
            watched.stop(&drops);
        });
        inner.limit(&limit).timeout(Duration::from_secs(60))
    };
    Retry::new(1).work(attempt).timeout(Duration::from_millis(20)).limit(&Limit::new(1))
}

#[async_work]
fn take(text: Text) -> usize {
    text.drops.count()
}

fn text_on(pool: &Pool, drops: &Counter) -> AsyncResult<Text> {
    let drops = drops.clone();
    let text = pool.spawn(move || Text::new(&drops));
    text.wait();
    text
}

#[test]
fn an_async_fn_that_is_suspended() {
    soon(|| {
        let (pool, drops) = (Pool::new(2), Counter::new());
        let text = text_on(&pool, &drops);
        let (open, gate) = AsyncResult::channel();
        let looks = chain!(&pool, look(&text, { gate }));
        pool.run_until_idle();
        drop(text);
        open.set(()).unwrap();
        assert!(looks.get().unwrap());
        eventually("the loan ends, and the value with it", || drops.count() == 1);
    });
}

#[test]
fn who_moves_the_value_waits_for_the_work() {
    soon(|| {
        for workers in [0, 1, 2] {
            let (pool, drops) = (Pool::new(workers), Counter::new());
            let text = text_on(&pool, &drops);
            let (open, gate) = AsyncResult::channel();
            let looks = chain!(&pool, look(&text, { gate }));
            let taken = chain!(&pool, take(text));
            pool.run_until_idle();
            assert!(!taken.is_set());
            open.set(()).unwrap();
            assert_eq!(taken.get().unwrap(), 0);
            assert!(looks.get().unwrap());
        }
    });
}

#[test]
fn a_thread_that_gets_the_value_waits_for_the_work() {
    soon(|| {
        for workers in [0, 1, 2] {
            let (pool, drops) = (Arc::new(Pool::new(workers)), Counter::new());
            let text = text_on(&pool, &drops);
            let (open, gate) = AsyncResult::channel();
            let looks = chain!(&*pool, look(&text, { gate }));
            pool.run_until_idle();
            let Err(text) = text.try_get() else { panic!("it is lent") };
            let Err(text) = text.get_timeout(Duration::from_millis(5)) else {
                panic!("it is lent")
            };
            let opens = std::thread::spawn(move || open.set(()));
            // On a pool without workers this thread polls the future that it waits for.
            let text = text.get().unwrap();
            opens.join().unwrap().unwrap();
            assert!(looks.get().unwrap() && text.is_there());
        }
    });
}

#[test]
fn work_that_gets_the_value_runs_what_has_it_lent() {
    soon(|| {
        let pool = Pool::builder().workers(1).max_spares(0).build().unwrap();
        let drops = Counter::new();
        let text = text_on(&pool, &drops);
        let gets = pool.spawn(move || {
            let looks = chain!(&asynckit::current(), look(&text, { AsyncResult::ready(()) }));
            let there = text.get().unwrap().is_there();
            there && looks.get().unwrap()
        });
        assert!(gets.get().unwrap());
    });
}

#[test]
fn a_function_that_runs_on_after_its_time() {
    soon(|| {
        let (pool, drops, watched) = (Pool::new(2), Counter::new(), Watched::default());
        let text = text_on(&pool, &drops);
        let late = chain!(&pool, in_time(&text, watched.clone()));
        drop(text);
        assert_eq!(late.get().unwrap_err().kind(), ErrorKind::TimedOut);
        watched.begun.pass();
        watched.goes_on();
        eventually("the loan ends, and the value with it", || drops.count() == 1);
    });
}

#[test]
fn a_mover_waits_for_a_function_that_runs_on_after_its_time() {
    soon(|| {
        let (pool, drops, watched) = (Pool::new(2), Counter::new(), Watched::default());
        let text = text_on(&pool, &drops);
        let late = chain!(&pool, in_time(&text, watched.clone()));
        let taken = chain!(&pool, take(text));
        assert_eq!(late.get().unwrap_err().kind(), ErrorKind::TimedOut);
        watched.begun.pass();
        assert!(!taken.wait_timeout(Duration::from_millis(10)));
        watched.goes_on();
        assert_eq!(taken.get().unwrap(), 0);
    });
}

#[test]
fn an_attempt_that_runs_when_its_retry_is_cancelled() {
    soon(|| {
        for token in [false, true] {
            let (pool, drops, watched) = (Pool::new(2), Counter::new(), Watched::default());
            let (text, tree) = (text_on(&pool, &drops), CancelToken::new());
            let tries = chain!(&tree.on(&pool), tried(&text, watched.clone()));
            drop(text);
            watched.begun.pass();
            if token {
                tree.cancel()
            } else {
                tries.cancel()
            };
            assert_eq!(tries.get().unwrap_err().kind(), ErrorKind::Cancelled);
            watched.goes_on();
            eventually("the loan ends, and the value with it", || drops.count() == 1);
        }
    });
}

#[test]
fn work_that_stands_in_line() {
    soon(|| {
        let (pool, drops) = (Pool::new(2), Counter::new());
        let (first, second) = (Watched::default(), Watched::default());
        let text = text_on(&pool, &drops);
        let one = chain!(&pool, in_line(&text, first.clone()));
        first.begun.pass();
        let two = chain!(&pool, in_line(&text, second.clone()));
        drop(text);
        pool.spawn(|| ()).wait();
        first.goes_on();
        second.goes_on();
        one.get().unwrap();
        two.get().unwrap();
        eventually("the loans end, and the value with them", || drops.count() == 1);
    });
}

#[test]
fn work_that_gives_up_its_place_in_line() {
    soon(|| {
        let (pool, drops) = (Pool::new(2), Counter::new());
        let (first, second) = (Watched::default(), Watched::default());
        let (text, other) = (text_on(&pool, &drops), text_on(&pool, &Counter::new()));
        let one = chain!(&pool, in_line(&other, first.clone()));
        first.begun.pass();
        let two = chain!(&pool, in_line(&text, second.clone()));
        drop(text);
        two.cancel();
        eventually("it never begins, and the loan ends", || drops.count() == 1);
        first.goes_on();
        one.get().unwrap();
        assert!(!second.begun.is_open());
    });
}

#[test]
fn all_options_together() {
    soon(|| {
        let (pool, drops, watched) = (Pool::new(2), Counter::new(), Watched::default());
        let text = text_on(&pool, &drops);
        let result = chain!(&pool, all_at_once(&text, watched.clone()));
        drop(text);
        watched.begun.pass();
        result.cancel();
        watched.goes_on();
        eventually("the loan ends, and the value with it", || drops.count() == 1);
    });
}

#[test]
fn work_around_work_made_by_hand() {
    soon(|| {
        let limit = Limit::new(1);
        for _ in 0..3 {
            let (pool, drops, watched) = (Pool::new(2), Counter::new(), Watched::default());
            let text = text_on(&pool, &drops);
            let result = chain!(&pool, nested(&text, watched.clone(), limit.clone()));
            drop(text);
            assert_eq!(result.get().unwrap_err().kind(), ErrorKind::TimedOut);
            watched.begun.pass();
            watched.goes_on();
            eventually("the loan ends, and the value with it", || drops.count() == 1);
        }
    });
}

#[test]
fn a_pool_that_is_stopped_meanwhile() {
    soon(|| {
        let (pool, drops, watched) = (Pool::new(2), Counter::new(), Watched::default());
        let (text, other) = (text_on(&pool, &drops), text_on(&pool, &drops));
        let gate = AsyncResult::<()>::new();
        let waits = chain!(&pool, look(&other, { gate.clone() }));
        let runs = chain!(&pool, tried(&text, watched.clone()));
        watched.begun.pass();
        drop((text, other));
        pool.stop_now();
        assert_eq!(waits.get().unwrap_err().kind(), ErrorKind::Stopped);
        eventually("what waited has nothing lent any more", || drops.count() == 1);
        watched.saw.add();
        watched.go.open();
        drop(pool);
        eventually("nor has what ran", || drops.count() == 2);
        assert!(runs.get().is_err());
    });
}

#[test]
fn a_future_that_panics_or_is_dropped() {
    #[async_work]
    async fn panics(text: &Text, gate: AsyncResult<()>) {
        let _ = gate.await;
        assert!(!text.is_there(), "on purpose");
    }
    soon(|| {
        for cancelled in [false, true] {
            let (pool, drops) = (Pool::new(1), Counter::new());
            let text = text_on(&pool, &drops);
            let (open, gate) = AsyncResult::channel();
            let result = chain!(&pool, panics(&text, { gate }));
            pool.run_until_idle();
            drop(text);
            assert_eq!(drops.count(), 0);
            if cancelled {
                result.cancel();
            } else {
                open.set(()).unwrap();
                assert!(result.get().unwrap_err().is_panic());
            }
            eventually("the loan ends, and the value with it", || drops.count() == 1);
        }
    });
}

#[test]
fn a_loan_that_a_waker_outlives() {
    #[async_work]
    async fn keeps_its_waker(text: &Text, kept: Arc<Mutex<Option<std::task::Waker>>>) -> bool {
        let mut first = true;
        poll_fn(|context| {
            *kept.lock().unwrap() = Some(context.waker().clone());
            if std::mem::take(&mut first) { Poll::Pending } else { Poll::Ready(()) }
        })
        .await;
        text.is_there()
    }
    soon(|| {
        let (pool, drops, kept) = (Pool::new(1), Counter::new(), Arc::new(Mutex::new(None)));
        let text = text_on(&pool, &drops);
        let looks = chain!(&pool, keeps_its_waker(&text, kept.clone()));
        pool.run_until_idle();
        drop(text);
        kept.lock().unwrap().as_ref().map(std::task::Waker::wake_by_ref);
        assert!(looks.get().unwrap());
        eventually("the loan ends, and the value with it", || drops.count() == 1);
        drop(kept);
    });
}

#[test]
fn several_loans_and_clones() {
    #[async_work]
    async fn both(a: &Text, b: &Text, n: String, gate: AsyncResult<()>) -> usize {
        let _ = gate.await;
        usize::from(a.is_there()) + usize::from(b.is_there()) + n.len()
    }
    soon(|| {
        let (pool, drops_of_a, drops_of_b) = (Pool::new(2), Counter::new(), Counter::new());
        let (a, b) = (text_on(&pool, &drops_of_a), text_on(&pool, &drops_of_b));
        let name = pool.spawn(|| "name".to_owned());
        let (open, gate) = AsyncResult::channel();
        let sum = chain!(&pool, both(&a, &b, name.clone(), { gate.clone() }));
        let same = chain!(&pool, both(&a, &a, name, { gate }));
        pool.run_until_idle();
        drop((a, b));
        open.set(()).unwrap();
        assert_eq!((sum.get().unwrap(), same.get().unwrap()), (6, 6));
        let drops = || drops_of_a.count() + drops_of_b.count();
        eventually("the loans end, and the values with them", || drops() == 2);
    });
}

#[test]
fn in_a_scope_the_value_is_gone_before_the_end() {
    struct Guard<'a>(&'a Counter, Arc<Mutex<bool>>);
    impl Drop for Guard<'_> {
        fn drop(&mut self) {
            // Slow, so that a scope that did not wait would end before.
            std::thread::sleep(Duration::from_millis(1));
            self.0.add();
            *self.1.lock().unwrap() = true;
        }
    }
    #[async_work]
    async fn looks_on(guard: &Guard<'_>, gate: AsyncResult<()>) -> usize {
        let _ = gate.await;
        guard.0.count()
    }
    soon(|| {
        let pool = Pool::new(2);
        for _ in 0..20 {
            let (drops, gone) = (Counter::new(), Arc::new(Mutex::new(false)));
            pool.scope(|s| {
                let guard = s.spawn(|| Guard(&drops, gone.clone()));
                let (open, gate) = AsyncResult::channel();
                let looks = chain!(s, looks_on(&guard, { gate }));
                guard.wait();
                drop((guard, looks));
                drop(pool.spawn(move || open.set(())));
            });
            assert!(*gone.lock().unwrap(), "the scope ended before a value of its work");
        }
    });
}

#[test]
fn work_in_place_comes_to_its_end_in_place() {
    soon(|| {
        let pool = Pool::new(2);
        let seen = pool.spawn(|| {
            let (drops, watched) = (Counter::new(), Watched::default());
            let text = Text::new(&drops);
            let opens = {
                let watched = watched.clone();
                std::thread::spawn(move || {
                    watched.begun.pass();
                    std::thread::sleep(Duration::from_millis(40));
                    watched.go.open();
                })
            };
            let earlier = AsyncResult::ready(());
            let stops = work(|| watched.stop(&text.drops)).timeout(Duration::from_millis(20));
            let late = stops.after(&earlier).run();
            assert_eq!(late.unwrap_err().kind(), ErrorKind::TimedOut);
            // All of it has run, though its result was late: it borrows from here.
            assert_eq!(watched.saw.count(), 1);
            opens.join().unwrap();
        });
        seen.get().unwrap();
    });
}

#[test]
fn a_call_that_makes_no_work_ends_its_loan_itself() {
    fn boxed<'a>(text: &'a Text) -> Pin<Box<dyn Future<Output = bool> + Send + 'a>> {
        Box::pin(async { text.is_there() })
    }
    fn there(text: &Text) -> bool {
        futures::executor::block_on(boxed(text))
    }
    soon(|| {
        let (pool, drops) = (Pool::new(1), Counter::new());
        let text = text_on(&pool, &drops);
        let seen = chain!(&pool, there(&text));
        let taken = chain!(&pool, take(text));
        assert!(seen.get().unwrap());
        assert_eq!(taken.get().unwrap(), 0);
    });
}

/// The list is gone when the call looks for what it was lent: large enough for its memory to be gone as well.
#[test]
fn a_list_moves_into_a_call_that_returns_work() {
    #[async_work(timeout = "1h")]
    fn sum(all: Vec<u64>, offset: &u64) -> u64 {
        all.iter().sum::<u64>() + offset
    }
    #[async_work]
    fn number(n: u64) -> u64 {
        n
    }
    soon(|| {
        let pool = Pool::new(2);
        let (sum, offset) = chain!(&pool, {
            let offset = number(7);
            let all: Vec<_> = (0..30_000).map(number).collect();
            (sum(all, &offset), offset)
        })
        .get()
        .unwrap();
        assert_eq!((sum, offset), (30_000 * 29_999 / 2 + 7, 7));
    });
}
