//! What `keep` and `remote` come to.

use core::any::{Any, type_name};

use crate::carry::{ByValue, Decode};
pub use crate::carry::{Given, Served, unserved};
use crate::error::Hop;
pub use crate::terms::Function;
use crate::terms::{Codec, Description};
use crate::work::{Work, described};

/// What an attribute says of a function: `known`, where its value may be known before it is called.
pub struct About {
    pub function: &'static Function,
    pub settings: &'static (dyn Any + Send + Sync),
    pub known: bool,
}

/// A call that may be carried out elsewhere. `generic`: a closure of the function, which has the types in its name that
/// the function is generic over.
#[inline]
pub fn carried<'w, A, C, T, G, F>(
    call_site: Hop,
    about: About,
    codec: C,
    _generic: &G,
    arguments: A,
    call: F,
) -> Work<'w, T>
where
    A: Send + 'w,
    C: Codec<A, T> + Clone + 'w,
    T: Send + 'w,
    G: Fn(),
    F: FnOnce(A) -> Work<'w, T> + Send + 'w,
{
    let types = || format!("{} {} {}", type_name::<A>(), type_name::<T>(), type_name::<G>());
    let About { function, settings, known } = about;
    let description = Description { function, settings, types, known };
    described(call_site, description, codec, arguments, call)
}

/// An argument that a function takes as it is.
pub fn owned<A, D: Decode<A>>(_: &D, owned: D::Owned) -> A
where
    D::Owned: ByValue<A>,
{
    owned.value()
}

/// What a function takes a reference of.
pub fn lent<'a, A: ?Sized, D: Decode<A>>(decode: &D, owned: &'a D::Owned) -> &'a A {
    decode.lend(owned)
}

/// Enters a function among those that are served.
#[cfg(feature = "remote")]
#[doc(hidden)]
#[macro_export]
macro_rules! __serve {
    ($($served:tt)*) => { $crate::__private::inventory::submit! { $($served)* } };
}

/// Nobody asks for any.
#[cfg(not(feature = "remote"))]
#[doc(hidden)]
#[macro_export]
macro_rules! __serve {
    ($($served:tt)*) => {
        const _: &$crate::__private::Served = &{ $($served)* };
    };
}
