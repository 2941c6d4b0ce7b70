//! A task's state: what it lacks, who may run it, what is special about it. One word, and every
//! transition that it may take.
//!
//! No memory is touched here; callers act on the answers.

mod dead;

use super::traits::{BORROWS, HOOKED, IMMEDIATE, WATCHED};
use crate::sync::{AtomicU64, Ordering, ordering, weakened, yield_now};

pub(crate) use super::answers::{Arrival, Claim, Comes, Seize, Suspend};
pub(crate) use super::traits::Traits;

/// The word. Its upper half counts what is lacking; its lower half has the marks below.
pub(crate) struct State(AtomicU64);

/// Somebody runs it, or ran it, or has seen to it that nobody will.
const CLAIMED: u64 = 1;
/// Somebody ties or reads its edges. Claims wait this out; it is never held while user code runs.
const VISITED: u64 = 1 << 1;
/// The one look by which the plain way is told from all others.
const SPECIAL: u64 = HOOKED | IMMEDIATE | WATCHED;
/// It waits for a waker's call rather than for inputs, and lacks one thing for it.
const SUSPENDED: u64 = 1 << 5;
/// A waker was called while it was running.
const WOKEN: u64 = 1 << 6;
/// It is over: nothing is left of its closure and inputs. Only of hooked tasks is this known. Of a result
/// that the program sets: all who waited for its value know.
const OVER: u64 = 1 << 4;
/// It was cancelled, as nobody needed it any more: how it ends is nobody's concern.
const UNASKED: u64 = 1 << 9;
/// One thing that is missing: an input, the submitter who still ties inputs, a waker's call. For a
/// result that the program sets: one handle that may set it.
const LACK: u64 = 1 << 32;

impl State {
    /// Of work that was not submitted: nobody else knows it.
    pub(crate) fn unsubmitted(traits: Traits) -> State {
        State(AtomicU64::new(traits.0 | LACK))
    }

    /// Takes this first state, when it is submitted.
    pub(crate) fn begin(&self, first: State) {
        // ORDERING: Relaxed: nobody else knows it; published with its entry or its edges.
        self.0.store(first.0.load(Ordering::Relaxed), Ordering::Relaxed);
    }

    /// The claim of work that was not submitted, and is run in place: its value may borrow from who calls it.
    pub(crate) fn claim_unsubmitted(&self) {
        self.change(|old| Some((old | CLAIMED | BORROWS) - LACK));
    }

    /// What it was made with.
    pub(crate) fn traits(&self) -> Traits {
        Traits(self.0.load(Ordering::Relaxed) & (HOOKED | IMMEDIATE | BORROWS))
    }

    /// Of a task that lacks nothing.
    #[inline]
    pub(crate) fn ready(traits: Traits) -> State {
        State(AtomicU64::new(traits.0))
    }

    /// Of a task with one edge, which is tied by its link alone; and of a result that the program
    /// sets, which lacks one thing for each handle that may set it.
    #[inline]
    pub(crate) fn lacking_one(traits: Traits) -> State {
        State(AtomicU64::new(traits.0 | LACK))
    }

    /// Of a task to which so many inputs are tied next, until `tied`. The submitter counts as one
    /// more, so that nobody brings the last one before.
    #[inline]
    pub(crate) fn tying(inputs: usize, traits: Traits) -> State {
        let visited = if weakened("tying") { 0 } else { VISITED };
        State(AtomicU64::new(traits.0 | visited | ((inputs as u64 + 1) * LACK)))
    }

    /// The inputs are tied, and so many of them were there already.
    #[inline]
    pub(crate) fn tied(&self, there: usize) -> Arrival {
        let visited = if weakened("tying") { 0 } else { VISITED };
        let less = visited + (there as u64 + 1) * LACK;
        // ORDERING: AcqRel, as with any arrival: who counts last sees what the others did.
        let old = self.0.fetch_sub(less, Ordering::AcqRel);
        if old / LACK == there as u64 + 1 {
            Arrival::Ready { special: old & SPECIAL != 0 }
        } else {
            Arrival::Lacking
        }
    }

    /// The only edge found its input there; nobody else knows the task.
    #[inline]
    pub(crate) fn sole_was_there(&self) {
        self.0.store(self.0.load(Ordering::Relaxed) - LACK, Ordering::Relaxed);
    }

    /// Something that was lacking is there.
    #[inline]
    pub(crate) fn arrive(&self) -> Arrival {
        // ORDERING: AcqRel: whoever counts last sees what all the others did before.
        let old = self.0.fetch_sub(LACK, ordering("arrive", Ordering::AcqRel));
        match old {
            _ if old / LACK != 1 => Arrival::Lacking,
            _ if old & CLAIMED != 0 => Arrival::Gone,
            _ => Arrival::Ready { special: old & SPECIAL != 0 },
        }
    }

    /// As `arrive`, and where that was the last and the caller `keeps` such, the claim in the same step.
    #[inline]
    pub(crate) fn arrive_and_claim(&self, keeps: impl FnOnce() -> bool) -> Arrival {
        let old = self.0.load(Ordering::Acquire);
        if old / LACK == 1 && keeps() && old & (CLAIMED | VISITED | SUSPENDED) == 0 {
            let new = (old - LACK) | CLAIMED;
            // ORDERING: AcqRel, as in `arrive`.
            if weakened("arrive and claim") {
                self.0.store(new, Ordering::Release);
                return Arrival::Claimed { special: old & SPECIAL != 0 };
            }
            let step = self.0.compare_exchange(old, new, Ordering::AcqRel, Ordering::Relaxed);
            if step.is_ok() {
                return Arrival::Claimed { special: old & SPECIAL != 0 };
            }
        }
        self.arrive()
    }

    /// The right to run it, for whoever has it from a queue, or waits for it.
    #[inline]
    pub(crate) fn claim(&self) -> Claim {
        let mut old = self.0.load(Ordering::Acquire);
        loop {
            if old & CLAIMED != 0 {
                return Claim::Lost;
            } else if old >= LACK {
                return Claim::Lacking;
            } else if old & VISITED != 0 {
                old = self.look_again();
                continue;
            }
            // ORDERING: AcqRel: Acquire sees the closure and the inputs, by the release of who
            // made it ready.
            let new = old | CLAIMED;
            if weakened("claim") {
                self.0.store(new, Ordering::Release);
                return Claim::Won { special: old & SPECIAL != 0 };
            }
            match self.0.compare_exchange_weak(old, new, Ordering::AcqRel, Ordering::Acquire) {
                Ok(_) => return Claim::Won { special: old & SPECIAL != 0 },
                Err(now) => old = now,
            }
        }
    }

    /// As `claim`, for whoever keeps it from running, or sets it by hand: much may be lacking.
    #[cold]
    pub(crate) fn seize(&self) -> Seize {
        let mut comes = Comes::Nobody;
        let seized = self.change_unvisited(|old| {
            let (new, who) = match old {
                _ if old & CLAIMED != 0 => return None,
                _ if old & SUSPENDED != 0 => ((old & !SUSPENDED) - LACK, Comes::Nobody),
                _ if old >= LACK && weakened("seizer") => (old, Comes::Edges),
                _ if old >= LACK => (old + LACK, Comes::Edges),
                _ => (old, Comes::Entry),
            };
            comes = who;
            Some(new | CLAIMED)
        });
        if seized { Seize::Won(comes) } else { Seize::Claimed }
    }

    /// A runner found that the task has to wait again: for a value that is lent, or for the result that
    /// its work has returned. The caller visits it, until `unvisit` or `go_on`, and counts as lacking what
    /// it is about to wait for. `immediate`: what is left of the task is done on the spot.
    #[cold]
    pub(crate) fn begin_wait(&self, immediate: bool) {
        let more = if immediate { VISITED | IMMEDIATE } else { VISITED };
        self.change(|old| Some(((old & !CLAIMED) | more) + LACK));
    }

    /// There was nothing to wait for after all: the runner has its claim again.
    #[cold]
    pub(crate) fn go_on(&self) {
        self.change(|old| Some(((old & !VISITED) | CLAIMED) - LACK));
    }

    /// A runner found its future pending.
    #[cold]
    pub(crate) fn suspend(&self) -> Suspend {
        let mut answer = Suspend::Sleeps;
        self.change(|old| {
            let rest = old & !(CLAIMED | WOKEN);
            if old & WOKEN == 0 {
                answer = Suspend::Sleeps;
                Some((rest | SUSPENDED) + LACK)
            } else {
                answer = Suspend::WokenAgain;
                Some(rest)
            }
        });
        answer
    }

    /// Who has the claim gives it back: the task is ready again.
    pub(crate) fn release(&self) {
        self.change(|old| Some(old & !(CLAIMED | WOKEN)));
    }

    /// A waker's call: true where it ended the task's sleep, so that the caller has its entry.
    #[cold]
    #[must_use]
    pub(crate) fn wake(&self) -> bool {
        let mut ended = false;
        self.change_unvisited(|old| {
            ended = old & SUSPENDED != 0;
            if ended {
                Some((old & !SUSPENDED) - LACK)
            } else {
                (old & (CLAIMED | WOKEN) == CLAIMED).then_some(old | WOKEN)
            }
        }) && ended
    }

    /// One more handle that may set it by hand.
    #[cold]
    pub(crate) fn add_setter(&self) {
        // ORDERING: Relaxed, as with `Arc`: who adds has one.
        let old = self.0.fetch_add(LACK, Ordering::Relaxed);
        super::holds::check(old, u64::MAX - (LACK - 1));
    }

    /// One handle less that may set it; true where it was the last, and nobody had set it.
    #[cold]
    #[must_use]
    pub(crate) fn drop_setter(&self) -> bool {
        matches!(self.arrive(), Arrival::Ready { .. })
    }

    /// Keeps it as it is while the caller reads its edges; false where it was claimed.
    #[cold]
    #[must_use]
    pub(crate) fn visit(&self) -> bool {
        self.change_unvisited(|old| (old & CLAIMED == 0).then_some(old | VISITED))
    }

    #[cold]
    pub(crate) fn unvisit(&self) {
        self.0.fetch_and(!VISITED, Ordering::AcqRel);
    }

    /// Nobody needs it any more.
    #[cold]
    pub(crate) fn mark_unasked(&self) {
        self.0.fetch_or(UNASKED, Ordering::AcqRel);
    }

    pub(crate) fn is_unasked(&self) -> bool {
        self.has(UNASKED)
    }

    #[inline]
    fn has(&self, mark: u64) -> bool {
        self.0.load(Ordering::Acquire) & mark != 0
    }

    /// Whether somebody runs it or ran it, or has seized it.
    pub(crate) fn is_claimed(&self) -> bool {
        self.has(CLAIMED)
    }

    #[inline]
    pub(crate) fn is_immediate(&self) -> bool {
        self.has(IMMEDIATE)
    }

    /// A hooked task is over; or all who waited for a result that the program has set know.
    #[cold]
    pub(crate) fn mark_over(&self) {
        self.0.fetch_or(OVER, Ordering::AcqRel);
    }

    pub(crate) fn is_over(&self) -> bool {
        self.has(OVER)
    }

    /// Whether its home is counted for it.
    #[inline]
    pub(crate) fn is_hooked(&self) -> bool {
        self.has(HOOKED)
    }

    /// Whether somebody looks on to it, so that what they know of it lies behind its cell.
    #[inline]
    pub(crate) fn is_watched(&self) -> bool {
        self.has(WATCHED)
    }

    /// Whether its home is counted for it, or somebody looks on to it.
    #[inline]
    pub(crate) fn has_news(&self) -> bool {
        self.has(HOOKED | WATCHED)
    }

    pub(crate) fn is_suspended(&self) -> bool {
        self.has(SUSPENDED)
    }

    /// Whether the value may borrow from a scope.
    #[inline]
    pub(crate) fn borrows(&self) -> bool {
        self.has(BORROWS)
    }

    /// Whether nothing is lacking, and nobody has claimed it.
    pub(crate) fn is_ready(&self) -> bool {
        let now = self.0.load(Ordering::Acquire);
        now < LACK && now & CLAIMED == 0
    }

    /// Whether something is lacking, and nobody has claimed it.
    pub(crate) fn is_waiting(&self) -> bool {
        let now = self.0.load(Ordering::Acquire);
        now >= LACK && now & CLAIMED == 0
    }

    /// Changes the word by `step`, unless that declines; whether it did.
    ///
    /// ORDERING: AcqRel: each transition sees what the earlier ones published, and publishes its own.
    #[cold]
    fn change(&self, mut step: impl FnMut(u64) -> Option<u64>) -> bool {
        let acquire = ordering("change", Ordering::Acquire);
        let success = ordering("change", Ordering::AcqRel);
        let mut old = self.0.load(acquire);
        loop {
            let Some(new) = step(old) else { return false };
            match self.0.compare_exchange_weak(old, new, success, acquire) {
                Ok(_) => return true,
                Err(now) => old = now,
            }
        }
    }

    /// As `change`, but waits a visitor out.
    #[cold]
    fn change_unvisited(&self, mut step: impl FnMut(u64) -> Option<u64>) -> bool {
        loop {
            let mut visited = false;
            let changed = self.change(|old| {
                visited = old & (VISITED | CLAIMED) == VISITED;
                if visited { None } else { step(old) }
            });
            if changed || !visited {
                return changed;
            }
            yield_now();
        }
    }

    #[cold]
    fn look_again(&self) -> u64 {
        yield_now();
        self.0.load(Ordering::Acquire)
    }
}

impl std::fmt::Debug for State {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let now = self.0.load(Ordering::Acquire);
        write!(f, "lacks {}, marks {:#b}", now / LACK, now % LACK)
    }
}
