//! Permits that work gives back while it waits, and takes again before it goes on: those of limits that lend.

use std::cell::RefCell;
use std::collections::VecDeque;

use crate::core::TaskRef;
use crate::observe::Told;
use crate::pool::context;
use crate::pool::goal::Turn;
use crate::pool::looks::listeners_here;
use crate::pool::place::Inside;
use crate::sync::Arc;
use crate::terms::{InLine, Pass, Share, Who, any_lends, shares_in_place};

/// What was given back.
#[derive(Default)]
pub(crate) struct Lent {
    /// Where it belongs: first what is around the rest.
    shares: VecDeque<Arc<Share>>,
    /// The place in line for the first of them.
    in_line: Option<Arc<InLine>>,
}

thread_local! {
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
        if any_lends() {
            let turns = TURNS.with(|turns| turns.borrow().clone());
            turns.iter().for_each(|turn| turn.step_aside());
            self.lend_of(&context::stack());
            self.shares.extend(shares_in_place().into_iter().filter(|share| share.lend()));
        }
    }

    /// What a task has that sleeps until a result is set.
    pub(crate) fn of_sleeper(task: impl FnOnce() -> TaskRef) -> Option<Lent> {
        if !any_lends() {
            return None;
        }
        let mut lent = Lent::default();
        lent.lend_of(&[task()]);
        (!lent.is_nothing()).then_some(lent)
    }

    fn lend_of(&mut self, stack: &[TaskRef]) {
        for place in stack.iter().filter_map(|task| task.hooked_home::<Inside>()) {
            let mut shares: Vec<_> = place.shares().filter(|share| share.lend()).cloned().collect();
            shares.reverse();
            self.shares.extend(shares);
        }
    }

    pub(super) fn is_nothing(&self) -> bool {
        self.shares.is_empty()
    }

    /// Takes it again, as far as there is room; whether all of it is back. Else `who` stands in line.
    pub(crate) fn take_back(&mut self, who: impl Fn() -> Who) -> bool {
        while let Some(share) = self.shares.front() {
            let in_line = self.in_line.take().filter(|place| !place.waiter.has_stepped_aside());
            let entered = match in_line {
                Some(in_line) => Err(in_line),
                None => match share.enter_again(&who) {
                    Some(entered) => entered.map_err(Arc::new),
                    None => unreachable!("what was lent is no permit"),
                },
            };
            match entered.or_else(|in_line| in_line.waiter.take().ok_or(in_line)) {
                Ok(pass) => share.put_back(got(pass)),
                Err(in_line) => {
                    self.in_line = Some(in_line);
                    return false;
                }
            }
            self.shares.pop_front();
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
        let facts = pass.limit().facts();
        by.tell(&Told::GotPermit(Some(task), facts));
        if facts.every.is_none() {
            pass.set_returned(Box::new(move || _ = by.tell(&Told::GavePermit(Some(task), facts))));
        }
    }
    pass
}
