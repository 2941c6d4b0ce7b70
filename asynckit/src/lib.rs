//! Ordinary blocking Rust, run as a typed graph of tasks on threads.
//!
//! Annotate functions that block, write straight-line code in [`chain!`], and each call whose
//! arguments are not there yet becomes a task that starts when they are.
//!
//! ```
//! use asynckit::{Pool, async_work, chain};
//!
//! #[async_work]
//! fn read(path: &'static str) -> std::io::Result<String> {
//!     std::fs::read_to_string(path)
//! }
//! #[async_work]
//! fn count_words(text: &str) -> usize {
//!     text.split_whitespace().count()
//! }
//! #[async_work]
//! fn add(a: usize, b: usize) -> usize {
//!     a + b
//! }
//!
//! let pool = Pool::new(4);
//! let total = chain!(&pool, {
//!     let a = read("Cargo.toml");           // starts now
//!     let b = read("README.md");            // starts now, beside it
//!     add(count_words(&a), count_words(&b)) // three tasks; each starts when its inputs are there
//! });
//! assert!(total.get()? > 0);
//! # Ok::<(), asynckit::Error>(())
//! ```
//!
//! # Three things
//!
//! - [`Work`] is a call that has not been made. Calling an annotated function makes one, as
//!   calling an `async fn` makes a future; it does nothing yet.
//! - [`Pool`] is the threads that run work. [`Work::spawn_on`] submits work to it;
//!   [`Work::run`] does without a pool, which is handy in tests.
//! - [`AsyncResult`] is what submitted work comes to: the value, or the failure. It owns its value
//!   as a `T` would: moving it moves the value, `&` lends it, and `clone()` exists where
//!   `T: Clone + Sync`. [`get`](AsyncResult::get) blocks for the value, `.await` waits for it
//!   under any executor.
//!
//! ```
//! use asynckit::{AsyncResult, Pool, async_work};
//!
//! #[async_work]
//! fn add(a: u32, b: u32) -> u32 { a + b }
//!
//! assert_eq!(add(1, 2).run()?, 3);
//!
//! let pool = Pool::new(2);
//! let sum: AsyncResult<u32> = add(3, 4).spawn_on(&pool);
//! let more = pool.spawn(|| 5); // a closure is work, too
//! assert_eq!(sum.get()? + more.get()?, 12);
//! # Ok::<(), asynckit::Error>(())
//! ```
//!
//! # Chains
//!
//! In a [`chain!`] a pending result is passed to any function as if it were the value. `f(a)`
//! moves it in, `f(&a)` lends it, and a list of results goes where a list of values is wanted.
//!
//! ```
//! use asynckit::{AsyncResult, Pool, async_work, chain};
//!
//! #[async_work]
//! fn square(n: u64) -> u64 { n * n }
//! #[async_work]
//! fn sum(numbers: Vec<u64>) -> u64 { numbers.iter().sum() }
//!
//! let pool = Pool::new(2);
//! let total = chain!(&pool, {
//!     let squares: Vec<_> = (1..=3).map(square).collect(); // fan out: each starts at once
//!     sum(squares)                                         // fan in: waits for all of them
//! });
//! assert_eq!(total.get()?, 14);
//!
//! // Work may also wait for a result that the program sets.
//! let input = AsyncResult::new();
//! let squared = chain!(&pool, square(input.clone()));
//! input.set(9).unwrap();
//! assert_eq!(squared.get()?, 81);
//! # Ok::<(), asynckit::Error>(())
//! ```
//!
//! To compute with values, write the async form. It is a task of the pool, holds no thread while
//! it waits, and needs no async runtime.
//!
//! ```
//! # use asynckit::{Pool, async_work, chain};
//! # #[async_work]
//! # fn square(n: u64) -> u64 { n * n }
//! let pool = Pool::new(1);
//! let result = chain!(&pool, async move {
//!     let mut n = 2;
//!     while n < 100 {
//!         n = square(n).await?;
//!     }
//!     square(n)
//! });
//! assert_eq!(result.get()?, 256 * 256);
//! # Ok::<(), asynckit::Error>(())
//! ```
//!
//! When the compiler turns a chain down, [`messages`] says what to do.
//!
//! # Borrowing
//!
//! Work on a pool owns all it uses. Work on a [`Scope`] may borrow local data, as
//! [`Pool::scope`] returns only after all of it is over.
//!
//! ```
//! use asynckit::{AsyncResult, Pool, async_work, chain};
//!
//! #[async_work]
//! fn sum(numbers: &[u64]) -> u64 { numbers.iter().sum() }
//! #[async_work]
//! fn total(parts: Vec<u64>) -> u64 { parts.iter().sum() }
//!
//! let pool = Pool::new(2);
//! let numbers = [1, 2, 3, 4, 5];
//! let all = pool.scope(|s| {
//!     let parts: Vec<AsyncResult<u64>> = numbers.chunks(2).map(|p| sum(p).spawn_on(s)).collect();
//!     chain!(s, total(parts)).get()
//! })?;
//! assert_eq!(all, 15);
//! # Ok::<(), asynckit::Error>(())
//! ```
//!
//! # Failures
//!
//! The error of a function that returns a [`Result`](std::result::Result) travels apart from its
//! value, and a panic is caught. What depends on failed work does not run: it fails at once, with
//! the same [`Error`], which tells its [`kind`](Error::kind), where it came from, and the way it
//! took. What the work returned is its [`source`](std::error::Error::source), and is found by its type
//! ([`Error::downcast_ref`]), as are its own sources. [`AsyncResult::recover`] and
//! [`AsyncResult::or_else`] turn a failure into a value again, and [`AsyncResult::cancel`] fails a
//! result on purpose.
//!
//! ```
//! use asynckit::{ErrorKind, Pool, async_work, chain};
//!
//! #[async_work]
//! fn parse(text: &str) -> Result<i32, std::num::ParseIntError> { text.parse() }
//! #[async_work]
//! fn double(n: i32) -> i32 { 2 * n }
//!
//! let pool = Pool::new(1);
//! let error = chain!(&pool, double(parse("many"))).get().unwrap_err();
//! assert_eq!(error.kind(), ErrorKind::Failed);
//! assert!(error.to_string().ends_with("parse failed: invalid digit found in string"));
//! assert!(format!("{error:#}").contains(" -> double (")); // was skipped
//! assert!(error.downcast_ref::<std::num::ParseIntError>().is_some());
//! ```
//!
//! A failure that no code has looked at when its last copy is dropped is reported once: to
//! [`PoolBuilder::on_unobserved_error`], or as a line on standard error.
//!
//! # Waiting
//!
//! Work may wait for other work, also on a pool of one worker. An untimed wait inside work runs
//! what it needs and nobody has begun (never anything else), then blocks while a spare worker
//! stands in. A wait that could never end is an error of kind [`ErrorKind::Deadlock`] that names
//! the tasks which wait for each other.
//!
//! ```
//! use asynckit::{Pool, async_work, current};
//!
//! #[async_work]
//! fn fib(n: u32) -> Result<u64, asynckit::Error> {
//!     if n < 2 {
//!         return Ok(n.into());
//!     }
//!     let a = fib(n - 1).spawn_on(&current());
//!     let b = fib(n - 2).spawn_on(&current());
//!     Ok(a.get()? + b.get()?)
//! }
//!
//! let pool = Pool::new(1);
//! assert_eq!(fib(10).spawn_on(&pool).get()?, 55);
//! # Ok::<(), asynckit::Error>(())
//! ```
//!
//! # Time and limits
//!
//! [`Work::timeout`] limits how long work may run, [`Work::deadline`] how long it may take in all,
//! [`AsyncResult::deadline`] is one for a chain, and [`Retry`] makes a call again when it fails. A
//! [`CancelToken`] cancels a whole tree of work, a [`Limit`] lets at most so much of some work run at
//! once. Most of it can be said once, at the function.
//!
//! ```
//! use std::time::Duration;
//! use asynckit::{CancelToken, ErrorKind, Pool, async_work, chain};
//!
//! #[async_work(retry = 3, backoff = "10ms", timeout = "5s", limit = 8)]
//! fn fetch(url: &str) -> Result<usize, String> {
//!     Ok(url.len()) // may fail now and then
//! }
//! #[async_work]
//! fn add(a: usize, b: usize) -> usize { a + b }
//!
//! let pool = Pool::new(2);
//! let token = CancelToken::with_timeout(Duration::from_secs(60));
//! let sum = chain!(&token.on(&pool), {
//!     let slow = fetch("bc").deadline(Duration::from_secs(9));
//!     add(fetch("a"), slow)
//! });
//! assert_eq!(sum.get()?, 3);
//!
//! token.cancel(); // all that is not done yet, of which there is nothing here
//! let late = fetch("d").spawn_on(&token.on(&pool));
//! assert_eq!(late.get().unwrap_err().kind(), ErrorKind::Cancelled);
//! # Ok::<(), asynckit::Error>(())
//! ```
//!
//! For a pause there is no function of its own. Work that may hold its thread sleeps, in [`blocking`]; an
//! `async fn` waits for a result that nobody sets, until the time is over:
//!
//! ```
//! use std::time::Duration;
//! use asynckit::{AsyncResult, CancelToken, ErrorKind, Pool, async_work};
//!
//! async fn pause(time: Duration) {
//!     let (setter, never) = AsyncResult::<()>::channel();
//!     let _ = never.timeout(time).await; // holds no thread
//!     drop(setter); // until here, as a result that nobody could set fails at once
//! }
//!
//! /// Does something every so often, until it is cancelled.
//! #[async_work]
//! async fn sweep(every: Duration) {
//!     loop {
//!         // do it
//!         pause(every).await;
//!     }
//! }
//!
//! let (pool, token) = (Pool::new(1), CancelToken::new());
//! let sweeping = sweep(Duration::from_millis(1)).spawn_on(&token.on(&pool));
//! token.cancel();
//! assert_eq!(sweeping.get().unwrap_err().kind(), ErrorKind::Cancelled);
//! ```
//!
//! # Blocking, and many results
//!
//! [`blocking`] announces any other call that blocks (a lock, a socket), so that it gets a stand-in
//! too. Over many results there are the methods of [`Results`]: `join_all`, `try_join_all`,
//! `settle_all`, `as_completed`, `wait_any` and `join`. [`Pool::map`] and [`Pool::try_map`] call a
//! function for each of many items, so many at a time. [`Pool::stream`] sends items through several stages, in
//! bounded memory: the module `streams` of this documentation shows how.
//!
//! # Threads
//!
//! [`Pool::builder`] sets the number of workers, their names and stacks, and how much work from
//! outside may queue up before [`Work::spawn_on`] blocks. A pool without workers runs its work on
//! the threads that wait for it, and in [`Pool::run_until_idle`]. With the features `rayon` and
//! `tokio`, `Pool::on_rayon` and `Pool::on_tokio` run on the threads that a program has already.
//!
//! What is a thread's own follows work by [`PoolBuilder::context`]: log fields, the span of a trace. What is dear to make
//! is kept for each worker, by a [`PerWorker`].
//!
//! Dropping a pool stops it: it finishes what was accepted, fails what can no longer get its
//! inputs as [`ErrorKind::Stopped`], and joins its threads. See [`Pool::stop`],
//! [`Pool::stop_timeout`] and [`Pool::stop_now`]. Work that runs is never interrupted; it may ask
//! [`is_cancelled`]. [`Pool::end_within`] ends a pool in a time, whatever still runs; with the feature `signal`,
//! `Pool::end_on_signal` does so on Ctrl-C and on SIGTERM.
//!
//! # Looking on
//!
//! [`PoolBuilder::observer`] and [`Pool::observe`] take an [`Observer`], which is told what becomes of each task, in
//! order, on the thread that it happens on: see [`observe`]. [`Pool::snapshot`] is what a pool is at, to be printed where
//! a program seems stuck. [`note`] says something of the work that calls it.
//!
//! # What it costs
//!
//! A task is one block of memory with its closure, its inputs and room for the value, and a few atomic steps: some
//! hundred instructions, of which `benches/README.md` has the figures beside those of others. What a task does not
//! use (a scope, a token, a limit, a time, a span) it does not pay for. So a function is worth a task from about a
//! microsecond on.
//!
//! An idle pool takes no processor time. A thread that waits for a result looks on for a few microseconds before it
//! sleeps, where the work runs and there is another processor to run it.
//!
//! # Memory
//!
//! A pending task takes about 140 bytes, and more where its closure or its value is large. A value is dropped where
//! its last handle or its last borrower goes, by whoever that is, before that goes on: as with a plain variable.
//! Work that was given up leaves nothing behind at the result that it waited for.
//!
//! The blocks of tasks that are over are used again. A thread keeps a few of them, and gives them back when it ends
//! or has slept for a fifth of a second; what is free then goes back to the system within a second, as long as the
//! process has a worker at rest, or none.
//!
//! # What it is not for
//!
//! - Loops over millions of small items: a task each costs more than it does. `rayon`'s iterators split
//!   them; they may be called inside of work, and share its threads by `Pool::on_rayon`.
//! - Thousands of connections that mostly wait: each blocks a thread unless it is an `async fn`, and an
//!   async runtime has the sockets for those. `.await` works on either side.
//! - Work that must be interrupted, or be done by a certain moment: threads can't be stopped from outside.
//!
//! # Tests
//!
//! [`Pool::deterministic`] has no threads and runs tasks in an order that a seed decides.
//! [`explore`] runs a test under many orders, and tells the seed of one that fails; [`Explore`] puts
//! failures and panics in the place of tasks.
//!
//! # Features
//!
//! Only `rate` is on by default.
//!
//! - `fast-clock`: events have their times from the processor's counter, by `quanta`: see [time](observe#time).
//! - `jobserver`: limits that share the slots of GNU make, `Limit::jobserver`.
//! - `signal`: pools that end on Ctrl-C and SIGTERM, `Pool::end_on_signal`.
//! - `rate`: [`Rate`], with the arithmetic of `governor`.
//! - `rayon`: pools on rayon's threads, `Pool::on_rayon`.
//! - `tokio`: pools on a tokio runtime's threads, `Pool::on_tokio`. (To `.await` a result under tokio
//!   or any other executor takes no feature.)
//! - `remote`: the functions with `remote` can be called by who was told of them, [`carry::Served::all`].
//! - `tracing`: each work has a span of level INFO, from its submission to its end. The span has the
//!   name of the function and the place of the call; its parent is the span in which the work was
//!   submitted. Work runs inside of its span, and a failure is recorded as `error`.
#![warn(missing_docs)]

// The layers, from below: each imports only what stands above it here. ARCHITECTURE.md says what each is for.

mod sync;

mod foreign;

mod panic;

mod error;

pub mod observe;

#[allow(unsafe_code)]
mod core;

mod trace;

mod terms;

mod pool;

mod result;

mod work;

mod cancel;
pub mod carry;
mod explore;
mod limit;
mod many;
mod map;
mod priority;
mod statements;
mod then;
mod time;

mod stream;

mod unwind_safe;

#[doc(hidden)]
pub mod __private;

#[cfg(doc)]
#[doc = include_str!("../docs/messages.md")]
pub mod messages {}

#[cfg(any(doc, doctest))]
pub mod guide;

#[doc = include_str!("../docs/async_work.md")]
pub use asynckit_macros::async_work;
#[doc = include_str!("../docs/chain.md")]
pub use asynckit_macros::chain;
pub use cancel::{AwaitedOrCancelled, CancelOnDrop, CancelToken, Cancellable};
pub use error::{BoxError, Error, ErrorKind, FailedAlike, Failures, Result, Sought};
pub use explore::{Explore, explore};
pub use limit::Limit;
#[cfg(feature = "rate")]
pub use limit::Rate;
pub use many::{Keyed, Results};
pub use map::{Map, Mapped};
pub use observe::{Context, Observer, Snapshot};
pub use pool::{
    BuildError, Current, Injected, PerWorker, Pool, PoolBuilder, Scope, Spawner, StillRunning,
    blocking, current, is_cancelled, note, try_current,
};
#[cfg(feature = "signal")]
pub use pool::{Ending, Signal};
pub use priority::Prioritized;
pub use result::{
    AsCompleted, AsyncResult, Awaited, AwaitedRef, KeyedAsCompleted, SetError, Setter,
};
pub use stream::Stream;
pub use terms::Priority;
pub use time::Retry;
pub use work::{Work, try_work, work};

/// The README's programs are run as documentation tests.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
