//! From the logs to what happened to each task, by its number in the process.

use std::collections::HashMap;

use super::entry::{End, Entry, Kind};
use super::log::Log;
use super::recorder::Recorder;
use super::texts::Text;
use super::written::Entries;
use crate::sync::lock;

/// A stretch on a row, and what it was left for.
pub(super) struct Span {
    pub(super) row: u64,
    pub(super) start: u64,
    /// None while it goes on.
    pub(super) end: Option<u64>,
    /// The tasks that it waits for afterwards.
    pub(super) on: Vec<u64>,
}

/// What was told of a task and a limit.
#[derive(Clone, Copy)]
pub(super) struct PermitNews {
    pub(super) time: u64,
    pub(super) limit: u64,
    pub(super) what: PermitIs,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum PermitIs {
    /// It came to stand in the line.
    WaitedFor,
    /// It left the line without any.
    Left,
    /// It got so many permits, or turns.
    Got(u64),
    /// It gave them back.
    Given,
}

/// A task as it was told of.
pub(super) struct Raw {
    pub(super) id: u64,
    pub(super) submitted: u64,
    pub(super) site: u32,
    pub(super) kind: Kind,
    pub(super) by: Option<u64>,
    pub(super) part_of: Option<u64>,
    pub(super) needs: Vec<u64>,
    /// Besides these it needs what is not known.
    pub(super) needs_more: bool,
    /// When it had all that it needs, where that was told: it follows from the rest for most.
    pub(super) ready: Option<u64>,
    pub(super) spans: Vec<Span>,
    pub(super) waits: Vec<Span>,
    /// In the order of time.
    pub(super) permits: Vec<PermitNews>,
    pub(super) cancelled: Option<(u64, End)>,
    pub(super) ended: Option<(u64, End)>,
}

impl Raw {
    /// When its result was there.
    pub(super) fn set(&self) -> Option<u64> {
        [self.ended, self.cancelled].into_iter().flatten().map(|(time, _)| time).min()
    }
}

/// All that was told.
pub(super) struct Told {
    /// In the order of submission.
    pub(super) tasks: Vec<Raw>,
    pub(super) index: HashMap<u64, usize>,
    pub(super) texts: Vec<Text>,
    /// The last moment of which there is news.
    pub(super) last: u64,
}

pub(super) fn told(recorder: &Recorder) -> Told {
    let logs: Vec<Vec<u32>> = {
        let logs = lock(&recorder.logs);
        logs.iter().map(Log::words).collect()
    };
    let mut tasks: Vec<Raw> =
        logs.iter().flat_map(|words| Entries::of(words)).filter_map(submitted).collect();
    // Numbers ascend on one thread, so they tell the order where the clock does not.
    tasks.sort_by_key(|task| (task.submitted, task.id));
    let index = tasks.iter().zip(0..).map(|(task, k)| (task.id, k)).collect();
    let mut told = Told { tasks, index, texts: recorder.texts(), last: 0 };
    for words in &logs {
        told.read(words);
    }
    for task in &mut told.tasks {
        // Each thread has told its part. Of one time, what one has told is in order.
        task.permits.sort_by_key(|permit| permit.time);
    }
    told
}

fn submitted((time, entry): (u64, Entry<Vec<u64>>)) -> Option<Raw> {
    let Entry::Submitted { task, site, kind, by, part_of, needs, more } = entry else {
        return None;
    };
    Some(Raw {
        id: task,
        submitted: time,
        site,
        kind,
        by,
        part_of,
        needs,
        needs_more: more,
        ready: None,
        spans: Vec::new(),
        waits: Vec::new(),
        permits: Vec::new(),
        cancelled: None,
        ended: None,
    })
}

impl Told {
    fn read(&mut self, words: &[u32]) {
        let mut row = 0;
        let mut stack = Stack::default();
        for (time, entry) in Entries::of(words) {
            self.last = self.last.max(time);
            let id = match entry {
                Entry::Row(other) => {
                    row = other;
                    continue;
                }
                Entry::Submitted { .. } => continue,
                Entry::Ready(task)
                | Entry::Started(task)
                | Entry::Resumed(task)
                | Entry::WaitEnded(task)
                | Entry::Suspended { task, .. }
                | Entry::Ended { task, .. }
                | Entry::Cancelled { task, .. }
                | Entry::InLine { task, .. }
                | Entry::LeftLine { task, .. }
                | Entry::GotPermit { task, .. }
                | Entry::GavePermit { task, .. }
                | Entry::WaitBegun { task, .. }
                | Entry::Elsewhere { task, .. } => task,
            };
            // Of a task whose submission came before the recording, or in the midst of this reading.
            let Some(&k) = self.index.get(&id) else { continue };
            let task = &mut self.tasks[k];
            let mut permit = |limit, what| task.permits.push(PermitNews { time, limit, what });
            match entry {
                Entry::Ready(_) => task.ready = Some(task.ready.unwrap_or(time)),
                Entry::Started(_) | Entry::Resumed(_) => {
                    task.spans.push(Span::new(row, time));
                    stack.begin(&mut self.tasks, k, row, time);
                }
                Entry::Suspended { on, .. } => {
                    close(&mut task.spans, time, &on);
                    stack.end(&mut self.tasks, k, time);
                }
                Entry::WaitBegun { on, .. } => {
                    task.waits.push(Span { on, ..Span::new(row, time) });
                }
                Entry::WaitEnded(_) => close(&mut task.waits, time, &[]),
                Entry::Elsewhere { row, began, ended, .. } => {
                    // Another clock is known as well as messages show it.
                    let began = began.max(task.submitted);
                    let ended = ended.clamp(began, time.max(began));
                    task.spans.push(Span { end: Some(ended), ..Span::new(row, began) });
                }
                Entry::InLine { limit, .. } => permit(limit, PermitIs::WaitedFor),
                Entry::LeftLine { limit, .. } => permit(limit, PermitIs::Left),
                Entry::GotPermit { limit, weight, .. } => permit(limit, PermitIs::Got(weight)),
                Entry::GavePermit { limit, .. } => permit(limit, PermitIs::Given),
                Entry::Cancelled { end, .. } => task.cancelled = Some((time, end)),
                Entry::Ended { end, .. } => {
                    close(&mut task.spans, time, &[]);
                    task.ended = Some((time, end));
                    stack.end(&mut self.tasks, k, time);
                }
                Entry::Row(_) | Entry::Submitted { .. } => {}
            }
        }
    }
}

/// The tasks that a thread is in, one within the other.
#[derive(Default)]
struct Stack(Vec<ReadInside>);

struct ReadInside {
    task: usize,
    row: u64,
    /// The one around it began it at once where it would have waited, and so told of no wait.
    at_once: bool,
}

impl Stack {
    fn begin(&mut self, tasks: &mut [Raw], task: usize, row: u64, time: u64) {
        let around = self.0.last().filter(|around| around.row == row);
        let at_once = around.is_some_and(|around| {
            let (id, around) = (tasks[task].id, &mut tasks[around.task]);
            let told = around.waits.last().is_some_and(|wait| wait.end.is_none());
            if !told {
                around.waits.push(Span { on: vec![id], ..Span::new(row, time) });
            }
            !told
        });
        self.0.push(ReadInside { task, row, at_once });
    }

    /// A task that ended elsewhere is not on the stack.
    fn end(&mut self, tasks: &mut [Raw], task: usize, time: u64) {
        if let Some(inside) = self.0.pop_if(|inside| inside.task == task)
            && let Some(around) = self.0.last().filter(|_| inside.at_once)
        {
            close(&mut tasks[around.task].waits, time, &[]);
        }
    }
}

impl Span {
    fn new(row: u64, start: u64) -> Span {
        Span { row, start, end: None, on: Vec::new() }
    }
}

/// Ends the newest of those that go on. They begin and end on one thread, so within one log.
fn close(spans: &mut [Span], time: u64, on: &[u64]) {
    if let Some(span) = spans.iter_mut().rev().find(|span| span.end.is_none()) {
        span.end = Some(time);
        if !on.is_empty() {
            span.on = on.to_vec();
        }
    }
}
