//! Those who look on while a cell is unset and may leave again: blocked threads, polled futures,
//! callbacks.
//!
//! They are kept apart from the cells, in locked tables by the cell's address, so that a cell that
//! nobody looks at pays one bit for them.
//!
//! *Named race, "looking away":* a cell may close between an observer's look and its entry into
//! the table. So it enters first and then marks the cell (`Waiters::observe`), which fails where
//! the cell is closed; whoever closes a marked cell empties the cell's entries after that.

use std::collections::HashMap;
use std::task::Waker;

use super::sweep;
use crate::sync::{Arc, Mutex, Ordering, Parker, StaticCounter, lock};
use crate::task::{Steps, TaskRef};

/// What to do when the cell is set.
pub(crate) enum Observer {
    Thread(Arc<Parker>),
    Waker(Waker),
    /// A user's callback: runs from the trampoline.
    Call(Box<dyn FnOnce() + Send>),
    /// Our own, short and without foreign code: runs at once.
    Note(Box<dyn FnOnce() + Send>),
}

/// What an observer waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Event {
    /// The cell is set.
    Set,
    /// The set cell's value is lent no more.
    Free,
}

struct Entry {
    event: Event,
    ticket: u64,
    observer: Observer,
}

/// The observers of each cell, by its address.
type Table = Mutex<Option<HashMap<usize, Vec<Entry>>>>;

const TABLES: usize = 64;
static TABLE: [Table; TABLES] = [const { Mutex::new(None) }; TABLES];
static TICKETS: StaticCounter = StaticCounter::new(1);

fn with_table<R>(cell: usize, f: impl FnOnce(&mut HashMap<usize, Vec<Entry>>) -> R) -> R {
    // Cells are at least 16 bytes apart; the multiplier spreads the rest.
    let spread = (cell >> 4).wrapping_mul(0x9E37_79B9_7F4A_7C15_u64 as usize);
    let table = &TABLE[spread >> (usize::BITS - TABLES.ilog2())];
    f(lock(table).get_or_insert_default())
}

/// An entry in the table, which ends with it.
///
/// It keeps no hold on the cell: whoever watches has a handle of some kind, which outlives it.
#[derive(Debug)]
pub(crate) struct Watch {
    cell: usize,
    ticket: u64,
}

/// Looks on until the cell is set; `Err` hands the observer back where it is set already.
pub(crate) fn watch(cell: &TaskRef, observer: Observer) -> Result<Watch, Observer> {
    let watch = Watch::enter(cell, Event::Set, observer);
    if cell.waiters.observe() {
        return Ok(watch);
    }
    // Unless it was told in between.
    watch.remove().map_or_else(|| Ok(Watch { cell: cell.address(), ticket: 0 }), Err)
}

impl Watch {
    /// Enters the table, for a cell that the caller marks itself.
    pub(crate) fn enter(cell: &TaskRef, event: Event, observer: Observer) -> Watch {
        let cell = cell.address();
        let ticket = with_table(cell, |table| {
            // Under the lock, so that the tickets of a cell's entries ascend.
            let ticket = TICKETS.fetch_add(1, Ordering::Relaxed);
            table.entry(cell).or_default().push(Entry { event, ticket, observer });
            ticket
        });
        Watch { cell, ticket }
    }

    fn remove(&self) -> Option<Observer> {
        with_table(self.cell, |table| {
            let entries = table.get_mut(&self.cell)?;
            let place = entries.binary_search_by_key(&self.ticket, |entry| entry.ticket).ok()?;
            let removed = entries.remove(place);
            if entries.is_empty() {
                table.remove(&self.cell);
            }
            Some(removed.observer)
        })
    }

    /// Lets the observer stay without the watch.
    pub(crate) fn stay(mut self) {
        self.ticket = 0;
    }

    /// Changes the waker; false where the observer has been told meanwhile.
    pub(crate) fn renew(&self, waker: &Waker) -> bool {
        // Cloned outside of the lock, as it is foreign code; dropped outside likewise.
        let mut new = Some(waker.clone());
        with_table(self.cell, |table| {
            let entries = table.get_mut(&self.cell)?;
            let place = entries.binary_search_by_key(&self.ticket, |entry| entry.ticket).ok()?;
            if let Observer::Waker(old) = &mut entries[place].observer
                && let Some(new) = &mut new
            {
                std::mem::swap(old, new);
            }
            Some(())
        })
        .is_some()
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        if self.ticket != 0 {
            let observer = self.remove();
            drop(observer);
        }
    }
}

/// Tells those observers of a cell who wait for this event, in the order in which they came.
pub(crate) fn tell(cell: &TaskRef, event: Event) {
    if event == Event::Set {
        sweep::forget(cell);
    }
    let address = cell.address();
    let told = with_table(address, |table| {
        // Who waits for a value to be free may have come between a cell's close and this.
        let entries = table.get_mut(&address)?;
        let told: Vec<Entry> = entries.extract_if(.., |entry| entry.event == event).collect();
        if entries.is_empty() {
            table.remove(&address);
        }
        Some(told)
    })
    .unwrap_or_default();
    for Entry { observer, .. } in told {
        match observer {
            Observer::Thread(parker) => parker.unpark(),
            Observer::Waker(waker) => super::defer_wake(waker),
            Observer::Call(call) => super::defer_call(call),
            Observer::Note(note) => note(),
        }
    }
}

impl std::fmt::Debug for TaskRef {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.header().hop)
    }
}
