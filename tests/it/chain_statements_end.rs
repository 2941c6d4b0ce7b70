//! How a chain with statements ends: by which failure, at once where it is cancelled or out of time, and
//! where its block is left before its end.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use asynckit::{AsyncResult, ErrorKind, Pool, Setter, async_work, chain};

use crate::support::{Broken, Counter, Gate, reporting, soon};

#[async_work]
fn number(n: usize) -> usize {
    n
}
#[async_work]
fn count(counter: Counter) {
    counter.add();
}
#[async_work]
fn count_at(gate: Gate, counter: Counter) {
    gate.pass();
    counter.add();
}
#[async_work]
fn broken(n: u32) -> Result<(), Broken> {
    Err(Broken(n))
}
#[async_work]
fn broken_at(gate: Gate, n: u32) -> Result<usize, Broken> {
    gate.pass();
    Err(Broken(n))
}
fn plain(_: usize) -> bool {
    true
}

#[test]
fn the_first_failure_in_time_is_the_chains_and_the_others_count_as_seen() {
    type Input = (Setter<usize>, AsyncResult<usize>);
    fn chained(pool: &Pool) -> ([Setter<usize>; 3], AsyncResult<usize>) {
        let [(a, first), (b, second), (c, end)]: [Input; 3] =
            std::array::from_fn(|_| AsyncResult::channel());
        let chained = chain!(pool, {
            plain(first);
            plain(second);
            end
        });
        ([a, b, c], chained)
    }
    fn failed(chained: AsyncResult<usize>) -> u32 {
        chained.get().unwrap_err().downcast_ref::<Broken>().unwrap().0
    }
    soon(|| {
        let (pool, reports) = reporting(1);
        let ([a, b, c], result) = chained(&pool);
        b.fail(Broken(2)).unwrap();
        a.fail(Broken(1)).unwrap();
        assert!(!result.is_set(), "it does not fail earlier");
        c.set(1).unwrap();
        assert_eq!(failed(result), 2);

        let ([a, b, c], result) = chained(&pool);
        c.fail(Broken(3)).unwrap();
        a.fail(Broken(1)).unwrap();
        assert!(!result.is_set(), "nor with the failure of its end");
        b.set(1).unwrap();
        assert_eq!(failed(result), 3);

        let ([a, b, c], result) = chained(&pool);
        c.set(5).unwrap();
        a.set(1).unwrap();
        b.set(2).unwrap();
        assert_eq!(result.get().unwrap(), 5);

        // Failures of work, before and after the block's end.
        let gate = Gate::new();
        let result = chain!(&pool, {
            broken(1);
            broken_at(gate.clone(), 2);
            broken(3);
            number(4)
        });
        gate.open();
        let error = result.get().unwrap_err();
        assert_eq!(error.downcast_ref::<Broken>(), Some(&Broken(1)));
        assert!(error.origin().ends_with("::broken"));
        pool.stop();
        assert_eq!(reports.count(), 0);
    });
}

#[test]
fn a_failure_that_nobody_sees_is_reported_once() {
    soon(|| {
        let (pool, reports) = reporting(1);
        let chained = chain!(&pool, {
            let a = number(1);
            broken(1);
            for _ in 0..3 {
                broken(2);
            }
            a
        });
        chained.wait();
        drop(chained);
        pool.stop();
        assert_eq!(reports.count(), 1);
    });
}

#[test]
fn leaving_the_plain_form_detaches_what_was_started() {
    fn leaves(pool: &Pool, gate: &Gate, how: u8) -> Option<AsyncResult<usize>> {
        let mut kept = None;
        for _ in 0..1 {
            kept = Some(chain!(pool, {
                broken(1);
                broken_at(gate.clone(), 2);
                match how {
                    0 => return None,
                    1 => None?,
                    2 => break,
                    3 => panic!("on purpose"),
                    _ => {}
                }
                number(1)
            }));
        }
        kept
    }
    soon(|| {
        for how in 0..4 {
            let (pool, reports) = reporting(1);
            let gate = Gate::new();
            let left = catch_unwind(AssertUnwindSafe(|| leaves(&pool, &gate, how)));
            assert!(left.is_err() || left.unwrap().is_none());
            gate.open();
            pool.stop();
            assert_eq!(reports.count(), 2, "{how}");
        }
        let (pool, reports) = reporting(1);
        let gate = Gate::new();
        let stays = leaves(&pool, &gate, 4).unwrap();
        gate.open();
        assert!(stays.get().is_err());
        pool.stop();
        assert_eq!(reports.count(), 0);
    });
}

#[test]
fn a_cancel_or_time_limit_ends_the_chain_at_once_and_lets_the_work_go() {
    soon(|| {
        for by_time in [false, true] {
            let (pool, reports) = reporting(2);
            let (gate, counter) = (Gate::new(), Counter::new());
            let chained = chain!(&pool, {
                count_at(gate.clone(), counter.clone());
                broken_at(gate.clone(), 1);
                for _ in 0..3 {
                    count(counter.clone());
                }
                number(1)
            });
            let (chained, kind) = if by_time {
                (chained.timeout(Duration::from_millis(1)), ErrorKind::TimedOut)
            } else {
                assert!(chained.cancel());
                (chained, ErrorKind::Cancelled)
            };
            assert_eq!(chained.get().unwrap_err().kind(), kind);
            gate.open();
            pool.stop();
            assert_eq!((counter.count(), reports.count()), (4, 1));
        }
    });
}

#[test]
fn the_async_form_waits_however_its_block_ends() {
    fn steered(pool: &Pool, gate: &Gate, counter: &Counter, how: u8) -> AsyncResult<usize> {
        let (gate, counter) = (gate.clone(), counter.clone());
        chain!(pool, async move {
            for n in 0..3 {
                if number(n).await? > 0 {
                    count_at(gate.clone(), counter.clone());
                }
            }
            match how {
                0 => return number(7),
                1 => Err(Broken(1))?,
                2 => panic!("on purpose"),
                _ => {}
            }
            number(8)
        })
    }
    soon(|| {
        for how in 0..4 {
            let (pool, reports) = reporting(3);
            let (gate, counter) = (Gate::new(), Counter::new());
            let chained = steered(&pool, &gate, &counter, how);
            assert!(!chained.wait_timeout(Duration::from_millis(20)), "{how}");
            gate.open();
            let outcome = chained.get();
            assert_eq!(counter.count(), 2, "{how}");
            match how {
                0 => assert_eq!(outcome.unwrap(), 7),
                1 => assert_eq!(outcome.unwrap_err().downcast_ref(), Some(&Broken(1))),
                2 => {
                    let error = outcome.unwrap_err();
                    assert!(error.to_string().contains("on purpose"), "{error}");
                    assert!(error.is_panic());
                }
                _ => assert_eq!(outcome.unwrap(), 8),
            }
            pool.stop();
            assert_eq!(reports.count(), 0);
        }
    });
}

#[test]
fn the_async_form_fails_with_its_first_failure() {
    soon(|| {
        let (pool, reports) = reporting(2);
        let chained = chain!(&pool, async move {
            broken(1);
            while !is_stopped(number(1).await?) {}
            Err(Broken(2))?
        });
        let chained: AsyncResult<()> = chained;
        let error = chained.get().unwrap_err();
        assert!(matches!(error.downcast_ref(), Some(&Broken(1 | 2))));
        let fine = chain!(&pool, async move {
            let names = &mut Vec::new();
            names.push(number(1).await?);
            plain(names.len());
        });
        fine.get().unwrap();
        // Cancelled while the block is under way.
        let (gate, never) = (Gate::new(), AsyncResult::<usize>::new());
        let (inside, waits, begun) = (gate.clone(), never.clone(), Gate::new());
        let begins = begun.clone();
        let chained = chain!(&pool, async move {
            broken_at(inside, 3);
            begins.open();
            number(waits.await?)
        });
        begun.pass();
        assert!(chained.cancel());
        gate.open();
        pool.stop();
        assert_eq!(reports.count(), 1);
        drop(never);
    });
}

fn is_stopped(n: usize) -> bool {
    n == 1
}
