//! What `keep` and `remote` come to.

use core::any::{Any, type_name};
use core::panic::Location;

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
#[track_caller]
pub fn carried<'w, A, C, T, G, F>(
    defined: &'static Location<'static>,
    about: About,
    origin: &'static &'static str,
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
    described(Hop::of_call(origin, defined), description, codec, arguments, call)
}
