//! Waits that could never end (`words.rs` has the words for them).
//!
//! Every untimed wait from within work is entered here. A wait that closes a cycle (the work
//! waits for a result that waits, over any number of tasks and waits, for the work) is failed by
//! the one whose entry closes it.

use std::collections::{HashMap, HashSet};

use crate::core::{self, TaskRef};
use crate::error::{Error, ErrorKind};
use crate::pool::place::Inside;
use crate::pool::threads::{Wait, remove};
use crate::pool::walks;
use crate::pool::words::{in_a_cycle, itself, out_of_permits, waiter};
use crate::sync::{Arc, Mutex, Ordering, StaticCounter, fence, lock};
use crate::terms::{IN_LINE, Permits, Share};

/// All untimed waits from within work, of all pools.
static WAITS: Mutex<Vec<Arc<Wait>>> = Mutex::new(Vec::new());
/// Tasks under a limit that await results or wait for inputs, and some that did.
static SLEEPERS: Mutex<Vec<TaskRef>> = Mutex::new(Vec::new());
/// How many waits there are, for who need not look at them.
static COUNT: StaticCounter = StaticCounter::new(0);

/// Enters a wait, and fails it where it closes a cycle.
pub(crate) fn enter(wait: &Arc<Wait>) {
    if !wait.is_whole {
        // One way out is enough, and that may be one that is not looked at.
        return;
    }
    // The walk is done under the lock, so that of two waits that close a cycle together one sees
    // the other. What it lets go of is dropped from the trampoline, after the lock.
    let cycle = core::hold_back(|| {
        let mut waits = lock(&WAITS);
        COUNT.fetch_add(1, Ordering::Relaxed);
        // ORDERING: SeqCst fence, against the one in `look_again`.
        fence(Ordering::SeqCst);
        // Of a choice each way is looked at, by `look_at_choices`.
        let cycle = if wait.any { None } else { find_cycle(wait, &waits) };
        waits.push(wait.clone());
        cycle
    });
    if let Some(cycle) = cycle {
        return wait.fail(in_a_cycle(wait, &cycle));
    }
    look_at_choices();
    look_at_limits();
}

/// Somebody has come to wait: it may be that of a wait for any of several results each now leads back
/// to the work that waits. One way out would be enough.
fn look_at_choices() {
    let stuck = core::hold_back(|| {
        let waits = lock(&WAITS);
        waits.iter().find_map(|wait| {
            let is_choice = wait.any && wait.failed.get().is_none();
            Some((wait.clone(), is_choice.then(|| find_cycle(wait, &waits))??))
        })
    });
    if let Some((wait, cycle)) = stuck {
        wait.fail(in_a_cycle(&wait, &cycle));
    }
}

/// A task has come to wait for something else than before: for the result that its work returned,
/// or for the borrowers of a value. That may have closed a cycle, which goes through the task.
pub(crate) fn look_again(task: &TaskRef) {
    walks::look_again(task);
    // ORDERING: SeqCst fence, against the one in `enter`: either this sees the wait, or the wait
    // sees what the task waits for now.
    fence(Ordering::SeqCst);
    if COUNT.load(Ordering::Relaxed) == 0 {
        // No thread waits; work that sleeps and has a permit may.
        return look_at_limits();
    }
    let cycle = core::hold_back(|| {
        let waits = lock(&WAITS);
        let cycle = find_way(waits_for(task, &waits), |other| other.is(task), &waits)?;
        // One wait of the cycle fails. There may be none, where results depend on each other.
        (0..cycle.len()).find_map(|start| {
            let (waiter, target) = (&cycle[start], &cycle[(start + 1) % cycle.len()]);
            let its =
                waits.iter().find(|wait| has(&wait.stack, waiter) && has(&wait.targets, target));
            Some((its?.clone(), [&cycle[start..], &cycle[..start]].concat()))
        })
    });
    if let Some((wait, cycle)) = cycle {
        wait.fail(in_a_cycle(&wait, &cycle));
    } else {
        look_at_choices();
        look_at_limits();
    }
}

/// Somebody has come to wait, for a result or in the line of a limit: it may be that all who run
/// under a limit wait for work that stands in its line, over any number of tasks and waits. Or they wait
/// for work in the line of another limit, where that is so of all who run under that one, and so on.
pub(crate) fn look_at_limits() {
    // ORDERING: SeqCst fence, as in `look_again`: of a wait and of who gets in line, each is counted
    // before its look, so that one of the two sees the other.
    fence(Ordering::SeqCst);
    if !IN_LINE.any() {
        return;
    }
    let sleepers = lock(&SLEEPERS).clone();
    if COUNT.load(Ordering::Relaxed) == 0 && sleepers.is_empty() {
        return;
    }
    let stuck = core::hold_back(|| {
        let waits = lock(&WAITS);
        let waiting = waits.iter().map(PermitHolder::that_waits);
        let sleeping = sleepers.iter().map(PermitHolder::that_sleeps);
        let holders: Vec<PermitHolder> = waiting.chain(sleeping).collect();
        let shares = || holders.iter().flat_map(|holder| &holder.shares);
        let mut limits: Vec<&Permits> = shares().filter_map(|share| share.held()).collect();
        loop {
            // Those that make no room as long as none of these does.
            let stands = |wait: &Arc<Wait>| wait.stands_in_any(&limits);
            let in_line = |task: &TaskRef| {
                limits.iter().any(|limit| limit.has_in_line(task))
                    || waits.iter().any(|wait| stands(wait) && has(&wait.stack, task))
            };
            let still = |holder: &&PermitHolder| match &holder.who {
                WhoWaits::Wait(wait) if stands(wait) => true,
                _ => holder.waits_for(in_line, &waits),
            };
            let still: Vec<&PermitHolder> = holders.iter().filter(still).collect();
            let makes_no_room = |limit: &&Permits| {
                let all = still.iter().flat_map(|holder| &holder.shares);
                let its = all.filter(|share| share.held().is_some_and(|one| one.is(limit)));
                let kept: HashMap<_, _> =
                    its.map(|share| (Arc::as_ptr(share), share.weight())).collect();
                limit.facts().most - kept.values().sum::<usize>().min(limit.facts().most)
                    < limit.needed()
            };
            let left: Vec<&Permits> = limits.iter().copied().filter(makes_no_room).collect();
            if left.len() == limits.len() {
                let has = |limit: &&Permits, holder: &PermitHolder| {
                    holder.shares.iter().any(|share| share.held().is_some_and(|one| one.is(limit)))
                };
                let newest = |limit| still.iter().rfind(|holder| has(limit, holder));
                return left
                    .last()
                    .and_then(|limit| Some((newest(limit)?.who.clone(), limit.facts().most)));
            }
            limits = left;
        }
    });
    match stuck {
        Some((WhoWaits::Wait(wait), most)) => {
            let at = format!(" at {}:{} for", wait.at.file(), wait.at.line());
            wait.fail(out_of_permits(waiter(&wait), "waits", &at, most));
        }
        Some((WhoWaits::Sleeper(task), most)) => {
            fail_await(&task, out_of_permits(task.hop, "awaits", "", most));
        }
        Some((WhoWaits::Dependent(task), most)) => {
            task.fail_waiting(out_of_permits(task.hop, "waits for", "", most), false);
        }
        None => {}
    }
}

/// A task waits, for its inputs, for a result that its work has returned or in a line: it may have permits that
/// others need, who stand in their lines.
pub(crate) fn holds_while_it_waits(task: &TaskRef) {
    if has_a_permit(task) {
        let mut sleepers = lock(&SLEEPERS);
        let gone: Vec<TaskRef> = sleepers.extract_if(.., |task| !task.is_waiting()).collect();
        sleepers.push(task.clone());
        drop(sleepers);
        drop(gone);
    }
    look_at_limits();
}

pub(crate) fn has_a_permit(task: &TaskRef) -> bool {
    let place = task.hooked_home::<Inside>();
    place.is_some_and(|place| place.shares().any(|share| share.held().is_some()))
}

/// Somebody who waits, and may have permits.
struct PermitHolder {
    shares: Vec<Arc<Share>>,
    targets: Vec<TaskRef>,
    /// Whether any of these will do.
    any: bool,
    who: WhoWaits,
}

#[derive(Clone)]
enum WhoWaits {
    Wait(Arc<Wait>),
    Sleeper(TaskRef),
    Dependent(TaskRef),
}

impl PermitHolder {
    fn that_waits(wait: &Arc<Wait>) -> PermitHolder {
        let (mut shares, targets) = (shares_of(&wait.stack), wait.targets.clone());
        shares.extend(wait.in_place.iter().cloned());
        PermitHolder { shares, targets, any: wait.any, who: WhoWaits::Wait(wait.clone()) }
    }

    fn that_sleeps(task: &TaskRef) -> PermitHolder {
        let (targets, any, who) = match task.awaited() {
            Some(awaited) => (awaited, true, WhoWaits::Sleeper(task.clone())),
            // It may stand in a line itself.
            None => (vec![task.clone()], false, WhoWaits::Dependent(task.clone())),
        };
        PermitHolder { shares: shares_of(std::slice::from_ref(task)), targets, any, who }
    }

    /// Whether it waits for somebody, over any number of tasks and waits.
    fn waits_for(&self, is_end: impl Fn(&TaskRef) -> bool, waits: &[Arc<Wait>]) -> bool {
        find_ways(&self.targets, self.any, is_end, waits).is_some()
    }
}

fn shares_of(tasks: &[TaskRef]) -> Vec<Arc<Share>> {
    let places = tasks.iter().filter_map(|task| task.hooked_home::<Inside>());
    places.flat_map(|place| place.shares().cloned()).collect()
}

/// A task sleeps until a result is set that it awaits: it may be that each of those leads back to it.
pub(crate) fn look_at_await(task: &TaskRef) {
    // ORDERING: SeqCst fence, against those of other tasks that come to sleep and of waits: of all that
    // close a cycle together, the last one sees the others.
    fence(Ordering::SeqCst);
    let goes_on = |task: &TaskRef| {
        let runs = task.is_claimed() && COUNT.load(Ordering::Relaxed) == 0;
        runs || task.is_set() || task.is_ready() || task.is_by_hand()
    };
    let Some(awaited) = task.awaited().filter(|all| !all.iter().any(goes_on)) else {
        return;
    };
    let cycle = core::hold_back(|| {
        let waits = lock(&WAITS);
        find_ways(&awaited, true, |other| other.is(task), &waits)
    });
    if let Some(cycle) = cycle {
        let words = itself("awaits itself", &cycle);
        return fail_await(task, Error::outside(ErrorKind::Deadlock, task.hop, words));
    }
    look_at_choices();
    holds_while_it_waits(task);
}

/// Has an await of a sleeping task fail.
fn fail_await(task: &TaskRef, error: Error) {
    if task.fail_await(error) {
        task.resume();
    }
}

fn has(tasks: &[TaskRef], task: &TaskRef) -> bool {
    tasks.iter().any(|other| other.is(task))
}

pub(crate) fn leave(wait: &Arc<Wait>) {
    let mut waits = lock(&WAITS);
    let before = waits.len();
    remove(&mut waits, wait);
    COUNT.fetch_sub((before - waits.len()) as u64, Ordering::Relaxed);
}

/// The tasks of a cycle that `wait` closes: each waits for the next, and the last for the first.
fn find_cycle(wait: &Wait, waits: &[Arc<Wait>]) -> Option<Vec<TaskRef>> {
    find_ways(&wait.targets, wait.any, |task| has(&wait.stack, task), waits)
}

/// As `find_way`, for who waits for all of these, or for `any`: then each of them has to lead to an end.
fn find_ways(
    starts: &[TaskRef],
    any: bool,
    is_end: impl Fn(&TaskRef) -> bool,
    waits: &[Arc<Wait>],
) -> Option<Vec<TaskRef>> {
    if !any {
        return find_way(starts.to_vec(), is_end, waits);
    }
    let mut way = None;
    for start in starts {
        way = Some(find_way(vec![start.clone()], &is_end, waits)?);
    }
    way
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
        let mut inputs = walks::inputs(task);
        if !inputs.is_empty() {
            inputs.retain(|input| {
                let place = input.hooked_home::<Inside>();
                let stopwatch = place.and_then(|place| place.stopwatch());
                !stopwatch.is_some_and(|stopwatch| stopwatch.runs_for(task))
            });
            return inputs;
        }
        // Of several that it awaits one is enough: see `look_at_choices`.
        return task.awaited().filter(|all| all.len() == 1).unwrap_or_default();
    }
    // Of a choice nothing is known before each of its ways is looked at: `look_at_choices`.
    let its = waits.iter().filter(|wait| !wait.any && wait.stack.iter().any(|own| own.is(task)));
    its.flat_map(|wait| wait.targets.iter().cloned()).collect()
}

fn trace(found: &[(TaskRef, Option<usize>)], last: usize) -> Vec<TaskRef> {
    let mut cycle = vec![found[last].0.clone()];
    let mut step = found[last].1;
    while let Some(place) = step {
        cycle.push(found[place].0.clone());
        step = found[place].1;
    }
    // From the one that is on the waiter's own stack on.
    cycle[1..].reverse();
    cycle
}
