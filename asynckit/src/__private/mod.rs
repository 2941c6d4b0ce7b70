//! What the expansions of `#[async_work]` and `chain!` call. Not an interface: it changes with
//! every release, and only the macros of the very same version know it.
//!
//! - `probe`: which expressions are work, decided by their types;
//! - `call`: a call whose arguments may be pending;
//! - `take_apart`: a pending tuple as a tuple of pending parts;
//! - `gather`: what a chain may end in;
//! - `statement`: the work of statements, which is a part of the chain;
//! - `at`: what is called, and where;
//! - `fallible`: how errors get from functions into results, and what an annotated function makes;
//! - `carried`: what makes a call one that others may carry out;
//! - `options`: what the options of `#[async_work]` come to;
//! - `future`: the async form of a chain.

mod at;
mod call;
mod carried;
mod fallible;
mod future;
mod gather;
mod options;
mod probe;
mod probed;
mod statement;
mod take_apart;

pub use at::{Hop, call_site, called, defined};
pub use call::{Lifted, give, lift, same};
pub use carried::{About, Function, Given, Served, carried, lent, owned, unserved};
pub use core::convert::Infallible;
pub use core::result::Result::Ok;
pub use fallible::{AsValue, async_work, sync_work};
pub use fallible::{Fallible, IntoFailure, returns_a_result, work_moves_to_another_thread};
pub use fallible::{async_errors_of, errors_of};
pub use future::{Thrown, chain_future, owned_place};
pub use gather::{Gather, end_of_block, plain_condition};
#[cfg(feature = "remote")]
pub use inventory;
#[cfg(feature = "rate")]
pub use options::StaticRate;
pub use options::{StaticLimit, again, retried, weight};
pub use probe::{EachUnchanged, LentAsOne, Plain, Probe, ProbedUnchanged, probe};
pub use probed::Probed;
pub use statement::{
    ChainPlace, Loose, LooseStarted, LooseUnchanged, Start, Started, chain_place, end_of_chain,
    whole,
};
pub use take_apart::TakeApart;
