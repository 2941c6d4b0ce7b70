//! The terms on which work runs: who may cancel it, under which permits it is, how long it may take, what was
//! lent to it, what its future awaits, and who may carry it out elsewhere. Of all this no pool is known here; a place in a pool (`pool/place.rs`)
//! has it with it.
//!
//! # The files
//!
//! Each imports only those above it: `random`, `nested`, `timers`, `counts`, `priority`, `tree`, `stopwatch`, `keys`,
//! `turns`, `slots`, `supply`, `watched`, `permits`, `permits/permit`, `permits/of_slots`, `rates`, `wanted`, `share`, `polling`, `carriers`, `inherited`.

mod carriers;
mod counts;
mod inherited;
mod keys;
mod nested;
mod permits;
mod polling;
mod priority;
mod random;
#[cfg(feature = "rate")]
mod rates;
mod share;
#[cfg(feature = "jobserver")]
mod slots;
mod stopwatch;
mod supply;
mod timers;
mod tree;
#[cfg(feature = "rate")]
mod turns;
mod wanted;
mod watched;

pub use carriers::{
    Call, Carriage, Carried, Carrier, Codec, Description, Ended, Function, Running,
};
pub(crate) use carriers::{Carriers, OnCall, Tell};
pub(crate) use counts::{IN_LINE, LENDING, PASSED_ON};
pub(crate) use inherited::Inherited;
pub(crate) use nested::{Entered, Nested, enter};
pub(crate) use permits::{ComesAs, InLine, Permit, Permits, Waiter, Who, all_limits};
pub(crate) use polling::{Polling, Sleep, await_begins, watch_until_set};
pub use priority::Priority;
pub(crate) use priority::Rank;
pub(crate) use random::Random;
#[cfg(feature = "rate")]
pub(crate) use rates::Rates;
pub(crate) use share::{Kept, Share, shares_in_place, with_permit_in_place};
#[cfg(feature = "jobserver")]
pub(crate) use slots::Slots;
pub(crate) use stopwatch::{
    Stopwatch, begin_anew_in_place, begin_in_place, end_in_place, left_in_place, measured,
};
pub(crate) use timers::{AGAIN, TimerKey, Timers, jittered, no_thread, stand_in};
pub(crate) use tree::{Reason, Tree};
#[cfg(feature = "rate")]
pub(crate) use turns::Pace;
pub(crate) use wanted::{Wanted, Whose};
pub(crate) use watched::Watched;
