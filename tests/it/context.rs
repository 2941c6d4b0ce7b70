//! Contexts that follow work from where it is submitted to where it runs.

use std::cell::{Cell, RefCell};
use std::sync::{Arc, Mutex, mpsc};
use std::thread;
use std::time::Duration;

use asynckit::{
    AsyncResult, CancelToken, Limit, Pool, PoolBuilder, Retry, async_work, chain, current, work,
};

use crate::support::{Counter, Gate, LIMIT, soon};

thread_local! {
    static USER: RefCell<String> = const { RefCell::new(String::new()) };
    static DEPTH: Cell<u32> = const { Cell::new(0) };
}

fn user() -> String {
    USER.with_borrow(Clone::clone)
}

/// The caller's user while `f` runs.
fn as_user<R>(name: &str, f: impl FnOnce() -> R) -> R {
    let before = USER.replace(name.to_owned());
    let answer = f();
    USER.set(before);
    answer
}

struct User(String);

/// Sets back what was before, on the thread that it was made on.
struct Before(String, thread::ThreadId);

impl asynckit::Context for User {
    type Guard = Before;

    fn enter(&self) -> Before {
        DEPTH.set(DEPTH.get() + 1);
        Before(USER.replace(self.0.clone()), thread::current().id())
    }
}

impl Drop for Before {
    fn drop(&mut self) {
        assert_eq!(thread::current().id(), self.1);
        DEPTH.set(DEPTH.get() - 1);
        USER.set(std::mem::take(&mut self.0));
    }
}

fn following(builder: PoolBuilder) -> Pool {
    builder.context(|| User(user())).build().unwrap()
}

#[async_work]
fn whose() -> String {
    user()
}

#[async_work]
async fn whose_later(gate: AsyncResult<u32>) -> String {
    let before = user();
    let _ = gate.await;
    format!("{before} {}", user())
}

#[async_work]
fn joined(a: String, b: String) -> String {
    format!("{a} {b} {}", user())
}

#[test]
fn work_runs_in_the_context_of_its_submission() {
    soon(|| {
        let builders = || {
            [0, 1, 3].map(|n| Pool::builder().workers(n)).into_iter().chain([
                Pool::builder().deterministic(5),
                Pool::builder().workers(1).queue_capacity(1),
            ])
        };
        for builder in builders() {
            let pool = following(builder);
            let (ada, bob) =
                (as_user("ada", || whose().spawn_on(&pool)), as_user("bob", || pool.spawn(user)));
            assert_eq!((ada.get().unwrap(), bob.get().unwrap()), ("ada".into(), "bob".into()));
            // That of the chain, whoever brings the inputs.
            let late = AsyncResult::new();
            let chained = as_user("eve", || chain!(&pool, joined(late.clone(), whose())));
            as_user("mallory", || late.set("x".to_owned())).unwrap();
            assert_eq!(chained.get().unwrap(), "x eve eve");
            // What work submits gets its own in turn.
            let outer =
                as_user("ada", || pool.spawn(|| work(user).spawn_on(&current()).get().unwrap()));
            assert_eq!(outer.get().unwrap(), "ada");
            assert_eq!(pool.spawn(|| (user(), DEPTH.get())).get().unwrap(), (String::new(), 1));
            pool.stop();
        }
        assert_eq!(user(), "");
    });
}

#[test]
fn each_poll_is_in_it() {
    soon(|| {
        let pool = following(Pool::builder().workers(2));
        let gate = AsyncResult::new();
        let later = as_user("ada", || whose_later(gate.clone()).spawn_on(&pool));
        let other = as_user("bob", || whose_later(gate.clone()).spawn_on(&pool));
        as_user("mallory", || gate.set(1)).unwrap();
        assert_eq!(later.get().unwrap(), "ada ada");
        assert_eq!(other.get().unwrap(), "bob bob");
    });
}

#[test]
fn each_later_try_and_whoever_stands_in_line_is_in_it() {
    soon(|| {
        for builder in [Pool::builder().workers(2), Pool::builder().deterministic(1)] {
            let pool = following(builder);
            let (seen, limit) = (Arc::new(Mutex::new(Vec::new())), Limit::new(1));
            let (notes, tries) = (seen.clone(), Counter::new());
            // The call that makes a try is in it as well.
            let each = move || {
                let (notes, number, made_by) = (notes.clone(), tries.add(), user());
                asynckit::try_work(move || {
                    notes.lock().unwrap().push(format!("{made_by} {}", user()));
                    if number < 3 { Err("no") } else { Ok(number) }
                })
            };
            let retry = Retry::new(3).backoff(Duration::from_millis(1));
            let tried = as_user("ada", || retry.work(each).timeout(LIMIT).spawn_on(&pool));
            assert_eq!(tried.get().unwrap(), 3);
            assert_eq!(*seen.lock().unwrap(), ["ada ada"; 3]);
            let in_line: Vec<_> = ["a", "b", "c"]
                .map(|name| as_user(name, || whose().limit(&limit).spawn_on(&pool)))
                .into_iter()
                .map(|one| one.get().unwrap())
                .collect();
            assert_eq!(in_line, ["a", "b", "c"]);
        }
    });
}

#[test]
fn callbacks_are_in_that_of_their_registration() {
    soon(|| {
        let pool = following(Pool::builder().workers(1));
        let (gate, (said, says)) = (Gate::new(), mpsc::channel());
        let waits = gate.clone();
        let result = as_user("ada", || pool.spawn(move || waits.pass()));
        as_user("bob", || {
            result.on_set(move |_| said.send((user(), DEPTH.get())).unwrap());
        });
        gate.open();
        assert_eq!(says.recv().unwrap().0, "bob");
        pool.stop();
    });
}

#[test]
fn several_are_entered_in_order_and_left_in_reverse() {
    soon(|| {
        let steps = Arc::new(Mutex::new(Vec::new()));
        struct Leaves(&'static str, Arc<Mutex<Vec<String>>>);
        impl Drop for Leaves {
            fn drop(&mut self) {
                self.1.lock().unwrap().push(format!("-{}", self.0));
            }
        }
        let context = |name: &'static str| {
            let steps = steps.clone();
            move || {
                let steps = steps.clone();
                move || {
                    steps.lock().unwrap().push(format!("+{name}"));
                    Leaves(name, steps.clone())
                }
            }
        };
        let pool =
            Pool::builder().workers(1).context(context("a")).context(context("b")).build().unwrap();
        let inner = steps.clone();
        pool.spawn(move || inner.lock().unwrap().push("run".to_owned())).get().unwrap();
        pool.stop();
        assert_eq!(*steps.lock().unwrap(), ["+a", "+b", "run", "-b", "-a"]);
    });
}

#[test]
fn a_context_is_dropped_with_its_work_however_that_ends() {
    soon(|| {
        let drops = Counter::new();
        let its = drops.clone();
        let pool = Pool::builder().workers(1).context(move || {
            let value = Arc::new(its.on_drop());
            move || value.clone()
        });
        let pool = pool.build().unwrap();
        let (gate, token) = (Gate::new(), CancelToken::new());
        let waits = gate.clone();
        let runs = pool.spawn(move || waits.pass());
        let cancelled = token.on(&pool).spawn(|| 1);
        token.cancel();
        let panics = pool.spawn(|| panic!("no"));
        gate.open();
        assert!(runs.get().is_ok() && cancelled.get().is_err() && panics.get().is_err());
        pool.stop();
        assert_eq!(drops.count(), 3);
    });
}

#[test]
fn a_panic_in_a_context_goes_to_the_hook() {
    soon(|| {
        let reports = Counter::new();
        let told = reports.clone();
        let pool = Pool::builder()
            .workers(1)
            .on_unobserved_error(move |_| _ = told.add())
            .context(|| || panic!("no way in"))
            .build()
            .unwrap();
        assert_eq!(pool.spawn(|| 1).get().unwrap(), 1);
        pool.stop();
        assert_eq!(reports.count(), 1);
    });
}

#[test]
fn streams_run_in_it() {
    soon(|| {
        let pool = following(Pool::builder().workers(2));
        let seen: Vec<String> = as_user("ada", || {
            pool.stream(0..200)
                .map(|_| user())
                .limit(3)
                .map(|name| name + &user())
                .limit(2)
                .collect()
        })
        .unwrap();
        assert!(seen.iter().all(|name| name == "adaada"));
    });
}
