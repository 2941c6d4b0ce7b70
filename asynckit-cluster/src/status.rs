//! What a cluster is at.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Instant;

use crate::wire::CallId;

/// What a cluster is at, at one moment. Its `Display` is what one prints when a program seems stuck:
///
/// ```text
/// 3 calls without an outcome, 1 delivered again, 0 messages refused
/// worker-1 (process 4711, this program): films::transcode, for 2.1s
/// worker-2 (process 4712, this program): idle
/// films-old (process 4713, 3f0c5a7e9b1d2468): of another build, and gets no calls of this driver
/// waiting: films::transcode (2)
/// ```
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Status {
    /// The workers, by name; over NATS also those of other builds that serve the same app.
    pub workers: Vec<WorkerStatus>,
    /// Calls that wait for a worker, by function.
    pub queued: Vec<(String, usize)>,
    /// How many calls have no outcome yet.
    pub open: usize,
    /// How often a call that may have begun has gone out again, as its process or its worker has ended or is silent. What
    /// was handed back unrun isn't counted.
    pub redelivered: u64,
    /// How many messages could not be read.
    pub refused: u64,
}

/// What a worker is at.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct WorkerStatus {
    /// Its name.
    pub name: String,
    /// Which program it is: `this program`, or over NATS the beginning of its hash.
    pub build: String,
    /// Whether it runs calls of this driver: one of another build gets none.
    pub is_of_this_build: bool,
    /// The id of its process, where that is on this machine; else 0.
    pub process: u32,
    /// The calls that it has: the first of them run, others may be there ahead.
    pub running: Vec<RunningCall>,
}

/// A call that a worker has.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct RunningCall {
    /// The function, as `module::function`.
    pub function: String,
    /// Which call it is.
    pub id: CallId,
    /// Since when the worker has it.
    pub since: Instant,
}

/// How many calls wait, by function, of the function of each that does.
pub(crate) fn by_function<'a>(waiting: impl Iterator<Item = &'a str>) -> Vec<(String, usize)> {
    let mut all = BTreeMap::<&str, usize>::new();
    waiting.for_each(|path| *all.entry(path).or_default() += 1);
    all.into_iter().map(|(path, calls)| (path.to_owned(), calls)).collect()
}

/// A moment, as its time until now: with few digits.
fn since(moment: Instant) -> String {
    format!("{:.1}s", moment.elapsed().as_secs_f64())
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Status { open, redelivered, refused, .. } = self;
        write!(f, "{open} calls without an outcome, {redelivered} delivered again, ")?;
        write!(f, "{refused} messages refused")?;
        for worker in &self.workers {
            write!(f, "\n{} (", worker.name)?;
            if worker.process != 0 {
                write!(f, "process {}, ", worker.process)?;
            }
            write!(f, "{}): ", worker.build)?;
            match &worker.running[..] {
                _ if !worker.is_of_this_build => {
                    f.write_str("of another build, and gets no calls of this driver")?;
                }
                [] => f.write_str("idle")?,
                [first, others @ ..] => {
                    write!(f, "{}, for {}", first.function, since(first.since))?;
                    if !others.is_empty() {
                        write!(f, ", and {} more", others.len())?;
                    }
                }
            }
        }
        for (place, (function, calls)) in self.queued.iter().enumerate() {
            f.write_str(if place == 0 { "\nwaiting: " } else { ", " })?;
            write!(f, "{function} ({calls})")?;
        }
        Ok(())
    }
}
