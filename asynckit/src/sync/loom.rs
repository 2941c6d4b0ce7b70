//! loom's atomics, as the models need them.
//!
//! loom looks for other orders of an access by the last one to the same atomic alone. A compare-and-swap comes after
//! a load of its own thread's, which hides from it what other threads have read before: so a model would miss
//! orders. As a read-modify-write each load is seen; but none then reads what is not the newest. So each model is
//! run in both ways.

use std::cell::Cell;
use std::ops::Deref;
use std::sync::atomic::Ordering;

thread_local! {
    /// Whether loads are read-modify-writes in the model that this thread runs, with all of its loom's threads.
    pub(crate) static LOADS_ARE_SEEN: Cell<bool> = const { Cell::new(false) };
    /// Whether it is one in which threads have to fence when they are done with a task.
    pub(crate) static FENCES: Cell<bool> = const { Cell::new(false) };
}

macro_rules! atomics {
    ($($name:ident $value:ty),*) => { $(
        #[derive(Debug, Default)]
        pub(crate) struct $name(loom::sync::atomic::$name);

        impl $name {
            pub(crate) fn new(value: $value) -> $name {
                $name(loom::sync::atomic::$name::new(value))
            }

            pub(crate) fn load(&self, ordering: Ordering) -> $value {
                if LOADS_ARE_SEEN.get() {
                    self.0.fetch_add(0, ordering)
                } else {
                    self.0.load(ordering)
                }
            }

            /// As a swap, as loom does not order a store and the read-modify-write beside it.
            pub(crate) fn store(&self, value: $value, ordering: Ordering) {
                if LOADS_ARE_SEEN.get() {
                    self.0.swap(value, ordering);
                } else {
                    self.0.store(value, ordering);
                }
            }
        }

        impl Deref for $name {
            type Target = loom::sync::atomic::$name;

            fn deref(&self) -> &Self::Target {
                &self.0
            }
        }
    )* };
}

atomics!(AtomicU64 u64, AtomicUsize usize);
