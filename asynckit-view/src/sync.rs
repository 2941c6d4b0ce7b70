//! Locks: what is behind one is whole, also where a thread that had it has panicked. And maps that need none.

use std::hash::Hash;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use papaya::HashMap;
use seize::Collector;

pub(crate) fn lock<T: ?Sized>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A map in which nobody waits for anybody. All of them have their garbage seen to by one collector, which takes many times
/// what a small map does.
pub(crate) fn map<K: Hash + Eq + Send + 'static, V: Send + 'static>() -> HashMap<K, V> {
    static COLLECTOR: OnceLock<Arc<Collector>> = OnceLock::new();
    let collector = COLLECTOR.get_or_init(Arc::default);
    HashMap::builder().shared_collector(collector.clone()).build()
}
