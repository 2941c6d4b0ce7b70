//! The Rust that a chain understands: all of it, and what hides in macros and hostile scopes.

use asynckit::{AsyncResult, Pool, async_work, chain};

use crate::support::soon;

#[async_work]
fn number(n: u64) -> u64 {
    n
}
#[async_work]
fn add(a: u64, b: u64) -> u64 {
    a + b
}
#[async_work]
fn pair(n: u64) -> (u64, String) {
    (n, n.to_string())
}
#[async_work]
fn length(text: &str) -> u64 {
    text.len() as u64
}
#[async_work]
fn apply(f: fn(u64) -> u64, n: u64) -> u64 {
    f(n)
}

fn double(n: u64) -> u64 {
    n * 2
}

fn with_pool<R: Send + 'static>(body: impl FnOnce(&Pool) -> R + Send + 'static) -> R {
    soon(|| body(&Pool::new(2)))
}

#[test]
fn loops_branches_and_labels() {
    with_pool(|pool| {
        let result = chain!(pool, {
            let mut sum = number(0);
            let mut n = 0;
            while n < 3 {
                sum = add(sum, n);
                n += 1;
            }
            'outer: for a in 0..3 {
                for b in 0..3 {
                    if a == 1 && b == 1 {
                        break 'outer;
                    }
                    sum = add(sum, 1);
                }
            }
            let more = loop {
                n += 1;
                if n == 5 {
                    break number(10);
                }
            };
            let sum = if n > 3 { add(sum, more) } else { AsyncResult::ready(0) };
            match n {
                0 => number(1),
                5 => add(sum, 100),
                _ => unreachable!(),
            }
        });
        assert_eq!(result.get().unwrap(), 117);
    });
}

fn let_else(pool: &Pool, n: Option<u64>) -> AsyncResult<u64> {
    chain!(pool, {
        let Some(n) = n else {
            return AsyncResult::ready(0);
        };
        let n = if let Some(m) = n.checked_sub(1) { number(m) } else { number(n) };
        let n = add(n, 1);
        n
    })
}

#[test]
fn shadowing_and_let_else() {
    with_pool(|pool| {
        assert_eq!(let_else(pool, Some(5)).get().unwrap(), 5);
        assert_eq!(let_else(pool, None).get().unwrap(), 0);
    });
}

#[test]
fn conditions_of_plain_values() {
    fn is_small(n: u64) -> bool {
        n < 10
    }
    struct Flags {
        on: bool,
    }
    with_pool(|pool| {
        let (flags, n, mut count) = (Flags { on: true }, 3, 0);
        let result = chain!(pool, {
            while is_small(count) && !(flags.on && count == 5) {
                count += 1;
            }
            if is_small(n) && flags.on || !is_small(n) { number(count) } else { number(0) }
        });
        assert_eq!(result.get().unwrap(), 5);
    });
}

#[test]
fn a_pending_tuple_is_taken_apart() {
    #[async_work]
    #[allow(clippy::type_complexity)]
    fn twelve() -> (u8, u8, u8, u8, u8, u8, u8, u8, u8, u8, u8, u8) {
        (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12)
    }
    #[async_work]
    fn one() -> (String,) {
        ("one".to_owned(),)
    }
    with_pool(|pool| {
        let result = chain!(pool, {
            let (n, text) = pair(40);
            let whole = pair(1);
            let (m, _) = whole;
            let (a, .., l) = twelve();
            let (only,) = one();
            let (x, y) = (number(1), 2);
            let (p, q): (AsyncResult<u64>, AsyncResult<String>) = pair(9);
            let (mut r, s);
            (r, s) = pair(8);
            r = add(r, length(&s));
            let plain = u8::max(a, l);
            (add(n, m), length(&text), plain, length(&only), add(x, y), p, q, r)
        });
        let expected = (41, 2, 12, 3, 3, 9, "9".to_owned(), 9);
        assert_eq!(result.get().unwrap(), expected);
        let failed = chain!(pool, {
            let (a, b) = failing();
            (a, b)
        });
        assert!(failed.get().unwrap_err().origin().ends_with("::failing"));
    });
}

#[async_work]
fn failing() -> Result<(u8, u8), &'static str> {
    Err("failed")
}

fn generic<T: Clone + Send + Sync + 'static>(pool: &Pool, value: T) -> AsyncResult<(T, T)> {
    #[async_work]
    fn twice<T: Clone + Send>(value: T) -> (T, T) {
        (value.clone(), value)
    }
    chain!(pool, {
        let both = twice(value);
        both
    })
}

macro_rules! twice {
    ($pool:expr, $n:expr) => {
        chain!($pool, {
            let a = number($n);
            let b = number($n);
            add(a, b)
        })
    };
}

macro_rules! added {
    ($pool:expr, $a:ident, $b:expr) => {
        chain!($pool, add($a, $b))
    };
}

#[test]
fn generic_functions_and_macros() {
    with_pool(|pool| {
        assert_eq!(generic(pool, "x").get().unwrap(), ("x", "x"));
        assert_eq!(twice!(pool, 4).get().unwrap(), 8);
        let (a, b) = (AsyncResult::ready(1), AsyncResult::ready(2));
        assert_eq!(added!(pool, a, b).get().unwrap(), 3);
    });
}

#[test]
fn nested_chains_and_other_pools() {
    with_pool(|pool| {
        let other = Pool::new(1);
        let result = chain!(pool, {
            let a = number(1);
            let b = chain!(&other, {
                let c = add(a, 1);
                add(c, 1)
            });
            let d = chain!(pool, async move { number(2) });
            add(b, d)
        });
        assert_eq!(result.get().unwrap(), 5);
    });
}

const MOST: u64 = 9;

enum Mode {
    Fast,
}

#[async_work]
fn in_mode(mode: Mode, n: u64, offset: i64) -> i64 {
    match mode {
        Mode::Fast => n.cast_signed() + offset,
    }
}

#[test]
fn constants_literals_closures_and_inferred_arguments() {
    fn mapped(map: impl Fn(&str) -> usize, text: &str) -> usize {
        map(text)
    }
    fn amount(n: u64) -> &'static str {
        if n > 1 { "many" } else { "one" }
    }
    fn boxed(map: Box<dyn Fn(u64) -> u64 + Send>, n: u64) -> u64 {
        map(n)
    }
    with_pool(|pool| {
        let result = chain!(pool, {
            let a = number(MOST);
            let text = String::from("abc");
            let name = AsyncResult::ready(text);
            let count = mapped(|text| text.len() + 1, &name);
            let b = apply(double, a.clone());
            let c = boxed(Box::new(|n| n + 1), b);
            let d = add(a.clone(), "3".parse().unwrap());
            let e: u64 = "5".parse().unwrap();
            let f: Box<dyn Fn(u64) -> u64 + Send> = Box::new(|n| n + 1);
            let g: u64 = Default::default();
            let h = add(Default::default(), a.clone());
            let i = boxed(f, a.clone());
            let j = str::len(amount(a.clone()));
            (in_mode(Mode::Fast, a, -1), count, c, d, add(e, g), h, i, j)
        });
        assert_eq!(result.get().unwrap(), (8, 4, 19, 12, 5, 9, 10, 4));
    });
}

#[test]
fn references_are_lent_on_as_in_any_call() {
    fn push(list: &mut Vec<u64>, n: u64) {
        list.push(n);
    }
    fn pushes(pool: &Pool, list: &mut Vec<u64>) -> AsyncResult<u64> {
        chain!(pool, {
            let n = 1;
            push(list, n);
            push(list, n + 1);
            number(list.len() as u64)
        })
    }
    with_pool(|pool| {
        let mut list = Vec::new();
        assert_eq!(pushes(pool, &mut list).get().unwrap(), 2);
        assert_eq!(list, [1, 2]);
    });
}

#[test]
fn attributes_unsafe_and_blocks() {
    with_pool(|pool| {
        let result = chain!(pool, {
            #[cfg(not(unix))]
            let a = number(1);
            #[cfg(unix)]
            #[allow(unused_mut)]
            let mut a = number(2);
            #[allow(clippy::let_and_return)]
            let b = {
                let c = number(3);
                c
            };
            #[allow(unused_must_use)]
            add(b.clone(), 1);
            fn nested(n: u64) -> u64 {
                double(n)
            }
            add(nested(a), b)
        });
        assert_eq!(result.get().unwrap(), 7);
    });
}

fn diverges(pool: &Pool, n: u64) -> AsyncResult<u64> {
    fn stop(_: u64) -> ! {
        panic!("stopped")
    }
    chain!(pool, {
        if n > 1 {
            #[allow(clippy::diverging_sub_expression)]
            stop(n);
        }
        let m = if n == 1 { stop(1) } else { number(n) };
        m
    })
}

#[test]
fn functions_that_never_return() {
    with_pool(|pool| assert_eq!(diverges(pool, 0).get().unwrap(), 0));
}

mod renamed {
    pub use ::asynckit as kit;
}

#[test]
fn the_crate_may_have_another_name() {
    with_pool(|pool| {
        let result = chain!(crate = renamed::kit, pool, {
            let a = number(1);
            add(a, 1)
        });
        assert_eq!(result.get().unwrap(), 2);
        let result = chain!(crate = renamed::kit, pool, async move { number(2) });
        assert_eq!(result.get().unwrap(), 2);
    });
}

#[test]
fn a_scope_lends_local_data() {
    soon(|| {
        let pool = Pool::new(2);
        let text = String::from("local");
        let lengths = pool.scope(|s| {
            let result = chain!(s, {
                let a = length(&text);
                let b = length(&text[1..]);
                (add(a, b), length(&text))
            });
            result.get().unwrap()
        });
        assert_eq!(lengths, (9, 5));
    });
}
