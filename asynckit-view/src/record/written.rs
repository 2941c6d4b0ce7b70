//! How entries are written as words, and read again: in as few as there can be, as each word that is written is memory
//! that comes fresh from the system.
//!
//! The first word of an entry has what it is, how far its task is from that of the entry before, and the time since
//! that. What has no room there follows it. Then comes what goes by what it is.

use super::entry::{End, Entry, Kind, Tasks};
use super::log::{NUMBER, Pen, Writer, number};
use crate::model::State;

const ROW: u32 = 1;
const SUBMITTED: u32 = 2;
const READY: u32 = 3;
const STARTED: u32 = 4;
const SUSPENDED: u32 = 5;
const RESUMED: u32 = 6;
const ENDED: u32 = 7;
const CANCELLED: u32 = 8;
/// It has joined a line, or left it.
const LINE: u32 = 9;
const GOT_PERMIT: u32 = 10;
const WAIT_BEGUN: u32 = 11;
const WAIT_ENDED: u32 = 12;
/// It ended with a value, as most tasks do.
const DONE: u32 = 13;
const ELSEWHERE: u32 = 14;
const GAVE_PERMIT: u32 = 15;
const WHAT: u32 = 15;

/// Above it, in a byte, the way to its task.
const AWAY: u32 = 4;
const FAR: u32 = 0xff;
/// Above this, the time.
const TIME: u32 = 12;
const LONG: u32 = u32::MAX >> TIME;

/// The second word of a submission: how many tasks it needs (`ListShape`), what else it has, its kind, its site.
const NEEDS_MORE: u32 = 1 << 11;
const KIND: u32 = 12;
const HAS_BY: u32 = 1 << 14;
const HAS_PART_OF: u32 = 1 << 15;
const SITE: u32 = 16;
const OTHER_SITE: u32 = u32::MAX >> SITE;

/// How a list of tasks is written, in a word or a part of one: how many they are, and whether two of them go into each
/// word that follows.
struct ListShape {
    tasks: usize,
    pairs: bool,
}

impl ListShape {
    const PAIRS: u32 = 1;
    /// So many, or more, follow as a number.
    const MANY: usize = (1 << 10) - 1;

    #[inline(always)]
    fn word(&self) -> u32 {
        (self.tasks.min(ListShape::MANY) as u32) << 1 | u32::from(self.pairs)
    }
}

/// What the numbers of an entry are relative to: the time and the task of the one before.
#[derive(Clone, Copy, Default)]
pub(super) struct Before {
    time: u64,
    task: u64,
}

/// How far a number is from another, either way: small if it is near.
#[inline]
fn far(number: u64, from: u64) -> u64 {
    let far = number.wrapping_sub(from) as i64;
    (far << 1 ^ far >> 63) as u64
}

/// The number that is so far from it.
fn near(far: u64, from: u64) -> u64 {
    from.wrapping_add(far >> 1 ^ (far & 1).wrapping_neg())
}

impl<L: Tasks> Entry<L> {
    /// Appends the entry, and tells how many words of memory that took anew. Inlined, as each caller knows which entry
    /// it is.
    #[inline(always)]
    pub(super) fn write(&self, time: u64, before: &mut Before, writer: &mut Writer) -> usize {
        let (what, task) = self.head();
        let most = match self {
            Entry::Submitted { needs: on, .. }
            | Entry::Suspended { on, .. }
            | Entry::WaitBegun { on, .. } => on.most(),
            _ => 0,
        };
        let (mut pen, taken) = writer.begin((8 + most) * NUMBER);
        let (since, away) = (time.wrapping_sub(before.time), far(task, before.task));
        if away < FAR.into() && since < LONG.into() {
            pen.word(what | (away as u32) << AWAY | (since as u32) << TIME);
        } else {
            pen = distant(pen, what, away, since);
        }
        match self {
            Entry::Submitted { site, kind, by, part_of, needs, more, .. } => {
                let second = pen.later();
                if *site >= OTHER_SITE {
                    pen.number(u64::from(*site));
                }
                let mut has = 0;
                if let Some(by) = by {
                    has |= HAS_BY;
                    pen.number(far(*by, task));
                }
                if let Some(part_of) = part_of {
                    has |= HAS_PART_OF;
                    pen.number(far(*part_of, task));
                }
                let shape;
                (pen, shape) = list(pen, task, needs);
                if *more || shape.tasks < most {
                    has |= NEEDS_MORE;
                }
                let site = (*site).min(OTHER_SITE) << SITE;
                second.write(shape.word() | has | (*kind as u32) << KIND | site);
            }
            Entry::Suspended { on, .. } | Entry::WaitBegun { on, .. } => {
                let first = pen.later();
                let shape;
                (pen, shape) = list(pen, task, on);
                first.write(shape.word());
            }
            Entry::Ended { end, .. } if what != DONE => pen.number(end.word()),
            Entry::Cancelled { end, .. } => pen.number(end.word()),
            Entry::GavePermit { limit, .. } => pen.number(*limit),
            Entry::InLine { limit, .. } => pen.number(*limit << 1),
            Entry::LeftLine { limit, .. } => pen.number(*limit << 1 | 1),
            Entry::GotPermit { limit, weight, .. } => {
                // Most take one.
                pen.number(*limit << 1 | u64::from(*weight != 1));
                if *weight != 1 {
                    pen.number(*weight);
                }
            }
            Entry::Elsewhere { row, began, ended, .. } => {
                pen.number(*row);
                pen.number(far(*began, time));
                pen.number(far(*ended, time));
            }
            _ => {}
        }
        let left = pen.left();
        writer.end(left);
        *before = Before { time, task };
        taken
    }

    /// What it is, and the task, or the row.
    #[inline(always)]
    fn head(&self) -> (u32, u64) {
        match *self {
            Entry::Row(row) => (ROW, row),
            Entry::Submitted { task, .. } => (SUBMITTED, task),
            Entry::Ready(task) => (READY, task),
            Entry::Started(task) => (STARTED, task),
            Entry::Suspended { task, .. } => (SUSPENDED, task),
            Entry::Resumed(task) => (RESUMED, task),
            Entry::Ended { task, end } if end == End::DONE => (DONE, task),
            Entry::Ended { task, .. } => (ENDED, task),
            Entry::Cancelled { task, .. } => (CANCELLED, task),
            Entry::InLine { task, .. } => (LINE, task),
            Entry::LeftLine { task, .. } => (LINE, task),
            Entry::GotPermit { task, .. } => (GOT_PERMIT, task),
            Entry::GavePermit { task, .. } => (GAVE_PERMIT, task),
            Entry::WaitBegun { task, .. } => (WAIT_BEGUN, task),
            Entry::WaitEnded(task) => (WAIT_ENDED, task),
            Entry::Elsewhere { task, .. } => (ELSEWHERE, task),
        }
    }
}

/// What an entry begins with whose task is far from that of the one before, or that comes a long time after it.
#[cold]
#[inline(never)]
fn distant(mut pen: Pen<'_>, what: u32, away: u64, since: u64) -> Pen<'_> {
    let (near, recent) = (away.min(FAR.into()) as u32, since.min(LONG.into()) as u32);
    pen.word(what | near << AWAY | recent << TIME);
    if near == FAR {
        pen.number(away);
    }
    if recent == LONG {
        pen.number(since);
    }
    pen
}

/// Each task as far from this one. (What it is given and gives are values, so that they are in registers.)
#[inline(always)]
fn list<'a>(mut pen: Pen<'a>, task: u64, list: &impl Tasks) -> (Pen<'a>, ListShape) {
    let begin = pen.clone();
    let (mut numbers, mut tasks, mut all) = (list.numbers().map(|other| far(other, task)), 0, 0);
    while let Some(first) = numbers.next() {
        let Some(second) = numbers.next() else {
            (tasks, all) = (tasks + 1, all | first);
            pen.word(first as u32);
            break;
        };
        (tasks, all) = (tasks + 2, all | first | second);
        pen.word(first as u32 | (second as u32) << 16);
    }
    if all > u64::from(u16::MAX) || tasks >= ListShape::MANY {
        return long_list(begin, task, list.numbers(), tasks);
    }
    (pen, ListShape { tasks, pairs: true })
}

/// Likewise, of a list that is long, or whose tasks are far.
#[cold]
#[inline(never)]
fn long_list<'a>(
    mut pen: Pen<'a>,
    task: u64,
    numbers: impl Iterator<Item = u64>,
    tasks: usize,
) -> (Pen<'a>, ListShape) {
    if tasks >= ListShape::MANY {
        pen.number(tasks as u64);
    }
    numbers.for_each(|other| pen.number(far(other, task)));
    (pen, ListShape { tasks, pairs: false })
}

impl End {
    fn word(self) -> u64 {
        self.state as u64 | u64::from(self.own) << 8 | u64::from(self.late) << 9
    }

    fn read(word: u64) -> End {
        const STATES: [State; 8] = [
            State::Done,
            State::Failed,
            State::Panicked,
            State::Skipped,
            State::Cancelled,
            State::TimedOut,
            State::Stopped,
            State::Running,
        ];
        End {
            state: STATES[(word & 7) as usize],
            own: word & 1 << 8 != 0,
            late: word & 1 << 9 != 0,
        }
    }
}

/// The entries of a log, each with its time.
pub(super) struct Entries<'b> {
    words: std::slice::Iter<'b, u32>,
    before: Before,
}

impl<'b> Entries<'b> {
    pub(super) fn of(words: &'b [u32]) -> Entries<'b> {
        Entries { words: words.iter(), before: Before::default() }
    }

    fn number(&mut self) -> Option<u64> {
        number(&mut self.words)
    }

    fn other(&mut self) -> Option<u64> {
        let far = self.number()?;
        Some(near(far, self.before.task))
    }

    fn next_list(&mut self) -> Option<Vec<u64>> {
        let shape = *self.words.next()?;
        self.list(shape)
    }

    /// A list whose shape was written so.
    fn list(&mut self, shape: u32) -> Option<Vec<u64>> {
        let tasks = match (shape >> 1) as usize & ListShape::MANY {
            ListShape::MANY => usize::try_from(self.number()?).ok()?,
            tasks => tasks,
        };
        let task = self.before.task;
        if shape & ListShape::PAIRS == 0 {
            return (0..tasks).map(|_| self.other()).collect();
        }
        let words = self.words.by_ref().take(tasks.div_ceil(2));
        let halves = words.flat_map(|word| [word & 0xffff, word >> 16]);
        Some(halves.take(tasks).map(|far| near(far.into(), task)).collect())
    }
}

impl Iterator for Entries<'_> {
    type Item = (u64, Entry<Vec<u64>>);

    fn next(&mut self) -> Option<(u64, Entry<Vec<u64>>)> {
        let first = *self.words.next()?;
        let away = match first >> AWAY & FAR {
            FAR => self.number()?,
            away => away.into(),
        };
        let since = match first >> TIME {
            LONG => self.number()?,
            since => since.into(),
        };
        let task = near(away, self.before.task);
        let time = self.before.time.wrapping_add(since);
        self.before = Before { time, task };
        let entry = match first & WHAT {
            ROW => Entry::Row(task),
            SUBMITTED => {
                let second = *self.words.next()?;
                let site = match second >> SITE {
                    OTHER_SITE => u32::try_from(self.number()?).ok()?,
                    site => site,
                };
                let by = if second & HAS_BY != 0 { Some(self.other()?) } else { None };
                let part_of = if second & HAS_PART_OF != 0 { Some(self.other()?) } else { None };
                let kinds = [Kind::Runs, Kind::Around, Kind::Gather];
                let kind = *kinds.get((second >> KIND & 3) as usize)?;
                let more = second & NEEDS_MORE != 0;
                Entry::Submitted { task, site, kind, by, part_of, needs: self.list(second)?, more }
            }
            READY => Entry::Ready(task),
            STARTED => Entry::Started(task),
            SUSPENDED => Entry::Suspended { task, on: self.next_list()? },
            RESUMED => Entry::Resumed(task),
            DONE => Entry::Ended { task, end: End::DONE },
            ENDED => Entry::Ended { task, end: End::read(self.number()?) },
            CANCELLED => Entry::Cancelled { task, end: End::read(self.number()?) },
            LINE => match self.number()? {
                joined if joined & 1 == 0 => Entry::InLine { task, limit: joined >> 1 },
                left => Entry::LeftLine { task, limit: left >> 1 },
            },
            GOT_PERMIT => {
                let limit = self.number()?;
                let weight = if limit & 1 == 0 { 1 } else { self.number()? };
                Entry::GotPermit { task, limit: limit >> 1, weight }
            }
            GAVE_PERMIT => Entry::GavePermit { task, limit: self.number()? },
            WAIT_BEGUN => Entry::WaitBegun { task, on: self.next_list()? },
            WAIT_ENDED => Entry::WaitEnded(task),
            ELSEWHERE => {
                let row = self.number()?;
                let (began, ended) = (near(self.number()?, time), near(self.number()?, time));
                Entry::Elsewhere { task, row, began, ended }
            }
            _ => return None,
        };
        Some((time, entry))
    }
}

#[cfg(test)]
mod tests;
