//! Chrome's trace-event format, which Perfetto opens as well.
//!
//! A row is a thread; a task's stretches are complete events (`X`), and so are its waits within them, and
//! callbacks. An arrow (`s`, `f`) leads from the end of a task to the start of all that needed it: tasks, and
//! callbacks of its result. Counters (`C`) tell what ran, what was ready, and how full each limit was; instants
//! (`i`) are notes and tasks that never ran.

use std::io::{self, Write};

use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::analysis::Analysis;
use crate::model::{Kept, Model, State, Task};
use crate::names::short_place;

/// There is but one process.
const PROCESS: u32 = 1;

/// One event. All times are in microseconds.
#[derive(Serialize)]
struct Event<'e> {
    name: &'e str,
    cat: &'e str,
    ph: &'e str,
    pid: u32,
    tid: u32,
    ts: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    dur: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<u64>,
    /// An arrow ends at the slice around it, not at the next one.
    #[serde(skip_serializing_if = "Option::is_none")]
    bp: Option<&'e str>,
    /// An instant is of its thread.
    #[serde(skip_serializing_if = "Option::is_none")]
    s: Option<&'e str>,
    #[serde(skip_serializing_if = "Map::is_empty")]
    args: Map<String, Value>,
}

impl<'e> Event<'e> {
    fn new(ph: &'e str, name: &'e str, tid: u32, at: u64) -> Event<'e> {
        let (cat, args) = ("asynckit", Map::new());
        Event {
            name,
            cat,
            ph,
            pid: PROCESS,
            tid,
            ts: micros(at),
            dur: None,
            id: None,
            bp: None,
            s: None,
            args,
        }
    }

    fn with(mut self, key: &str, value: impl Into<Value>) -> Event<'e> {
        self.args.insert(key.to_owned(), value.into());
        self
    }
}

fn micros(ns: u64) -> f64 {
    ns as f64 / 1e3
}

/// The thread of a row; the format's own numbers begin at one, and nobody's is the last.
fn thread(row: Option<u32>, model: &Model) -> u32 {
    row.unwrap_or(model.rows.len() as u32) + 1
}

pub(crate) fn write(model: &Model, analysis: &Analysis, file: &mut dyn Write) -> io::Result<()> {
    file.write_all(b"{\"displayTimeUnit\":\"ns\",\"traceEvents\":[")?;
    let mut out = Out { file, first: true };
    names(model, &mut out)?;
    slices(model, analysis, &mut out)?;
    callbacks(model, &mut out)?;
    arrows(model, &mut out)?;
    counters(model, &mut out)?;
    let about = json!({ "name": model.name, "command": model.command, "recorded": model.recorded });
    write!(out.file, "\n],\"otherData\":{about}}}\n")
}

/// An event a line.
struct Out<'f> {
    file: &'f mut dyn Write,
    first: bool,
}

impl Out<'_> {
    fn put(&mut self, event: &Event<'_>) -> io::Result<()> {
        self.file.write_all(if self.first { b"\n" } else { b",\n" })?;
        self.first = false;
        serde_json::to_writer(&mut *self.file, event).map_err(io::Error::from)
    }
}

fn names(model: &Model, out: &mut Out<'_>) -> io::Result<()> {
    let process = if model.name.is_empty() { "asynckit" } else { &model.name };
    out.put(&Event::new("M", "process_name", 0, 0).with("name", process))?;
    let mut name = |tid: u32, name: &str| {
        out.put(&Event::new("M", "thread_name", tid, 0).with("name", name))?;
        out.put(&Event::new("M", "thread_sort_index", tid, 0).with("sort_index", tid))
    };
    for (k, row) in (0..).zip(&model.rows) {
        name(thread(Some(k), model), &row.name)?;
    }
    if model.tasks.iter().any(|task| task.row.is_none()) {
        name(thread(None, model), "never ran")?;
    }
    Ok(())
}

fn slices(model: &Model, analysis: &Analysis, out: &mut Out<'_>) -> io::Result<()> {
    for i in model.numbers() {
        let task = model.task(i);
        let pieces = model.pieces(i);
        let whole = [(task.row, task.start, task.end)];
        let parts = pieces.iter().map(|piece| (Some(piece.row), piece.start, piece.end));
        let spans: Vec<_> = if pieces.is_empty() { whole.to_vec() } else { parts.collect() };
        for (row, start, end) in spans {
            let tid = thread(row, model);
            let mut event = Event::new("X", model.function(i), tid, start);
            if row.is_some() {
                event.dur = Some(micros(end - start));
            } else {
                (event.ph, event.s) = ("i", Some("t"));
            }
            event.args = about(model, i, task, analysis.own[i as usize]);
            out.put(&event)?;
        }
        for wait in model.waits(i) {
            let mut event =
                Event::new("X", "waiting", thread(row_at(model, i, wait.start), model), wait.start);
            event.dur = Some(micros(wait.end - wait.start));
            if let Some(on) = wait.on {
                event = event.with("on", model.label(on));
            }
            out.put(&event)?;
        }
        for note in model.notes(i) {
            let mut event =
                Event::new("i", &note.text, thread(row_at(model, i, note.at), model), note.at);
            event.s = Some("t");
            out.put(&event.with("task", i))?;
        }
    }
    Ok(())
}

/// What a click on a slice shows. Only what there is to say, as a trace of many tasks is large.
fn about(model: &Model, i: u32, task: &Task, own: u64) -> Map<String, Value> {
    let mut about = Map::new();
    let mut say = |key: &str, value: Value| _ = about.insert(key.to_owned(), value);
    say("task", i.into());
    say("at", model.sites[task.site as usize].as_str().into());
    if task.state != State::Done {
        say("state", task.state.word().into());
    }
    match task.kept {
        Some(Kept::There(took)) => {
            say("kept", true.into());
            say("us saved", micros(took).into());
        }
        Some(Kept::Not) => say("kept", false.into()),
        None => {}
    }
    let (ran, held) = (task.row.is_some(), model.held(i));
    let times = [
        ("us for inputs", task.ready - task.submitted),
        ("us held by a limit", held),
        ("us for a worker", if ran { task.start - task.ready - held } else { 0 }),
        ("us held later", model.held_between(i, task.start, task.end)),
        ("us of its own", if own == task.end - task.start { 0 } else { own }),
    ];
    for (key, time) in times.into_iter().filter(|(_, time)| *time > 0) {
        say(key, micros(time).into());
    }
    // Failures are in the order of their tasks.
    if let Ok(k) = model.failures.binary_search_by_key(&i, |failure| failure.task) {
        say("error", model.failures[k].message.as_str().into());
    }
    about
}

/// The row that a task is on at a moment.
fn row_at(model: &Model, i: u32, at: u64) -> Option<u32> {
    let pieces = model.pieces(i);
    let piece = pieces.iter().rev().find(|piece| piece.start <= at);
    piece.map(|piece| piece.row).or(model.task(i).row)
}

/// A callback has no name of its own, so it is told apart by its place.
fn callbacks(model: &Model, out: &mut Out<'_>) -> io::Result<()> {
    for callback in &model.callbacks {
        let site = model.sites[callback.site as usize].as_str();
        let name = format!("callback {}", short_place(site));
        let thread = thread(Some(callback.row), model);
        let mut event = Event::new("X", &name, thread, callback.start).with("at", site);
        event.dur = Some(micros(callback.end - callback.start));
        if let Some(on) = callback.on {
            event = event.with("result of", model.label(on));
        }
        out.put(&event)?;
    }
    Ok(())
}

fn arrows(model: &Model, out: &mut Out<'_>) -> io::Result<()> {
    let mut id = 0;
    let mut arrow = |from: u32, row: Option<u32>, at: u64| {
        let (Some(piece), true) = (last_piece(model, from), model.task(from).end <= at) else {
            return Ok(());
        };
        id += 1;
        // It leaves from within the slice that it belongs to, so a nanosecond before its end.
        let (from, start, end) = piece;
        let leave = end.saturating_sub(1).max(start);
        let mut event = Event::new("s", "value", thread(Some(from), model), leave);
        event.id = Some(id);
        out.put(&event)?;
        let mut event = Event::new("f", "value", thread(row, model), at);
        (event.id, event.bp) = (Some(id), Some("e"));
        out.put(&event)
    };
    for i in model.numbers() {
        let task = model.task(i);
        for &input in model.inputs(i).iter().filter(|_| task.row.is_some()) {
            arrow(input, task.row, task.start)?;
        }
    }
    for callback in &model.callbacks {
        if let Some(on) = callback.on {
            arrow(on, Some(callback.row), callback.start)?;
        }
    }
    Ok(())
}

fn last_piece(model: &Model, i: u32) -> Option<(u32, u64, u64)> {
    let task = model.task(i);
    match model.pieces(i).last() {
        Some(piece) => Some((piece.row, piece.start, piece.end)),
        None => Some((task.row?, task.start, task.end)),
    }
}

fn counters(model: &Model, out: &mut Out<'_>) -> io::Result<()> {
    let ran = || model.numbers().filter(|&i| model.task(i).row.is_some());
    let mut running = Vec::new();
    let mut ready = Vec::new();
    for i in ran() {
        let task = model.task(i);
        if model.pieces(i).is_empty() {
            running.extend([(task.start, 1), (task.end, -1)]);
        }
        running
            .extend(model.pieces(i).iter().flat_map(|piece| [(piece.start, 1), (piece.end, -1)]));
        let queued = model.queued(i).flat_map(|queued| [(queued.start, 1), (queued.end, -1)]);
        ready.extend(queued);
    }
    counter("running", &[("tasks", running)], out)?;
    counter("ready", &[("tasks", ready)], out)?;
    let (mut used, mut held) = (Vec::new(), Vec::new());
    for _ in &model.limits {
        used.push(Vec::new());
        held.push(Vec::new());
    }
    for permit in &model.permits {
        let weight = i64::try_from(permit.weight).unwrap_or(i64::MAX);
        used[permit.limit as usize].extend([(permit.start, weight), (permit.end, -weight)]);
    }
    for hold in &model.holds {
        held[hold.limit as usize].extend([(hold.start, 1), (hold.end, -1)]);
    }
    for (limit, (used, held)) in model.limits.iter().zip(used.into_iter().zip(held)) {
        match limit.every {
            None => {
                let name = format!("limit {} ({})", limit.name, limit.most);
                counter(&name, &[("in use", used), ("held", held)], out)?;
            }
            // Turns are used up at once.
            Some(_) => {
                let name = format!("rate {} ({})", limit.name, limit.bound());
                counter(&name, &[("held", held)], out)?;
            }
        }
    }
    Ok(())
}

/// A counter with several lines, of which each is told by what it changes by.
fn counter(name: &str, lines: &[(&str, Vec<(u64, i64)>)], out: &mut Out<'_>) -> io::Result<()> {
    let mut changes: Vec<(u64, usize, i64)> = Vec::new();
    for (k, (_, line)) in lines.iter().enumerate() {
        changes.extend(line.iter().map(|&(at, by)| (at, k, by)));
    }
    changes.sort_unstable();
    let mut values = vec![0; lines.len()];
    for moment in changes.chunk_by(|a, b| a.0 == b.0) {
        let before = values.clone();
        moment.iter().for_each(|&(_, k, by)| values[k] += by);
        if values != before {
            let mut event = Event::new("C", name, 0, moment[0].0);
            for ((line, _), value) in lines.iter().zip(&values) {
                event = event.with(line, *value);
            }
            out.put(&event)?;
        }
    }
    Ok(())
}
