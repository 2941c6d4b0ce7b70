//! The table that is printed: a row for each workload, a column for each peer, and how asynckit
//! compares with two of them.

/// Who is compared, and with whom.
const OURS: &str = "asynckit";
const COMPARED: [&str; 2] = ["tokio", "rayon"];

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

/// Prints the row of a workload, with a figure for each peer that has one.
pub fn print_row(workload: &str, peers: &[&str], figures: &[Option<f64>]) {
    print!("{workload:NAME_WIDTH$}");
    for (peer, figure) in peers.iter().zip(figures) {
        let text = figure.map_or_else(|| "–".to_owned(), digits);
        print!(" {text:>width$}", width = width(peer));
    }
    let figure_of = |name| peers.iter().position(|peer| *peer == name).and_then(|at| figures[at]);
    for other in COMPARED {
        let ratio = figure_of(OURS).zip(figure_of(other)).map(|(ours, theirs)| ours / theirs);
        print!(" {:>8}", ratio.map_or_else(|| "–".to_owned(), |ratio| format!("{ratio:.2}")));
    }
    println!();
}

fn width(peer: &str) -> usize {
    peer.chars().count().max(8)
}

/// Three digits or more.
fn digits(figure: f64) -> String {
    if figure < 9.95 { format!("{figure:.1}") } else { format!("{figure:.0}") }
}
