//! Permits that work gives back while it waits, and takes again before it goes on: those of limits that lend.

use std::collections::VecDeque;

use crate::core::TaskRef;
use crate::pool::context;
use crate::pool::goal::Turn;
use crate::pool::looks::listeners_here;
use crate::pool::place::Inside;
use crate::sync::Arc;
use crate::terms::{
    ComesAs, Entered, InLine, LENDING, Nested, Permit, Permits, Share, Watched, Who, enter,
    shares_in_place,
};

/// What was given back.
#[derive(Default)]
pub(crate) struct GivenBack {
    /// By limit, so that nobody has a part of what he needs of one while he waits for the rest. First what is around
    /// the others.
    of: VecDeque<OfOne>,
    /// The place in line for the first of them.
    in_line: Option<Arc<InLine>>,
}

/// What was given back of one limit, and where it belongs.
struct OfOne {
    limit: Arc<Permits>,
    returned: Vec<Returned>,
}

/// What one piece of work had, and who is told of that.
struct Returned {
    share: Arc<Share>,
    holder: Option<TaskRef>,
    watched: Option<Watched>,
}

impl Returned {
    fn put_back(self, mut permit: Permit) {
        permit.set_holder(self.holder.as_ref());
        if let Some(watched) = self.watched {
            permit.tell(watched);
        }
        self.share.put_back(permit);
    }
}

impl OfOne {
    fn weight(&self) -> usize {
        self.returned.iter().map(|one| one.share.weight()).sum()
    }

    /// A permit for all of it, or a place in line.
    fn enter(&self, who: impl FnOnce() -> Who) -> Result<Permit, Arc<InLine>> {
        let task = self.returned.first().and_then(|one| one.holder.clone());
        self.limit.enter(self.weight(), ComesAs::Back(task), who).map_err(|in_line| {
            for Returned { share, watched, .. } in &self.returned {
                if let Some(watched) = watched {
                    in_line.tell(watched.clone(), share.weight());
                }
            }
            Arc::new(in_line)
        })
    }

    fn put_back(mut self, mut permit: Permit) {
        let last = self.returned.pop();
        for one in self.returned {
            let its = permit.split_off(one.share.weight());
            one.put_back(its);
        }
        if let Some(last) = last {
            last.put_back(permit);
        }
    }
}

crate::sync::local! {
    /// Where this thread stands in line to go on. A thread may wait while it is torn down, too.
    static TURNS: Nested<Arc<InLine>> = const { Nested::nothing() };
}

impl GivenBack {
    /// Gives back what the work on this thread has, which is about to block. What was waited for below it on its
    /// stack steps out of the line, as that can't go on before this.
    pub(super) fn lend(&mut self) {
        if LENDING.any() {
            TURNS.with(Nested::all).iter().for_each(|turn| turn.step_aside());
            self.lend_of(&context::stack());
            shares_in_place().into_iter().for_each(|share| self.lend_one(share));
        }
    }

    /// What a task has that sleeps until a result is set.
    pub(crate) fn of_sleeper(task: impl FnOnce() -> TaskRef) -> Option<GivenBack> {
        if !LENDING.any() {
            return None;
        }
        let mut lent = GivenBack::default();
        lent.lend_of(&[task()]);
        (!lent.of.is_empty()).then_some(lent)
    }

    fn lend_of(&mut self, stack: &[TaskRef]) {
        for place in stack.iter().filter_map(|task| task.hooked_home::<Inside>()) {
            let shares: Vec<_> = place.shares().cloned().collect();
            shares.into_iter().rev().for_each(|share| self.lend_one(share));
        }
    }

    fn lend_one(&mut self, share: Arc<Share>) {
        let Some(permit) = share.lend() else { return };
        let limit = permit.limit().clone();
        let part = Returned { share, holder: permit.holder(), watched: permit.watched().cloned() };
        drop(permit);
        match self.of.iter_mut().find(|one| one.limit.is(&limit)) {
            Some(one) => one.returned.push(part),
            None => self.of.push_back(OfOne { limit, returned: vec![part] }),
        }
    }

    /// Takes it again, as far as there is room; whether all of it is back. Else `who` stands in line, in front of those
    /// who have not begun.
    pub(crate) fn take_back(&mut self, who: impl Fn() -> Who) -> bool {
        while let Some(one) = self.of.pop_front() {
            let in_line = self.in_line.take().filter(|place| !place.waiter.has_stepped_aside());
            let entered = match in_line {
                Some(in_line) => Err(in_line),
                None => one.enter(&who),
            };
            match entered.or_else(|in_line| in_line.waiter.take().ok_or(in_line)) {
                Ok(permit) => one.put_back(permit),
                Err(in_line) => {
                    self.in_line = Some(in_line);
                    self.of.push_front(one);
                    return false;
                }
            }
        }
        true
    }

    /// The turn of a thread that stands in line now.
    pub(super) fn turn(&self) -> Option<(Turn, Entered<Arc<InLine>>)> {
        let in_line = self.in_line.as_ref()?;
        Some((Turn::of(in_line), enter(&TURNS, in_line.clone())))
    }
}

impl Drop for GivenBack {
    fn drop(&mut self) {
        if let Some(in_line) = self.in_line.take() {
            in_line.give_up();
        }
    }
}

/// Those who look on to the work that this thread is doing, if anybody does.
pub(crate) fn watched_here() -> Option<Watched> {
    listeners_here().map(|(task, by)| Watched { task, by })
}

/// Tells of a permit, where anybody looks on, and has its return told.
pub(crate) fn got(mut permit: Permit) -> Permit {
    if let Some(watched) = watched_here() {
        permit.tell(watched);
    }
    permit
}
