//! Traces are what the description of the trace-event format says.

use std::collections::BTreeMap;

use asynckit::Pool;
use serde_json::Value;

use crate::{runs, temporary};

fn trace(run: &asynckit_view::Run) -> Value {
    let (_folder, path) = temporary("run.json");
    run.save_trace(&path).unwrap();
    serde_json::from_reader(std::fs::File::open(path).unwrap()).unwrap()
}

/// In nanoseconds, which the format's microseconds have as their thousandths.
fn nanos(value: &Value) -> i64 {
    (value.as_f64().unwrap() * 1e3).round() as i64
}

type Thread = (u64, u64);

fn thread(event: &Value) -> Thread {
    (event["pid"].as_u64().unwrap(), event["tid"].as_u64().unwrap())
}

/// What must hold of each event by its phase.
fn check(event: &Value) {
    assert!(event["name"].is_string() && event["cat"].is_string(), "{event}");
    assert!(nanos(&event["ts"]) >= 0, "{event}");
    let _ = thread(event);
    match event["ph"].as_str().unwrap() {
        "X" => assert!(nanos(&event["dur"]) >= 0, "{event}"),
        "i" => assert_eq!(event["s"], "t"),
        "M" => {
            let argument = match event["name"].as_str().unwrap() {
                "process_name" | "thread_name" => event["args"]["name"].is_string(),
                "thread_sort_index" => event["args"]["sort_index"].is_number(),
                other => panic!("{other} is no metadata"),
            };
            assert!(argument, "{event}");
        }
        "C" => {
            let values = event["args"].as_object().unwrap();
            assert!(
                !values.is_empty() && values.values().all(|value| value.as_i64() >= Some(0)),
                "{event}"
            );
        }
        "s" => assert!(event["id"].is_u64(), "{event}"),
        "f" => assert!(event["id"].is_u64() && event["bp"] == "e", "{event}"),
        other => panic!("{other} is no phase that is used"),
    }
}

#[test]
fn a_trace_is_what_the_format_admits() {
    let trace = trace(&runs::mixed(&Pool::new(3)));
    assert!(["ns", "ms"].contains(&trace["displayTimeUnit"].as_str().unwrap()));
    let events = trace["traceEvents"].as_array().unwrap();
    let arrows = check_all(events);
    assert!(arrows >= 240, "{arrows} arrows");

    // All that counts comes back to nothing.
    let mut last: BTreeMap<&str, &Value> = BTreeMap::new();
    for event in events.iter().filter(|event| event["ph"] == "C") {
        last.insert(event["name"].as_str().unwrap(), &event["args"]);
    }
    assert!(last.len() >= 3, "{last:?}");
    for values in last.values() {
        assert!(values.as_object().unwrap().values().all(|value| *value == 0), "{last:?}");
    }
}

#[test]
fn callbacks_are_slices_with_an_arrow_from_their_task() {
    let trace = trace(&runs::called_within());
    let events = trace["traceEvents"].as_array().unwrap();
    // Slices within each other, among others.
    check_all(events);
    let is_callback = |event: &&Value| {
        let name = event["name"].as_str().unwrap();
        event["ph"] == "X" && name.starts_with("callback mod.rs:")
    };
    let callbacks: Vec<&Value> = events.iter().filter(is_callback).collect();
    assert_eq!(callbacks.len(), 2);
    for callback in callbacks {
        let about = &callback["args"];
        assert!(about["at"].as_str().unwrap().contains("runs/mod.rs:"), "{callback}");
        let task = about["result of"].as_str().unwrap().strip_prefix("held #").unwrap();
        let task: u64 = task.parse().unwrap();
        let at = |event: &&Value| event["ts"] == callback["ts"] && event["ph"] == "f";
        let arrow = events.iter().find(at).unwrap();
        let from = events.iter().find(|event| event["ph"] == "s" && event["id"] == arrow["id"]);
        let from = nanos(&from.unwrap()["ts"]);
        let task = events.iter().find(|event| event["args"]["task"] == task).unwrap();
        assert_eq!(from + 1, nanos(&task["ts"]) + nanos(&task["dur"]));
    }
}

/// What must hold of all events of a trace; how many arrows there are.
fn check_all(events: &[Value]) -> usize {
    events.iter().for_each(check);

    // Slices of a thread lie within each other, or apart.
    let mut slices: BTreeMap<Thread, Vec<(i64, i64)>> = BTreeMap::new();
    for event in events.iter().filter(|event| event["ph"] == "X") {
        let start = nanos(&event["ts"]);
        slices.entry(thread(event)).or_default().push((start, start + nanos(&event["dur"])));
    }
    for of_thread in slices.values_mut() {
        of_thread.sort_by_key(|&(start, end)| (start, -end));
        let mut open: Vec<i64> = Vec::new();
        for &(start, end) in of_thread.iter() {
            while open.last().is_some_and(|&around| around <= start) {
                open.pop();
            }
            assert!(
                open.last().is_none_or(|&around| end <= around),
                "a slice crosses another one's end"
            );
            open.push(end);
        }
    }

    // Each thread that has slices has a name.
    let named: Vec<Thread> =
        events.iter().filter(|event| event["name"] == "thread_name").map(thread).collect();
    assert!(slices.keys().all(|thread| named.contains(thread)));

    // Arrows come in pairs, go forward, and begin within a slice.
    let mut begun: BTreeMap<u64, (Thread, i64)> = BTreeMap::new();
    let mut arrows = 0;
    for event in events.iter().filter(|event| event["ph"] == "s" || event["ph"] == "f") {
        let (id, at) = (event["id"].as_u64().unwrap(), nanos(&event["ts"]));
        let around = slices[&thread(event)].iter().any(|&(start, end)| start <= at && at <= end);
        assert!(around, "an arrow at no slice: {event}");
        if event["ph"] == "s" {
            assert!(begun.insert(id, (thread(event), at)).is_none());
        } else {
            let (_, from) = begun.remove(&id).unwrap();
            assert!(from <= at);
            arrows += 1;
        }
    }
    assert!(begun.is_empty(), "{begun:?}");
    arrows
}
