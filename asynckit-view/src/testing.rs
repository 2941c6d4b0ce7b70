//! Runs made by hand, for tests of what is made of them.

use crate::model::{
    Callback, Failure, Hold, Kept, Limit, Model, Permit, Piece, Row, State, Task, Wait,
};

const MS: u64 = 1_000_000;

/// A run of so many workers that takes so many milliseconds. All times here are milliseconds.
pub(crate) struct Sample(pub(crate) Model);

impl Sample {
    pub(crate) fn new(workers: u32, end: u64) -> Sample {
        let row = |k| Row { name: format!("worker {k}"), start: 0, stop: end * MS, helps: false };
        Sample(Model {
            name: "sample".to_owned(),
            command: "cargo run --example sample".to_owned(),
            end: end * MS,
            rows: (0..workers).map(row).collect(),
            sites: vec!["src/main.rs:7:5".to_owned()],
            ..Model::default()
        })
    }

    fn function(&mut self, name: &str) -> u32 {
        let known = self.0.functions.iter().position(|known| known == name);
        let k = known.unwrap_or_else(|| {
            self.0.functions.push(name.to_owned());
            self.0.functions.len() - 1
        });
        k as u32
    }

    /// A task that ran on a row from here to there; ready when its last input ended.
    pub(crate) fn task(&mut self, name: &str, row: u32, ran: [u64; 2], inputs: &[u32]) -> u32 {
        let ends = inputs.iter().map(|&input| self.0.task(input).end);
        let ready = ends.max().unwrap_or(0);
        let from = self.0.inputs.len() as u32;
        self.0.inputs.extend(inputs);
        let task = Task {
            function: self.function(name),
            site: 0,
            state: State::Done,
            row: Some(row),
            submitted: 0,
            ready,
            start: ran[0] * MS,
            end: ran[1] * MS,
            kept: None,
            parent: None,
            inputs: from..self.0.inputs.len() as u32,
        };
        self.0.tasks.push(task);
        self.0.tasks.len() as u32 - 1
    }

    /// A task that another one submitted from inside at a moment.
    pub(crate) fn child(&mut self, of: u32, at: u64, name: &str, row: u32, ran: [u64; 2]) -> u32 {
        let child = self.task(name, row, ran, &[]);
        let task = &mut self.0.tasks[child as usize];
        (task.parent, task.submitted, task.ready) = (Some(of), at * MS, at * MS);
        child
    }

    /// A task that never ran, as an input failed.
    pub(crate) fn skipped(&mut self, name: &str, inputs: &[u32]) -> u32 {
        let skipped = self.task(name, 0, [0, 0], inputs);
        let task = &mut self.0.tasks[skipped as usize];
        (task.row, task.state) = (None, State::Skipped);
        (task.start, task.end) = (task.ready, task.ready);
        skipped
    }

    pub(crate) fn fails(&mut self, task: u32, message: &str, skipped: &[u32]) {
        self.0.tasks[task as usize].state = State::Failed;
        self.0.failures.push(Failure {
            task,
            kind: "Failed".to_owned(),
            message: message.to_owned(),
            skipped: skipped.to_vec(),
        });
    }

    pub(crate) fn waits(&mut self, task: u32, time: [u64; 2], on: Option<u32>) {
        self.0.waits.push(Wait { task, start: time[0] * MS, end: time[1] * MS, on });
    }

    /// A store was asked for the value of a task: it had it, and it had taken so long, or had it not.
    pub(crate) fn kept(&mut self, task: u32, took: Option<u64>) {
        let kept = took.map_or(Kept::Not, |took| Kept::There(took * MS));
        self.0.tasks[task as usize].kept = Some(kept);
        self.0.stored.add(kept);
    }

    /// A callback, of the result of a task if that was one's.
    pub(crate) fn callback(&mut self, row: u32, time: [u64; 2], on: Option<u32>) {
        let [start, end] = time.map(|time| time * MS);
        self.0.callbacks.push(Callback { row, start, end, site: 0, on });
    }

    /// One of the stretches of a task that was suspended in between.
    pub(crate) fn piece(&mut self, task: u32, row: u32, time: [u64; 2], on: Option<u32>) {
        let [start, end] = time.map(|time| time * MS);
        self.0.pieces.push(Piece { task, row, start, end, on });
    }

    /// The task was held by a limit for so long after it was ready.
    pub(crate) fn held(&mut self, task: u32, by: u32, long: u64) {
        let Task { ready, end, .. } = *self.0.task(task);
        self.holds(task, by, [ready / MS, ready / MS + long]);
        let start = ready + long * MS;
        self.0.permits.push(Permit { limit: by, start, end, weight: 1 });
    }

    /// Somebody had so many permits of a limit.
    pub(crate) fn permit(&mut self, limit: u32, time: [u64; 2], weight: u64) {
        let [start, end] = time.map(|time| time * MS);
        self.0.permits.push(Permit { limit, start, end, weight });
    }

    /// The task stood in the line of a limit.
    pub(crate) fn holds(&mut self, task: u32, limit: u32, time: [u64; 2]) {
        let [start, end] = time.map(|time| time * MS);
        self.0.holds.push(Hold { task, limit, start, end });
        self.0.holds.sort_by_key(|hold| (hold.task, hold.start));
    }

    pub(crate) fn limit(&mut self, name: &str, most: u64) -> u32 {
        self.0.limits.push(Limit {
            name: name.to_owned(),
            most,
            every: None,
            site: "src/main.rs:3:1".to_owned(),
        });
        self.0.limits.len() as u32 - 1
    }
}

/// Two files are read and counted; the one count fails, and with it the sum.
pub(crate) fn failing() -> Model {
    let mut run = Sample::new(2, 10);
    let a = run.task("read", 0, [0, 4], &[]);
    let b = run.task("read", 1, [0, 3], &[]);
    let c = run.task("count", 0, [4, 5], &[a]);
    let d = run.task("count", 1, [3, 7], &[b]);
    let e = run.skipped("add", &[c, d]);
    run.fails(d, "no \"words\" </script><b> & more", &[e]);
    run.0
}

/// Two hundred seconds of a run that were kept: of five files one is new, and what is made of them.
pub(crate) fn kept() -> Model {
    let mut run = Sample::new(2, 10);
    let files: Vec<u32> = (0..5)
        .map(|k| {
            let ran = if k == 4 { [4, 8] } else { [k, k + 1] };
            let file = run.task("read", k as u32 % 2, ran, &[]);
            run.kept(file, (k != 4).then_some(50_000));
            file
        })
        .collect();
    let all = run.task("add", 0, [8, 9], &files);
    run.kept(all, None);
    run.task("print", 1, [9, 10], &[all]);
    run.0
}

/// A result has two callbacks, of which the second goes on after all tasks; a third is of no task's.
pub(crate) fn called() -> Model {
    let mut run = Sample::new(2, 20);
    let a = run.task("read", 0, [0, 4], &[]);
    run.task("count", 1, [4, 8], &[a]);
    run.callback(1, [5, 6], None);
    run.callback(0, [4, 6], Some(a));
    run.callback(0, [6, 20], Some(a));
    run.0.callbacks.sort_by_key(|callback| callback.start);
    run.0
}

/// A limit of three, of which each write takes two, and of which one stands in line again before its second try; and mail by a
/// rate.
pub(crate) fn held() -> Model {
    let mut run = Sample::new(2, 30);
    let disk = run.limit("disk", 3);
    let mail = run.limit("mail", 1);
    run.0.limits[mail as usize].every = Some(5 * MS);
    let tried = run.task("write", 0, [0, 28], &[]);
    run.piece(tried, 0, [0, 4], None);
    run.piece(tried, 0, [24, 28], None);
    run.permit(disk, [0, 4], 2);
    run.holds(tried, disk, [4, 24]);
    let other = run.task("write", 1, [4, 24], &[]);
    run.held(other, disk, 4);
    run.0.permits.last_mut().unwrap().weight = 2;
    run.permit(disk, [24, 28], 2);
    for k in 0..3 {
        let sent = run.task("send", 0, [5 * k + 5, 5 * k + 6], &[]);
        run.holds(sent, mail, [0, 5 * k + 5]);
        run.permit(mail, [5 * k + 5, 5 * k + 5], 1);
    }
    run.0.permits.sort_by_key(|permit| permit.start);
    run.0
}
