//! Graphviz's language.

use std::fmt::Write;

use super::shape::{Mark, Shape};
use crate::words::tail;

pub(super) fn text(shape: &Shape) -> String {
    let mut text = String::from("digraph run {\n    rankdir=LR;\n");
    text += "    node [shape=box, style=rounded, fontname=\"sans-serif\", fontsize=11];\n";
    text += "    edge [fontname=\"sans-serif\", fontsize=10, color=gray40];\n";
    for (k, node) in shape.nodes.iter().enumerate() {
        let look = match node.mark {
            Mark::Plain => "",
            Mark::Failed => ", color=\"#c2310f\", penwidth=2",
            Mark::Skipped => ", color=\"#c2310f\", style=\"rounded,dashed\"",
        };
        let (title, words) = (escaped(&node.title), escaped(&node.words));
        let _ = writeln!(text, "    n{k} [label=\"{title}\\n{words}\"{look}];");
    }
    for edge in &shape.edges {
        let mut look = match edge.mark {
            Mark::Plain if edge.critical => "color=black, penwidth=2",
            Mark::Plain if edge.submits => "style=dotted",
            Mark::Plain => "",
            _ => "color=\"#c2310f\", style=dashed",
        }
        .to_owned();
        if !edge.label.is_empty() {
            let joint = if look.is_empty() { "" } else { ", " };
            let _ = write!(look, "{joint}label=\"{}\"", escaped(&edge.label));
        }
        let _ = writeln!(text, "    n{} -> n{} [{look}];", edge.from, edge.to);
    }
    text + "}\n"
}

/// Letters of a name that are written: Graphviz reads no more than 16 KiB between quotes, and nobody so much.
const LONGEST: usize = 1000;

/// Text between quotes. What looks like one of HTML's names of letters would be read as that.
fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in tail(text, LONGEST).chars() {
        match c {
            '"' | '\\' => safe.extend(['\\', c]),
            '&' => safe.push_str("&amp;"),
            c if c.is_control() => safe.push(' '),
            c => safe.push(c),
        }
    }
    safe
}
