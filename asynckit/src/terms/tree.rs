//! Trees of work that is cancelled together: what a token and the places of its work share.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use crate::core::TaskRef;
use crate::error::{Error, Hop};
use crate::sync::{Arc, AtomicU8, Mutex, OnceLock, Ordering, Weak, lock};
use crate::terms::counts::{Counted, PASSED_ON};
use crate::terms::timers::{TimerKey, Timers};

/// Why a tree is cancelled.
#[derive(Clone, Copy)]
pub(crate) enum Reason {
    Asked,
    Late { limit: Duration },
}

const SHELVES: usize = 8;

/// What a token and the places of its work share.
pub(crate) struct Tree {
    /// Set once, when it is cancelled.
    cancelled: OnceLock<Reason>,
    /// Set when its tasks were failed for that: before, who runs must not see it and end with a value.
    told: AtomicU8,
    /// The tasks that are submitted and not over, by the addresses of their cells.
    tasks: [Mutex<HashMap<usize, TaskRef>>; SHELVES],
    children: Mutex<Vec<Weak<Tree>>>,
    /// Keeps the parent, whose deadline is its children's too.
    parent: Option<Arc<Tree>>,
    deadline: Mutex<Option<Due>>,
    _counted: Counted,
}

/// A deadline to come, by some clock.
struct Due {
    limit: Duration,
    timers: Arc<Timers>,
    key: TimerKey,
}

impl Tree {
    pub(crate) fn new(parent: Option<Arc<Tree>>) -> Arc<Tree> {
        Arc::new(Tree {
            cancelled: OnceLock::new(),
            told: AtomicU8::new(0),
            tasks: std::array::from_fn(|_| Mutex::new(HashMap::new())),
            children: Mutex::new(Vec::new()),
            parent,
            deadline: Mutex::new(None),
            _counted: PASSED_ON.counted(),
        })
    }

    pub(crate) fn is_cancelled(&self) -> bool {
        self.cancelled.get().is_some()
    }

    /// Whether it is, for work that runs.
    pub(crate) fn has_told(&self) -> bool {
        self.told.load(Ordering::Acquire) != 0
    }

    /// The failure of work that is given up.
    pub(crate) fn refusal(&self, hop: Hop) -> Option<Error> {
        Some(match self.cancelled.get()? {
            Reason::Asked => Error::cancelled(hop),
            Reason::Late { limit } => Error::timed_out(hop, *limit),
        })
    }

    fn shelf(&self, task: &TaskRef) -> &Mutex<HashMap<usize, TaskRef>> {
        &self.tasks[(task.address() >> 6) % SHELVES]
    }

    /// A task was submitted.
    pub(crate) fn add(&self, task: &TaskRef) {
        lock(self.shelf(task)).insert(task.address(), task.clone());
        // *Named race, "the late member"*: a task may be over, or the tree be cancelled, before the
        // task is in the list. Who ends or cancels it does so first and looks at the list then,
        // this the other way round.
        if task.is_over() {
            self.forget(task);
        } else if let Some(error) = self.refusal(task.hop) {
            task.give_up(error);
        }
    }

    /// A task is over.
    pub(crate) fn forget(&self, task: &TaskRef) {
        let removed = lock(self.shelf(task)).remove(&task.address());
        drop(removed);
    }

    pub(crate) fn set_deadline(self: &Arc<Self>, timers: Arc<Timers>, limit: Duration) {
        if limit.is_zero() {
            // By any clock it is past, and who asks next shall see it.
            self.cancel(Reason::Late { limit });
            return;
        }
        let tree = Arc::downgrade(self);
        let callback = move || {
            if let Some(tree) = tree.upgrade() {
                tree.cancel(Reason::Late { limit });
            }
        };
        let key = timers.after(limit, Box::new(callback));
        let before = lock(&self.deadline).replace(Due { limit, timers, key });
        if let Some(before) = before {
            before.timers.cancel(before.key);
        }
    }

    /// When this one or one above it is cancelled by its deadline, by the system's clock.
    pub(crate) fn due(&self) -> Option<Instant> {
        let due = |tree: &Tree| {
            let deadline = lock(&tree.deadline);
            let due = deadline.as_ref()?;
            due.timers.instant(due.key.at())
        };
        std::iter::successors(Some(self), |tree| tree.parent.as_deref()).filter_map(due).min()
    }

    /// Has work on a pool with a clock of its own: from now on that clock counts.
    pub(crate) fn go_by(self: &Arc<Self>, timers: Arc<Timers>) {
        if !timers.is_virtual() {
            return;
        }
        let limit = lock(&self.deadline)
            .as_ref()
            .and_then(|due| (!Arc::ptr_eq(&due.timers, &timers)).then_some(due.limit));
        if let Some(limit) = limit {
            self.set_deadline(timers, limit);
        }
    }

    pub(crate) fn add_child(&self, child: &Arc<Tree>) {
        let mut children = lock(&self.children);
        if children.len() == children.capacity() {
            children.retain(|child| child.strong_count() > 0);
        }
        children.push(Arc::downgrade(child));
        drop(children);
        if let Some(reason) = self.cancelled.get() {
            child.cancel(*reason);
        }
    }

    /// Cancels it and all below it; whether this call did.
    pub(crate) fn cancel(self: &Arc<Self>, reason: Reason) -> bool {
        let mut first = None;
        let mut trees = vec![self.clone()];
        while let Some(tree) = trees.pop() {
            let won = tree.cancelled.set(reason).is_ok();
            first.get_or_insert(won);
            if !won {
                continue;
            }
            let children = lock(&tree.children).clone();
            trees.extend(children.iter().filter_map(Weak::upgrade));
            for shelf in &tree.tasks {
                let tasks = std::mem::take(&mut *lock(shelf));
                for task in tasks.into_values() {
                    if let Some(error) = tree.refusal(task.hop) {
                        task.give_up(error);
                    }
                }
            }
            tree.told.store(1, Ordering::Release);
        }
        first == Some(true)
    }
}

impl Drop for Tree {
    fn drop(&mut self) {
        if let Some(due) = lock(&self.deadline).take() {
            due.timers.cancel(due.key);
        }
        // One after the other, as a line of descendants may be long.
        let mut parent = self.parent.take();
        while let Some(mut last) = parent.and_then(Arc::into_inner) {
            parent = last.parent.take();
        }
    }
}
