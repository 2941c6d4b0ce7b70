//! Looking at a pool while it works: `Pool::snapshot`.
//!
//! Each part is looked at by itself, under the lock that guards it for as long as it takes to copy it, or by the look at
//! the threads' frames that a stop uses, too (`core/frame.rs`). Nothing is taken out of the queues.

use std::time::{Duration, Instant};

use crate::core::{Header, TaskRef};
use crate::observe::{
    CallSite, LimitUse, PoolPhase, Root, Row, RowId, RunTime, Running, RunningCallback, Snapshot,
    Suspended, TaskKind, Waiting, Way, WayEnd, now,
};
use crate::pool::callbacks;
use crate::pool::handle::Pool;
use crate::pool::shared::{LastLook, Shared};
use crate::pool::threads::Wait;
use crate::sync::{Arc, lock};
use crate::terms::{IN_LINE, Permits, all_limits};

/// So many of a list are named.
const FEW: usize = 8;

impl Pool {
    /// What the pool is at: what runs, on which thread and from which call, callbacks as well; who waits for what; what is queued; who has
    /// permits of which limit, and who stands in line; and what the program itself has to set. It may be called
    /// at any time, from any thread, and holds nothing up.
    ///
    /// Printed it is what one wants to see of a program that seems stuck: at most a page, the most telling first.
    /// For how long something runs is known exactly where somebody looks on ([`PoolBuilder::watch`], for one);
    /// else a second snapshot tells what has run since the first. With `watch` there are counts by
    /// function, too, and which function waits for which.
    ///
    /// A thread that prints it where a program was silent for a while, or when a signal comes:
    ///
    /// ```
    /// use std::sync::{Arc, mpsc};
    /// use std::time::Duration;
    /// use asynckit::{AsyncResult, Pool};
    ///
    /// let pool = Arc::new(Pool::builder().workers(2).watch(true).build()?);
    /// // The program says that it goes on; a handler of SIGUSR1 (`signal-hook`) might have a channel as well.
    /// let (goes_on, news) = mpsc::channel::<()>();
    /// let its = pool.clone();
    /// let watchdog = std::thread::spawn(move || {
    ///     let mut said = Vec::new();
    ///     loop {
    ///         match news.recv_timeout(Duration::from_millis(50)) {
    ///             Ok(()) => {}
    ///             Err(mpsc::RecvTimeoutError::Timeout) => said.push(its.snapshot().to_string()),
    ///             Err(mpsc::RecvTimeoutError::Disconnected) => return said,
    ///         }
    ///     }
    /// });
    ///
    /// let page = AsyncResult::<String>::new(); // and nobody sets it
    /// let size = page.clone().map(|page| page.len()).spawn_on(&pool);
    /// assert!(!size.wait_timeout(Duration::from_millis(500)));
    /// drop(goes_on);
    /// let said = watchdog.join().unwrap();
    /// assert!(said[0].contains("nothing runs and nothing is queued: AsyncResult ("), "{}", said[0]);
    /// # drop(page);
    /// # Ok::<(), asynckit::BuildError>(())
    /// ```
    ///
    /// [`PoolBuilder::watch`]: crate::PoolBuilder::watch
    pub fn snapshot(&self) -> Snapshot {
        let pool = self.shared();
        let limits = all_limits();
        let (waits, counts) = pool.waits_now(&limits);
        let [workers, threads, asleep, blocking] = counts;
        let (running, callbacks) = pool.running_now();
        Snapshot {
            name: pool.config.thread_name.clone(),
            workers,
            threads,
            asleep,
            blocking,
            phase: match (pool.is_closed(), pool.is_stopping()) {
                (true, _) => PoolPhase::Stopped,
                (_, true) => PoolPhase::Stopping,
                _ => PoolPhase::Open,
            },
            running,
            callbacks,
            waits,
            queued: pool.queue.lengths(),
            limits: limits.iter().filter_map(|limit| pool.use_of(limit)).collect(),
            roots: pool.roots_now(),
            suspended: pool.suspended_now(&limits),
            functions: pool.watch.as_ref().map(|watch| watch.functions()).unwrap_or_default(),
        }
    }
}

fn call_of(task: &Header) -> CallSite {
    task.hop.into()
}

impl Shared {
    /// What its threads are at, and which callbacks run.
    fn running_now(&self) -> (Vec<Running>, Vec<RunningCallback>) {
        let waiting: Vec<Arc<Wait>> = self.threads().waits.clone();
        let mut runs = self.stacks.runs();
        // A thread that works for the pool in more than one way is listed as often.
        let mut rows = Vec::new();
        runs.retain(|(row, _)| {
            let is_new = !rows.contains(&row.id());
            rows.push(row.id());
            is_new
        });
        runs.sort_by_key(|(row, _)| row.id());
        let before = std::mem::take(&mut *lock(&self.looked_at));
        let mut seen = LastLook::default();
        let tasks = self.tasks_now(runs, &waiting, (&before, &mut seen));
        let callbacks = self.callbacks_now(&rows, &waiting, (&before, &mut seen));
        let older = std::mem::replace(&mut *lock(&self.looked_at), seen);
        drop((older, before));
        // Whoever ends the pool may have let go of that before.
        if self.is_over() {
            self.forget_looks();
        }
        (tasks, callbacks)
    }

    fn tasks_now(
        &self,
        runs: Vec<(Row, Vec<TaskRef>)>,
        waiting: &[Arc<Wait>],
        (before, seen): (&LastLook, &mut LastLook),
    ) -> Vec<Running> {
        let waits =
            |task: &TaskRef| waiting.iter().any(|wait| wait.stack.iter().any(|own| own.is(task)));
        let mut running = Vec::new();
        for (row, tasks) in runs {
            for task in tasks.into_iter().filter(|task| self.has(task)) {
                // What goes on again and again is another run each time.
                let runs_once = matches!(task.shown_as(), TaskKind::Call);
                let known = since(&before.tasks, |one| one.is(&task) && runs_once);
                let begun = task.record().and_then(|watched| watched.since());
                running.push(Running {
                    call: call_of(&task),
                    row: row.clone(),
                    time: self.time_of_run(begun, known),
                    waits: waits(&task),
                    // Its own value is there a moment before it is over.
                    is_settled: task.has_failed(),
                });
                seen.tasks.push((task, known.unwrap_or_else(Instant::now)));
            }
        }
        running
    }

    /// The callbacks of its results, and those on its threads.
    fn callbacks_now(
        &self,
        own: &[RowId],
        waiting: &[Arc<Wait>],
        (before, seen): (&LastLook, &mut LastLook),
    ) -> Vec<RunningCallback> {
        let its = Some(self.onlookers.pool());
        let mut running = Vec::new();
        for (row, call) in callbacks::under_way() {
            if call.pool != its && !own.contains(&row.id()) {
                continue;
            }
            let known = since(&before.callbacks, |id| *id == call.id);
            // Another pool may have another clock.
            let begun = call.since.filter(|_| call.pool == its);
            running.push(RunningCallback {
                at: call.at,
                result: call.of.into(),
                time: self.time_of_run(begun, known),
                waits: waiting.iter().any(|wait| wait.row.id() == row.id()),
                row,
            });
            seen.callbacks.push((call.id, known.unwrap_or_else(Instant::now)));
        }
        running.sort_by_key(|one| one.row.id());
        running
    }

    /// For how long something has run, by when it began, and by when it was seen first.
    fn time_of_run(&self, begun: Option<Duration>, known: Option<Instant>) -> RunTime {
        match (begun, known) {
            (Some(begun), _) => RunTime::Exactly(self.time_now().saturating_sub(begun)),
            (None, Some(since)) => RunTime::AtLeast(since.elapsed()),
            (None, None) => RunTime::Unknown,
        }
    }

    /// The time of its events.
    fn time_now(&self) -> Duration {
        self.queue.seeded().map_or_else(now, |seeded| seeded.now())
    }

    /// Who waits; and how many threads are wanted, there, asleep, and in `blocking`.
    fn waits_now(&self, limits: &[Arc<Permits>]) -> (Vec<Waiting>, [usize; 4]) {
        let threads = self.threads();
        let counts = [threads.wanted, threads.alive, threads.sleepers.len(), threads.blocking];
        let (inside, outside) = (threads.waits.clone(), threads.outside.clone());
        drop(threads);
        let shown = |wait: &Arc<Wait>, call: Option<&TaskRef>| Waiting {
            row: wait.row.clone(),
            call: call.map(|task| call_of(task)),
            at: wait.at,
            on: wait.targets.iter().take(FEW).map(|task| way_from(task, limits)).collect(),
            of: wait.targets.len(),
            any: wait.any,
            timed: wait.timed,
            line: wait.line.as_ref().map(|line| line.facts().made_at),
        };
        let outside = outside.iter().map(|wait| shown(wait, None));
        let inside = inside.iter().map(|wait| shown(wait, wait.stack.last()));
        (outside.chain(inside).collect(), counts)
    }

    /// What its work has to do with a limit, if anything.
    fn use_of(&self, limit: &Permits) -> Option<LimitUse> {
        let (holders, line, taken) = limit.look();
        let is_ours = |task: &TaskRef| self.has(task);
        if !holders.iter().any(is_ours) && !line.iter().any(is_ours) {
            return None;
        }
        let facts = limit.facts();
        Some(LimitUse {
            limit: facts.id,
            most: facts.most,
            every: facts.every,
            made_at: facts.made_at,
            taken,
            holders: holders.iter().map(|task| call_of(task)).collect(),
            line: line.iter().take(FEW).map(|task| call_of(task)).collect(),
            in_line: limit.waiting(),
        })
    }

    /// What its tasks wait for that is not its own.
    fn roots_now(&self) -> Vec<Root> {
        let (roots, _) = self.known_now();
        let roots = roots.into_iter().filter(|root| !root.is_set()).filter_map(|root| {
            let mut dependents = root.dependents();
            dependents.retain(|task| self.has(task));
            (!dependents.is_empty()).then(|| Root {
                call: call_of(&root),
                by_hand: root.is_by_hand(),
                dependents: dependents.iter().take(FEW).map(|task| call_of(task)).collect(),
                waiting: dependents.len(),
            })
        });
        let mut roots: Vec<Root> = roots.collect();
        roots.sort_by_key(|root| (!root.by_hand, std::cmp::Reverse(root.waiting)));
        roots
    }

    /// Its tasks that are pending.
    fn suspended_now(&self, limits: &[Arc<Permits>]) -> Vec<Suspended> {
        let (_, sleepers) = self.known_now();
        let sleepers = sleepers.into_iter().filter(|task| task.is_suspended() && !task.is_set());
        let suspended = sleepers.map(|task| {
            let (awaited, line) = (task.awaited().unwrap_or_default(), line_of(&task, limits));
            Suspended {
                call: call_of(&task),
                on: awaited.first().map(|one| way_from(one, limits)),
                in_line: line.is_some(),
                by_rate: line.is_some_and(|line| line.is_timed()),
            }
        });
        let mut suspended: Vec<_> = suspended.collect();
        // What stands in a line is shown with its limit, too.
        suspended.sort_by_key(|one| one.in_line);
        suspended
    }
}

/// Since when one of these was seen.
fn since<K>(seen: &[(K, Instant)], is: impl Fn(&K) -> bool) -> Option<Instant> {
    seen.iter().find(|(one, _)| is(one)).map(|(_, since)| *since)
}

/// The line that a task stands in.
fn line_of<'l>(task: &TaskRef, limits: &'l [Arc<Permits>]) -> Option<&'l Arc<Permits>> {
    let stands = |limit: &&Arc<Permits>| limit.has_in_line(task);
    if IN_LINE.any() { limits.iter().find(stands) } else { None }
}

/// What a result waits for, step by step.
fn way_from(first: &TaskRef, limits: &[Arc<Permits>]) -> Way {
    let (mut calls, mut task) = (Vec::new(), first.clone());
    loop {
        calls.push(call_of(&task));
        match step_from(&task, limits) {
            Ok(next) if calls.len() < FEW => task = next,
            Ok(_) => return Way { calls, end: WayEnd::Waits },
            Err(end) => return Way { calls, end },
        }
    }
}

/// What a result waits for; or what it is at, where that is nothing of the kind.
fn step_from(task: &TaskRef, limits: &[Arc<Permits>]) -> Result<TaskRef, WayEnd> {
    let line = line_of(task, limits).map(|line| line.is_timed());
    let ends = [
        (task.is_set(), WayEnd::Set),
        (task.is_by_hand(), WayEnd::ByHand),
        (task.is_claimed(), WayEnd::Runs),
        (task.is_ready(), WayEnd::Queued),
        (line == Some(true), WayEnd::InLineOfRate),
        (line == Some(false), WayEnd::InLine),
    ];
    if let Some((_, end)) = ends.into_iter().find(|(is_so, _)| *is_so) {
        return Err(end);
    }
    let mut missing = None;
    task.each_missing(|one| {
        missing.get_or_insert(one);
    });
    missing.or_else(|| task.awaited()?.into_iter().next()).ok_or(WayEnd::Asleep)
}
