//! The terms on which work runs: who may cancel it, under which permits it is, how long it may take, what was
//! lent to it, what its future awaits, and who may carry it out elsewhere. Of all this no pool is known here; a place in a pool (`pool/place.rs`)
//! has it with it.
//!
//! # The files
//!
//! Each imports only those above it: `random`, `timers`, `passed_on`, `tree`, `stopwatch`, `passes`, `share`,
//! `polling`, `carriers`.

mod carriers;
pub(crate) mod passed_on;
mod passes;
mod polling;
mod random;
mod share;
mod stopwatch;
mod timers;
mod tree;

pub use carriers::{
    Call, Carriage, Carried, Carrier, Codec, Description, Ended, Function, Running,
};
pub(crate) use carriers::{Carriers, OnCall, Tell};
pub(crate) use passes::{InLine, LimitFacts, Pass, Passes, Waiter, Who, all_limits, has_lines};
pub(crate) use polling::{Polling, Sleep, await_begins, watch_until_set};
pub(crate) use random::Random;
pub(crate) use share::{Kept, Share, shares_in_place, with_pass_in_place};
pub(crate) use stopwatch::{
    Stopwatch, begin_anew_in_place, begin_in_place, end_in_place, left_in_place, measured,
};
pub(crate) use timers::{AGAIN, TimerKey, Timers, jittered, no_thread, stand_in};
pub(crate) use tree::{Reason, Tree};
