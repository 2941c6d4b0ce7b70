//! The rules of `chain!` about the block and its calls, and what was settled about them. The rules
//! about failures and ends are in `chain_ends`, the async form is in `chain_async`.

use std::sync::{Arc, Mutex};

use asynckit::{AsyncResult, Pool, Work, async_work, chain, work};

use crate::support::{Counted, Counter, Gate, Tally, soon};

#[async_work]
fn number(n: usize) -> usize {
    n
}
#[async_work]
fn merge(a: usize, b: usize) -> usize {
    a + b
}
#[async_work]
fn size(text: &str) -> usize {
    text.len()
}
#[async_work]
fn passes(gate: Gate, n: usize) -> usize {
    gate.pass();
    n
}

fn with_pool<R: Send + 'static>(body: impl FnOnce(&Pool) -> R + Send + 'static) -> R {
    soon(|| body(&Pool::new(2)))
}

// 1, 9

fn leaves(pool: &Pool, early: bool) -> AsyncResult<usize> {
    chain!(pool, {
        if early {
            return AsyncResult::ready(7);
        }
        number(1)
    })
}

fn questions(pool: &Pool, text: &str) -> Result<AsyncResult<usize>, std::num::ParseIntError> {
    Ok(chain!(pool, {
        let n: usize = text.parse()?;
        merge(n, 1)
    }))
}

#[test]
fn a_chain_is_a_block_of_the_enclosing_function() {
    with_pool(|pool| {
        assert_eq!(leaves(pool, true).get().unwrap(), 7);
        assert_eq!(leaves(pool, false).get().unwrap(), 1);
        assert_eq!(questions(pool, "4").unwrap().get().unwrap(), 5);
        assert!(questions(pool, "x").is_err());
        let here = std::thread::current().id();
        let mut log = Vec::new();
        let result = chain!(pool, {
            log.push(std::thread::current().id());
            let a = number(1);
            log.push(std::thread::current().id());
            a
        });
        assert_eq!(log, [here, here]);
        assert_eq!(result.get().unwrap(), 1);
        for n in 0.. {
            let result = chain!(pool, {
                if n == 3 {
                    break;
                }
                number(n)
            });
            assert_eq!(result.get().unwrap(), n);
        }
    });
}

// 2

#[test]
fn a_call_that_yields_work_starts_at_once() {
    with_pool(|pool| {
        let (begun, gate) = (Gate::new(), Gate::new());
        let signal = begun.clone();
        let opener = work(move || signal.open());
        let result: AsyncResult<usize> = chain!(pool, {
            let started = passes(gate.clone(), 1);
            let opens = identity({ opener });
            begun.pass(); // while the chain is still being written down
            gate.open();
            let _ = opens;
            started
        });
        assert_eq!(result.get().unwrap(), 1);
    });
}

fn identity<'w, T>(work: Work<'w, T>) -> Work<'w, T> {
    work
}

#[test]
fn every_element_of_a_list_of_work_starts_where_it_is_bound() {
    fn all(n: usize) -> Vec<Work<'static, usize>> {
        (0..n).map(number).collect()
    }
    with_pool(|pool| {
        let sum = chain!(pool, {
            let first = all(3);
            let second: Vec<_> = (0..3).map(number).collect();
            let third: Vec<AsyncResult<usize>> = all(2);
            let mut sum = number(0);
            for n in first.into_iter().chain(second).chain(third) {
                sum = merge(sum, n);
            }
            sum
        });
        assert_eq!(sum.get().unwrap(), 7);
    });
}

// 3

#[test]
fn a_call_of_any_function_with_a_pending_argument_becomes_a_task() {
    struct Holder {
        page: AsyncResult<Vec<u8>>,
        pair: (AsyncResult<u64>, u64),
    }
    with_pool(|pool| {
        let page = AsyncResult::new();
        let holder = Holder { page: page.clone(), pair: (AsyncResult::ready(4), 5) };
        let add = |a: usize, b: u64| a as u64 + b;
        let result = chain!(pool, {
            let text = String::from_utf8(holder.page);
            let length = checked_length(text);
            let most = u64::max(holder.pair.0, holder.pair.1);
            let sum = add(length, most);
            ((|n: &u64| n + 1)(&sum), sum)
        });
        page.set(b"abc".to_vec()).unwrap();
        assert_eq!(result.get().unwrap(), (9, 8));
    });
}

fn checked_length(text: Result<String, std::string::FromUtf8Error>) -> usize {
    text.map_or(0, |text| text.len())
}

#[test]
fn a_call_without_pending_arguments_is_the_users_own() {
    with_pool(|pool| {
        let mut log = Vec::new();
        let result = chain!(pool, {
            let mut note = |n: usize| log.push(n);
            let n = 1;
            note(n);
            note(n + 1);
            let not_send = std::rc::Rc::new(n);
            let back = same(&not_send);
            number(**back)
        });
        assert_eq!(result.get().unwrap(), 1);
        assert_eq!(log, [1, 2]);
    });
}

fn same<T>(value: &T) -> &T {
    value
}

// 4

#[test]
fn a_call_moves_lends_or_clones_as_it_says() {
    struct Connection(Arc<Mutex<Vec<&'static str>>>);
    fn ping(connection: &Connection) -> usize {
        connection.0.lock().unwrap().push("ping");
        1
    }
    fn close(connection: Connection) -> usize {
        connection.0.lock().unwrap().push("close");
        2
    }
    with_pool(|pool| {
        let log = Arc::new(Mutex::new(Vec::new()));
        let connection = AsyncResult::new();
        let (setter, given) = AsyncResult::channel();
        drop(connection.set(0_u8));
        let result = chain!(pool, {
            let a = ping(&given);
            let b = ping(&given);
            let c = close(given); // not `Clone`; waits for both
            (a, b, c)
        });
        setter.set(Connection(Arc::clone(&log))).ok().unwrap();
        assert_eq!(result.get().unwrap(), (1, 1, 2));
        assert_eq!(*log.lock().unwrap(), ["ping", "ping", "close"]);
    });
}

#[test]
fn a_value_and_its_clones_may_go_into_one_call() {
    fn all(a: usize, b: usize, c: &usize, d: usize) -> usize {
        a + b + c + d
    }
    with_pool(|pool| {
        let result = chain!(pool, {
            let a = number(1);
            all(a.clone(), a.clone(), &a.clone(), a)
        });
        assert_eq!(result.get().unwrap(), 4);
    });
}

#[test]
fn there_is_no_clone_that_was_not_written() {
    fn value(counted: Counted) -> u32 {
        counted.value
    }
    fn look(counted: &Counted) -> u32 {
        counted.value
    }
    with_pool(|pool| {
        let tally = Tally::new();
        let made = AsyncResult::ready(tally.value(3));
        let result = chain!(pool, {
            let a = look(&made);
            let b = value(made.clone());
            let c = value(made);
            (a, b, c)
        });
        assert_eq!(result.get().unwrap(), (3, 3, 3));
        assert!(tally.clones.count() <= 1, "{}", tally.clones.count());
    });
}

#[test]
fn a_variable_that_is_a_reference_lends() {
    fn chained(pool: &Pool, text: &AsyncResult<String>) -> AsyncResult<usize> {
        chain!(pool, merge(size(text), size(text)))
    }
    with_pool(|pool| {
        let (setter, text) = AsyncResult::channel();
        let result = chained(pool, &text);
        setter.set("abc".to_owned()).unwrap();
        assert_eq!(result.get().unwrap(), 6);
        assert_eq!(text.get().unwrap(), "abc");
    });
}

// 5, 6

fn takes_handle(handle: &AsyncResult<usize>, _unit: ()) -> bool {
    handle.is_set()
}
fn takes_owned(handle: AsyncResult<usize>) -> usize {
    handle.get().unwrap()
}

#[test]
fn braces_pass_the_handle_itself() {
    with_pool(|pool| {
        let (setter, a) = AsyncResult::channel();
        let seen;
        let result = chain!(pool, {
            seen = takes_handle({ &a }, ());
            let is_set = a.is_set();
            assert!(!is_set);
            let wrapped = [Some(a)];
            wrapped.into_iter().flatten().next().expect("the handle")
        });
        assert!(!seen);
        setter.set(1).unwrap();
        assert_eq!(result.get().unwrap(), 1);
        let result = chain!(pool, {
            let a = number(3);
            let n = takes_owned({ a });
            number(n)
        });
        assert_eq!(result.get().unwrap(), 3);
    });
}

#[test]
fn constructors_build_plain_data_around_the_handle() {
    struct Pair(AsyncResult<usize>, usize);
    with_pool(|pool| {
        let result = chain!(pool, {
            let a = number(1);
            let Pair(a, b) = Pair(a, 2);
            let (Some(c), Ok::<_, ()>(d)) = (Some(number(3)), Ok(a)) else { unreachable!() };
            (d, number(b), c)
        });
        assert_eq!(result.get().unwrap(), (1, 2, 3));
    });
}

#[test]
fn dropping_waits_and_dropping_in_braces_detaches() {
    with_pool(|pool| {
        let drops = Counter::new();
        let (setter, value) = AsyncResult::channel();
        let end = chain!(pool, {
            let dropped = drop(value);
            dropped
        });
        assert!(!end.is_set());
        setter.set(drops.on_drop()).ok().unwrap();
        end.get().unwrap();
        assert_eq!(drops.count(), 1);
        let (setter, value) = AsyncResult::<usize>::channel();
        chain!(pool, {
            drop({ value });
        })
        .get()
        .unwrap();
        drop(setter);
    });
}

#[test]
fn the_receiver_of_a_method_is_not_started() {
    with_pool(|pool| {
        let other = Pool::new(1);
        let counter = Counter::new();
        let result = chain!(pool, {
            let on_other = number(1).spawn_on(&other);
            let n = 2;
            let in_place = number(n).run().unwrap();
            let _ = count(counter.clone()); // started
            let unused = Some(count(counter.clone())).map(|started| started.is_set());
            assert!(unused.is_some());
            merge(on_other, in_place)
        });
        assert_eq!(result.get().unwrap(), 3);
        other.stop();
    });
}

#[async_work]
fn count(counter: Counter) {
    counter.add();
}

#[test]
fn a_statement_whose_value_is_dropped_detaches() {
    soon(|| {
        let (pool, counter) = (Pool::new(1), Counter::new());
        static CLIENT: Client = Client;
        chain!(&pool, {
            count(counter.clone());
            CLIENT.get(counter.clone());
            for _ in 0..2 {
                count(counter.clone())
            }
            let a = number(1);
            drop_late(a, counter.clone());
        })
        .get()
        .unwrap();
        pool.stop();
        assert_eq!(counter.count(), 5);
    });
}

fn drop_late(_: usize, counter: Counter) {
    counter.add();
}

struct Client;

impl Client {
    #[async_work]
    fn get(&'static self, counter: Counter) {
        counter.add();
    }
}
