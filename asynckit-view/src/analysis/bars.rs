//! The stretches in which a thread was in a task, one beside or within the other.

use crate::model::Model;

/// One stretch on a row.
pub(super) struct Bar {
    pub(super) start: u64,
    pub(super) end: u64,
    /// Whether it ran within another one, while that waited.
    pub(super) nested: bool,
}

/// All stretches, row by row, in the order of their beginning.
pub(crate) struct Bars(Vec<Vec<Bar>>);

impl Bars {
    pub(crate) fn of(model: &Model) -> Bars {
        let mut rows: Vec<Vec<Bar>> = model.rows.iter().map(|_| Vec::new()).collect();
        for i in model.numbers() {
            let task = model.task(i);
            let Some(row) = task.row else { continue };
            let pieces = model.pieces(i);
            if pieces.is_empty() {
                rows[row as usize].push(Bar { start: task.start, end: task.end, nested: false });
            }
            for piece in pieces {
                let bar = Bar { start: piece.start, end: piece.end, nested: false };
                rows[piece.row as usize].push(bar);
            }
        }
        for row in &mut rows {
            row.sort_by_key(|bar| (bar.start, std::cmp::Reverse(bar.end)));
            nest(row);
        }
        Bars(rows)
    }

    pub(super) fn row(&self, row: usize) -> &[Bar] {
        &self.0[row]
    }

    pub(super) fn count(&self) -> usize {
        self.0.iter().map(Vec::len).sum()
    }
}

fn nest(row: &mut [Bar]) {
    let mut around: Vec<u64> = Vec::new();
    for bar in row {
        while around.last().is_some_and(|&end| end <= bar.start) {
            around.pop();
        }
        bar.nested = !around.is_empty();
        around.push(bar.end);
    }
}
