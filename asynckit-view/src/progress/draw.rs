//! What is shown: bars, or lines.

use std::collections::HashMap;
use std::io::Write;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::counter::Tally;
use crate::sync::lock;
use crate::words::{significant, tail, time};

/// Functions that have a line of their own.
const MOST: usize = 8;
/// Letters of a name.
const NAME: usize = 28;

pub(super) trait Drawing: Send {
    /// The time between two pictures.
    fn every(&self) -> Duration;
    fn show(&mut self, tallies: &[Tally], elapsed: Duration);
    fn end(&mut self, tallies: &[Tally], elapsed: Duration);
    fn printer(&self) -> Printer;
}

/// Where the program itself may print meanwhile.
pub(super) enum Printer {
    Above(MultiProgress),
    Between(Arc<Mutex<dyn Write + Send>>),
}

impl Printer {
    pub(super) fn println(&self, line: &str) {
        // Whoever read it may be gone; the work goes on.
        match self {
            Printer::Above(bars) => _ = bars.println(line),
            Printer::Between(out) => {
                let mut out = lock(out);
                _ = writeln!(out, "{line}");
            }
        }
    }

    pub(super) fn suspend<R>(&self, f: impl FnOnce() -> R) -> R {
        match self {
            Printer::Above(bars) => bars.suspend(f),
            Printer::Between(_) => f(),
        }
    }
}

/// Those with most calls, and all others as one.
fn top(tallies: &[Tally]) -> Vec<Tally> {
    let mut sorted: Vec<&Tally> = tallies.iter().filter(|tally| tally.total > 0).collect();
    // Stable, so that equals stay in the order in which they were met.
    sorted.sort_by_key(|tally| std::cmp::Reverse(tally.total));
    let rest = sorted.split_off(sorted.len().min(MOST));
    let mut top: Vec<Tally> = sorted.into_iter().cloned().collect();
    if !rest.is_empty() {
        let sum = |of: fn(&Tally) -> u64| rest.iter().map(|tally| of(tally)).sum();
        top.push(Tally {
            name: format!("{} others", rest.len()),
            total: sum(|tally| tally.total),
            done: sum(|tally| tally.done),
            failed: sum(|tally| tally.failed),
            skipped: sum(|tally| tally.skipped),
        });
    }
    top
}

/// How many a second, lately.
#[derive(Default)]
struct Rates(HashMap<String, (u64, Duration, f64)>);

/// Half of what a rate says is of the last so many seconds.
const LATELY: f64 = 3.0;

impl Rates {
    fn of(&mut self, tally: &Tally, elapsed: Duration) -> f64 {
        let (done, at, rate) = self.0.entry(tally.name.clone()).or_default();
        let passed = (elapsed.saturating_sub(*at)).as_secs_f64();
        if passed > 0.0 && tally.done >= *done {
            let now = (tally.done - *done) as f64 / passed;
            let weight = if *rate == 0.0 { 1.0 } else { 1.0 - 0.5_f64.powf(passed / LATELY) };
            *rate += weight * (now - *rate);
            (*done, *at) = (tally.done, elapsed);
        }
        *rate
    }
}

/// `✕ 2  41.2/s  1.2 s left`, each only where there is something to say.
fn words(tally: &Tally, rate: f64) -> String {
    let mut words = Vec::new();
    if tally.failed > 0 {
        words.push(format!("✕ {}", tally.failed));
    }
    if tally.skipped > 0 {
        words.push(format!("◇ {}", tally.skipped));
    }
    if rate > 0.0 && tally.done < tally.total {
        words.push(format!("{}/s", significant(rate, 3)));
        let left = (tally.total - tally.done) as f64 / rate;
        words.push(format!("{} left", time((left * 1e9) as u64)));
    }
    words.join("  ")
}

pub(super) struct Bars {
    all: MultiProgress,
    shown: Vec<ProgressBar>,
    rates: Rates,
}

impl Bars {
    pub(super) fn new(target: ProgressDrawTarget) -> Bars {
        Bars {
            all: MultiProgress::with_draw_target(target),
            shown: Vec::new(),
            rates: Rates::default(),
        }
    }
}

impl Drawing for Bars {
    fn every(&self) -> Duration {
        Duration::from_millis(100)
    }

    fn show(&mut self, tallies: &[Tally], elapsed: Duration) {
        let top = top(tallies);
        let width = top.iter().map(|tally| tally.name.chars().count()).max().unwrap_or(0).min(NAME);
        while self.shown.len() < top.len() {
            self.shown.push(self.all.add(ProgressBar::new(0)));
        }
        let template = format!("{{prefix:{width}}} {{bar:24}} {{pos:>6}}/{{len:<6}} {{msg}}");
        for (tally, bar) in top.iter().zip(&self.shown) {
            if let Ok(style) = ProgressStyle::with_template(&template) {
                bar.set_style(style.progress_chars("█▉▊▋▌▍▎▏─"));
            }
            bar.set_prefix(tail(&tally.name, NAME));
            bar.set_length(tally.total);
            bar.set_position(tally.done);
            bar.set_message(words(tally, self.rates.of(tally, elapsed)));
        }
    }

    fn end(&mut self, _tallies: &[Tally], _elapsed: Duration) {
        for bar in &self.shown {
            bar.finish_and_clear();
        }
        // What can't be cleared any more has nobody to see it.
        let _ = self.all.clear();
    }

    fn printer(&self) -> Printer {
        Printer::Above(self.all.clone())
    }
}

pub(super) struct Lines {
    every: Duration,
    out: Arc<Mutex<dyn Write + Send>>,
    rates: Rates,
}

impl Lines {
    pub(super) fn new(every: Duration, out: impl Write + Send + 'static) -> Lines {
        Lines { every, out: Arc::new(Mutex::new(out)), rates: Rates::default() }
    }
}

impl Drawing for Lines {
    fn every(&self) -> Duration {
        self.every
    }

    fn show(&mut self, tallies: &[Tally], elapsed: Duration) {
        let parts: Vec<String> = top(tallies)
            .iter()
            .map(|tally| {
                let words = words(tally, self.rates.of(tally, elapsed)).replace("  ", " ");
                format!("{} {}/{} {words}", tally.name, tally.done, tally.total)
                    .trim_end()
                    .to_owned()
            })
            .collect();
        let since = format!("[{:.0} s]", elapsed.as_secs_f64());
        let line = if parts.is_empty() { "nothing yet".to_owned() } else { parts.join(" · ") };
        self.printer().println(&format!("{since} {line}"));
    }

    fn end(&mut self, tallies: &[Tally], elapsed: Duration) {
        self.show(tallies, elapsed);
    }

    fn printer(&self) -> Printer {
        Printer::Between(self.out.clone())
    }
}
