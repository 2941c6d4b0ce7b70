//! What tasks are for those who look on; and tasks of no pool that they see: what gathers results, or limits the time
//! of one.
//!
//! Such a task needs no thread and is done on the spot, so that it is no pool's. But those who look on to the pool of
//! what it gathers want to see what depends on what. So it has a home that does nothing but tell them.

use std::slice::from_ref;

use crate::core::{
    self, Entry, Header, Homed, IsHome, ListRest, News, Owner, Submitted, TaskOf, TaskRef, Traits,
};
use crate::error::{Hook, Hop};
use crate::observe::{Listeners, Need, Onlookers, Record};
use crate::pool::place::Inside;
use crate::sync::Arc;

/// What a task or a result is for those who look on.
pub(crate) fn need_of(task: &Header) -> Need {
    task.record().map_or(Need::Outside, |watched| Need::Task(watched.id))
}

/// Who looks on to a task, if anybody does; also where its pool is kept by nothing else. `None` where that is gone.
pub(crate) fn onlookers_of(task: &Header) -> Option<Arc<Onlookers>> {
    if let Some(record) = task.watched() {
        return Onlookers::of(record.pool);
    }
    if let Some(part) = task.hooked_home::<Inside>() {
        return Some(part.pool().onlookers.clone());
    }
    Some(task.hooked_home::<GatheredHome>()?.by.clone())
}

/// The home of a task of no pool.
pub(crate) struct GatheredHome {
    watched: Record,
    by: Arc<Onlookers>,
    /// What it is made of, where that is no input.
    of: Need,
}

/// Those who look on to a task or a result and its pool; none where that is gone.
pub(crate) fn looked_on(task: &Header) -> Option<Listeners> {
    let watched = task.record().filter(|watched| watched.is_told_to_any())?;
    watched.listeners(onlookers_of(task)?).of_pool()
}

/// Makes a task of no pool, done on the spot. `by`: these are to see it; `of`: what it is made of, where that is no
/// input.
pub(crate) fn on_no_pool<T, K: TaskOf<T>>(
    (by, of): (Option<Listeners>, Need),
    traits: Traits,
    hop: Hop,
    task: K,
) -> Owner<T> {
    let Some(by) = by else { return core::submit_nowhere(traits, hop, task) };
    let (watched, by) = Record::of(by);
    let home = Homed::new_home(GatheredHome { watched, by, of });
    let (owner, submitted) = home.submit_hooked(traits.and(Traits::IMMEDIATE), hop, task);
    if let Submitted::Immediate(entry) = submitted {
        home.do_now(entry);
    }
    owner
}

impl IsHome for GatheredHome {
    const KIND: u8 = 2;

    fn schedule(home: &Homed<Self>, entry: Entry) {
        home.do_now(entry);
    }

    fn queue(home: &Homed<Self>, entry: Entry) {
        home.do_now(entry);
    }

    fn rest(_: &Homed<Self>, rest: ListRest) {
        // Its drop visits all that is left.
        drop(rest);
    }

    fn meet(_: &Homed<Self>, _: &TaskRef) -> bool {
        false
    }

    fn hold(home: &Homed<Self>) {
        core::keep(home);
    }

    fn met(home: &Homed<Self>) {
        core::let_go(&home.arc());
    }

    fn sleeps(_: &Homed<Self>, _: &TaskRef, _: bool) {}

    fn over(_: &Homed<Self>, _: &TaskRef) {}

    fn record(home: &Homed<Self>) -> Option<&Record> {
        Some(&home.watched)
    }

    fn tells(home: &Homed<Self>, task: &Header, news: &News<'_>) {
        let told = home.watched.told(&home.by);
        match news {
            News::Submitted([]) => News::Submitted(from_ref(&home.of)).tell(told, None, task),
            News::Begins { .. } => {}
            news => news.tell(told, None, task),
        }
    }

    fn hook(_: &Homed<Self>) -> Option<Hook> {
        None
    }
}
