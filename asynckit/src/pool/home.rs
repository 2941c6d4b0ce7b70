//! What pools and their parts do for the tasks whose homes they are.

use crate::core::{self, Entry, Header, Homed, IsHome, ListRest, News, TaskRef};
use crate::error::Hook;
use crate::observe::{Onlookers, Record};
use crate::pool::place::Inside;
use crate::pool::shared::PoolState;
use crate::pool::{deadlock, worker};
use crate::sync::Arc;
use crate::terms::Priority;

impl IsHome for PoolState {
    const KIND: u8 = 0;

    #[inline]
    fn schedule(home: &Homed<Self>, entry: Entry) {
        worker::schedule(home, entry);
    }

    fn queue(home: &Homed<Self>, entry: Entry) {
        worker::inject(home, entry);
    }

    fn rest(home: &Homed<Self>, rest: ListRest) {
        home.put_rest(rest);
    }

    fn meet(home: &Homed<Self>, upstream: &TaskRef) -> bool {
        home.meets(upstream)
    }

    fn hold(home: &Homed<Self>) {
        home.count_in();
    }

    fn met(home: &Homed<Self>) {
        home.count_out();
    }

    fn sleeps(home: &Homed<Self>, task: &TaskRef, hidden: bool) {
        home.sleeps(task, hidden);
    }

    fn over(_: &Homed<Self>, _: &TaskRef) {}

    fn onlookers(&self) -> Option<Arc<Onlookers>> {
        Some(self.onlookers.clone())
    }

    fn hook(home: &Homed<Self>) -> Option<Hook> {
        home.hook()
    }
}

impl IsHome for Inside {
    const KIND: u8 = 1;

    fn schedule(home: &Homed<Self>, entry: Entry) {
        if !entry.header().is_immediate() {
            home.tell_ready();
        }
        worker::schedule_in(home, entry);
    }

    fn queue(home: &Homed<Self>, entry: Entry) {
        home.tell_ready();
        match home.priority() {
            Priority::Normal => worker::inject(home.pool(), entry),
            priority => worker::put_ranked(home.pool(), entry, priority),
        }
    }

    fn rest(home: &Homed<Self>, rest: ListRest) {
        home.pool().put_rest(rest);
    }

    fn meet(home: &Homed<Self>, upstream: &TaskRef) -> bool {
        let counted = home.pool().meets(upstream);
        if counted {
            // The task, which counts its part, may be gone when that is told.
            core::keep(home);
        }
        counted
    }

    fn hold(home: &Homed<Self>) {
        core::keep(home);
        home.pool().count_in();
    }

    fn met(home: &Homed<Self>) {
        let part = home.arc();
        core::let_go(&part);
        part.pool().count_out();
    }

    fn sleeps(home: &Homed<Self>, task: &TaskRef, hidden: bool) {
        home.pool().sleeps(task, hidden);
        if !hidden && deadlock::has_a_permit(task) {
            deadlock::holds_while_it_waits(task);
        }
        home.look_whether_cancelled(task);
    }

    fn over(home: &Homed<Self>, task: &TaskRef) {
        home.begun();
        if let Some(tree) = home.tree() {
            tree.forget(task);
        }
        home.leave();
    }

    fn record(home: &Homed<Self>) -> Option<&Record> {
        home.watched.as_ref()
    }

    fn tells(home: &Homed<Self>, task: &Header, news: &News<'_>) {
        home.news(task, news);
    }

    fn hook(home: &Homed<Self>) -> Option<Hook> {
        home.pool().hook()
    }
}
