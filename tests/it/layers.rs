//! The layers of the code: what ARCHITECTURE.md states of the sources holds.
//!
//! - Each module of `asynckit/src` imports only from layers below its own ("Layers" there has the list).
//! - Within a directory whose `mod.rs` has a list of its files, each imports only those above it.
//! - No files import each other in a cycle.
//! - `unsafe` stands in `core/` alone.
//! - No file is longer than 400 lines, without its tests.
//! - No two types have one name.
//! - The way of a task, as it is told there, passes twelve files at most.

mod sources;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use sources::{File, Import, Module, Sources};

/// The most lines of a file.
const MOST: usize = 400;

/// Names of public modules' own: `observe::Running` and `carry::Running`.
const SHARED: [&str; 2] = ["Ending", "Running"];

fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

#[test]
fn the_code_keeps_its_layers() {
    let sources = Sources::read(&repository().join("asynckit/src"));
    let architecture = std::fs::read_to_string(repository().join("ARCHITECTURE.md")).unwrap();
    // That it sees anything at all.
    assert!(sources.files.len() > 100 && sources.imports().len() > 500);
    let listed = sources.files.iter().filter(|(_, file)| listed(file).is_some());
    let listed: Vec<String> = listed.map(|(module, _)| module.join("::")).collect();
    assert_eq!(listed, ["core", "pool", "terms", "work"]);
    let complaints = complaints(&sources, &architecture);
    assert!(complaints.is_empty(), "\n{}\n", complaints.join("\n"));
}

/// A task's way is told step by step: each in a file that is there and comes once, and in twelve files at most.
#[test]
fn the_way_of_a_task_passes_twelve_files() {
    let architecture = std::fs::read_to_string(repository().join("ARCHITECTURE.md")).unwrap();
    let way = architecture.split("## The way of one task").nth(1).expect("it is told");
    let steps = way.lines().filter_map(|line| line.strip_prefix("| ")?.split_once(" | "));
    let steps = steps.filter_map(|(number, step)| Some((number.parse().ok()?, step)));
    let files: Vec<(usize, &str)> =
        steps.map(|(number, step)| (number, backticked(step).next().expect("a file"))).collect();
    assert_eq!(files.last().expect("there are steps").0, files.len());
    assert!(files.len() <= 12, "{files:?}");
    let once: BTreeSet<&str> = files.iter().map(|(_, file)| *file).collect();
    assert_eq!(once.len(), files.len(), "a file comes twice: {files:?}");
    for file in once {
        assert!(repository().join("asynckit/src").join(file).is_file(), "{file} is not there");
    }
}

/// All that is wrong.
fn complaints(sources: &Sources, architecture: &str) -> Vec<String> {
    let mut all = Vec::new();
    let imports: Vec<Import> =
        sources.imports().into_iter().filter(|import| !import.from.is_empty()).collect();
    let layers = layers(architecture);
    look_at_list(sources, &layers, &mut all);
    imports.iter().for_each(|import| look_at_layers(sources, import, &layers, &mut all));
    for (module, file) in &sources.files {
        if let Some(list) = listed(file) {
            look_at_directory(sources, module, &list, &imports, &mut all);
        }
    }
    look_for_cycles(sources, &imports, &mut all);
    look_at_names(sources, &mut all);
    for (module, file) in &sources.files {
        let path = &file.path;
        if module.first().is_none_or(|layer| layer != "core") {
            let places = file.unsafes.iter();
            all.extend(places.map(|line| {
                format!(
                    "{path}:{line} has `unsafe`, which is for core/: hide it behind a type there"
                )
            }));
        }
        if file.lines > MOST {
            let lines = file.lines;
            all.push(format!(
                "{path} has {lines} lines without its tests, of {MOST} at most: take it apart"
            ));
        }
    }
    all
}

/// The layers as ARCHITECTURE.md lists them, from below. Modules of one layer don't import each other.
fn layers(architecture: &str) -> Vec<Vec<String>> {
    let lines = architecture.lines().skip_while(|line| *line != "## Layers").skip(1);
    let section = lines.take_while(|line| !line.starts_with("## "));
    let items = section.filter_map(|line| {
        let (number, item) = line.split_once(". ")?;
        number.parse::<usize>().ok()?;
        let (names, _) = item.split_once(": ")?;
        Some(backticked(names).map(|name| name.trim_end_matches('/').to_owned()).collect())
    });
    items.collect()
}

fn backticked(text: &str) -> impl Iterator<Item = &str> {
    text.split('`').skip(1).step_by(2)
}

/// The files of a directory in their order, where its documentation lists them.
fn listed(file: &File) -> Option<Vec<String>> {
    let lines = file.docs.lines().map(str::trim).skip_while(|line| *line != "# The files").skip(1);
    let section: Vec<&str> = lines.take_while(|line| !line.starts_with("# ")).collect();
    let names: Vec<String> = backticked(&section.join(" ")).map(str::to_owned).collect();
    (!names.is_empty()).then_some(names)
}

/// Each module is in one layer, and the root declares them in that order.
fn look_at_list(sources: &Sources, layers: &[Vec<String>], all: &mut Vec<String>) {
    let Some(root) = sources.files.get(&Vec::new()) else { return };
    let layer_of = |module: &String| layers.iter().position(|layer| layer.contains(module));
    for module in &root.modules {
        if layer_of(module).is_none() {
            all.push(format!("`{module}` is in no layer: enter it in ARCHITECTURE.md"));
        }
    }
    for module in layers.iter().flatten().filter(|module| !root.modules.contains(module)) {
        all.push(format!("ARCHITECTURE.md lists the layer `{module}`, which is not there"));
    }
    if !root.modules.is_sorted_by_key(layer_of) {
        all.push(format!("{} lists the modules in another order than ARCHITECTURE.md", root.path));
    }
}

fn look_at_layers(
    sources: &Sources,
    import: &Import,
    layers: &[Vec<String>],
    all: &mut Vec<String>,
) {
    let Import { from, to, line, what } = import;
    let at = format!("{}:{line}", sources.files[from].path);
    let Some(upper) = to.first() else {
        return all.push(format!(
            "{at} imports `{what}` by way of the root, which is above: name the module that has it"
        ));
    };
    let layer_of = |name: &String| layers.iter().position(|layer| layer.contains(name));
    let (own, other) = (&from[0], upper);
    if own == other {
        return;
    }
    if let (Some(here), Some(there)) = (layer_of(own), layer_of(other))
        && there >= here
    {
        let where_ = if there == here { "beside" } else { "above" };
        all.push(format!(
            "{at} imports `{what}`, but `{other}` stands {where_} `{own}`: move what both need down, or \
             what needs it up (ARCHITECTURE.md, \"Layers\")"
        ));
    }
}

/// Within a directory each file imports only those above it in the list. `mod` is the directory's own.
fn look_at_directory(
    sources: &Sources,
    directory: &Module,
    list: &[String],
    imports: &[Import],
    all: &mut Vec<String>,
) {
    let path = &sources.files[directory].path;
    let is_here = |module: &Module| module.starts_with(directory);
    let name = |module: &Module| match module[directory.len()..].join("/") {
        own if own.is_empty() => "mod".to_owned(),
        own => own,
    };
    let place = |module: &Module| list.iter().position(|listed| *listed == name(module));
    for (module, file) in sources.files.iter().filter(|(module, _)| is_here(module)) {
        if module != directory && place(module).is_none() {
            all.push(format!("{path} does not list `{}` ({})", name(module), file.path));
        }
    }
    for listed in list {
        let of_list = directory.iter().cloned().chain(listed.split('/').map(str::to_owned));
        if listed != "mod" && !sources.files.contains_key(&of_list.collect::<Module>()) {
            all.push(format!("{path} lists `{listed}`, which is not there"));
        }
    }
    for import in imports.iter().filter(|import| is_here(&import.from) && is_here(&import.to)) {
        if let (Some(here), Some(there)) = (place(&import.from), place(&import.to))
            && there > here
        {
            let (file, line, what) = (&sources.files[&import.from].path, import.line, &import.what);
            let (upper, own) = (name(&import.to), name(&import.from));
            all.push(format!(
                "{file}:{line} imports `{what}`, but {path} lists `{upper}` below `{own}`: move what both \
                 need up the list, or what needs it down"
            ));
        }
    }
}

/// A name means one thing, wherever it is read.
fn look_at_names(sources: &Sources, all: &mut Vec<String>) {
    let mut known: BTreeMap<&str, String> = BTreeMap::new();
    for file in sources.files.values() {
        for (name, line) in file.types.iter().filter(|(name, _)| !SHARED.contains(&name.as_str())) {
            let here = format!("{}:{line}", file.path);
            if let Some(there) = known.insert(name, here.clone()) {
                all.push(format!(
                    "{here} and {there} both have a type `{name}`: rename one of them"
                ));
            }
        }
    }
}

fn look_for_cycles(sources: &Sources, imports: &[Import], all: &mut Vec<String>) {
    let mut graph: BTreeMap<&Module, Vec<&Import>> = BTreeMap::new();
    for import in imports.iter().filter(|import| !import.to.is_empty()) {
        graph.entry(&import.from).or_default().push(import);
    }
    // What imports nothing that is left is in no cycle, and does not close one.
    loop {
        let left = graph.len();
        let ends: Vec<&Module> = graph
            .values()
            .flatten()
            .map(|import| &import.to)
            .filter(|to| !graph.contains_key(to))
            .collect();
        for imports in graph.values_mut() {
            imports.retain(|import| !ends.contains(&&import.to));
        }
        graph.retain(|_, imports| !imports.is_empty());
        if graph.len() == left && ends.is_empty() {
            break;
        }
    }
    let Some((&start, _)) = graph.first_key_value() else { return };
    // All that is left leads into a cycle: one step after the other, until it comes back.
    let (mut way, mut at) = (Vec::<&Import>::new(), start);
    let cycle = loop {
        if let Some(begin) = way.iter().position(|import| import.from == *at) {
            break &way[begin..];
        }
        let step = graph[at][0];
        way.push(step);
        at = &step.to;
    };
    let steps = cycle.iter().map(|Import { from, line, what, .. }| {
        format!("  {}:{line} imports `{what}`", sources.files[from].path)
    });
    let steps: Vec<String> = steps.collect();
    all.push(format!("These files import each other in a cycle:\n{}", steps.join("\n")));
}

/// What is wrong with sources that are made up, of three layers.
fn of(texts: &[(&str, &str)]) -> Vec<String> {
    let layers = "# Map\n\n## Layers\n\n1. `core/`: below.\n2. `pool/`: on it.\n3. `result`, `work`: \
                  above.\n\n## More\n\n4. `other`: no layer.\n";
    let mut all = vec![
        ("lib.rs", "mod core; mod pool; mod result; mod work; pub use result::Handle;"),
        ("core/mod.rs", "mod cell; pub(crate) use cell::Cell;"),
        ("core/cell.rs", "pub(crate) struct Cell; impl Cell { unsafe fn new() {} }"),
        ("pool/mod.rs", "mod queue; mod worker; pub(crate) use worker::run;"),
        ("pool/queue.rs", "use crate::core::Cell; pub(crate) struct Queue(Cell);"),
        ("pool/worker.rs", "use super::queue::Queue; pub(crate) fn run(_: Queue) {}"),
        ("result.rs", "use crate::pool; pub struct Handle; fn get() { pool::run() }"),
        ("work.rs", "use std::fmt; use crate::core; fn work() -> core::Cell { todo!() }"),
    ];
    for (path, text) in texts {
        all.retain(|(other, _)| other != path);
        all.push((path, text));
    }
    complaints(&Sources::parse(all), layers)
}

#[track_caller]
fn complains(texts: &[(&str, &str)], words: &[&str]) {
    let all = of(texts);
    let has = |all: &[String]| words.iter().all(|word| all.iter().any(|one| one.contains(word)));
    assert!(has(&all), "{words:?} is not in {all:#?}");
}

#[test]
fn sources_in_order_pass() {
    assert_eq!(of(&[]), [""; 0]);
    let tests = "#[cfg(test)] mod tests { use crate::work::Work; }\n#[cfg(test)] fn t() { crate::work::f() }";
    assert_eq!(of(&[("core/cell.rs", &format!("pub(crate) struct Cell;\n{tests}"))]), [""; 0]);
    let long =
        format!("pub(crate) struct Cell;\n#[cfg(test)]\nmod tests {{\n{}}}", "//\n".repeat(MOST));
    assert_eq!(of(&[("core/cell.rs", &long)]), [""; 0]);
    let other =
        "// use crate::work::Work;\n/// [`Work`](crate::work::Work)\npub(crate) struct Cell;";
    assert_eq!(of(&[("core/cell.rs", other)]), [""; 0]);
    // A module of the tests' own.
    let own = [
        (
            "core/mod.rs",
            "#[cfg(all(test, not(miri)))] mod tests; mod cell; pub(crate) use cell::Cell;",
        ),
        ("core/tests.rs", "use crate::work::Work;"),
    ];
    assert_eq!(of(&own), [""; 0]);
}

#[test]
fn imports_that_go_up_are_found() {
    let up = "core/cell.rs:1 imports `crate::work::Work`, but `work` stands above `core`";
    complains(&[("core/cell.rs", "use crate::work::Work; pub(crate) struct Cell;")], &[up]);
    complains(
        &[("core/cell.rs", "use crate::{work::{Work as Its}}; pub(crate) struct Cell;")],
        &[up],
    );
    complains(&[("core/cell.rs", "use super::super::work::Work; pub(crate) struct Cell;")], &[up]);
    complains(&[("core/cell.rs", "pub(crate) struct Cell(crate::work::Work);")], &[up]);
    complains(
        &[("core/cell.rs", "pub(crate) struct Cell; mod m { use crate::work::Work; }")],
        &[up],
    );
    let glob = "core/cell.rs:1 imports `crate::work`";
    complains(&[("core/cell.rs", "use crate::work::*; pub(crate) struct Cell;")], &[glob]);
    let in_macro = "pub(crate) struct Cell;\nmacro_rules! m { () => { f(crate::work::Work, 1) } }";
    let second = "core/cell.rs:2 imports `crate::work::Work`";
    complains(&[("core/cell.rs", in_macro)], &[second]);
    let module = "use crate::work;\npub(crate) struct Cell(work::Work);";
    complains(&[("core/cell.rs", module)], &["core/cell.rs:1 imports `crate::work`", second]);
    let beside = "work.rs:1 imports `crate::result::Handle`, but `result` stands beside `work`";
    complains(&[("work.rs", "use crate::result::Handle;")], &[beside]);
    // Over what others hand on.
    let over = [
        ("core/mod.rs", "mod cell; pub(crate) use cell::Cell; pub(crate) use crate::pool::Pool;"),
        ("core/cell.rs", "use super::Pool; pub(crate) struct Cell;"),
    ];
    let twice =
        ["core/mod.rs:1 imports `crate::pool::Pool`", "core/cell.rs:1 imports `crate::core::Pool`"];
    complains(&over, &twice);
    let root = "work.rs:1 imports `crate::Missing` by way of the root";
    complains(&[("work.rs", "use crate::Missing;")], &[root]);
}

#[test]
fn cycles_of_files_are_found() {
    let cycle = [("pool/queue.rs", "use super::worker::run; pub(crate) struct Queue;")];
    let steps = ["pool/queue.rs:1 imports `crate::pool::worker::run`", "pool/worker.rs:1 imports"];
    complains(&cycle, &["in a cycle", steps[0], steps[1]]);
    let handed_on = [("pool/queue.rs", "use crate::pool::run; pub(crate) struct Queue;")];
    complains(&handed_on, &["in a cycle", "pool/queue.rs:1 imports `crate::pool::run`"]);
    let parent = [
        (
            "pool/mod.rs",
            "mod queue; mod worker; pub(crate) use worker::run; struct P; fn f() { run() }",
        ),
        ("pool/worker.rs", "use super::P; pub(crate) fn run() {}"),
    ];
    complains(&parent, &["in a cycle", "pool/worker.rs:1 imports `crate::pool::P`"]);
}

#[test]
fn lists_of_files_are_held_to() {
    let pool = |list: &str| {
        format!(
            "//! Pool.\n//!\n//! # The files\n//!\n//! From below: {list}.\nmod queue; mod worker;"
        )
    };
    let right = pool("`queue`, `worker`");
    assert_eq!(of(&[("pool/mod.rs", &right), ("result.rs", "")]), [""; 0]);
    let wrong = pool("`worker`, `queue`");
    complains(
        &[("pool/mod.rs", &wrong)],
        &["pool/worker.rs:1 imports", "lists `queue` below `worker`"],
    );
    complains(&[("pool/mod.rs", &pool("`worker`"))], &["pool/mod.rs does not list `queue`"]);
    let more = pool("`queue`, `worker`, `sleep`");
    complains(&[("pool/mod.rs", &more)], &["pool/mod.rs lists `sleep`, which is not there"]);
    let other = "mod core; mod result; mod pool; mod work; mod other;";
    let both = ["lib.rs lists the modules in another order", "`other` is in no layer"];
    complains(&[("lib.rs", other), ("other.rs", "")], &both);
    complains(
        &[("lib.rs", "mod core; mod pool; mod result;")],
        &["the layer `work`, which is not there"],
    );
}

#[test]
fn no_crate_has_two_types_of_one_name() {
    let mut all = Vec::new();
    for name in ["asynckit-macros", "asynckit-store", "asynckit-view", "asynckit-cluster"] {
        let sources = Sources::read(&repository().join(name).join("src"));
        assert!(sources.files.values().map(|file| file.types.len()).sum::<usize>() > 10, "{name}");
        look_at_names(&sources, &mut all);
    }
    assert!(all.is_empty(), "\n{}\n", all.join("\n"));
}

#[test]
fn names_that_come_twice_are_found() {
    let second = "#[cfg(test)] struct Queue; fn f() { enum Cell {} } union Cell { a: u8 }";
    complains(
        &[("work.rs", second)],
        &["work.rs:1 and core/cell.rs:1 both have a type `Cell`: rename one of them"],
    );
    assert_eq!(of(&[("work.rs", "#[cfg(test)] struct Queue; fn f() { enum Cell {} }")]), [""; 0]);
}

#[test]
fn unsafe_code_and_long_files_are_found() {
    let unsafe_ = "fn f() {}\n\nfn g() { unsafe { f() } }";
    complains(&[("work.rs", unsafe_)], &["work.rs:3 has `unsafe`"]);
    complains(
        &[("work.rs", "macro_rules! m { () => { unsafe { f() } } }")],
        &["work.rs:1 has `unsafe`"],
    );
    let long = "\n".repeat(MOST + 1);
    complains(&[("work.rs", &long)], &["work.rs has 401 lines"]);
}
