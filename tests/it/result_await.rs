//! Results as futures, under executors that know nothing of pools.

use std::future::{Future, IntoFuture};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};

use asynckit::{AsyncResult, ErrorKind, Pool, chain};

use crate::support::{Broken, Counter, Gate, Tally, Thing, eventually, hold, occupy, soon};

/// The smallest executor there is.
fn block_on<F: IntoFuture>(future: F) -> F::Output {
    struct Unpark(Thread);
    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut future = pin!(future.into_future());
    loop {
        if let Poll::Ready(value) = future.as_mut().poll(&mut Context::from_waker(&waker)) {
            return value;
        }
        thread::park();
    }
}

/// A waker that counts, to poll by hand with.
struct CountWakes(Counter);

impl Wake for CountWakes {
    fn wake(self: Arc<Self>) {
        self.0.add();
    }
}

fn counting_waker() -> (Waker, Counter) {
    let wakes = Counter::new();
    (Waker::from(Arc::new(CountWakes(wakes.clone()))), wakes)
}

fn poll<F: Future + Unpin>(future: &mut F, waker: &Waker) -> Poll<F::Output> {
    Pin::new(future).poll(&mut Context::from_waker(waker))
}

#[test]
fn awaiting_gives_the_value() {
    soon(|| {
        let pool = Pool::new(1);
        assert_eq!(block_on(pool.spawn(|| 1)).unwrap(), 1);
        assert_eq!(block_on(async { pool.spawn(|| 1).await }).unwrap(), 1);
        assert_eq!(block_on(AsyncResult::ready("there")).unwrap(), "there");
    });
}

#[test]
fn awaiting_gives_the_failure() {
    soon(|| {
        let pool = Pool::new(1);
        let error = block_on(pool.spawn(|| -> u8 { panic!("on purpose") })).unwrap_err();
        assert!(error.is_panic());
        let failed = AsyncResult::<u8>::failed(Broken(3));
        assert_eq!(block_on(&failed).unwrap_err().downcast_ref(), Some(&Broken(3)));
        assert_eq!(block_on(failed).unwrap_err().downcast_ref(), Some(&Broken(3)));
    });
}

#[test]
fn awaiting_by_reference_lends() {
    soon(|| {
        let tally = Tally::new();
        let r = AsyncResult::ready(tally.value(4));
        block_on(async {
            let lent: &crate::support::Counted = (&r).await.unwrap();
            assert_eq!(lent.value, 4);
        });
        assert_eq!(block_on(r).unwrap().value, 4);
        assert_eq!((tally.clones.count(), tally.drops.count()), (0, 1));
    });
}

#[test]
fn a_result_set_by_another_thread_wakes_the_awaiter() {
    soon(|| {
        for _ in 0..500 {
            let (setter, r) = AsyncResult::channel();
            let setting = thread::spawn(move || setter.set(1).unwrap());
            assert_eq!(block_on(r).unwrap(), 1);
            setting.join().unwrap();
        }
    });
}

#[test]
fn many_await_one_result() {
    soon(|| {
        let r = AsyncResult::new();
        thread::scope(|s| {
            for _ in 0..3 {
                let one = r.clone();
                let lent = &r;
                s.spawn(move || assert_eq!(block_on(one).unwrap(), 8));
                s.spawn(move || assert_eq!(*block_on(lent).unwrap(), 8));
            }
            r.set(8).unwrap();
        });
    });
}

#[test]
fn thousands_of_futures_may_wait_for_one_result() {
    soon(|| {
        let r = AsyncResult::new();
        let (waker, wakes) = counting_waker();
        let mut futures: Vec<_> = (0..5000).map(|_| Box::pin((&r).into_future())).collect();
        for future in &mut futures {
            assert!(poll(future, &waker).is_pending());
        }
        r.set(3).unwrap();
        assert_eq!(wakes.count(), 5000);
        for mut future in futures {
            assert!(matches!(poll(&mut future, &waker), Poll::Ready(Ok(3))));
        }
    });
}

#[test]
fn the_waker_of_the_last_poll_is_woken() {
    let (setter, r) = AsyncResult::channel();
    let mut future = Box::pin(r.into_future());
    let ((first, first_wakes), (last, last_wakes)) = (counting_waker(), counting_waker());
    assert!(poll(&mut future, &first).is_pending());
    assert!(poll(&mut future, &last).is_pending());
    assert_eq!((first_wakes.count(), last_wakes.count()), (0, 0));
    setter.set(2).unwrap();
    assert!(last_wakes.count() >= 1);
    assert!(matches!(poll(&mut future, &last), Poll::Ready(Ok(2))));
}

#[test]
fn a_future_that_is_dropped_leaves_nothing_behind() {
    soon(|| {
        let r = AsyncResult::new();
        let (waker, wakes) = counting_waker();
        for _ in 0..1000 {
            let mut lent = Box::pin((&r).into_future());
            assert!(poll(&mut lent, &waker).is_pending());
            let mut clone = Box::pin(r.clone().into_future());
            assert!(poll(&mut clone, &waker).is_pending());
        }
        r.set(1).unwrap();
        assert_eq!(wakes.count(), 0, "nobody waits any more");
        assert_eq!(r.get().unwrap(), 1);
    });
}

#[test]
fn a_dropped_waker_is_let_go() {
    let r = AsyncResult::<u8>::new();
    let held = Arc::new(CountWakes(Counter::new()));
    let waker = Waker::from(held.clone());
    let mut future = Box::pin((&r).into_future());
    assert!(poll(&mut future, &waker).is_pending());
    drop(future);
    drop(waker);
    assert_eq!(Arc::strong_count(&held), 1);
}

#[test]
fn dropping_a_future_detaches_the_work() {
    soon(|| {
        let pool = Pool::new(1);
        let busy = occupy(&pool);
        let ran = Gate::new();
        let r = pool.spawn({
            let ran = ran.clone();
            move || ran.open()
        });
        let mut future = Box::pin(r.into_future());
        assert!(poll(&mut future, Waker::noop()).is_pending());
        drop(future);
        busy.free();
        ran.pass();
    });
}

#[test]
fn awaiting_a_lent_value_waits_for_its_borrowers() {
    soon(|| {
        let pool = Pool::new(1);
        let (begun, gate) = (Gate::new(), Gate::new());
        let thing = AsyncResult::ready(Thing(5));
        let (b, g) = (begun.clone(), gate.clone());
        let lent = chain!(&pool, hold(&thing, b, g));
        begun.pass();
        let mut future = Box::pin(thing.into_future());
        let (waker, wakes) = counting_waker();
        assert!(poll(&mut future, &waker).is_pending());
        gate.open();
        eventually("the awaiter is woken", || wakes.count() >= 1);
        assert_eq!(block_on(future).unwrap().0, 5);
        assert_eq!(lent.get().unwrap(), 5);
    });
}

#[test]
fn awaiting_a_cancelled_or_stopped_result_ends() {
    soon(|| {
        let pool = Pool::new(1);
        let busy = occupy(&pool);
        let (a, b) = (pool.spawn(|| 1), pool.spawn(|| 1));
        let mut a = Box::pin(a.map(|n| n).spawn_on(&pool).into_future());
        let mut b = Box::pin(b.into_future());
        let (waker, wakes) = counting_waker();
        assert!(poll(&mut a, &waker).is_pending());
        assert!(poll(&mut b, &waker).is_pending());
        pool.stop_now();
        assert_eq!(block_on(a).unwrap_err().kind(), ErrorKind::Stopped);
        assert_eq!(block_on(b).unwrap_err().kind(), ErrorKind::Stopped);
        assert!(wakes.count() >= 2);
        busy.free();

        let r = AsyncResult::<u8>::new();
        let mut future = Box::pin(r.clone().into_future());
        assert!(poll(&mut future, Waker::noop()).is_pending());
        assert!(r.cancel());
        assert_eq!(block_on(future).unwrap_err().kind(), ErrorKind::Cancelled);
    });
}

#[test]
fn a_waker_that_panics_harms_nobody() {
    struct Panics;
    impl Wake for Panics {
        fn wake(self: Arc<Self>) {
            panic!("on purpose");
        }
    }
    soon(|| {
        let r = AsyncResult::new();
        let mut future = Box::pin(r.clone().into_future());
        assert!(poll(&mut future, &Waker::from(Arc::new(Panics))).is_pending());
        let called = Counter::new();
        r.on_set({
            let called = called.clone();
            move |_| {
                called.add();
            }
        });
        r.set(1).unwrap();
        assert_eq!(called.count(), 1);
        assert_eq!(block_on(future).unwrap(), 1);
    });
}
