//! What the words of cells have no room for, by their addresses. Few cells ever have so many holders.

use std::collections::HashMap;

use crate::sync::{Mutex, give_up, lock};

type Table = HashMap<(usize, u64), u64>;
static TABLE: Mutex<Option<Table>> = Mutex::new(None);

pub(super) fn count(address: usize, one: u64) -> u64 {
    let table = lock(&TABLE);
    table.as_ref().and_then(|table| table.get(&(address, one))).copied().unwrap_or(0)
}

/// Changes a count by what it was, under the lock.
pub(super) fn change(address: usize, one: u64, change: impl FnOnce(u64) -> u64) {
    let mut table = lock(&TABLE);
    let table = table.get_or_insert_default();
    let before = table.get(&(address, one)).copied().unwrap_or(0);
    match change(before) {
        0 => drop(table.remove(&(address, one))),
        many if many > u64::MAX / 2 => give_up("one result has too many handles or dependents"),
        now => drop(table.insert((address, one), now)),
    }
}
