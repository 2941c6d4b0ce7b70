//! The core: what a task is, who may do what with it when, and why each race ends well.
//!
//! # A task's life
//!
//! A task is a *cell*: one block of memory with a closure, its inputs, room for the value, and three words.
//! `State` says what it lacks and who may run it. `OutcomeWord` is the list of those who wait for it, and from one
//! step on how it came out. `Holds` counts who owns the value, who has it on loan, and who keeps the memory.
//! A result that the program sets is a cell without work. Where somebody looks on to a task, what they know of it lies
//! behind its cell (`seen.rs`).
//!
//! Whoever submits a task writes the cell and links its *edges*: each input lies in the cell and is itself a
//! node in the list of the cell that it comes from. An input that is there already is not linked. Whoever
//! counts the last missing thing has the task's *entry*, the one right to bring it on its way: to queue it,
//! or, as a worker that has just ended another one, to claim it in the same step and run it next.
//!
//! A runner *claims* the task, moves closure and inputs out, and calls the one with the other. Then it writes the
//! value and *closes* the cell: one compare-and-swap publishes the value, takes the list, and ends the
//! runner's part. It visits each edge in the list, which counts its dependent down, and so on.
//!
//! The value stays as long as anybody owns it or has it on loan. The last to leave drops it, there and then, as
//! a plain variable would be dropped: never from a queue. That is what lets values borrow from a scope.
//!
//! # Who keeps the memory
//!
//! A cell that is open (not closed) is alive, whatever its holds: whoever will close it needs no count of its
//! own, be it the queue that has its entry, the edges that it lacks, or its runner. That *implied hold* ends with
//! the close. Whoever steps in at an open cell adds a reference on behalf of those who still come by, before it
//! takes anything from them:
//!
//! | who steps in | the reference is for | who ends it |
//! |---|---|---|
//! | a waiter claims a task that is queued | the entry | whoever finds the claim lost |
//! | a canceller seizes a task that is queued | the entry | likewise |
//! | a failed input, or a canceller, seizes a task that waits | its linked edges | whoever counts the last of them |
//! | a canceller closes a task that runs | the runner | whoever finds the close lost, or disposes of a sleeper |
//! | the first to look on | whoever closes | it, when it has told those who look on |
//!
//! # Who may do what
//!
//! - *Claim* (`State::claim`, `arrive_and_claim`): who runs it. *Seize*: as claim, for whoever sees to it that
//!   nobody will; edges may still be linked then, and the last to be visited ends what they kept.
//! - *Visit*: reads or ties the edges of a task that nobody has claimed. Claim and seize wait it out; it is never
//!   held while user code runs. An arrival does not wait.
//! - *Close*: the first one writes the outcome. A runner that comes too late drops its value.
//! - *Take*: the last owner moves the value out, when nothing that it lent is out; each other one clones.
//!
//! # Whose loans one waits for
//!
//! A handle moves when what was lent *from it* is back, as a variable does, and never waits for what was lent from
//! another handle: that may wait for it. So `.clone()` gives a handle an account of its own (`share.rs`). There are
//! never more clones than were written (`clones.rs`).
//!
//! # Orderings
//!
//! Each step that publishes is a release, each that goes on from it an acquire; whoever changes a word does both.
//! So all that happened before a result was set happens before whatever sees it set, and all that owners and
//! borrowers did with a value happens before it is moved or dropped. Sequentially consistent is what two threads
//! look for at each other's: a task that is tied while its pool closes, a task that sleeps while it is cancelled.
//!
//! # Named races
//!
//! Each has a model in `models`, which runs the real code in every order of a few threads, and fails where the step
//! that it is about is weakened: but for those of whole pools.
//!
//! - *The late edge*: an edge is linked while the upstream closes. Both are compare-and-swaps on one word: the edge
//!   is in the list that is taken, or it sees the outcome (`OutcomeWord::push`, `close`).
//! - *The early failure*: an input fails while others are missing. The task is seized and closed at once; its edges
//!   stay linked, each counts when it is visited, and the last ends what they kept (`fail.rs`).
//! - *The last loan*: the handle that lent a value wants it back while the last loan ends. Loans, owners and the wish
//!   are one word: the wish sees no loan, or the last loan sees the wish, and tells (`wish.rs`).
//! - *The clone in the way*: the last owner comes while another one still clones. It marks the word, where there is a
//!   clone, and says whom to tell; who ends the last clone of a marked word tells (`clones.rs`).
//! - *The cancelled sleeper*: a task is closed by a canceller while it runs, and then comes to wait again. Each looks
//!   for the other after its own step; one disposes of the task (`fail.rs`).
//! - *The late task*: a task is tied while its home ends. It is tied first, and then looks; the home says that it has
//!   ended, and then looks for what waits (`home.rs`, and the pool above).
//! - *Looking away*: somebody who may leave again begins to look on while the cell closes (`watchers.rs`).
//! - *The late look*: a thread ends a task while another thread looks at what it is doing (`frame.rs`).
//!
//! # The files
//!
//! Each imports only those above it. The words, which touch no memory: `traits`, `answers`, `holds/aside`, `holds`,
//! `holds/cloning`, `state`, `state/dead`, `outcome`. Memory: `ahead`, `pages`, `slab/depot`, `slab`, `slab/rest`, `seen`. The cell, and how one
//! holds it: `cell`,
//! `clones`, `share`, `edge`,
//! `entry`, `reference`. Steps that wait for their turn: `trampoline`; who takes what is ready: `schedule`; those who watch:
//! `watchers`. What a thread is at: `fence`, `frame`, `scoped`; and what is told of a task: `news`. What happens:
//! `complete`, `fail`, `lists`, `release`, `wish`; and how a thread runs a task:
//! `run`. For the layers above, what a call sees, waits for and is made of: `here`, `handle/owner`, `handle`, `inputs`,
//! `inputs/results`, `inputs/earlier`, `inputs/list`, `inputs/gathered`, `closure`, `inline`. The kinds of tasks: `task`, `task/job`,
//! `awaits`, `task/simple`, `task/call`, `task/by_hand`, `task/unsubmitted`. Where they run: `home`.

#[macro_use]
mod closure;
mod ahead;
mod answers;
mod awaits;
mod cell;
mod clones;
mod complete;
mod edge;
mod entry;
mod fail;
pub(crate) mod fence;
mod frame;
mod handle;
mod here;
mod holds;
mod home;
mod inline;
mod inputs;
mod lists;
#[cfg(all(asynckit_loom, test))]
mod models;
mod news;
mod outcome;
mod pages;
mod reference;
mod release;
mod run;
mod schedule;
mod scoped;
mod seen;
mod share;
mod slab;
mod state;
mod task;
#[cfg(all(test, not(asynckit_loom)))]
mod tests;
mod traits;
mod trampoline;
mod watchers;
mod wish;

pub use here::Here;
pub use inputs::{AllReady, Borrowed, Inputs, Lent, Many, Moved, Plain, SomePending};
pub use task::Outcome;

pub(crate) use awaits::Awaits;
#[cfg(all(asynckit_loom, test))]
pub(crate) use cell::LIVE;
pub(crate) use cell::{CellPtr, Header, Home, ListRest, News};
pub(crate) use closure::{Body, Closure, by_room, put, room_for, taken};
pub(crate) use entry::{Claimed, Entry};
pub(crate) use frame::{Frame, Stacks, depth, each_frame, runs_for};
pub(crate) use handle::{Account, Lender, Loan, Owner, Setting};
pub(crate) use here::KeptLoans;
pub(crate) use home::{Homed, IsHome, fail_dependents, keep, let_go, submit_nowhere};
pub(crate) use inline::{Inline, fits};
pub(crate) use inputs::{Earlier, Either, EndEdge, Gathered, Outcomes, VisitEdges};
pub(crate) use news::{task_here, with_watched_here};
pub(crate) use reference::TaskRef;
pub(crate) use schedule::{FewToHomes, Schedule, ToHomes};
pub(crate) use scoped::Scoped;
pub(crate) use slab::{NAP, Rest as MemoryRest, end_of_worker};
pub(crate) use task::{
    CallWithInputs, Callable, Flat, Job, JobStep, Jobbed, Missing, Simple, Submitted, TaskOf,
    Unsubmitted, channel, channel_of, manual,
};
pub(crate) use traits::Traits;
pub(crate) use trampoline::{Step as Deferred, after_all, call, defer, drain, hold_back, run_left};
pub(crate) use watchers::{Watch, Watcher};
