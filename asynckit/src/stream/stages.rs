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
pub(super) struct Call<'a, T, U, F> {
    pub(super) hop: Hop,
    pub(super) f: F,
    /// `None`: whoever comes may pass.
    pub(super) gate: Option<Gate<T>>,
    /// Whether even what is left out keeps its turn.
    pub(super) in_order: bool,
    pub(super) next: Next<'a, U>,
}

impl<T: Send, U, F: Fn(T) -> Option<U> + Sync> Call<'_, T, U, F> {
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

impl<T: Send, U, F: Fn(T) -> Option<U> + Sync> Works for Call<'_, T, U, F> {
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

impl<T: Send, U, F: Fn(T) -> Option<U> + Sync> Stage<T> for Call<'_, T, U, F> {
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

/// Takes items apart: they are iterators, which one runner at a time asks.
pub(super) struct Flatten<'a, I: Iterator> {
    pub(super) hop: Hop,
    /// Which places it gives back; the next ones are those that it takes.
    pub(super) part: usize,
    pub(super) gate: Gate<I>,
    pub(super) state: Mutex<Flattening<I>>,
    pub(super) next: Next<'a, I::Item>,
}

/// Which of them is taken apart.
pub(super) struct Flattening<I> {
    now: Option<I>,
    /// Whether a runner asks it.
    is_asked: bool,
    /// How many items have come of all.
    out: u64,
    has_ended: bool,
}

impl<I> Flattening<I> {
    pub(super) fn none() -> Flattening<I> {
        Flattening { now: None, is_asked: false, out: 0, has_ended: false }
    }
}

impl<I: Iterator + Send> Flatten<'_, I> {
    fn is_last(&self, state: &Flattening<I>) -> bool {
        state.now.is_none() && !state.has_ended && self.gate.is_done()
    }

    fn step(&self, run: &Crew<'_>) -> bool {
        let mut state = lock(&self.state);
        if state.is_asked {
            return false;
        }
        if state.now.is_none() {
            match self.gate.next() {
                Some((_, Some(items))) => state.now = Some(items),
                Some((_, None)) => {
                    drop(state);
                    run.flow.give_place(self.part);
                    return true;
                }
                None if self.is_last(&state) => {
                    state.has_ended = true;
                    self.next.end(state.out);
                    return true;
                }
                None => return false,
            }
        }
        if !run.flow.take_place(self.part + 1) {
            return false;
        }
        let Some(mut items) = state.now.take() else { return false };
        state.is_asked = true;
        drop(state);
        let asked = run.call(self.hop, || items.next().map(|item| (item, items)));
        match asked {
            // The stream is over.
            None => {}
            Some(None) => {
                self.gate.leave();
                lock(&self.state).is_asked = false;
                run.flow.give_back(self.part + 1);
                run.flow.give_place(self.part);
            }
            Some(Some((item, items))) => {
                let mut state = lock(&self.state);
                let number = state.out;
                state.out += 1;
                state.now = Some(items);
                state.is_asked = false;
                drop(state);
                run.more();
                self.next.take(run, number, Some(item));
            }
        }
        true
    }
}

impl<I: Iterator + Send> Works for Flatten<'_, I> {
    fn work(&self, run: &Crew<'_>) -> bool {
        self.next.work(run) || self.step(run)
    }

    fn is_ready(&self, flow: &Flow) -> bool {
        let state = lock(&self.state);
        let here = !state.is_asked
            && match state.now {
                Some(_) => flow.has_place(self.part + 1),
                None => self.gate.is_ready() || self.is_last(&state),
            };
        drop(state);
        here || self.next.is_ready(flow)
    }
}

impl<I: Iterator + Send> Stage<I> for Flatten<'_, I> {
    fn put(&self, number: u64, item: I) {
        self.gate.put(number, Some(item));
    }

    fn take(&self, run: &Crew<'_>, number: u64, item: Option<I>) {
        self.gate.put(number, item);
        self.step(run);
    }

    fn end(&self, total: u64) {
        self.gate.end(total);
    }
}

/// Takes so many items together.
pub(super) struct Chunks<'a, T> {
    pub(super) size: usize,
    /// As of `Flatten`.
    pub(super) part: usize,
    pub(super) gate: Gate<T>,
    pub(super) state: Mutex<Chunk<T>>,
    pub(super) next: Next<'a, Vec<T>>,
}

/// The chunk that is not complete.
pub(super) struct Chunk<T> {
    items: Vec<T>,
    out: u64,
    has_ended: bool,
}

impl<T> Chunk<T> {
    pub(super) fn empty() -> Chunk<T> {
        Chunk { items: Vec::new(), out: 0, has_ended: false }
    }
}

impl<T: Send> Chunks<'_, T> {
    fn is_last(&self, state: &Chunk<T>) -> bool {
        !state.has_ended && self.gate.is_done()
    }

    /// Whether the chunk is to go on, as it is full or the last one.
    fn is_whole(&self, state: &Chunk<T>, is_last: bool) -> bool {
        state.items.len() == self.size || (is_last && !state.items.is_empty())
    }

    fn step(&self, run: &Crew<'_>) -> bool {
        let mut state = lock(&self.state);
        let mut taken = 0;
        while state.items.len() < self.size
            && let Some((_, item)) = self.gate.next()
        {
            taken += 1;
            if let Some(item) = item {
                state.items.push(item);
                self.gate.leave();
            }
        }
        let is_last = self.is_last(&state);
        let chunk =
            (self.is_whole(&state, is_last) && run.flow.take_place(self.part + 1)).then(|| {
                state.out += 1;
                (state.out - 1, std::mem::take(&mut state.items))
            });
        let ends = is_last && state.items.is_empty();
        if ends {
            state.has_ended = true;
            self.next.end(state.out);
        }
        drop(state);
        (0..taken).for_each(|_| run.flow.give_place(self.part));
        let did_any = taken > 0 || chunk.is_some() || ends;
        if let Some((number, chunk)) = chunk {
            if self.gate.is_ready() {
                run.more();
            }
            self.next.take(run, number, Some(chunk));
        }
        did_any
    }
}

impl<T: Send> Works for Chunks<'_, T> {
    fn work(&self, run: &Crew<'_>) -> bool {
        self.next.work(run) || self.step(run)
    }

    fn is_ready(&self, flow: &Flow) -> bool {
        let state = lock(&self.state);
        let is_last = self.is_last(&state);
        let here = match self.is_whole(&state, is_last) {
            true => flow.has_place(self.part + 1),
            false => self.gate.is_ready() || is_last,
        };
        drop(state);
        here || self.next.is_ready(flow)
    }
}

impl<T: Send> Stage<T> for Chunks<'_, T> {
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
pub(super) struct End<T, F> {
    pub(super) hop: Hop,
    pub(super) part: usize,
    pub(super) gate: Gate<T>,
    /// `None` while it is called.
    pub(super) f: Mutex<Option<F>>,
}

impl<T: Send, F: FnMut(T) -> Result<(), Error> + Send> End<T, F> {
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

impl<T: Send, F: FnMut(T) -> Result<(), Error> + Send> Works for End<T, F> {
    fn work(&self, run: &Crew<'_>) -> bool {
        let Some(turn) = self.gate.next() else { return false };
        self.go(run, turn);
        true
    }

    fn is_ready(&self, _flow: &Flow) -> bool {
        self.gate.is_ready()
    }
}

impl<T: Send, F: FnMut(T) -> Result<(), Error> + Send> Stage<T> for End<T, F> {
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
