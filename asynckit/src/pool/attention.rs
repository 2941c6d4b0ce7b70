//! The words that the path of a submission looks at: whether somebody has to be woken for new work, or
//! to be started.
//!
//! A fence between a push and this look would wait until the stores to the new task are done. So those who go to
//! sleep or block fence for everybody (`core/fence.rs`), where the system has a way to do that. It interrupts all
//! processors that the process is on, which takes microseconds: right where that is rare. Where threads go to sleep again
//! and again, submitters are told to fence by themselves, by a mark in the word that they look at anyway (`Looks`).

use std::time::{Duration, Instant};

use crate::core::fence;
use crate::sync::{self, AtomicU8, AtomicUsize, Ordering, weakened};

/// The words.
pub(crate) struct Attention {
    /// Who may have to be called for work: how many sleepers there are, from `SLEEPER` on, and the marks below it.
    ///
    /// A submitter looks at it once it has queued, and has only to keep the order of the two, which costs it nothing:
    /// who goes to sleep is the one that has all threads fence (`look_again`).
    callable: AtomicUsize,
    /// Workers that were woken, or look on for a while, and are on their way to the queues: each will
    /// wake the next one if it finds more.
    searching: AtomicUsize,
    /// Whether a worker looks on for a while before it sleeps. One does at a time.
    spinning: AtomicU8,
    /// Threads are blocked, in waits or otherwise.
    blocked: AtomicU8,
    /// What workers are asked for when they have done something, in one word: whether there are more active threads
    /// than wanted, and whether work of another than the usual priority is queued.
    asked: AtomicU8,
    /// How many submitters have fenced for nobody since they were told to, about: it is only to tell many from few.
    in_vain: AtomicUsize,
}

/// Who goes to sleep or blocks, under the pool's lock: how often, and whether submitters fence by themselves for that.
#[derive(Default)]
pub(crate) struct Looks {
    last: Option<Instant>,
    fence: bool,
}

/// Two looks within this time are often.
const OFTEN: Duration = Duration::from_micros(200);
/// After so many fences for nobody submitters need not any more.
const MANY: usize = 1000;

impl Looks {
    /// One more; whether that is soon after the last.
    fn is_often(&mut self) -> bool {
        // loom's models have no time.
        if cfg!(asynckit_loom) {
            return false;
        }
        let now = Instant::now();
        self.last.replace(now).is_some_and(|last| now.duration_since(last) < OFTEN)
    }
}

/// Submitters have to fence by themselves, so that each has to look closer.
const FENCES: usize = 1;
/// Threads are blocked, and fewer are active than wanted.
const SHORT: usize = 2;
const SLEEPER: usize = 4;

const SURPLUS: u8 = 1;
const RANKED: u8 = 2;

/// What has to be done so that somebody comes for work that was queued.
#[must_use]
#[derive(Debug, PartialEq, Eq, Clone, Copy)]
pub(crate) enum Rouse {
    /// Nothing: somebody is on the way to the queues, or will be when its task ends.
    Nobody,
    /// A sleeper is to be woken.
    Sleeper,
    /// Threads are blocked, and a spare is to stand in.
    Spare,
    /// Submitters fence, and it has been for nobody many times: that can end (`calm`).
    Calm,
}

impl Attention {
    pub(crate) fn new() -> Attention {
        Attention {
            callable: AtomicUsize::new(marks()),
            searching: AtomicUsize::new(0),
            spinning: AtomicU8::new(0),
            blocked: AtomicU8::new(0),
            asked: AtomicU8::new(0),
            in_vain: AtomicUsize::new(0),
        }
    }

    /// Brings the words up to date, under the pool's lock.
    pub(crate) fn publish(&self, sleepers: usize, short: bool, surplus: bool, looks: &Looks) {
        let short = if short { SHORT } else { 0 };
        let fences = if looks.fence { FENCES } else { marks() };
        self.callable.store((sleepers * SLEEPER) | short | fences, Ordering::SeqCst);
        self.ask(SURPLUS, surplus);
    }

    /// Likewise, whether threads are blocked.
    pub(crate) fn set_blocked(&self, blocked: bool) {
        self.blocked.store(u8::from(blocked), Ordering::SeqCst);
    }

    pub(crate) fn has_blocked(&self) -> bool {
        self.blocked.load(Ordering::Relaxed) != 0
    }

    /// Whether somebody may have to be called for work that was queued just now: then `call` says who.
    #[inline]
    pub(crate) fn has_callable(&self) -> bool {
        fence::compiler();
        // ORDERING: after the work was queued, for all who have fenced since: see `look_again`.
        self.callable.load(Ordering::Relaxed) != 0
    }

    /// Who is to be called for work that was queued just now.
    #[inline(never)]
    pub(crate) fn call(&self) -> Rouse {
        // ORDERING: SeqCst fence, against the one in `end_search`: either this sees the search ended, or the searcher's
        // look after it sees the work. And against the one in `look_again`, where that reaches no other threads.
        if !weakened("call") {
            sync::fence(Ordering::SeqCst);
        }
        let callable = self.callable.load(Ordering::Relaxed);
        if callable >= SLEEPER {
            if self.searching.load(Ordering::Relaxed) == 0 { Rouse::Sleeper } else { Rouse::Nobody }
        } else if callable & SHORT != 0 {
            Rouse::Spare
        } else if self.is_in_vain() {
            Rouse::Calm
        } else {
            Rouse::Nobody
        }
    }

    /// A submitter has fenced and found nobody; whether that was so many times.
    fn is_in_vain(&self) -> bool {
        // Not exact: some of those at the same time count as one.
        let times = self.in_vain.load(Ordering::Relaxed) + 1;
        self.in_vain.store(times, Ordering::Relaxed);
        times >= MANY && fence::is_light()
    }

    /// Whoever is about to sleep or to block has said so (`publish`), and looks at the queues once more
    /// after this. Under the pool's lock.
    ///
    /// Whoever queued before is seen; whoever does so after sees what was said. Either all threads fence here; or
    /// submitters do and this one: then all threads have done so since these were told to, so that who was not told had
    /// queued before that.
    pub(crate) fn look_again(&self, looks: &mut Looks) {
        if weakened("look again") {
            return;
        }
        let fences = looks.is_often() || !fence::is_light();
        if fences && looks.fence {
            // ORDERING: SeqCst fence, against the one in `call`.
            return sync::fence(Ordering::SeqCst);
        }
        self.have_fence(looks, fences);
        fence::heavy();
    }

    /// Tells submitters whether they have to fence by themselves.
    fn have_fence(&self, looks: &mut Looks, fences: bool) {
        looks.fence = fences;
        if fences {
            self.in_vain.store(0, Ordering::Relaxed);
            self.callable.fetch_or(FENCES, Ordering::SeqCst);
        } else {
            self.callable.fetch_and(!FENCES, Ordering::SeqCst);
        }
    }

    /// Submitters need not fence by themselves: who looks next does it for all. Under the pool's lock.
    #[cold]
    pub(crate) fn calm(&self, looks: &mut Looks) {
        if looks.fence && fence::is_light() {
            looks.last = None;
            self.have_fence(looks, false);
        }
    }

    /// So many threads are on their way to the queues.
    pub(crate) fn begin_search(&self, threads: usize) {
        self.searching.fetch_add(threads, Ordering::SeqCst);
    }

    /// One of them has found work, or none, and looks after this whether there is more.
    pub(crate) fn end_search(&self) {
        self.searching.fetch_sub(1, Ordering::SeqCst);
        // ORDERING: SeqCst fence, against the one in `call`: either that sees the search ended, or that
        // look sees the work.
        if !weakened("end of search") {
            sync::fence(Ordering::SeqCst);
        }
    }

    /// Whether the caller may look on for a while: then it searches, and says when it is done.
    pub(crate) fn begin_spin(&self) -> bool {
        let first = self.spinning.swap(1, Ordering::Acquire) == 0;
        if first {
            self.begin_search(1);
        }
        first
    }

    /// It goes on to search, or to sleep.
    pub(crate) fn end_spin(&self, sees_work: bool) {
        self.spinning.store(0, Ordering::Release);
        if !sees_work {
            self.end_search();
        }
    }

    /// Whether a thread is on its way to the queues.
    pub(crate) fn is_searched(&self) -> bool {
        self.searching.load(Ordering::Relaxed) != 0
    }

    pub(crate) fn is_short(&self) -> bool {
        self.callable.load(Ordering::Relaxed) & SHORT != 0
    }

    fn ask(&self, what: u8, asked: bool) {
        match asked {
            true => self.asked.fetch_or(what, Ordering::SeqCst),
            false => self.asked.fetch_and(!what, Ordering::SeqCst),
        };
    }

    /// Whether workers are asked for anything.
    pub(crate) fn asks(&self) -> bool {
        self.asked.load(Ordering::Relaxed) != 0
    }

    pub(crate) fn has_surplus(&self) -> bool {
        self.asked.load(Ordering::Relaxed) & SURPLUS != 0
    }

    /// Whether work of another than the usual priority is queued, for all that is known.
    pub(crate) fn has_ranked(&self) -> bool {
        self.asked.load(Ordering::Relaxed) & RANKED != 0
    }

    pub(crate) fn set_ranked(&self, queued: bool) {
        self.ask(RANKED, queued);
    }
}

/// What is always there, so that a submitter does not pass by.
fn marks() -> usize {
    if fence::is_light() { 0 } else { FENCES }
}
