//! What those who look on keep of what is under way, by its number.

use std::collections::HashMap;

use crate::sync::{Mutex, lock};

/// In parts, so that threads seldom meet. What is put away is cloned for who looks, so that no lock is held meanwhile.
pub(crate) struct Shelves<T>([Mutex<Option<HashMap<u64, T>>>; SHELVES]);

pub(super) const SHELVES: usize = 16;

impl<T> Shelves<T> {
    pub(crate) const fn empty() -> Shelves<T> {
        Shelves([const { Mutex::new(None) }; SHELVES])
    }

    /// On the shelf of this number, which is locked meanwhile.
    pub(super) fn with<R>(&self, id: u64, f: impl FnOnce(&mut HashMap<u64, T>) -> R) -> R {
        f(lock(&self.0[id as usize % SHELVES]).get_or_insert_default())
    }

    pub(crate) fn put(&self, id: u64, kept: T) {
        let before = self.with(id, |shelf| shelf.insert(id, kept));
        drop(before);
    }

    pub(crate) fn get(&self, id: u64) -> Option<T>
    where
        T: Clone,
    {
        self.with(id, |shelf| shelf.get(&id).cloned())
    }

    pub(crate) fn take(&self, id: u64) -> Option<T> {
        self.with(id, |shelf| shelf.remove(&id))
    }
}
