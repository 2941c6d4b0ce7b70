//! A task that was told to begin does not leave its thread for a clone that gets in its way then.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use asynckit::observe::{Observer, TaskEnded, TaskId, TaskResumed, TaskStarted, TaskSubmitted};
use asynckit::{AsyncResult, Pool, async_work, chain};

use crate::support::{Gate, soon};

/// A value whose clone takes until the gate is open.
#[derive(Default)]
struct Slow {
    cloning: Gate,
    go: Gate,
}

impl Clone for Slow {
    fn clone(&self) -> Slow {
        self.cloning.open();
        self.go.pass();
        Slow { cloning: self.cloning.clone(), go: self.go.clone() }
    }
}

#[async_work]
fn clones(_: Slow) {}
#[async_work]
fn takes(_: Slow) {}

/// The one begins to clone when the other was told to begin, and that goes on when it does.
#[derive(Default)]
struct Meets {
    names: Mutex<Vec<(TaskId, &'static str)>>,
    events: Mutex<Vec<&'static str>>,
    begun: Gate,
    cloning: Gate,
}

impl Meets {
    fn is_taker(&self, task: TaskId) -> bool {
        self.names.lock().unwrap().iter().any(|(id, name)| *id == task && *name == "takes")
    }
}

impl Observer for Meets {
    fn submitted(&self, event: &TaskSubmitted<'_>) {
        self.names.lock().unwrap().push((event.task, event.name));
    }
    fn started(&self, event: &TaskStarted<'_>) {
        if self.is_taker(event.task) {
            self.events.lock().unwrap().push("started");
            self.begun.open();
            self.cloning.pass();
        } else {
            self.begun.pass();
        }
    }
    fn resumed(&self, event: &TaskResumed<'_>) {
        if self.is_taker(event.task) {
            self.events.lock().unwrap().push("resumed");
        }
    }
    fn ended(&self, event: &TaskEnded<'_>) {
        if self.is_taker(event.task) {
            self.events.lock().unwrap().push("ended");
        }
    }
}

#[test]
fn what_was_told_to_begin_waits_for_a_clone_where_it_is() {
    for own_handle in [false, true] {
        soon(move || {
            let slow = Slow::default();
            let go = slow.go.clone();
            let meets = Arc::new(Meets { cloning: slow.cloning.clone(), ..Meets::default() });
            let pool = Pool::builder().workers(2).observer(meets.clone()).build().unwrap();
            let (setter, value) = AsyncResult::channel();
            let clones = chain!(&pool, clones(value.clone()));
            // A clone, whose original is gone, or that itself.
            let last = Some(value).map(|own| if own_handle { own } else { own.clone() }).unwrap();
            let takes = chain!(&pool, takes(last));
            setter.set(slow).ok().unwrap();
            meets.cloning.pass();
            // Time for it to leave its thread, if it does.
            std::thread::sleep(Duration::from_millis(30));
            go.open();
            clones.get().unwrap();
            takes.get().unwrap();
            drop(pool);
            assert_eq!(*meets.events.lock().unwrap(), ["started", "ended"]);
        });
    }
}
