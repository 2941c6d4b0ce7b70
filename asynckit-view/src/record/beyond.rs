//! Tasks beyond the limit of a recording: only counts are kept of them, by function.

use std::time::Duration;

use asynckit::observe::{TaskId, TaskSubmitted};

use super::entry::Kind;
use super::mine::{Mine, with_mine};
use super::recorder::{COUNTS, Keeps, Recorder, nanos};
use crate::sites::Counts;

/// Of a task that only counts it is known which site it is of,
const SITE: u32 = (1 << 30) - 1;
/// whether it is around others, which are the same call,
const IS_AROUND: u32 = 1 << 30;
/// and whether it is a part of a call that counts, and so no call more.
const IS_PART: u32 = 1 << 31;
/// In place of a site's number, of tasks that only hand results on: these are not counted.
const ONLY_HANDS_ON: u32 = SITE;

impl Recorder {
    /// A task that is not recorded in full.
    #[cold]
    #[inline(never)]
    pub(super) fn count(&self, mine: &mut Mine, event: &TaskSubmitted<'_>) {
        let (kind, mut known) = (Kind::of(event.kind), ONLY_HANDS_ON);
        if kind != Kind::Gather {
            let site = mine.sites.number(&self.sites, event.name, event.at) & SITE;
            let whole = event.part_of.and_then(|whole| mine.live.get(&self.live, whole.get()));
            let is_part = whole.is_some_and(|whole| whole & IS_AROUND != 0 || whole & SITE == site);
            known = site | if kind == Kind::Around { IS_AROUND } else { 0 };
            if is_part {
                known |= IS_PART;
            } else if let Some(counts) = mine.sites.counts(&self.sites, site) {
                Counts::add(&counts.submitted, 1);
            }
        }
        mine.live.begin(&self.live, event.task.get(), known);
    }

    #[cold]
    #[inline(never)]
    pub(super) fn count_begin(&self, task: TaskId, time: Duration) {
        with_mine(self, |mine| mine.begun.push((task.get(), nanos(time))));
    }

    /// A task goes on; one that is recorded in full has an entry of it.
    pub(super) fn go_on(&self, task: TaskId, time: Duration) {
        if self.has(COUNTS) && self.keeps(task) == Keeps::Count {
            self.count_begin(task, time);
        }
    }

    /// Likewise, it leaves its thread, to go on later.
    pub(super) fn leave(&self, task: TaskId, time: Duration) {
        if !self.has(COUNTS) || self.keeps(task) != Keeps::Count {
            return;
        }
        with_mine(self, |mine| {
            let ran = mine.ran(task, nanos(time));
            let known = mine.live.get(&self.live, task.get()).filter(is_counted);
            if let Some(counts) =
                known.and_then(|known| mine.sites.counts(&self.sites, known & SITE))
            {
                Counts::add(&counts.total, ran);
            }
        });
    }

    #[cold]
    #[inline(never)]
    pub(super) fn count_end(&self, task: TaskId, time: Duration, failed: bool) {
        with_mine(self, |mine| {
            let ran = mine.ran(task, nanos(time));
            let known = mine.live.end(&self.live, task.get()).filter(is_counted);
            if let Some(known) = known
                && let Some(counts) = mine.sites.counts(&self.sites, known & SITE)
            {
                Counts::add(&counts.ended, u64::from(known & IS_PART == 0));
                Counts::add(&counts.failed, u64::from(failed));
                Counts::add(&counts.total, ran);
            }
        });
    }
}

fn is_counted(known: &u32) -> bool {
    known & SITE != ONLY_HANDS_ON
}
