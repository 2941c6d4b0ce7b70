//! What recordings and what is made of them promise, through the public interface.

#[path = "../runs/mod.rs"]
mod runs;

mod elsewhere;
mod environment;
mod held;
mod hosts;
mod page;
mod progress;
mod recording;
mod texts;
mod trace;

use std::path::PathBuf;

use asynckit_view::Run;
use serde_json::Value;

/// The page of a run.
pub(crate) fn html(run: &Run) -> String {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run.html");
    run.save_html(&path).unwrap();
    std::fs::read_to_string(path).unwrap()
}

/// What the page's script reads.
pub(crate) fn data(html: &str) -> Value {
    let (_, rest) = html.split_once("id=\"run\">").unwrap();
    let (data, _) = rest.split_once("</script>").unwrap();
    serde_json::from_str(data).unwrap()
}

pub(crate) fn numbers(value: &Value) -> Vec<i64> {
    value.as_array().unwrap().iter().map(|n| n.as_i64().unwrap()).collect()
}

pub(crate) fn strings(value: &Value) -> Vec<&str> {
    value.as_array().unwrap().iter().map(|text| text.as_str().unwrap()).collect()
}

/// How many tasks of each function ended in each state, in words: `add: 2 skipped`.
pub(crate) fn states(data: &Value) -> Vec<String> {
    const STATES: [&str; 8] = [
        "done",
        "failed",
        "panicked",
        "skipped",
        "cancelled",
        "timed out",
        "stopped",
        "still running",
    ];
    let functions = strings(&data["functions"]);
    let tasks = &data["tasks"];
    let mut counts = std::collections::BTreeMap::new();
    for (function, state) in numbers(&tasks["fn"]).iter().zip(numbers(&tasks["state"])) {
        *counts.entry((functions[*function as usize], STATES[state as usize])).or_insert(0) += 1;
    }
    counts.into_iter().map(|((function, state), n)| format!("{function}: {n} {state}")).collect()
}

/// When tasks stood in the lines of limits: of which task, by which limit, since the recording began, for how long.
pub(crate) fn holds(data: &Value) -> Vec<[i64; 4]> {
    let submitted: Vec<i64> = sums(&numbers(&data["tasks"]["submitted"]));
    let [tasks, limits, starts, lengths] =
        ["task", "limit", "start", "length"].map(|column| numbers(&data["holds"][column]));
    let all = sums(&tasks).into_iter().zip(limits).zip(starts.into_iter().zip(lengths));
    all.map(|((task, limit), (start, length))| {
        [task, limit, submitted[task as usize] + start, length]
    })
    .collect()
}

/// When permits of limits were with somebody: of which limit, since when, for how long, how many.
pub(crate) fn permits(data: &Value) -> Vec<[i64; 4]> {
    let [limits, starts, lengths, weights] =
        ["limit", "start", "length", "weight"].map(|column| numbers(&data["permits"][column]));
    let all = limits.into_iter().zip(sums(&starts)).zip(lengths.into_iter().zip(weights));
    all.map(|((limit, start), (length, weight))| [limit, start, length, weight]).collect()
}

fn sums(steps: &[i64]) -> Vec<i64> {
    let add = |sum: &mut i64, step: &i64| {
        *sum += step;
        Some(*sum)
    };
    steps.iter().scan(0, add).collect()
}

pub(crate) fn temporary(name: &str) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    (folder, path)
}
