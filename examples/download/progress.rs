//! What is said while it runs: a bar on a terminal, plain lines anywhere else; on standard error.

use std::io::{self, Write};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

use crate::summary::Row;
use crate::table::printable;

/// The rows so far, and the bar.
pub struct Progress {
    rows: Mutex<Vec<Row>>,
    /// Draws nothing where standard error is no terminal.
    bar: ProgressBar,
}

impl Progress {
    pub fn new() -> Self {
        let bar = ProgressBar::new(0);
        if let Ok(style) = ProgressStyle::with_template("[{bar:30}] {pos}/{len} {elapsed}") {
            bar.set_style(style.progress_chars("=> "));
        }
        bar.enable_steady_tick(Duration::from_millis(200));
        Self { rows: Mutex::default(), bar }
    }

    /// One page more is to come.
    pub fn expect_one(&self) {
        self.bar.inc_length(1);
    }

    /// A page is done.
    pub fn report(&self, row: &Row) {
        // First, so that what was said to be done is in the summary, whatever happens next.
        self.rows.lock().unwrap_or_else(PoisonError::into_inner).push(row.clone());
        let url = printable(&row.url);
        let line = match (&row.outcome, &row.file) {
            (Ok(_), Some(file)) => format!("ok      {url} -> {file}"),
            (Ok(_), None) => format!("ok      {url}"),
            (Err(why), _) => format!("failed  {url}: {}", printable(why)),
        };
        if self.bar.is_hidden() {
            // Whoever read these lines may be gone; the downloads go on.
            let _ = writeln!(io::stderr(), "{line}");
        } else {
            self.bar.println(line);
        }
        self.bar.inc(1);
    }

    /// Clears the bar, and gives the rows in the order in which they were done.
    pub fn finish(&self) -> Vec<Row> {
        self.bar.finish_and_clear();
        self.rows.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
