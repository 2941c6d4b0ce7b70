//! Results whose values borrow live in scopes, and so do those that are made of them.

use std::future::IntoFuture;
use std::time::Duration;

use asynckit::{AsyncResult, Pool, Results};

struct Noisy<'a>(&'a String);

impl Drop for Noisy<'_> {
    fn drop(&mut self) {
        println!("{}", self.0);
    }
}

fn by_hand() {
    let local = String::new();
    drop(AsyncResult::ready(Noisy(&local))); //~ E0597 &local
    let (setter, _result) = AsyncResult::channel();
    drop(setter.set(Noisy(&local))); //~ E0597 &local
    let unset = AsyncResult::new();
    drop(unset.set(Noisy(&local))); //~ E0597 &local
    let unset = AsyncResult::default();
    drop(unset.set(Noisy(&local))); //~ E0597 &local
}

fn of_a_scope(pool: &Pool) {
    let local = String::new();
    let made = || pool.scope(|s| s.spawn(|| Noisy(&local))); //~ E0597 local
    drop([made()].join_all());
}

fn tried(pool: &Pool) {
    let local = String::new();
    let made = || pool.scope(|s| s.spawn(|| Noisy(&local))); //~ E0597 local
    drop([made()].try_join_all());
}

fn joined(pool: &Pool) {
    let local = String::new();
    let made = || pool.scope(|s| s.spawn(|| Noisy(&local))); //~ E0597 local
    drop((made(), AsyncResult::<u32>::new()).join());
}

fn collected(pool: &Pool) {
    let local = String::new();
    let made = || pool.scope(|s| s.spawn(|| Noisy(&local))); //~ E0597 local
    drop([made()].into_iter().collect::<AsyncResult<Vec<_>>>());
}

fn in_time(pool: &Pool) {
    let local = String::new();
    let made = || pool.scope(|s| s.spawn(|| Noisy(&local))); //~ E0597 local
    drop(made().timeout(Duration::from_secs(1)));
}

fn awaited(pool: &Pool) {
    let _later;
    let _cancelled;
    let local = String::new();
    let made = || pool.scope(|s| s.spawn(|| Noisy(&local))); //~ E0597 local
    _later = made().into_future();
    _cancelled = made().cancel_on_drop().into_future();
}

fn on_the_scope(pool: &Pool) {
    pool.scope(|s| {
        let inner = String::new();
        drop(s.ready(&inner)); //~ E0597 &inner
    });
}

fn main() {
    let pool = Pool::new(1);
    by_hand();
    of_a_scope(&pool);
    tried(&pool);
    joined(&pool);
    collected(&pool);
    in_time(&pool);
    awaited(&pool);
    on_the_scope(&pool);
}
