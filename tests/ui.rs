//! What the compiler says.
//!
//! - `ui/fail`: mistakes that the macros themselves report, word for word;
//! - `ui/rustc`: mistakes that the compiler finds in expansions. Its words change from version to
//!   version, so that these are checked by code and place: a line that ends in `//~ E0277 text:
//!   message` (or `//~ error text`, for an error without a code) has just that error, somewhere in
//!   `text`, and with `message` in what is said;
//! - `ui/pass`: code that gives neither error nor warning, in both editions; `ui/crates` is a crate that
//!   it may use.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

#[test]
fn mistakes_that_the_macros_report() {
    let cases = trybuild::TestCases::new();
    cases.compile_fail("tests/ui/fail/work_*.rs");
    cases.compile_fail("tests/ui/fail/chain_*.rs");
}

#[test]
fn mistakes_that_the_compiler_reports() {
    for file in sources("rustc") {
        let source = fs::read_to_string(&file).unwrap();
        let expected = expectations(&source);
        assert!(!expected.is_empty(), "{}: no `//~`", file.display());
        let found = errors(&compile(&file, "2024"));
        for (line, wanted) in &expected {
            let met = found.iter().any(|error| error.line == *line && error.meets(wanted));
            assert!(met, "{}:{line}: {wanted:?} is not among {found:#?}", file.display());
        }
        for error in &found {
            let known = expected.contains_key(&error.line);
            assert!(known, "{}: unexpected {error:?}", file.display());
        }
    }
}

#[test]
fn code_without_mistakes() {
    for edition in ["2021", "2024"] {
        for file in sources("crates").into_iter().chain(sources("pass")) {
            let said = compile(&file, edition);
            assert!(said.is_empty(), "{}, edition {edition}:\n{said}", file.display());
        }
    }
}

/// What a line says about its error.
#[derive(Debug)]
struct Expected {
    code: String,
    columns: std::ops::RangeInclusive<usize>,
    message: String,
}

fn expectations(source: &str) -> BTreeMap<usize, Expected> {
    let mut expected = BTreeMap::new();
    for (index, line) in source.lines().enumerate() {
        let Some((code_line, note)) = line.split_once("//~ ") else {
            continue;
        };
        let (code, rest) = note.split_once(' ').expect("a code and a text");
        let (text, message) = match rest.split_once(": ") {
            Some((text, message)) => (text, message),
            None => (rest, ""),
        };
        let start = code_line.rfind(text).expect("the text stands on its line") + 1;
        let columns = start..=start + text.len();
        let (code, message) = (code.to_owned(), message.to_owned());
        expected.insert(index + 1, Expected { code, columns, message });
    }
    expected
}

/// One line of what the compiler says: `file:line:column: error[code]: message`, from the code on.
#[derive(Debug)]
struct Reported {
    line: usize,
    column: usize,
    text: String,
}

impl Reported {
    fn meets(&self, expected: &Expected) -> bool {
        let code = format!("[{}]", expected.code);
        (expected.code == "error" || self.text.starts_with(&code))
            && expected.columns.contains(&self.column)
            && self.text.contains(&expected.message)
    }
}

fn errors(said: &str) -> Vec<Reported> {
    let report = |line: &str| {
        let (place, text) = line.split_once(": error")?;
        let mut place = place.rsplit(':');
        let column = place.next()?.parse().ok()?;
        let line = place.next()?.parse().ok()?;
        Some(Reported { line, column, text: text.to_owned() })
    };
    said.lines().filter_map(report).collect()
}

fn sources(folder: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/ui").join(folder);
    let mut files: Vec<PathBuf> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

/// Compiles a file against the library that this test was built with; gives all that is said.
fn compile(file: &Path, edition: &str) -> String {
    let libraries = env::current_exe().unwrap().parent().unwrap().to_owned();
    let compiler = env::var("RUSTC").unwrap_or_else(|_| "rustc".to_owned());
    // Tests run side by side, each file in its own place.
    let kind = file.parent().unwrap().file_name().unwrap();
    let place = Path::new(env!("CARGO_TARGET_TMPDIR")).join(kind);
    fs::create_dir_all(&place).unwrap();
    let crates = place.parent().unwrap().join("crates");
    let (kind, name) = match kind == "crates" {
        true => ("lib", file.file_stem().unwrap().to_str().unwrap()),
        false => ("bin", "case"),
    };
    let output = Command::new(compiler)
        .args(["--emit=metadata", "--error-format=short"])
        .args([format!("--crate-type={kind}"), format!("--crate-name={name}")])
        .arg(format!("--edition={edition}"))
        .arg("--out-dir")
        .arg(&place)
        .args(["-L", &format!("dependency={}", libraries.display())])
        .args(["-L", &crates.display().to_string()])
        .args(["--extern", "kit"])
        .arg("--extern")
        .arg(format!("asynckit={}", newest_library(&libraries).display()))
        .arg(file)
        .output()
        .expect("the compiler runs");
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn newest_library(libraries: &Path) -> PathBuf {
    let is_ours = |path: &PathBuf| {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        name.starts_with("libasynckit-") && name.ends_with(".rlib")
    };
    let mut found: Vec<PathBuf> = fs::read_dir(libraries)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(is_ours)
        .collect();
    found.sort_by_key(|path| fs::metadata(path).and_then(|data| data.modified()).ok());
    found.pop().expect("the library is built before its tests")
}
