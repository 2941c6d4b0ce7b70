//! What came of the downloads, one by one and all together.

use std::fmt;
use std::time::Duration;

use asynckit::Error;
use ureq::http::StatusCode;

use crate::fetch::{Failure, Page};
use crate::table::Table;

/// What came of one URL.
#[derive(Clone)]
pub struct Row {
    pub url: String,
    pub status: Option<StatusCode>,
    /// Whether a redirect led elsewhere.
    pub moved: bool,
    pub bytes: Option<usize>,
    pub time: Duration,
    /// The name that the page is kept under.
    pub file: Option<String>,
    /// The checksum, or what went wrong.
    pub outcome: Result<String, String>,
}

impl Row {
    pub fn downloaded(url: String, page: &Page, checksum: String, file: Option<String>) -> Self {
        Self {
            url,
            status: Some(page.status),
            moved: page.moved,
            bytes: Some(page.body.len()),
            time: page.time,
            file,
            outcome: Ok(checksum),
        }
    }

    pub fn failed(url: String, error: &Error) -> Self {
        // Whatever depended on the download failed with the download's own error.
        let failure = error.downcast_ref::<Failure>();
        Self {
            url,
            status: failure.and_then(Failure::status),
            moved: false,
            bytes: None,
            time: failure.map_or(Duration::ZERO, |failure| failure.time),
            file: None,
            outcome: Err(failure.map_or_else(|| error.to_string(), Failure::to_string)),
        }
    }
}

/// What came of all.
pub struct Summary {
    pub rows: Vec<Row>,
}

impl Summary {
    pub fn failed(&self) -> impl Iterator<Item = &Row> {
        self.rows.iter().filter(|row| row.outcome.is_err())
    }

    /// How long the downloads took, each by itself, added up.
    pub fn own_times(&self) -> Duration {
        self.rows.iter().map(|row| row.time).sum()
    }
}

/// The table and the total.
impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let failed = self.failed().count();
        let downloaded = self.rows.len() - failed;
        let bytes: usize = self.rows.iter().filter_map(|row| row.bytes).sum();
        let table = Table(&self.rows);
        write!(f, "{table}{downloaded} downloaded, {failed} failed; {bytes} bytes")
    }
}
