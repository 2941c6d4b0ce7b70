//! A statement's work belongs to the chain: what is a statement, and that the chain's end waits for it.
//! How it ends otherwise is in `chain_statements_end`.

use asynckit::{AsyncResult, ErrorKind, Pool, Work, async_work, chain, current, work};

use crate::support::{Broken, Counter, Gate, eventually, reporting, soon};

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
fn count_lent(counter: &Counter) {
    counter.add();
}
#[async_work]
fn broken_at(gate: Gate, n: u32) -> Result<usize, Broken> {
    gate.pass();
    Err(Broken(n))
}
fn plain(_: usize) -> bool {
    true
}

struct Site;

impl Site {
    #[async_work]
    fn visit(&self, counter: Counter) {
        counter.add();
    }
    fn pair(counter: &Counter) -> (Work<'static, ()>, AsyncResult<usize>) {
        (count(counter.clone()), AsyncResult::ready(1))
    }
    fn many(counter: &Counter) -> (Vec<Work<'static, ()>>, ((AsyncResult<()>,),)) {
        let ready = AsyncResult::ready(());
        ((0..3).map(|_| count(counter.clone())).collect(), ((ready,),))
    }
}

fn counts(counter: &Counter, _: usize) -> usize {
    counter.add()
}

#[test]
fn a_chain_waits_for_its_statements_wherever_they_stand() {
    soon(|| {
        let (pool, counter) = (Pool::new(4), Counter::new());
        let (gate, choice) = (Gate::new(), 2);
        let chained = chain!(&pool, {
            for n in 0..2 {
                if n == 0 {
                    count_at(gate.clone(), counter.clone());
                } else {
                    count_at(gate.clone(), counter.clone())
                }
            }
            match choice {
                1 => count(counter.clone()),
                2 => {
                    count_at(gate.clone(), counter.clone());
                }
                _ => {}
            }
            let value = if choice > 1 {
                count(counter.clone());
                number(7)
            } else {
                number(8)
            };
            {
                (count(counter.clone()));
            }
            let mut left = 2;
            while left > 0 {
                left -= 1;
                count(counter.clone());
            }
            #[cfg(any())]
            count(counter.clone());
            value
        });
        eventually("what is at no gate is done", || counter.count() == 4);
        assert!(!chained.is_set());
        gate.open();
        assert_eq!(chained.get().unwrap(), 7);
        assert_eq!(counter.count(), 7);
        chain!(
            &pool,
            for _ in 0..3 {
                count(counter.clone());
            }
        )
        .get()
        .unwrap();
        assert_eq!(counter.count(), 10);
    });
}

#[test]
fn calls_that_give_work_results_tuples_and_lists_are_statements() {
    soon(|| {
        let (pool, counter) = (Pool::new(1), Counter::new());
        let site = &Site;
        let chained = pool.scope(|s| {
            let pending = number(1).spawn_on(s);
            let set = chain!(s, {
                site.visit(counter.clone());
                Site::pair(&counter);
                Site::many(&counter);
                (0..2).map(|_| count(counter.clone())).collect::<Vec<_>>();
                counts(&counter, pending);
                plain(1);
                counter.count();
                Some(1).map(|n| n + 1);
            });
            set.get().unwrap();
            counter.count()
        });
        assert_eq!(chained, 1 + 1 + 3 + 2 + 1);
    });
}

#[test]
fn what_somebody_takes_is_no_statement() {
    soon(|| {
        let (pool, reports) = reporting(1);
        let gate = Gate::new();
        let chained = chain!(&pool, {
            let a = broken_at(gate.clone(), 1);
            let _ = broken_at(gate.clone(), 2);
            let _b = broken_at(gate.clone(), 3);
            _ = broken_at(gate.clone(), 4);
            broken_at(gate.clone(), 5).detach_on(&pool);
            let each = || broken_at(gate.clone(), 6).detach_on(&pool);
            each();
            drop({ a });
            number(1)
        });
        gate.open();
        assert_eq!(chained.get().unwrap(), 1);
        pool.stop();
        assert_eq!(reports.count(), 6);
    });
}

#[test]
fn dropping_a_value_is_a_statement() {
    soon(|| {
        let (pool, gate, drops) = (Pool::new(1), Gate::new(), Counter::new());
        let chained = chain!(&pool, {
            let (shut, drops) = (gate.clone(), drops.clone());
            let value = work(move || {
                shut.pass();
                drops.on_drop()
            })
            .after(&AsyncResult::ready(()));
            drop(value);
        });
        assert!(!chained.is_set());
        gate.open();
        chained.get().unwrap();
        assert_eq!(drops.count(), 1);
    });
}

#[test]
fn who_waits_for_a_chain_runs_its_statements() {
    soon(|| {
        for seed in [None, Some(1), Some(2)] {
            let pool = match seed {
                None => Pool::builder().workers(1).max_spares(0).build().unwrap(),
                Some(seed) => Pool::deterministic(seed),
            };
            let counter = Counter::new();
            let counts = counter.clone();
            let outer = pool.spawn(move || {
                let inner = chain!(&current(), {
                    for _ in 0..5 {
                        count(counts.clone());
                    }
                    number(1)
                });
                inner.get().map(|n| n + counts.count())
            });
            assert_eq!(outer.get().unwrap().unwrap(), 6);
        }
        let (pool, counter) = (Pool::new(0), Counter::new());
        chain!(&pool, {
            count(counter.clone());
        })
        .get()
        .unwrap();
        assert_eq!(counter.count(), 1);
    });
}

#[test]
fn a_stopped_pool_ends_a_chain_with_statements() {
    soon(|| {
        let pool = Pool::new(1);
        let never = AsyncResult::<usize>::new();
        let chained = chain!(&pool, {
            plain(never.clone());
            number(1)
        });
        pool.stop();
        assert_eq!(chained.get().unwrap_err().kind(), ErrorKind::Stopped);
        let late = chain!(&pool, {
            number(1);
        });
        assert_eq!(late.get().unwrap_err().kind(), ErrorKind::Stopped);
        drop(never);
    });
}

#[test]
fn on_a_scope_statements_borrow() {
    soon(|| {
        let (pool, counter) = (Pool::new(2), Counter::new());
        pool.scope(|s| {
            let chained = chain!(s, {
                for _ in 0..10 {
                    count_lent(&counter);
                }
                (number(1), number(2))
            });
            assert_eq!(chained.get().unwrap(), (1, 2));
            assert_eq!(counter.count(), 10);
            chain!(s, {
                count_lent(&counter);
                number(3)
            })
            .cancel();
        });
        assert_eq!(counter.count(), 11);
    });
}

#[test]
fn a_chain_may_end_in_a_loop_that_ends() {
    soon(|| {
        let (pool, counter) = (Pool::new(1), Counter::new());
        let chained = chain!(&pool, {
            let mut n = 0;
            'outer: loop {
                count(counter.clone());
                n += 1;
                for left in (0..3).rev() {
                    if left == 0 {
                        break;
                    }
                    if n == 3 {
                        break 'outer (number(n), number(0));
                    }
                }
            }
        });
        assert_eq!(chained.get().unwrap(), (3, 0));
        assert_eq!(counter.count(), 3);
        fn never_ends(pool: &Pool) -> AsyncResult<usize> {
            chain!(
                pool,
                loop {
                    plain(1);
                    if plain(2) {
                        return number(1).spawn_on(pool);
                    }
                }
            )
        }
        assert_eq!(never_ends(&pool).get().unwrap(), 1);
    });
}
