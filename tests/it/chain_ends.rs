//! The rules of `chain!` about failures and ends: what depends on a failure, what a chain may end
//! in, lists that fan in, results that are flattened.

use asynckit::{AsyncResult, Error, ErrorKind, Pool, Work, async_work, chain};

use crate::support::{Broken, Counter, soon};

#[async_work]
fn number(n: usize) -> usize {
    n
}
#[async_work]
fn merge(a: usize, b: usize) -> usize {
    a + b
}
#[async_work]
fn text(n: usize) -> String {
    "x".repeat(n)
}
#[async_work]
fn broken(n: u32) -> Result<usize, Broken> {
    Err(Broken(n))
}

fn with_pool<R: Send + 'static>(body: impl FnOnce(&Pool) -> R + Send + 'static) -> R {
    soon(|| body(&Pool::new(2)))
}

fn checked_length(text: Result<String, std::string::FromUtf8Error>) -> usize {
    text.map_or(0, |text| text.len())
}

#[test]
fn a_failure_fails_all_that_depends_on_it_without_running() {
    fn counts(counter: Counter, n: usize) -> usize {
        counter.add();
        n
    }
    with_pool(|pool| {
        let counter = Counter::new();
        let never = AsyncResult::<usize>::new();
        let result = chain!(pool, {
            let a = broken(1);
            let b = counts(counter.clone(), a);
            let c = merge(b, never.clone());
            let d = String::from_utf8(vec_of(c));
            checked_length(d)
        });
        let error: Error = result.get().unwrap_err();
        assert_eq!(error.downcast_ref::<Broken>(), Some(&Broken(1)));
        assert_eq!(error.kind(), ErrorKind::Failed);
        assert!(error.origin().ends_with("::broken"));
        assert_eq!(counter.count(), 0);
        drop(never);
    });
}

fn vec_of(n: usize) -> Vec<u8> {
    vec![0; n]
}

#[test]
fn the_path_of_a_failure_names_each_call_where_it_stands() {
    with_pool(|pool| {
        let line = line!();
        let result = chain!(pool, {
            let a = broken(1);
            let b = usize::max(a, 2);
            merge(b, 3)
        });
        let error = result.get().unwrap_err();
        let path = format!("{error:#}");
        for (name, line) in [("broken", line + 2), ("max", line + 3), ("merge", line + 4)] {
            assert!(path.contains(name), "no {name} in {path}");
            assert!(path.contains(&format!(":{line}")), "no {line} in {path}");
        }
    });
}

// 8

#[test]
fn a_chain_ends_in_work_a_result_or_a_tuple_or_list_of_them() {
    with_pool(|pool| {
        let outside = number(4); // started by the chain that ends in it
        assert_eq!(chain!(pool, outside).get().unwrap(), 4);
        chain!(pool, {}).get().unwrap();
        assert_eq!(chain!(pool, (number(1), text(2))).get().unwrap(), (1, "xx".to_owned()));
        let list = chain!(pool, (0..3).map(number).collect::<Vec<_>>());
        assert_eq!(list.get().unwrap(), [0, 1, 2]);
        let many = chain!(pool, {
            let a = number(0);
            (
                a.clone(),
                a.clone(),
                a.clone(),
                a.clone(),
                a.clone(),
                a.clone(),
                a.clone(),
                a.clone(),
                a.clone(),
                a.clone(),
                a.clone(),
                a,
            )
        });
        assert_eq!(many.get().unwrap().11, 0);
        let nested = chain!(pool, (vec![number(1)], (number(2),)));
        assert_eq!(nested.get().unwrap(), (vec![1], (2,)));
        let unset = AsyncResult::<u8>::new();
        let failed = chain!(pool, (number(1), broken(2), unset.clone()));
        assert_eq!(failed.get().unwrap_err().downcast_ref(), Some(&Broken(2)));
    });
}

#[test]
fn a_list_fans_in() {
    fn sum(numbers: Vec<usize>) -> usize {
        numbers.into_iter().sum()
    }
    with_pool(|pool| {
        let result = chain!(pool, {
            let mut started = Vec::new();
            for n in 0..4 {
                started.push(number(n));
            }
            let total = sum(started);
            let unstarted: Vec<Work<'_, usize>> =
                vec![number(1).run_later(), number(2).run_later()];
            merge(total, sum(unstarted))
        });
        assert_eq!(result.get().unwrap(), 9);
    });
}

/// A method on work, so that it is not started.
trait RunLater: Sized {
    fn run_later(self) -> Self {
        self
    }
}
impl RunLater for Work<'_, usize> {}

#[test]
fn what_a_task_returns_is_flattened() {
    fn chooses(n: usize) -> AsyncResult<usize> {
        AsyncResult::ready(n + 1)
    }
    fn works(n: usize) -> Work<'static, usize> {
        number(n + 1)
    }
    with_pool(|pool| {
        let result = chain!(pool, {
            let a = number(1);
            let b = chooses(a);
            let c: AsyncResult<usize> = works(b);
            c
        });
        assert_eq!(result.get().unwrap(), 3);
    });
}
