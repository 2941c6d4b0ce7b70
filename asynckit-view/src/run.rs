//! A recorded run, and all that can be made of it.

use std::fmt;
use std::io;
use std::path::Path;
use std::time::Duration;

use crate::analysis::Analysis;
use crate::graph::Graph;
use crate::model::Model;
use crate::page;
use crate::save::save;
use crate::summary::Summary;
use crate::trace;

/// What a pool did: its tasks, what they waited for, and how they ended.
///
/// It comes from [`Recording::finish`](crate::Recording::finish).
pub struct Run {
    model: Model,
    analysis: Analysis,
}

impl Run {
    pub(crate) fn new(model: Model) -> Run {
        Run { analysis: Analysis::of(&model), model }
    }

    /// How many tasks were recorded in full. A call with retries, a limit or a limit of time is one task.
    pub fn tasks(&self) -> usize {
        self.model.tasks.len()
    }

    /// How many more there were, of which only counts are known.
    pub fn beyond(&self) -> u64 {
        self.model.beyond.iter().map(|beyond| beyond.count).sum()
    }

    /// How many tasks failed, without those that were skipped for it.
    pub fn failures(&self) -> usize {
        self.model.failures.len()
    }

    /// From the beginning of the recording to its end.
    pub fn duration(&self) -> Duration {
        Duration::from_nanos(self.model.end)
    }

    /// Writes a page that shows the run: one file, which opens from disk in any browser and asks no network
    /// for anything.
    ///
    /// The file appears when it is complete; one that was there is replaced.
    ///
    /// # Errors
    ///
    /// What the file system says.
    pub fn save_html(&self, path: impl AsRef<Path>) -> io::Result<()> {
        save(path.as_ref(), |file| page::write(&self.model, &self.analysis, file))
    }

    /// Writes a trace in the format of Chrome's trace viewer, which [Perfetto](https://ui.perfetto.dev) opens, too:
    /// a slice a task and a callback, arrows from each task to those that needed it, and counters of what was ready,
    /// what ran, and how full each limit was.
    ///
    /// # Errors
    ///
    /// What the file system says.
    pub fn save_trace(&self, path: impl AsRef<Path>) -> io::Result<()> {
        save(path.as_ref(), |file| trace::write(&self.model, &self.analysis, file))
    }

    /// The graph of the run, to be written as text or drawn.
    pub fn graph(&self) -> Graph<'_> {
        Graph::new(&self.model, &self.analysis)
    }

    /// What took the time, for a terminal: print it.
    pub fn summary(&self) -> Summary<'_> {
        Summary::new(&self.model, &self.analysis)
    }

    /// Writes what the file's ending says: `html`, `json` (a trace), `svg`, `dot`, `mmd`, or `txt` (the summary).
    ///
    /// # Errors
    ///
    /// [`InvalidInput`](io::ErrorKind::InvalidInput) for another ending; else what the file system says.
    pub fn save(&self, path: impl AsRef<Path>) -> io::Result<()> {
        let path = path.as_ref();
        let text = |text: String| save(path, |file| file.write_all(text.as_bytes()));
        match Format::of(path)? {
            Format::Html => self.save_html(path),
            Format::Json => self.save_trace(path),
            Format::Svg => text(self.graph().svg()),
            Format::Dot => text(self.graph().dot()),
            Format::Mermaid => text(self.graph().mermaid()),
            Format::Text => text(self.summary().to_string()),
        }
    }
}

/// What a run may be written as.
#[derive(Clone, Copy)]
pub(crate) enum Format {
    Html,
    Json,
    Svg,
    Dot,
    Mermaid,
    Text,
}

impl Format {
    /// By the ending of the file's name.
    pub(crate) fn of(path: &Path) -> io::Result<Format> {
        let ending = path.extension().map(|ending| ending.to_ascii_lowercase());
        match ending.as_ref().and_then(|ending| ending.to_str()) {
            Some("html" | "htm") => Ok(Format::Html),
            Some("json") => Ok(Format::Json),
            Some("svg") => Ok(Format::Svg),
            Some("dot" | "gv") => Ok(Format::Dot),
            Some("mmd") => Ok(Format::Mermaid),
            Some("txt") => Ok(Format::Text),
            _ => Err(io::Error::new(
                io::ErrorKind::InvalidInput,
                format!(
                    "`{}`: a run is written as .html, .json, .svg, .dot, .mmd or .txt",
                    path.display()
                ),
            )),
        }
    }
}

impl fmt::Debug for Run {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Run")
            .field("name", &self.model.name)
            .field("tasks", &self.tasks())
            .field("failures", &self.failures())
            .field("duration", &self.duration())
            .finish_non_exhaustive()
    }
}
