//! The pool: queues, workers, sleep, waits, stopping.
//!
//! The way of a task through it: `spawner` (where it is submitted), `spawn`, `queue`, `worker` (who runs
//! it); `sleep` wakes workers for it, `wait` and `needed` are for threads that wait for it.
//!
//! # The files
//!
//! Each imports only those above it. What a pool has: `attention`, `phase`, `stack`, `threads`, `draw`, `queue`,
//! `attached`, `config`, `known`, `shared`. Where work belongs: `place`, `registry`; what is told of it: `shown`, `looks`,
//! `callbacks`. Its
//! threads: `sleep`, `seeded`, `local`, `next`, `worker`, `life`, `context`, `hosted`, `start`. What waits for what: `walks`,
//! `words`, `deadlock`, `roots`, `block`. Its end: `close`, `asleep`. What tasks ask of it: `home`. Waits: `goal`, `lending`,
//! `needed`, `help`, `wait`. Submissions: `spawn`. For the program: `handle`, `stop`, `signals`, `scope`, `spawner`,
//! `per_worker`, `builder`, `attaching`, `snapshot`, `on_rayon`, `on_tokio`.

mod asleep;
mod attached;
mod attaching;
mod attention;
mod block;
mod builder;
mod callbacks;
mod close;
mod config;
mod context;
mod deadlock;
mod draw;
mod goal;
mod handle;
mod help;
mod home;
mod hosted;
mod known;
mod lending;
mod life;
mod local;
mod looks;
#[cfg(all(asynckit_loom, test))]
mod models;
mod needed;
mod next;
#[cfg(feature = "rayon")]
mod on_rayon;
#[cfg(feature = "tokio")]
mod on_tokio;
mod per_worker;
mod phase;
mod place;
mod queue;
mod registry;
mod roots;
mod scope;
mod seeded;
mod shared;
mod shown;
#[cfg(feature = "signal")]
mod signals;
mod sleep;
mod snapshot;
mod spawn;
mod spawner;
mod stack;
mod start;
mod stop;
mod threads;
mod wait;
mod walks;
mod words;
mod worker;

pub use block::blocking;
pub use builder::{BuildError, PoolBuilder};
pub use context::is_cancelled;
pub use handle::Pool;
pub use looks::note;
pub use per_worker::PerWorker;
pub use scope::Scope;
pub use seeded::Injected;
#[cfg(feature = "signal")]
pub use signals::{Ending, Signal};
pub use spawner::{AsyncSpawner, Current, Handle, Spawn, Spawner, current, try_current};
pub use stop::StillRunning;

pub(crate) use asleep::Asleep;
pub(crate) use callbacks::Callback;
pub(crate) use context::{task as task_here, virtual_timers as virtual_timers_here, works_for};
pub(crate) use deadlock::holds_while_it_waits;
pub(crate) use draw::{Fault, FaultKind};
pub(crate) use goal::{Goal, Set, Turn, Unlent};
pub(crate) use help::enter_queue;
pub(crate) use help::look_at_queue;
pub(crate) use lending::{GivenBack, got as got_permit, watched_here};
pub(crate) use looks::{as_a_part, listeners_here};
pub(crate) use place::{Inside, Part, Place, place_here};
pub(crate) use registry::pool_of;
pub(crate) use scope::in_scope;
pub(crate) use shared::Shared;
pub(crate) use shown::{looked_on, need_of, on_no_pool};
pub(crate) use spawn::{
    made, on_place, on_plain_pool, on_pool, on_watched_pool, takes_plainly, takes_watched,
};
pub(crate) use spawner::{PlainPool, narrows_a_place, owned};
pub(crate) use threads::Test;
pub(crate) use wait::{run_at_once, wait};
pub(crate) use walks::pools_of;
