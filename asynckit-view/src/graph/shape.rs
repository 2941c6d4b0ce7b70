//! What is to be drawn, whatever draws it: nodes with their words, and edges.

use std::collections::HashSet;

use crate::analysis::Analysis;
use crate::model::Model;
use crate::words::{count, time};

/// How a node or an edge stands out.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Mark {
    Plain,
    /// It failed.
    Failed,
    /// It never ran, or is why something never ran.
    Skipped,
}

pub(crate) struct Node {
    pub(crate) title: String,
    /// The line below it.
    pub(crate) words: String,
    pub(crate) mark: Mark,
}

pub(crate) struct Edge {
    pub(crate) from: usize,
    pub(crate) to: usize,
    /// May be empty.
    pub(crate) label: String,
    pub(crate) mark: Mark,
    pub(crate) critical: bool,
    /// The one submitted the other; it needs no value of it.
    pub(crate) submits: bool,
}

pub(crate) struct Shape {
    pub(crate) nodes: Vec<Node>,
    pub(crate) edges: Vec<Edge>,
}

pub(crate) fn by_function(model: &Model, analysis: &Analysis) -> Shape {
    let (_, pairs) = analysis.critical(model);
    // Functions of which nothing was recorded have no node.
    let seen: Vec<_> = analysis.figures.iter().filter(|figures| figures.count > 0).collect();
    let place = |function: u32| seen.iter().position(|figures| figures.function == function);
    let nodes = seen
        .iter()
        .map(|figures| {
            let mut words = format!("{} × {}", count(figures.count), time(figures.mean()));
            if figures.failed > 0 {
                words += &format!("  ✕ {} failed", count(figures.failed));
            }
            if figures.skipped > 0 {
                words += &format!("  ◇ {} skipped", count(figures.skipped));
            }
            let mark = match figures {
                figures if figures.failed > 0 => Mark::Failed,
                figures if figures.ran == 0 => Mark::Skipped,
                _ => Mark::Plain,
            };
            let title = model.functions[figures.function as usize].clone();
            Node { title, words, mark }
        })
        .collect();
    let edges = analysis.edges.iter().filter_map(|edge| {
        let mut label = count(edge.count);
        if edge.skipped > 0 {
            label += &format!(" (◇ {})", count(edge.skipped));
        }
        Some(Edge {
            from: place(edge.from)?,
            to: place(edge.to)?,
            label,
            mark: if edge.skipped > 0 { Mark::Skipped } else { Mark::Plain },
            critical: pairs.contains(&(edge.from, edge.to)),
            submits: edge.submits,
        })
    });
    Shape { nodes, edges: edges.collect() }
}

/// More nodes than this nobody reads.
const MOST_TASKS: u32 = 1000;

pub(crate) fn by_task(model: &Model, analysis: &Analysis) -> Shape {
    let path: HashSet<(u32, u32)> =
        analysis.ran.steps.windows(2).map(|two| (two[0].task, two[1].task)).collect();
    let tasks = 0..model.numbers().end.min(MOST_TASKS);
    let nodes = tasks.clone().map(|i| {
        let task = model.task(i);
        let (mark, words) = match task.state {
            state if state.is_failure() => (
                Mark::Failed,
                format!("✕ {} after {}", state.word(), time(analysis.own[i as usize])),
            ),
            state if task.row.is_none() => (Mark::Skipped, format!("◇ {}", state.word())),
            _ => (Mark::Plain, time(analysis.own[i as usize])),
        };
        Node { title: model.label(i), words, mark }
    });
    let mut edges = Vec::new();
    for i in tasks.clone() {
        let task = model.task(i);
        let mut edge = |from: u32, submits: bool| {
            let skipped = !submits && model.is_skipped_for(i, from);
            edges.push(Edge {
                from: from as usize,
                to: i as usize,
                label: String::new(),
                mark: if skipped { Mark::Skipped } else { Mark::Plain },
                critical: path.contains(&(from, i)),
                submits,
            });
        };
        for &input in model.inputs(i).iter().filter(|input| tasks.contains(input)) {
            edge(input, false);
        }
        if let Some(parent) = task.parent.filter(|parent| tasks.contains(parent)) {
            edge(parent, true);
        }
    }
    Shape { nodes: nodes.collect(), edges }
}
