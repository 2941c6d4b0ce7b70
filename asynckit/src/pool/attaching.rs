//! Setting up what a program attaches to a pool.

use crate::error::Hop;
use crate::observe::{Capture, Context};
use crate::pool::attached::WorkerHook;
use crate::pool::builder::PoolBuilder;

impl PoolBuilder {
    /// Has a context follow the pool's work: log fields, the span of a trace, a language. May be called for several,
    /// which are entered in this order.
    ///
    /// `capture` is called on the thread that submits work, or registers a callback
    /// ([`on_set`](crate::AsyncResult::on_set)). What it gives is entered around each run of it, each part of an `async fn`
    /// between two `.await`s, each later try, and the callback, on whatever thread these are; what that work
    /// submits gets its context in turn. A [`Context`] is a type of yours, or a closure that
    /// enters it and gives a guard:
    ///
    /// ```
    /// use std::cell::Cell;
    ///
    /// thread_local! {
    ///     static LANGUAGE: Cell<&'static str> = const { Cell::new("en") };
    /// }
    ///
    /// /// Has the language of before come back.
    /// struct Before(&'static str);
    /// impl Drop for Before {
    ///     fn drop(&mut self) { LANGUAGE.set(self.0) }
    /// }
    ///
    /// let pool = asynckit::Pool::builder()
    ///     .workers(1)
    ///     .context(|| {
    ///         let language = LANGUAGE.get();
    ///         move || Before(LANGUAGE.replace(language))
    ///     })
    ///     .build()?;
    /// LANGUAGE.set("eo");
    /// assert_eq!(pool.spawn(|| LANGUAGE.get()).get().unwrap(), "eo");
    /// # Ok::<(), asynckit::BuildError>(())
    /// ```
    ///
    /// What is told to an [`Observer`](crate::Observer) costs what it costs there: contexts are seen to by one. A panic
    /// in `capture` or in entering goes to [`on_unobserved_error`](PoolBuilder::on_unobserved_error), and
    /// the work runs without. Work that is run in place, without a pool, is in the context of its thread as it is.
    pub fn context<C: Context>(
        mut self,
        capture: impl Fn() -> C + Send + Sync + 'static,
    ) -> PoolBuilder {
        self.config.attached.contexts.push(Capture::new(capture));
        self
    }

    /// What each worker calls first of all, on its own thread; may be called for several, which are called in this order.
    ///
    /// Workers are the threads that [`workers`](PoolBuilder::workers) asks for, and spare ones, which stand in while
    /// work waits. A thread of rayon or tokio is one from when it begins to work for the pool until it goes back, and
    /// then again. A pool without workers, and a deterministic one, has none: what is done by threads that wait
    /// for it is done by these as they are. A panic goes to
    /// [`on_unobserved_error`](PoolBuilder::on_unobserved_error), and the worker goes on.
    ///
    /// ```
    /// use std::sync::mpsc;
    ///
    /// let (begun, begins) = mpsc::channel();
    /// let pool = asynckit::Pool::builder()
    ///     .workers(2)
    ///     .on_worker_start(move || begun.send(std::thread::current().id()).unwrap())
    ///     .build()?;
    /// assert_ne!(begins.recv()?, begins.recv()?);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[track_caller]
    pub fn on_worker_start(mut self, hook: impl Fn() + Send + Sync + 'static) -> PoolBuilder {
        let hop = Hop::here(&"on_worker_start");
        self.config.attached.starts.push(WorkerHook::new(hop, hook));
        self
    }

    /// What each worker calls last, on its own thread, before what it has of
    /// [`PerWorker`](crate::PerWorker)s is dropped; of several the one that was said last is first. All else is as with
    /// [`on_worker_start`](PoolBuilder::on_worker_start). When [`stop`](crate::Pool::stop) returns, it has been
    /// called on each worker that is the pool's own.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use std::sync::atomic::{AtomicUsize, Ordering};
    ///
    /// let ended = Arc::new(AtomicUsize::new(0));
    /// let count = ended.clone();
    /// let pool = asynckit::Pool::builder()
    ///     .workers(2)
    ///     .on_worker_stop(move || _ = count.fetch_add(1, Ordering::Relaxed))
    ///     .build()?;
    /// pool.stop();
    /// assert_eq!(ended.load(Ordering::Relaxed), 2);
    /// # Ok::<(), asynckit::BuildError>(())
    /// ```
    #[track_caller]
    pub fn on_worker_stop(mut self, hook: impl Fn() + Send + Sync + 'static) -> PoolBuilder {
        let hop = Hop::here(&"on_worker_stop");
        self.config.attached.stops.push(WorkerHook::new(hop, hook));
        self
    }
}
