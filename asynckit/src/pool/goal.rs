//! What a thread may wait for.

use crate::core::{Lender, TaskRef, Watch, Watcher};
use crate::pool::registry::pool_of;
use crate::pool::shared::Shared;
use crate::pool::threads::Test;
use crate::pool::{context, walks};
use crate::sync::{Arc, Parker};
use crate::terms::{InLine, Permits, Waiter};

/// What a thread waits for.
pub(crate) trait Goal {
    /// Whether the wait is over.
    fn reached(&self) -> bool;
    /// The results that it takes to get there, as far as they are not set.
    fn roots(&self) -> Vec<TaskRef>;
    /// The pools whose work it takes.
    fn pools(&self) -> Vec<Arc<Shared>> {
        walks::pools_of(self.roots())
    }
    /// `reached`, for other threads to ask; without side effects.
    fn test(&self) -> Test;
    /// All results of which it takes one, or each: `None` where there are too many to look at.
    fn targets(&self) -> Option<Vec<TaskRef>> {
        Some(self.roots())
    }
    /// Whether any of the roots will do.
    fn any(&self) -> bool {
        false
    }
    /// The limit in whose line the thread stands itself.
    fn line(&self) -> Option<Arc<Permits>> {
        None
    }
    /// Makes sure that the parker is woken when `reached` may have changed.
    fn watch(&self, parker: &Arc<Parker>) -> Vec<Watch>;
}

/// A value that is set and lent, whose handle wants it back.
pub(crate) struct Unlent(pub(crate) Lender);

impl Goal for Unlent {
    fn reached(&self) -> bool {
        !self.0.is_lent()
    }

    fn test(&self) -> Test {
        // The handle waits as long as this is asked.
        let lender = self.0.clone();
        Box::new(move || !lender.is_lent())
    }

    fn roots(&self) -> Vec<TaskRef> {
        let pool = pool_of(self.0.task()).or_else(context::pool);
        pool.map(|pool| walks::borrowers(&self.0.account(), &pool)).unwrap_or_default()
    }

    fn pools(&self) -> Vec<Arc<Shared>> {
        // Who was lent it is known to no list: as a rule it is work of the same pool.
        pool_of(self.0.task()).into_iter().collect()
    }

    fn watch(&self, parker: &Arc<Parker>) -> Vec<Watch> {
        // Where nothing is lent any more the goal is reached, which is looked at next.
        vec![self.0.watch(Watcher::Thread(parker.clone()))]
    }
}

impl Drop for Unlent {
    fn drop(&mut self) {
        self.0.ignore();
    }
}

/// A result is to be set, or one of several.
pub(crate) struct Set<'a>(pub(crate) &'a [TaskRef]);

impl Goal for Set<'_> {
    fn reached(&self) -> bool {
        self.0.iter().any(|task| task.is_set())
    }

    fn test(&self) -> Test {
        let tasks = self.0.to_vec();
        Box::new(move || tasks.iter().any(|task| task.is_set()))
    }

    fn any(&self) -> bool {
        self.0.len() > 1
    }

    fn roots(&self) -> Vec<TaskRef> {
        self.0.to_vec()
    }

    fn watch(&self, parker: &Arc<Parker>) -> Vec<Watch> {
        let watch = |task: &TaskRef| task.watch(Watcher::Thread(parker.clone())).ok();
        self.0.iter().filter_map(watch).collect()
    }
}

/// The turn of a thread that stands in line itself.
pub(crate) struct Turn {
    permits: Arc<Permits>,
    waiter: Arc<Waiter>,
}

impl Turn {
    pub(crate) fn of(in_line: &InLine) -> Turn {
        Turn { permits: in_line.permits.clone(), waiter: in_line.waiter.clone() }
    }

    /// Whether it comes by time, whoever else waits.
    pub(crate) fn is_timed(&self) -> bool {
        self.permits.is_timed()
    }
}

impl Goal for Turn {
    fn reached(&self) -> bool {
        self.waiter.is_called()
    }

    fn test(&self) -> Test {
        let waiter = self.waiter.clone();
        Box::new(move || waiter.is_called())
    }

    fn roots(&self) -> Vec<TaskRef> {
        Vec::new()
    }

    fn line(&self) -> Option<Arc<Permits>> {
        Some(self.permits.clone())
    }

    fn watch(&self, _parker: &Arc<Parker>) -> Vec<Watch> {
        // It is this thread's own parker that stands in line.
        Vec::new()
    }
}
