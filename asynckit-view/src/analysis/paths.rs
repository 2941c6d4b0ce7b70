//! The critical path as it ran: back from the last end, each time to what was waited for last.
//!
//! A task starts when its last input is there, so the way goes on at that; or, without inputs, at the
//! moment at which another task submitted it. Where a task waited inside, for a result or suspended, the
//! way goes through the task whose end woke it.

use crate::model::Model;

use super::inside::Insides;
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

pub(super) fn as_it_ran(model: &Model, own: &Own, insides: &Insides) -> Path {
    let ran = model.numbers().filter(|&i| model.task(i).row.is_some());
    let last = ran.reduce(|a, b| if model.task(b).end > model.task(a).end { b } else { a });
    let mut next = last.map(|i| (i, model.task(i).end));
    let mut steps = Vec::new();
    // Each step goes to an earlier moment or to an earlier task, except where a wait of no length is
    // gone through twice; so there is a bound.
    let bound = 2 * (model.tasks.len() + model.waits.len() + model.pieces.len());
    while let Some((i, until)) = next.take().filter(|_| steps.len() <= bound) {
        if let Some((inside, by)) = insides.woken(i, until) {
            let mut step = stretch(model, own, i, inside.to, until);
            let end = model.task(by).end;
            let held = model.held_between(i, end, inside.to);
            step.held += held;
            step.inside += inside.to - end - held;
            steps.push(step);
            next = Some((by, end));
            continue;
        }
        let task = model.task(i);
        // By the clock of another thread, what goes on from it may have begun before it.
        let start = task.start.min(until);
        let ready = task.ready.min(start);
        let mut step = stretch(model, own, i, start, until);
        let held = model.held_between(i, ready, start);
        step.held += held;
        step.queued = start - ready - held;
        let input = model.last_input(i).filter(|&input| model.task(input).end >= task.submitted);
        match (input, task.parent) {
            (Some(input), _) => {
                let end = model.task(input).end.min(ready);
                step.queued += ready - end;
                next = Some((input, end));
            }
            (None, Some(parent)) => {
                let submitted = task.submitted.min(ready);
                step.queued += ready - submitted;
                next = Some((parent, submitted));
            }
            // What it waited for, if it did, was set by the program.
            (None, None) => step.before = ready,
        }
        steps.push(step);
    }
    Path::new(steps, Step::whole)
}

/// A task from here to there, without what came before it.
fn stretch(model: &Model, own: &Own, i: u32, from: u64, to: u64) -> Step {
    let mut step = Step::of(i, from, to);
    step.run = own.between(i, from, to).min(to - from);
    let rest = to - from - step.run;
    step.held = model.held_between(i, from, to).min(rest);
    step.inside = rest - step.held;
    step
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
