//! From the pool's events to the recorder.

use std::time::Duration;

use asynckit::Error;
use asynckit::carry::KEPT;
use asynckit::observe::{
    AttemptBegun, CallbackBegun, CallbackEnded, CallbackRegistered, Clock, Ending, LimitId,
    LineJoined, LineLeft, Need, Noted, Observer, PermitGiven, PermitTaken, PoolSized, PoolStopped,
    RanElsewhere, Row, TaskCancelled, TaskEnded, TaskId, TaskReady, TaskResumed, TaskStarted,
    TaskSubmitted, TaskSuspended, WaitBegun, WaitEnded, WorkerBusy, WorkerIdle,
};

use super::entry::{End, Entry};
use super::mine::with_mine;
use super::recorder::{Keeps, LimitSeen, Recorder, most_nanos, nanos};
use super::texts::{ToldText, cut};
use crate::model::Kept;

impl Observer for Recorder {
    fn submitted(&self, event: &TaskSubmitted<'_>) {
        self.submit(event);
    }

    fn infers_ready(&self) -> bool {
        true
    }

    fn is_over(&self) -> bool {
        self.has_ended()
    }

    fn ready(&self, event: &TaskReady<'_>) {
        self.detail(event.task, event.row, event.time, &Single::Ready(event.task.get()));
    }

    fn stands_in_line(&self, event: &LineJoined<'_>) {
        let seen = LimitSeen { most: event.most, every: event.every, at: event.made_at };
        self.permit(event.task, event.row, event.time, (event.limit, seen), |task, limit| {
            Single::InLine { task, limit }
        });
    }

    fn left_line(&self, event: &LineLeft<'_>) {
        let seen = LimitSeen { most: event.most, every: event.every, at: event.made_at };
        self.permit(event.task, event.row, event.time, (event.limit, seen), |task, limit| {
            Single::LeftLine { task, limit }
        });
    }

    fn got_permit(&self, event: &PermitTaken<'_>) {
        let seen = LimitSeen { most: event.most, every: event.every, at: event.made_at };
        self.permit(event.task, event.row, event.time, (event.limit, seen), |task, limit| {
            Single::GotPermit { task, limit, weight: event.weight as u64 }
        });
    }

    fn gave_permit(&self, event: &PermitGiven<'_>) {
        let seen = LimitSeen { most: event.most, every: None, at: event.made_at };
        self.permit(event.task, event.row, event.time, (event.limit, seen), |task, limit| {
            Single::GavePermit { task, limit }
        });
    }

    fn started(&self, event: &TaskStarted<'_>) {
        self.begin(event.task, event.row, event.time);
    }

    fn wait_begun(&self, event: &WaitBegun<'_>) {
        if let Some(task) = event.task {
            let entry = Entry::WaitBegun { task: task.get(), on: last(event.on) };
            self.detail(task, event.row, event.time, &entry);
        }
    }

    fn wait_ended(&self, event: &WaitEnded<'_>) {
        if let Some(task) = event.task {
            self.detail(task, event.row, event.time, &Single::WaitEnded(task.get()));
        }
    }

    fn suspended(&self, event: &TaskSuspended<'_>) {
        let entry = Entry::Suspended { task: event.task.get(), on: last(event.on) };
        self.leave(event.task, event.time);
        self.detail(event.task, event.row, event.time, &entry);
    }

    fn resumed(&self, event: &TaskResumed<'_>) {
        self.go_on(event.task, event.time);
        self.detail(event.task, event.row, event.time, &Single::Resumed(event.task.get()));
    }

    fn attempt(&self, event: &AttemptBegun<'_>) {
        if let Some(before) = event.before {
            self.tell(event.task, event.time, || {
                ToldText::Note(cut(format!("attempt {}, after: {}", event.number, message(before))))
            });
        }
    }

    fn ended(&self, event: &TaskEnded<'_>) {
        let (task, row, time) = (event.task, event.row, event.time);
        // As most do: so what is written then is known beforehand.
        if matches!(event.how, Ending::Value) && self.keeps(task) == Keeps::Entries {
            let entry = Single::Ended { task: task.get(), end: End::DONE };
            with_mine(self, |mine| mine.write(self, row, nanos(time), &entry));
        } else {
            self.end_task(event);
        }
    }

    fn cancelled(&self, event: &TaskCancelled<'_>) {
        self.tell(event.task, event.time, || failure(event.error));
        let end = End::skipped(event.error.kind());
        let entry = Single::Cancelled { task: event.task.get(), end };
        self.detail(event.task, event.row, event.time, &entry);
    }

    fn callback_registered(&self, event: &CallbackRegistered<'_>) {
        self.register_callback(event);
    }

    fn callback_begun(&self, event: &CallbackBegun<'_>) {
        self.begin_callback(event);
    }

    fn callback_ended(&self, event: &CallbackEnded<'_>) {
        self.callbacks.end(event.callback.get(), nanos(event.time));
    }

    fn worker_idle(&self, event: &WorkerIdle<'_>) {
        self.see_worker(event.row, event.time);
    }

    fn worker_busy(&self, event: &WorkerBusy<'_>) {
        self.see_worker(event.row, event.time);
    }

    fn pool_sized(&self, event: &PoolSized<'_>) {
        let mut pool = self.pool();
        pool.grew |= pool.began.is_some() && event.workers > pool.workers;
        pool.began.get_or_insert(nanos(event.time));
        pool.workers = pool.workers.max(event.workers);
        pool.is_virtual = event.clock == Clock::Virtual;
    }

    fn pool_stopped(&self, event: &PoolStopped<'_>) {
        self.pool().stopped = Some(nanos(event.time));
        if let Some(then) = self.at_stop.get() {
            then();
        }
    }

    fn ran_elsewhere(&self, event: &RanElsewhere<'_>) {
        if !self.has_details_of(event.task) {
            return;
        }
        let row = self.place(event.place);
        let (began, ended) = (most_nanos(event.began), most_nanos(event.ended));
        let task = event.task.get();
        let entry = Single::Elsewhere { task, row, began, ended };
        with_mine(self, |mine| mine.write(self, event.row, nanos(event.time), &entry));
    }

    fn note(&self, event: &Noted<'_>) {
        if let Some(task) = event.task {
            if let Some(kept) = kept(event) {
                return self.kept(task, event.time, kept);
            }
            let note = || ToldText::Note(cut(format!("{}: {}", event.key, event.value)));
            self.tell(task, event.time, note);
        }
    }
}

impl Recorder {
    /// Something about a limit and a task under it.
    fn permit(
        &self,
        task: Option<TaskId>,
        row: &Row,
        time: Duration,
        (limit, seen): (LimitId, LimitSeen),
        entry: impl FnOnce(u64, u64) -> Single<'static>,
    ) {
        if let Some(task) = task.filter(|task| self.has_details_of(*task)) {
            let entry = entry(task.get(), self.see_limit(limit, seen));
            with_mine(self, |mine| mine.write(self, row, nanos(time), &entry));
        }
    }

    /// A task has ended in some other way, or only counts.
    #[cold]
    #[inline(never)]
    fn end_task(&self, event: &TaskEnded<'_>) {
        let (task, row, time) = (event.task, event.row, event.time);
        let end = match event.how {
            Ending::Failed(error) => {
                self.tell(task, time, || failure(error));
                End::failed(error.kind())
            }
            Ending::Skipped(error) => End::skipped(error.kind()),
            Ending::Late => End::LATE,
            _ => End::DONE,
        };
        match self.keeps(task) {
            Keeps::Nothing => {}
            Keeps::Count => self.count_end(task, time, end.state.is_failure() && end.own),
            Keeps::Entries => {
                let entry = Single::Ended { task: task.get(), end };
                with_mine(self, |mine| mine.write(self, row, nanos(time), &entry));
            }
        }
    }
}

/// What a note says of a value that a store has or has not; see [`KEPT`].
fn kept(event: &Noted<'_>) -> Option<Kept> {
    if event.key != KEPT {
        return None;
    }
    match event.value.to_string().as_str() {
        "no" => Some(Kept::Not),
        seconds => {
            let took = Duration::try_from_secs_f64(seconds.parse().ok()?).ok()?;
            Some(Kept::There(most_nanos(took)))
        }
    }
}

/// Of a great many, the last ones: they are as likely as any to be what it goes on with.
const MOST_NEEDS: usize = 8;

fn last(on: &[Need]) -> &[Need] {
    &on[on.len().saturating_sub(MOST_NEEDS)..]
}

/// An entry without a list.
type Single<'a> = Entry<&'a [Need]>;

fn failure(error: &Error) -> ToldText {
    ToldText::Failure { kind: error.kind(), message: cut(message(error)) }
}

/// What an error says, without the name of its task, which is shown beside it.
fn message(error: &Error) -> String {
    let whole = error.to_string();
    let origin = error.origin();
    let rest = whole.strip_prefix(origin).unwrap_or(&whole).trim_start();
    let verbs = ["failed: ", "panicked: "];
    let said = verbs.iter().find_map(|verb| rest.strip_prefix(verb));
    said.unwrap_or(rest).to_owned()
}
