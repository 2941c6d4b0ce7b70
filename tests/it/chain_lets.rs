//! What a `let` of a chain does with its value: nested patterns over pending tuples, and annotations
//! that decide what the value is.

use std::collections::HashMap;

use asynckit::{AsyncResult, Pool, Work, async_work, chain};

use crate::support::soon;

#[async_work]
fn number(n: u64) -> u64 {
    n
}
#[async_work]
fn pair(n: u64) -> (u64, u64) {
    (n, n + 1)
}
type Nested = (u64, (String, (u64, u64)), u64);

#[async_work]
fn nested() -> Nested {
    (1, ("two".to_owned(), (3, 4)), 5)
}
#[async_work]
fn failing() -> Result<Nested, &'static str> {
    Err("failed")
}
fn sum(numbers: Vec<u64>) -> u64 {
    numbers.iter().sum()
}

fn with_pool<R: Send + 'static>(body: impl FnOnce(&Pool) -> R + Send + 'static) -> R {
    soon(|| body(&Pool::new(2)))
}

#[test]
fn a_pending_tuple_is_taken_apart_as_deep_as_its_pattern() {
    with_pool(|pool| {
        let result = chain!(pool, {
            let (a, (b, (c, d)), _) = nested();
            let (.., (e, ..), f) = nested();
            let whole = nested();
            let (g, (_, (h, _)), ..) = whole;
            let ((i,), j): ((AsyncResult<u64>,), u64) = ((number(6),), 7);
            ((a, b, c, d), (e, f), (g, h, i, AsyncResult::ready(j)))
        });
        let (abcd, ef, ghij) = result.get().unwrap();
        assert_eq!(abcd, (1, "two".to_owned(), 3, 4));
        assert_eq!(ef, ("two".to_owned(), 5));
        assert_eq!(ghij, (1, 3, 6, 7));
    });
}

#[test]
fn so_are_results_in_a_tuple_that_is_written_out_and_assignments() {
    with_pool(|pool| {
        let result = chain!(pool, {
            let (a, (b, c)) = (number(1), pair(2));
            let (.., (d, _)) = (0, 0, 0, pair(4));
            let (mut e, (f, g));
            (e, (f, g)) = (number(6), if a.is_error() { pair(0) } else { pair(7) });
            e = u64::max(e, 1);
            vec![a, b, c, d, e, f, g]
        });
        assert_eq!(result.get().unwrap(), [1, 2, 3, 4, 6, 7, 8]);
    });
}

#[test]
fn plain_tuples_are_taken_apart_as_ever() {
    fn plain() -> (u64, (String, [u64; 2])) {
        (1, ("two".to_owned(), [3, 4]))
    }
    with_pool(|pool| {
        let lent = plain();
        let mut log = Vec::new();
        let result = chain!(pool, {
            let (a, (b, [c, d])) = plain();
            let (e, (f, g)) = &lent;
            log.push(format!("{a}{b}{c}{d}{e}{f}{g:?}"));
            number(a)
        });
        assert_eq!(result.get().unwrap(), 1);
        assert_eq!(log, ["1two341two[3, 4]"]);
    });
}

#[test]
fn the_parts_of_what_failed_fail() {
    with_pool(|pool| {
        let result = chain!(pool, {
            let (_, (_, (part, _)), _) = failing();
            part
        });
        assert!(result.get().unwrap_err().origin().ends_with("::failing"));
    });
}

#[test]
fn an_annotation_decides_what_a_value_is() {
    fn any<T: Default>(_seed: u64) -> T {
        T::default()
    }
    fn adds(n: u64) -> Box<dyn Fn(u64) -> u64 + Send> {
        Box::new(move |m| m + n)
    }
    type Renamed = AsyncResult<u64>;
    with_pool(|pool| {
        let (size, text) = (3, String::from("text"));
        let result = chain!(pool, {
            let mut results: Vec<AsyncResult<_>> = Vec::with_capacity(size);
            results.push(number(1));
            let collected: Vec<_> = Iterator::collect((2..4).map(number));
            results.extend(collected);
            let zero: u64 = any(size as u64);
            let mut lengths: HashMap<_, _> = HashMap::with_capacity(size);
            lengths.insert(text, zero);
            let add: Box<dyn Fn(u64) -> u64 + Send> = adds(size as u64);
            let shown: Box<dyn std::fmt::Display> = Box::new(size);
            let renamed: Renamed = number(add(shown.to_string().len() as u64));
            results.push(renamed);
            sum(results)
        });
        assert_eq!(result.get().unwrap(), 10);
    });
}

struct Client(u64);

impl Client {
    #[async_work]
    fn get(&'static self, n: u64) -> u64 {
        self.0 + n
    }
}

#[test]
fn a_method_that_gives_work_starts_it_where_it_is_bound_and_not_as_an_argument() {
    fn unstarted(work: Work<'_, u64>) -> u64 {
        work.run().unwrap()
    }
    static CLIENT: Client = Client(1);
    with_pool(|pool| {
        let result = chain!(pool, {
            let started: AsyncResult<u64> = CLIENT.get(1);
            let either = if started.is_error() { CLIENT.get(7) } else { CLIENT.get(2) };
            let plain = unstarted(CLIENT.get(3));
            (u64::max(started, either), number(plain))
        });
        assert_eq!(result.get().unwrap(), (3, 4));
    });
}
