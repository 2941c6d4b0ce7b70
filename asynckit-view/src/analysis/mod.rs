//! Why a run took as long as it did: where the workers' time went, the critical paths, and figures by
//! function. The page and the summary show the same.

mod bars;
mod causes;
mod functions;
mod inside;
mod own;
mod paths;
mod span;
mod verdict;

use std::collections::HashSet;

use crate::model::Model;

pub(crate) use causes::{CAUSES, Causes, causes, held_by};
pub(crate) use functions::{Figures, ValueFlow, edges, figures};
pub(crate) use paths::{Path, stretches};
pub(crate) use verdict::{Said, verdict};

/// All that is found out about a run.
pub(crate) struct Analysis {
    pub(crate) causes: Causes,
    /// What the end waited for, back to the beginning.
    pub(crate) ran: Path,
    /// The longest chain by run time alone: no number of workers is faster.
    pub(crate) span: Path,
    pub(crate) figures: Vec<Figures>,
    pub(crate) edges: Vec<ValueFlow>,
    /// The run time of each task, without its waits.
    pub(crate) own: Vec<u64>,
}

impl Analysis {
    pub(crate) fn of(model: &Model) -> Analysis {
        let bars = bars::RowBars::of(model);
        let times = own::Own::of(model);
        let insides = inside::Insides::of(model);
        let own: Vec<u64> = model.numbers().map(|i| times.whole(i)).collect();
        Analysis {
            causes: Causes::of(model, &bars),
            ran: paths::as_it_ran(model, &times, &insides),
            span: span::longest(model, &times, &insides),
            figures: figures(model, &own),
            edges: edges(model),
            own,
        }
    }

    /// The run time of all tasks together.
    pub(crate) fn work(&self) -> u64 {
        self.own.iter().sum()
    }

    /// Work by span: more workers than this can't help.
    pub(crate) fn parallelism(&self) -> f64 {
        if self.span.length == 0 { 0.0 } else { self.work() as f64 / self.span.length as f64 }
    }

    /// The functions on the critical path, and the pairs of them that follow each other there.
    pub(crate) fn critical(&self, model: &Model) -> (HashSet<u32>, HashSet<(u32, u32)>) {
        let lines = stretches(model, &self.ran.steps);
        let pairs = lines.windows(2).map(|two| (two[0].function, two[1].function)).collect();
        (lines.iter().map(|line| line.function).collect(), pairs)
    }
}

#[cfg(test)]
mod tests;
