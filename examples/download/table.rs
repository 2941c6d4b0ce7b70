//! The table of what came of each URL.

use std::fmt;

use crate::summary::Row;

/// Rows to be printed, under a headline, in columns as wide as they need to be.
pub struct Table<'a>(pub &'a [Row]);

const HEADLINE: [&str; 5] = ["URL", "STATUS", "BYTES", "TIME", "SHA-256 OR ERROR"];

impl fmt::Display for Table<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut lines = vec![HEADLINE.map(String::from)];
        lines.extend(self.0.iter().map(cells));
        let [w0, w1, w2, w3] = [0, 1, 2, 3].map(|column| {
            let widths = lines.iter().map(|line| line[column].chars().count());
            widths.max().unwrap_or(0)
        });
        for [url, status, bytes, time, outcome] in &lines {
            writeln!(f, "{url:w0$}  {status:w1$}  {bytes:>w2$}  {time:>w3$}  {outcome}")?;
        }
        Ok(())
    }
}

fn cells(row: &Row) -> [String; 5] {
    let none = || "-".to_owned();
    [
        printable(&row.url),
        match row.status {
            Some(status) if row.moved => format!("{} moved", status.as_u16()),
            Some(status) => status.as_str().to_owned(),
            None => none(),
        },
        row.bytes.map_or_else(none, |bytes| bytes.to_string()),
        format!("{:.2} s", row.time.as_secs_f64()),
        match &row.outcome {
            Ok(checksum) => checksum.clone(),
            Err(why) => format!("failed: {}", printable(why)),
        },
    ]
}

/// The text with control characters spelled out: a URL off a list must not steer the terminal.
pub fn printable(text: &str) -> String {
    let spell = |c: char| match c.is_control() {
        true => c.escape_default().to_string(),
        false => c.to_string(),
    };
    text.chars().map(spell).collect()
}
