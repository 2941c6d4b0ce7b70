//! What each thread has of a recording: the end of its log at which it writes, and what it need not ask
//! for twice.

use std::sync::{Mutex, Weak};

use asynckit::observe::{Need, Row, TaskId};

use super::entry::{Entry, Tasks};
use super::log::Writer;
use super::recorder::Recorder;
use super::written::Before;
use crate::here::{Hand, Here};
use crate::live::LiveHere;
use crate::sites::SitesHere;
use crate::sync::lock;

pub(super) struct Mine {
    rest: Rest,
    /// Where that is left when the thread ends.
    rests: Weak<Mutex<Vec<Rest>>>,
    pub(super) sites: SitesHere,
    pub(super) live: LiveHere,
    /// When the tasks that this thread is in, and that only count, began.
    pub(super) begun: Vec<(u64, u64)>,
}

/// The end of a log, and what goes with it. One thread after the other may write there.
pub(super) struct Rest {
    writer: Writer,
    before: Before,
    /// The row that the log's entries are of at its end.
    row: u64,
    /// So many tasks may be recorded without asking.
    quota: usize,
}

impl Rest {
    pub(super) fn of(writer: Writer) -> Rest {
        Rest { writer, before: Before::default(), row: 0, quota: 0 }
    }
}

/// The thread ends, or turns to others.
impl Drop for Mine {
    fn drop(&mut self) {
        if !self.live.is_over()
            && let Some(rests) = self.rests.upgrade()
        {
            let rest = std::mem::replace(&mut self.rest, Rest::of(Writer::none()));
            lock(&rests).push(rest);
        }
    }
}

impl Hand for Mine {
    #[inline(always)]
    fn live(&self) -> &LiveHere {
        &self.live
    }
}

impl Mine {
    fn of(recorder: &Recorder) -> Mine {
        let (rest, rests) = recorder.pen();
        Mine {
            rest,
            rests,
            sites: SitesHere::new(),
            live: LiveHere::of(&recorder.live),
            begun: Vec::new(),
        }
    }

    #[inline(always)]
    pub(super) fn write<L: Tasks>(
        &mut self,
        recorder: &Recorder,
        row: &Row,
        time: u64,
        entry: &Entry<L>,
    ) {
        if self.rest.row != row.id().get() {
            self.change_row(recorder, row, time);
        }
        let taken = entry.write(time, &mut self.rest.before, &mut self.rest.writer);
        if taken > 0 {
            recorder.grew(taken);
        }
    }

    #[cold]
    #[inline(never)]
    fn change_row(&mut self, recorder: &Recorder, row: &Row, time: u64) {
        let rest = &mut self.rest;
        rest.row = row.id().get();
        let entry: Entry<&[Need]> = Entry::Row(rest.row);
        recorder.grew(entry.write(time, &mut rest.before, &mut rest.writer));
        recorder.see_row(row, time);
    }

    /// Whether one more task may be recorded.
    pub(super) fn may_record(&mut self, recorder: &Recorder) -> bool {
        let rest = &mut self.rest;
        if rest.quota == 0 {
            rest.quota = recorder.quota();
        }
        let may = rest.quota > 0;
        rest.quota = rest.quota.saturating_sub(1);
        may
    }

    /// How long a task has run that only counts, and leaves this thread now.
    pub(super) fn ran(&mut self, task: TaskId, time: u64) -> u64 {
        let at = self.begun.iter().rposition(|(begun, _)| *begun == task.get());
        let began = at.and_then(|at| self.begun.drain(at..).next());
        began.map_or(0, |(_, began)| time.saturating_sub(began))
    }
}

thread_local! {
    static MINE: Here<Mine> = const { Here::new() };
}

/// Shows the calling thread what it has of a recording.
#[inline(always)]
pub(super) fn with_mine<R>(recorder: &Recorder, f: impl FnOnce(&mut Mine) -> R) -> R {
    Here::with(&MINE, &recorder.live, || Mine::of(recorder), f)
}
