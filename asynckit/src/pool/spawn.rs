//! A submission, from top to bottom.
//!
//! One look tells the plain way from all others: an open pool without a capacity or a seed, and work that
//! may borrow nothing, be cancelled by no token, and does not sleep. All else is hooked to a part of the
//! pool (`place.rs`).

use crate::core::{Owner, Submitted, TaskOf, Traits, Unsubmitted};
use crate::error::{Error, Hop};
use crate::observe::Record;
use crate::pool::place::{Part, Place};
use crate::pool::shared::Shared;
use crate::pool::worker;
use crate::sync::{Arc, weakened};
use crate::trace;

/// Submits a task to a pool as such.
#[inline]
pub(crate) fn on_pool<T, K: TaskOf<T>>(pool: &Arc<Shared>, hop: Hop, task: K) -> Owner<T> {
    if !takes_plainly(pool) {
        return on_place(&Place::Pool(pool.clone()), false, hop, Traits::PLAIN, task);
    }
    on_plain_pool(pool, hop, task)
}

/// Whether what is submitted to a pool as such goes the plain way.
#[inline]
pub(crate) fn takes_plainly(pool: &Shared) -> bool {
    pool.phase.is_plain() && !trace::is_on()
}

/// Submits a task to a pool that `takes_plainly`.
#[inline]
pub(crate) fn on_plain_pool<T, K: TaskOf<T>>(pool: &Shared, hop: Hop, task: K) -> Owner<T> {
    let (owner, submitted) = pool.submit(Traits::PLAIN, hop, task);
    match submitted {
        Submitted::Ready(entry) => worker::schedule(pool, entry),
        // *The late task*: it was tied, SeqCst, before this look.
        Submitted::Tied if !pool.is_closed() || weakened("late task") => {}
        Submitted::Tied => refuse_late(pool, &owner),
        Submitted::Immediate(entry) => pool.do_now(entry),
    }
    owner
}

/// Whether what is submitted to a pool as such goes the plain way, but for those who look on.
#[inline]
pub(crate) fn takes_watched(pool: &Shared) -> bool {
    pool.phase.is_plainly_watched()
}

/// Submits a task that does not sleep to a pool that `takes_watched`.
#[inline(always)]
pub(crate) fn on_watched_pool<T, K: TaskOf<T>>(pool: &Shared, hop: Hop, task: K) -> Owner<T> {
    let watched = pool.watched();
    watched_on_pool(pool, hop, Traits::PLAIN, task, watched)
}

#[inline(always)]
fn watched_on_pool<T, K: TaskOf<T>>(
    pool: &Shared,
    hop: Hop,
    traits: Traits,
    task: K,
    watched: Record,
) -> Owner<T> {
    let (owner, submitted) = pool.submit_watched(traits, hop, task, watched);
    match submitted {
        Submitted::Ready(entry) => {
            if let Some(watched) = entry.header().watched()
                && !watched.is_told()
            {
                watched.told(&pool.onlookers).ready_at_once();
            }
            worker::schedule(pool, entry);
        }
        // *The late task*, as above.
        Submitted::Tied if !pool.is_closed() => {}
        Submitted::Tied => refuse_late(pool, &owner),
        Submitted::Immediate(entry) => pool.do_now(entry),
    }
    owner
}

#[cold]
#[inline(never)]
fn refuse_late<T>(pool: &Shared, owner: &Owner<T>) {
    let _ = owner.reference().fail_waiting(pool.not_begun(owner.hop), false);
}

/// Submits a task anywhere. `counted`: it has a place in the queue.
#[cold]
#[inline(never)]
pub(crate) fn on_place<T, K: TaskOf<T>>(
    place: &Place,
    counted: bool,
    hop: Hop,
    traits: Traits,
    task: K,
) -> Owner<T> {
    if let Place::Pool(pool) = place
        && !counted
        && !K::SLEEPS
        && pool.is_open_and_watched()
        && let Some(watched) = pool.watch(traits)
    {
        return watched_on_pool(pool, hop, traits, task, watched);
    }
    let part = part_of(place, counted, traits);
    if let Some(error) = refusal(&part, hop) {
        return Unsubmitted::new(hop, traits, task).refuse(error);
    }
    part.enter();
    let (owner, submitted) = part.submit_hooked(traits.and(part.traits()), hop, task);
    follow(&part, &owner, submitted);
    owner
}

/// Submits work that has a cell.
#[cold]
#[inline(never)]
pub(crate) fn made<T>(place: &Place, counted: bool, work: Unsubmitted<T>) -> Owner<T> {
    let part = part_of(place, counted, work.traits());
    if let Some(error) = refusal(&part, work.hop()) {
        return work.refuse(error);
    }
    part.enter();
    let (owner, submitted) = part.submit_made_hooked(part.traits(), work);
    follow(&part, &owner, submitted);
    owner
}

/// What a task is hooked to.
fn part_of(place: &Place, counted: bool, traits: Traits) -> Arc<Part> {
    let watched = place.pool().watch(traits);
    match place {
        Place::Part(part) if !counted && watched.is_none() && part.watched.is_none() => {
            part.clone()
        }
        place => place.for_one(counted, watched),
    }
}

/// Why a task may not be submitted, if so; it gives its place in the queue back.
fn refusal(part: &Part, hop: Hop) -> Option<Error> {
    let refusal = part.refusal(hop);
    let error = match refusal {
        None if part.pool().admits() => return None,
        None => part.pool().turned_down(hop),
        Some(error) => error,
    };
    part.begun();
    Some(error)
}

fn follow<T>(part: &Arc<Part>, owner: &Owner<T>, submitted: Submitted) {
    let task = owner.reference();
    // First, so that work which cancels its own token is among what is cancelled.
    part.show(&task);
    match submitted {
        Submitted::Ready(entry) => {
            part.tell_ready();
            worker::schedule_in(part, entry);
        }
        Submitted::Immediate(entry) => part.do_now(entry),
        // *The late task*, as above.
        Submitted::Tied if part.pool().is_closed() => refuse_late(part.pool(), owner),
        Submitted::Tied => {}
    }
}
