//! The graph of a run as text: for Mermaid, for Graphviz, and as a picture.

mod dot;
mod layout;
mod mermaid;
mod shape;
mod svg;

use crate::analysis::Analysis;
use crate::model::Model;

pub(crate) use shape::Shape;

/// The graph of a [`Run`](crate::Run): a node a function, with how many tasks it had and how long they
/// took, or a node a task ([`by_task`](Graph::by_task)).
///
/// Failures are marked by a cross, what was skipped for them by a dashed border, the way of a failure by
/// dashed edges, and the critical path by thick ones.
///
/// ```
/// use asynckit::{Pool, async_work, chain};
/// use asynckit_view::Recording;
///
/// #[async_work]
/// fn load(n: u32) -> u32 { n }
/// #[async_work]
/// fn add(a: u32, b: u32) -> u32 { a + b }
///
/// let pool = Pool::deterministic(7);
/// let recording = Recording::of(&pool);
/// chain!(&pool, add(load(1), load(2))).get()?;
///
/// let text = recording.finish().graph().mermaid();
/// assert!(text.starts_with("flowchart LR\n"));
/// assert!(text.contains("load"));
/// # Ok::<(), asynckit::Error>(())
/// ```
#[derive(Clone, Copy)]
pub struct Graph<'r> {
    model: &'r Model,
    analysis: &'r Analysis,
    by_task: bool,
}

impl<'r> Graph<'r> {
    pub(crate) fn new(model: &'r Model, analysis: &'r Analysis) -> Graph<'r> {
        Graph { model, analysis, by_task: false }
    }

    /// A node for each task instead of each function; of the first thousand tasks, as nobody could read
    /// more.
    #[must_use]
    pub fn by_task(self) -> Graph<'r> {
        Graph { by_task: true, ..self }
    }

    /// A flowchart for [Mermaid](https://mermaid.js.org), which many wikis and code hosts draw.
    pub fn mermaid(&self) -> String {
        mermaid::text(&self.shape())
    }

    /// A directed graph in the language of [Graphviz](https://graphviz.org).
    pub fn dot(&self) -> String {
        dot::text(&self.shape())
    }

    /// A picture, in layers from left to right. It is readable on light and dark ground.
    pub fn svg(&self) -> String {
        svg::text(&self.shape())
    }

    fn shape(&self) -> Shape {
        if self.by_task {
            shape::by_task(self.model, self.analysis)
        } else {
            shape::by_function(self.model, self.analysis)
        }
    }
}

impl std::fmt::Debug for Graph<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Graph").field("by_task", &self.by_task).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
