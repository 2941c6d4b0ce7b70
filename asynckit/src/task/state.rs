//! A task's phase, flags, and how many inputs it lacks: one word, and every transition that it may
//! take.
//!
//! No memory is touched here: `cell.rs` does that, by what these transitions answer.

use crate::sync::{AtomicU64, Ordering, give_up, yield_now};

/// The task's phase, flags and count. See the module's own page for who may take which step.
pub(crate) struct State(AtomicU64);

const PHASE: u64 = 0b11;
/// Inputs are missing, or a suspended future has not been woken.
const WAITING: u64 = 0;
/// Queued; nobody has begun it.
const READY: u64 = 1;
/// Somebody runs it.
const RUNNING: u64 = 2;
/// It will not run (any more): finished, failed or cancelled.
const OVER: u64 = 3;
/// Somebody reads or prepares the inputs; the phase stays as it is meanwhile.
const VISITED: u64 = 1 << 2;
/// Somebody has got the right to write the outcome.
const SETTLED: u64 = 1 << 3;
/// The outcome is an error.
const FAILED: u64 = 1 << 4;
/// The value has been moved out.
const TAKEN: u64 = 1 << 5;
/// The user let go of it while nothing depended on it: it runs for its effect.
const DETACHED: u64 = 1 << 6;
/// A suspended future was woken while it was polled.
const WOKEN: u64 = 1 << 7;
/// Counts against its pool's queue capacity until it is begun.
const COUNTED: u64 = 1 << 8;
/// Waits for a waker's call rather than for inputs: its token is with whoever ends that.
const SUSPENDED: u64 = 1 << 9;
/// Values move into it: when all inputs are there, how they get to it is still to be settled.
const MOVES: u64 = 1 << 10;
const WAITING_TO_MOVE: u64 = WAITING | MOVES;
/// What the work returned has taken its place, and is handed on when it is there.
const FORWARDS: u64 = 1 << 11;
/// One input that is missing, or one who is still counting them. The upper half of the word counts
/// these; for a result that is set by its handles, how many handles there are.
const LACK: u64 = 1 << 32;
/// How many are counted while the inputs are tied: more than there can be.
const IN_ADVANCE: u64 = 1 << 31;
/// Inputs are being tied to it.
const TYING: u64 = WAITING | VISITED | (IN_ADVANCE * LACK);

/// What became of an attempt to begin a task.
#[must_use]
#[derive(Debug, PartialEq, Eq, Clone, Copy)]
pub(crate) enum Claim {
    /// The caller runs it. `counted`: and gives back the queue's place.
    Won { counted: bool },
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

/// What became of an attempt to prepare a task.
#[must_use]
#[derive(Debug, PartialEq, Eq, Clone, Copy)]
pub(crate) enum Prepare {
    /// It was failed or cancelled meanwhile.
    Over,
    /// It is ready: the caller queues it.
    Ready,
    /// The caller settles how values move in, and ends the visit.
    Visited,
}

/// What the arrival of an input came to.
#[must_use]
#[derive(Debug, PartialEq, Eq, Clone, Copy)]
pub(crate) enum Arrival {
    /// Others are missing.
    Lacking,
    /// It was the last one: the caller gets the token, and prepares the task.
    Last,
    /// It was the last one, and the task is ready: the caller gets the token and queues the task.
    Ready,
    /// It was the last one, and values move in: the caller gets the token and visits the task, as after
    /// `prepare`.
    Visited,
}

impl State {
    /// Of work that was not submitted, or of a result that is set by hand.
    pub(crate) fn unsubmitted() -> State {
        State(AtomicU64::new(WAITING))
    }

    /// Of a task without inputs: ready from the start.
    pub(crate) fn ready(counted: bool) -> State {
        State(AtomicU64::new(READY | if counted { COUNTED } else { 0 }))
    }

    /// Of a task whose inputs are to be tied to it: visited, until `tied`.
    pub(crate) fn tying(counted: bool) -> State {
        State(AtomicU64::new(TYING | if counted { COUNTED } else { 0 }))
    }

    /// Takes this first state: of a cell that is made, or of work that was unsubmitted so far and that
    /// nobody else knows.
    pub(crate) fn begin(&self, first: State) {
        // ORDERING: Relaxed: published with the place or the token.
        self.0.store(first.0.load(Ordering::Relaxed), Ordering::Relaxed);
    }

    fn has(&self, flag: u64) -> bool {
        // ORDERING: Acquire pairs with the AcqRel of whoever set the flag.
        self.0.load(Ordering::Acquire) & flag != 0
    }

    /// Changes the word by `step` until it holds, or until `step` declines.
    ///
    /// ORDERING: AcqRel: each transition sees what the earlier ones published (the inputs that a
    /// visitor prepared, the closure that the submitter wrote) and publishes its own.
    fn change<R>(&self, mut step: impl FnMut(u64) -> Result<u64, R>) -> Result<u64, R> {
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
    fn change_unvisited<R>(&self, mut step: impl FnMut(u64) -> Result<u64, R>) -> Result<u64, R> {
        loop {
            let outcome = self.change(|old| match old & VISITED {
                0 => step(old).map_err(Some),
                _ => Err(None),
            });
            match outcome {
                Ok(old) => return Ok(old),
                Err(Some(answer)) => return Err(answer),
                Err(None) => yield_now(),
            }
        }
    }

    /// READY → RUNNING, for whoever wants to run it.
    pub(crate) fn claim(&self) -> Claim {
        let outcome = self.change_unvisited(|old| match old & PHASE {
            READY => Ok((old & !(PHASE | COUNTED)) | RUNNING),
            _ => Err(()),
        });
        match outcome {
            Ok(old) => Claim::Won { counted: old & COUNTED != 0 },
            Err(()) => Claim::Lost,
        }
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

    /// Keeps the phase as it is while the caller reads the inputs. Only where it has not begun;
    /// `unvisit` ends it.
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

    /// The inputs are tied, and so many of them are missing. The caller has visited the task, by
    /// `tying` or `forward`. `moves`: values move in.
    pub(crate) fn tied(&self, inputs: u32, there: u32, moves: bool) -> Arrival {
        // What was counted in advance, but for the inputs that are missing; some of these may have
        // come meanwhile, and have been taken off.
        let over = (IN_ADVANCE - u64::from(inputs - there)) * LACK;
        let moves = if moves { MOVES } else { 0 };
        // ORDERING: AcqRel as with any arrival, and it ends the visit. SeqCst, against the fence of
        // whoever closes the pool and then walks its tasks: either that one sees this task wait, or
        // this one sees the pool closed.
        let old = self.0.fetch_sub(over + VISITED - moves, Ordering::SeqCst);
        if old / LACK * LACK == over { Arrival::Last } else { Arrival::Lacking }
    }

    /// An input is there. Whoever brings the last one gets the task's token.
    pub(crate) fn arrived(&self) -> Arrival {
        let mut old = self.0.load(Ordering::Acquire);
        // ORDERING: AcqRel, both: whoever counts last sees what all the others did before, and what
        // was done while the inputs were tied.
        while old / LACK == 1 && old & (PHASE | VISITED) == WAITING {
            let (new, arrival) = match old & MOVES {
                0 => ((old - LACK) | READY, Arrival::Ready),
                // The count of the input becomes that of the preparer.
                _ => (old | VISITED, Arrival::Visited),
            };
            match self.0.compare_exchange_weak(old, new, Ordering::AcqRel, Ordering::Acquire) {
                Ok(_) => return arrival,
                Err(now) => old = now,
            }
        }
        let old = self.0.fetch_sub(LACK, Ordering::AcqRel);
        if old / LACK == 1 { Arrival::Last } else { Arrival::Lacking }
    }

    /// The holder of the token begins to settle how values move in, and counts itself among what
    /// lacks; a task into which nothing moves is ready at once.
    pub(crate) fn prepare(&self) -> Prepare {
        let outcome = self.change_unvisited(|old| match old & (PHASE | MOVES) {
            WAITING => Ok(old | READY),
            WAITING_TO_MOVE => Ok((old | VISITED) + LACK),
            _ => Err(()),
        });
        match outcome {
            Ok(old) if old & MOVES == 0 => Prepare::Ready,
            Ok(_) => Prepare::Visited,
            Err(()) => Prepare::Over,
        }
    }

    /// One more thing lacks: a value is lent. Only while the task is prepared.
    pub(crate) fn lack_one_more(&self) {
        // ORDERING: Relaxed: published by `Holds::wait_for_borrows`.
        self.0.fetch_add(LACK, Ordering::Relaxed);
    }

    /// One thing less, which was counted for nothing; the preparer's own count is still there.
    pub(crate) fn lack_one_less(&self) {
        self.0.fetch_sub(LACK, Ordering::Relaxed);
    }

    /// The end of the preparation, where nothing lacks: the caller queues the task.
    pub(crate) fn prepared(&self) {
        // ORDERING: AcqRel: publishes what was prepared to who claims the task.
        let old = self.0.fetch_sub(LACK + VISITED - READY, Ordering::AcqRel);
        debug_assert!(old & (PHASE | VISITED) == WAITING | VISITED && old / LACK == 1);
    }

    /// The end of the preparation, where values are lent; whether they have come back meanwhile: then
    /// the caller has the token again, and prepares the task once more.
    #[must_use]
    pub(crate) fn prepared_in_part(&self) -> bool {
        // ORDERING: AcqRel, as in `arrived`.
        self.0.fetch_sub(LACK + VISITED, Ordering::AcqRel) / LACK == 1
    }

    /// RUNNING → WAITING, because the work returned a result to wait for; as `tying` does.
    pub(crate) fn forward(&self) {
        let _ = self.change(|old| Ok::<_, ()>((old & !(PHASE | MOVES)) | TYING | FORWARDS));
    }

    /// It keeps its place in the queue for what it starts.
    pub(crate) fn count(&self) {
        self.0.fetch_or(COUNTED, Ordering::AcqRel);
    }

    /// Takes the mark off that it has a place in the queue; whether it had one.
    #[must_use]
    pub(crate) fn uncount(&self) -> bool {
        self.has(COUNTED) && self.0.fetch_and(!COUNTED, Ordering::AcqRel) & COUNTED != 0
    }

    /// Whether what the work returned has taken its place.
    pub(crate) fn forwards(&self) -> bool {
        self.has(FORWARDS)
    }

    /// RUNNING → WAITING for a future that is pending, or → READY where it was woken meanwhile.
    pub(crate) fn suspend(&self) -> Suspend {
        let mut old = self.0.load(Ordering::Acquire);
        loop {
            let phase = if old & WOKEN == 0 { WAITING | SUSPENDED } else { READY };
            let new = (old & !(PHASE | WOKEN)) | phase;
            // ORDERING: SeqCst, against the fence of whoever closes the pool and then walks its
            // tasks: either that one sees this task wait, or this one sees the pool closed.
            match self.0.compare_exchange_weak(old, new, Ordering::SeqCst, Ordering::Acquire) {
                Ok(_) if old & WOKEN != 0 => return Suspend::WokenAgain,
                Ok(_) => return Suspend::Sleeps,
                Err(now) => old = now,
            }
        }
    }

    /// A waker's call: whether the caller is to queue the suspended task, whose token it gets.
    #[must_use]
    pub(crate) fn wake(&self) -> bool {
        let outcome = self.change_unvisited(|old| match old & PHASE {
            WAITING if old & SUSPENDED != 0 => Ok((old & !(PHASE | SUSPENDED)) | READY),
            RUNNING => Ok(old | WOKEN),
            _ => Err(()),
        });
        outcome.is_ok_and(|old| old & PHASE == WAITING)
    }

    /// The right to write the outcome: the first one gets it.
    #[must_use]
    pub(crate) fn settle(&self, failed: bool) -> bool {
        let failed = if failed { FAILED } else { 0 };
        self.change(|old| match old & SETTLED {
            0 => Ok(old | SETTLED | failed),
            _ => Err(()),
        })
        .is_ok()
    }

    /// RUNNING → OVER, and the right to write the outcome unless it was settled while the task ran:
    /// as failed, by whoever cancelled it.
    #[must_use]
    pub(crate) fn conclude(&self, failed: bool) -> bool {
        let failed = if failed { FAILED } else { 0 };
        self.0.fetch_or(OVER | SETTLED | failed, Ordering::AcqRel) & SETTLED == 0
    }

    pub(crate) fn is_settled(&self) -> bool {
        self.has(SETTLED)
    }

    fn phase(&self) -> u64 {
        self.0.load(Ordering::Acquire) & PHASE
    }

    pub(crate) fn is_waiting(&self) -> bool {
        self.phase() == WAITING
    }

    pub(crate) fn is_ready(&self) -> bool {
        self.phase() == READY
    }

    pub(crate) fn is_running(&self) -> bool {
        self.phase() == RUNNING
    }

    pub(crate) fn is_over(&self) -> bool {
        self.phase() == OVER
    }

    pub(crate) fn is_failed(&self) -> bool {
        self.has(FAILED)
    }

    /// The right to move the value out, or to drop it: the first one gets it.
    #[must_use]
    pub(crate) fn take_value(&self) -> bool {
        self.0.fetch_or(TAKEN, Ordering::AcqRel) & TAKEN == 0
    }

    pub(crate) fn is_taken(&self) -> bool {
        self.has(TAKEN)
    }

    pub(crate) fn detach(&self) {
        self.0.fetch_or(DETACHED, Ordering::AcqRel);
    }

    pub(crate) fn is_detached(&self) -> bool {
        self.has(DETACHED)
    }

    /// One more handle that may set a result.
    pub(crate) fn add_hand(&self) {
        if self.0.fetch_add(LACK, Ordering::Relaxed) / LACK > u64::from(u32::MAX / 2) {
            give_up("one result has too many handles that may set it");
        }
    }

    /// One less; whether it was the last.
    #[must_use]
    pub(crate) fn drop_hand(&self) -> bool {
        // ORDERING: AcqRel, as with a reference count: the last one sees what the others did.
        self.0.fetch_sub(LACK, Ordering::AcqRel) / LACK == 1
    }
}
