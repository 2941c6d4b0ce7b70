//! Work that is carried out elsewhere, or whose value is known already: what stores of results and clusters of
//! processes stand on, and anybody's carrier may.
//!
//! A function says that its calls may be carried out elsewhere: `#[async_work(keep)]`, where a value that was
//! computed once may be used again, or `#[async_work(remote)]`, where another process may run it. That changes
//! nothing by itself. A [`Carrier`] takes such calls on where work is submitted by way of [`on`], by what that
//! work submits in turn, and where that goes on: on pools and scopes, in chains, with tokens, limits and tries.
//!
//! - A carrier is asked once a call's inputs are there. It answers with a value, with a failure, or has the call done
//!   here after all ([`Call`]), now or later: it answers by a future ([`Carriage`]), which is polled on the pool and
//!   holds no thread while it is pending.
//! - Of `keep`, it is asked before all else, so that a value that is known takes no permit, no try and no time of
//!   a limit. Of `remote`, it is asked at each try and before the permits of the function's own `limit`, but after
//!   its turn by a `rate`; and after these permits, where the function has a `weight` or a `rate` as well.
//! - Until there is an answer the call counts as work that runs: a stop and the end of a scope wait for it, and a
//!   wait for it is no deadlock. [`stop_timeout`](crate::Pool::stop_timeout) and
//!   [`stop_now`](crate::Pool::stop_now) give it up. Work that is given up (cancelled, out of time, stopped) has its
//!   future dropped, by which a carrier learns of that.
//! - A place that has several carriers asks the one in front first. Work that is [run in place](crate::Work::run)
//!   asks none.
//!
//! ```
//! use std::collections::HashMap;
//! use std::sync::{Arc, Mutex};
//! use asynckit::carry::{Call, Carriage, Carrier, Ended, on};
//! use asynckit::{Pool, async_work};
//!
//! /// What the attribute names: here for arguments and values that are numbers.
//! mod notebook {
//!     pub mod attribute {
//!         use asynckit::{BoxError, carry::Codec};
//!
//!         /// By this a notebook knows the calls that are its own.
//!         pub struct Keep;
//!         impl Keep {
//!             pub const fn new() -> Keep { Keep }
//!         }
//!         pub const fn argument<A>() {}
//!         pub const fn value<T>() {}
//!
//!         #[derive(Clone, Copy)]
//!         pub struct Bytes;
//!         impl Codec<(u64, ()), u64> for Bytes {
//!             fn arguments(&self, (n, ()): &(u64, ())) -> Result<Vec<Vec<u8>>, BoxError> {
//!                 Ok(vec![n.to_le_bytes().to_vec()])
//!             }
//!             fn value(&self, value: &u64) -> Result<Vec<u8>, BoxError> {
//!                 Ok(value.to_le_bytes().to_vec())
//!             }
//!             fn decode(&self, bytes: &[u8]) -> Result<u64, BoxError> {
//!                 Ok(u64::from_le_bytes(bytes.try_into()?))
//!             }
//!         }
//!     }
//! }
//!
//! #[derive(Clone, Default)]
//! struct Notebook(Arc<Mutex<HashMap<Vec<u8>, Vec<u8>>>>);
//!
//! impl Carrier for Notebook {
//!     fn carry<'w>(&self, call: Call<'w>) -> Result<Carriage<'w>, Call<'w>> {
//!         if call.settings::<notebook::attribute::Keep>().is_none() {
//!             return Err(call);
//!         }
//!         let notes = self.0.clone();
//!         Ok(Box::pin(async move {
//!             let Ok(key) = call.arguments() else { return call.here() };
//!             let key = [call.function().path().as_bytes(), &key.concat()].concat();
//!             let known = notes.lock().unwrap().get(&key).cloned();
//!             if let Some(bytes) = known {
//!                 return call.value(&bytes).unwrap_or_else(|(call, _)| call.here());
//!             }
//!             let (carried, _) = call.here_and_tell(move |ended| {
//!                 if let Ended::Value(bytes) = ended {
//!                     notes.lock().unwrap().insert(key, bytes);
//!                 }
//!             });
//!             carried
//!         }))
//!     }
//! }
//!
//! #[async_work(keep(crate = notebook))]
//! fn slow_square(n: u64) -> u64 { n * n }
//!
//! let (pool, notebook) = (Pool::new(2), Notebook::default());
//! for _ in 0..2 {
//!     assert_eq!(slow_square(7).spawn_on(&on(&pool, notebook.clone())).get()?, 49);
//! }
//! assert_eq!(notebook.0.lock().unwrap().len(), 1);
//! # Ok::<(), asynckit::Error>(())
//! ```
//!
//! # What the attribute names
//!
//! `keep(crate = p)` and `remote(crate = p)` have the expansion name these of the module `p::attribute`; without
//! `crate` they are those of the crates `asynckit_store` and `asynckit_cluster`.
//!
//! - `Keep` or `Remote`: the [settings](Call::settings), made by `new()` and its methods, all `const`. An option
//!   `version = 2` is a call `.version(2)`; a time is a [`Duration`](std::time::Duration).
//! - `Bytes`: a value that is a [`Codec`] for arguments and values.
//! - `argument` and `value`: functions of one type, `const`, whose bounds are checked on the types as the user has
//!   written them; with `remote` on what is behind the `&` of an argument, such as a `str`.
//! - `Arrive`, of `remote`, and only where functions are to be called by who was told of them ([`Served`], with the
//!   feature `remote`): a value that is [`Decode`] for each argument's type, behind its `&`, and [`Encode`] for that
//!   of the value.

mod served;

use std::any::Any;
use std::marker::PhantomData;

pub use crate::error::Failure;
use crate::panic::{discard, message};
pub use crate::pool::{AsyncSpawner, Handle, Spawn};
use crate::pool::{Place, narrows_a_place};
use crate::sync::Arc;
use crate::terms::Carriers;
pub use crate::terms::{Call, Carriage, Carried, Carrier, Codec, Ended, Function, Running};
#[doc(hidden)]
pub use served::{ByValue, Given, unserved};
pub use served::{Decode, Encode, Served};

/// By this key a carrier that keeps values says, by a [`note`](crate::note) of a call that it takes on, whether it had
/// the value: how many seconds that had taken to compute (none, where it came of a call that was under way), or `no`,
/// where there was none and the call is computed.
/// Who looks on may count these; `asynckit-view` shows them.
pub const KEPT: &str = "kept";

/// What a panic says, as an error tells it: for who runs calls, and catches what they raise. Drops the panic; where that
/// panics again, it is let go.
///
/// ```
/// use asynckit::carry::words_of_panic;
///
/// let caught = std::panic::catch_unwind(|| panic!("no film {}", 7)).unwrap_err();
/// assert_eq!(words_of_panic(caught), "no film 7");
/// assert_eq!(words_of_panic(Box::new(7)), "a panic without a message");
/// ```
pub fn words_of_panic(panic: Box<dyn Any + Send>) -> String {
    let words = message(&*panic);
    discard(panic);
    words
}

/// The pool or scope, for work whose calls this carrier may carry out.
///
/// It is asked before those that `place` has already.
///
/// ```
/// use asynckit::carry::{Call, Carriage, Carrier, on};
/// use asynckit::{Pool, work};
///
/// /// Takes on nothing: all is done here.
/// struct Nobody;
///
/// impl Carrier for Nobody {
///     fn carry<'w>(&self, call: Call<'w>) -> Result<Carriage<'w>, Call<'w>> {
///         Err(call)
///     }
/// }
///
/// let pool = Pool::new(1);
/// assert_eq!(work(|| 2 + 2).spawn_on(&on(&pool, Nobody)).get()?, 4);
/// # Ok::<(), asynckit::Error>(())
/// ```
pub fn on<S: Spawn + ?Sized>(place: &S, carrier: impl Carrier) -> CarriedBy<'_, S> {
    let Handle(place) = place.place();
    let carriers = Carriers::new(Arc::new(carrier), place.carriers().cloned());
    CarriedBy { place: place.with_carriers(carriers), of: PhantomData }
}

/// A pool or scope whose calls a carrier may carry out; made by [`on`].
///
/// ```
/// use asynckit::carry::{CarriedBy, Carrier, on};
/// use asynckit::{Pool, async_work, chain};
///
/// #[async_work]
/// fn length(text: &str) -> usize { text.len() }
/// #[async_work]
/// fn sum(a: usize, b: usize) -> usize { a + b }
///
/// /// A chain goes there as it goes to a pool.
/// fn lengths(place: &CarriedBy<'_, Pool>) -> asynckit::Result<usize> {
///     chain!(place, { sum(length("a"), length("bc")) }).get()
/// }
///
/// fn with(pool: &Pool, carrier: impl Carrier) -> asynckit::Result<usize> {
///     lengths(&on(pool, carrier))
/// }
/// ```
pub struct CarriedBy<'a, S: ?Sized> {
    place: Place,
    of: PhantomData<&'a S>,
}

narrows_a_place!(CarriedBy);
