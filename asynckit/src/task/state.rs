//! A task's phase and flags: one word, and every transition that it may take.
//!
//! No memory is touched here: `cell.rs` does that, by what these transitions answer.

use crate::sync::{AtomicU32, Ordering};

/// The task's phase and flags. See the module's own page for who may take which step.
pub(crate) struct State(AtomicU32);

const PHASE: u32 = 0b11;
/// Inputs are missing, or a suspended future has not been woken.
const WAITING: u32 = 0;
/// Queued; nobody has begun it.
const READY: u32 = 1;
/// Somebody runs it.
const RUNNING: u32 = 2;
/// It will not run (any more): finished, failed or cancelled.
const OVER: u32 = 3;
/// Somebody reads or prepares the inputs; the phase stays as it is meanwhile.
const VISITED: u32 = 1 << 2;
/// Somebody has got the right to write the outcome.
const SETTLED: u32 = 1 << 3;
/// The outcome is an error.
const FAILED: u32 = 1 << 4;
/// The value has been moved out.
const TAKEN: u32 = 1 << 5;
/// The user let go of it while nothing depended on it: it runs for its effect.
const DETACHED: u32 = 1 << 6;
/// A suspended future was woken while it was polled.
const WOKEN: u32 = 1 << 7;
/// The work returned a result, and this task waits for that one.
const FORWARDS: u32 = 1 << 8;
/// Counts against its pool's queue capacity until it is begun.
const COUNTED: u32 = 1 << 9;
/// Is in its pool's register of tasks that may wait.
const REGISTERED: u32 = 1 << 10;
/// Waits for a waker's call rather than for inputs: its token is with whoever ends that.
const SUSPENDED: u32 = 1 << 11;

/// What became of an attempt to begin a task.
#[must_use]
#[derive(Debug, PartialEq, Eq, Clone, Copy)]
pub(crate) enum Claim {
    /// The caller runs it.
    Won,
    /// Somebody else does, or did, or nobody will.
    Lost,
}

/// What became of an attempt to keep a task from running.
#[must_use]
#[derive(Debug, PartialEq, Eq, Clone, Copy)]
pub(crate) enum Seize {
    /// The caller disposes of closure and inputs. `counted`: give back the queue's place;
    /// `suspended`: take over the token.
    Won { counted: bool, suspended: bool },
    /// It runs; its outcome may still be settled.
    Running,
    /// It is over.
    Over,
}

/// What a poll's end found.
#[must_use]
#[derive(Debug, PartialEq, Eq, Clone, Copy)]
pub(crate) enum Suspend {
    /// It sleeps until it is woken.
    Sleeps,
    /// It was woken while it was polled: it goes back to the queue.
    WokenAgain,
}

impl State {
    pub(crate) fn new() -> State {
        State(AtomicU32::new(WAITING))
    }

    fn has(&self, flag: u32) -> bool {
        // ORDERING: Acquire pairs with the AcqRel of whoever set the flag.
        self.0.load(Ordering::Acquire) & flag != 0
    }

    /// Changes the word by `step` until it holds, or until `step` declines.
    ///
    /// ORDERING: AcqRel: each transition sees what the earlier ones published (the inputs that a
    /// visitor prepared, the closure that the submitter wrote) and publishes its own.
    fn change<R>(&self, mut step: impl FnMut(u32) -> Result<u32, R>) -> Result<u32, R> {
        let mut old = self.0.load(Ordering::Acquire);
        loop {
            let new = step(old)?;
            match self.0.compare_exchange_weak(old, new, Ordering::AcqRel, Ordering::Acquire) {
                Ok(_) => return Ok(old),
                Err(now) => old = now,
            }
        }
    }

    /// As `change`, but waits out a visitor.
    fn change_unvisited<R>(&self, mut step: impl FnMut(u32) -> Result<u32, R>) -> Result<u32, R> {
        loop {
            let outcome = self.change(|old| match old & VISITED {
                0 => step(old).map_err(Some),
                _ => Err(None),
            });
            match outcome {
                Ok(old) => return Ok(old),
                Err(Some(answer)) => return Err(answer),
                Err(None) => crate::sync::thread::yield_now(),
            }
        }
    }

    /// WAITING → READY for a task without inputs, which nobody else knows yet.
    pub(crate) fn submit_ready(&self, counted: bool) {
        let flag = if counted { COUNTED } else { 0 };
        // ORDERING: Relaxed: the queue publishes the task.
        self.0.fetch_or(READY | flag, Ordering::Relaxed);
    }

    /// READY → RUNNING, for whoever wants to run it.
    pub(crate) fn claim(&self) -> Claim {
        let outcome = self.change_unvisited(|old| match old & PHASE {
            READY => Ok(old & !PHASE | RUNNING),
            _ => Err(()),
        });
        if outcome.is_ok() { Claim::Won } else { Claim::Lost }
    }

    /// WAITING → RUNNING, for work that is run in place and was never submitted.
    pub(crate) fn claim_unsubmitted(&self) {
        self.0.fetch_or(RUNNING, Ordering::AcqRel);
    }

    /// WAITING or READY → OVER, for whoever fails or cancels it.
    pub(crate) fn seize(&self) -> Seize {
        let outcome = self.change_unvisited(|old| match old & PHASE {
            WAITING | READY => Ok((old | OVER) & !(COUNTED | SUSPENDED)),
            RUNNING => Err(Seize::Running),
            _ => Err(Seize::Over),
        });
        match outcome {
            Ok(old) => Seize::Won { counted: old & COUNTED != 0, suspended: old & SUSPENDED != 0 },
            Err(seize) => seize,
        }
    }

    /// Keeps the phase as it is while the caller reads or prepares the inputs. Only where it has
    /// not begun; `unvisit` or `ready` end it.
    #[must_use]
    pub(crate) fn visit(&self) -> bool {
        self.change_unvisited(|old| match old & PHASE {
            WAITING | READY => Ok(old | VISITED),
            _ => Err(()),
        })
        .is_ok()
    }

    pub(crate) fn unvisit(&self) {
        self.0.fetch_and(!VISITED, Ordering::AcqRel);
    }

    /// The end of a visit that found every input there: the caller queues the task.
    pub(crate) fn ready(&self, counted: bool) {
        let flag = if counted { COUNTED } else { 0 };
        let old = self.change(|old| Ok::<_, ()>(old & !(VISITED | PHASE) | READY | flag));
        debug_assert!(old.is_ok_and(|old| old & (PHASE | VISITED) == WAITING | VISITED));
    }

    /// Takes the mark off that the task holds a place in the queue; whether it had one.
    pub(crate) fn uncount(&self) -> bool {
        // ORDERING: Relaxed: only who has claimed the task asks.
        self.0.load(Ordering::Relaxed) & COUNTED != 0
            && self.0.fetch_and(!COUNTED, Ordering::AcqRel) & COUNTED != 0
    }

    /// RUNNING → OVER.
    pub(crate) fn finish(&self) {
        self.0.fetch_or(OVER, Ordering::AcqRel);
    }

    /// RUNNING → WAITING, because the work returned a result to wait for.
    pub(crate) fn forward(&self) {
        let _ = self.change(|old| Ok::<_, ()>(old & !PHASE | WAITING | FORWARDS));
    }

    /// RUNNING → WAITING for a future that is pending, or → READY where it was woken meanwhile.
    pub(crate) fn suspend(&self) -> Suspend {
        let old = self.change(|old| {
            let phase = if old & WOKEN == 0 { WAITING | SUSPENDED } else { READY };
            Ok::<_, ()>(old & !(PHASE | WOKEN) | phase)
        });
        match old {
            Ok(old) if old & WOKEN != 0 => Suspend::WokenAgain,
            _ => Suspend::Sleeps,
        }
    }

    /// A waker's call: whether the caller is to queue the suspended task, whose token it gets.
    #[must_use]
    pub(crate) fn wake(&self) -> bool {
        let outcome = self.change_unvisited(|old| match old & PHASE {
            WAITING if old & SUSPENDED != 0 => Ok(old & !(PHASE | SUSPENDED) | READY),
            RUNNING => Ok(old | WOKEN),
            _ => Err(()),
        });
        outcome.is_ok_and(|old| old & PHASE == WAITING)
    }

    /// The right to write the outcome: the first one gets it.
    #[must_use]
    pub(crate) fn settle(&self) -> bool {
        self.0.fetch_or(SETTLED, Ordering::AcqRel) & SETTLED == 0
    }

    pub(crate) fn is_settled(&self) -> bool {
        self.has(SETTLED)
    }

    pub(crate) fn is_waiting(&self) -> bool {
        self.0.load(Ordering::Acquire) & PHASE == WAITING
    }

    pub(crate) fn is_ready(&self) -> bool {
        self.0.load(Ordering::Acquire) & PHASE == READY
    }

    pub(crate) fn is_running(&self) -> bool {
        self.0.load(Ordering::Acquire) & PHASE == RUNNING
    }

    pub(crate) fn is_over(&self) -> bool {
        self.0.load(Ordering::Acquire) & PHASE == OVER
    }

    pub(crate) fn mark_failed(&self) {
        self.0.fetch_or(FAILED, Ordering::AcqRel);
    }

    pub(crate) fn is_failed(&self) -> bool {
        self.has(FAILED)
    }

    /// The right to move the value out, or to drop it: the first one gets it.
    #[must_use]
    pub(crate) fn take_value(&self) -> bool {
        self.0.fetch_or(TAKEN, Ordering::AcqRel) & TAKEN == 0
    }

    pub(crate) fn detach(&self) {
        self.0.fetch_or(DETACHED, Ordering::AcqRel);
    }

    pub(crate) fn is_detached(&self) -> bool {
        self.has(DETACHED)
    }

    pub(crate) fn mark_registered(&self) {
        self.0.fetch_or(REGISTERED, Ordering::AcqRel);
    }

    pub(crate) fn is_registered(&self) -> bool {
        self.has(REGISTERED)
    }
}
