//! Where nodes stand and edges run: layers from left to right.
//!
//! An edge over several layers gets a point in each, so that it runs between the nodes and not across
//! them. The places are found by `rust_sugiyama`, which lays out from top to bottom; so the sides are
//! exchanged on the way in and out.

use super::shape::Shape;

/// The room for a node.
pub(super) const HEIGHT: f64 = 44.0;
/// Between layers, where the edges' labels are.
const BETWEEN: f64 = 64.0;
/// What is kept free around a node, above and below.
const SPACING: f64 = 22.0;

/// The places of all that is drawn; nodes by their centre.
pub(super) struct Layout {
    pub(super) width: f64,
    pub(super) height: f64,
    pub(super) nodes: Vec<(f64, f64)>,
    /// The points between its two ends that an edge goes through; in the order of the edges.
    pub(super) via: Vec<Vec<(f64, f64)>>,
}

pub(super) fn layout(shape: &Shape, widths: &[f64]) -> Layout {
    let ranks = ranks(shape);
    let mut vertices: Vec<(u32, (f64, f64))> =
        (0..).zip(&shape.nodes).map(|(k, _)| (k, (HEIGHT + SPACING, 1.0))).collect();
    let mut layer = ranks.clone();
    let mut pairs: Vec<(u32, u32)> = Vec::new();
    let mut routes = Vec::new();
    for edge in &shape.edges {
        let back = ranks[edge.from] > ranks[edge.to];
        let (low, high) = if back { (edge.to, edge.from) } else { (edge.from, edge.to) };
        let mut route = Vec::new();
        let mut last = low as u32;
        for rank in ranks[low] + 1..ranks[high] {
            let point = vertices.len() as u32;
            vertices.push((point, (SPACING, 1.0)));
            layer.push(rank);
            pairs.push((last, point));
            route.push(point as usize);
            last = point;
        }
        if ranks[low] < ranks[high] {
            pairs.push((last, high as u32));
        }
        if back {
            route.reverse();
        }
        routes.push(route);
    }
    let places = places(&vertices, &pairs);
    let xs = columns(&ranks, widths);
    let at = |v: usize| (xs[layer[v]], places[v]);
    let via = routes.iter().map(|route| route.iter().map(|&v| at(v)).collect()).collect();
    let tall = places.iter().copied().fold(0.0, f64::max);
    let last = ranks.iter().zip(widths).map(|(&rank, width)| xs[rank] + width / 2.0);
    Layout {
        width: last.fold(0.0, f64::max),
        height: if shape.nodes.is_empty() { 0.0 } else { tall + HEIGHT / 2.0 },
        nodes: (0..shape.nodes.len()).map(at).collect(),
        via,
    }
}

/// The layer of each node: after all that it depends on; what closes a cycle does not count.
fn ranks(shape: &Shape) -> Vec<usize> {
    let mut out = vec![Vec::new(); shape.nodes.len()];
    for edge in shape.edges.iter().filter(|edge| edge.from != edge.to) {
        out[edge.from].push(edge.to);
    }
    let (order, kept) = without_cycles(&out);
    let mut ranks = vec![0; out.len()];
    for v in order {
        for &w in &kept[v] {
            ranks[w] = ranks[w].max(ranks[v] + 1);
        }
    }
    ranks
}

/// An order in which each node comes before those it leads to, and the edges for which that holds.
fn without_cycles(out: &[Vec<usize>]) -> (Vec<usize>, Vec<Vec<usize>>) {
    #[derive(Clone, Copy, PartialEq)]
    enum Seen {
        No,
        OnTheWay,
        Done,
    }
    let mut seen = vec![Seen::No; out.len()];
    let mut kept = vec![Vec::new(); out.len()];
    let mut order = Vec::new();
    for first in 0..out.len() {
        if seen[first] != Seen::No {
            continue;
        }
        seen[first] = Seen::OnTheWay;
        let mut way = vec![(first, 0)];
        while let Some((v, next)) = way.last_mut() {
            let v = *v;
            let Some(&w) = out[v].get(*next) else {
                seen[v] = Seen::Done;
                order.push(v);
                way.pop();
                continue;
            };
            *next += 1;
            match seen[w] {
                Seen::OnTheWay => {}
                Seen::Done => kept[v].push(w),
                Seen::No => {
                    kept[v].push(w);
                    seen[w] = Seen::OnTheWay;
                    way.push((w, 0));
                }
            }
        }
    }
    order.reverse();
    (order, kept)
}

/// How far down each vertex stands. Parts that hang together with nothing else stand below each other.
fn places(vertices: &[(u32, (f64, f64))], pairs: &[(u32, u32)]) -> Vec<f64> {
    let config = rust_sugiyama::configure::Config {
        vertex_spacing: 4.0,
        dummy_vertices: false,
        ..Default::default()
    };
    let mut places = vec![0.0; vertices.len()];
    let mut below = HEIGHT / 2.0;
    for (points, ..) in rust_sugiyama::from_vertices_and_edges(vertices, pairs, &config) {
        let first = points.iter().map(|(_, (x, _))| *x).fold(f64::INFINITY, f64::min);
        let mut deepest = below;
        for (v, (x, _)) in points {
            places[v] = below + x - first;
            deepest = places[v].max(deepest);
        }
        below = deepest + HEIGHT + SPACING;
    }
    places
}

/// The middle of each layer.
fn columns(ranks: &[usize], widths: &[f64]) -> Vec<f64> {
    let layers = ranks.iter().max().map_or(0, |&last| last + 1);
    let mut widest = vec![0.0_f64; layers];
    for (&rank, &width) in ranks.iter().zip(widths) {
        widest[rank] = widest[rank].max(width);
    }
    let mut x = 0.0;
    let mut middles = Vec::new();
    for width in widest {
        middles.push(x + width / 2.0);
        x += width + BETWEEN;
    }
    middles
}
