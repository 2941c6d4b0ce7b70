//! What each thread has of a recording: the end of its log at which it writes, and what it need not ask
//! for twice.

use std::cell::RefCell;
use std::panic::Location;
use std::sync::{Arc, Weak};

use asynckit::observe::Row;

use super::entry::Entry;
use super::log::{Writer, log};
use super::recorder::Recorder;
use crate::sites::{Site, key};

pub(super) struct Mine {
    recording: u64,
    alive: Weak<()>,
    writer: Writer,
    /// The entry that is being written; kept for its memory, as is the next.
    words: Vec<u64>,
    pub(super) needs: Vec<u64>,
    /// The row that the log's entries are of at its end.
    row: u64,
    /// So many tasks may be recorded without asking.
    quota: usize,
    /// Sites that this thread has met.
    sites: Vec<((usize, usize), Arc<Site>)>,
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
            words: Vec::with_capacity(64),
            needs: Vec::new(),
            row: 0,
            quota: 0,
            sites: Vec::new(),
            begun: Vec::new(),
        }
    }

    #[inline(always)]
    pub(super) fn write(&mut self, recorder: &Recorder, row: &Row, time: u64, entry: &Entry<'_>) {
        let id = row.id().get();
        if self.row != id {
            self.change_row(recorder, row, time);
        }
        self.words.clear();
        entry.write(time, &mut self.words);
        let taken = self.writer.push(&self.words);
        if taken > 0 {
            recorder.grew(taken);
        }
    }

    #[cold]
    fn change_row(&mut self, recorder: &Recorder, row: &Row, time: u64) {
        let id = row.id().get();
        self.row = id;
        self.words.clear();
        Entry::Row(id).write(time, &mut self.words);
        recorder.grew(self.writer.push(&self.words));
        recorder.see_row(row, time);
    }

    pub(super) fn site(
        &mut self,
        recorder: &Recorder,
        name: &'static str,
        at: &'static Location<'static>,
    ) -> Arc<Site> {
        let key = key(name, at);
        let place = ((key.0 ^ key.1.rotate_right(7)) >> 3) % AT_HAND;
        if let Some((known, site)) = self.sites.get(place)
            && *known == key
        {
            return site.clone();
        }
        let site = recorder.sites.of(name, at);
        if self.sites.is_empty() {
            self.sites = vec![(key, site.clone()); AT_HAND];
        }
        self.sites[place] = (key, site.clone());
        site
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
    static MINE: RefCell<Vec<Mine>> = const { RefCell::new(Vec::new()) };
}

/// Shows the calling thread what it has of a recording. A thread that is about to end has nothing that
/// lasts, and gets something for this once.
pub(super) fn with_mine<R>(recorder: &Recorder, f: impl FnOnce(&mut Mine) -> R) -> R {
    let mut f = Some(f);
    let shown = MINE.try_with(|all| {
        let mut all = all.try_borrow_mut().ok()?;
        let known = all.iter().position(|mine| mine.recording == recorder.number);
        let k = known.unwrap_or_else(|| {
            all.retain(|mine| mine.alive.strong_count() > 0);
            all.push(Mine::of(recorder));
            all.len() - 1
        });
        f.take().map(|f| f(&mut all[k]))
    });
    match (shown, f) {
        (Ok(Some(answer)), _) => answer,
        (_, Some(f)) => f(&mut Mine::of(recorder)),
        (_, None) => unreachable!("it was shown without an answer"),
    }
}
