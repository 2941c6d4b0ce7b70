//! The critical path as it ran: back from the last end, each time to what was waited for last.
//!
//! A task starts when its last input is there, so the way goes on at that; or, without inputs, at the
//! moment at which another task submitted it. Where a task waited inside, for a result or suspended, the
//! way goes through the task whose end woke it.

use crate::model::Model;

use super::own::Own;

/// A stretch of a task on a path. On the path as it ran, all times of all steps add up to the run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Step {
    pub(crate) task: u32,
    pub(crate) run: u64,
    /// Waiting inside, for something that is no task on the path.
    pub(crate) inside: u64,
    pub(crate) held: u64,
    /// Ready, and no worker had come yet.
    pub(crate) queued: u64,
    /// Before it was submitted, where nothing that was recorded came before it.
    pub(crate) before: u64,
    pub(crate) from: u64,
    pub(crate) to: u64,
}

impl Step {
    pub(super) fn of(task: u32, from: u64, to: u64) -> Step {
        Step { task, run: 0, inside: 0, held: 0, queued: 0, before: 0, from, to }
    }

    /// How long it was in the way of the end, whatever it did.
    pub(crate) fn whole(&self) -> u64 {
        self.run + self.inside + self.held + self.queued + self.before
    }

    pub(super) fn add(&mut self, other: &Step) {
        self.run += other.run;
        self.inside += other.inside;
        self.held += other.held;
        self.queued += other.queued;
        self.before += other.before;
    }
}

/// A path, from its beginning to its end.
pub(crate) struct Path {
    pub(crate) steps: Vec<Step>,
    /// All steps added up; its task means nothing.
    pub(crate) sum: Step,
    pub(crate) length: u64,
}

impl Path {
    pub(super) fn new(mut steps: Vec<Step>, length: impl Fn(&Step) -> u64) -> Path {
        steps.reverse();
        let mut sum = Step::of(0, 0, 0);
        steps.iter().for_each(|step| sum.add(step));
        Path { length: length(&sum), steps, sum }
    }
}

/// What a task waited for inside, the latest before a moment.
struct Woken {
    by: u32,
    /// When the wait began and ended.
    from: u64,
    to: u64,
}

pub(super) fn as_it_ran(model: &Model, own: &Own) -> Path {
    let children = Children::of(model);
    let ran = model.numbers().filter(|&i| model.task(i).row.is_some());
    let last = ran.reduce(|a, b| if model.task(b).end > model.task(a).end { b } else { a });
    let mut next = last.map(|i| (i, model.task(i).end));
    let mut steps = Vec::new();
    // Each step goes to an earlier moment or to an earlier task, except where a wait of no length is
    // gone through twice; so there is a bound.
    let bound = 2 * (model.tasks.len() + model.waits.len() + model.pieces.len());
    while let Some((i, until)) = next.take().filter(|_| steps.len() <= bound) {
        if let Some(woken) = children.woken(model, i, until) {
            let mut step = stretch(own, i, woken.to, until);
            let end = model.task(woken.by).end;
            step.inside += woken.to - end;
            steps.push(step);
            next = Some((woken.by, end));
            continue;
        }
        let task = model.task(i);
        let mut step = stretch(own, i, task.start.min(until), until);
        step.held = task.held.min(task.start.saturating_sub(task.ready));
        step.queued = task.start.saturating_sub(task.ready + step.held);
        let input = model.last_input(i).filter(|&input| model.task(input).end >= task.submitted);
        match (input, task.parent) {
            (Some(input), _) => {
                let end = model.task(input).end;
                step.queued += task.ready.saturating_sub(end);
                next = Some((input, end));
            }
            (None, Some(parent)) => {
                step.queued += task.ready - task.submitted;
                next = Some((parent, task.submitted));
            }
            // What it waited for, if it did, was set by the program.
            (None, None) => step.before = task.ready,
        }
        steps.push(step);
    }
    Path::new(steps, Step::whole)
}

/// A task from here to there, without what came before it.
fn stretch(own: &Own, i: u32, from: u64, to: u64) -> Step {
    let run = own.until(i, to) - own.until(i, from);
    let mut step = Step::of(i, from, to);
    step.run = run.min(to - from);
    step.inside = to - from - step.run;
    step
}

/// The tasks that each task submitted, by their end.
struct Children {
    of: Vec<(u32, u64, u32)>,
}

impl Children {
    fn of(model: &Model) -> Children {
        let mut of: Vec<_> = model
            .numbers()
            .filter_map(|i| Some((model.task(i).parent?, model.task(i).end, i)))
            .collect();
        of.sort_unstable();
        Children { of }
    }

    /// The last wait of a task before a moment that the end of another task ended.
    fn woken(&self, model: &Model, i: u32, until: u64) -> Option<Woken> {
        let woken = |from: u64, to: u64, on: Option<u32>| {
            let by = on.or_else(|| self.ended(i, from, to))?;
            let end = model.task(by).end;
            (by != i && from < end && end <= to).then_some(Woken { by, from, to })
        };
        // From the last one back: as a rule the first look is enough.
        let (waits, pieces) = (model.waits(i), model.pieces(i));
        let over = waits.partition_point(|wait| wait.end <= until);
        let blocked =
            waits[..over].iter().rev().find_map(|wait| woken(wait.start, wait.end, wait.on));
        let next = |k: usize| pieces.get(k + 1).map_or(model.task(i).end, |piece| piece.start);
        let gaps = pieces.iter().enumerate().map(|(k, piece)| (piece.end, next(k), piece.on));
        let suspended = gaps
            .rev()
            .filter(|&(_, to, _)| to <= until)
            .find_map(|(from, to, on)| woken(from, to, on));
        blocked.into_iter().chain(suspended).max_by_key(|woken| (woken.to, woken.from))
    }

    /// The child of a task that ended last in this time: what work waits for is, as a rule, what it
    /// submitted itself.
    fn ended(&self, parent: u32, from: u64, to: u64) -> Option<u32> {
        let k = self.of.partition_point(|&(p, end, _)| (p, end) <= (parent, to));
        let &(p, end, child) = self.of.get(k.checked_sub(1)?)?;
        (p == parent && end > from).then_some(child)
    }
}

/// Steps of one function in a row, as one line.
pub(crate) struct Stretch {
    pub(crate) function: u32,
    /// How many tasks.
    pub(crate) count: usize,
    /// The longest of them.
    pub(crate) task: u32,
    pub(crate) sum: Step,
}

pub(crate) fn stretches(model: &Model, steps: &[Step]) -> Vec<Stretch> {
    let mut lines: Vec<Stretch> = Vec::new();
    let (mut longest, mut last) = (0, None);
    for step in steps {
        let function = model.task(step.task).function;
        match lines.last_mut().filter(|line| line.function == function) {
            Some(line) => {
                // Two stretches of one task are one task.
                line.count += usize::from(last != Some(step.task));
                line.sum.add(step);
                if step.run > longest {
                    (line.task, longest) = (step.task, step.run);
                }
            }
            None => {
                longest = step.run;
                lines.push(Stretch { function, count: 1, task: step.task, sum: step.clone() });
            }
        }
        last = Some(step.task);
    }
    lines
}
