//! Figures by function, and which functions' values go into which.

use std::collections::BTreeMap;

use crate::model::{Model, Stored};

/// What the tasks of a function took.
#[derive(Clone, Debug, Default)]
pub(crate) struct Figures {
    pub(crate) function: u32,
    pub(crate) count: usize,
    pub(crate) ran: usize,
    pub(crate) total: u64,
    pub(crate) p50: u64,
    pub(crate) p95: u64,
    pub(crate) max: u64,
    /// The task that took longest.
    pub(crate) longest: Option<u32>,
    pub(crate) failed: usize,
    /// Never begun.
    pub(crate) skipped: usize,
    pub(crate) stored: Stored,
    /// How long limits held its tasks.
    pub(crate) held: u64,
}

impl Figures {
    pub(crate) fn mean(&self) -> u64 {
        self.total / self.ran.max(1) as u64
    }
}

/// In the order of the model's functions.
pub(crate) fn figures(model: &Model, own: &[u64]) -> Vec<Figures> {
    let mut all: Vec<Figures> = (0..)
        .zip(&model.functions)
        .map(|(function, _)| Figures { function, ..Figures::default() })
        .collect();
    let mut times: Vec<Vec<u64>> = model.functions.iter().map(|_| Vec::new()).collect();
    for i in model.numbers() {
        let (task, own) = (model.task(i), own[i as usize]);
        let figures = &mut all[task.function as usize];
        figures.count += 1;
        figures.held += model.held_between(i, 0, u64::MAX);
        if let Some(kept) = task.kept {
            figures.stored.add(kept);
        }
        figures.failed += usize::from(task.state.is_failure());
        if task.row.is_none() {
            figures.skipped += 1;
            continue;
        }
        figures.ran += 1;
        figures.total += own;
        if figures.longest.is_none() || own > figures.max {
            (figures.max, figures.longest) = (own, Some(i));
        }
        times[task.function as usize].push(own);
    }
    for (figures, times) in all.iter_mut().zip(&mut times) {
        times.sort_unstable();
        figures.p50 = quantile(times, 50);
        figures.p95 = quantile(times, 95);
    }
    all
}

/// The smallest time that so many percent of all are no greater than.
fn quantile(sorted: &[u64], percent: usize) -> u64 {
    let k = (sorted.len() * percent).div_ceil(100).saturating_sub(1);
    sorted.get(k).copied().unwrap_or(0)
}

/// Values of one function that went into calls of another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ValueFlow {
    pub(crate) from: u32,
    pub(crate) to: u32,
    pub(crate) count: usize,
    /// How many of those calls were skipped for it.
    pub(crate) skipped: usize,
    /// Not a value: the one submitted the other.
    pub(crate) submits: bool,
}

/// In the order of the functions.
pub(crate) fn edges(model: &Model) -> Vec<ValueFlow> {
    let mut all = BTreeMap::<(u32, u32, bool), (usize, usize)>::new();
    for i in model.numbers() {
        let task = model.task(i);
        for &input in model.inputs(i) {
            let from = model.task(input).function;
            let (count, skipped) = all.entry((from, task.function, false)).or_default();
            *count += 1;
            *skipped += usize::from(model.is_skipped_for(i, input));
        }
        if let Some(parent) = task.parent {
            all.entry((model.task(parent).function, task.function, true)).or_default().0 += 1;
        }
    }
    let edge =
        |((from, to, submits), (count, skipped))| ValueFlow { from, to, count, skipped, submits };
    all.into_iter().map(edge).collect()
}
