//! What is known of a run: its tasks in the order of their submission, and what happened to them.
//!
//! All times are nanoseconds since the recording began. A task's number is its place in `tasks`.
//!
//! Of one thing, times are in order: nothing ends before it begins, and a task is submitted, ready, started and ended in this
//! order. Of two things they need not be, where they were on two threads: their clocks differ by some 100 ns.

use std::ops::Range;

use crate::words::pace;

/// How a task ended, or how far it came. The page knows these by their number.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub(crate) enum State {
    Done = 0,
    Failed = 1,
    Panicked = 2,
    /// An input failed.
    Skipped = 3,
    Cancelled = 4,
    TimedOut = 5,
    /// Never begun, as its pool was stopped.
    Stopped = 6,
    /// Not over when the recording ended.
    Running = 7,
}

impl State {
    /// A failure of its own, not that of an input.
    pub(crate) fn is_failure(self) -> bool {
        matches!(self, State::Failed | State::Panicked | State::TimedOut)
    }

    pub(crate) fn word(self) -> &'static str {
        match self {
            State::Done => "done",
            State::Failed => "failed",
            State::Panicked => "panicked",
            State::Skipped => "skipped",
            State::Cancelled => "cancelled",
            State::TimedOut => "timed out",
            State::Stopped => "stopped",
            State::Running => "still running",
        }
    }
}

/// Whether a store had the value of a call.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Kept {
    /// It was there, and had taken so long.
    There(u64),
    /// It was not, and was computed.
    Not,
}

/// How many values a store had.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub(crate) struct Stored {
    /// Calls that it was asked about.
    pub(crate) asked: u64,
    /// Those whose values were there.
    pub(crate) kept: u64,
    /// How long these had taken.
    pub(crate) saved: u64,
}

impl Stored {
    pub(crate) fn add(&mut self, kept: Kept) {
        self.asked += 1;
        if let Kept::There(took) = kept {
            self.kept += 1;
            self.saved += took;
        }
    }
}

/// One task.
#[derive(Clone, Debug)]
pub(crate) struct Task {
    pub(crate) function: u32,
    pub(crate) site: u32,
    pub(crate) state: State,
    /// The thread that began it; none if it never ran.
    pub(crate) row: Option<u32>,
    pub(crate) submitted: u64,
    /// When all inputs were there, or when it was known that it would never run.
    pub(crate) ready: u64,
    pub(crate) start: u64,
    pub(crate) end: u64,
    /// What a store had of it, if one was asked.
    pub(crate) kept: Option<Kept>,
    /// The task that submitted it, from inside.
    pub(crate) parent: Option<u32>,
    /// Its part of `Model::inputs`.
    pub(crate) inputs: Range<u32>,
}

/// A thread that ran tasks.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    pub(crate) name: String,
    pub(crate) start: u64,
    pub(crate) stop: u64,
    /// A thread that came to help, such as one that waits: what it does not do for the pool is no idle time.
    pub(crate) helps: bool,
}

/// So many at once; or, of a rate, one more in each such time, and so many at once after a rest.
#[derive(Clone, Debug)]
pub(crate) struct Limit {
    pub(crate) name: String,
    pub(crate) most: u64,
    pub(crate) every: Option<u64>,
    pub(crate) site: String,
}

impl Limit {
    /// `2 at once`, `20 per second`
    pub(crate) fn bound(&self) -> String {
        match self.every {
            Some(every) => pace(every),
            None => format!("{} at once", self.most),
        }
    }

    pub(crate) fn word(&self) -> &'static str {
        if self.every.is_some() { "rate" } else { "limit" }
    }
}

/// A task stood in the line of a limit: before it began, before a later try, or to go on after a wait.
#[derive(Clone, Debug)]
pub(crate) struct Hold {
    pub(crate) task: u32,
    pub(crate) limit: u32,
    pub(crate) start: u64,
    pub(crate) end: u64,
}

/// A task had so many permits of a limit. Turns of a rate are used up as soon as they are had.
#[derive(Clone, Debug)]
pub(crate) struct Permit {
    pub(crate) limit: u32,
    pub(crate) start: u64,
    pub(crate) end: u64,
    pub(crate) weight: u64,
}

/// One stretch of a task that was suspended in between.
#[derive(Clone, Debug)]
pub(crate) struct Piece {
    pub(crate) task: u32,
    pub(crate) row: u32,
    pub(crate) start: u64,
    pub(crate) end: u64,
    /// The task whose end let it go on after this.
    pub(crate) on: Option<u32>,
}

/// A running task blocked for a result.
#[derive(Clone, Debug)]
pub(crate) struct Wait {
    pub(crate) task: u32,
    pub(crate) start: u64,
    pub(crate) end: u64,
    /// The task whose end ended it.
    pub(crate) on: Option<u32>,
}

/// A callback of a result: code of the program that is no task.
#[derive(Clone, Debug)]
pub(crate) struct Callback {
    pub(crate) row: u32,
    pub(crate) start: u64,
    pub(crate) end: u64,
    /// The place where it was registered.
    pub(crate) site: u32,
    /// The task whose result it waited for.
    pub(crate) on: Option<u32>,
}

/// A moment of a task that somebody found worth a word.
#[derive(Clone, Debug)]
pub(crate) struct Note {
    pub(crate) task: u32,
    pub(crate) at: u64,
    pub(crate) text: String,
}

/// Where a failure began, and all that it skipped.
#[derive(Clone, Debug)]
pub(crate) struct Failure {
    pub(crate) task: u32,
    pub(crate) kind: String,
    pub(crate) message: String,
    pub(crate) skipped: Vec<u32>,
}

/// Tasks beyond the recording's limit, of which only this is known.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Beyond {
    pub(crate) function: u32,
    pub(crate) count: u64,
    pub(crate) failed: u64,
    pub(crate) total: u64,
}

/// A whole run.
#[derive(Clone, Debug, Default)]
pub(crate) struct Model {
    pub(crate) name: String,
    pub(crate) command: String,
    pub(crate) recorded: String,
    pub(crate) end: u64,
    pub(crate) rows: Vec<Row>,
    /// Workers that nothing was ever left for, so that they never began.
    pub(crate) unneeded: usize,
    pub(crate) functions: Vec<String>,
    pub(crate) sites: Vec<String>,
    pub(crate) limits: Vec<Limit>,
    pub(crate) tasks: Vec<Task>,
    pub(crate) inputs: Vec<u32>,
    /// By task, then by time. Of each task here, all stretches.
    pub(crate) pieces: Vec<Piece>,
    /// By task, then by time.
    pub(crate) waits: Vec<Wait>,
    /// By task, then by time. Those of one task lie one after the other.
    pub(crate) holds: Vec<Hold>,
    /// By the time when they were had.
    pub(crate) permits: Vec<Permit>,
    /// By the time when they began.
    pub(crate) callbacks: Vec<Callback>,
    /// By task, then by time.
    pub(crate) notes: Vec<Note>,
    /// Of all tasks, also those beyond the recording's limit.
    pub(crate) stored: Stored,
    pub(crate) failures: Vec<Failure>,
    pub(crate) beyond: Vec<Beyond>,
}

impl Model {
    /// Threads whose idle time counts.
    pub(crate) fn workers(&self) -> usize {
        self.rows.iter().filter(|row| !row.helps).count() + self.unneeded
    }

    pub(crate) fn inputs(&self, task: u32) -> &[u32] {
        let range = &self.task(task).inputs;
        &self.inputs[range.start as usize..range.end as usize]
    }

    pub(crate) fn task(&self, task: u32) -> &Task {
        &self.tasks[task as usize]
    }

    pub(crate) fn function(&self, task: u32) -> &str {
        &self.functions[self.task(task).function as usize]
    }

    /// `resize #12`
    pub(crate) fn label(&self, task: u32) -> String {
        format!("{} #{task}", self.function(task))
    }

    /// The numbers of all tasks.
    pub(crate) fn numbers(&self) -> Range<u32> {
        0..u32::try_from(self.tasks.len()).unwrap_or(u32::MAX)
    }

    pub(crate) fn waits(&self, task: u32) -> &[Wait] {
        &self.waits[self.wait_range(task)]
    }

    pub(crate) fn wait_range(&self, task: u32) -> Range<usize> {
        part(&self.waits, task, |wait| wait.task)
    }

    /// The stretches of a task that was suspended; none of one that was not.
    pub(crate) fn pieces(&self, task: u32) -> &[Piece] {
        &self.pieces[self.piece_range(task)]
    }

    pub(crate) fn piece_range(&self, task: u32) -> Range<usize> {
        part(&self.pieces, task, |piece| piece.task)
    }

    pub(crate) fn holds(&self, task: u32) -> &[Hold] {
        &self.holds[part(&self.holds, task, |hold| hold.task)]
    }

    /// How long limits held a task from one moment to another.
    pub(crate) fn held_between(&self, task: u32, from: u64, to: u64) -> u64 {
        self.held_in(task, from, to).map(|(_, long)| long).sum()
    }

    /// Likewise, by which of them, one after the other.
    pub(crate) fn held_in(
        &self,
        task: u32,
        from: u64,
        to: u64,
    ) -> impl Iterator<Item = (u32, u64)> {
        let holds = self.holds(task);
        let first = holds.partition_point(|hold| hold.end <= from);
        let within = holds[first..].iter().take_while(move |hold| hold.start < to);
        within.map(move |hold| (hold.limit, hold.end.min(to) - hold.start.max(from)))
    }

    /// How long limits held a task back before it began.
    pub(crate) fn held(&self, task: u32) -> u64 {
        self.held_between(task, self.task(task).ready, self.task(task).start)
    }

    /// The times in which a task was ready and no limit held it, before it began.
    pub(crate) fn queued(&self, task: u32) -> impl Iterator<Item = Range<u64>> {
        let Task { ready, start, .. } = *self.task(task);
        let holds = self.holds(task).iter().filter(move |hold| hold.start < start);
        let held = holds.map(|hold| hold.start..hold.end).chain(std::iter::once(start..start));
        let mut free = ready;
        held.filter_map(move |held| {
            let before = free..held.start.min(start);
            free = free.max(held.end);
            (before.start < before.end).then_some(before)
        })
    }

    pub(crate) fn notes(&self, task: u32) -> &[Note] {
        &self.notes[part(&self.notes, task, |note| note.task)]
    }

    /// Whether an input is why a task never ran. One that was merely not over yet is not.
    pub(crate) fn is_skipped_for(&self, task: u32, input: u32) -> bool {
        let handed_on = self.task(input).state;
        self.task(task).state == State::Skipped
            && (handed_on.is_failure() || handed_on == State::Skipped)
    }

    /// The input that came last.
    pub(crate) fn last_input(&self, task: u32) -> Option<u32> {
        // The first of equals, as `max_by_key` would take the last.
        let inputs = self.inputs(task).iter().copied();
        inputs.reduce(|a, b| if self.task(b).end > self.task(a).end { b } else { a })
    }
}

/// The entries of a task in a list that is sorted by task.
fn part<T>(all: &[T], task: u32, of: impl Fn(&T) -> u32) -> Range<usize> {
    let from = all.partition_point(|x| of(x) < task);
    from..from + all[from..].partition_point(|x| of(x) == task)
}
