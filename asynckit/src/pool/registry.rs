//! The pools that there are, for who has nothing but a task.
//!
//! A task knows its pool by an address, and may outlive it. Who comes from outside and may have to do the
//! pool's work looks it up here. There is one entry for each pool that is there.

use crate::core::Header;
use crate::pool::place::Inside;
use crate::pool::shared::Shared;
use crate::sync::{Arc, Mutex, Weak, lock};

static POOLS: Mutex<Vec<Weak<Shared>>> = Mutex::new(Vec::new());

pub(crate) fn add(pool: &Arc<Shared>) {
    let mut pools = lock(&POOLS);
    pools.retain(|pool| pool.strong_count() > 0);
    pools.push(Arc::downgrade(pool));
}

/// The pool of a task that is not over. (Of one that is, it may be another one by now, at the same address.)
pub(crate) fn pool_of(task: &Header) -> Option<Arc<Shared>> {
    if let Some(part) = task.hooked_home::<Inside>() {
        return Some(part.pool().clone());
    }
    let home = task.home_address();
    if home.is_null() {
        return None;
    }
    let pools = lock(&POOLS);
    let found = pools.iter().find(|pool| std::ptr::eq(pool.as_ptr().cast(), home));
    found.and_then(Weak::upgrade)
}
