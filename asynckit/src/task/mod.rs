//! The task core: one cell a task, and the protocol by which threads share it.
//!
//! # The cell
//!
//! A cell holds a task's closure and inputs, its result, and the list of those who wait for it, in
//! one block of memory. Results that are no task's (`AsyncResult::new`) are cells with an empty job.
//! What follows is the whole protocol; `state.rs` and `holds.rs` have its words and transitions,
//! `header.rs` what all cells begin with, `edge.rs` and `waiters.rs` the ties between cells,
//! `handle.rs` and `hand.rs` the ways to hold a cell, `cell.rs` what depends on its types, `slab.rs` the memory.
//! `lease.rs`, `frame.rs` and `inline.rs` stand beside it: how a task refers to its place, what a thread
//! is doing, and small closures. All `unsafe` is in these files.
//!
//! # Phases
//!
//! ```text
//!            submit, last input              claim
//!  WAITING ------------------------> READY ---------> RUNNING ---------> OVER
//!     |  ^                             |                |  |               ^
//!     |  +-- returned a result --------|----------------+  |               |
//!     |  +-- its future is pending ----|----------------+  |               |
//!     +-------------- seize -----------+------------------ | --------------+
//! ```
//!
//! - *claim*: one compare-and-swap decides who runs a task: a worker that found it in a queue, or a
//!   thread that waits for it. The others find it gone.
//! - *seize*: as claim, for whoever fails or cancels a task that has not begun.
//! - VISITED is a bit beside the phase: while it is set the phase stays. Whoever sets it may read
//!   the inputs' edges (a waiter that looks for work it needs), tie them (the submitter) or prepare
//!   them (whoever brought the last input). Claim and seize wait it out; it is never held while
//!   foreign code runs.
//! - The count of what lacks is in the same word. The submitter counts more than there can be in
//!   advance, and takes off what is too much when all inputs are tied, so that nobody brings the
//!   last input before. A task into which no value moves is ready by the same step that counts its
//!   last input.
//! - SETTLED is the right to write the outcome, which the first one gets: the runner, or who
//!   cancels a running task, or who sets a result by hand.
//!
//! # Who may touch what
//!
//! | field | who |
//! |---|---|
//! | job (closure, inputs) | `run`, `release`: who has claimed or seized; `edges`: also a visitor |
//! | an edge's `next`, `dependent` | its dependent until it is linked, then the upstream's list |
//! | outcome | written by who has settled, before the close; read by owners and borrowers after it |
//! | waiters | anybody, by compare-and-swap; after the close the last owner alone |
//! | place | written when the task is submitted, and null again before the memory is given back |
//! | holds, place | also looked at by walkers, in any block, whether it is a cell just now or not |
//!
//! # Orderings
//!
//! All that happened before a result was set happens before whatever sees it set: the close of
//! the waiters' word is a release, each look at it an acquire. All that owners and borrowers did
//! with a value happens before it is moved out or dropped: releases of holds are acquire-release
//! on one word. An input's arrival is an acquire-release count, so that a task sees all that its
//! inputs' tasks did. Each subtle place names its partner where it stands.
//!
//! A task that comes to wait while its pool is closed is failed by one of the two: the submitter
//! names the task's place and ties its inputs, and then looks at the pool; who closes the pool says
//! so, and then walks over the blocks for tasks of the pool that wait. Both do it in sequentially
//! consistent order (`tasks_of`).
//!
//! # Named races
//!
//! - *The late edge*: an edge is linked while the upstream is set. The close swaps the word; a
//!   link's compare-and-swap on a closed word fails, and the edge counts as visited.
//! - *The late sweep*: what nobody needs is taken out of a list while its cell is closed. The list is out
//!   meanwhile; who sweeps finds the cell closed, and visits the rest of it instead of who closed it.
//! - *The early failure*: one input fails while others are pending. The task is seized and failed
//!   at once, but its edges stay linked until the others are set: its token is held back until
//!   the last of them was visited, and keeps the memory.
//! - *The last borrower*: the last owner wants to take the value while the last borrower leaves.
//!   Owners, borrowers and the owner's wish are one word; a borrower that finds the wish turns its
//!   borrow into a reference in the same step and tells the owner.
//! - *The waiting clone*: a task is to clone one value and has to wait until another one is free.
//!   It does not borrow the first meanwhile: see `own_again` in `continuation/mod.rs`.
//! - *The later borrower*: a clone that moves has become the last handle, and the value was lent
//!   later to what depends on the task that it moves into. That one then clones: `break_circles`.
//! - *The unowned value*: the last owner lets go while the cell is closed, and somebody else (a stale
//!   entry, a waker) keeps its memory. Both look, each after its own step, whether the cell is
//!   closed and unowned, by a read-modify-write on the holds' word: one of them drops the value.
//! - *The late walker*: a cell is freed, and its block becomes another cell, while a walker looks at
//!   it. The walker adds a reference only where there are holds, by compare-and-swap, and then looks
//!   at the place once more: what it holds is a cell of this pool, if not the one it saw first. So
//!   whoever holds a cell alone ends that by a step on the holds too, never by a look.
//! - *The stale entry*: a waiter runs a task that is in a queue. The entry stays, as a reference,
//!   and its claim fails when it comes out.
//! - *The cancelled sleeper*: a result is cancelled while its future is polled, and the future then
//!   comes to wait. Who suspends a task looks whether it is settled, and who settles a running one
//!   tries to seize it once more: one of them disposes of the future.

#[allow(unsafe_code)]
mod cell;
#[allow(unsafe_code)]
mod edge;
#[allow(unsafe_code)]
mod frame;
#[allow(unsafe_code)]
mod hand;
#[allow(unsafe_code)]
mod handle;
#[allow(unsafe_code)]
mod header;
mod holds;
#[allow(unsafe_code)]
mod inline;
mod job;
#[allow(unsafe_code)]
mod lease;
#[cfg(all(asynckit_loom, test))]
#[allow(unsafe_code)]
mod models;
#[allow(unsafe_code)]
mod slab;
mod state;
#[allow(unsafe_code)]
mod waiters;

pub(crate) use cell::{
    At, Ran, Remains, Steps, dispose_of, drop_unowned, each_edge, end_close, let_go_of_inputs,
    run_claimed, submit_at, with_sleep, write_failure,
};
pub(crate) use edge::{
    Edge, EndEdge, OnFailure, Settled, TypedEdge, VisitEdges, any_might_clone, loans_of,
};
pub(crate) use frame::{depth, each_frame, within};
pub(crate) use hand::{Hand, let_go_of};
pub(crate) use handle::{
    Arrived, Borrow, Mark, Owner, TaskRef, Token, Typed, Which, allocate, tasks_of,
    tasks_that_may_wait,
};
pub(crate) use header::Header;
pub(crate) use holds::Take;
pub(crate) use inline::{Inline, fits};
pub(crate) use job::{Job, Step};
pub(crate) use lease::{Lease, empty_pocket};
pub(crate) use state::{Claim, Prepare, Seize, State, Suspend};
pub(crate) use waiters::{Closing, Dependents, Visit};
