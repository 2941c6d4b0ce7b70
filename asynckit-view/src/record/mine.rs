//! What each thread has of a recording: the end of its log at which it writes, and what it need not ask
//! for twice.

use std::cell::{Cell, RefCell};
use std::panic::Location;
use std::sync::{Arc, Weak};

use asynckit::observe::{Need, Row};

use super::entry::{Entry, Tasks};
use super::log::{Writer, log};
use super::recorder::Recorder;
use super::written::Before;
use crate::sites::key;

pub(super) struct Mine {
    recording: u64,
    alive: Weak<()>,
    writer: Writer,
    before: Before,
    /// The row that the log's entries are of at its end.
    row: u64,
    /// So many tasks may be recorded without asking.
    quota: usize,
    /// Sites that this thread has met, with their numbers.
    sites: Vec<((usize, usize), u32)>,
    /// When the tasks that this thread is in, and that only count, began.
    pub(super) begun: Vec<(u64, u64)>,
}

/// The sites that a thread keeps at hand.
const AT_HAND: usize = 64;

impl Mine {
    fn of(recorder: &Recorder) -> Mine {
        let (writer, log) = log();
        recorder.add_log(log);
        Mine {
            recording: recorder.number,
            alive: Arc::downgrade(&recorder.alive),
            writer,
            before: Before::default(),
            row: 0,
            quota: 0,
            sites: vec![((0, 0), 0); AT_HAND],
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

    /// The number of a site.
    #[inline]
    pub(super) fn site(
        &mut self,
        recorder: &Recorder,
        name: &'static str,
        at: &'static Location<'static>,
    ) -> u32 {
        let key = key(name, at);
        let place = &mut self.sites[((key.0 ^ key.1.rotate_right(7)) >> 3) % AT_HAND];
        if place.0 != key {
            *place = (key, recorder.sites.of(name, at).number);
        }
        place.1
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
    /// Of the recording to which the thread has written last.
    static MINE: Cell<Option<Box<Mine>>> = const { Cell::new(None) };
    static OTHERS: RefCell<Vec<Mine>> = const { RefCell::new(Vec::new()) };
}

/// Shows the calling thread what it has of a recording. A thread that is about to end has nothing that
/// lasts, and gets something for this once.
#[inline(always)]
pub(super) fn with_mine(recorder: &Recorder, f: impl FnOnce(&mut Mine)) {
    let mut mine = match MINE.try_with(Cell::take) {
        Ok(Some(mine)) if mine.recording == recorder.number => mine,
        other => find(recorder, other.ok().flatten()),
    };
    f(&mut mine);
    let _ = MINE.try_with(|here| here.set(Some(mine)));
}

/// What the thread has of a recording, where it has written to an`other` one last.
#[cold]
#[inline(never)]
fn find(recorder: &Recorder, other: Option<Box<Mine>>) -> Box<Mine> {
    let found = OTHERS.try_with(|others| {
        let mut others = others.try_borrow_mut().ok()?;
        others.retain(|mine| mine.alive.strong_count() > 0);
        others.extend(other.map(|other| *other));
        let at = others.iter().position(|mine| mine.recording == recorder.number)?;
        Some(Box::new(others.swap_remove(at)))
    });
    found.ok().flatten().unwrap_or_else(|| Box::new(Mine::of(recorder)))
}
