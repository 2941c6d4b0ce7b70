//! The examples do what they say.

mod support;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use support::Temporary;

/// An example, which is built with the tests.
fn example(name: &str) -> PathBuf {
    let tests = std::env::current_exe().unwrap();
    let target = tests.parent().and_then(Path::parent).unwrap();
    target.join("examples").join(name).with_extension(std::env::consts::EXE_EXTENSION)
}

fn run(name: &str, folder: &Path, arguments: &[&str]) -> String {
    let output = Command::new(example(name)).args(arguments).current_dir(folder).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn the_pipeline_does_again_what_has_changed() {
    let place = Temporary::new();
    let folder = place.file("");
    let first = run("pipeline", &folder, &[]);
    assert!(first.contains("kept: 0 of 4") && first.contains("bread             -9"), "{first}");
    let second = run("pipeline", &folder, &[]);
    assert!(second.contains("kept: 4 of 4") && !second.contains("again:"), "{second}");
    let file = folder.join("pipeline-demo/november.txt");
    let text = fs::read_to_string(&file).unwrap();
    fs::write(&file, text + "2026-11-27 rent -900\n").unwrap();
    let third = run("pipeline", &folder, &[]);
    assert!(third.contains("kept: 1 of 4") && third.contains("rent           -1800"), "{third}");
    for why in ["parse: another `file`", "join: another `all`", "report: another `sums`"] {
        assert!(third.contains(why), "{third}");
    }
    // By the folder's name likewise.
    let fourth = run("pipeline", &folder, &["pipeline-demo"]);
    assert!(fourth.contains("kept: 4 of 4"), "{fourth}");
    let list = run("kept", &folder, &["pipeline-demo/results.redb"]);
    assert_eq!(list.lines().count(), 7, "{list}");
    let functions = run("kept", &folder, &["pipeline-demo/results.redb", "functions"]);
    assert!(functions.contains("pipeline::parse: 3 values"), "{functions}");
    let forgotten = run("kept", &folder, &["pipeline-demo/results.redb", "forget", "parse"]);
    assert_eq!(forgotten.trim(), "3 forgotten");
}

#[test]
fn what_is_kept_is_listed_and_forgotten() {
    let place = Temporary::new();
    let told = run("kept", &place.file(""), &[]);
    assert!(told.contains("kept: 3 of 3") && told.contains("3 forgotten"), "{told}");
}
