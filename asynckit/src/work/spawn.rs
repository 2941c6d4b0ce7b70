//! Closures that are submitted where they stand.

use crate::pool::{Pool, Scope};
use crate::result::AsyncResult;
use crate::work::work;

impl Pool {
    /// Runs a closure on the pool: short for [`asynckit::work`](crate::work) and
    /// [`spawn_on`](crate::Work::spawn_on).
    #[track_caller]
    pub fn spawn<T: Send + 'static>(
        &self,
        f: impl FnOnce() -> T + Send + 'static,
    ) -> AsyncResult<T> {
        work(f).spawn_on(self)
    }
}

impl<'s> Scope<'s, '_> {
    /// Runs a closure on the scope's pool: short for [`asynckit::work`](crate::work) and
    /// [`spawn_on`](crate::Work::spawn_on).
    #[track_caller]
    pub fn spawn<T: Send + 's>(&self, f: impl FnOnce() -> T + Send + 's) -> AsyncResult<T> {
        work(f).spawn_on(self)
    }
}
