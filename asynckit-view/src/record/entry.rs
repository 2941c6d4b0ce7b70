//! How events are written as words, and read again.
//!
//! The first word of an entry has what it is in its upper byte and the time, in nanoseconds, in the
//! rest: enough for two years. What follows goes by what it is.

use asynckit::ErrorKind;
use asynckit::observe::{Need, TaskKind};

use crate::model::State;

/// What is read from a log.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Entry<'w> {
    /// What follows is of this row.
    Row(u64),
    Submitted {
        task: u64,
        site: u32,
        kind: Kind,
        by: Option<u64>,
        part_of: Option<u64>,
        needs: &'w [u64],
    },
    Ready(u64),
    Started(u64),
    Suspended {
        task: u64,
        on: &'w [u64],
    },
    Resumed(u64),
    Ended {
        task: u64,
        end: End,
    },
    /// The result was set as failed while the code ran.
    Cancelled {
        task: u64,
        end: End,
    },
    InLine {
        task: u64,
        limit: u64,
    },
    GotPermit {
        task: u64,
        limit: u64,
    },
    WaitBegun {
        task: u64,
        on: &'w [u64],
    },
    WaitEnded(u64),
    /// Its code ran elsewhere, on a row that is no thread's.
    Elsewhere {
        task: u64,
        row: u64,
        began: u64,
        ended: u64,
    },
}

/// What a task is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Kind {
    /// It runs code of the program.
    Runs = 0,
    /// It is around other tasks, which run the code.
    Around = 1,
    /// It hands on results.
    Gather = 2,
}

impl Kind {
    pub(super) fn of(kind: TaskKind) -> Kind {
        match kind {
            TaskKind::Around | TaskKind::Retry => Kind::Around,
            TaskKind::Gather => Kind::Gather,
            _ => Kind::Runs,
        }
    }
}

/// How a task ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct End {
    pub(super) state: State,
    /// It ran, and this is its own.
    pub(super) own: bool,
    /// Its value came too late; `Cancelled` says what for.
    pub(super) late: bool,
}

impl End {
    pub(super) const DONE: End = End { state: State::Done, own: true, late: false };
    pub(super) const LATE: End = End { state: State::Cancelled, own: false, late: true };

    pub(super) fn failed(kind: ErrorKind) -> End {
        End { own: true, ..End::skipped(kind).but(State::Failed, State::Skipped) }
    }

    pub(super) fn skipped(kind: ErrorKind) -> End {
        let state = match kind {
            ErrorKind::Panicked => State::Panicked,
            ErrorKind::Cancelled => State::Cancelled,
            ErrorKind::TimedOut => State::TimedOut,
            ErrorKind::Stopped => State::Stopped,
            _ => State::Skipped,
        };
        End { state, own: false, late: false }
    }

    fn but(self, state: State, instead_of: State) -> End {
        if self.state == instead_of { End { state, ..self } } else { self }
    }

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

const TIME: u64 = (1 << 56) - 1;
const ROW: u64 = 1;
const SUBMITTED: u64 = 2;
const READY: u64 = 3;
const STARTED: u64 = 4;
const SUSPENDED: u64 = 5;
const RESUMED: u64 = 6;
const ENDED: u64 = 7;
const CANCELLED: u64 = 8;
const IN_LINE: u64 = 9;
const GOT_PERMIT: u64 = 10;
const WAIT_BEGUN: u64 = 11;
const WAIT_ENDED: u64 = 12;
const ELSEWHERE: u64 = 13;

/// Flags in the third word of a submission, beside the site.
const KIND: u32 = 32;
const HAS_BY: u64 = 1 << 34;
const HAS_PART_OF: u64 = 1 << 35;

/// The task that is needed; no task has the number zero.
pub(super) fn need(need: &Need) -> u64 {
    need.task().map_or(0, |task| task.get())
}

impl Entry<'_> {
    /// Appends the entry's words. Inlined, as each caller knows which entry it is.
    #[inline(always)]
    pub(super) fn write(&self, time: u64, words: &mut Vec<u64>) {
        let first = |what: u64| what << 56 | time & TIME;
        match *self {
            Entry::Row(row) => words.extend([first(ROW), row]),
            Entry::Submitted { task, site, kind, by, part_of, needs } => {
                let mut flags = u64::from(site) | (kind as u64) << KIND;
                flags |= if by.is_some() { HAS_BY } else { 0 };
                flags |= if part_of.is_some() { HAS_PART_OF } else { 0 };
                words.extend([first(SUBMITTED), task, flags]);
                words.extend(by.into_iter().chain(part_of));
                list(words, needs);
            }
            Entry::Ready(task) => words.extend([first(READY), task]),
            Entry::Started(task) => words.extend([first(STARTED), task]),
            Entry::Suspended { task, on } => {
                words.extend([first(SUSPENDED), task]);
                list(words, on);
            }
            Entry::Resumed(task) => words.extend([first(RESUMED), task]),
            Entry::Ended { task, end } => words.extend([first(ENDED), task, end.word()]),
            Entry::Cancelled { task, end } => words.extend([first(CANCELLED), task, end.word()]),
            Entry::InLine { task, limit } => words.extend([first(IN_LINE), task, limit]),
            Entry::GotPermit { task, limit } => words.extend([first(GOT_PERMIT), task, limit]),
            Entry::WaitBegun { task, on } => {
                words.extend([first(WAIT_BEGUN), task]);
                list(words, on);
            }
            Entry::WaitEnded(task) => words.extend([first(WAIT_ENDED), task]),
            Entry::Elsewhere { task, row, began, ended } => {
                words.extend([first(ELSEWHERE), task, row, began, ended]);
            }
        }
    }
}

fn list(words: &mut Vec<u64>, list: &[u64]) {
    words.push(list.len() as u64);
    words.extend(list);
}

/// The entries of a log, each with its time.
pub(super) struct Entries<'w>(pub(super) &'w [u64]);

impl<'w> Entries<'w> {
    fn word(&mut self) -> Option<u64> {
        let (&word, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(word)
    }

    fn list(&mut self) -> Option<&'w [u64]> {
        let length = usize::try_from(self.word()?).ok()?;
        let (list, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(list)
    }
}

impl<'w> Iterator for Entries<'w> {
    type Item = (u64, Entry<'w>);

    fn next(&mut self) -> Option<(u64, Entry<'w>)> {
        let first = self.word()?;
        let task = self.word()?;
        let entry = match first >> 56 {
            ROW => Entry::Row(task),
            SUBMITTED => {
                let flags = self.word()?;
                let by = if flags & HAS_BY != 0 { Some(self.word()?) } else { None };
                let part_of = if flags & HAS_PART_OF != 0 { Some(self.word()?) } else { None };
                let kind =
                    [Kind::Runs, Kind::Around, Kind::Gather][(flags >> KIND & 3).min(2) as usize];
                Entry::Submitted {
                    task,
                    site: flags as u32,
                    kind,
                    by,
                    part_of,
                    needs: self.list()?,
                }
            }
            READY => Entry::Ready(task),
            STARTED => Entry::Started(task),
            SUSPENDED => Entry::Suspended { task, on: self.list()? },
            RESUMED => Entry::Resumed(task),
            ENDED => Entry::Ended { task, end: End::read(self.word()?) },
            CANCELLED => Entry::Cancelled { task, end: End::read(self.word()?) },
            IN_LINE => Entry::InLine { task, limit: self.word()? },
            GOT_PERMIT => Entry::GotPermit { task, limit: self.word()? },
            WAIT_BEGUN => Entry::WaitBegun { task, on: self.list()? },
            WAIT_ENDED => Entry::WaitEnded(task),
            ELSEWHERE => {
                let (row, began, ended) = (self.word()?, self.word()?, self.word()?);
                Entry::Elsewhere { task, row, began, ended }
            }
            _ => return None,
        };
        Some((first & TIME, entry))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_are_read_as_they_were_written() {
        let entries = [
            Entry::Row(3),
            Entry::Submitted {
                task: 7,
                site: u32::MAX,
                kind: Kind::Gather,
                by: Some(5),
                part_of: None,
                needs: &[4, 0],
            },
            Entry::Submitted {
                task: 8,
                site: 0,
                kind: Kind::Runs,
                by: None,
                part_of: Some(7),
                needs: &[],
            },
            Entry::Ready(7),
            Entry::Started(7),
            Entry::Suspended { task: 7, on: &[8] },
            Entry::Resumed(7),
            Entry::InLine { task: 7, limit: 2 },
            Entry::GotPermit { task: 7, limit: 2 },
            Entry::WaitBegun { task: 7, on: &[8, 9] },
            Entry::WaitEnded(7),
            Entry::Elsewhere { task: 7, row: 1 << 62, began: 3, ended: 4 },
            Entry::Ended { task: 7, end: End::failed(ErrorKind::Failed) },
            Entry::Cancelled { task: 8, end: End::skipped(ErrorKind::TimedOut) },
            Entry::Ended { task: 8, end: End::LATE },
        ];
        let mut words = Vec::new();
        for (time, entry) in entries.iter().enumerate() {
            entry.write(time as u64 + TIME - 20, &mut words);
        }
        let read: Vec<_> = Entries(&words).collect();
        assert!(read.iter().zip(0..).all(|((time, _), k)| *time == k + TIME - 20));
        assert!(read.into_iter().map(|(_, entry)| entry).eq(entries));
    }
}
