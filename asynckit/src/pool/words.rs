//! The words for waits that could never end.

use std::fmt::Write;

use crate::core::TaskRef;
use crate::error::{At, Error, ErrorKind, Hop};
use crate::pool::threads::Wait;

/// The work whose wait it is.
pub(super) fn waiter(wait: &Wait) -> Hop {
    let outside = Hop { name: &"a thread", at: wait.at };
    wait.stack.last().map_or(outside, |task| task.hop)
}

pub(super) fn in_a_cycle(wait: &Wait, cycle: &[TaskRef]) -> Error {
    let how = format!("waits for itself, at {}:{}", wait.at.file(), wait.at.line());
    Error::outside(ErrorKind::Deadlock, waiter(wait), itself(&how, cycle))
}

pub(super) fn itself(how: &str, cycle: &[TaskRef]) -> String {
    let mut words = format!("{how}: ");
    for task in cycle {
        let _ = write!(words, "{} waits for ", task.hop);
    }
    let _ = write!(words, "{}", cycle[0].hop);
    words
}

/// All threads of a pool wait, and it may have no more.
pub(crate) fn out_of_threads(wait: &Wait, spares: usize) -> Error {
    let words = format!(
        "waits at {}:{}, as every thread of its pool does, {spares} spare ones included: nobody is \
         left to run other work; allow more with `max_spares`, or wait outside of work",
        wait.at.file(),
        wait.at.line(),
    );
    Error::outside(ErrorKind::Deadlock, waiter(wait), words)
}

/// Nothing is left to run in a deterministic pool, where nobody else sets a result.
pub(crate) fn nothing_left(target: Option<&TaskRef>, at: At) -> Error {
    let words = format!(
        "can't end: nothing in its deterministic pool is left to run, and the wait at {}:{} needs it",
        at.file(),
        at.line(),
    );
    let hop = target.map_or(Hop { name: &"a thread", at }, |task| task.hop);
    Error::outside(ErrorKind::Deadlock, hop, words)
}

/// A pool without workers has its work done by threads that wait for it, and this one is out of room.
pub(crate) fn out_of_stack(target: Option<&TaskRef>, at: At) -> Error {
    let words = format!(
        "can't end: the wait at {}:{} needs work of a pool without workers, and waits are nested so \
         deeply on this thread that too little is left of its stack to run it here",
        at.file(),
        at.line(),
    );
    let hop = target.map_or(Hop { name: &"a thread", at }, |task| task.hop);
    Error::outside(ErrorKind::Deadlock, hop, words)
}

/// All who run under a limit wait for such as stand in its line.
pub(super) fn out_of_permits(waiter: Hop, how: &str, at: &str, most: usize) -> Error {
    let words = format!(
        "{how}{at} work that stands in line under a limit of {most}, as all do that run under it: \
         nobody is left to make room; wait outside of the limit, or let more run at once"
    );
    Error::outside(ErrorKind::Deadlock, waiter, words)
}

/// The pool is being stopped, and nothing in it will end this wait.
pub(crate) fn stopped(wait: &Wait) -> Error {
    let words = format!(
        "was waiting at {}:{} when its pool was stopped, for a result that nothing in the pool \
         will set",
        wait.at.file(),
        wait.at.line(),
    );
    Error::outside(ErrorKind::Stopped, waiter(wait), words)
}
