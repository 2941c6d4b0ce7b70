//! What measures limited work: from when it begins, or at once. When time is over, its task fails.
//!
//! The stopwatch of a run goes with the place of the work (`Place::with_stopwatch`), and the first of
//! that place's tasks that runs begins it. One that waits for inputs, for a worker or in the line of a
//! limit does not run. Work that is run in place has no place: there the stopwatches are in a list of
//! the thread.

use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use crate::core::{Header, TaskRef, depth, each_frame};
use crate::error::Error;
use crate::sync::{Arc, Deadline, Mutex, lock};
use crate::terms::nested::{Nested, enter};
use crate::terms::timers::{TimerKey, Timers};

/// Measures the time of one task.
pub(crate) struct Stopwatch {
    limit: Duration,
    timers: Arc<Timers>,
    state: Mutex<StopwatchState>,
    /// That of the work around.
    around: Option<Arc<Stopwatch>>,
}

/// With the task that fails when the time is over: let go of at its end, as it has the stopwatch.
enum StopwatchState {
    Waits(TaskRef),
    Runs {
        task: TaskRef,
        key: TimerKey,
        /// When the time is over, by the timers' clock.
        end: Duration,
        /// The address of the task that has begun it.
        by: usize,
    },
    Stopped,
}

fn address(task: &Header) -> usize {
    std::ptr::from_ref(task).addr()
}

impl Stopwatch {
    pub(crate) fn new(
        limit: Duration,
        task: TaskRef,
        timers: Arc<Timers>,
        around: Option<Arc<Stopwatch>>,
    ) -> Arc<Stopwatch> {
        Arc::new(Stopwatch {
            limit,
            timers,
            state: Mutex::new(StopwatchState::Waits(task)),
            around,
        })
    }

    fn each(&self) -> impl Iterator<Item = &Stopwatch> {
        std::iter::successors(Some(self), |watch| watch.around.as_deref())
    }

    /// A task of its place runs: the time counts, if it did not before.
    pub(crate) fn begin(&self, by: &Header) {
        self.each().for_each(|watch| watch.begin_one(address(by)));
    }

    /// It counts from now on, whether anything runs or not.
    pub(crate) fn begin_alone(&self, by: &Header) {
        self.begin_one(address(by));
    }

    fn begin_one(&self, by: usize) {
        let mut state = lock(&self.state);
        let StopwatchState::Waits(task) = &*state else { return };
        let (task, late, limit) = (task.clone(), task.clone(), self.limit);
        let give_up = move || {
            if !late.is_set() {
                late.give_up(Error::timed_out(late.hop, limit));
            }
        };
        let key = self.timers.after(limit, Box::new(give_up.clone()));
        let end = self.timers.now().saturating_add(limit);
        *state = StopwatchState::Runs { task, key, end, by };
        drop(state);
        if limit.is_zero() {
            // By any clock it is over, also by one that stands still while there is work to run.
            give_up();
        }
    }

    /// This task has only waited for the turn of other work, whose run is the one that counts.
    pub(crate) fn begin_anew(&self, by: &Header) {
        for watch in self.each() {
            let mut state = lock(&watch.state);
            if let StopwatchState::Runs { task, key, by: begun_by, .. } = &*state
                && *begun_by == address(by)
            {
                watch.timers.cancel(*key);
                *state = StopwatchState::Waits(task.clone());
            }
        }
    }

    /// The work is over.
    pub(crate) fn stop(&self) {
        let state = std::mem::replace(&mut *lock(&self.state), StopwatchState::Stopped);
        if let StopwatchState::Runs { key, .. } = &state {
            self.timers.cancel(*key);
        }
    }

    /// Whether it will end this task by itself.
    pub(crate) fn runs_for(&self, other: &TaskRef) -> bool {
        self.each()
            .any(|watch| matches!(&*lock(&watch.state), StopwatchState::Runs { task, .. } if task.is(other)))
    }

    /// When its time is over; `None` while it does not count.
    fn end(&self) -> Option<Duration> {
        match &*lock(&self.state) {
            StopwatchState::Runs { end, .. } => Some(*end),
            _ => None,
        }
    }

    /// How much time is left.
    fn left(&self) -> Option<Duration> {
        self.end().map(|end| end.saturating_sub(self.timers.now()))
    }

    /// When the time of this one or of one around it is over, as far as it counts by now, by the system's clock.
    pub(crate) fn due(&self) -> Option<Instant> {
        self.each().filter_map(|watch| watch.timers.instant(watch.end()?)).min()
    }

    pub(crate) fn is_over(&self) -> bool {
        self.left().is_some_and(|left| left.is_zero())
    }

    /// Whether its moment is past, also where nobody has noticed.
    pub(crate) fn is_past(&self) -> bool {
        self.end().is_some_and(|end| end < self.timers.now())
    }
}

crate::sync::local! {
    /// The stopwatches of work that this thread runs in place, each with the number of the frame that it is for.
    static IN_PLACE: Nested<(usize, Arc<Stopwatch>)> = const { Nested::nothing() };
}

/// Runs `f` in place as the work that is measured.
pub(crate) fn measured<R>(watch: &Arc<Stopwatch>, f: impl FnOnce() -> R) -> R {
    let _entered = enter(&IN_PLACE, (depth(), watch.clone()));
    f()
}

/// The stopwatches of the work that this thread is doing, as far as that is one piece in place: not
/// those of a thread that waits, and does other work meanwhile.
fn in_place() -> Vec<Arc<Stopwatch>> {
    if IN_PLACE.with(Nested::is_empty) {
        return Vec::new();
    }
    let mut parts = 0;
    let _: Option<()> = each_frame(|frame| {
        if !frame.in_place() {
            return ControlFlow::Break(());
        }
        parts += 1;
        ControlFlow::Continue(())
    });
    let below = depth() - parts;
    let all = IN_PLACE.with(Nested::all).into_iter();
    all.filter(|(frame, _)| *frame > below).map(|(_, watch)| watch).collect()
}

/// Work that is run in place begins; `task`: unless it is a mere closure.
pub(crate) fn begin_in_place(task: Option<&Header>) {
    in_place().iter().for_each(|watch| watch.begin_one(task.map_or(0, address)));
}

/// As [`Stopwatch::begin_anew`].
pub(crate) fn begin_anew_in_place(by: &Header) {
    in_place().iter().for_each(|watch| watch.begin_anew(by));
}

/// How much time is left for what this thread runs in place, where that is limited.
pub(crate) fn left_in_place() -> Option<Duration> {
    in_place().iter().filter_map(|watch| watch.left()).min()
}

/// When it is over.
pub(crate) fn end_in_place() -> Option<Deadline> {
    left_in_place().map(Deadline::after)
}
