//! Where the workers' time went: one sweep over all that began and ended.
//!
//! While some workers are idle, as many of them as there are ready tasks are about to pick one up; as
//! many more as a limit holds tasks back are held by it; for the rest nothing was ready. A worker's own
//! gap takes the mean share of the idle workers at each moment.

use crate::model::{Hold, Model};

use super::bars::{RowBar, RowBars};

/// The causes, in the order of all that is kept by cause: a word for styles, and what is said.
pub(crate) const CAUSES: [(&str, &str); 6] = [
    ("run", "running"),
    ("pick", "picking up ready work"),
    ("held", "held by a limit"),
    ("inside", "waiting inside"),
    ("none", "nothing ready"),
    ("stop", "not started or stopped"),
];

pub(crate) const RUN: usize = 0;
pub(crate) const PICK: usize = 1;
pub(crate) const HELD: usize = 2;
pub(crate) const INSIDE: usize = 3;
pub(crate) const NONE: usize = 4;
pub(crate) const STOP: usize = 5;

/// Likewise, with what holds back in this run.
pub(crate) fn causes(model: &Model) -> [(&'static str, &'static str); CAUSES.len()] {
    let mut causes = CAUSES;
    causes[HELD].1 = held_by(model);
    causes
}

/// "held by a limit", or by what else there is in this run.
pub(crate) fn held_by(model: &Model) -> &'static str {
    let rates = model.limits.iter().filter(|limit| limit.every.is_some()).count();
    match rates {
        0 => CAUSES[HELD].1,
        all if all == model.limits.len() => "held by a rate",
        _ => "held by a limit or a rate",
    }
}

/// The run is told in so many equal parts.
pub(crate) const BINS: usize = 1200;

type ByCause = [f64; CAUSES.len()];

/// Nanoseconds by cause.
pub(crate) struct Causes {
    pub(crate) total: ByCause,
    /// By worker.
    pub(crate) rows: Vec<ByCause>,
    /// By cause, then by part of the run.
    pub(crate) bins: Vec<Vec<f64>>,
    /// All of it.
    pub(crate) all: f64,
}

impl Causes {
    pub(crate) fn of(model: &Model, bars: &RowBars) -> Causes {
        let mut bins = Bins::new(model.end);
        let idle = Idle::sweep(events(model, bars), &mut bins);
        let rows: Vec<ByCause> = (0..model.rows.len())
            .map(|row| row_by_cause(model, bars, row, &idle, &mut bins))
            .collect();
        for wait in &model.waits {
            bins.add(INSIDE, wait.start, wait.end, 1.0);
            bins.add(RUN, wait.start, wait.end, -1.0);
            for hold in model.holds(wait.task) {
                let (start, end) = (hold.start.max(wait.start), hold.end.min(wait.end));
                if start < end {
                    bins.add(HELD, start, end, 1.0);
                    bins.add(INSIDE, start, end, -1.0);
                }
            }
        }
        let mut rows = with_waits(model, rows);
        for row in &mut rows {
            // Elsewhere several may run at once on one row, and nobody waits for anybody.
            row[INSIDE] = row[INSIDE].max(0.0);
        }
        let mut total = ByCause::default();
        for row in &rows {
            total.iter_mut().zip(row).for_each(|(sum, part)| *sum += part);
        }
        // A worker that never began was idle all the time.
        for _ in 0..model.unneeded {
            idle.gap(&mut total, 0, model.end);
        }
        Causes { all: total.iter().sum(), total, rows, bins: bins.parts }
    }

    pub(crate) fn share(&self, cause: usize) -> f64 {
        if self.all > 0.0 { self.total[cause] / self.all } else { 0.0 }
    }
}

/// What changes at a moment. The order is that in which changes of one moment are taken.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Change {
    Idle,
    Busy,
    Queued,
    Taken,
    Held,
    Let,
}

fn events(model: &Model, bars: &RowBars) -> Vec<(u64, Change)> {
    let mut events = Vec::with_capacity(2 * bars.count() + 4 * model.tasks.len());
    for (k, row) in model.rows.iter().enumerate() {
        if row.helps {
            continue;
        }
        events.extend([(row.start, Change::Idle), (row.stop, Change::Busy)]);
        for bar in bars.row(k).iter().filter(|bar| !bar.nested) {
            events.extend([(bar.start, Change::Busy), (bar.end, Change::Idle)]);
        }
    }
    for _ in 0..model.unneeded {
        events.extend([(0, Change::Idle), (model.end, Change::Busy)]);
    }
    for i in model.numbers().filter(|&i| model.task(i).row.is_some()) {
        for queued in model.queued(i) {
            events.extend([(queued.start, Change::Queued), (queued.end, Change::Taken)]);
        }
    }
    // What never ran may have stood in a line all the same. While a thread stands in line in a task, it is no other one
    // that is held by that.
    for hold in model.holds.iter().filter(|hold| blocked(model, hold) == 0) {
        events.extend([(hold.start, Change::Held), (hold.end, Change::Let)]);
    }
    events.sort_unstable();
    events
}

/// What one idle worker's share of each idle cause is, added up to each moment.
struct Idle {
    at: Vec<u64>,
    sums: Vec<[f64; 3]>,
}

/// The causes of `Idle::sums`.
const IDLE: [usize; 3] = [PICK, HELD, NONE];

impl Idle {
    fn sweep(events: Vec<(u64, Change)>, bins: &mut Bins) -> Idle {
        let mut all = Idle { at: vec![0], sums: vec![[0.0; 3]] };
        let (mut idle, mut queued, mut held) = (0_i64, 0_i64, 0_i64);
        let (mut before, mut sum) = (0, [0.0; 3]);
        for (at, change) in events {
            if at > before {
                if idle > 0 {
                    let picking = queued.clamp(0, idle);
                    let limited = held.clamp(0, idle - picking);
                    let parts = [picking, limited, idle - picking - limited];
                    for (k, &part) in parts.iter().enumerate().filter(|(_, part)| **part > 0) {
                        bins.add(IDLE[k], before, at, part as f64);
                        sum[k] += (at - before) as f64 * part as f64 / idle as f64;
                    }
                }
                all.at.push(at);
                all.sums.push(sum);
                before = at;
            }
            match change {
                Change::Idle => idle += 1,
                Change::Busy => idle -= 1,
                Change::Queued => queued += 1,
                Change::Taken => queued -= 1,
                Change::Held => held += 1,
                Change::Let => held -= 1,
            }
        }
        all
    }

    fn at(&self, moment: u64) -> [f64; 3] {
        let k = self.at.partition_point(|&at| at < moment).min(self.at.len() - 1);
        self.sums[k]
    }

    /// A worker was idle from here to there.
    fn gap(&self, by: &mut ByCause, from: u64, to: u64) {
        if to > from {
            let (a, b) = (self.at(from), self.at(to));
            for k in 0..IDLE.len() {
                by[IDLE[k]] += b[k] - a[k];
            }
        }
    }
}

fn row_by_cause(model: &Model, bars: &RowBars, k: usize, idle: &Idle, bins: &mut Bins) -> ByCause {
    let (row, mut by) = (&model.rows[k], ByCause::default());
    let mut last = row.start;
    for RowBar { start, end, nested } in bars.row(k) {
        if *nested {
            // Its time is running, and no longer that in which the one around it waited.
            by[INSIDE] -= (end - start) as f64;
            bins.add(INSIDE, *start, *end, -1.0);
        } else {
            if !row.helps {
                idle.gap(&mut by, last, *start);
            }
            last = *end;
        }
        by[RUN] += (end - start) as f64;
        bins.add(RUN, *start, *end, 1.0);
    }
    if !row.helps {
        idle.gap(&mut by, last, row.stop);
        by[STOP] = (row.start + model.end.saturating_sub(row.stop)) as f64;
        bins.add(STOP, 0, row.start, 1.0);
        bins.add(STOP, row.stop, model.end, 1.0);
    }
    by
}

/// The time in which tasks waited inside is no run time.
fn with_waits(model: &Model, mut rows: Vec<ByCause>) -> Vec<ByCause> {
    for wait in &model.waits {
        let pieces = model.pieces(wait.task);
        let here = pieces.iter().find(|piece| piece.start <= wait.start && wait.end <= piece.end);
        if let Some(row) = here.map(|piece| piece.row).or(model.task(wait.task).row) {
            let by = &mut rows[row as usize];
            let held = model.held_between(wait.task, wait.start, wait.end);
            by[RUN] -= (wait.end - wait.start) as f64;
            by[INSIDE] += (wait.end - wait.start - held) as f64;
            by[HELD] += held as f64;
        }
    }
    rows
}

/// How long of the time in which a task was held it blocked a thread.
fn blocked(model: &Model, hold: &Hold) -> u64 {
    let waits = model.waits(hold.task);
    let first = waits.partition_point(|wait| wait.end <= hold.start);
    let within = waits[first..].iter().take_while(|wait| wait.start < hold.end);
    within.map(|wait| wait.end.min(hold.end) - wait.start.max(hold.start)).sum()
}

/// The parts of the run.
struct Bins {
    width: f64,
    parts: Vec<Vec<f64>>,
}

impl Bins {
    fn new(end: u64) -> Bins {
        Bins { width: end.max(1) as f64 / BINS as f64, parts: vec![vec![0.0; BINS]; CAUSES.len()] }
    }

    /// So many workers, from here to there.
    fn add(&mut self, cause: usize, from: u64, to: u64, workers: f64) {
        let (mut from, to) = (from as f64, to as f64);
        let part = &mut self.parts[cause];
        let first = ((from / self.width) as usize).min(BINS - 1);
        for (k, bin) in part.iter_mut().enumerate().skip(first) {
            let end = if k == BINS - 1 { to } else { to.min((k + 1) as f64 * self.width) };
            if end > from {
                *bin += workers * (end - from);
            }
            from = end.max(from);
            if from >= to {
                break;
            }
        }
    }
}
