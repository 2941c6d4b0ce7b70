//! The times in which tasks waited inside: blocked for a result, or suspended. And the task whose end let each go on.

use std::ops::Range;

use crate::model::Model;

/// One such time.
#[derive(Clone, Copy)]
pub(super) struct Inside {
    pub(super) task: u32,
    pub(super) from: u64,
    pub(super) to: u64,
    /// It ended within this time.
    pub(super) by: Option<u32>,
}

/// All of them, by task and then by their end.
pub(super) struct Insides(Vec<Inside>);

impl Insides {
    pub(super) fn of(model: &Model) -> Insides {
        let children = Children::of(model);
        let mut all: Vec<Inside> = Vec::with_capacity(model.waits.len() + model.pieces.len());
        let mut add = |task: u32, from: u64, to: u64, on: Option<u32>| {
            if from < to {
                let by = on.or_else(|| children.ended(task, from, to));
                let valid = |by: &u32| {
                    let end = model.task(*by).end;
                    *by != task && from < end && end <= to
                };
                all.push(Inside { task, from, to, by: by.filter(valid) });
            }
        };
        for wait in &model.waits {
            add(wait.task, wait.start, wait.end, wait.on);
        }
        for (k, piece) in model.pieces.iter().enumerate() {
            let next = model.pieces.get(k + 1).filter(|next| next.task == piece.task);
            let to = next.map_or(model.task(piece.task).end, |next| next.start);
            add(piece.task, piece.end, to, piece.on);
        }
        all.sort_by_key(|inside| (inside.task, inside.to, inside.from));
        Insides(all)
    }

    pub(super) fn all(&self) -> &[Inside] {
        &self.0
    }

    fn range(&self, task: u32) -> Range<usize> {
        let from = self.0.partition_point(|inside| inside.task < task);
        from..from + self.0[from..].partition_point(|inside| inside.task == task)
    }

    /// The last time before a moment that the end of another task ended.
    pub(super) fn woken(&self, task: u32, until: u64) -> Option<(Inside, u32)> {
        let of_task = &self.0[self.range(task)];
        let over = of_task.partition_point(|inside| inside.to <= until);
        // From the last one back: as a rule the first look is enough.
        of_task[..over].iter().rev().find_map(|inside| Some((*inside, inside.by?)))
    }
}

/// The tasks that each task submitted, by their end.
struct Children(Vec<(u32, u64, u32)>);

impl Children {
    fn of(model: &Model) -> Children {
        let children = model.numbers().filter_map(|i| {
            let task = model.task(i);
            Some((task.parent?, task.end, i))
        });
        let mut all: Vec<_> = children.collect();
        all.sort_unstable();
        Children(all)
    }

    /// The child of a task that ended last in this time: what work waits for is, as a rule, what it submitted itself.
    fn ended(&self, parent: u32, from: u64, to: u64) -> Option<u32> {
        let k = self.0.partition_point(|&(p, end, _)| (p, end) <= (parent, to));
        let &(p, end, child) = self.0.get(k.checked_sub(1)?)?;
        (p == parent && end > from).then_some(child)
    }
}
