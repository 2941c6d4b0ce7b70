//! Running a test under many orders of its tasks, and with faults in them.

use std::fmt;
use std::num::ParseIntError;
use std::process::{ExitCode, Termination};
use std::str::FromStr;

use crate::error::{Error, ErrorKind};
use crate::panic::{self, Payload};
use crate::pool::{Fault, FaultKind, Pool};
use crate::sync::{Arc, Mutex, lock};

/// Names one run, so that it is the only one.
const VARIABLE: &str = "ASYNCKIT_SEED";

/// Runs a test on [deterministic pools](Pool::deterministic), each with another order of tasks.
///
/// Short for [`Explore::new`]`().runs(runs).run(test)`: see there.
///
/// ```
/// use asynckit::{Results, async_work, chain};
///
/// #[async_work]
/// fn square(n: u32) -> u32 { n * n }
///
/// asynckit::explore(100, |pool| {
///     let squares: Vec<_> = (1..=3).map(|n| chain!(pool, square(n))).collect();
///     let mut done: Vec<u32> = squares.as_completed().map(|square| square.get().unwrap()).collect();
///     done.sort(); // or it would fail for most orders
///     assert_eq!(done, [1, 4, 9]);
/// });
/// ```
#[track_caller]
pub fn explore<R: Termination>(runs: u64, test: impl Fn(&Pool) -> R) {
    Explore::new().runs(runs).run(test);
}

/// Runs a test under many orders of its tasks, and with faults put into them.
///
/// ```
/// use asynckit::{Explore, async_work, chain};
///
/// #[async_work]
/// fn fetch(page: u32) -> String { format!("page {page}") }
/// #[async_work]
/// fn join(a: String, b: String) -> String { a + &b }
///
/// // Whichever of the three tasks panics: who waits gets an error, and the pool goes on.
/// Explore::new().runs(10).panic_each_task().run(|pool| {
///     let both = chain!(pool, join(fetch(1), fetch(2)));
///     match both.get() {
///         Ok(text) => assert_eq!(text, "page 1page 2"),
///         Err(error) => assert!(error.is_panic()),
///     }
/// });
/// ```
#[derive(Clone, Debug)]
#[must_use = "it does nothing until `.run(test)`"]
pub struct Explore {
    runs: u64,
    first: u64,
    faults: Faults,
}

#[derive(Clone, Copy, Debug)]
enum Faults {
    None,
    One(Fault),
    Each(FaultKind),
}

/// What decides a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct RunPlan {
    seed: u64,
    fault: Option<Fault>,
}

impl Default for Explore {
    fn default() -> Explore {
        Explore::new()
    }
}

impl Explore {
    /// 100 orders, without faults.
    ///
    /// ```
    /// asynckit::Explore::new().run(|pool| {
    ///     assert_eq!(pool.spawn(|| 1).get().unwrap(), 1);
    /// });
    /// ```
    pub fn new() -> Explore {
        Explore { runs: 100, first: 0, faults: Faults::None }
    }

    /// How many orders, each from a seed of its own.
    ///
    /// ```
    /// use std::cell::Cell;
    ///
    /// let runs = Cell::new(0);
    /// asynckit::Explore::new().runs(7).run(|_pool| runs.set(runs.get() + 1));
    /// assert_eq!(runs.get(), 7);
    /// ```
    pub fn runs(mut self, runs: u64) -> Explore {
        self.runs = runs;
        self
    }

    /// The first seed; 0 unless said. The others follow it.
    ///
    /// ```
    /// // Each night other orders, and the report of a failure says which.
    /// let night = 20_000;
    /// asynckit::Explore::new().first_seed(100 * night).run(|pool| {
    ///     assert!(pool.spawn(|| true).get().unwrap());
    /// });
    /// ```
    pub fn first_seed(mut self, seed: u64) -> Explore {
        self.first = seed;
        self
    }

    /// Has the `k`-th task of each order fail in place of running. The error is an
    /// [`Injected`](crate::Injected).
    ///
    /// Tasks are counted from 1, in the order in which the pool begins them; a future counts each
    /// time that it is polled.
    ///
    /// ```
    /// use asynckit::{Explore, Injected};
    ///
    /// Explore::new().runs(5).fail_task(1).run(|pool| {
    ///     let error = pool.spawn(|| 1).get().unwrap_err();
    ///     assert!(error.downcast_ref::<Injected>().is_some());
    /// });
    /// ```
    pub fn fail_task(self, k: u64) -> Explore {
        self.fault(k, FaultKind::Fails)
    }

    /// As [`fail_task`](Explore::fail_task), with a panic.
    ///
    /// ```
    /// asynckit::Explore::new().runs(5).panic_task(2).run(|pool| {
    ///     assert_eq!(pool.spawn(|| 1).get().unwrap(), 1);
    ///     assert!(pool.spawn(|| 2).get().unwrap_err().is_panic());
    /// });
    /// ```
    pub fn panic_task(self, k: u64) -> Explore {
        self.fault(k, FaultKind::Panics)
    }

    /// Each order is run without a fault, then once for each of its tasks, which fails.
    ///
    /// ```
    /// asynckit::Explore::new().runs(5).fail_each_task().run(|pool| {
    ///     let (a, b) = (pool.spawn(|| 1).get(), pool.spawn(|| 2).get());
    ///     assert!(a.is_ok() || b.is_ok()); // one fault at a time
    /// });
    /// ```
    pub fn fail_each_task(mut self) -> Explore {
        self.faults = Faults::Each(FaultKind::Fails);
        self
    }

    /// Each order is run without a fault, then once for each of its tasks, which panics.
    ///
    /// ```
    /// asynckit::Explore::new().runs(5).panic_each_task().run(|pool| {
    ///     // Whatever happens to the tasks: the pool goes on.
    ///     let _ = pool.spawn(|| 1).get();
    /// });
    /// ```
    pub fn panic_each_task(mut self) -> Explore {
        self.faults = Faults::Each(FaultKind::Panics);
        self
    }

    fn fault(mut self, run: u64, how: FaultKind) -> Explore {
        self.faults = Faults::One(Fault { run, how });
        self
    }

    /// Runs the test under all these orders, on this thread. After each the pool is
    /// [stopped](Pool::stop), which runs what is left.
    ///
    /// When the environment has `ASYNCKIT_SEED`, as the report of a failure says it, then that one
    /// order is run instead.
    ///
    /// # Panics
    ///
    /// When the test panics or returns an `Err`, and when work panics and nobody looks at that. The
    /// seed is printed on standard error. Also when a task that is to fail never comes, and when
    /// `ASYNCKIT_SEED` has no meaning.
    ///
    /// ```
    /// asynckit::Explore::new().runs(20).run(|pool| {
    ///     let sum = pool.spawn(|| 1).get()? + pool.spawn(|| 2).get()?;
    ///     assert_eq!(sum, 3);
    ///     Ok::<(), asynckit::Error>(())
    /// });
    /// ```
    #[track_caller]
    pub fn run<R: Termination>(self, test: impl Fn(&Pool) -> R) {
        if let Ok(words) = std::env::var(VARIABLE) {
            match words.parse() {
                Ok(plan) => drop(attempt(plan, &test)),
                Err(error) => panic!("{VARIABLE} is {words:?}, which is no seed: {error}"),
            }
            return;
        }
        let (mut most, mut reached) = (0, false);
        for seed in (0..self.runs).map(|n| self.first.wrapping_add(n)) {
            let fault = match self.faults {
                Faults::One(fault) => Some(fault),
                _ => None,
            };
            let tasks = attempt(RunPlan { seed, fault }, &test);
            most = most.max(tasks);
            reached |= fault.is_none_or(|fault| (1..=tasks).contains(&fault.run));
            if let Faults::Each(how) = self.faults {
                for run in 1..=tasks {
                    attempt(RunPlan { seed, fault: Some(Fault { run, how }) }, &test);
                }
            }
        }
        if let Faults::One(fault) = self.faults
            && !reached
        {
            panic!("task {} was to go wrong, but there were {most} at most", fault.run);
        }
    }
}

/// Runs the test once; how many tasks were begun.
fn attempt<R: Termination>(plan: RunPlan, test: &impl Fn(&Pool) -> R) -> u64 {
    let unseen: Arc<Mutex<Option<Error>>> = Arc::default();
    let hook = {
        let unseen = unseen.clone();
        move |error: &Error| match error.kind() {
            ErrorKind::Panicked => drop(lock(&unseen).get_or_insert_with(|| error.clone())),
            _ => eprintln!("asynckit: nobody has looked at this failure: {error:#}"),
        }
    };
    let pool = Pool::of_plan(plan.seed, plan.fault, hook);
    let outcome = panic::catch(|| test(&pool).report());
    if outcome.is_err() {
        pool.stop_now();
    }
    pool.stop();
    let tasks = pool.shared().runs();
    drop(pool);
    let unseen = lock(&unseen).take();
    match (outcome, unseen) {
        (Ok(ExitCode::SUCCESS), None) => tasks,
        (Ok(ExitCode::SUCCESS), Some(error)) => {
            fail(plan, Box::new(format!("nobody has looked at this failure: {error:#}")))
        }
        (Ok(_), _) => fail(plan, Box::new("the test returned an error".to_owned())),
        (Err(payload), _) => fail(plan, payload),
    }
}

fn fail(plan: RunPlan, payload: Payload) -> ! {
    eprintln!(
        "asynckit: this fails with seed {plan}; run that order alone with {VARIABLE}={plan} in the \
         environment"
    );
    std::panic::resume_unwind(payload)
}

impl fmt::Display for RunPlan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.seed)?;
        match self.fault {
            None => Ok(()),
            Some(Fault { run, how: FaultKind::Fails }) => write!(f, ":fail@{run}"),
            Some(Fault { run, how: FaultKind::Panics }) => write!(f, ":panic@{run}"),
        }
    }
}

impl FromStr for RunPlan {
    type Err = String;

    fn from_str(words: &str) -> Result<RunPlan, String> {
        let number = |text: &str| text.parse().map_err(|error: ParseIntError| error.to_string());
        let Some((seed, fault)) = words.split_once(':') else {
            return Ok(RunPlan { seed: number(words)?, fault: None });
        };
        let (how, run) = match fault.split_once('@') {
            Some(("fail", run)) => (FaultKind::Fails, run),
            Some(("panic", run)) => (FaultKind::Panics, run),
            _ => return Err("write it as 17, 17:fail@3 or 17:panic@3".to_owned()),
        };
        Ok(RunPlan { seed: number(seed)?, fault: Some(Fault { run: number(run)?, how }) })
    }
}
