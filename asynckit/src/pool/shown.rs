//! What tasks are for those who look on; and tasks of no pool that they see: what gathers results, or limits the time
//! of one.
//!
//! Such a task needs no thread and is done on the spot, so that it is no pool's. But those who look on to the pool of
//! what it gathers want to see what depends on what. So it has a home that does nothing but tell them.

use std::ops::ControlFlow;

use crate::core::{
    self, EachNeed, Entry, Header, Homed, IsHome, News, Owner, Rest, Submitted, TaskOf, TaskRef,
    Traits, each_frame,
};
use crate::error::{Hook, Hop};
use crate::observe::{Need, TaskId, TaskKind, Told, Watched};
use crate::pool::place::{Inside, Part};
use crate::pool::shared::{Shared, State};
use crate::sync::Arc;

/// What a task or a result is for those who look on.
pub(crate) fn need_of(task: &Header) -> Need {
    let watched = match task.hooked_home::<Inside>() {
        Some(part) => part.watched.as_ref(),
        None => task.hooked_home::<Gathered>().map(|gathered| &gathered.watched),
    };
    watched.map_or(Need::Outside, |watched| Need::Task(watched.id))
}

/// What several are.
pub(super) fn needs(each: EachNeed<'_>) -> Vec<Need> {
    let mut needs = Vec::new();
    each(&mut |task| needs.push(need_of(task)));
    needs
}

/// What kind of task it is for them.
pub(super) fn kind_of(task: &Header) -> TaskKind {
    match task.shown_as() {
        TaskKind::Call if task.is_immediate() => TaskKind::Gather,
        kind => kind,
    }
}

/// The part of the work that this thread is doing, where somebody looks on to it.
pub(crate) fn watched_here() -> Option<Arc<Part>> {
    each_frame(|frame| match frame.home::<Inside>() {
        Some(part) => ControlFlow::Break(part.watched.is_some().then(|| part.arc())),
        None if frame.home::<State>().is_some() => ControlFlow::Break(None),
        // It is run in place, as a part of what is below.
        None => ControlFlow::Continue(()),
    })
    .flatten()
}

/// The number of that work.
pub(super) fn task_here() -> Option<TaskId> {
    each_frame(|frame| match frame.home::<Inside>() {
        Some(part) => ControlFlow::Break(part.watched.as_ref().map(|watched| watched.id)),
        None if frame.home::<State>().is_some() => ControlFlow::Break(None),
        None => ControlFlow::Continue(()),
    })
    .flatten()
}

/// The home of a task of no pool.
pub(crate) struct Gathered {
    watched: Watched,
    /// Whose onlookers are told.
    pool: Arc<Shared>,
    /// What it is made of, where that is no input.
    of: Need,
}

/// The pool of a task or a result, where somebody looks on to both.
pub(crate) fn looked_on(task: &Header) -> Option<Arc<Shared>> {
    if !task.is_special() {
        return None;
    }
    if let Some(gathered) = task.hooked_home::<Gathered>() {
        return Some(gathered.pool.clone());
    }
    let part = task.hooked_home::<Inside>()?;
    part.watched.as_ref().filter(|watched| watched.seen_by > 0).map(|_| part.pool().clone())
}

/// Makes a task of no pool, done on the spot. `by`: those who look on to this pool are to see it; `of`: what it is
/// made of, where that is no input.
pub(crate) fn on_no_pool<T, K: TaskOf<T>>(
    (by, of): (Option<Arc<Shared>>, Need),
    traits: Traits,
    hop: Hop,
    task: K,
) -> Owner<T> {
    let Some(pool) = by else { return core::submit_nowhere(traits, hop, task) };
    let watched = Watched::new(pool.onlookers.count(), None);
    let home = Homed::new_home(Gathered { watched, pool, of });
    let (owner, submitted) = home.submit_hooked(traits.and(Traits::IMMEDIATE), hop, task);
    if let Submitted::Immediate(entry) = submitted {
        home.do_now(entry);
    }
    owner
}

impl IsHome for Gathered {
    const KIND: u8 = 2;

    fn schedule(home: &Homed<Self>, entry: Entry) {
        home.do_now(entry);
    }

    fn queue(home: &Homed<Self>, entry: Entry) {
        home.do_now(entry);
    }

    fn rest(_: &Homed<Self>, rest: Rest) {
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

    fn tells(home: &Homed<Self>, task: &Header, news: News<'_>) {
        let (watched, pool) = (&home.watched, &home.pool);
        let tell =
            |told: &Told<'_>| pool.onlookers.tell(watched.seen_by, None, &|| pool.hook(), told);
        match news {
            News::Submitted(each) => {
                let mut needs = needs(each);
                if needs.is_empty() {
                    needs.extend(home.of.task().map(Need::Task));
                }
                watched.submitted(task.hop, kind_of(task), &needs, (task_here(), None), &tell);
            }
            News::Ends(error) => watched.ends(error, task.is_set(), &tell),
            News::Lost(error) => watched.lost(error, &tell),
            News::Cut(error) => {
                tell(&Told::Cancelled(watched.id, error));
            }
            News::Begins | News::Waits(_) => {}
        }
    }

    fn hook(_: &Homed<Self>) -> Option<Hook> {
        None
    }
}
