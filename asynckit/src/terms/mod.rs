//! The terms on which work runs: who may cancel it, under which permits it is, how long it may take, what was
//! lent to it, and what its future awaits. Of all this no pool is known here; a place in a pool (`pool/place.rs`)
//! has it with it.
//!
//! # The files
//!
//! Each imports only those above it: `random`, `timers`, `tree`, `stopwatch`, `passes`, `share`, `polling`.

mod passes;
mod polling;
mod random;
mod share;
mod stopwatch;
mod timers;
mod tree;

pub(crate) use passes::{InLine, Pass, Passes, Who, all_limits, has_lines};
pub(crate) use polling::{Polling, Sleep, await_begins};
pub(crate) use random::Random;
pub(crate) use share::{Kept, Share};
pub(crate) use stopwatch::{
    Stopwatch, begin_anew_in_place, begin_in_place, end_in_place, left_in_place, measured,
};
pub(crate) use timers::{AGAIN, TimerKey, Timers, jittered, no_thread, stand_in};
pub(crate) use tree::{Reason, Tree};
