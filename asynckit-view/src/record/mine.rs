//! What each thread has of a recording: the end of its log at which it writes, and what it need not ask
//! for twice.

use asynckit::observe::{Need, Row};

use super::entry::{Entry, Tasks};
use super::log::{Writer, log};
use super::recorder::Recorder;
use super::written::Before;
use crate::here::{Hand, Here};
use crate::live::LiveHere;
use crate::sites::SitesHere;

pub(super) struct Mine {
    writer: Writer,
    before: Before,
    /// The row that the log's entries are of at its end.
    row: u64,
    /// So many tasks may be recorded without asking.
    quota: usize,
    pub(super) sites: SitesHere,
    pub(super) live: LiveHere,
    /// When the tasks that this thread is in, and that only count, began.
    pub(super) begun: Vec<(u64, u64)>,
}

impl Hand for Mine {
    #[inline(always)]
    fn live(&self) -> &LiveHere {
        &self.live
    }
}

impl Mine {
    fn of(recorder: &Recorder) -> Mine {
        let (writer, log) = log();
        recorder.add_log(log);
        Mine {
            writer,
            before: Before::default(),
            row: 0,
            quota: 0,
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
        if self.row != row.id().get() {
            self.change_row(recorder, row, time);
        }
        let taken = entry.write(time, &mut self.before, &mut self.writer);
        if taken > 0 {
            recorder.grew(taken);
        }
    }

    #[cold]
    #[inline(never)]
    fn change_row(&mut self, recorder: &Recorder, row: &Row, time: u64) {
        self.row = row.id().get();
        let entry: Entry<&[Need]> = Entry::Row(self.row);
        recorder.grew(entry.write(time, &mut self.before, &mut self.writer));
        recorder.see_row(row, time);
    }

    /// Whether one more task may be recorded.
    pub(super) fn may_record(&mut self, recorder: &Recorder) -> bool {
        if self.quota == 0 {
            self.quota = recorder.quota();
        }
        let may = self.quota > 0;
        self.quota = self.quota.saturating_sub(1);
        may
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
