//! Entries are read as they were written.

use super::super::log::log;
use super::*;
use asynckit::ErrorKind;

impl Tasks for Vec<u64> {
    fn numbers(&self) -> impl Iterator<Item = u64> {
        self.iter().copied()
    }

    fn most(&self) -> usize {
        self.len()
    }
}

#[test]
fn entries_are_read_as_they_were_written() {
    const FAR: u64 = u64::MAX >> 1;
    let entries = [
        Entry::Row(3),
        Entry::Submitted {
            task: FAR,
            site: u32::MAX,
            kind: Kind::Gather,
            by: Some(5),
            part_of: None,
            needs: vec![4, FAR - 1, FAR],
            more: false,
        },
        Entry::Submitted {
            task: 8,
            site: 0,
            kind: Kind::Runs,
            by: None,
            part_of: Some(7),
            needs: vec![],
            more: true,
        },
        Entry::Submitted {
            task: 5_000,
            site: OTHER_SITE - 1,
            kind: Kind::Around,
            by: Some(4_999),
            part_of: Some(1),
            needs: (1..5_000).collect(),
            more: false,
        },
        Entry::Submitted {
            task: 100_000,
            site: OTHER_SITE,
            kind: Kind::Runs,
            by: None,
            part_of: None,
            needs: (80_000..80_000 + ListShape::MANY as u64 - 1).collect(),
            more: true,
        },
        Entry::Ready(7),
        Entry::Started(7),
        Entry::Suspended { task: 7, on: vec![8, 9, 10] },
        Entry::Resumed(7),
        Entry::InLine { task: 7, limit: 2 },
        Entry::LeftLine { task: 7, limit: 2 },
        Entry::GotPermit { task: 7, limit: 2, weight: 1 },
        Entry::GotPermit { task: 7, limit: u64::MAX >> 1, weight: FAR },
        Entry::GavePermit { task: 7, limit: 2 },
        Entry::WaitBegun { task: 7, on: vec![8, 9] },
        Entry::WaitEnded(7),
        Entry::Elsewhere { task: 7, row: 1 << 62, began: 3, ended: 4 },
        Entry::Ended { task: 7, end: End::failed(ErrorKind::Failed) },
        Entry::Cancelled { task: 8, end: End::skipped(ErrorKind::TimedOut) },
        Entry::Ended { task: 8, end: End::LATE },
        Entry::Ended { task: 9, end: End::DONE },
    ];
    // Times go back where a row is none of this thread.
    let times = (0..).map(|k| if k % 5 == 3 { 1 } else { k * 1_000_000_007 });
    let (mut writer, log, _) = log();
    let mut before = Before::default();
    for (time, entry) in times.clone().zip(&entries) {
        entry.write(time, &mut before, &mut writer);
    }
    let words = log.words();
    let read: Vec<_> = Entries::of(&words).collect();
    assert!(read.iter().map(|(time, _)| *time).eq(times.take(entries.len())));
    assert!(read.into_iter().map(|(_, entry)| entry).eq(entries));
}
