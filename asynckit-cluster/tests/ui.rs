//! What the compiler says of functions with `remote` that can't be that.
//!
//! Its words change from version to version, and so only ours are asked for: a line of `ui/remote.rs` that ends in
//! `//~ text: words | words` has an error of that code which begins in `text`, and says these words. There are no others,
//! but for such as stand at an attribute, whose function has one of its own.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

#[test]
fn what_cannot_travel_is_told_of_where_it_stands_and_with_what_to_do() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/ui/remote.rs");
    let source = fs::read_to_string(&file).unwrap();
    let said = compiled(&file, &libraries());
    let errors: Vec<Reported> = said.split("\nerror").filter_map(Reported::read).collect();
    let expected: Vec<Expected> = source.lines().zip(1..).filter_map(Expected::read).collect();
    assert!(expected.len() > 10);
    for one in &expected {
        assert!(errors.iter().any(|error| one.is_met_by(error)), "{one:?} is not in {said}");
    }
    for error in &errors {
        let is_at_attribute = || {
            let line = source.lines().nth(error.line - 1).unwrap();
            line.starts_with("#[async_work(remote")
        };
        let is_known = expected.iter().any(|one| one.line == error.line) || is_at_attribute();
        assert!(is_known, "unexpected: {error:?}");
    }
}

/// What is said of a line.
#[derive(Debug)]
struct Expected {
    line: usize,
    columns: std::ops::Range<usize>,
    words: Vec<String>,
}

impl Expected {
    fn read((text, line): (&str, usize)) -> Option<Expected> {
        let (code, note) = text.split_once("//~ ")?;
        let (at, words) = note.split_once(": ").expect("a text and what is said of it");
        let start = code.rfind(at).expect("the text stands on its line") + 1;
        let words = words.split(" | ").map(str::to_owned).collect();
        Some(Expected { line, columns: start..start + at.len(), words })
    }

    fn is_met_by(&self, error: &Reported) -> bool {
        self.line == error.line
            && self.columns.contains(&error.column)
            && self.words.iter().all(|words| error.text.contains(words))
    }
}

/// One error, with its notes.
#[derive(Debug)]
struct Reported {
    line: usize,
    column: usize,
    text: String,
}

impl Reported {
    /// `[E0277]: message`, and below ` --> file:line:column`. (What has no place sums up.)
    fn read(text: &str) -> Option<Reported> {
        let place = text.lines().find_map(|line| line.trim_start().strip_prefix("--> "))?;
        let mut place = place.rsplit(':').map(|number| number.parse().unwrap());
        let (column, line) = (place.next()?, place.next()?);
        Some(Reported { line, column, text: text.to_owned() })
    }
}

/// What a program links: these of the libraries that lie beside this test.
#[derive(Clone, Debug)]
struct Libraries {
    all: Vec<(&'static str, PathBuf)>,
}

/// Those that belong together. There may be several builds of each, with other features.
fn libraries() -> Libraries {
    let good = Path::new(env!("CARGO_TARGET_TMPDIR")).join("good.rs");
    let text = "#[derive(serde::Serialize, serde::Deserialize)] struct It;\n\
                #[asynckit::async_work(remote)] fn f(it: It) -> It { it }\n\
                fn main() { let _ = f; }";
    fs::write(&good, text).unwrap();
    let folder = env::current_exe().unwrap().parent().unwrap().to_owned();
    let newest = |name: &'static str| {
        let is_it = |path: &PathBuf| {
            let file = path.file_name().unwrap().to_string_lossy();
            file.starts_with(&format!("lib{name}-")) && file.ends_with(".rlib")
        };
        let all = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path());
        let mut all: Vec<PathBuf> = all.filter(is_it).collect();
        all.sort_by_key(|path| fs::metadata(path).and_then(|data| data.modified()).ok());
        all.reverse();
        all.into_iter().map(move |path| (name, path))
    };
    let clusters = newest("asynckit_cluster");
    let with = |all: Vec<_>, name| newest(name).map(move |one| [&all[..], &[one]].concat());
    let sets = clusters.flat_map(|one| with(vec![one], "asynckit"));
    let mut sets = sets.flat_map(|two| with(two, "serde")).map(|all| Libraries { all });
    let found = sets.find(|libraries| compiled(&good, libraries).is_empty());
    found.expect("the libraries are built before their tests")
}

/// All that is said of a file.
fn compiled(file: &Path, libraries: &Libraries) -> String {
    let folder = libraries.all[0].1.parent().unwrap();
    let compiler = env::var("RUSTC").unwrap_or_else(|_| "rustc".to_owned());
    let mut command = Command::new(compiler);
    command.args(["--emit=metadata", "--edition=2024", "--crate-type=bin", "--out-dir"]);
    command.arg(env!("CARGO_TARGET_TMPDIR"));
    command.arg("-L").arg(format!("dependency={}", folder.display()));
    for (name, path) in &libraries.all {
        command.arg("--extern").arg(format!("{name}={}", path.display()));
    }
    let output = command.arg(file).output().expect("the compiler runs");
    String::from_utf8_lossy(&output.stderr).into_owned()
}
