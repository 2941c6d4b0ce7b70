//! What may be used inside of `catch_unwind`, and after it.
//!
//! A panic that unwinds through a user's code leaves none of our types half changed: each step on a
//! cell, a pool or an error is taken as a whole, and foreign code is called between steps. So they
//! may be used there as threads' and channels' handles may.

use std::panic::{RefUnwindSafe, UnwindSafe};

use crate::carry::CarriedBy;
use crate::{
    AsCompleted, AsyncResult, Awaited, AwaitedOrCancelled, AwaitedRef, CancelToken, Cancellable,
    Current, Error, Failures, KeyedAsCompleted, Limit, PerWorker, Pool, PoolBuilder, Prioritized,
    Retry, Scope, Setter, Work,
};

macro_rules! unwind_safe {
    ($([$($generics:tt)*] $type:ty),* $(,)?) => { $(
        impl<$($generics)*> UnwindSafe for $type {}
        impl<$($generics)*> RefUnwindSafe for $type {}
    )* };
}

unwind_safe! {
    [] Pool, [] PoolBuilder, [] Current, [] Error, ['s, 'env] Scope<'s, 'env>,
    ['w, T] Work<'w, T>, [T] AsyncResult<T>, [T] Setter<T>, [T] AsCompleted<T>,
    [K, T] KeyedAsCompleted<K, T>,
    [T] Awaited<T>, ['a, T] AwaitedRef<'a, T>, [T] AwaitedOrCancelled<T>, [] CancelToken,
    ['a, S: ?Sized] Cancellable<'a, S>, ['a, S: ?Sized] Prioritized<'a, S>,
    ['a, S: ?Sized] CarriedBy<'a, S>, [] Limit, [] Retry, [] Failures, [T: Send] PerWorker<T>,
}

#[cfg(feature = "rate")]
unwind_safe! { [] crate::Rate }
