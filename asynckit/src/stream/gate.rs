//! Where items wait for their turn at a stage: in the order of the source, or as they come.

use std::collections::VecDeque;

use crate::sync::{AtomicUsize, Mutex, Ordering, lock};

/// An item with its number in the source; `None` where an earlier stage has left it out, so that nobody waits for it.
pub(super) type Turn<T> = (u64, Option<T>);

/// The way into a stage, which so many items pass at once.
pub(super) struct Gate<T> {
    limit: usize,
    /// How many are in the line, for a look without the lock.
    waiting: AtomicUsize,
    inside: Mutex<GateInner<T>>,
}

struct GateInner<T> {
    /// How many have passed and not left.
    busy: usize,
    /// How many have left, or were left out.
    over: u64,
    /// How many come in all, once that is known.
    total: Option<u64>,
    line: Line<T>,
}

/// Those who wait.
enum Line<T> {
    AsTheyCome(VecDeque<Turn<T>>),
    /// From this number on; `None` for those that have not come.
    InOrder(u64, VecDeque<Option<Option<T>>>),
}

impl<T> Line<T> {
    fn add(&mut self, number: u64, item: Option<T>) {
        match self {
            Line::AsTheyCome(line) => line.push_back((number, item)),
            Line::InOrder(next, line) => {
                let at = usize::try_from(number - *next).unwrap_or(usize::MAX);
                while line.len() <= at {
                    line.push_back(None);
                }
                line[at] = Some(item);
            }
        }
    }

    /// Who is next, if anybody: whether there is an item to it.
    fn first(&self) -> Option<bool> {
        match self {
            Line::AsTheyCome(line) => line.front().map(|(_, item)| item.is_some()),
            Line::InOrder(_, line) => line.front()?.as_ref().map(Option::is_some),
        }
    }

    fn take(&mut self) -> Option<Turn<T>> {
        match self {
            Line::AsTheyCome(line) => line.pop_front(),
            Line::InOrder(next, line) => {
                let item = line.pop_front()??;
                *next += 1;
                Some((*next - 1, item))
            }
        }
    }
}

impl<T> GateInner<T> {
    fn has_next(&self, limit: usize) -> bool {
        self.line.first().is_some_and(|is_item| !is_item || self.busy < limit)
    }

    fn next(&mut self, limit: usize) -> Option<Turn<T>> {
        let turn = self.has_next(limit).then(|| self.line.take())??;
        match turn.1 {
            Some(_) => self.busy += 1,
            None => self.over += 1,
        }
        Some(turn)
    }
}

impl<T> Gate<T> {
    pub(super) fn new(limit: usize, in_order: bool) -> Gate<T> {
        let line = match in_order {
            true => Line::InOrder(0, VecDeque::new()),
            false => Line::AsTheyCome(VecDeque::new()),
        };
        let inside = Mutex::new(GateInner { busy: 0, over: 0, total: None, line });
        Gate { limit, waiting: AtomicUsize::new(0), inside }
    }

    /// Puts an item in line.
    pub(super) fn put(&self, number: u64, item: Option<T>) {
        let mut inside = lock(&self.inside);
        inside.line.add(number, item);
        // ORDERING: SeqCst, as for `is_empty`: see `flow.rs`, "the last look".
        self.waiting.fetch_add(1, Ordering::SeqCst);
    }

    fn is_empty(&self) -> bool {
        self.waiting.load(Ordering::SeqCst) == 0
    }

    /// Puts an item in line, and takes who is next: mostly the same.
    pub(super) fn pass(&self, number: u64, item: Option<T>) -> Option<Turn<T>> {
        let mut inside = lock(&self.inside);
        inside.line.add(number, item);
        let next = inside.next(self.limit);
        if next.is_none() {
            self.waiting.fetch_add(1, Ordering::SeqCst);
        }
        next
    }

    /// Who is next: an item takes a place at the stage.
    pub(super) fn next(&self) -> Option<Turn<T>> {
        if self.is_empty() {
            return None;
        }
        let mut inside = lock(&self.inside);
        let next = inside.next(self.limit);
        if next.is_some() {
            self.waiting.fetch_sub(1, Ordering::SeqCst);
        }
        next
    }

    /// Whether anybody may pass.
    pub(super) fn is_ready(&self) -> bool {
        !self.is_empty() && lock(&self.inside).has_next(self.limit)
    }

    /// An item leaves the stage; whether another may pass.
    pub(super) fn leave(&self) -> bool {
        let mut inside = lock(&self.inside);
        inside.busy -= 1;
        inside.over += 1;
        inside.has_next(self.limit)
    }

    /// So many come in all.
    pub(super) fn end(&self, total: u64) {
        lock(&self.inside).total = Some(total);
    }

    /// Whether all have left, or were left out.
    pub(super) fn is_done(&self) -> bool {
        let inside = lock(&self.inside);
        inside.total == Some(inside.over)
    }
}
