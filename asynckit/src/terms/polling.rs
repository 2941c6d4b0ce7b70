//! The polls of a task's future, and what it awaits in them.

use std::cell::{Cell, RefCell};
use std::mem::ManuallyDrop;
use std::pin::Pin;
use std::task::{Context, Poll, Wake, Waker};

use crate::core::{TaskRef, Watch, Watcher};
use crate::error::Error;
use crate::sync::{Arc, Weak};

/// What is known of a future that is pending.
#[derive(Default)]
pub(crate) struct Sleep {
    /// The waker of the last poll, while somebody has kept it.
    waker: Cell<Weak<TaskWaker>>,
    /// The results of ours that it awaited in that poll.
    awaits: RefCell<Vec<TaskRef>>,
    /// Why what it awaits will never come, for the next poll.
    failure: Cell<Option<Error>>,
}

impl Sleep {
    /// The task's waker, for a poll.
    pub(crate) fn waker(&self, task: impl FnOnce() -> TaskRef) -> Waker {
        let weak = self.waker.take();
        let waker = weak.upgrade().unwrap_or_else(|| Arc::new(TaskWaker { task: task() }));
        self.waker.set(Arc::downgrade(&waker));
        Waker::from(waker)
    }

    /// A poll has left the task pending, with these awaited.
    pub(crate) fn begin(&self, awaits: Vec<TaskRef>) {
        self.awaits.replace(awaits);
    }

    /// The task will not be polled again.
    pub(crate) fn end(&self) {
        drop(self.awaits.take());
    }

    /// The results that it awaits, of which one is to be set before it goes on, where nobody else has its
    /// waker.
    pub(crate) fn awaited(&self) -> Option<Vec<TaskRef>> {
        let waker = self.waker.take();
        let kept = waker.strong_count();
        self.waker.set(waker);
        let awaits = self.awaits.borrow();
        (!awaits.is_empty() && kept <= awaits.len()).then(|| awaits.clone())
    }

    /// Has one of its awaits fail, when it is polled again.
    pub(crate) fn fail(&self, error: Error) {
        self.failure.set(Some(error));
    }
}

crate::sync::local! {
    /// The poll of a task's future that is under way on this thread.
    /// (Without a drop, so that it stays until the thread's very end; there is none under way then.)
    static POLL: ManuallyDrop<RefCell<Option<Polling>>> =
        const { ManuallyDrop::new(RefCell::new(None)) };
}

/// A poll of a task's future, for the results that are awaited in it.
pub(crate) struct Polling {
    waker: Waker,
    awaits: Vec<TaskRef>,
    failure: Option<Error>,
}

/// A poll begins; the one that was under way before, until it has ended.
pub(crate) struct Before(Option<Option<Polling>>);

impl Polling {
    pub(crate) fn begin(waker: &Waker, sleep: &Sleep) -> Before {
        let mut awaits = sleep.awaits.take();
        awaits.clear();
        let polling = Polling { waker: waker.clone(), awaits, failure: sleep.failure.take() };
        Before(Some(POLL.with(|poll| poll.replace(Some(polling)))))
    }
}

impl Before {
    /// The results that were awaited.
    pub(crate) fn end(mut self) -> Vec<TaskRef> {
        self.restore().map(|polling| polling.awaits).unwrap_or_default()
    }

    fn restore(&mut self) -> Option<Polling> {
        let before = self.0.take()?;
        POLL.with(|poll| poll.replace(before))
    }
}

impl Drop for Before {
    /// Where the poll has panicked.
    fn drop(&mut self) {
        drop(self.restore());
    }
}

/// A result that is not set is awaited with this waker: where it is a task's own, the task waits for the
/// result. An error, where that will never come.
pub(crate) fn await_begins(result: &TaskRef, waker: &Waker) -> Option<Error> {
    let begin = |polling: &mut Polling| {
        if !polling.waker.will_wake(waker) {
            return None;
        }
        if !polling.awaits.iter().any(|awaited| awaited.is(result)) {
            polling.awaits.push(result.clone());
        }
        polling.failure.take()
    };
    POLL.with(|poll| poll.borrow_mut().as_mut().and_then(begin))
}

/// Sees to it that the waker is called when a result is set; true where it is set already.
pub(crate) fn watch_until_set(task: &TaskRef, held: &mut Option<Watch>, waker: &Waker) -> bool {
    if task.is_set() {
        return true;
    }
    if held.as_ref().is_some_and(|watch| watch.renew(waker)) {
        return false;
    }
    match task.watch(Watcher::Waker(waker.clone())) {
        Ok(new) => *held = Some(new),
        Err(_) => return true,
    }
    // It may have been told between the two looks.
    task.is_set()
}

/// A task's end, whatever its value: for who awaits that and nothing else.
pub(crate) struct End {
    task: TaskRef,
    watch: Option<Watch>,
}

impl End {
    pub(crate) fn of(task: TaskRef) -> End {
        End { task, watch: None }
    }
}

impl Future for End {
    /// An error, where it will never come.
    type Output = Result<(), Error>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let End { task, watch } = self.get_mut();
        if watch_until_set(task, watch, context.waker()) {
            return Poll::Ready(Ok(()));
        }
        let failure = await_begins(task, context.waker());
        failure.map_or(Poll::Pending, |error| Poll::Ready(Err(error.observed())))
    }
}

/// The waker of a suspended task.
struct TaskWaker {
    task: TaskRef,
}

impl Wake for TaskWaker {
    fn wake(self: Arc<Self>) {
        let task = self.task.clone();
        // First, as the task may sleep again before this returns: who still has its waker then could wake it.
        drop(self);
        task.resume();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.task.resume();
    }
}
