//! Failures: what they say, where they come from, and the way they took.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};

use asynckit::{AsyncResult, BoxError, Error, ErrorKind, Pool, Results, async_work, chain};

use crate::support::{Broken, Counter, reporting, soon};

#[async_work]
fn download(url: &'static str) -> io::Result<Vec<u8>> {
    if url == "bad" { Err(io::Error::other("no such host")) } else { Ok(url.into()) }
}

#[async_work]
fn size(page: &[u8]) -> usize {
    page.len()
}

#[async_work]
fn merge(a: usize, b: usize) -> usize {
    a + b
}

#[async_work]
fn explode(n: u32) -> usize {
    panic!("boom {n}")
}

#[async_work]
fn explode_with(payload: Box<u32>) -> usize {
    std::panic::panic_any(payload)
}

#[async_work]
fn in_words() -> Result<(), String> {
    Err("some words".into())
}

#[async_work]
fn boxed() -> Result<(), BoxError> {
    Err(Box::new(Broken(6)))
}

struct Client;

impl Client {
    #[async_work]
    fn get(&self) -> Result<usize, Broken> {
        Err(Broken(7))
    }
}

/// The full name of something in this module.
fn here(name: &str) -> String {
    format!("{}::{name}", module_path!())
}

#[test]
fn display_is_one_line() {
    soon(|| {
        let pool = Pool::new(1);
        let error = download("bad").spawn_on(&pool).get().unwrap_err();
        assert_eq!(error.to_string(), here("download failed: no such host"));
        let error = explode(3).spawn_on(&pool).get().unwrap_err();
        let text = error.to_string();
        assert!(text.starts_with(&here("explode")) && text.ends_with("boom 3"), "{text}");
        assert_eq!(text.lines().count(), 1);
        let error = in_words().spawn_on(&pool).get().unwrap_err();
        assert_eq!(error.to_string(), here("in_words failed: some words"));
    });
}

#[test]
fn the_same_in_place() {
    let error = download("bad").run().unwrap_err();
    assert_eq!(error.to_string(), here("download failed: no such host"));
    assert_eq!(error.kind(), ErrorKind::Failed);
    let error = explode(3).run().unwrap_err();
    assert!(error.is_panic() && error.kind() == ErrorKind::Panicked);
}

#[test]
fn the_origin_is_module_and_function() {
    soon(|| {
        let pool = Pool::new(1);
        let origin = |error: Error| error.origin().to_owned();
        assert_eq!(origin(download("bad").run().unwrap_err()), here("download"));
        assert_eq!(origin(explode(1).run().unwrap_err()), here("explode"));
        assert_eq!(origin(Client.get().run().unwrap_err()), here("get"), "of methods too");
        let far = chain!(&pool, {
            let page = download("bad");
            merge(size(&page), 1)
        });
        assert_eq!(origin(far.get().unwrap_err()), here("download"));
    });
}

#[test]
fn the_cause_can_be_had_by_its_type() {
    soon(|| {
        let pool = Pool::new(1);
        let error = download("bad").spawn_on(&pool).get().unwrap_err();
        assert_eq!(error.downcast_ref::<io::Error>().unwrap().to_string(), "no such host");
        assert!(error.downcast_ref::<Broken>().is_none());
        let error = boxed().spawn_on(&pool).get().unwrap_err();
        assert_eq!(error.downcast_ref(), Some(&Broken(6)));
        let error = explode(1).spawn_on(&pool).get().unwrap_err();
        assert!(error.downcast_ref::<Broken>().is_none());
    });
}

#[test]
fn the_alternate_form_adds_the_path_with_its_lines() {
    soon(|| {
        let pool = Pool::new(1);
        let first = line!() + 2;
        let total = chain!(&pool, {
            let page = download("bad");
            let size = size(&page);
            merge(size, 1)
        });
        let error = total.get().unwrap_err();
        let (file, second, third) = (file!(), first + 1, first + 2);
        let path = format!("download ({file}:{first}) -> size (:{second}) -> merge (:{third})");
        for text in [format!("{error:#}"), format!("{error:?}")] {
            assert!(text.contains(&here("download failed: no such host")), "{text}");
            assert!(text.contains(&path), "{path}\n in {text}");
        }
        assert!(!error.to_string().contains(file), "not in the plain form");
    });
}

#[test]
fn a_call_is_located_where_it_is_written() {
    soon(|| {
        let pool = Pool::new(1);
        let line = line!() + 1;
        let work = download("bad");
        let error = work.spawn_on(&pool).get().unwrap_err();
        let place = format!("download ({}:{line})", file!());
        assert!(format!("{error:#}").contains(&place), "{error:#} should have {place}");
    });
}

#[test]
fn a_long_path_is_shown_by_its_ends() {
    soon(|| {
        let pool = Pool::new(1);
        let (setter, first) = AsyncResult::channel();
        let failing = first.and_then(|n: u64| if n == 0 { Err(Broken(1)) } else { Ok(n) });
        let mut last = failing.spawn_on(&pool);
        for _ in 1..1000 {
            last = last.map(|n| n + 1).spawn_on(&pool);
        }
        setter.set(0).unwrap();
        let error = last.get().unwrap_err();
        assert_eq!(error.downcast_ref(), Some(&Broken(1)));
        let text = format!("{error:#}");
        assert!(text.contains("984"), "1000 hops, 16 shown: {text}");
        let shown = text.matches(" (:").count() + text.matches(file!()).count();
        assert_eq!(shown, 16, "{text}");
    });
}

#[test]
fn dependents_carry_the_original_error() {
    soon(|| {
        let pool = Pool::new(2);
        let ran = Counter::new();
        let page = download("bad").spawn_on(&pool);
        let dependents: Vec<_> = (0..10)
            .map(|_| {
                let ran = ran.clone();
                page.clone().map(move |_| ran.add()).spawn_on(&pool)
            })
            .collect();
        let original = page.get().unwrap_err();
        let cause = std::ptr::from_ref(original.downcast_ref::<io::Error>().unwrap());
        for dependent in dependents {
            let error = dependent.get().unwrap_err();
            assert_eq!(error.to_string(), original.to_string());
            assert!(std::ptr::eq(error.downcast_ref().unwrap(), cause), "the same one");
        }
        assert_eq!(ran.count(), 0, "skipped");
    });
}

#[test]
fn an_error_handed_on_by_work_stays_the_original() {
    soon(|| {
        let pool = Pool::new(1);
        let inner = download("bad").spawn_on(&pool);
        let outer = asynckit::try_work(move || inner.get()).spawn_on(&pool);
        let error = outer.get().unwrap_err();
        assert_eq!(error.origin(), here("download"));
        assert!(error.downcast_ref::<io::Error>().is_some());
    });
}

#[test]
fn dependents_fail_at_once() {
    soon(|| {
        let pool = Pool::new(1);
        // While another input is pending, and though no worker is free.
        let busy = crate::support::occupy(&pool);
        let never = AsyncResult::<usize>::new();
        let (setter, fails) = AsyncResult::<usize>::channel();
        let out = chain!(&pool, {
            let sum = merge(never.clone(), fails);
            merge(sum, 1)
        });
        assert!(!out.is_set());
        setter.fail(Broken(1)).unwrap();
        assert!(out.is_error());
        assert_eq!(out.get().unwrap_err().downcast_ref(), Some(&Broken(1)));
        assert!(!never.is_set());
        busy.free();
    });
}

#[test]
fn work_that_returned_a_result_fails_with_it_at_once() {
    fn passes_on(_: usize, result: AsyncResult<usize>) -> AsyncResult<usize> {
        result
    }
    soon(|| {
        let pool = Pool::new(1);
        let (setter, fails) = AsyncResult::<usize>::channel();
        let returned = chain!(&pool, {
            let one = merge(1, 0);
            passes_on(one, { fails })
        });
        let after = chain!(&pool, merge(returned, 1));
        pool.spawn(|| ()).get().unwrap();
        let busy = crate::support::occupy(&pool);
        setter.fail(Broken(1)).unwrap();
        assert!(after.is_error(), "though no worker is free");
        assert_eq!(after.get().unwrap_err().downcast_ref(), Some(&Broken(1)));
        busy.free();
    });
}

#[test]
fn the_first_failure_is_the_one() {
    soon(|| {
        let pool = Pool::new(1);
        let (first, a) = AsyncResult::<usize>::channel();
        let (second, b) = AsyncResult::<usize>::channel();
        let out = chain!(&pool, merge(b, a));
        first.fail(Broken(1)).unwrap();
        second.fail(Broken(2)).unwrap();
        assert_eq!(out.get().unwrap_err().downcast_ref(), Some(&Broken(1)));
    });
}

#[test]
fn a_panic_can_be_resumed_once() {
    soon(|| {
        let pool = Pool::new(1);
        let error = explode_with(Box::new(77)).spawn_on(&pool).get().unwrap_err();
        let copy = error.clone();
        let text = error.to_string();
        let payload = catch_unwind(AssertUnwindSafe(|| error.resume_panic())).unwrap_err();
        let payload: Box<Box<u32>> = payload.downcast().expect("the payload itself");
        assert_eq!(**payload, 77);

        // The payload is gone: the message remains.
        let payload = catch_unwind(AssertUnwindSafe(|| copy.resume_panic())).unwrap_err();
        let message = payload.downcast_ref::<String>().expect("a message");
        assert!(message.contains(&text), "{message:?} should have {text:?}");
    });
}

#[test]
fn resuming_what_was_no_panic_panics_with_the_message() {
    let error = download("bad").run().unwrap_err();
    assert!(!error.is_panic());
    let payload = catch_unwind(AssertUnwindSafe(|| error.resume_panic())).unwrap_err();
    let message = payload.downcast_ref::<String>().expect("a message");
    assert!(message.contains("no such host"), "{message}");
}

#[test]
fn or_else_makes_a_value_of_a_failure() {
    soon(|| {
        let pool = Pool::new(1);
        let bad = download("bad").spawn_on(&pool);
        let mended = bad.or_else(|error| {
            assert_eq!(error.kind(), ErrorKind::Failed);
            Ok::<_, Broken>(b"mended".to_vec())
        });
        assert_eq!(mended.spawn_on(&pool).get().unwrap(), b"mended");

        let good = download("good").spawn_on(&pool);
        let same = good.or_else(|_| -> Result<_, Broken> { unreachable!("no failure") });
        assert_eq!(same.spawn_on(&pool).get().unwrap(), b"good");

        let bad = download("bad").spawn_on(&pool);
        let worse = bad.or_else(|_| Err(Broken(2)));
        assert_eq!(worse.spawn_on(&pool).get().unwrap_err().downcast_ref(), Some(&Broken(2)));

        let panicked = explode(1).spawn_on(&pool).or_else(|e| Ok::<_, Broken>(e.to_string().len()));
        assert!(panicked.spawn_on(&pool).get().unwrap() > 0);
    });
}

#[test]
fn recover_makes_a_value_of_one_type_of_failure() {
    soon(|| {
        let (pool, reports) = reporting(1);
        let bad = || download("bad").spawn_on(&pool);
        let mended = bad().recover(|error: &io::Error| error.to_string().into());
        assert_eq!(mended.spawn_on(&pool).get().unwrap(), b"no such host");
        let good = download("good").spawn_on(&pool).recover(|_: &io::Error| unreachable!());
        assert_eq!(good.spawn_on(&pool).get().unwrap(), b"good");
        assert_eq!(reports.count(), 0);
        let line = line!() + 1;
        let other = bad().recover(|_: &Broken| unreachable!()).spawn_on(&pool).get().unwrap_err();
        assert!(other.downcast_ref::<io::Error>().is_some());
        let path = format!("{other:#}");
        assert!(path.contains(&format!(" -> recover (:{line})")), "{path}");
        drop(bad().recover(|_: &Broken| unreachable!()).spawn_on(&pool));
        drop(pool);
        assert_eq!(reports.count(), 1, "nobody has looked at it");
    });
}

#[test]
fn of_two_that_fail_at_once_one_is_the_failure() {
    soon(|| {
        let pool = Pool::new(2);
        for _ in 0..1000 {
            let together = std::sync::Arc::new(std::sync::Barrier::new(2));
            let fails = |n: u32| {
                let together = together.clone();
                asynckit::try_work(move || {
                    together.wait();
                    Err::<usize, _>(Broken(n))
                })
            };
            let (a, b) = (fails(1).spawn_on(&pool), fails(2).spawn_on(&pool));
            let out = chain!(&pool, merge(a, b)).get().unwrap_err();
            let Broken(n) = *out.downcast_ref().unwrap();
            assert!(n == 1 || n == 2);
            assert!(format!("{out:#}").matches(" -> ").count() == 1, "{out:#}");
        }
    });
}

#[test]
fn and_then_flattens() {
    soon(|| {
        let pool = Pool::new(1);
        let parse = |text: &'static str| {
            AsyncResult::ready(text).and_then(str::parse::<u32>).spawn_on(&pool)
        };
        assert_eq!(parse("12").get().unwrap(), 12);
        let error = parse("x").get().unwrap_err();
        assert!(error.downcast_ref::<std::num::ParseIntError>().is_some());
        // A panic in a closure is caught like any other.
        let error = parse("1").map(|_| -> u8 { panic!("on purpose") }).spawn_on(&pool).get();
        assert!(error.unwrap_err().is_panic());
    });
}

#[test]
fn a_failure_among_many_is_the_original() {
    soon(|| {
        let pool = Pool::new(2);
        let all = ["a", "bad", "c"].into_iter().map(|u| download(u).spawn_on(&pool)).join_all();
        assert_eq!(all.get().unwrap_err().to_string(), here("download failed: no such host"));
    });
}
