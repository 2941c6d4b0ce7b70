//! Failures that nobody has looked at are reported, once each.

use std::sync::{Arc, Mutex, mpsc};

use asynckit::{AsyncResult, ErrorKind, Pool, Retry, async_work, chain, try_work};

use crate::support::{Broken, Counter, occupy, soon};

#[async_work]
fn fail(n: u32) -> Result<u32, Broken> {
    Err(Broken(n))
}

#[async_work]
fn add(a: u32, b: u32) -> u32 {
    a + b
}

/// A pool that keeps what is reported to it.
fn pool(workers: usize) -> (Pool, Arc<Mutex<Vec<String>>>) {
    let reports = Arc::new(Mutex::new(Vec::new()));
    let pool = Pool::builder()
        .workers(workers)
        .on_unobserved_error({
            let reports = reports.clone();
            move |error| reports.lock().unwrap().push(error.to_string())
        })
        .build()
        .unwrap();
    (pool, reports)
}

#[test]
fn a_dropped_failure_is_reported_once() {
    soon(|| {
        let (pool, reports) = pool(1);
        drop(fail(1).spawn_on(&pool));
        fail(2).detach_on(&pool);
        drop(pool.spawn(|| -> u8 { panic!("boom 3") }));
        pool.stop();
        drop(pool);
        let mut reports = reports.lock().unwrap().clone();
        reports.sort_by_key(|text| text.chars().last());
        assert_eq!(reports.len(), 3, "{reports:?}");
        assert_eq!(reports[0], concat!(module_path!(), "::fail failed: broken 1"));
        assert!(reports[1].ends_with("broken 2") && reports[2].ends_with("boom 3"));
    });
}

#[test]
fn a_failure_of_a_call_that_waited_for_its_arguments() {
    soon(|| {
        let (pool, reports) = pool(1);
        let input = AsyncResult::new();
        drop(chain!(&pool, fail(input.clone())));
        input.set(4).unwrap();
        pool.stop();
        drop(pool);
        assert_eq!(*reports.lock().unwrap(), [concat!(module_path!(), "::fail failed: broken 4")]);
    });
}

#[test]
fn however_many_dependents_it_skipped() {
    soon(|| {
        let (pool, reports) = pool(2);
        let first = fail(1).spawn_on(&pool);
        for _ in 0..50 {
            let dependent = chain!(&pool, {
                let a = add(first.clone(), 1);
                add(a, 1)
            });
            drop(dependent);
        }
        drop(first);
        pool.stop();
        drop(pool);
        assert_eq!(reports.lock().unwrap().len(), 1);
    });
}

#[test]
fn a_failure_that_somebody_got_is_not_reported() {
    soon(|| {
        let (pool, reports) = pool(1);
        let fails = || fail(1).spawn_on(&pool);
        fails().get().unwrap_err();
        fails().get_ref().unwrap_err();
        let r = fails();
        r.wait();
        r.try_get().unwrap().unwrap_err();
        fails().get_timeout(crate::support::LIMIT).unwrap().unwrap_err();
        let called = crate::support::Gate::new();
        let r = fails();
        r.on_set({
            let called = called.clone();
            move |_| called.open()
        });
        drop(r);
        called.pass();
        fails().or_else(|_| Ok::<_, Broken>(1)).spawn_on(&pool).get().unwrap();
        let awaited = fails();
        let seen = chain!(&pool, async move { AsyncResult::ready(awaited.await.is_err()) });
        assert!(seen.get().unwrap());
        // One copy that was seen is enough, however many were not.
        let r = fails();
        let unseen: Vec<_> = (0..5).map(|_| chain!(&pool, add(r.clone(), 1))).collect();
        r.get().unwrap_err();
        drop(unseen);
        pool.stop();
        drop(pool);
        assert_eq!(*reports.lock().unwrap(), Vec::<String>::new());
    });
}

#[test]
fn looking_whether_it_failed_is_not_getting_it() {
    soon(|| {
        let (pool, reports) = pool(1);
        let r = fail(1).spawn_on(&pool);
        r.wait();
        assert!(r.is_error());
        drop(r);
        pool.stop();
        drop(pool);
        assert_eq!(reports.lock().unwrap().len(), 1);
    });
}

#[test]
fn cancelled_and_stopped_work_is_not_reported() {
    soon(|| {
        let (pool, reports) = pool(1);
        let busy = occupy(&pool);
        let cancelled = pool.spawn(|| 1);
        assert!(cancelled.cancel());
        drop(cancelled);
        drop(pool.spawn(|| 1));
        let never = AsyncResult::<u32>::new();
        drop(chain!(&pool, add(never.clone(), 1)));
        pool.stop_now();
        drop(pool.spawn(|| 1));
        busy.free();
        drop(pool);
        assert_eq!(*reports.lock().unwrap(), Vec::<String>::new());
    });
}

#[test]
fn a_report_is_made_when_the_last_copy_goes() {
    soon(|| {
        let (pool, reports) = pool(1);
        let r = fail(1).spawn_on(&pool);
        let copies: Vec<_> = (0..3).map(|_| r.clone()).collect();
        r.wait();
        // A task behind it has run: the pool itself is done with the failure.
        pool.spawn(|| ()).get().unwrap();
        drop(r);
        assert_eq!(reports.lock().unwrap().len(), 0, "copies are left");
        drop(copies);
        assert_eq!(reports.lock().unwrap().len(), 1);
    });
}

#[test]
fn a_hook_that_panics_harms_nobody() {
    soon(|| {
        let calls = Counter::new();
        let pool = Pool::builder()
            .workers(1)
            .on_unobserved_error({
                let calls = calls.clone();
                move |_| {
                    calls.add();
                    panic!("on purpose");
                }
            })
            .build()
            .unwrap();
        for n in 0..3 {
            let r = fail(n).spawn_on(&pool);
            r.wait();
            drop(r);
        }
        assert_eq!(pool.spawn(|| 1).get().unwrap(), 1);
        pool.stop();
        drop(pool);
        assert_eq!(calls.count(), 3);
    });
}

#[test]
fn a_hook_may_use_the_library() {
    soon(|| {
        let kinds = Arc::new(Mutex::new(Vec::new()));
        let pool = Pool::builder()
            .workers(1)
            .on_unobserved_error({
                let kinds = kinds.clone();
                move |error| {
                    let copy = error.clone();
                    AsyncResult::<u8>::failed(copy).get().unwrap_err();
                    kinds.lock().unwrap().push(error.kind());
                }
            })
            .build()
            .unwrap();
        drop(fail(1).spawn_on(&pool));
        pool.stop();
        drop(pool);
        assert_eq!(*kinds.lock().unwrap(), [ErrorKind::Failed]);
    });
}

#[async_work(retry = 1)]
fn never_works(text: &'static str, more: [usize; 16]) -> Result<usize, String> {
    if more.is_empty() { Ok(text.len()) } else { Err(text.to_owned()) }
}

#[test]
fn what_was_tried_in_vain_is_reported_where_it_was_called() {
    soon(|| {
        let (reports, all) = mpsc::channel();
        let pool = Pool::builder()
            .workers(1)
            .on_unobserved_error(move |error| {
                reports.send((error.tries(), format!("{error:#}"))).unwrap();
            })
            .build()
            .unwrap();
        let at = line!() + 1;
        never_works("in vain", [0; 16]).detach_on(&pool);
        let (tries, report) = all.recv().unwrap();
        assert_eq!(tries, 2);
        assert!(report.contains("failed: in vain (tried 2 times)"), "{report}");
        assert!(report.contains(&format!("failures_unobserved.rs:{at})")), "{report}");
        // Likewise by hand, where each try is work that is run as a part of it.
        let more = [0u8; 99];
        let by_hand =
            Retry::new(1).work(move || try_work(move || Err::<u8, _>(more.len().to_string())));
        by_hand.detach_on(&pool);
        assert!(all.recv().unwrap().1.contains("failed: 99 (tried 2 times)"));
    });
}
