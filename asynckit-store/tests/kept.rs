//! What is kept, and when it is used again.

mod support;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::time::Duration;

use asynckit::{
    CancelToken, Error, ErrorKind, Limit, Pool, Results, Retry, async_work, chain, current,
};
use asynckit_store::{Store, StoreError};
use serde::{Deserialize, Serialize};
use support::{Gate, Temporary, eventually, soon};

/// How often something was computed, by what the test calls it.
static COMPUTED: std::sync::Mutex<BTreeMap<String, usize>> = std::sync::Mutex::new(BTreeMap::new());

fn count(name: &str) {
    *COMPUTED.lock().unwrap().entry(name.to_owned()).or_default() += 1;
}

fn computed(name: &str) -> usize {
    COMPUTED.lock().unwrap().get(name).copied().unwrap_or_default()
}

#[async_work(keep)]
fn size(name: &str) -> usize {
    count(name);
    name.len()
}

#[test]
fn a_value_is_computed_once_also_by_the_next_run() {
    soon(|| {
        let place = Temporary::new();
        let pool = Pool::new(2);
        for run in 0..3 {
            let store = place.store();
            for _ in 0..2 {
                assert_eq!(size("once").spawn_on(&store.on(&pool)).get().unwrap(), 4);
            }
            let stats = store.stats();
            let misses = u64::from(run == 0);
            assert_eq!((stats.hits, stats.misses), (2 - misses, misses));
        }
        assert_eq!(computed("once"), 1);
        assert_eq!(size("once").spawn_on(&pool).get().unwrap(), 4);
        assert_eq!(size("once").run().unwrap(), 4);
        assert_eq!(computed("once"), 3, "without a store nothing is kept");
    });
}

#[async_work(keep)]
fn fails_first(name: String) -> Result<usize, String> {
    count(&name);
    if computed(&name) == 1 { Err("not yet".to_owned()) } else { Ok(name.len()) }
}

#[test]
fn failures_are_not_kept() {
    soon(|| {
        let place = Temporary::new();
        let (pool, store) = (Pool::new(1), place.store());
        let name = || "failing".to_owned();
        assert!(fails_first(name()).spawn_on(&store.on(&pool)).get().is_err());
        assert_eq!(fails_first(name()).spawn_on(&store.on(&pool)).get().unwrap(), 7);
        assert_eq!(fails_first(name()).spawn_on(&store.on(&pool)).get().unwrap(), 7);
        assert_eq!(computed("failing"), 2);
        let again = Retry::new(1).work(|| fails_first("again".to_owned()));
        assert_eq!(again.spawn_on(&store.on(&pool)).get().unwrap(), 5);
    });
}

#[async_work(keep, limit = 1, retry = 2, timeout = "1m")]
fn under_terms(name: String) -> Result<usize, String> {
    count(&name);
    Ok(name.len())
}

#[test]
fn it_goes_with_scopes_tokens_limits_tries_and_chains() {
    #[async_work(keep)]
    fn joined(sizes: Vec<usize>, last: usize) -> usize {
        count("joined");
        sizes.iter().sum::<usize>() + last
    }
    #[async_work(keep)]
    async fn later(n: usize) -> usize {
        count("later");
        n + 1
    }
    soon(|| {
        let place = Temporary::new();
        let (pool, store, one) = (Pool::new(2), place.store(), Limit::new(1));
        let names: Vec<String> = (0..10).map(|n| format!("name {n}")).collect();
        for _ in 0..2 {
            let total = pool.scope(|s| {
                chain!(&store.on(s), {
                    let sizes: Vec<_> = names.iter().map(|name| size(name)).collect();
                    joined(sizes, later(1))
                })
                .get()
                .unwrap()
            });
            assert_eq!(total, 62);
            let token = CancelToken::new();
            let terms =
                under_terms("terms".to_owned()).limit(&one).deadline(Duration::from_secs(60));
            assert_eq!(terms.spawn_on(&token.on(&store.on(&pool))).get().unwrap(), 5);
            let terms = under_terms("terms".to_owned()).spawn_on(&store.on(&token.on(&pool)));
            assert_eq!(terms.get().unwrap(), 5);
            let store = store.clone();
            let place = store.on(&pool);
            let block = chain!(&place, async move {
                let first = size("async").await?;
                assert_eq!(first, 5);
                size("async")
            });
            assert_eq!(block.get().unwrap(), 5);
        }
        for name in ["name 0", "name 9", "joined", "later", "terms", "async"] {
            assert_eq!(computed(name), 1, "{name}");
        }
        token_cancels(&pool, &store);
    });
}

fn token_cancels(pool: &Pool, store: &Store) {
    let token = CancelToken::new();
    token.cancel();
    let error = size("cancelled").spawn_on(&token.on(&store.on(pool))).get().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Cancelled);
}

#[test]
fn what_kept_work_submits_is_kept_too() {
    #[async_work(keep)]
    fn nested(n: usize) -> Result<usize, Error> {
        count("nested");
        let inner = under_terms("inner".to_owned()).spawn_on(&current()).get()?;
        Ok(n + inner)
    }
    soon(|| {
        let place = Temporary::new();
        let (pool, store) = (Pool::new(1), place.store());
        assert_eq!(nested(3).spawn_on(&store.on(&pool)).get().unwrap(), 8);
        assert_eq!(under_terms("inner".to_owned()).spawn_on(&store.on(&pool)).get().unwrap(), 5);
        assert_eq!(computed("inner"), 1);
        assert_eq!(store.stats().misses, 2);
    });
}

/// A value that can't be cloned.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Once(String);

#[async_work(keep)]
fn gated(name: String, gate: Held) -> Result<Once, String> {
    count(&name);
    gate.0.pass();
    if name.starts_with("fails") { Err(name) } else { Ok(Once(name)) }
}

/// A gate that belongs to no key.
#[derive(Clone)]
struct Held(Gate);

impl Serialize for Held {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_unit()
    }
}

#[test]
fn the_same_at_the_same_time_is_computed_once() {
    soon(|| {
        let place = Temporary::new();
        let (pool, other, store) = (Pool::new(4), Pool::new(2), place.store());
        let gate = Gate::new();
        let ask = |name: &str, pool: &Pool| {
            gated(name.to_owned(), Held(gate.clone())).spawn_on(&store.on(pool))
        };
        let all: Vec<_> =
            (0..8).map(|n| ask("same", if n % 2 == 0 { &pool } else { &other })).collect();
        let failing: Vec<_> = (0..4).map(|_| ask("fails", &pool)).collect();
        eventually("both run", || computed("same") + computed("fails") == 2);
        gate.open();
        for result in all {
            assert_eq!(result.get().unwrap(), Once("same".to_owned()));
        }
        assert_eq!(computed("same"), 1);
        let errors: Vec<Error> = failing.into_iter().map(|one| one.get().unwrap_err()).collect();
        assert!(errors.iter().all(|error| error.to_string().ends_with("gated failed: fails")));
        // Those who came when it was over asked again.
        assert!(computed("fails") <= 4);
    });
}

#[test]
fn who_waits_for_one_that_is_given_up_asks_again() {
    soon(|| {
        let place = Temporary::new();
        let (pool, store, gate) = (Pool::new(2), place.store(), Gate::new());
        let token = CancelToken::new();
        let ask = || gated("given up".to_owned(), Held(gate.clone()));
        let first = ask().spawn_on(&token.on(&store.on(&pool)));
        eventually("it runs", || computed("given up") == 1);
        let second = ask().spawn_on(&store.on(&pool));
        token.cancel();
        assert_eq!(first.get().unwrap_err().kind(), ErrorKind::Cancelled);
        gate.open();
        assert_eq!(second.get().unwrap(), Once("given up".to_owned()));
        assert_eq!(computed("given up"), 2);
    });
}

#[test]
fn a_call_that_asks_for_itself_is_a_deadlock() {
    #[async_work(keep)]
    fn circle(n: usize) -> Result<usize, Error> {
        circle(n).spawn_on(&current()).get()
    }
    soon(|| {
        let place = Temporary::new();
        let (pool, store) = (Pool::new(2), place.store());
        let error = circle(1).spawn_on(&store.on(&pool)).get().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Deadlock, "{error:#}");
    });
}

#[test]
fn versions_keys_and_ages_tell_calls_apart() {
    mod first {
        #[asynckit::async_work(keep(version = 1))]
        pub fn versioned(n: usize) -> usize {
            super::count("first");
            n
        }
    }
    #[async_work(keep(max_age = "1us"))]
    fn short_lived(n: usize) -> usize {
        count("short");
        n
    }
    static LANGUAGE: AtomicUsize = AtomicUsize::new(1);
    #[async_work(keep(key = (LANGUAGE.load(SeqCst), n + 1)))]
    fn keyed(n: usize) -> usize {
        count("keyed");
        n
    }
    soon(|| {
        let place = Temporary::new();
        let (pool, store) = (Pool::new(1), place.store());
        let on = store.on(&pool);
        for _ in 0..2 {
            first::versioned(1).spawn_on(&on).get().unwrap();
            short_lived(1).spawn_on(&on).get().unwrap();
            keyed(1).spawn_on(&on).get().unwrap();
            std::thread::sleep(Duration::from_millis(2));
        }
        assert_eq!((computed("first"), computed("short"), computed("keyed")), (1, 2, 1));
        LANGUAGE.store(2, SeqCst);
        keyed(1).spawn_on(&on).get().unwrap();
        assert_eq!(computed("keyed"), 2);
        let entries = store.entries().unwrap();
        assert_eq!(entries.len(), 4);
    });
}

/// The same name, once with another body, and once with another version.
#[test]
fn another_body_is_another_function() {
    macro_rules! function {
        ($($option:tt)*) => { {
            #[async_work($($option)*)]
            fn same_name(n: u32) -> u32 {
                count("body");
                n + 1
            }
            same_name
        } };
    }
    fn other() -> impl Fn(u32) -> asynckit::Work<'static, u32> {
        #[async_work(keep)]
        fn same_name(n: u32) -> u32 {
            count("body");
            n + 2
        }
        same_name
    }
    soon(|| {
        let place = Temporary::new();
        let (pool, store) = (Pool::new(1), place.store());
        let on = store.on(&pool);
        assert_eq!(function!(keep)(1).spawn_on(&on).get().unwrap(), 2);
        assert_eq!(function!(keep)(1).spawn_on(&on).get().unwrap(), 2);
        assert_eq!(computed("body"), 1, "the code is the same");
        assert_eq!(other()(1).spawn_on(&on).get().unwrap(), 3);
        assert_eq!(function!(keep(version = 2))(1).spawn_on(&on).get().unwrap(), 2);
        assert_eq!(computed("body"), 3);
    });
}

#[test]
fn what_it_is_generic_over_belongs_to_the_key() {
    trait Named {
        const NAME: &'static str;
    }
    struct A;
    struct B;
    impl Named for A {
        const NAME: &'static str = "a";
    }
    impl Named for B {
        const NAME: &'static str = "b";
    }
    struct Of<T>(std::marker::PhantomData<T>);
    impl<T: Named> Of<T> {
        #[async_work(keep)]
        fn name() -> String {
            T::NAME.to_owned()
        }
    }
    #[async_work(keep)]
    fn numbered<const N: usize>() -> usize {
        N
    }
    #[derive(Serialize)]
    struct Scale(u32);
    impl Scale {
        #[async_work(keep)]
        fn times(&self, n: u32) -> u32 {
            self.0 * n
        }
    }
    static TWO: Scale = Scale(2);
    static THREE: Scale = Scale(3);
    soon(|| {
        let place = Temporary::new();
        let (pool, store) = (Pool::new(1), place.store());
        let on = store.on(&pool);
        for _ in 0..2 {
            assert_eq!(Of::<A>::name().spawn_on(&on).get().unwrap(), "a");
            assert_eq!(Of::<B>::name().spawn_on(&on).get().unwrap(), "b");
            assert_eq!(numbered::<1>().spawn_on(&on).get().unwrap(), 1);
            assert_eq!(numbered::<2>().spawn_on(&on).get().unwrap(), 2);
            assert_eq!(TWO.times(7).spawn_on(&on).get().unwrap(), 14);
            assert_eq!(THREE.times(7).spawn_on(&on).get().unwrap(), 21);
        }
        assert_eq!((store.stats().hits, store.stats().misses), (6, 6));
    });
}

#[test]
fn what_does_not_decode_wholly_is_computed_anew() {
    mod before {
        #[derive(serde::Serialize, serde::Deserialize)]
        pub struct Page {
            pub title: String,
            pub words: u32,
        }
    }
    mod after {
        #[derive(Debug, PartialEq, serde::Serialize, serde::Deserialize)]
        pub struct Page {
            pub title: String,
        }
    }
    use asynckit::carry::Codec;
    use asynckit_store::attribute::Bytes;
    let page = before::Page { title: "a".to_owned(), words: 7 };
    let bytes = Codec::<(), before::Page>::value(&Bytes, &page).unwrap();
    assert!(Codec::<(), before::Page>::decode(&Bytes, &bytes).is_ok());
    let error = Codec::<(), after::Page>::decode(&Bytes, &bytes).unwrap_err();
    assert!(error.to_string().contains("words"), "{error}");
    let more = [&bytes[..], b"x"].concat();
    assert!(Codec::<(), before::Page>::decode(&Bytes, &more).is_err());
    assert!(Codec::<(), before::Page>::decode(&Bytes, &bytes[..bytes.len() - 1]).is_err());
}

#[test]
fn large_values_lie_beside() {
    #[async_work(keep)]
    fn large(n: usize) -> Vec<u64> {
        count("large");
        (0..n as u64).collect()
    }
    soon(|| {
        let place = Temporary::new();
        let pool = Pool::new(1);
        let ask = || {
            let store = place.store();
            let values = large(50_000).spawn_on(&store.on(&pool)).get().unwrap();
            assert_eq!(values[49_999], 49_999);
            store.flush().unwrap();
            store.entries().unwrap()[0].size()
        };
        assert!(ask() > 64 << 10);
        ask();
        assert_eq!(computed("large"), 1);
        let files: Vec<_> =
            std::fs::read_dir(place.file("results.redb.values")).unwrap().flatten().collect();
        assert_eq!(files.len(), 1);
        // Garbled, it is computed anew.
        let bytes = std::fs::read(files[0].path()).unwrap();
        std::fs::write(files[0].path(), &bytes[..bytes.len() / 2]).unwrap();
        ask();
        ask();
        assert_eq!(computed("large"), 2);
        let store = place.store();
        assert_eq!(store.forget(|_| true).unwrap(), 1);
        assert_eq!(std::fs::read_dir(place.file("results.redb.values")).unwrap().count(), 0);
    });
}

#[test]
fn a_value_that_is_smaller_the_next_time_leaves_no_file() {
    static SIZES: std::sync::Mutex<Vec<usize>> = std::sync::Mutex::new(Vec::new());
    #[async_work(keep(max_age = "1us"))]
    fn of_a_size(n: u8) -> String {
        let _ = n;
        "x".repeat(SIZES.lock().unwrap().pop().unwrap())
    }
    soon(|| {
        let place = Temporary::new();
        let (pool, store) = (Pool::new(1), place.store());
        let files = || {
            let files = std::fs::read_dir(place.file("results.redb.values"));
            files.map_or(0, Iterator::count)
        };
        SIZES.lock().unwrap().extend([10, 5_000, 100_000]);
        for (size, left) in [(100_000, 1), (5_000, 0), (10, 0)] {
            std::thread::sleep(Duration::from_millis(2));
            assert_eq!(of_a_size(1).spawn_on(&store.on(&pool)).get().unwrap().len(), size);
            store.flush().unwrap();
            let entries = store.entries().unwrap();
            assert_eq!((entries.len(), files()), (1, left), "{size}");
            assert!(entries[0].size() as usize - size < 10);
        }
    });
}

/// The format has one word for `None`, `Some(None)` and `Some(())`.
#[test]
fn what_would_come_back_as_another_value_is_not_kept() {
    #[async_work(keep)]
    fn found(n: u8) -> Option<()> {
        count("found");
        (n > 0).then_some(())
    }
    #[async_work(keep)]
    fn column(n: u8) -> Vec<Option<Option<u8>>> {
        count("column");
        vec![None, Some(None), Some(Some(n))]
    }
    soon(|| {
        let place = Temporary::new();
        let pool = Pool::new(1);
        let store = Store::builder().explain(true).open(place.file("results.redb")).unwrap();
        let on = store.on(&pool);
        for _ in 0..2 {
            assert_eq!(found(0).spawn_on(&on).get().unwrap(), None);
            assert_eq!(found(1).spawn_on(&on).get().unwrap(), Some(()));
            let all = column(7).spawn_on(&on).get().unwrap();
            assert_eq!(all, [None, Some(None), Some(Some(7))]);
        }
        assert_eq!((computed("found"), computed("column")), (3, 2));
        let whys: Vec<String> = store.explain().iter().map(ToString::to_string).collect();
        let told =
            whys.iter().filter(|why| why.contains("column: its value is not kept: it has a"));
        assert_eq!(told.count(), 2, "{whys:?}");
    });
}

#[test]
fn the_least_recently_used_go_first() {
    #[async_work(keep)]
    fn kilobyte(n: u32) -> String {
        n.to_string().repeat(1000)
    }
    soon(|| {
        let place = Temporary::new();
        let pool = Pool::new(1);
        let store = Store::builder().max_size(20_000).open(place.file("results.redb")).unwrap();
        for n in 0..8 {
            kilobyte(n).spawn_on(&store.on(&pool)).get().unwrap();
            std::thread::sleep(Duration::from_millis(2));
        }
        store.flush().unwrap();
        std::thread::sleep(Duration::from_millis(2));
        kilobyte(0).spawn_on(&store.on(&pool)).get().unwrap();
        assert_eq!(store.stats().hits, 1);
        for n in 10..16 {
            kilobyte(n).spawn_on(&store.on(&pool)).get().unwrap();
            std::thread::sleep(Duration::from_millis(2));
        }
        eventually("it has made room", || {
            store.entries().unwrap().iter().map(|entry| entry.size()).sum::<u64>() <= 20_000
        });
        let before = store.stats();
        kilobyte(0).spawn_on(&store.on(&pool)).get().unwrap();
        assert_eq!(store.stats().hits, before.hits + 1, "it was used since");
        kilobyte(1).spawn_on(&store.on(&pool)).get().unwrap();
        assert_eq!(store.stats().misses, before.misses + 1, "it was the oldest");
    });
}

#[test]
fn entries_tell_what_is_kept() {
    soon(|| {
        let place = Temporary::new();
        let pool = Pool::new(1);
        let store = place.store();
        size("entry").spawn_on(&store.on(&pool)).get().unwrap();
        store.flush().unwrap();
        for _ in 0..3 {
            size("entry").spawn_on(&store.on(&pool)).get().unwrap();
        }
        drop(store);
        let store = place.store();
        let entry = &store.entries().unwrap()[0];
        assert_eq!(entry.function(), "kept::size");
        assert!(entry.at().starts_with(file!()), "{}", entry.at());
        assert_eq!(entry.hits(), 3);
        assert!(entry.age() < Duration::from_secs(3600) && entry.size() > 0);
        assert!(entry.to_string().contains("used 3 times"), "{entry}");
        assert_eq!(store.forget(|entry| entry.hits() == 0).unwrap(), 0);
        assert_eq!(store.forget(|entry| entry.function() == "kept::size").unwrap(), 1);
        assert!(store.entries().unwrap().is_empty());
    });
}

#[test]
fn a_store_is_open_once() {
    soon(|| {
        let place = Temporary::new();
        let store = place.store();
        let error = Store::open(place.file("results.redb")).unwrap_err();
        assert!(matches!(error, StoreError::InUse { .. }), "{error}");
        let error = Store::open_or_reset(place.file("results.redb")).unwrap_err();
        assert!(matches!(error, StoreError::InUse { .. }), "{error}");
        let pool = Pool::new(1);
        let held = size("held").spawn_on(&store.on(&pool));
        let on = store.on(&pool);
        drop(store);
        let store = place.store();
        assert_eq!(held.get().unwrap(), 4);
        // What is submitted by way of one that is closed is not kept.
        size("closed").spawn_on(&on).get().unwrap();
        size("closed").spawn_on(&on).get().unwrap();
        assert_eq!(computed("closed"), 2);
        drop(store);
    });
}

#[test]
fn many_calls_from_many_threads() {
    #[async_work(keep)]
    fn mixed(n: u64) -> u64 {
        n * n
    }
    soon(|| {
        let place = Temporary::new();
        let (pool, store) = (Arc::new(Pool::new(4)), place.store());
        let threads: Vec<_> = (0..4)
            .map(|_| {
                let (pool, store) = (pool.clone(), store.clone());
                std::thread::spawn(move || {
                    let on = store.on(&*pool);
                    let all = (0..1000).map(|n| mixed(n % 250).spawn_on(&on)).join_all();
                    let all = all.get().unwrap();
                    assert!(all.iter().enumerate().all(|(n, v)| *v == (n as u64 % 250).pow(2)));
                })
            })
            .collect();
        threads.into_iter().for_each(|thread| thread.join().unwrap());
        let stats = store.stats();
        assert_eq!(stats.hits + stats.misses, 4000);
        assert_eq!(stats.misses, 250, "each was computed once");
        assert_eq!(store.entries().unwrap().len(), 250);
    });
}
