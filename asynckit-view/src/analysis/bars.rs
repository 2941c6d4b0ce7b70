//! The stretches in which a thread was in a task, one beside or within the other; and in callbacks, outside of these.

use std::ops::Range;

use crate::model::Model;

/// One stretch on a row.
pub(super) struct RowBar {
    pub(super) start: u64,
    pub(super) end: u64,
    /// Whether it ran within another one, while that waited.
    pub(super) nested: bool,
}

/// All stretches, row by row, in the order of their beginning.
pub(crate) struct RowBars(Vec<Vec<RowBar>>);

impl RowBars {
    pub(crate) fn of(model: &Model) -> RowBars {
        let mut rows: Vec<Vec<RowBar>> = model.rows.iter().map(|_| Vec::new()).collect();
        for i in model.numbers() {
            let task = model.task(i);
            let Some(row) = task.row else { continue };
            let pieces = model.pieces(i);
            if pieces.is_empty() {
                rows[row as usize].push(RowBar { start: task.start, end: task.end, nested: false });
            }
            for piece in pieces {
                let bar = RowBar { start: piece.start, end: piece.end, nested: false };
                rows[piece.row as usize].push(bar);
            }
        }
        for row in &mut rows {
            row.sort_by_key(|bar| (bar.start, std::cmp::Reverse(bar.end)));
            nest(row);
        }
        for (row, k) in rows.iter_mut().zip(0..) {
            let here = model.callbacks.iter().filter(|callback| callback.row == k);
            add_outside(row, here.map(|callback| callback.start..callback.end));
        }
        RowBars(rows)
    }

    pub(super) fn row(&self, row: usize) -> &[RowBar] {
        &self.0[row]
    }

    pub(super) fn count(&self) -> usize {
        self.0.iter().map(Vec::len).sum()
    }
}

/// Adds stretches, in the order of their beginning, as far as nothing else is there.
fn add_outside(row: &mut Vec<RowBar>, more: impl Iterator<Item = Range<u64>>) {
    let outer = row.iter().filter(|bar| !bar.nested);
    let taken: Vec<Range<u64>> = outer.map(|bar| bar.start..bar.end).collect();
    let mut free = 0;
    for Range { start, end } in more {
        free = start.max(free);
        let first = taken.partition_point(|taken| taken.end <= free);
        for taken in taken[first..].iter().take_while(|taken| taken.start < end) {
            if free < taken.start {
                row.push(RowBar { start: free, end: taken.start, nested: false });
            }
            free = taken.end;
        }
        if free < end {
            row.push(RowBar { start: free, end, nested: false });
            free = end;
        }
    }
    row.sort_by_key(|bar| (bar.start, std::cmp::Reverse(bar.end)));
}

fn nest(row: &mut [RowBar]) {
    let mut around: Vec<u64> = Vec::new();
    for bar in row {
        while around.last().is_some_and(|&end| end <= bar.start) {
            around.pop();
        }
        bar.nested = !around.is_empty();
        around.push(bar.end);
    }
}
