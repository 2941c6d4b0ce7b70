//! Where tasks are queued and run, and what a worker runs next.

use crate::core::{CellPtr, Claimed, Entry, FewToHomes, Schedule, ToHomes};
use crate::pool::local::{Local, with_local};
use crate::pool::next::{AT_ONCE, Next, STREAK};
use crate::pool::place::{Inside, Part};
use crate::pool::queue::until_done;
use crate::pool::seeded;
use crate::pool::shared::Shared;
use crate::sync::weakened;
use crate::terms::Priority;

/// How often it looks at what came from outside, and at the oldest of its own.
pub(super) const TURN: u32 = 61;
/// With more tasks than this on its deque a worker does not look there for the one that it waits for.
const MANY: usize = 64;

impl Local {
    /// Runs what an entry stands for, unless somebody else has, and then what that made ready.
    #[inline]
    pub(super) fn run(&self, entry: Entry) {
        let Some(mut task) = entry.claim() else { return };
        let mut next = Next::new(self, 0);
        loop {
            next.row += 1;
            next.room = AT_ONCE;
            run_claimed(&self.shared, task, &mut next);
            match next.task.take() {
                Some(then) => task = then,
                None => break,
            }
        }
        debug_assert!(next.left == 0, "something is left to do for what became ready");
        if next.row == STREAK {
            // What came of it is the newest here: others have their turn first.
            self.until_turn.set(1);
        }
    }

    /// The next task: its own newest, then what came from outside, then somebody else's oldest. Now and
    /// then the other way round, so that nothing waits for ever behind tasks that submit themselves again.
    #[inline(always)]
    pub(super) fn find(&self) -> Option<Entry> {
        if self.is_turn()
            && let Some(entry) = self.take_in_turn().or_else(|| self.take_oldest())
        {
            return Some(entry);
        }
        if let Some(entry) = self.deque.pop() {
            return Some(entry);
        }
        if let Some(entry) = self.taken.pop() {
            return Some(entry);
        }
        self.find_elsewhere()
    }

    /// Whether it looks elsewhere first, this time.
    #[inline]
    fn is_turn(&self) -> bool {
        let left = self.until_turn.get() - 1;
        self.until_turn.set(left);
        left == 0 && self.begins_turns()
    }

    #[cold]
    #[inline(never)]
    fn begins_turns(&self) -> bool {
        self.until_turn.set(TURN);
        self.gives_way.set(self.shared.is_hosted());
        true
    }

    /// As `find`, where it has nothing itself.
    #[inline(never)]
    fn find_elsewhere(&self) -> Option<Entry> {
        if let Some(entry) = self.take_more() {
            return Some(entry);
        }
        if let Some(entry) = self.shared.queue.steal_many(self.id, &self.taken) {
            self.tell_of_taken();
            return Some(entry);
        }
        while let Some(rest) = self.shared.queue.take_rest() {
            // It may call foreign code.
            self.ends_search();
            let mut next = Next::new(self, STREAK);
            rest.visit(&mut next);
            if let Some(entry) = self.deque.pop() {
                return Some(entry);
            }
        }
        self.find_last()
    }

    /// What came from outside: what another worker has taken of it, where nobody else would run that; then the oldest that
    /// nobody has.
    fn take_more(&self) -> Option<Entry> {
        // Those who are blocked won't run what they have taken, and nobody is to overtake that.
        if self.shared.attention.has_blocked()
            && let Some(entry) = self.shared.queue.steal_taken(self.id)
        {
            return Some(entry);
        }
        let entry = self.shared.queue.take_many_injected(&self.taken)?;
        self.tell_of_taken();
        Some(entry)
    }

    /// What came from outside, and what a worker has taken of that first: if what that runs takes long, this is not to
    /// wait behind all that comes after it.
    #[cold]
    #[inline(never)]
    fn take_in_turn(&self) -> Option<Entry> {
        let stolen = self.shared.queue.steal_taken(self.id);
        stolen.or_else(|| self.taken.pop()).or_else(|| self.take_more())
    }

    /// Who looked for work while these were on their way here has not seen them.
    fn tell_of_taken(&self) {
        if !self.taken.is_empty() && !weakened("on its way") {
            self.shared.notify();
        }
    }

    /// Where there is nothing of the usual priority. (In a function of its own, which the others need not make room
    /// for.)
    #[cold]
    #[inline(never)]
    fn find_last(&self) -> Option<Entry> {
        [Priority::High, Priority::Low].into_iter().find_map(|rank| self.shared.take_ranked(rank))
    }

    /// The next task where work of several priorities is queued: in turns, so that none of it waits for ever.
    pub(super) fn find_by_priority(&self) -> Option<Entry> {
        self.shared.queue.order().into_iter().find_map(|priority| match priority {
            Priority::Normal => self.find_normal(),
            ranked => self.shared.take_ranked(ranked),
        })
    }

    /// As `find`. (That is a part of its one caller.)
    fn find_normal(&self) -> Option<Entry> {
        if self.is_turn() {
            let taken =
                self.shared.queue.steal_taken(self.id).or_else(|| self.shared.take_normal());
            return taken.or_else(|| self.deque.pop());
        }
        self.take_own().or_else(|| self.shared.take_normal())
    }

    fn take_oldest(&self) -> Option<Entry> {
        until_done(|| self.oldest.steal())
    }

    /// Whatever it has, the newest first.
    fn take_own(&self) -> Option<Entry> {
        self.deque.pop().or_else(|| self.taken.pop())
    }

    /// Takes the entry of a task off this worker's deque, if it is among the two newest there: work that
    /// submits two pieces of work waits for the older one first.
    #[inline]
    pub(crate) fn take_newest(&self, task: CellPtr) -> Option<Entry> {
        // Whoever submits so much will hardly wait for the newest first.
        if self.deque.len() > MANY {
            return None;
        }
        let newest = self.pop_fresh(task)?;
        if newest.is_of(task) {
            return Some(newest);
        }
        let mut found = self.pop_fresh(task);
        if let Some(other) = found.take_if(|entry| !entry.is_of(task)) {
            self.deque.push(other);
        }
        self.deque.push(newest);
        // Who was woken for these may have looked in between.
        if !weakened("put back") {
            self.shared.notify();
        }
        found
    }

    /// Takes the newest entry whose task is still to be run. What was left there by tasks that have been run
    /// without it goes on the way.
    #[inline]
    fn pop_fresh(&self, task: CellPtr) -> Option<Entry> {
        loop {
            let entry = self.deque.pop()?;
            if entry.is_of(task) || !entry.header().is_claimed() {
                return Some(entry);
            }
            drop_stale(entry);
        }
    }

    /// Before this thread leaves: all that it has is for others.
    pub(super) fn give_up_all(&self) {
        while let Some(entry) = self.take_own() {
            self.shared.queue.inject(entry);
            self.shared.notify();
        }
    }

    /// Runs a task of this worker's pool for which it waits; what that makes ready is left to others.
    #[inline]
    pub(crate) fn execute(&self, task: Claimed) {
        run_claimed(&self.shared, task, &mut ToHomes);
    }
}

/// Ends the entry of a task that has been run without it.
#[cold]
#[inline(never)]
fn drop_stale(entry: Entry) {
    let claimed = entry.claim();
    debug_assert!(claimed.is_none(), "a task was claimed twice");
}

/// Queues a task that is ready, on whatever thread this is.
#[inline(never)]
pub(crate) fn schedule(pool: &Shared, entry: Entry) {
    with_local(|local| match local {
        Some(local) if local.shared.is(pool) => {
            local.deque.push(entry);
            follow_up(pool);
        }
        _ => inject(pool, entry),
    });
}

/// Queues a task of a part of a pool.
pub(crate) fn schedule_in(part: &Part, entry: Entry) {
    match part.priority() {
        Priority::Normal => schedule(part.pool(), entry),
        priority => put_ranked(part.pool(), entry, priority),
    }
}

/// Queues a task that has another than the usual priority: where all workers look.
pub(crate) fn put_ranked(pool: &Shared, entry: Entry, priority: Priority) {
    pool.queue.put_ranked(entry, priority);
    pool.attention.set_ranked(pool.queue.has_ranked());
    follow_up(pool);
}

/// Queues a task from outside.
pub(crate) fn inject(pool: &Shared, entry: Entry) {
    pool.queue.inject(entry);
    follow_up(pool);
}

/// What there is to do for a task that was queued: to call somebody for it, and to fail it where the pool is closed.
#[inline]
fn follow_up(pool: &Shared) {
    /// In one, so that nothing comes after it.
    #[cold]
    #[inline(never)]
    fn call_and_fail(pool: &Shared) {
        pool.call_somebody();
        fail_late(pool);
    }
    if pool.attention.has_callable() || pool.is_closed() {
        call_and_fail(pool);
    }
}

/// The submitter's half of "the late submission": see `phase.rs`.
#[inline]
fn fail_late(pool: &Shared) {
    if pool.is_closed() && !weakened("late submission") {
        fail_queued(pool);
    }
}

#[cold]
#[inline(never)]
fn fail_queued(pool: &Shared) {
    pool.fail_queued();
    with_local(|local| {
        if let Some(local) = local
            && local.shared.is(pool)
        {
            while let Some(entry) = local.take_own() {
                stop_entry(pool, entry);
            }
        }
    });
}

/// Fails a task whose pool is closed, unless somebody has begun it.
pub(crate) fn stop_entry(pool: &Shared, entry: Entry) {
    if let Some(task) = entry.claim() {
        stop_task(pool, task);
    }
}

#[cold]
fn stop_task(pool: &Shared, task: Claimed) {
    let error = pool.not_begun(task.header().hop);
    task.fail(error);
}

/// Runs a claimed task of this pool; where that is closed it fails.
#[inline(always)]
pub(crate) fn run_claimed(pool: &Shared, task: Claimed, to: &mut impl Schedule) {
    if task.header().has_news() || !pool.phase.runs_plainly() {
        return run_special(pool, task, to);
    }
    pool.run_plain(task, to);
}

/// As `run_claimed`, of a task that is hooked or seen, or in a pool that sees to each of its tasks, or is closed.
#[cold]
#[inline(never)]
fn run_special(pool: &Shared, task: Claimed, to: &mut impl Schedule) {
    if pool.phase.runs_plainly() && !task.header().is_hooked() {
        return pool.run(task, to);
    }
    if pool.is_closed() {
        return stop_task(pool, task);
    }
    let Some(part) = task.header().hooked_home::<Inside>().map(|part| part.arc()) else {
        return seeded::run(pool, task, to);
    };
    part.begun();
    if let Some(error) = part.refusal(task.header().hop) {
        return task.fail(error);
    }
    part.begin(task.header());
    seeded::run(pool, task, to);
}

/// Runs what an entry stands for, for a thread that has no deque here.
pub(crate) fn execute(pool: &Shared, entry: Entry) {
    if pool.is_closed() {
        return stop_entry(pool, entry);
    }
    if let Some(task) = entry.claim() {
        execute_here(pool, task);
    }
}

/// Runs a task that this thread waits for; what it makes ready is left to others.
pub(crate) fn execute_here(pool: &Shared, task: Claimed) {
    with_local(|local| match local {
        Some(local) if local.shared.is(pool) => local.execute(task),
        _ => pool.stacks.with_this(|| run_claimed(pool, task, &mut FewToHomes::new())),
    });
}
