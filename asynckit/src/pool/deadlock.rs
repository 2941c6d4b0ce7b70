//! Waits that could never end, and the words for them.
//!
//! Every untimed wait from within work is entered here. A wait that closes a circle (the work
//! waits for a result that waits, over any number of tasks and waits, for the work) is failed by
//! the one whose entry closes it.

use std::collections::HashSet;
use std::fmt::Write;

use crate::core::{self, TaskRef};
use crate::error::{At, Error, ErrorKind, Hop};
use crate::limit;
use crate::pool::{Inside, needed};
use crate::pool::share::Share;
use crate::pool::threads::Wait;
use crate::sync::{Arc, Mutex, Ordering, StaticCounter, fence, lock};

/// All untimed waits from within work, of all pools.
static WAITS: Mutex<Vec<Arc<Wait>>> = Mutex::new(Vec::new());
/// How many there are, for who need not look at them.
static COUNT: StaticCounter = StaticCounter::new(0);

/// Enters a wait, and fails it where it closes a circle.
pub(crate) fn enter(wait: &Arc<Wait>) {
    if wait.any && wait.targets.len() > 1 {
        // One way out is enough, so that a circle through one of them proves nothing.
        return;
    }
    // The walk is done under the lock, so that of two waits that close a circle together one sees
    // the other. What it lets go of is dropped from the trampoline, after the lock.
    let circle = core::hold_back(|| {
        let mut waits = lock(&WAITS);
        COUNT.fetch_add(1, Ordering::Relaxed);
        // ORDERING: SeqCst fence, against the one in `look_again`.
        fence(Ordering::SeqCst);
        let circle = find_circle(wait, &waits);
        waits.push(wait.clone());
        circle
    });
    if let Some(tasks) = circle {
        let hops: Vec<Hop> = tasks.iter().map(|task| task.hop).collect();
        return wait.fail(in_a_circle(wait, &hops));
    }
    look_at_limits();
}

/// A task has come to wait for something else than before: for the result that its work returned,
/// or for the borrowers of a value. That may have closed a circle, which goes through the task.
pub(crate) fn look_again(task: &TaskRef) {
    needed::look_again(task);
    // ORDERING: SeqCst fence, against the one in `enter`: either this sees the wait, or the wait
    // sees what the task waits for now.
    fence(Ordering::SeqCst);
    if COUNT.load(Ordering::Relaxed) == 0 {
        return;
    }
    let circle = core::hold_back(|| {
        let waits = lock(&WAITS);
        let circle = find_way(waits_for(task, &waits), |other| other.is(task), &waits)?;
        // One wait of the circle fails. There may be none, where results depend on each other.
        (0..circle.len()).find_map(|start| {
            let (waiter, target) = (&circle[start], &circle[(start + 1) % circle.len()]);
            let its =
                waits.iter().find(|wait| has(&wait.stack, waiter) && has(&wait.targets, target));
            let turned = circle[start..].iter().chain(&circle[..start]);
            Some((its?.clone(), turned.map(|task| task.hop).collect::<Vec<_>>()))
        })
    });
    if let Some((wait, circle)) = circle {
        wait.fail(in_a_circle(&wait, &circle));
    } else {
        look_at_limits();
    }
}

/// Somebody has come to wait, for a result or in the line of a limit: it may be that all who run
/// under a limit wait for work that stands in its line, over any number of tasks and waits.
pub(crate) fn look_at_limits() {
    // ORDERING: SeqCst fence, as in `look_again`: of a wait and of who gets in line, each is counted
    // before its look, so that one of the two sees the other.
    fence(Ordering::SeqCst);
    if COUNT.load(Ordering::Relaxed) == 0 || !limit::has_lines() {
        return;
    }
    let stuck = core::hold_back(|| {
        let waits = lock(&WAITS);
        let mut stuck: Vec<Arc<Share>> = Vec::new();
        for wait in waits.iter() {
            let places = wait.stack.iter().filter_map(|task| task.hooked_home::<Inside>());
            for share in places.flat_map(|place| place.shares()) {
                let Some(limit) = share.limit() else { continue };
                let in_line = |task: &TaskRef| limit.has_in_line(task);
                if find_way(wait.targets.clone(), in_line, &waits).is_none() {
                    continue;
                }
                if !stuck.iter().any(|other| Arc::ptr_eq(other, share)) {
                    stuck.push(share.clone());
                }
                let likewise =
                    stuck.iter().filter(|other| other.limit().is_some_and(|its| its.is(limit)));
                if likewise.count() >= limit.most() {
                    return Some((wait.clone(), limit.most()));
                }
            }
        }
        None
    });
    if let Some((wait, most)) = stuck {
        wait.fail(out_of_passes(&wait, most));
    }
}

fn has(tasks: &[TaskRef], task: &TaskRef) -> bool {
    tasks.iter().any(|other| other.is(task))
}

pub(crate) fn leave(wait: &Arc<Wait>) {
    let mut waits = lock(&WAITS);
    let before = waits.len();
    waits.retain(|other| !Arc::ptr_eq(other, wait));
    COUNT.fetch_sub((before - waits.len()) as u64, Ordering::Relaxed);
}

/// The tasks of a circle that `wait` closes: each waits for the next, and the last for the first.
fn find_circle(wait: &Wait, waits: &[Arc<Wait>]) -> Option<Vec<TaskRef>> {
    find_way(wait.targets.clone(), |task| has(&wait.stack, task), waits)
}

/// What waits, over any number of tasks and waits, for an end: the end first, which waits for the
/// first of the others.
fn find_way(
    starts: Vec<TaskRef>,
    is_end: impl Fn(&TaskRef) -> bool,
    waits: &[Arc<Wait>],
) -> Option<Vec<TaskRef>> {
    let mut seen = HashSet::new();
    // Each task with the place of the one that waits for it.
    let mut found: Vec<(TaskRef, Option<usize>)> =
        starts.into_iter().map(|start| (start, None)).collect();
    let mut next = 0;
    while next < found.len() {
        let task = found[next].0.clone();
        if is_end(&task) {
            return Some(trace(&found, next));
        }
        if !task.is_set() && seen.insert(task.address()) {
            let below = waits_for(&task, waits);
            found.extend(below.into_iter().map(|below| (below, Some(next))));
        }
        next += 1;
    }
    None
}

/// What a task waits for: its inputs, or what the work that it has begun waits for. Nothing for ever,
/// where it has a limit of time.
fn waits_for(task: &TaskRef, waits: &[Arc<Wait>]) -> Vec<TaskRef> {
    if task.is_timed() {
        return Vec::new();
    }
    if !task.is_claimed() {
        return needed::inputs(task);
    }
    let its = waits.iter().filter(|wait| wait.stack.iter().any(|own| own.is(task)));
    its.flat_map(|wait| wait.targets.iter().cloned()).collect()
}

fn trace(found: &[(TaskRef, Option<usize>)], last: usize) -> Vec<TaskRef> {
    let mut circle = vec![found[last].0.clone()];
    let mut step = found[last].1;
    while let Some(place) = step {
        circle.push(found[place].0.clone());
        step = found[place].1;
    }
    // From the one that is on the waiter's own stack on.
    circle[1..].reverse();
    circle
}

/// The work whose wait it is.
fn waiter(wait: &Wait) -> Hop {
    let outside = Hop { name: &"a thread", at: wait.at };
    wait.stack.last().map_or(outside, |task| task.hop)
}

fn in_a_circle(wait: &Wait, circle: &[Hop]) -> Error {
    let mut words = format!("waits for itself, at {}:{}: ", wait.at.file(), wait.at.line());
    for (n, hop) in circle.iter().enumerate() {
        let joint = if n == 0 { "" } else { " waits for " };
        let _ = write!(words, "{joint}{hop}");
    }
    let _ = write!(words, " waits for {}", circle[0]);
    Error::outside(ErrorKind::Deadlock, waiter(wait), words)
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

/// All who run under a limit wait for such as stand in its line.
fn out_of_passes(wait: &Wait, most: usize) -> Error {
    let words = format!(
        "waits at {}:{} for work that stands in line under a limit of {most}, as all do that run \
         under it: nobody is left to make room; wait outside of the limit, or let more run at once",
        wait.at.file(),
        wait.at.line(),
    );
    Error::outside(ErrorKind::Deadlock, waiter(wait), words)
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
