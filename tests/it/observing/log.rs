//! Who looks on in these tests: it writes down what it is told, and checks that it makes sense.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex};
use std::thread::{self, ThreadId};
use std::time::Duration;

use asynckit::observe::{
    AttemptBegun, CallbackBegun, CallbackEnded, CallbackId, CallbackRegistered, Ending, LineJoined,
    LineLeft, Need, Noted, Observer, PermitGiven, PermitTaken, PoolSized, PoolStopped, RowKind,
    TaskCancelled, TaskEnded, TaskId, TaskReady, TaskResumed, TaskStarted, TaskSubmitted,
    TaskSuspended, WaitBegun, WaitEnded, WorkerBusy, WorkerIdle,
};

/// One event.
#[derive(Clone, Debug)]
pub struct Seen {
    pub line: String,
    pub what: &'static str,
    pub task: Option<TaskId>,
    /// Whether the task's code has just returned.
    ran: bool,
    pub thread: ThreadId,
    pub row: (String, RowKind),
    pub time: Duration,
}

/// Writes down all that it is told.
#[derive(Clone, Default)]
pub struct Log(Arc<Mutex<Inner>>);

#[derive(Default)]
struct Inner {
    seen: Vec<Seen>,
    names: HashMap<TaskId, String>,
    counts: HashMap<String, usize>,
    callbacks: Vec<CallbackId>,
}

impl Inner {
    fn name(&self, task: TaskId) -> String {
        self.names.get(&task).cloned().unwrap_or_else(|| "stranger".to_owned())
    }

    fn one(&self, task: Option<TaskId>) -> String {
        task.map_or_else(|| "nobody".to_owned(), |task| self.name(task))
    }

    fn needs(&self, needs: &[Need]) -> String {
        let one = |need: &Need| match need.task() {
            Some(task) => self.name(task),
            None => "outside".to_owned(),
        };
        needs.iter().map(one).collect::<Vec<_>>().join(" ")
    }

    /// A name of its own: the function's, and a number from the second task on.
    fn enter(&mut self, task: TaskId, name: &str) {
        let short = name.rsplit("::").next().unwrap();
        let count = self.counts.entry(short.to_owned()).or_default();
        *count += 1;
        let name = if *count == 1 { short.to_owned() } else { format!("{short}.{count}") };
        let before = self.names.insert(task, name);
        assert!(before.is_none(), "{task:?} was submitted twice");
    }

    fn callback(&mut self, id: CallbackId) -> usize {
        if !self.callbacks.contains(&id) {
            self.callbacks.push(id);
        }
        self.callbacks.iter().position(|other| *other == id).unwrap() + 1
    }
}

impl Log {
    pub fn seen(&self) -> Vec<Seen> {
        self.0.lock().unwrap().seen.clone()
    }

    /// The lines of these kinds of events.
    pub fn lines(&self, kinds: &[&str]) -> Vec<String> {
        let seen = self.seen();
        seen.into_iter().filter(|one| kinds.contains(&one.what)).map(|one| one.line).collect()
    }

    /// What tasks went through, without what concerns rows and pools.
    pub fn tasks(&self) -> Vec<String> {
        self.lines(&["submitted", "ready", "started", "suspended", "resumed", "ended", "cancelled"])
    }

    pub fn count(&self, what: &str) -> usize {
        self.0.lock().unwrap().seen.iter().filter(|one| one.what == what).count()
    }

    /// What was seen of the one task of this name.
    pub fn of(&self, name: &str) -> Vec<Seen> {
        let inner = self.0.lock().unwrap();
        let is_its = |one: &&Seen| one.task.is_some_and(|task| inner.name(task) == name);
        inner.seen.iter().filter(is_its).cloned().collect()
    }

    /// Each task was submitted once, ended once, and in between took its turns, each on one thread, nested. None is
    /// left over.
    #[track_caller]
    pub fn check(&self) {
        self.check_but(0);
    }

    /// Likewise, but so many have not ended.
    #[track_caller]
    pub fn check_but(&self, open: usize) {
        let inner = self.0.lock().unwrap();
        let mut states: HashMap<TaskId, &str> = HashMap::new();
        let mut stacks: HashMap<ThreadId, Vec<TaskId>> = HashMap::new();
        let mut cancelled = HashSet::new();
        let mut times: HashMap<TaskId, Duration> = HashMap::new();
        for one in &inner.seen {
            let Some(task) = one.task else { continue };
            let line = &one.line;
            let state = states.get(&task).copied();
            let stack = stacks.entry(one.thread).or_default();
            let next = match (one.what, state) {
                ("submitted", None) => "waits",
                ("ready", Some("waits")) => "ready",
                ("ready", Some("suspended")) => "ready again",
                ("started", Some("ready")) | ("resumed", Some("ready again")) => {
                    stack.push(task);
                    "runs"
                }
                ("suspended", Some("runs")) => {
                    assert_eq!(stack.pop(), Some(task), "{line} on another thread, or not nested");
                    "suspended"
                }
                ("ended", Some("runs")) if one.ran => {
                    assert_eq!(stack.pop(), Some(task), "{line} on another thread, or not nested");
                    "over"
                }
                ("ended", Some("waits" | "ready" | "suspended" | "ready again")) if !one.ran => {
                    "over"
                }
                // These may cross.
                ("cancelled", Some(state)) => {
                    assert!(cancelled.insert(task), "{line} twice");
                    state
                }
                ("submitted" | "ready" | "started" | "resumed" | "suspended" | "ended", state) => {
                    panic!("{line}, which was {state:?}")
                }
                (_, state) => state.unwrap_or_else(|| panic!("{line}, of a stranger")),
            };
            if one.what != "cancelled" {
                let before = times.insert(task, one.time).unwrap_or_default();
                assert!(before <= one.time, "{line} at {:?}, after {before:?}", one.time);
            }
            states.insert(task, next);
        }
        let left: Vec<_> = states.iter().filter(|(_, state)| **state != "over").collect();
        let left: Vec<_> =
            left.iter().map(|(task, state)| (inner.one(Some(**task)), state)).collect();
        assert_eq!(left.len(), open, "{left:?}");
    }

    fn note(
        &self,
        what: &'static str,
        task: Option<TaskId>,
        row: &asynckit::observe::Row,
        time: Duration,
        line: impl FnOnce(&mut Inner) -> String,
    ) {
        self.note_run(what, task, row, time, false, line);
    }

    fn note_run(
        &self,
        what: &'static str,
        task: Option<TaskId>,
        row: &asynckit::observe::Row,
        time: Duration,
        ran: bool,
        line: impl FnOnce(&mut Inner) -> String,
    ) {
        let mut inner = self.0.lock().unwrap();
        let line = line(&mut inner);
        let line = format!("{what} {line}").trim_end().to_owned();
        let row = (row.name().to_owned(), row.kind());
        let thread = thread::current().id();
        inner.seen.push(Seen { line, what, task, ran, thread, row, time });
    }
}

impl Observer for Log {
    fn submitted(&self, e: &TaskSubmitted<'_>) {
        self.note("submitted", Some(e.task), e.row, e.time, |inner| {
            inner.enter(e.task, e.name);
            let mut line = format!("{} {:?}", inner.name(e.task), e.kind).to_lowercase();
            if !e.needs.is_empty() {
                line += &format!(" needs {}", inner.needs(e.needs));
            }
            if let Some(by) = e.by {
                line += &format!(" by {}", inner.name(by));
            }
            if let Some(whole) = e.part_of {
                line += &format!(" part of {}", inner.name(whole));
            }
            line
        });
    }

    fn ready(&self, e: &TaskReady<'_>) {
        self.note("ready", Some(e.task), e.row, e.time, |inner| inner.name(e.task));
    }

    fn stands_in_line(&self, e: &LineJoined<'_>) {
        self.note("stands_in_line", e.task, e.row, e.time, |inner| {
            format!("{} behind {} for one of {}", inner.one(e.task), e.ahead, e.most)
        });
    }

    fn left_line(&self, e: &LineLeft<'_>) {
        self.note("left_line", e.task, e.row, e.time, |inner| inner.one(e.task));
    }

    fn got_permit(&self, e: &PermitTaken<'_>) {
        self.note("got_permit", e.task, e.row, e.time, |inner| inner.one(e.task));
    }

    fn gave_permit(&self, e: &PermitGiven<'_>) {
        self.note("gave_permit", e.task, e.row, e.time, |inner| inner.one(e.task));
    }

    fn started(&self, e: &TaskStarted<'_>) {
        self.note("started", Some(e.task), e.row, e.time, |inner| inner.name(e.task));
    }

    fn wait_begun(&self, e: &WaitBegun<'_>) {
        self.note("wait_begun", e.task, e.row, e.time, |inner| {
            let any = if e.any { " any of" } else { "" };
            let timed = if e.timed { " for a while" } else { "" };
            format!("{} for{any} {}{timed}", inner.one(e.task), inner.needs(e.on))
        });
    }

    fn wait_ended(&self, e: &WaitEnded<'_>) {
        self.note("wait_ended", e.task, e.row, e.time, |inner| inner.one(e.task));
    }

    fn suspended(&self, e: &TaskSuspended<'_>) {
        self.note("suspended", Some(e.task), e.row, e.time, |inner| {
            format!("{} on {}", inner.name(e.task), inner.needs(e.on))
        });
    }

    fn resumed(&self, e: &TaskResumed<'_>) {
        self.note("resumed", Some(e.task), e.row, e.time, |inner| inner.name(e.task));
    }

    fn attempt(&self, e: &AttemptBegun<'_>) {
        self.note("attempt", Some(e.task), e.row, e.time, |inner| {
            let before = e.before.map_or_else(String::new, |error| format!(" after: {error}"));
            format!("{} {}{before}", inner.name(e.task), e.number)
        });
    }

    fn ended(&self, e: &TaskEnded<'_>) {
        self.note_run("ended", Some(e.task), e.row, e.time, e.ran, |inner| {
            let how = match e.how {
                Ending::Value => "value".to_owned(),
                Ending::Failed(error) => format!("failed {:?}", error.kind()),
                Ending::Skipped(error) => format!("skipped {:?}", error.kind()),
                _ => "late".to_owned(),
            };
            format!("{} {}", inner.name(e.task), how.to_lowercase())
        });
    }

    fn cancelled(&self, e: &TaskCancelled<'_>) {
        self.note("cancelled", Some(e.task), e.row, e.time, |inner| {
            format!("{} {:?}", inner.name(e.task), e.error.kind()).to_lowercase()
        });
    }

    fn callback_registered(&self, e: &CallbackRegistered<'_>) {
        self.note("callback_registered", None, e.row, e.time, |inner| {
            let number = inner.callback(e.callback);
            let by = e.by.map_or_else(String::new, |by| format!(" by {}", inner.name(by)));
            format!("{number} on {}{by}", inner.needs(&[e.on]))
        });
    }

    fn callback_begun(&self, e: &CallbackBegun<'_>) {
        let line = |inner: &mut Inner| inner.callback(e.callback).to_string();
        self.note("callback_begun", None, e.row, e.time, line);
    }

    fn callback_ended(&self, e: &CallbackEnded<'_>) {
        self.note("callback_ended", None, e.row, e.time, |inner| {
            let called = if e.called { "called" } else { "never called" };
            format!("{} {called}", inner.callback(e.callback))
        });
    }

    fn worker_idle(&self, e: &WorkerIdle<'_>) {
        self.note("worker_idle", None, e.row, e.time, |_| String::new());
    }

    fn worker_busy(&self, e: &WorkerBusy<'_>) {
        self.note("worker_busy", None, e.row, e.time, |_| String::new());
    }

    fn pool_sized(&self, e: &PoolSized<'_>) {
        let line = format!("{} {:?}", e.workers, e.clock).to_lowercase();
        self.note("pool_sized", None, e.row, e.time, |_| line);
    }

    fn pool_stopped(&self, e: &PoolStopped<'_>) {
        self.note("pool_stopped", None, e.row, e.time, |_| e.running.to_string());
    }

    fn note(&self, e: &Noted<'_>) {
        self.note("note", e.task, e.row, e.time, |inner| {
            format!("{} {}={}", inner.one(e.task), e.key, e.value)
        });
    }
}
