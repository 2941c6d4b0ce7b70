//! How long tasks ran by themselves: without the time in which they were suspended or blocked.
//!
//! What a task did on two threads has the times of two clocks, which differ a little: a wait may seem to begin before the
//! stretch that it is in.

use std::ops::Range;

use crate::model::Model;

/// Added up beforehand, so that a task that waits a million times costs no more than a million.
pub(crate) struct Own<'m> {
    model: &'m Model,
    waited: Vec<u64>,
    pieces: Vec<u64>,
}

impl Own<'_> {
    pub(crate) fn of(model: &Model) -> Own<'_> {
        Own {
            model,
            waited: sums(model.waits.iter().map(|wait| wait.end - wait.start)),
            pieces: sums(model.pieces.iter().map(|piece| piece.end - piece.start)),
        }
    }

    /// The own run time of a task.
    pub(crate) fn whole(&self, i: u32) -> u64 {
        self.until(i, u64::MAX)
    }

    /// What of it was from one moment to another.
    pub(super) fn between(&self, i: u32, from: u64, to: u64) -> u64 {
        self.until(i, to).saturating_sub(self.until(i, from))
    }

    /// What of it was before a moment.
    fn until(&self, i: u32, until: u64) -> u64 {
        let (model, task) = (self.model, self.model.task(i));
        if task.row.is_none() {
            return 0;
        }
        let pieces = model.piece_range(i);
        let ran = if pieces.is_empty() {
            until.min(task.end).saturating_sub(task.start)
        } else {
            before(&model.pieces, pieces, &self.pieces, until, |piece| (piece.start, piece.end))
        };
        let waits = model.wait_range(i);
        let waited =
            before(&model.waits, waits, &self.waited, until, |wait| (wait.start, wait.end));
        ran.saturating_sub(waited)
    }
}

/// `[0, a, a + b, ..]`
fn sums(lengths: impl Iterator<Item = u64>) -> Vec<u64> {
    let mut sums = vec![0];
    let mut sum = 0;
    for length in lengths {
        sum += length;
        sums.push(sum);
    }
    sums
}

/// How much of these spans, which lie one after the other, is before a moment.
fn before<T>(
    all: &[T],
    range: Range<usize>,
    sums: &[u64],
    until: u64,
    span: impl Fn(&T) -> (u64, u64),
) -> u64 {
    let begun = all[range.clone()].partition_point(|x| span(x).0 < until);
    let Some(last) = begun.checked_sub(1) else { return 0 };
    let over = span(&all[range.start + last]).1.saturating_sub(until);
    sums[range.start + begun] - sums[range.start] - over
}
