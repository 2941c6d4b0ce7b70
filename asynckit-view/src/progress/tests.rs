//! Bars on a terminal that is none.

use indicatif::{InMemoryTerm, ProgressDrawTarget};

use super::counter::Tally;
use super::draw::{Bars, Drawing};
use super::*;

fn tally(name: &str, done: u64, total: u64, failed: u64) -> Tally {
    Tally { name: name.to_owned(), done, total, failed, skipped: 0 }
}

#[test]
fn a_bar_a_function_with_what_is_done_and_how_long_it_will_take() {
    let terminal = InMemoryTerm::new(20, 100);
    let mut bars = Bars::new(ProgressDrawTarget::term_like(Box::new(terminal.clone())));
    let second = Duration::from_secs(1);
    bars.show(&[tally("load", 12, 48, 1), tally("parse", 0, 24, 0)], second);
    assert_eq!(
        terminal.contents(),
        "load  ██████▏─────────────────     12/48     ✕ 1  12.0/s  3.00 s left\n\
         parse ────────────────────────      0/24"
    );
    bars.printer().println("a word");
    assert!(terminal.contents().starts_with("a word\nload "));
    bars.end(&[], second);
    assert_eq!(terminal.contents(), "a word");
}

#[test]
fn the_functions_with_fewest_calls_share_a_line() {
    let terminal = InMemoryTerm::new(20, 100);
    let mut bars = Bars::new(ProgressDrawTarget::term_like(Box::new(terminal.clone())));
    let tallies: Vec<_> = (0..12).map(|k| tally(&format!("f{k}"), k, 10 + k, 0)).collect();
    bars.show(&tallies, Duration::ZERO);
    let contents = terminal.contents();
    let lines: Vec<_> = contents.lines().collect();
    assert_eq!(lines.len(), 9, "{contents}");
    assert!(lines[0].starts_with("f11 "), "{contents}");
    assert!(lines[8].starts_with("4 others") && lines[8].contains("6/46"), "{contents}");
}
