//! The texts of a run made by hand, word for word. `GOLDEN=overwrite cargo test -p asynckit-view golden`
//! writes them anew.

use std::path::Path;

use crate::run::Run;
use crate::testing::{called, failing, held, kept};

#[track_caller]
fn check(name: &str, text: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/golden").join(name);
    if std::env::var_os("GOLDEN").is_some_and(|is| is == "overwrite") {
        std::fs::write(&path, text).unwrap();
    }
    let known = std::fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(text, known, "{name} is not what it was");
}

#[test]
fn the_texts_are_what_they_were() {
    let run = Run::new(failing());
    check("summary.txt", &run.summary().to_string());
    check("graph.mmd", &run.graph().mermaid());
    check("graph.dot", &run.graph().dot());
    check("graph.svg", &run.graph().svg());
    check("tasks.mmd", &run.graph().by_task().mermaid());
    check("tasks.dot", &run.graph().by_task().dot());
    check("tasks.svg", &run.graph().by_task().svg());
    let mut trace = Vec::new();
    crate::trace::write(&failing(), &crate::analysis::Analysis::of(&failing()), &mut trace)
        .unwrap();
    check("trace.json", &String::from_utf8(trace).unwrap());
}

/// The same of a run with a store, which had most of it.
#[test]
fn what_is_kept_is_told() {
    check("kept.txt", &Run::new(kept()).summary().to_string());
    let mut trace = Vec::new();
    crate::trace::write(&kept(), &crate::analysis::Analysis::of(&kept()), &mut trace).unwrap();
    check("kept.json", &String::from_utf8(trace).unwrap());
}

/// The same of a run with a limit, of which work takes more than one, and a rate.
#[test]
fn what_holds_back_is_told() {
    check("held.txt", &Run::new(held()).summary().to_string());
    let mut trace = Vec::new();
    crate::trace::write(&held(), &crate::analysis::Analysis::of(&held()), &mut trace).unwrap();
    check("held.json", &String::from_utf8(trace).unwrap());
}

/// The same of a run with callbacks.
#[test]
fn callbacks_are_told() {
    check("called.txt", &Run::new(called()).summary().to_string());
    let mut trace = Vec::new();
    crate::trace::write(&called(), &crate::analysis::Analysis::of(&called()), &mut trace).unwrap();
    check("called.json", &String::from_utf8(trace).unwrap());
}
