//! The stages of a stream, each with the one that follows: calls, what takes items apart or together, and the end.

use crate::error::{Error, Hop};
use crate::stream::flow::{Crew, Flow, Works};
use crate::stream::gate::{Gate, Turn};
use crate::sync::{Mutex, lock};

/// What takes items.
pub(super) trait Stage<T>: Works {
    /// An item from the source: for a runner to find.
    fn put(&self, number: u64, item: T);
    /// An item from the stage before, on a runner, to be taken as far as it can.
    fn take(&self, run: &Crew<'_>, number: u64, item: Option<T>);
    /// So many have come, or will, and no more.
    fn end(&self, total: u64);
}

/// A stage, as the one before it has it.
pub(super) type Next<'a, T> = Box<dyn Stage<T> + 'a>;

/// Calls a function, which may leave the item out.
pub(super) struct Apply<'a, T, U, F> {
    pub(super) hop: Hop,
    pub(super) f: F,
    /// `None`: whoever comes may pass.
    pub(super) gate: Option<Gate<T>>,
    /// Whether even what is left out keeps its turn.
    pub(super) in_order: bool,
    pub(super) next: Next<'a, U>,
}

impl<T: Send, U, F: Fn(T) -> Option<U> + Sync> Apply<'_, T, U, F> {
    fn go(&self, run: &Crew<'_>, (number, item): Turn<T>) {
        let Some(item) = item else { return self.next.take(run, number, None) };
        let Some(value) = run.call(self.hop, || (self.f)(item)) else { return };
        if let Some(gate) = &self.gate
            && gate.leave()
        {
            run.more();
        }
        self.next.take(run, number, value);
    }
}

impl<T: Send, U, F: Fn(T) -> Option<U> + Sync> Works for Apply<'_, T, U, F> {
    fn work(&self, run: &Crew<'_>) -> bool {
        if self.next.work(run) {
            return true;
        }
        let Some(gate) = &self.gate else { return false };
        let Some(turn) = gate.next() else { return false };
        // Whoever brought these may have counted on this runner to see to all of them.
        if gate.is_ready() {
            run.more();
        }
        self.go(run, turn);
        true
    }

    fn is_ready(&self, flow: &Flow) -> bool {
        self.gate.as_ref().is_some_and(Gate::is_ready) || self.next.is_ready(flow)
    }
}

impl<T: Send, U, F: Fn(T) -> Option<U> + Sync> Stage<T> for Apply<'_, T, U, F> {
    fn put(&self, number: u64, item: T) {
        match &self.gate {
            Some(gate) => gate.put(number, Some(item)),
            None => unreachable!("the source's first stage has a line"),
        }
    }

    fn take(&self, run: &Crew<'_>, number: u64, item: Option<T>) {
        let turn = match &self.gate {
            Some(gate) if item.is_some() || self.in_order => gate.pass(number, item),
            _ => Some((number, item)),
        };
        if let Some(turn) = turn {
            self.go(run, turn);
        }
    }

    fn end(&self, total: u64) {
        self.next.end(total);
    }
}

/// What makes other items of those that come.
pub(super) trait Maker<T, U>: Send {
    /// Takes an item; whether it is done with that at once.
    fn put(&mut self, item: T) -> bool;
    /// Whether to ask it for the next one, rather than to give it more. `is_last`: there is no more.
    fn is_ready(&self, is_last: bool) -> bool;
    /// The next one. None: it is done with what it was given.
    fn make(&mut self) -> Option<U>;
}

/// Takes items apart: they are iterators.
pub(super) struct Apart<I>(pub(super) Option<I>);

impl<I: Iterator + Send> Maker<I, I::Item> for Apart<I> {
    fn put(&mut self, items: I) -> bool {
        self.0 = Some(items);
        false
    }

    fn is_ready(&self, _is_last: bool) -> bool {
        self.0.is_some()
    }

    fn make(&mut self) -> Option<I::Item> {
        let next = self.0.as_mut()?.next();
        if next.is_none() {
            self.0 = None;
        }
        next
    }
}

/// Takes so many items together.
pub(super) struct Together<T> {
    pub(super) size: usize,
    /// The chunk that is not complete.
    pub(super) items: Vec<T>,
}

impl<T: Send> Maker<T, Vec<T>> for Together<T> {
    fn put(&mut self, item: T) -> bool {
        self.items.push(item);
        true
    }

    fn is_ready(&self, is_last: bool) -> bool {
        self.items.len() == self.size || (is_last && !self.items.is_empty())
    }

    fn make(&mut self) -> Option<Vec<T>> {
        Some(std::mem::take(&mut self.items))
    }
}

/// Has other items made of those that come, by one runner at a time.
pub(super) struct Remake<'a, T, U, M> {
    hop: Hop,
    /// Which places it gives back; the next ones are those that it takes.
    part: usize,
    gate: Gate<T>,
    state: Mutex<Made<M>>,
    next: Next<'a, U>,
}

struct Made<M> {
    /// `None` while a runner asks it.
    maker: Option<M>,
    /// How many items it has made.
    out: u64,
    has_ended: bool,
}

impl<'a, T: Send, U, M: Maker<T, U>> Remake<'a, T, U, M> {
    pub(super) fn new(
        hop: Hop,
        part: usize,
        gate: Gate<T>,
        maker: M,
        next: Next<'a, U>,
    ) -> Remake<'a, T, U, M> {
        let state = Mutex::new(Made { maker: Some(maker), out: 0, has_ended: false });
        Remake { hop, part, gate, state, next }
    }

    fn step(&self, run: &Crew<'_>) -> bool {
        let mut state = lock(&self.state);
        let Made { maker: Some(maker), out, has_ended } = &mut *state else { return false };
        let is_last = self.gate.is_done();
        if !maker.is_ready(is_last) {
            match self.gate.next() {
                Some((_, None)) => run.flow.give_place(self.part),
                Some((_, Some(item))) => {
                    if maker.put(item) {
                        self.gate.leave();
                        run.flow.give_place(self.part);
                    }
                }
                None if is_last && !*has_ended => {
                    *has_ended = true;
                    self.next.end(*out);
                }
                None => return false,
            }
            if !maker.is_ready(self.gate.is_done()) {
                return true;
            }
        }
        if !run.flow.take_place(self.part + 1) {
            return false;
        }
        let Some(mut maker) = state.maker.take() else { return false };
        drop(state);
        let Some((item, maker)) = run.call(self.hop, || (maker.make(), maker)) else {
            // The stream is over.
            return true;
        };
        if item.is_none() {
            self.gate.leave();
        }
        let is_ready = maker.is_ready(false);
        let mut state = lock(&self.state);
        state.maker = Some(maker);
        // Whoever has brought an item before this has left it to this runner.
        let has_more = is_ready || self.gate.is_ready();
        let number = state.out;
        state.out += u64::from(item.is_some());
        drop(state);
        match item {
            Some(item) => {
                if has_more {
                    run.more();
                }
                self.next.take(run, number, Some(item));
            }
            None => {
                run.flow.give_back(self.part + 1);
                run.flow.give_place(self.part);
            }
        }
        true
    }
}

impl<T: Send, U, M: Maker<T, U>> Works for Remake<'_, T, U, M> {
    fn work(&self, run: &Crew<'_>) -> bool {
        self.next.work(run) || self.step(run)
    }

    fn is_ready(&self, flow: &Flow) -> bool {
        let state = lock(&self.state);
        let is_last = self.gate.is_done();
        let here = state.maker.as_ref().is_some_and(|maker| match maker.is_ready(is_last) {
            true => flow.has_place(self.part + 1),
            false => self.gate.is_ready() || (is_last && !state.has_ended),
        });
        drop(state);
        here || self.next.is_ready(flow)
    }
}

impl<T: Send, U, M: Maker<T, U>> Stage<T> for Remake<'_, T, U, M> {
    fn put(&self, number: u64, item: T) {
        self.gate.put(number, Some(item));
    }

    fn take(&self, run: &Crew<'_>, number: u64, item: Option<T>) {
        self.gate.put(number, item);
        self.step(run);
    }

    fn end(&self, total: u64) {
        self.gate.end(total);
    }
}

/// Where items end: a function that is called for one at a time.
pub(super) struct EachItem<T, F> {
    pub(super) hop: Hop,
    pub(super) part: usize,
    pub(super) gate: Gate<T>,
    /// `None` while it is called.
    pub(super) f: Mutex<Option<F>>,
}

impl<T: Send, F: FnMut(T) -> Result<(), Error> + Send> EachItem<T, F> {
    fn go(&self, run: &Crew<'_>, (_, item): Turn<T>) {
        if let Some(item) = item {
            let Some(mut f) = lock(&self.f).take() else { unreachable!("one at a time") };
            let Some((outcome, f)) = run.call(self.hop, move || (f(item), f)) else { return };
            if let Err(error) = outcome {
                // Nobody is to pass any more.
                return run.flow.fail(error);
            }
            *lock(&self.f) = Some(f);
            self.gate.leave();
        }
        run.flow.give_place(self.part);
    }
}

impl<T: Send, F: FnMut(T) -> Result<(), Error> + Send> Works for EachItem<T, F> {
    fn work(&self, run: &Crew<'_>) -> bool {
        let Some(turn) = self.gate.next() else { return false };
        self.go(run, turn);
        true
    }

    fn is_ready(&self, _flow: &Flow) -> bool {
        self.gate.is_ready()
    }
}

impl<T: Send, F: FnMut(T) -> Result<(), Error> + Send> Stage<T> for EachItem<T, F> {
    fn put(&self, number: u64, item: T) {
        self.gate.put(number, Some(item));
    }

    fn take(&self, run: &Crew<'_>, number: u64, item: Option<T>) {
        if let Some(turn) = self.gate.pass(number, item) {
            self.go(run, turn);
        }
    }

    fn end(&self, _total: u64) {}
}
