//! What is said while it runs: a line a page, beside the bars; on standard error.

use std::sync::{Mutex, PoisonError};

use asynckit::Pool;
use asynckit_view::progress::{self, Bar};

use crate::summary::Row;
use crate::table::printable;

/// The rows so far, and the bars.
pub struct Progress {
    rows: Mutex<Vec<Row>>,
    bar: Bar,
}

impl Progress {
    pub fn of(pool: &Pool) -> Self {
        Self { rows: Mutex::default(), bar: progress::bar(pool) }
    }

    /// A page is done.
    pub fn report(&self, row: &Row) {
        // First, so that what was said to be done is in the summary, whatever happens next.
        self.rows.lock().unwrap_or_else(PoisonError::into_inner).push(row.clone());
        let url = printable(&row.url);
        self.bar.println(match (&row.outcome, &row.file) {
            (Ok(_), Some(file)) => format!("ok      {url} -> {file}"),
            (Ok(_), None) => format!("ok      {url}"),
            (Err(why), _) => format!("failed  {url}: {}", printable(why)),
        });
    }

    /// Takes the bars away, and gives the rows in the order in which they were done.
    pub fn finish(&self) -> Vec<Row> {
        self.bar.finish();
        self.rows.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
