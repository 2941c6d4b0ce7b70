//! What each thread has of each who looks on: its own, so that it need not ask for it.

use std::cell::{Cell, RefCell};
use std::thread::LocalKey;

use crate::live::{Live, LiveHere};

/// What a thread has of one who looks on, told apart by the tasks that this one knows.
pub(crate) trait Hand: 'static {
    fn live(&self) -> &LiveHere;
}

/// All that a thread has.
pub(crate) struct Here<M> {
    /// Of the one that the thread has told last.
    last: Cell<Option<Box<M>>>,
    others: RefCell<Vec<M>>,
}

impl<M: Hand> Here<M> {
    pub(crate) const fn new() -> Here<M> {
        Here { last: Cell::new(None), others: RefCell::new(Vec::new()) }
    }

    /// Shows the calling thread what it has of who knows these tasks. A thread that is about to end has nothing that
    /// lasts, and gets something for this once.
    #[inline(always)]
    pub(crate) fn with<R>(
        here: &'static LocalKey<Here<M>>,
        live: &Live,
        new: impl FnOnce() -> M,
        f: impl FnOnce(&mut M) -> R,
    ) -> R {
        let mut mine = match here.try_with(|here| here.last.take()) {
            Ok(Some(mine)) if mine.live().is_of(live) => mine,
            other => Here::find(here, live, new, other.ok().flatten()),
        };
        let answer = f(&mut mine);
        let _ = here.try_with(|here| here.last.set(Some(mine)));
        answer
    }

    /// What the thread has of it, where it has told an`other` one last.
    #[cold]
    #[inline(never)]
    fn find(
        here: &'static LocalKey<Here<M>>,
        live: &Live,
        new: impl FnOnce() -> M,
        other: Option<Box<M>>,
    ) -> Box<M> {
        let found = here.try_with(|here| {
            let mut others = here.others.try_borrow_mut().ok()?;
            others.retain(|mine| !mine.live().is_over());
            others.extend(other.map(|other| *other).filter(|other| !other.live().is_over()));
            let at = others.iter().position(|mine| mine.live().is_of(live))?;
            Some(Box::new(others.swap_remove(at)))
        });
        found.ok().flatten().unwrap_or_else(|| Box::new(new()))
    }
}
