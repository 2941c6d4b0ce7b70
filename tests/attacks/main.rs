//! Attacks: safe code that does what it can to have a value outlive what it borrows, or work outlive what
//! it has been lent. It forgets and leaks, drops early and late and on other threads, keeps wakers, polls
//! by hand, sets, cancels and panics, in an order that a seed decides.
//!
//! Whether anything was used too late the values tell, which know whether their ground is still there
//! (`ground.rs`); and memcheck, under which `scripts/attack-valgrind` runs this.
//!
//! - `ASYNCKIT_ATTACKS`: how many rounds of each kind;
//! - `ASYNCKIT_ATTACK_SEED`: the seed of the first one.

mod ground;
mod lent;
mod scoped;

use std::env;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::{Mutex, mpsc};
use std::time::Duration;

use asynckit::{AsyncResult, Error, Pool};

use crate::ground::Watch;

/// Where an attack happens.
#[derive(Clone, Copy, Debug)]
enum Stage {
    Plainly,
    /// Where what a completion leads to has to wait.
    InACallback,
    InWork,
    /// Where failures go that nobody has seen.
    InAReport,
    /// So deep in drops, or nearly so deep, that other drops are put off.
    InDrops(u32),
}

impl Stage {
    fn of(seed: u64) -> Stage {
        match seed % 5 {
            0 => Stage::Plainly,
            1 => Stage::InACallback,
            2 => Stage::InWork,
            3 => Stage::InAReport,
            _ => Stage::InDrops(58 + (seed / 5 % 8) as u32),
        }
    }
}

/// Runs rounds of an attack, each by a seed of its own, and has it said which one failed. What an attack
/// gives is looked at when its stage is over.
fn rounds(most: u64, attack: fn(u64) -> Watch) {
    let number = |name: &str| env::var(name).ok().map(|text| text.parse::<u64>().unwrap());
    let first = number("ASYNCKIT_ATTACK_SEED").unwrap_or(1);
    let rounds = number("ASYNCKIT_ATTACKS").unwrap_or(most);
    for seed in first..first + rounds {
        let stage = Stage::of(seed);
        let (done, outcome) = mpsc::channel();
        std::thread::spawn(move || {
            let _ = done.send(catch_unwind(move || on(stage, move || attack(seed)).end()));
        });
        match outcome.recv_timeout(Duration::from_secs(120)) {
            Ok(Ok(())) => {}
            Ok(Err(payload)) => {
                eprintln!("the seed is {seed}, {stage:?}");
                resume_unwind(payload);
            }
            Err(_) => panic!("hangs with the seed {seed}, {stage:?}"),
        }
    }
}

fn on(stage: Stage, attack: impl FnOnce() -> Watch + Send + 'static) -> Watch {
    /// Attacks when it is dropped, after so many others.
    struct Nest<F: FnOnce() + Send + 'static>(u32, Option<F>);
    impl<F: FnOnce() + Send + 'static> Drop for Nest<F> {
        fn drop(&mut self) {
            let Some(attack) = self.1.take() else { return };
            match self.0 {
                0 => attack(),
                more => drop(AsyncResult::ready(Nest(more - 1, Some(attack)))),
            }
        }
    }
    let (tell, told) = mpsc::channel();
    // A panic in a callback or a drop concerns nobody there.
    let attack = move || {
        let _ = tell.send(catch_unwind(AssertUnwindSafe(attack)));
    };
    match stage {
        Stage::Plainly => attack(),
        Stage::InACallback => {
            let result = AsyncResult::new();
            result.on_set(|_: Result<&(), _>| attack());
            result.set(()).unwrap();
        }
        Stage::InWork => Pool::new(1).spawn(attack).get().unwrap(),
        Stage::InAReport => {
            let attack = Mutex::new(Some(attack));
            let hook = move |_: &Error| attack.lock().unwrap().take().into_iter().for_each(|f| f());
            let pool = Pool::builder().workers(1).on_unobserved_error(hook).build().unwrap();
            let (go, gate) = mpsc::channel();
            let fails = move || Err::<(), _>(gate.recv().unwrap());
            let failed = asynckit::try_work(fails).spawn_on(&pool);
            drop(failed.map(|()| ()).spawn_on(&pool));
            go.send("on purpose").unwrap();
        }
        Stage::InDrops(depth) => drop(AsyncResult::ready(Nest(depth, Some(attack)))),
    }
    told.recv().expect("the attack was made").unwrap_or_else(|payload| resume_unwind(payload))
}

#[test]
fn values_of_a_scope() {
    rounds(400, scoped::attack);
}

#[test]
fn loans_of_work() {
    rounds(400, lent::attack);
}
