//! The core.

mod cell;
mod clones;
mod closure;
mod complete;
mod edge;
mod fail;
mod frame;
mod handle;
mod here;
mod hold;
mod holds;
mod home;
mod inline;
mod inputs;
mod lists;
#[cfg(all(asynckit_loom, test))]
mod models;
mod observers;
mod outcome;
mod pages;
mod run;
mod share;
mod slab;
mod state;
mod task;
#[cfg(all(test, not(asynckit_loom)))]
mod tests;
mod trampoline;
mod wish;

pub(crate) use closure::room_for;
pub(crate) use complete::Rest;
pub(crate) use edge::Edge;
