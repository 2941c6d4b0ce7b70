//! A picture by our own hand, as the layout is all that is hard about it.

use std::fmt::Write;

use super::layout::{HEIGHT, layout};
use super::shape::{Edge, Mark, Shape};

const STYLE: &str = "
  text { font: 12px system-ui, sans-serif; fill: #14181f }
  .title { font-weight: 600 }
  .words { font-size: 11px; fill: #56606d }
  .label { font-size: 10.5px; fill: #56606d; text-anchor: middle; paint-order: stroke; stroke: #fff; stroke-width: 4px }
  .box { fill: #fff; stroke: #cdd3da; stroke-width: 1.2 }
  .failed { stroke: #c2310f; stroke-width: 2 }
  .skipped { stroke: #c2310f; stroke-dasharray: 4 3 }
  .edge { fill: none; stroke: #717c8a; stroke-width: 1.2 }
  .critical { stroke: #14181f; stroke-width: 2.2 }
  .submits { stroke-dasharray: 1.5 4; stroke-linecap: round }
  .bad { stroke: #c2310f; stroke-width: 1.8; stroke-dasharray: 5 4 }
  .head { fill: #717c8a }
  .head.critical { fill: #14181f; stroke: none }
  .head.bad { fill: #c2310f; stroke: none }
  @media (prefers-color-scheme: dark) {
    text { fill: #e9edf2 }
    .words { fill: #a4aebb }
    .label { fill: #a4aebb; stroke: #14171c }
    .box { fill: #1b1f26; stroke: #3a424d }
    .failed, .skipped { stroke: #ff7f5f }
    .edge { stroke: #75808e }
    .edge.critical { stroke: #e9edf2 }
    .edge.bad { stroke: #ff7f5f }
    .head { fill: #75808e }
    .head.critical { fill: #e9edf2 }
    .head.bad { fill: #ff7f5f }
    .ground { fill: #14171c }
  }
";

/// Around all.
const MARGIN: f64 = 20.0;
/// Room for the edge of a node to itself, above it.
const LOOP: f64 = 18.0;

pub(super) fn text(shape: &Shape) -> String {
    let widths: Vec<f64> = shape
        .nodes
        .iter()
        .map(|node| (width(&node.title, 7.0).max(width(&node.words, 6.3)) + 28.0).max(92.0))
        .collect();
    let places = layout(shape, &widths);
    let (w, h) = (places.width + 2.0 * MARGIN, places.height + 2.0 * MARGIN + LOOP);
    let mut text = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"{} {} {w:.0} {h:.0}\" width=\"{w:.0}\" height=\"{h:.0}\">\n\
         <style>{STYLE}</style>\n\
         <rect class=\"ground\" x=\"{}\" y=\"{}\" width=\"{w:.0}\" height=\"{h:.0}\" fill=\"#fff\"/>\n",
        -MARGIN,
        -MARGIN - LOOP,
        -MARGIN,
        -MARGIN - LOOP
    );
    for (edge, via) in shape.edges.iter().zip(&places.via) {
        let (from, to) = (places.nodes[edge.from], places.nodes[edge.to]);
        if edge.from == edge.to {
            to_itself(&mut text, edge, from, widths[edge.from]);
        } else {
            draw_edge(&mut text, edge, via, (from, widths[edge.from]), (to, widths[edge.to]));
        }
    }
    for ((node, (x, y)), width) in shape.nodes.iter().zip(&places.nodes).zip(&widths) {
        let class = match node.mark {
            Mark::Plain => "box",
            Mark::Failed => "box failed",
            Mark::Skipped => "box skipped",
        };
        let (left, top) = (x - width / 2.0, y - HEIGHT / 2.0);
        let (title, words) = (escaped(&node.title), escaped(&node.words));
        let _ = writeln!(
            text,
            "<rect class=\"{class}\" x=\"{left:.1}\" y=\"{top:.1}\" width=\"{width:.1}\" height=\"{HEIGHT}\" rx=\"8\"/>\
             <text class=\"title\" x=\"{:.1}\" y=\"{:.1}\">{title}</text>\
             <text class=\"words\" x=\"{:.1}\" y=\"{:.1}\">{words}</text>",
            left + 14.0,
            top + 18.0,
            left + 14.0,
            top + 34.0
        );
    }
    text + "</svg>\n"
}

fn class(edge: &Edge) -> &'static str {
    match edge {
        edge if edge.mark != Mark::Plain => " bad",
        edge if edge.critical => " critical",
        edge if edge.submits => " submits",
        _ => "",
    }
}

/// A node's centre and width.
type End = ((f64, f64), f64);

fn draw_edge(text: &mut String, edge: &Edge, via: &[(f64, f64)], from: End, to: End) {
    let class = class(edge);
    // From the right side to the left one, unless it goes back; then the head points left as well.
    let side = if to.0.0 < from.0.0 { -1.0 } else { 1.0 };
    let start = (from.0.0 + side * from.1 / 2.0, from.0.1);
    let tip = (to.0.0 - side * to.1 / 2.0, to.0.1);
    let end = (tip.0 - side * 6.0, tip.1);
    let points: Vec<_> =
        std::iter::once(start).chain(via.iter().copied()).chain(std::iter::once(end)).collect();
    let mut path = format!("M{:.1},{:.1}", start.0, start.1);
    for two in points.windows(2) {
        let ((x0, y0), (x1, y1)) = (two[0], two[1]);
        let middle = f64::midpoint(x0, x1);
        let _ = write!(path, "C{middle:.1},{y0:.1} {middle:.1},{y1:.1} {x1:.1},{y1:.1}");
    }
    let _ = writeln!(
        text,
        "<path class=\"edge{class}\" d=\"{path}\"/><path class=\"head{class}\" d=\"M{:.1},{:.1}l{:.1},-4v8z\"/>",
        tip.0,
        tip.1,
        -side * 7.0
    );
    let two = &points[(points.len() - 2) / 2..][..2];
    let (x, y) = (f64::midpoint(two[0].0, two[1].0), f64::midpoint(two[0].1, two[1].1));
    label(text, edge, x, y - 5.0);
}

fn to_itself(text: &mut String, edge: &Edge, at: (f64, f64), width: f64) {
    let (x, y) = (at.0 + width / 2.0 - 34.0, at.1 - HEIGHT / 2.0);
    let _ = writeln!(
        text,
        "<path class=\"edge{}\" d=\"M{x:.1},{y:.1}c-4,-20 22,-20 18,-3\"/>",
        class(edge)
    );
    label(text, edge, x + 8.0, y - 17.0);
}

fn label(text: &mut String, edge: &Edge, x: f64, y: f64) {
    if !edge.label.is_empty() {
        let label = escaped(&edge.label);
        let _ = writeln!(text, "<text class=\"label\" x=\"{x:.1}\" y=\"{y:.1}\">{label}</text>");
    }
}

/// About as wide as a text is, without the font at hand.
fn width(text: &str, of_letter: f64) -> f64 {
    text.chars().count() as f64 * of_letter
}

fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            // XML has no word for control characters.
            c if c.is_control() => safe.push(' '),
            c => safe.push(c),
        }
    }
    safe
}
