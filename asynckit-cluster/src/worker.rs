//! What a worker does with calls, however they come: it runs them in its own pool, so many at a time, and tells how
//! they come out.

use std::cell::Cell;
use std::collections::{HashMap, VecDeque};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, MutexGuard};

use asynckit::carry::{Ended, Served, words_of_panic};
use asynckit::{CancelToken, ErrorKind, Pool, try_work};
use bytes::Bytes;

use crate::attribute::Remote;
use crate::clock;
use crate::failure;
use crate::seam::Tell;
use crate::sync::lock;
use crate::trace::Span;
use crate::wire::{Call, CallId, Failed, FunctionId, Kind, Outcome};

thread_local! {
    static CALL: Cell<Option<CallId>> = const { Cell::new(None) };
}

/// The call that this function is run for: the same one, however often it is delivered. So what must be done once (a
/// payment, a mail) can be done under its name.
///
/// `None` where the function was called by its own program, and in work that it has submitted: that gets it as an
/// argument. Each try of `retry` is a call of its own.
///
/// ```
/// use asynckit::async_work;
/// use asynckit_cluster::call_id;
///
/// #[async_work(remote)]
/// fn pay(cents: u32) -> String {
///     let key = call_id().map_or_else(|| "here".to_owned(), |id| id.to_string());
///     format!("{cents} cents, once: {key}")
/// }
///
/// assert_eq!(pay(5).run()?, "5 cents, once: here");
/// # Ok::<(), asynckit::Error>(())
/// ```
pub fn call_id() -> Option<CallId> {
    CALL.get()
}

/// The functions of this program, by what they are known by.
pub(crate) struct Functions(HashMap<FunctionId, Known>);

enum Known {
    One(&'static Served),
    Several,
}

impl Functions {
    pub(crate) fn all() -> Functions {
        let mut all = HashMap::new();
        for served in Served::all().filter(|served| served.settings::<Remote>().is_some()) {
            let known = all.entry(FunctionId::of(served.function()));
            known.and_modify(|known| *known = Known::Several).or_insert(Known::One(served));
        }
        Functions(all)
    }

    /// # Errors
    ///
    /// Why it can't be called.
    pub(crate) fn find(&self, function: &FunctionId) -> Result<&'static Served, String> {
        match self.0.get(function) {
            Some(Known::One(served)) => Ok(served),
            Some(Known::Several) => Err("two functions have this path and this signature: give \
                                         one of them another name"
                .to_owned()),
            None => Err("this program has no such function".to_owned()),
        }
    }
}

/// The part of a worker that all backends share.
pub(crate) struct Worker {
    pool: Pool,
    functions: Functions,
    threads: usize,
    tell: Arc<dyn Tell>,
    /// Called before a call begins, with how much memory it may take.
    before: Box<dyn Fn(Option<u64>) + Send + Sync>,
    calls: Mutex<CallsAtHand>,
}

#[derive(Default)]
struct CallsAtHand {
    waiting: VecDeque<TakenCall>,
    running: HashMap<CallId, CancelToken>,
}

/// A call that has come, and is not begun.
struct TakenCall {
    call: Call,
    arguments: Vec<Bytes>,
}

impl Worker {
    pub(crate) fn new(
        threads: usize,
        name: &str,
        tell: Arc<dyn Tell>,
        before: impl Fn(Option<u64>) + Send + Sync + 'static,
    ) -> Result<Arc<Worker>, asynckit::BoxError> {
        let pool = Pool::builder().workers(threads).thread_name(name).build()?;
        Ok(Arc::new(Worker {
            pool,
            functions: Functions::all(),
            threads,
            tell,
            before: Box::new(before),
            calls: Mutex::default(),
        }))
    }

    fn calls(&self) -> MutexGuard<'_, CallsAtHand> {
        lock(&self.calls)
    }

    /// Takes a call on. It begins when one of the threads is free.
    pub(crate) fn take(self: &Arc<Self>, call: Call, arguments: Vec<Bytes>) {
        let mut calls = self.calls();
        calls.waiting.push_back(TakenCall { call, arguments });
        self.begin_next(calls);
    }

    /// Gives a call up. What is not begun is forgotten, and told to be over; what runs may ask `is_cancelled()`.
    pub(crate) fn cancel(&self, id: CallId) {
        if self.give_back(id) {
            self.tell.over(id);
        }
        let token = self.calls().running.get(&id).cloned();
        if let Some(token) = token {
            token.cancel();
        }
    }

    /// Takes a call out of those that wait; `false` where it has begun.
    pub(crate) fn give_back(&self, id: CallId) -> bool {
        let mut calls = self.calls();
        let waiting = calls.waiting.len();
        calls.waiting.retain(|taken| taken.call.id != id);
        calls.waiting.len() < waiting
    }

    /// Those that run now.
    pub(crate) fn running(&self) -> Vec<CallId> {
        self.calls().running.keys().copied().collect()
    }

    /// Whether calls wait for a thread.
    pub(crate) fn has_more(&self) -> bool {
        !self.calls().waiting.is_empty()
    }

    /// Whether nobody wants the outcome of a call any more that has been begun, or was about to.
    fn is_given_up(&self, id: CallId) -> bool {
        self.calls().running.get(&id).is_some_and(CancelToken::is_cancelled)
    }

    fn begin_next(self: &Arc<Self>, mut calls: MutexGuard<'_, CallsAtHand>) {
        if calls.running.len() >= self.threads {
            return;
        }
        let Some(taken) = calls.waiting.pop_front() else { return };
        let (id, token) = (taken.call.id, CancelToken::new());
        calls.running.insert(id, token.clone());
        drop(calls);
        let served = self.functions.find(&taken.call.function);
        let run = Run { worker: self.clone(), id, is_told: false };
        let served = match served {
            Ok(served) => served,
            Err(why) => return run.refuse(why),
        };
        let span = Span::of_call(&taken.call, served.function().path());
        let shared = Arc::new(Mutex::new(run));
        let its = shared.clone();
        let work = try_work(move || {
            run_call(&its, served, taken);
            Ok::<(), std::convert::Infallible>(())
        });
        let place = token.on(&self.pool);
        span.in_scope(|| match served.function().timeout() {
            None => drop(work.spawn_on(&place)),
            Some(timeout) => {
                let result = work.timeout(timeout).spawn_on(&place);
                result.on_set(move |outcome| {
                    if let Err(error) = outcome
                        && error.kind() == ErrorKind::TimedOut
                    {
                        let words = format!("was not done within {timeout:?}");
                        lock(&shared)
                            .tell_early(Outcome::Failed(Failed::new(Kind::TimedOut, words)));
                    }
                });
            }
        });
    }

    /// A thread is free again.
    fn ended(self: &Arc<Self>, id: CallId) {
        self.calls().running.remove(&id);
        self.tell.over(id);
        self.begin_next(self.calls());
    }
}

/// Runs a call on a thread of the pool.
fn run_call(run: &Mutex<Run>, served: &'static Served, taken: TakenCall) {
    let (worker, id) = {
        let run = lock(run);
        (run.worker.clone(), run.id)
    };
    let settings = served.settings::<Remote>();
    let memory = settings.and_then(|settings| settings.memory);
    if memory.is_some() && worker.threads > 1 {
        // The limit would be that of whatever else runs here.
        let words = format!(
            "its `memory` is that of a process with one call at a time, and this one runs {} at once",
            worker.threads
        );
        return lock(run).tell(Outcome::Refused(words), Bytes::new());
    }
    (worker.before)(memory);
    // Last of all: a thread may have been long in coming.
    if taken.call.deadline.is_some_and(|deadline| deadline <= clock::now()) {
        let words = "was not begun before its deadline".to_owned();
        return lock(run).tell(Outcome::Failed(Failed::new(Kind::TimedOut, words)), Bytes::new());
    }
    worker.tell.begun(id);
    let arguments: Vec<&[u8]> = taken.arguments.iter().map(|one| &**one).collect();
    let before = CALL.replace(Some(id));
    let typed = settings.and_then(|settings| settings.error.as_ref());
    let told = |ended: Ended<'_>| {
        let (outcome, body) = match ended {
            Ended::Value(bytes) => (Outcome::Value, Bytes::from(bytes)),
            Ended::Unencodable(error) => {
                let words = format!("its value can't be sent: {error}");
                (Outcome::Failed(Failed::new(Kind::Failed, words)), Bytes::new())
            }
            Ended::Failed(error) => {
                let (failed, body) = failure::tell(error, served.function().path(), typed);
                (Outcome::Failed(failed), body)
            }
        };
        lock(run).tell(outcome, body);
    };
    // An error that has come out may panic when it is asked for its text or its sources.
    let called = catch_unwind(AssertUnwindSafe(|| served.call(&arguments, told)));
    CALL.set(before);
    let outcome = match called {
        Ok(Ok(())) => return,
        Ok(Err(why)) => Outcome::Refused(why.to_string()),
        Err(panic) => Outcome::Failed(Failed::new(Kind::Panicked, words_of_panic(panic))),
    };
    lock(run).tell(outcome, Bytes::new());
}

/// A call that has been begun, or was about to: it is told of once, and its end is told in any case. Where it ends without
/// an outcome that somebody waits for, this is told, too: else its driver would wait for ever.
struct Run {
    worker: Arc<Worker>,
    id: CallId,
    is_told: bool,
}

impl Run {
    fn tell(&mut self, outcome: Outcome, body: Bytes) {
        if !std::mem::replace(&mut self.is_told, true) {
            self.worker.tell.finished(self.id, outcome, body);
        }
    }

    fn tell_early(&mut self, outcome: Outcome) {
        if !std::mem::replace(&mut self.is_told, true) {
            self.worker.tell.finished_early(self.id, outcome, Bytes::new());
        }
    }

    fn refuse(mut self, why: String) {
        self.tell(Outcome::Refused(why), Bytes::new());
    }
}

impl Drop for Run {
    fn drop(&mut self) {
        if !self.is_told && !self.worker.is_given_up(self.id) {
            let words = "came to no outcome".to_owned();
            self.tell(Outcome::Failed(Failed::new(Kind::Failed, words)), Bytes::new());
        }
        self.worker.ended(self.id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seam::{About, Outgoing};

    /// What is told of calls.
    #[derive(Default)]
    struct Told(Mutex<Vec<String>>);

    impl Tell for Told {
        fn begun(&self, id: CallId) {
            lock(&self.0).push(format!("{id:?} has begun"));
        }
        fn finished(&self, id: CallId, outcome: Outcome, _: Bytes) {
            lock(&self.0).push(format!("{id:?}: {outcome:?}"));
        }
        fn over(&self, id: CallId) {
            lock(&self.0).push(format!("{id:?} is over"));
        }
    }

    /// Whatever comes: it is a hash that names a function, and nothing else can be run.
    #[test]
    fn what_the_program_has_not_registered_is_refused_and_not_begun() {
        let told = Arc::<Told>::default();
        let before = |_| unreachable!("nothing is about to run");
        let worker = Worker::new(1, "w", told.clone(), before).unwrap();
        worker.take(Outgoing::delivered(7, 1, &About::limited(None)).call, Vec::new());
        let id = "0000000000000001.7";
        let refused = format!("{id}: Refused(\"this program has no such function\")");
        assert_eq!(*lock(&told.0), [refused, format!("{id} is over")]);
    }
}
