//! Those who look on while a cell is open and may leave again: blocked threads, polled futures, callbacks.
//!
//! They are kept apart from the cells, in locked tables by the cell's address, so that a cell that nobody
//! looks at pays one bit for them. The tables have an entry for each who looks on now, and none else.
//!
//! *Named race, "looking away":* a cell may be closed between an watcher's look and its entry into the
//! table. So it enters first and then marks the cell (`OutcomeWord::observe`), which fails where the cell is
//! closed; whoever closes a marked cell empties the cell's entries after that. The mark comes with a
//! reference, so that the cell's address is not another's before.

use std::collections::HashMap;
use std::task::Waker;

use super::trampoline::{self, Step};
use crate::sync::{Arc, Mutex, Ordering, Parker, StaticCounter, lock};

/// What to do when it happens.
pub(crate) enum Watcher {
    /// Wake a thread.
    Thread(Arc<Parker>),
    /// Wake a future.
    Waker(Waker),
    /// A user's callback: it runs as a step of its own.
    Call(Box<dyn FnOnce() + Send>),
    /// Our own, short and without user code: it runs at once.
    Note(Box<dyn FnOnce() + Send>),
}

/// What an watcher waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CellEvent {
    /// The cell is closed.
    Set,
    /// Nothing is lent any more of a value that is there.
    Free,
}

struct WatcherEntry {
    event: CellEvent,
    ticket: u64,
    watcher: Watcher,
}

/// The watchers of each cell or share, by its address.
type Table = Mutex<Option<HashMap<usize, Vec<WatcherEntry>>>>;

const TABLES: usize = 64;
static TABLE: [Table; TABLES] = [const { Mutex::new(None) }; TABLES];
static TICKETS: StaticCounter = StaticCounter::new(1);

fn with_table<R>(address: usize, f: impl FnOnce(&mut HashMap<usize, Vec<WatcherEntry>>) -> R) -> R {
    // Addresses are multiples of a block's size; the multiplier spreads the rest.
    let spread = (address >> 4).wrapping_mul(0x9E37_79B9_7F4A_7C15_u64 as usize);
    // In models always the same one: each run has other addresses.
    let at = if cfg!(asynckit_loom) { 0 } else { spread >> (usize::BITS - TABLES.ilog2()) };
    let table = &TABLE[at];
    let mut guard = lock(table);
    let table = guard.get_or_insert_default();
    let answer = f(table);
    if table.is_empty() && table.capacity() > 64 {
        *guard = None;
    }
    answer
}

/// An entry in the table, which ends with it. Whoever has it has a hold on the cell for as long.
#[derive(Debug)]
pub(crate) struct Watch {
    address: usize,
    ticket: u64,
}

impl Watch {
    /// Enters the table.
    pub(super) fn enter(address: usize, event: CellEvent, watcher: Watcher) -> Watch {
        let ticket = with_table(address, |table| {
            // Under the lock, so that the tickets of a cell's entries ascend.
            let ticket = TICKETS.fetch_add(1, Ordering::Relaxed);
            table.entry(address).or_default().push(WatcherEntry { event, ticket, watcher });
            ticket
        });
        Watch { address, ticket }
    }

    /// Takes the watcher out again, unless it was told.
    pub(super) fn take(&mut self) -> Option<Watcher> {
        let ticket = std::mem::take(&mut self.ticket);
        with_table(self.address, |table| {
            let entries = table.get_mut(&self.address)?;
            let place = entries.binary_search_by_key(&ticket, |entry| entry.ticket).ok()?;
            let taken = entries.remove(place);
            if entries.is_empty() {
                table.remove(&self.address);
            }
            Some(taken.watcher)
        })
    }

    /// Lets the watcher stay without the watch.
    pub(crate) fn stay(mut self) {
        self.ticket = 0;
    }

    /// Changes the waker; false where the watcher has been told meanwhile.
    pub(crate) fn renew(&self, waker: &Waker) -> bool {
        // Cloned outside of the lock, as that is user code; dropped outside likewise.
        let mut new = Some(waker.clone());
        with_table(self.address, |table| {
            let entries = table.get_mut(&self.address)?;
            let place = entries.binary_search_by_key(&self.ticket, |entry| entry.ticket).ok()?;
            if let Watcher::Waker(old) = &mut entries[place].watcher
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
            let watcher = self.take();
            drop(watcher);
        }
    }
}

/// Tells those watchers who wait for this event, in the order in which they came.
#[cold]
pub(super) fn tell(address: usize, event: CellEvent) {
    let told = with_table(address, |table| {
        let Some(entries) = table.get_mut(&address) else { return Vec::new() };
        let told: Vec<WatcherEntry> =
            entries.extract_if(.., |entry| entry.event == event).collect();
        if entries.is_empty() {
            table.remove(&address);
        }
        told
    });
    for WatcherEntry { watcher, .. } in told {
        match watcher {
            Watcher::Thread(parker) => parker.unpark(),
            Watcher::Note(note) => note(),
            Watcher::Waker(waker) => trampoline::call(Step::of_closure(|| waker.wake())),
            Watcher::Call(call) => trampoline::call(Step::of_closure(call)),
        }
    }
}
