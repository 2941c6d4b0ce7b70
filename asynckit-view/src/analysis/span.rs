//! The critical path with endless workers: the longest chain of tasks that need each other, by run time
//! alone. Its length is the span of the run.
//!
//! One sweep in the order of time. A task's chain begins with the longest among its inputs and the place
//! where it was submitted; it grows while the task runs; and a wait lets it go on from the chain of what
//! was waited for, if that is longer.

use crate::model::Model;

use super::inside::Insides;
use super::own::Own;
use super::paths::{Path, Step};

/// What the chain at a moment of a task goes on from.
#[derive(Clone, Copy)]
enum From {
    Nothing,
    /// The end of another task.
    End(u32),
    /// The moment at which another task submitted it.
    Within(u32, u64),
}

/// A chain begins again here: from the start of the task, or from a wait that another chain won.
#[derive(Clone, Copy)]
struct ChainStart {
    at: u64,
    length: u64,
    from: From,
}

/// In the order in which those of one moment are taken: what ends may let others begin.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum SpanEvent {
    Woken,
    End,
    Submitted,
    Start,
}

pub(super) fn longest(model: &Model, own: &Own, insides: &Insides) -> Path {
    let mut sweep = Sweep {
        model,
        own,
        insides,
        marks: vec![Vec::new(); model.tasks.len()],
        submitted: vec![0; model.tasks.len()],
        ended: vec![None; model.tasks.len()],
    };
    for (at, event, which) in events(model, insides) {
        match event {
            SpanEvent::Submitted => sweep.submit(which),
            SpanEvent::Start => sweep.start(which),
            SpanEvent::Woken => sweep.wake(which as usize, at),
            SpanEvent::End => sweep.ended[which as usize] = Some(sweep.length(which, at)),
        }
    }
    Path::new(sweep.walk(), |sum| sum.run)
}

fn events(model: &Model, insides: &Insides) -> Vec<(u64, SpanEvent, u32)> {
    let mut events = Vec::with_capacity(3 * model.tasks.len() + insides.all().len());
    for i in model.numbers() {
        let task = model.task(i);
        if task.row.is_some() {
            events.push((task.submitted, SpanEvent::Submitted, i));
            events.push((task.start, SpanEvent::Start, i));
            events.push((task.end, SpanEvent::End, i));
        }
    }
    for (k, inside) in (0_u32..).zip(insides.all()) {
        if inside.by.is_some() {
            events.push((inside.to, SpanEvent::Woken, k));
        }
    }
    events.sort_unstable();
    events
}

struct Sweep<'m> {
    model: &'m Model,
    own: &'m Own<'m>,
    insides: &'m Insides,
    /// Of each task, in the order of time.
    marks: Vec<Vec<ChainStart>>,
    /// The chain at the place where each task was submitted.
    submitted: Vec<u64>,
    /// The chain at the end of each task that is over.
    ended: Vec<Option<u64>>,
}

impl Sweep<'_> {
    /// The chain of a task at a moment.
    fn length(&self, task: u32, at: u64) -> u64 {
        self.marks[task as usize]
            .last()
            .map_or(0, |mark| mark.length + self.own.between(task, mark.at, at))
    }

    fn submit(&mut self, task: u32) {
        let task_ = self.model.task(task);
        if let Some(parent) = task_.parent {
            self.submitted[task as usize] = self.length(parent, task_.submitted);
        }
    }

    fn start(&mut self, i: u32) {
        let task = self.model.task(i);
        let length = self.submitted[i as usize];
        let from = task.parent.map_or(From::Nothing, |parent| From::Within(parent, task.submitted));
        let mut best = ChainStart { at: task.start, length, from };
        for &input in self.model.inputs(i) {
            if let Some(length) = self.ended[input as usize].filter(|&length| length > best.length)
            {
                best = ChainStart { at: task.start, length, from: From::End(input) };
            }
        }
        self.marks[i as usize].push(best);
    }

    fn wake(&mut self, which: usize, at: u64) {
        let inside = &self.insides.all()[which];
        let here = self.length(inside.task, at);
        let woken = inside.by.and_then(|by| Some((by, self.ended[by as usize]?)));
        if let Some((by, length)) = woken.filter(|&(_, length)| length > here) {
            self.marks[inside.task as usize].push(ChainStart { at, length, from: From::End(by) });
        }
    }

    /// The way back from the longest chain's end. Each mark was made of what lay before it, so it ends.
    fn walk(&self) -> Vec<Step> {
        let ended = self.model.numbers().filter_map(|i| Some((i, self.ended[i as usize]?)));
        let longest = ended.reduce(|a, b| if b.1 > a.1 { b } else { a });
        let mut next = longest.map(|(i, _)| (i, self.model.task(i).end));
        let mut steps = Vec::new();
        while let Some((i, until)) = next.take() {
            let marks = &self.marks[i as usize];
            let before = marks.partition_point(|mark| mark.at <= until);
            let Some(mark) = before.checked_sub(1).map(|k| marks[k]) else { break };
            let run = self.own.between(i, mark.at, until);
            steps.push(Step { run, ..Step::of(i, mark.at, until) });
            next = match mark.from {
                From::Nothing => None,
                From::End(other) => Some((other, self.model.task(other).end)),
                From::Within(parent, at) => Some((parent, at)),
            };
            if steps.len() > 2 * (self.model.tasks.len() + self.insides.all().len()) {
                break;
            }
        }
        steps
    }
}
