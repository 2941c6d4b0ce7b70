//! What took the time, as text for a terminal.

use std::fmt;

use crate::analysis::{Analysis, CAUSES, Figures, causes, held_by, stretches, verdict};
use crate::model::{Callback, Limit, Model};
use crate::words::{count, percent, plural, significant, tail, time};

/// The table by function and the critical path of a [`Run`](crate::Run), as text.
///
/// ```
/// use asynckit::{Pool, async_work};
/// use asynckit_view::Recording;
///
/// #[async_work]
/// fn load(n: u64) -> u64 { n }
///
/// let pool = Pool::new(1);
/// let recording = Recording::of(&pool);
/// load(1).spawn_on(&pool).get()?;
/// let text = recording.finish().summary().to_string();
/// assert!(text.contains("load"));
/// # Ok::<(), asynckit::Error>(())
/// ```
#[derive(Clone, Copy)]
pub struct Summary<'r> {
    model: &'r Model,
    analysis: &'r Analysis,
}

/// Lines of the table, and of the path.
const FUNCTIONS: usize = 20;
const STEPS: usize = 12;
const FAILURES: usize = 5;
const LIMITS: usize = 5;
/// Letters of a name.
const NAME: usize = 32;

impl<'r> Summary<'r> {
    pub(crate) fn new(model: &'r Model, analysis: &'r Analysis) -> Summary<'r> {
        Summary { model, analysis }
    }

    fn figures(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (work, span) = (self.analysis.work(), self.analysis.span.length);
        let used = work as f64 / self.model.end.max(1) as f64;
        writeln!(
            f,
            "work {} · span {} · parallelism {} · workers used {}",
            time(work),
            time(span),
            significant(self.analysis.parallelism(), 3),
            significant(used, 3)
        )?;
        let (words, share) = (causes(self.model), |cause| self.analysis.causes.share(cause));
        let told = (0..CAUSES.len()).filter(|&cause| share(cause) >= 0.005);
        let shares: Vec<String> =
            told.map(|cause| format!("{} {}", words[cause].1, percent(share(cause)))).collect();
        if !shares.is_empty() {
            writeln!(f, "worker time: {}", shares.join(" · "))?;
        }
        let stored = self.model.stored;
        if stored.asked > 0 {
            writeln!(f, "kept: {} of {}, saved {}", stored.kept, stored.asked, time(stored.saved))?;
        }
        self.limits(f)?;
        self.callbacks(f)
    }

    /// What held tasks back: a line each.
    fn limits(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut held = vec![(0, 0); self.model.limits.len()];
        for hold in &self.model.holds {
            let (times, long) = &mut held[hold.limit as usize];
            *times += 1;
            *long += hold.end - hold.start;
        }
        let mut all: Vec<(&Limit, (usize, u64))> = self.model.limits.iter().zip(held).collect();
        all.retain(|(_, (times, _))| *times > 0);
        all.sort_by_key(|(_, (_, long))| std::cmp::Reverse(*long));
        for (limit, (times, long)) in all.iter().take(LIMITS) {
            let (word, bound) = (limit.word(), limit.bound());
            let times = plural(*times, "time");
            writeln!(
                f,
                "held by the {word} {bound}: {times}, {} in all ({})",
                time(*long),
                limit.site
            )?;
        }
        match all.len().saturating_sub(LIMITS) {
            0 => Ok(()),
            more => writeln!(f, "{} and {} more", held_by(self.model), count(more)),
        }
    }

    /// They are no tasks, so that nothing else here has their time.
    fn callbacks(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let all = &self.model.callbacks;
        let long = |callback: &Callback| callback.end - callback.start;
        // The first of equals.
        let Some(longest) = all.iter().rev().max_by_key(|callback| long(callback)) else {
            return Ok(());
        };
        write!(f, "callbacks: {} took {}", count(all.len()), time(all.iter().map(long).sum()))?;
        if all.len() > 1 {
            write!(f, ", the longest {}", time(long(longest)))?;
        }
        writeln!(f, " ({})", self.model.sites[longest.site as usize])
    }

    fn table(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut rows: Vec<&Figures> =
            self.analysis.figures.iter().filter(|figures| figures.count > 0).collect();
        rows.sort_by_key(|figures| std::cmp::Reverse(figures.total));
        let name = |figures: &Figures| tail(&self.model.functions[figures.function as usize], NAME);
        let shown = &rows[..rows.len().min(FUNCTIONS)];
        let stores = self.model.stored.asked > 0;
        // What was kept, where a store was asked.
        let kept = |text: &str| if stores { format!(" {text:>7}") } else { String::new() };
        let width =
            shown.iter().map(|figures| name(figures).chars().count()).max().unwrap_or(0).max(8);
        writeln!(
            f,
            "{:width$} {:>9}{} {:>10} {:>9} {:>9} {:>9} {:>9} {:>7} {:>8}",
            "function",
            "count",
            kept("kept"),
            "total",
            "mean",
            "p50",
            "p95",
            "max",
            "failed",
            "skipped"
        )?;
        for figures in shown {
            writeln!(
                f,
                "{:width$} {:>9}{} {:>10} {:>9} {:>9} {:>9} {:>9} {:>7} {:>8}",
                name(figures),
                count(figures.count),
                kept(&match figures.stored.asked {
                    0 => "–".to_owned(),
                    _ => count(figures.stored.kept as usize),
                }),
                time(figures.total),
                time(figures.mean()),
                time(figures.p50),
                time(figures.p95),
                time(figures.max),
                count(figures.failed),
                count(figures.skipped)
            )?;
        }
        if rows.len() > FUNCTIONS {
            writeln!(f, "and {} more", count(rows.len() - FUNCTIONS))?;
        }
        for beyond in &self.model.beyond {
            let (name, total) =
                (&self.model.functions[beyond.function as usize], time(beyond.total));
            writeln!(
                f,
                "beyond the recording's limit: {name} × {}, {} failed, {total} in all",
                beyond.count, beyond.failed
            )?;
        }
        Ok(())
    }

    fn path(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sum = &self.analysis.ran.sum;
        let parts = [
            ("running", sum.run),
            ("waiting for a worker", sum.queued),
            (held_by(self.model), sum.held),
            ("waiting inside", sum.inside),
            ("before it was submitted", sum.before),
            ("after the last task", self.model.end.saturating_sub(self.analysis.ran.length)),
        ];
        let parts = parts.iter().filter(|(_, length)| length * 200 > self.model.end);
        let parts: Vec<String> =
            parts.map(|(what, length)| format!("{} {what}", time(*length))).collect();
        writeln!(f, "critical path: {}", parts.join(" · "))?;
        let lines = stretches(self.model, &self.analysis.ran.steps);
        let (first, last) =
            if lines.len() <= STEPS { (lines.len(), 0) } else { (STEPS / 2, STEPS / 2) };
        for (k, line) in lines.iter().enumerate() {
            if k == first && last > 0 {
                writeln!(f, "  … {} more", count(lines.len() - first - last))?;
            }
            if (first..lines.len() - last).contains(&k) {
                continue;
            }
            let name = &self.model.functions[line.function as usize];
            let which = if line.count > 1 {
                format!("×{}", count(line.count))
            } else {
                format!("#{}", line.task)
            };
            let step = &line.sum;
            write!(f, "  {:>9}  {} {which}", time(step.run), tail(name, NAME))?;
            for (what, length) in
                [("held", step.held), ("queued", step.queued), ("inside", step.inside)]
            {
                if length * 20 > step.run && length * 200 > self.model.end {
                    write!(f, " · {} {what}", time(length))?;
                }
            }
            writeln!(f)?;
        }
        Ok(())
    }

    fn failures(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for failure in self.model.failures.iter().take(FAILURES) {
            let task = self.model.task(failure.task);
            let place = &self.model.sites[task.site as usize];
            write!(f, "✕ {} ({place}) {}", self.model.label(failure.task), task.state.word())?;
            // Of a text of many lines the first says what it is about.
            let first = failure.message.lines().next().unwrap_or("");
            if !first.is_empty() {
                write!(f, ": {first}")?;
            }
            match failure.skipped.len() {
                0 => writeln!(f)?,
                skipped => writeln!(f, " ({} skipped)", count(skipped))?,
            }
        }
        match self.model.failures.len().saturating_sub(FAILURES) {
            0 => Ok(()),
            more => writeln!(f, "✕ and {} more", count(more)),
        }
    }
}

impl fmt::Display for Summary<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let said = verdict(self.model, self.analysis);
        writeln!(f, "{}", said.iter().map(|part| part.text()).collect::<String>().trim())?;
        if self.model.tasks.is_empty() {
            return Ok(());
        }
        writeln!(f)?;
        self.figures(f)?;
        writeln!(f)?;
        self.table(f)?;
        if !self.analysis.ran.steps.is_empty() {
            writeln!(f)?;
            self.path(f)?;
        }
        if !self.model.failures.is_empty() {
            writeln!(f)?;
            self.failures(f)?;
        }
        Ok(())
    }
}

impl fmt::Debug for Summary<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Summary").finish_non_exhaustive()
    }
}
