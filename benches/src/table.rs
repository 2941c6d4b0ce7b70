//! The table that is printed: a row for each workload, a column for each peer, and how asynckit
//! compares with some of them.

use crate::median;

/// Who is compared, and with whom.
const OURS: &str = "asynckit";
const COMPARED: [&str; 3] = ["tokio", "rayon", "oneTBB"];

const NAME_WIDTH: usize = 22;

/// Prints the row of names.
pub fn print_head(peers: &[&str]) {
    print!("{:NAME_WIDTH$}", "ns a task");
    for peer in peers {
        print!(" {peer:>width$}", width = width(peer));
    }
    for peer in COMPARED {
        print!(" {:>8}", format!("/ {peer}"));
    }
    println!();
}

/// Prints the row of a workload: the median for each peer that has figures.
pub fn print_row(workload: &str, peers: &[&str], figures: &[Vec<f64>]) {
    print!("{workload:NAME_WIDTH$}");
    let medians: Vec<_> = figures.iter().cloned().map(median).collect();
    for (peer, figure) in peers.iter().zip(&medians) {
        let text = figure.map_or_else(|| "–".to_owned(), digits);
        print!(" {text:>width$}", width = width(peer));
    }
    let figure_of = |name| peers.iter().position(|peer| *peer == name).and_then(|at| medians[at]);
    for other in COMPARED {
        let ratio = figure_of(OURS).zip(figure_of(other)).map(|(ours, theirs)| ours / theirs);
        print!(" {:>8}", ratio.map_or_else(|| "–".to_owned(), |ratio| format!("{ratio:.2}")));
    }
    println!();
}

/// Prints all figures of a workload, from the least to the greatest, in a row for each peer.
pub fn print_spread(workload: &str, peers: &[&str], figures: &[Vec<f64>]) {
    println!("\n{workload}, each process, sorted");
    for (peer, figures) in peers.iter().zip(figures) {
        let mut figures = figures.clone();
        figures.sort_by(f64::total_cmp);
        let texts: String =
            figures.into_iter().map(|figure| format!(" {:>7}", digits(figure))).collect();
        println!("{peer:14}{texts}");
    }
}

fn width(peer: &str) -> usize {
    peer.chars().count().max(8)
}

/// Three digits or more.
fn digits(figure: f64) -> String {
    if figure < 9.95 { format!("{figure:.1}") } else { format!("{figure:.0}") }
}
