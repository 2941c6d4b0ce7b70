//! Waiting: for a result, from inside and outside of work.
//!
//! An untimed wait on a thread that works for the pool first runs what the wait needs and nobody
//! has begun: the result's own task, what that depends on, who borrows what it moves. Never
//! anything else, which might need a lock that the waiting work holds. When there is nothing of
//! the kind it blocks, visibly: `sleep.rs` counts it and finds a spare, `deadlock.rs` finds cycles.

use std::collections::HashSet;
use std::hint;
use std::num::NonZero;
use std::time::Duration;

use crate::core::{self, Claimed, Header, TaskRef};
use crate::error::{At, Error};
use crate::observe::Row;
use crate::pool::goal::Goal;
use crate::pool::help::{Helpers, sleep_for};
use crate::pool::lending::GivenBack;
use crate::pool::local::with_local;
use crate::pool::looks::ToldWait;
use crate::pool::shared::Shared;
use crate::pool::threads::{Wait, has, remove};
use crate::pool::walks::Changes;
use crate::pool::{context, deadlock, needed, stack, words, worker};
use crate::sync::{Arc, Deadline, OnceLock, Parker, thread, yield_now};
use crate::terms::{Who, shares_in_place, stand_in};

/// How long a thread that works for the pool looks on before it blocks: most work is shorter than it takes to find a
/// spare and to be woken.
const INSIDE: Duration = Duration::from_micros(20);
/// How long a thread from outside looks on: about twice what it takes to wake a worker, so that it is still there when
/// a worker that slept has done a short piece of work. That worker then finds the next piece by looking on itself, and
/// neither of the two sleeps. A thread that parked at once would wake up when the worker sleeps again, trip after trip.
const OUTSIDE: Duration = Duration::from_micros(50);
/// How often it looks before it lets others have its core: with all cores busy, that is who brings it about.
const TICK: u32 = 8;
/// The short way of `wait` for a result whose own work can be begun here and now: most waits within
/// work are for what it has just submitted. Whether the result is set. `claim`: the right to run it, wherever it is queued.
pub(crate) fn run_at_once(task: &Header, claim: &dyn Fn() -> Option<Claimed>) -> bool {
    if !task.is_ready() {
        return false;
    }
    with_local(|local| {
        let Some(local) = local else { return false };
        let pool = &local.shared;
        // Work that this worker does on the side may be another pool's.
        if !pool.has(task) || !context::works_for_only(pool) || !stack::has_room() {
            return false;
        }
        core::drain();
        let claimed = match local.take_newest(task.into()) {
            Some(entry) => entry.claim(),
            None => claim(),
        };
        if let Some(claimed) = claimed {
            local.execute(claimed);
        }
        // Inside of a callback its end would wait for the callback's.
        core::drain();
        task.is_set()
    })
}

/// Waits until the goal is reached (`Ok(true)`), the deadline has passed (`Ok(false)`), or the
/// wait fails.
pub(crate) fn wait(goal: &impl Goal, deadline: Option<Deadline>, at: At) -> Result<bool, Error> {
    let mut lent = GivenBack::default();
    let reached = loop {
        if let Some(reached) = attend(goal, deadline, at, Some(&mut lent)).transpose() {
            break reached;
        }
    };
    take_back(lent, at)?;
    reached
}

/// Takes again what was given back for the wait. What it waits for now is no reason to give any of that back.
fn take_back(mut lent: GivenBack, at: At) -> Result<(), Error> {
    while !lent.take_back(|| Who::Thread(Parker::current())) {
        let Some((turn, _stands)) = lent.turn() else {
            unreachable!("nobody stands in line");
        };
        let _ = attend(&turn, None, at, None)?;
    }
    Ok(())
}

/// As `wait`, until it takes the work of other pools than it did to begin with (`Ok(None)`).
fn attend(
    goal: &impl Goal,
    deadline: Option<Deadline>,
    at: At,
    lent: Option<&mut GivenBack>,
) -> Result<Option<bool>, Error> {
    if goal.reached() {
        return Ok(Some(true));
    }
    core::drain();
    let here = context::pool();
    let _told = here.as_ref().and_then(|pool| {
        ToldWait::begin(pool, || goal.roots(), (goal.any(), deadline.is_some()), at)
    });
    if deadline.is_none()
        && let Some(pool) = &here
        && stack::has_room()
    {
        needed::run(goal, pool);
        if goal.reached() {
            return Ok(Some(true));
        }
    }
    if deadline.is_none() && is_about_to_come(goal, here.is_some()) {
        return Ok(Some(true));
    }
    let parker = Parker::current();
    let _watches = goal.watch(&parker);
    // First, so that no task comes to need another pool unseen.
    let mut changes = Changes::watch(&parker);
    // The pools that are to bring the goal about, in case they have no workers, or lose them.
    let mut pools = goal.pools();
    pools.retain(|pool| !here.as_ref().is_some_and(|here| Arc::ptr_eq(here, pool)));
    let outside = pools.clone();
    pools.extend(here.clone());
    if let Some(lent) = lent {
        lent.lend();
        // Who gets it is to know before this thread sleeps.
        core::drain();
    }
    let blocked = Blocked::begin(goal, here, outside, deadline.is_some(), at);
    let clock = VirtualClock::of(&pools, deadline);
    // Of the time of day only where no other clock counts.
    let deadline = deadline.filter(|_| clock.is_none());
    let mut helpers = Helpers::default();
    loop {
        if goal.reached() {
            return Ok(Some(true));
        }
        if let Some(error) = blocked.wait.failed.get() {
            return Err(error.clone());
        }
        let over = match &clock {
            Some(clock) => clock.is_over(),
            None => deadline.is_some_and(|deadline| deadline.is_over()),
        };
        if over {
            return Ok(Some(false));
        }
        if changes.any() && !goal.pools().iter().all(|pool| has(&pools, pool)) {
            return Ok(None);
        }
        // Those whose work runs on threads that wait for it, any work of the pool.
        let is_idle = |pool: &&Arc<Shared>| match &blocked.pool {
            Some(own) if Arc::ptr_eq(own, pool) => pool.wanted() == 0,
            _ => pool.is_helped_here(),
        };
        let idle: Vec<&Arc<Shared>> = pools.iter().filter(is_idle).collect();
        helpers.join(&idle);
        if idle.is_empty() {
            parker.park(Deadline::or_after(deadline, stand_in()));
            // What this thread's own callbacks have set, or its wake-up brought.
            core::drain();
            continue;
        }
        if !stack::has_room() {
            // Whoever else may run it does not come, for all that is known.
            return Err(words::out_of_stack(goal.roots().first(), at));
        }
        match idle.iter().find_map(|pool| Some((*pool, pool.take_any()?))) {
            // While it runs something this thread does not wait.
            Some((pool, entry)) => {
                idle.iter().filter(|pool| !pool.queue.is_empty()).for_each(|pool| pool.notify());
                blocked.unblock();
                worker::execute(pool, entry);
                blocked.block();
            }
            // In between another thread may have brought it about, and have gone.
            None => {
                match clock.as_ref().filter(|clock| clock.is_all_that_goes_on() && !goal.reached())
                {
                    Some(clock) if clock.go_on() => {}
                    Some(_) => return Err(words::nothing_left(goal.roots().first(), at)),
                    None => sleep_for(&idle, deadline, &*goal.test()),
                }
            }
        }
        core::drain();
    }
}

/// Looks on for some microseconds where another thread runs what is waited for, or, seen from outside, is on its way to
/// it. Not on a machine with one core, which that thread needs.
fn is_about_to_come(goal: &impl Goal, inside: bool) -> bool {
    static CORES: OnceLock<usize> = OnceLock::new();
    let cores = || thread::available_parallelism().map_or(1, NonZero::get);
    if *CORES.get_or_init(cores) < 2 {
        return false;
    }
    let roots = goal.roots();
    let pools = if inside { Vec::new() } else { goal.pools() };
    let is_sought =
        |task: &TaskRef| task.is_ready() && pools.iter().any(|pool| pool.attention.is_searched());
    let until = Deadline::after(if inside { INSIDE } else { OUTSIDE });
    while roots.iter().any(|task| task.is_claimed() || is_sought(task)) && !until.is_over() {
        let reached = (0..TICK).any(|_| {
            hint::spin_loop();
            goal.reached()
        });
        if reached {
            return true;
        }
        yield_now();
    }
    goal.reached()
}

/// The clock of deterministic pools, for a wait that depends on no others.
struct VirtualClock<'a> {
    pools: &'a [Arc<Shared>],
    /// When the wait ends, by the first pool's clock.
    until: Option<Duration>,
}

impl<'a> VirtualClock<'a> {
    fn of(pools: &'a [Arc<Shared>], deadline: Option<Deadline>) -> Option<VirtualClock<'a>> {
        if pools.iter().any(|pool| pool.queue.seeded().is_none()) {
            return None;
        }
        let now = pools.first()?.queue.seeded()?.now();
        let until = deadline.map(|deadline| now.saturating_add(deadline.limit));
        Some(VirtualClock { pools, until })
    }

    /// How long the wait may still take.
    fn left(&self) -> Option<Duration> {
        let now = self.pools.first()?.queue.seeded()?.now();
        Some(self.until?.saturating_sub(now))
    }

    fn is_over(&self) -> bool {
        self.left() == Some(Duration::ZERO)
    }

    /// Whether nothing else happens in these pools.
    fn is_all_that_goes_on(&self) -> bool {
        self.pools.iter().all(|pool| pool.is_spent())
    }

    /// Goes on to the next moment at which something is to happen; false where there is none.
    fn go_on(&self) -> bool {
        let clocks = || self.pools.iter().filter_map(|pool| pool.queue.seeded());
        let nexts = clocks().filter_map(|seeded| seeded.timers().until_next());
        let Some(step) = nexts.chain(self.left()).min() else { return false };
        clocks().for_each(|seeded| seeded.timers().advance(step));
        true
    }
}

/// A wait, which pools know of.
struct Blocked {
    pool: Option<Arc<Shared>>,
    /// The pool whose worker this thread is, where it does the work of another one meanwhile.
    lender: Option<Arc<Shared>>,
    /// Those whose work it waits for from outside: in case they lose their workers.
    outside: Vec<Arc<Shared>>,
    wait: Arc<Wait>,
    /// Whether it is among those that could never end.
    is_endless: bool,
}

impl Blocked {
    fn begin(
        goal: &impl Goal,
        here: Option<Arc<Shared>>,
        outside: Vec<Arc<Shared>>,
        timed: bool,
        at: At,
    ) -> Blocked {
        let in_place = shares_in_place();
        let is_work = here.is_some() || !in_place.is_empty();
        let targets = if is_work { goal.targets() } else { None };
        let is_whole = targets.is_some();
        let mut targets = targets.unwrap_or_else(|| goal.roots());
        if goal.any() {
            let mut seen = HashSet::new();
            targets.retain(|target| seen.insert(target.address()));
        }
        let wait = Arc::new(Wait {
            parker: Parker::current(),
            row: Row::here(),
            stack: context::stack(),
            in_place,
            any: goal.any() && targets.len() > 1,
            is_whole,
            targets,
            line: goal.line(),
            reached: goal.test(),
            timed,
            at,
            failed: OnceLock::new(),
        });
        outside.iter().for_each(|pool| pool.threads().outside.push(wait.clone()));
        // First, so that a wait that can never end is told so rather than that threads are short.
        let is_endless = is_work && !timed;
        if is_endless {
            deadlock::enter(&wait);
        }
        let lender = here.as_ref().and_then(context::lender);
        let blocked = Blocked { pool: here, lender, outside, wait, is_endless };
        blocked.block();
        blocked
    }

    fn pools(&self) -> impl Iterator<Item = &Arc<Shared>> {
        self.pool.iter().chain(&self.lender)
    }

    fn block(&self) {
        self.pools().for_each(|pool| pool.block(&self.wait));
    }

    fn unblock(&self) {
        self.pools().for_each(|pool| pool.unblock(&self.wait));
    }
}

impl Drop for Blocked {
    fn drop(&mut self) {
        if self.is_endless {
            deadlock::leave(&self.wait);
        }
        self.unblock();
        for pool in &self.outside {
            remove(&mut pool.threads().outside, &self.wait);
        }
    }
}
