//! The options of `#[async_work]` that say how calls are made.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::time::Duration;

use asynckit::{AsyncResult, ErrorKind, Pool, Results, async_work, chain, is_cancelled};

use crate::support::{Broken, Counter, Gate, Tally, eventually, soon};

#[async_work(retry = 3)]
fn flaky(calls: Counter, failures: usize) -> Result<usize, Broken> {
    let call = calls.add();
    if call <= failures { Err(Broken(call as u32)) } else { Ok(call) }
}

#[async_work(retry = TWICE, backoff = "1ms")]
fn lent(calls: &Counter, text: &str, mut list: Vec<u8>) -> Result<Vec<u8>, Broken> {
    list.extend(text.as_bytes());
    if calls.add() < 3 { Err(Broken(1)) } else { Ok(list) }
}
const TWICE: u32 = 2;

#[async_work(retry = 1)]
fn generic<T: Clone + Send, const N: usize>(
    values: [T; N],
    (a, b): (usize, usize),
    calls: impl Fn() -> usize + Clone + Send,
) -> Result<(Vec<T>, usize), Broken> {
    if calls() == 1 { Err(Broken(1)) } else { Ok((values.to_vec(), a + b)) }
}

#[async_work(timeout = "20ms")]
fn waits_at(gate: Gate) {
    gate.pass();
}

#[async_work(retry = 1, timeout = "20ms")]
fn slow_at_first(calls: Counter, gate: Gate) -> usize {
    let call = calls.add();
    if call == 1 {
        gate.pass();
    }
    call
}

#[async_work(timeout = "20ms")]
async fn awaits(input: AsyncResult<u32>) -> asynckit::Result<u32> {
    input.await
}

static INSIDE: AtomicUsize = AtomicUsize::new(0);

#[async_work(limit = 2)]
fn limited(most: Counter, n: usize) -> usize {
    if INSIDE.fetch_add(1, SeqCst) >= 2 {
        most.add();
    }
    std::thread::yield_now();
    INSIDE.fetch_sub(1, SeqCst);
    n
}

#[async_work(retry = 2, backoff = "1us", timeout = "10s", limit = 1)]
fn all_of_them(calls: &Counter) -> Result<usize, Broken> {
    let call = calls.add();
    if call < 3 { Err(Broken(0)) } else { Ok(call) }
}

struct Client {
    calls: Counter,
}

impl Client {
    #[async_work(retry = 1)]
    fn get(&self, name: &str) -> Result<String, Broken> {
        if self.calls.add() == 1 { Err(Broken(1)) } else { Ok(name.to_owned()) }
    }

    #[async_work(retry = 1)]
    fn shared(self: &Arc<Self>) -> Result<usize, Broken> {
        Ok(self.calls.count())
    }

    #[async_work(timeout = "1h", limit = 3)]
    fn used_up(self, n: u8) -> u8 {
        n
    }
}

#[test]
fn a_call_that_fails_is_made_again() {
    soon(|| {
        let pool = Pool::new(1);
        let calls = Counter::new();
        assert_eq!(flaky(calls.clone(), 3).spawn_on(&pool).get().unwrap(), 4);
        assert_eq!(flaky(Counter::new(), 1).run().unwrap(), 2);
        let line = line!() + 1;
        let error = flaky(Counter::new(), 9).spawn_on(&pool).get().unwrap_err();
        assert_eq!((error.tries(), error.downcast_ref()), (4, Some(&Broken(4))));
        let name = format!("{}::flaky", module_path!());
        assert_eq!(error.origin(), name);
        assert_eq!(error.to_string(), format!("{name} failed: broken 4 (tried 4 times)"));
        let path = format!("{error:#}");
        assert!(path.contains(&format!("[flaky ({}:{line})]", file!())), "{path}");
    });
}

#[test]
fn arguments_are_lent_or_cloned_for_each_try() {
    soon(|| {
        let pool = Pool::new(1);
        let calls = Counter::new();
        pool.scope(|s| {
            let list = lent(&calls, "ab", vec![1]).spawn_on(s);
            assert_eq!(list.get().unwrap(), [1, b'a', b'b']);
        });
        assert_eq!(calls.count(), 3);
        let count = Counter::new();
        let (values, sum) = generic(["x", "y"], (1, 2), move || count.add()).run().unwrap();
        assert_eq!((values, sum), (vec!["x", "y"], 3));
    });
}

#[test]
fn one_clone_for_each_try() {
    #[async_work(retry = 5)]
    fn takes(value: crate::support::Counted, failures: u32) -> Result<u32, Broken> {
        let try_ = value.tally.clones.count() as u32;
        if try_ <= failures { Err(Broken(try_)) } else { Ok(value.value) }
    }
    soon(|| {
        let (pool, tally) = (Pool::new(1), Tally::new());
        assert_eq!(takes(tally.value(7), 2).spawn_on(&pool).get().unwrap(), 7);
        pool.stop();
        assert_eq!((tally.clones.count(), tally.drops.count()), (3, 4));
    });
}

#[test]
fn methods_too() {
    soon(|| {
        let client = Client { calls: Counter::new() };
        assert_eq!(client.get("a").run().unwrap(), "a");
        assert_eq!(client.calls.count(), 2);
        let client = Arc::new(client);
        assert_eq!(client.shared().run().unwrap(), 2);
        assert_eq!(Client { calls: Counter::new() }.used_up(3).run().unwrap(), 3);
    });
}

#[test]
fn a_call_that_takes_too_long_fails() {
    soon(|| {
        let pool = Pool::new(1);
        let gate = Gate::new();
        let line = line!() + 1;
        let result = waits_at(gate.clone()).spawn_on(&pool);
        let error = result.get().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::TimedOut);
        let text = format!("{}::waits_at was not done within 20ms", module_path!());
        assert_eq!(error.to_string(), text);
        let place = format!("waits_at ({}:{line})", file!());
        assert!(format!("{error:#}").contains(&place), "{error:#}");
        // Though its worker is busy, what depends on it goes on.
        let input = AsyncResult::new();
        let other = Pool::new(1);
        let lifted = chain!(&other, waits_at(input.clone()));
        input.set(gate.clone()).unwrap();
        assert_eq!(lifted.get().unwrap_err().kind(), ErrorKind::TimedOut);
        gate.open();
        assert!(waits_at(gate).spawn_on(&pool).get().is_ok());
    });
}

#[test]
fn the_time_counts_from_the_beginning_of_the_call() {
    soon(|| {
        let pool = Pool::new(1);
        let busy = crate::support::occupy(&pool);
        let gate = Gate::new();
        gate.open();
        let queued = waits_at(gate).spawn_on(&pool);
        std::thread::sleep(Duration::from_millis(40));
        assert!(!queued.is_set(), "it has not begun");
        busy.free();
        queued.get().unwrap();
    });
}

#[test]
fn in_place_it_fails_when_it_comes_back() {
    #[async_work(timeout = "5ms")]
    fn until_it_is_told() -> u8 {
        eventually("its time is over", is_cancelled);
        1
    }
    assert_eq!(until_it_is_told().run().unwrap_err().kind(), ErrorKind::TimedOut);
}

#[test]
fn async_functions_have_time_limits_too() {
    soon(|| {
        let pool = Pool::new(1);
        assert_eq!(awaits(AsyncResult::ready(3)).spawn_on(&pool).get().unwrap(), 3);
        let never = AsyncResult::new();
        let late = awaits(never.clone()).spawn_on(&pool);
        assert_eq!(late.get().unwrap_err().kind(), ErrorKind::TimedOut);
        assert!(!never.is_set());
    });
}

#[test]
fn a_try_that_takes_too_long_is_tried_again() {
    soon(|| {
        let (pool, gate) = (Pool::new(2), Gate::new());
        let result = slow_at_first(Counter::new(), gate.clone()).spawn_on(&pool);
        assert_eq!(result.get().unwrap(), 2);
        gate.open();
    });
}

#[test]
fn a_function_has_a_limit_of_its_own() {
    soon(|| {
        let (pool, too_many) = (Pool::new(6), Counter::new());
        let all = chain!(&pool, {
            let all: Vec<_> = (0..500).map(|n| limited(too_many.clone(), n)).collect();
            all
        });
        assert_eq!(all.get().unwrap(), (0..500).collect::<Vec<_>>());
        assert_eq!(too_many.count(), 0);
    });
}

#[test]
fn all_at_once() {
    soon(|| {
        let pool = Pool::new(2);
        let counters: Vec<_> = (0..50).map(|_| Counter::new()).collect();
        let calls = pool.scope(|s| {
            let results = counters.iter().map(|calls| all_of_them(calls).spawn_on(s));
            results.join_all().get().unwrap()
        });
        assert!(calls.iter().all(|&n| n == 3));
    });
}
