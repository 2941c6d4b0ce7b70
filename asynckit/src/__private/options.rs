//! What the options of `#[async_work]` come to.

use core::time::Duration;

use crate::error::Hop;
pub use crate::limit::StaticLimit;
#[cfg(feature = "rate")]
pub use crate::limit::StaticRate;
use crate::time::Retry;
use crate::work::Work;

/// `weight = ..`
#[inline]
pub fn weight(weight: impl Weight) -> usize {
    weight.weight()
}

/// How much of a limit a call takes: a number, or an argument that is one, which is lent.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no number of permits",
    label = "`weight` takes a number, as `usize`"
)]
pub trait Weight {
    #[doc(hidden)]
    fn weight(self) -> usize;
}

macro_rules! weights {
    ($($number:ty)*) => { $(
        impl Weight for $number {
            #[inline]
            fn weight(self) -> usize {
                self.try_into().unwrap_or(usize::MAX)
            }
        }
    )* };
}
// `i32`, as that is what a mere number is taken for.
weights!(usize u64 u32 u16 u8 i32);

#[diagnostic::do_not_recommend]
impl<N: Weight + Copy> Weight for &N {
    #[inline]
    fn weight(self) -> usize {
        (*self).weight()
    }
}

/// `retry = n`, with `backoff = ".."`.
#[inline]
pub fn retried<'w, T, F>(site: Hop, retries: u32, backoff: Duration, call: F) -> Work<'w, T>
where
    T: Send + 'w,
    F: FnMut() -> Work<'w, T> + Send + 'w,
{
    Retry::new(retries).backoff(backoff).work_at(site, call)
}

/// An argument that can be had again for another try.
#[diagnostic::on_unimplemented(
    message = "`{Self}` moves into the first try and can't be had again for another one",
    label = "neither borrowed nor `Clone`",
    note = "`#[async_work(retry = ..)]` makes the call again with the same arguments: borrow it, as \
            `&{Self}`, or make it `Clone`"
)]
pub trait Again {
    #[doc(hidden)]
    fn again(&self) -> Self;
}

#[diagnostic::do_not_recommend]
impl<T: Clone> Again for T {
    #[inline]
    fn again(&self) -> T {
        self.clone()
    }
}

/// The argument for one more try.
#[inline]
pub fn again<T: Again>(argument: &T) -> T {
    argument.again()
}
