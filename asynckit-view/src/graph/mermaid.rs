//! Mermaid's flowcharts.

use std::fmt::Write;

use super::shape::{Mark, Shape};

pub(super) fn text(shape: &Shape) -> String {
    let mut text = String::from("flowchart LR\n");
    for (k, node) in shape.nodes.iter().enumerate() {
        let class = match node.mark {
            Mark::Plain => "",
            Mark::Failed => ":::failed",
            Mark::Skipped => ":::skipped",
        };
        let (title, words) = (escaped(&node.title), escaped(&node.words));
        let _ = writeln!(text, "    n{k}[\"{title}<br/>{words}\"]{class}");
    }
    for edge in &shape.edges {
        let arrow = match edge {
            edge if edge.submits || edge.mark != Mark::Plain => "-.->",
            edge if edge.critical => "==>",
            _ => "-->",
        };
        let label = match edge.label.as_str() {
            "" => String::new(),
            label => format!("|\"{}\"|", escaped(label)),
        };
        let _ = writeln!(text, "    n{} {arrow}{label} n{}", edge.from, edge.to);
    }
    text += "    classDef failed stroke:#c2310f,stroke-width:2px\n";
    text += "    classDef skipped stroke:#c2310f,stroke-dasharray:4 3\n";
    text
}

/// Text between quotes: what means something to Mermaid or to HTML is written as its number.
fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '"' | '#' | '&' | '<' | '>' | '\\' | '`' | '[' | ']' | '{' | '}' | '|' => {
                let _ = write!(safe, "#{};", u32::from(c));
            }
            c if c.is_control() => safe.push(' '),
            c => safe.push(c),
        }
    }
    safe
}
