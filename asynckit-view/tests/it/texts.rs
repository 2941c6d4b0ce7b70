//! The graph as text, where the programs that read it are at hand.

use std::io::Write;
use std::process::{Command, Stdio};

use asynckit::Pool;

use crate::runs;

/// What Graphviz makes of a graph; nothing where it is not installed.
fn graphviz(dot: &str) -> Option<String> {
    let program =
        Command::new("dot").arg("-Tsvg").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
    let Ok(mut program) = program else {
        assert!(std::env::var_os("ASYNCKIT_NEEDS_GRAPHVIZ").is_none(), "`dot` is not installed");
        eprintln!("left out: `dot` is not installed, so nobody asks Graphviz");
        return None;
    };
    program.stdin.take().unwrap().write_all(dot.as_bytes()).unwrap();
    let output = program.wait_with_output().unwrap();
    assert!(output.status.success());
    Some(String::from_utf8(output.stdout).unwrap())
}

#[test]
fn graphviz_accepts_the_graph_whatever_functions_are_called() {
    let pool = Pool::deterministic(3);
    let run = runs::failing(&pool);
    for graph in [run.graph(), run.graph().by_task()] {
        if let Some(svg) = graphviz(&graph.dot()) {
            assert_eq!(
                svg.matches("class=\"node\"").count(),
                graph.svg().matches("class=\"title\"").count()
            );
        }
    }
}

#[test]
fn a_task_a_node_where_asked_for() {
    let run = runs::failing(&Pool::deterministic(3));
    assert_eq!(run.graph().svg().matches("class=\"title\"").count(), 3);
    let tasks = run.graph().by_task();
    assert_eq!(tasks.svg().matches("class=\"title\"").count(), 5);
    assert_eq!(tasks.mermaid().matches(":::skipped").count(), 2);
    assert_eq!(tasks.mermaid().matches(":::failed").count(), 1);
    assert_eq!(tasks.dot().matches(" -> ").count(), 4);
}

#[test]
fn the_summary_says_what_failed() {
    let text = runs::failing(&Pool::deterministic(3)).summary().to_string();
    assert!(text.contains("✕ refuse #2 ("), "{text}");
    assert!(text.contains("runs/mod.rs:") && text.contains("(2 skipped)"), "{text}");
}

#[test]
fn what_is_kept_is_told() {
    let run = runs::kept(&Pool::new(2));
    let text = run.summary().to_string();
    let line = text.lines().find(|line| line.starts_with("kept: ")).unwrap();
    assert!(line.starts_with("kept: 6 of 8, saved "), "{line}");
    let row = |name: &str| {
        let line = text.lines().find(|line| line.starts_with(name)).unwrap();
        let mut cells = line.split_whitespace().skip(1).map(str::to_owned);
        (cells.next().unwrap(), cells.next().unwrap())
    };
    let is = |calls: &str, kept: &str| (calls.to_owned(), kept.to_owned());
    assert_eq!(row("function"), is("count", "kept"));
    assert_eq!(row("parse"), is("6", "5"), "a call is a task, kept or not: {text}");
    assert_eq!(row("join"), is("2", "1"), "{text}");
    assert_eq!(row("add"), is("1", "–"), "{text}");
    // Where no store was asked there is no word of it.
    let text = runs::small(&Pool::new(2)).summary().to_string();
    assert!(!text.contains("kept"), "{text}");
}
