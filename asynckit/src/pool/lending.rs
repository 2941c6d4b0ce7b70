//! Permits that work gives back while it waits, and takes again before it goes on: those of limits that lend.

use std::cell::RefCell;
use std::collections::VecDeque;

use crate::core::TaskRef;
use crate::observe::{LimitFacts, tell};
use crate::pool::context;
use crate::pool::goal::Turn;
use crate::pool::looks::listeners_here;
use crate::pool::place::Inside;
use crate::sync::Arc;
use crate::terms::{InLine, LENDING, Pass, Passes, Share, Who, shares_in_place};

/// What was given back.
#[derive(Default)]
pub(crate) struct Lent {
    /// By limit, so that nobody has a part of what he needs of one while he waits for the rest. First what is around
    /// the others.
    of: VecDeque<OfOne>,
    /// The place in line for the first of them.
    in_line: Option<Arc<InLine>>,
}

/// What was given back of one limit, and where it belongs.
struct OfOne {
    limit: Arc<Passes>,
    shares: Vec<Arc<Share>>,
}

impl OfOne {
    fn weight(&self) -> usize {
        self.shares.iter().map(|share| share.weight()).sum()
    }

    fn put_back(mut self, mut pass: Pass) {
        let last = self.shares.pop();
        for share in self.shares {
            share.put_back(got(pass.split_off(share.weight())));
        }
        if let Some(last) = last {
            last.put_back(got(pass));
        }
    }
}

crate::sync::local! {
    /// Where this thread stands in line to go on, from within each other.
    static TURNS: RefCell<Vec<Arc<InLine>>> = const { RefCell::new(Vec::new()) };
}

/// This thread stands in line.
pub(super) struct Standing;

impl Drop for Standing {
    fn drop(&mut self) {
        let last = TURNS.with(|turns| turns.borrow_mut().pop());
        drop(last);
    }
}

impl Lent {
    /// Gives back what the work on this thread has, which is about to block. What was waited for below it on its
    /// stack steps out of the line, as that can't go on before this.
    pub(super) fn lend(&mut self) {
        if LENDING.any() {
            let turns = TURNS.with(|turns| turns.borrow().clone());
            turns.iter().for_each(|turn| turn.step_aside());
            self.lend_of(&context::stack());
            shares_in_place().into_iter().for_each(|share| self.lend_one(share));
        }
    }

    /// What a task has that sleeps until a result is set.
    pub(crate) fn of_sleeper(task: impl FnOnce() -> TaskRef) -> Option<Lent> {
        if !LENDING.any() {
            return None;
        }
        let mut lent = Lent::default();
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
        let Some(limit) = share.limit().filter(|_| share.lend()) else { return };
        match self.of.iter_mut().find(|one| one.limit.is(limit)) {
            Some(one) => one.shares.push(share),
            None => self.of.push_back(OfOne { limit: limit.clone(), shares: vec![share] }),
        }
    }

    /// Takes it again, as far as there is room; whether all of it is back. Else `who` stands in line, in front of those
    /// who have not begun.
    pub(crate) fn take_back(&mut self, who: impl Fn() -> Who) -> bool {
        while let Some(one) = self.of.pop_front() {
            let in_line = self.in_line.take().filter(|place| !place.waiter.has_stepped_aside());
            let entered = match in_line {
                Some(in_line) => Err(in_line),
                None => one.limit.enter(one.weight(), false, &who).map_err(Arc::new),
            };
            match entered.or_else(|in_line| in_line.waiter.take().ok_or(in_line)) {
                Ok(pass) => one.put_back(pass),
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
    pub(super) fn turn(&self) -> Option<(Turn, Standing)> {
        let in_line = self.in_line.as_ref()?;
        TURNS.with(|turns| turns.borrow_mut().push(in_line.clone()));
        let (passes, waiter) = (in_line.passes.clone(), in_line.waiter.clone());
        Some((Turn { passes, waiter }, Standing))
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        if let Some(in_line) = self.in_line.take() {
            in_line.give_up();
        }
    }
}

/// Tells of a pass, where anybody looks on, and has its return told.
pub(crate) fn got(mut pass: Pass) -> Pass {
    if let Some((task, by)) = listeners_here() {
        let LimitFacts { id: limit, most, every, made_at } = pass.limit().facts();
        let task = Some(task);
        tell!(by.moment(), PermitTaken { task, limit, most, made_at });
        if every.is_none() {
            pass.set_returned(Box::new(move || {
                tell!(by.moment(), PermitGiven { task, limit, most, made_at });
            }));
        }
    }
    pass
}
