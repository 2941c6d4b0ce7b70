//! The stress: random graphs of tasks, built, waited for, cancelled and stopped from several threads
//! at once. Everything is counted, each value is worked out again in order, and a watchdog ends
//! what hangs.
//!
//! `cargo test` has a short run. Longer ones, and single rounds, by environment variables:
//!
//! | variable | meaning |
//! |---|---|
//! | `ASYNCKIT_STRESS_TASKS` | about how many tasks to make, in all rounds together |
//! | `ASYNCKIT_STRESS_SEED` | the seed of the first round; the others count up from it |
//! | `ASYNCKIT_STRESS_PATIENCE` | the seconds without progress that are a hang |
//!
//! `scripts/stress-tsan` and `scripts/stress-valgrind` run it under these tools.

mod builder;
mod errands;
mod expected;
mod ledger;
mod looks;
mod random;
mod round;
mod streams;
mod tally;
mod terms;
mod watch;
mod works;

use std::io::Write;
use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tally::TALLY;

fn setting(name: &str) -> Option<u64> {
    let text = std::env::var(name).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{name} is {text:?}, which is no number")))
}

/// Not `println`, which the test harness would keep to itself.
fn tell(line: &str) {
    let _ = writeln!(std::io::stdout(), "{line}");
}

#[test]
fn random_graphs_come_to_what_they_must() {
    let tasks = setting("ASYNCKIT_STRESS_TASKS").unwrap_or(10_000);
    let patience = setting("ASYNCKIT_STRESS_PATIENCE").unwrap_or(60);
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |now| now.as_nanos() as u64);
    let first = setting("ASYNCKIT_STRESS_SEED").unwrap_or(now % 1_000_000_000);
    tell(&format!("stress: {tasks} tasks, beginning with ASYNCKIT_STRESS_SEED={first}"));
    watch::start(Duration::from_secs(patience));
    let mut rounds = 0;
    while TALLY.issued.load(Relaxed) < tasks {
        round::run(first.wrapping_add(rounds));
        rounds += 1;
    }
    let read = |counter: &std::sync::atomic::AtomicU64| counter.load(Relaxed);
    tell(&format!(
        "stress: {rounds} rounds, {} tasks ({} ran), {} values and {} failures looked at",
        read(&TALLY.issued),
        read(&TALLY.ran),
        read(&TALLY.values),
        read(&TALLY.failures),
    ));
}
