//! One of something for each key: made when it is asked for, forgotten when nobody has it any more.
//!
//! The table has weak references alone. What was made takes its key out when it is dropped, so that a million
//! keys leave nothing behind.

use std::any::{Any, TypeId};
use std::collections::HashMap;
use std::hash::Hash;
use std::marker::PhantomData;

use crate::sync::{Arc, AtomicUsize, Mutex, OnceLock, Ordering, Weak, lock};

/// What there is, by key. Keys of different types are different. Most things that may have keys have none, and no
/// table.
pub(crate) struct Keys<V>(OnceLock<Arc<Tables<V>>>);

struct Tables<V> {
    of_type: Mutex<HashMap<TypeId, Box<dyn Any + Send>>>,
    count: AtomicUsize,
    of: PhantomData<fn() -> V>,
}

type Table<K, V> = HashMap<K, Weak<V>>;

/// Takes a key out of its table when it is dropped: it goes with what was made for that.
pub(crate) struct Forget(Box<dyn Fn() + Send + Sync>);

impl Drop for Forget {
    fn drop(&mut self) {
        (self.0)();
    }
}

/// A table with less in it than this keeps its memory.
const SMALL: usize = 64;

impl<V: Send + Sync + 'static> Keys<V> {
    pub(crate) fn none() -> Keys<V> {
        Keys(OnceLock::new())
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.0.get().map_or(0, |tables| tables.count.load(Ordering::Relaxed))
    }

    /// The one of this key.
    pub(crate) fn of<K>(&self, key: &K, make: impl FnOnce(Forget) -> Arc<V>) -> Arc<V>
    where
        K: ?Sized + Hash + Eq + ToOwned,
        K::Owned: Hash + Eq + Send + Sync + 'static,
    {
        self.0.get_or_init(Tables::new).of(key, make)
    }
}

impl<V: Send + Sync + 'static> Tables<V> {
    fn new() -> Arc<Tables<V>> {
        let (of_type, count) = (Mutex::new(HashMap::new()), AtomicUsize::new(0));
        Arc::new(Tables { of_type, count, of: PhantomData })
    }

    fn of<K>(self: &Arc<Self>, key: &K, make: impl FnOnce(Forget) -> Arc<V>) -> Arc<V>
    where
        K: ?Sized + Hash + Eq + ToOwned,
        K::Owned: Hash + Eq + Send + Sync + 'static,
    {
        let find = |all: &mut Table<K::Owned, V>| all.get(key).and_then(Weak::upgrade);
        if let Some(found) = self.with_table(find) {
            return found;
        }
        // No foreign code under the lock, but for what a table asks of its keys.
        let (table, own, its) = (Arc::downgrade(self), key.to_owned(), key.to_owned());
        let forget = Forget(Box::new(move || {
            if let Some(table) = table.upgrade() {
                table.forget::<K::Owned>(&its);
            }
        }));
        let made = make(forget);
        let (found, before) = self.with_table(|all: &mut Table<K::Owned, V>| {
            // Somebody may have been faster.
            if let Some(found) = find(all) {
                return (found, None);
            }
            let before = all.insert(own, Arc::downgrade(&made));
            self.count.fetch_add(usize::from(before.is_none()), Ordering::Relaxed);
            (made.clone(), before)
        });
        drop(before);
        found
    }

    fn forget<K: Hash + Eq + Send + 'static>(&self, key: &K) {
        let removed = self.with_table(|all: &mut Table<K, V>| {
            // There may be another one of this key by now.
            let gone = all.get(key).is_some_and(|one| one.strong_count() == 0);
            let removed = if gone { all.remove_entry(key) } else { None };
            if all.capacity() > SMALL && all.len() < all.capacity() / 4 {
                all.shrink_to(2 * all.len());
            }
            self.count.fetch_sub(usize::from(removed.is_some()), Ordering::Relaxed);
            removed
        });
        drop(removed);
    }

    fn with_table<K: Send + 'static, R>(&self, f: impl FnOnce(&mut Table<K, V>) -> R) -> R {
        let mut tables = lock(&self.of_type);
        let table =
            tables.entry(TypeId::of::<K>()).or_insert_with(|| Box::new(Table::<K, V>::new()));
        match table.downcast_mut() {
            Some(table) => f(table),
            None => unreachable!("a table of other keys"),
        }
    }
}
