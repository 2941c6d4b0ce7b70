//! The run as the page's script reads it: columns, as described at the head of `page.html`.

use std::io::{self, Write};

use serde::Serialize;

use super::lines::{Holds, LimitLines, Permits, column};
use crate::analysis::{Analysis, CAUSES, Path, Said, causes, verdict};
use crate::model::{self, Kept, Model};

#[derive(Serialize)]
struct Data<'m> {
    version: u32,
    name: &'m str,
    command: &'m str,
    recorded: &'m str,
    end: u64,
    workers: Vec<Worker<'m>>,
    unneeded: usize,
    functions: &'m [String],
    sites: &'m [String],
    limits: Vec<LimitLines<'m>>,
    tasks: TasksData,
    inputs: Inputs,
    parent: Sparse,
    kept: Sparse,
    stored: StoredData,
    pieces: Pieces,
    waits: Waits,
    holds: Holds,
    permits: Permits,
    callbacks: CallbackData,
    notes: Notes<'m>,
    failures: Vec<FailureData<'m>>,
    beyond: Vec<BeyondData>,
    found: Found,
}

#[derive(Serialize)]
struct Worker<'m> {
    name: &'m str,
    start: u64,
    stop: u64,
    helps: bool,
}

#[derive(Default, Serialize)]
struct TasksData {
    #[serde(rename = "fn")]
    function: Vec<u32>,
    site: Vec<u32>,
    worker: Vec<i64>,
    state: Vec<u8>,
    submitted: Vec<u64>,
    ready: Vec<u64>,
    start: Vec<u64>,
    run: Vec<u64>,
    own: Vec<u64>,
}

#[derive(Default, Serialize)]
struct Inputs {
    count: Vec<usize>,
    back: Vec<u32>,
}

/// A column that most tasks have nothing in.
#[derive(Default, Serialize)]
struct Sparse {
    task: Vec<u32>,
    value: Vec<i64>,
}

impl Sparse {
    fn push(&mut self, task: u32, value: Option<i64>) {
        if let Some(value) = value {
            self.task.push(task);
            self.value.push(value);
        }
    }
}

#[derive(Serialize)]
struct StoredData {
    asked: u64,
    kept: u64,
    saved: u64,
}

impl From<model::Stored> for StoredData {
    fn from(model::Stored { asked, kept, saved }: model::Stored) -> StoredData {
        StoredData { asked, kept, saved }
    }
}

#[derive(Serialize)]
struct Pieces {
    task: Vec<u32>,
    worker: Vec<u32>,
    start: Vec<u64>,
    length: Vec<u64>,
}

#[derive(Serialize)]
struct Waits {
    task: Vec<u32>,
    start: Vec<u64>,
    length: Vec<u64>,
    on: Vec<i64>,
}

#[derive(Serialize)]
struct CallbackData {
    worker: Vec<u32>,
    start: Vec<u64>,
    length: Vec<u64>,
    site: Vec<u32>,
    on: Vec<i64>,
}

#[derive(Serialize)]
struct Notes<'m> {
    task: Vec<u32>,
    at: Vec<u64>,
    text: Vec<&'m str>,
}

#[derive(Serialize)]
struct FailureData<'m> {
    task: u32,
    kind: &'m str,
    message: &'m str,
    skipped: &'m [u32],
}

#[derive(Serialize)]
struct BeyondData {
    #[serde(rename = "fn")]
    function: u32,
    count: u64,
    failed: u64,
    total: u64,
}

/// What was found out about the run.
#[derive(Serialize)]
struct Found {
    causes: [(&'static str, &'static str); CAUSES.len()],
    total: Vec<u64>,
    rows: Vec<Vec<u64>>,
    bins: Vec<Vec<u64>>,
    ran: Steps,
    span: Steps,
    figures: Vec<FiguresData>,
    edges: Vec<EdgeData>,
    verdict: Vec<Part>,
}

#[derive(Default, Serialize)]
struct Steps {
    length: u64,
    task: Vec<u32>,
    from: Vec<u64>,
    to: Vec<u64>,
    run: Vec<u64>,
    inside: Vec<u64>,
    held: Vec<u64>,
    queued: Vec<u64>,
    before: Vec<u64>,
}

#[derive(Serialize)]
struct FiguresData {
    count: usize,
    ran: usize,
    total: u64,
    mean: u64,
    p50: u64,
    p95: u64,
    max: u64,
    longest: i64,
    failed: usize,
    skipped: usize,
    held: u64,
    kept: u64,
    asked: u64,
}

#[derive(Serialize)]
struct EdgeData {
    a: u32,
    b: u32,
    n: usize,
    bad: usize,
    sub: bool,
}

#[derive(Serialize)]
struct Part {
    is: &'static str,
    text: String,
    task: i64,
}

/// The number of something, or one less than any.
fn or_none(number: Option<u32>) -> i64 {
    number.map_or(-1, i64::from)
}

pub(super) fn write(model: &Model, analysis: &Analysis, file: &mut dyn Write) -> io::Result<()> {
    let mut tasks = TasksData::default();
    let mut inputs = Inputs::default();
    let (mut parent, mut kept) = (Sparse::default(), Sparse::default());
    let mut before = 0;
    for i in model.numbers() {
        let task = model.task(i);
        tasks.function.push(task.function);
        tasks.site.push(task.site);
        tasks.worker.push(or_none(task.row));
        tasks.state.push(task.state as u8);
        tasks.submitted.push(task.submitted - before);
        tasks.ready.push(task.ready - task.submitted);
        tasks.start.push(task.start - task.ready);
        tasks.run.push(task.end - task.start);
        tasks.own.push(analysis.own[i as usize]);
        before = task.submitted;
        inputs.count.push(model.inputs(i).len());
        inputs.back.extend(model.inputs(i).iter().map(|input| i - input));
        parent.push(i, task.parent.map(i64::from));
        kept.push(
            i,
            task.kept.map(|kept| if let Kept::There(took) = kept { took as i64 } else { -1 }),
        );
    }
    let data = Data {
        version: 3,
        name: &model.name,
        command: &model.command,
        recorded: &model.recorded,
        end: model.end,
        workers: column(&model.rows, |row| Worker {
            name: &row.name,
            start: row.start,
            stop: row.stop,
            helps: row.helps,
        }),
        unneeded: model.unneeded,
        functions: &model.functions,
        sites: &model.sites,
        limits: column(&model.limits, LimitLines::of),
        tasks,
        inputs,
        parent,
        kept,
        stored: model.stored.into(),
        pieces: Pieces {
            task: column(&model.pieces, |piece| piece.task),
            worker: column(&model.pieces, |piece| piece.row),
            start: column(&model.pieces, |piece| piece.start),
            length: column(&model.pieces, |piece| piece.end - piece.start),
        },
        waits: Waits {
            task: column(&model.waits, |wait| wait.task),
            start: column(&model.waits, |wait| wait.start),
            length: column(&model.waits, |wait| wait.end - wait.start),
            on: column(&model.waits, |wait| or_none(wait.on)),
        },
        holds: Holds::of(model),
        permits: Permits::of(model),
        callbacks: CallbackData {
            worker: column(&model.callbacks, |callback| callback.row),
            start: column(&model.callbacks, |callback| callback.start),
            length: column(&model.callbacks, |callback| callback.end - callback.start),
            site: column(&model.callbacks, |callback| callback.site),
            on: column(&model.callbacks, |callback| or_none(callback.on)),
        },
        notes: Notes {
            task: column(&model.notes, |note| note.task),
            at: column(&model.notes, |note| note.at),
            text: model.notes.iter().map(|note| note.text.as_str()).collect(),
        },
        failures: column(&model.failures, |failure| FailureData {
            task: failure.task,
            kind: &failure.kind,
            message: &failure.message,
            skipped: &failure.skipped,
        }),
        beyond: column(&model.beyond, |beyond| BeyondData {
            function: beyond.function,
            count: beyond.count,
            failed: beyond.failed,
            total: beyond.total,
        }),
        found: found(model, analysis),
    };
    serde_json::to_writer(file, &data).map_err(io::Error::from)
}

fn found(model: &Model, analysis: &Analysis) -> Found {
    let whole = |by: &[f64]| column(by, |ns| ns.max(0.0).round() as u64);
    let times = &analysis.causes;
    Found {
        causes: causes(model),
        total: whole(&times.total),
        rows: times.rows.iter().map(|by| whole(by)).collect(),
        bins: times.bins.iter().map(|bins| whole(bins)).collect(),
        ran: steps(&analysis.ran),
        span: steps(&analysis.span),
        figures: column(&analysis.figures, |figures| FiguresData {
            count: figures.count,
            ran: figures.ran,
            total: figures.total,
            mean: figures.mean(),
            p50: figures.p50,
            p95: figures.p95,
            max: figures.max,
            longest: or_none(figures.longest),
            failed: figures.failed,
            skipped: figures.skipped,
            held: figures.held,
            kept: figures.stored.kept,
            asked: figures.stored.asked,
        }),
        edges: column(&analysis.edges, |edge| EdgeData {
            a: edge.from,
            b: edge.to,
            n: edge.count,
            bad: edge.skipped,
            sub: edge.submits,
        }),
        verdict: verdict(model, analysis).into_iter().map(part).collect(),
    }
}

fn steps(path: &Path) -> Steps {
    let mut steps = Steps { length: path.length, ..Steps::default() };
    for step in &path.steps {
        steps.task.push(step.task);
        steps.from.push(step.from);
        steps.to.push(step.to);
        steps.run.push(step.run);
        steps.inside.push(step.inside);
        steps.held.push(step.held);
        steps.queued.push(step.queued);
        steps.before.push(step.before);
    }
    steps
}

fn part(said: Said) -> Part {
    let (is, task) = match &said {
        Said::Lead(_) => ("lead", -1),
        Said::Text(_) => ("text", -1),
        Said::Task(task, _) => ("task", i64::from(*task)),
        Said::Rest(_) => ("rest", -1),
        Said::Failures(_) => ("failures", -1),
    };
    Part { is, text: said.text().to_owned(), task }
}
