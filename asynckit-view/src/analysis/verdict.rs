//! One sentence: why did it take so long?
//!
//! The first of these that holds: a failure that skipped much; much time after the last task; one chain that
//! takes all the time; workers that were busy; on the critical path as it ran, a limit or a late submission;
//! waits inside; the path's own run time; too few workers for what was ready.

use crate::model::{Callback, Limit, Model};
use crate::names::short_place;
use crate::words::{count, percent, plural, significant, time};

use super::causes::{HELD, INSIDE, NONE, RUN, held_by};
use super::{Analysis, Path, stretches};

/// A part of the sentence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Said {
    /// How long it took, on what.
    Lead(String),
    Text(String),
    /// A task that one would like to see.
    Task(u32, String),
    /// What is good to know besides.
    Rest(String),
    /// How much failed.
    Failures(String),
}

impl Said {
    pub(crate) fn text(&self) -> &str {
        match self {
            Said::Lead(text)
            | Said::Text(text)
            | Said::Task(_, text)
            | Said::Rest(text)
            | Said::Failures(text) => text,
        }
    }
}

fn text(text: impl Into<String>) -> Said {
    Said::Text(text.into())
}

pub(crate) fn verdict(model: &Model, analysis: &Analysis) -> Vec<Said> {
    if model.tasks.is_empty() {
        return vec![
            Said::Lead("Nothing ran.".to_owned()),
            Said::Rest(" The recording holds no task.".to_owned()),
        ];
    }
    let workers = model.workers();
    let on = if workers == 0 {
        "without workers".to_owned()
    } else {
        format!("on {}", plural(workers, "worker"))
    };
    let lead = match model.end {
        0 => "No time passed: ".to_owned(),
        end => format!("{} {on}: ", time(end)),
    };
    let mut said = vec![Said::Lead(lead)];
    said.extend(why(model, analysis));
    if analysis.span.length > 0 {
        let told = said.iter().any(|part| part.text().starts_with(INSIDE_TOLD));
        said.push(Said::Rest(format!(" {}", rest(model, analysis, workers, told))));
    }
    if !model.failures.is_empty() {
        let mut failures = format!(" ✕ {}", plural(model.failures.len(), "failure"));
        let skipped = skipped(model);
        if skipped > 0 {
            failures += &format!(", {} skipped", count(skipped));
        }
        said.push(Said::Failures(failures));
    }
    said
}

fn skipped(model: &Model) -> usize {
    model.failures.iter().map(|failure| failure.skipped.len()).sum()
}

/// Whether failures took so much away that nothing else tells as much.
fn much_skipped(model: &Model) -> bool {
    5 * skipped(model) >= model.tasks.len()
}

fn why(model: &Model, analysis: &Analysis) -> Vec<Said> {
    let wall = model.end as f64;
    let (sum, span) = (&analysis.ran.sum, analysis.span.length);
    let over = |part: u64, share: f64| part as f64 > share * wall;
    let busy = analysis.causes.share(RUN);
    let worst = model.failures.iter().rev().max_by_key(|failure| failure.skipped.len());
    if let Some(failure) = worst.filter(|_| much_skipped(model)) {
        let task = model.task(failure.task);
        let (state, all) = (task.state.word(), count(model.tasks.len()));
        let rest = format!(
            " {state} at {}, and {} of {all} tasks never ran.",
            time(task.end),
            count(skipped(model))
        );
        return vec![Said::Task(failure.task, model.label(failure.task)), text(rest)];
    }
    if analysis.ran.steps.is_empty() {
        return vec![text("no task ran.")];
    }
    if model.end == 0 {
        return vec![text("in virtual time only pauses and timeouts take any.")];
    }
    let after = model.end.saturating_sub(analysis.ran.length);
    if over(after, 0.3) {
        return vec![text(afterwards(model, analysis.ran.length, after))];
    }
    if over(span, 0.85) {
        let chain = chain(model, &analysis.span);
        let of = if analysis.span.steps.len() == 1 { "one task" } else { "one chain of tasks" };
        return vec![text(format!(
            "{of}, {chain}, takes {} by itself. More workers cannot make it shorter.",
            time(span)
        ))];
    }
    if busy > 0.85 {
        // What ran and was no task.
        let called = 1.0 - analysis.work() as f64 / analysis.causes.total[RUN].max(1.0);
        let called = if called > 0.2 {
            format!(", {} of that with callbacks", percent(called))
        } else {
            String::new()
        };
        return vec![text(format!(
            "the workers were busy {} of the time{called}, so the amount of work sets the time.",
            percent(busy)
        ))];
    }
    let in_the_way = in_the_way(model, &analysis.ran).filter(|_| over(sum.held, 0.3));
    if let Some((limit, held)) = in_the_way {
        let limit = limit_name(&model.limits[limit as usize]);
        let held = format!("{limit} held back the critical path for {}", time(held));
        return with_odd(model, analysis, held, "; then ");
    }
    if over(sum.before, 0.3) {
        return vec![text(format!(
            "the critical path waited {} for the program itself to submit work, or to set a value.",
            time(sum.before)
        ))];
    }
    if analysis.causes.share(INSIDE) > 0.2 {
        let share = percent(analysis.causes.share(INSIDE));
        return vec![text(format!("{INSIDE_TOLD} for {share} of worker time."))];
    }
    let path =
        format!("the critical path, {}, ran for {}", chain(model, &analysis.ran), time(sum.run));
    if over(sum.run, 0.5) {
        return with_odd(model, analysis, path, "; ");
    }
    if over(sum.queued, 0.3) {
        let queued = time(sum.queued);
        return vec![text(format!("the critical path waited {queued} for a free worker."))];
    }
    let waited = time(analysis.ran.length - sum.run);
    with_odd(model, analysis, format!("{path} and waited for {waited}"), "; ")
}

/// How it is told that tasks blocked for results.
const INSIDE_TOLD: &str = "tasks waited inside, for results of others,";

/// What was in the time after the last task.
fn afterwards(model: &Model, last: u64, long: u64) -> String {
    let since = |callback: &Callback| callback.end.saturating_sub(callback.start.max(last));
    let late = model.callbacks.iter().filter(|callback| since(callback) > 0);
    // They lie within each other or beside each other on many threads, so their sum says nothing.
    let (mut called, mut from) = (0, last);
    for callback in late.clone() {
        called += callback.end.saturating_sub(callback.start.max(from));
        from = from.max(callback.end);
    }
    let begin = format!("the last task ended after {}, and then", time(last));
    match late.max_by_key(|callback| since(callback)).filter(|_| 2 * called >= long) {
        Some(longest) => {
            let site = short_place(&model.sites[longest.site as usize]);
            format!("{begin} callbacks ran for {}, the longest that of {site}.", time(called))
        }
        None => format!("{begin} no task ran for {}.", time(long)),
    }
}

/// `the limit “disk” (2 at once)`
fn limit_name(limit: &Limit) -> String {
    let (word, bound) = (limit.word(), limit.bound());
    match limit.name.as_str() {
        "" => format!("a {word} ({bound})"),
        name => format!("the {word} “{name}” ({bound})"),
    }
}

/// The limit that held back the path longest, and for how long.
fn in_the_way(model: &Model, path: &Path) -> Option<(u32, u64)> {
    let mut by = vec![0; model.limits.len()];
    for step in path.steps.iter().filter(|step| step.held > 0) {
        for (limit, long) in model.held_in(step.task, step.to - step.whole(), step.to) {
            by[limit as usize] += long;
        }
    }
    let longest = (0..).zip(by).filter(|(_, long)| *long > 0);
    // The first of equals.
    longest.reduce(|a, b| if b.1 > a.1 { b } else { a })
}

/// Adds the task of the path that took far longer than its like, if there is one.
fn with_odd(model: &Model, analysis: &Analysis, begin: String, joint: &str) -> Vec<Said> {
    let longest = analysis.ran.steps.iter().max_by_key(|step| step.run);
    let odd = longest.and_then(|step| {
        let median = analysis.figures[model.task(step.task).function as usize].p50.max(1);
        let times = step.run as f64 / median as f64;
        let long = step.run as f64 > 0.12 * model.end as f64;
        (long && times > 4.0).then_some((step, times))
    });
    match odd {
        None => vec![text(begin + ".")],
        Some((step, times)) => vec![
            text(begin + joint),
            Said::Task(step.task, model.label(step.task)),
            text(format!(" took {}, {} times the median.", time(step.run), significant(times, 2))),
        ],
    }
}

/// Parallelism, and what more workers would do.
fn rest(model: &Model, analysis: &Analysis, workers: usize, inside_told: bool) -> String {
    let causes = &analysis.causes;
    let parallelism = analysis.parallelism();
    let text = format!("Parallelism {}", significant(parallelism, 3));
    let idle = [HELD, INSIDE, NONE]
        .into_iter()
        .filter(|&idle| idle != INSIDE || !inside_told)
        .rev()
        .max_by(|&a, &b| causes.total[a].total_cmp(&causes.total[b]));
    let Some(idle) = idle.filter(|_| !much_skipped(model)) else { return text + "." };
    if causes.share(RUN) > 0.85 && parallelism > 1.5 * workers as f64 {
        return text + ": more workers would help.";
    }
    if causes.share(idle) <= 0.1 {
        return text + ".";
    }
    let share = || percent(causes.share(idle));
    let what = match idle {
        HELD => return format!("{text}; {} of worker time was {}.", share(), held_by(model)),
        INSIDE => "was waiting inside",
        _ => "nothing was ready",
    };
    format!("{text}; {} of worker time {what}.", share())
}

/// `load → step ×12 → store`
fn chain(model: &Model, path: &Path) -> String {
    let lines: Vec<String> = stretches(model, &path.steps)
        .iter()
        .map(|line| {
            let name = &model.functions[line.function as usize];
            if line.count > 1 { format!("{name} ×{}", count(line.count)) } else { name.clone() }
        })
        .collect();
    const MOST: usize = 6;
    if lines.len() <= MOST {
        return lines.join(" → ");
    }
    let (first, last) = (&lines[..MOST / 2], &lines[lines.len() - MOST / 2..]);
    format!("{} → … → {}", first.join(" → "), last.join(" → "))
}
