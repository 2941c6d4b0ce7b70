//! The page: the recorded run, the style and the script in one file.

mod data;
mod lines;

use std::io::{self, Write};

use crate::analysis::Analysis;
use crate::model::Model;

/// What the script is made of, in this order.
const SCRIPT: [&str; 19] = [
    include_str!("js/words.js"),
    include_str!("js/model.js"),
    include_str!("js/state.js"),
    include_str!("js/heading.js"),
    include_str!("js/timeline.js"),
    include_str!("js/draw.js"),
    include_str!("js/bars.js"),
    include_str!("js/marks.js"),
    include_str!("js/pointer.js"),
    include_str!("js/cards.js"),
    include_str!("js/table.js"),
    include_str!("js/panels.js"),
    include_str!("js/layered.js"),
    include_str!("js/shape.js"),
    include_str!("js/cells.js"),
    include_str!("js/graph.js"),
    include_str!("js/walk.js"),
    include_str!("js/search.js"),
    include_str!("js/keys.js"),
];
const STYLE: [&str; 3] =
    [include_str!("css/page.css"), include_str!("css/panes.css"), include_str!("css/graph.css")];
const PAGE: &str = include_str!("page.html");

/// Writes the page of a run.
pub(crate) fn write(model: &Model, analysis: &Analysis, file: &mut dyn Write) -> io::Result<()> {
    let mut rest = PAGE;
    let mut until = |mark: &str, file: &mut dyn Write| {
        let (before, after) = rest.split_once(mark).unwrap_or((rest, ""));
        rest = after;
        file.write_all(before.as_bytes())
    };
    until("/*STYLE*/", file)?;
    for part in STYLE {
        file.write_all(part.as_bytes())?;
    }
    until("/*DATA*/", file)?;
    data::write(model, analysis, &mut Escaped(file))?;
    until("/*SCRIPT*/", file)?;
    for part in SCRIPT {
        file.write_all(part.as_bytes())?;
    }
    file.write_all(rest.as_bytes())
}

/// JSON within a page: nothing in it may end the element that it stands in. A `<` is only ever part of a text
/// there, where it may be written by its number.
struct Escaped<'f>(&'f mut dyn Write);

impl Write for Escaped<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        for (k, part) in bytes.split(|&byte| byte == b'<').enumerate() {
            if k > 0 {
                self.0.write_all(b"\\u003c")?;
            }
            self.0.write_all(part)?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}
