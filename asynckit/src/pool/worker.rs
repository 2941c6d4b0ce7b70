//! Workers: where tasks are run, and what each worker keeps to itself.

use std::cell::{Cell, RefCell};
use std::io;
use std::rc::Rc;

use crossbeam_deque::{Steal, Stealer, Worker as Deque};

use crate::continuation::{self, close, depart, dispose, enter, in_foreign, with_aside};
use crate::error::{Error, Hop};
use crate::pool::deadlock::look_at_await;
use crate::pool::shared::{Shared, stop_task};
use crate::pool::sleep::Idle;
use crate::pool::threads::Threads;
use crate::pool::{Place, context, seeded, stack};
use crate::sync::{Arc, thread};
use crate::task::{Claim, Owner, Ran, Steps, Suspend, TaskRef, Token, depth, empty_pocket, within};

/// How often in a row a worker may run what its last task made ready before it looks elsewhere.
const STREAK: u32 = 64;
/// How often it looks at what came from outside, and at the oldest of its own.
const TURN: u32 = 61;

/// With more tasks than this on its deque a worker does not look there for the one that it waits for.
const MANY: usize = 64;

/// What a worker has to itself.
pub(crate) struct Local {
    shared: Arc<Shared>,
    id: usize,
    deque: Deque<Token>,
    oldest: Stealer<Token>,
    /// What the task that has just ended made ready.
    next: RefCell<Option<Token>>,
    /// Whether a task has just ended, and its continuations are visited.
    hands_off: Cell<bool>,
    streak: Cell<u32>,
    turns: Cell<u32>,
}

/// Starts a worker; the lock is held so that the counts stay true.
pub(crate) fn start(shared: &Arc<Shared>, threads: &mut Threads) -> io::Result<()> {
    let id = threads.next_id + 1;
    let mut builder = thread::Builder::new().name(format!("{}-{id}", shared.config.thread_name));
    if let Some(size) = shared.config.stack_size {
        builder = builder.stack_size(size);
    }
    let its_shared = shared.clone();
    let handle = builder.spawn(move || work(its_shared, id))?;
    threads.next_id = id;
    threads.alive += 1;
    threads.handles.retain(|handle| !handle.is_finished());
    threads.handles.push(handle);
    shared.publish(threads);
    Ok(())
}

/// A worker's life, on a thread of its own or of a host; it has been counted in.
pub(crate) fn work(shared: Arc<Shared>, id: usize) {
    let deque = Deque::new_lifo();
    let oldest = deque.stealer();
    shared.queue.add_stealer(id, deque.stealer());
    let local = Rc::new(Local {
        shared: shared.clone(),
        id,
        deque,
        oldest,
        next: RefCell::new(None),
        hands_off: Cell::new(false),
        streak: Cell::new(0),
        turns: Cell::new(0),
    });
    // From here on half of the stack is half of all of it.
    let _ = stack::has_room();
    // A host may call it from within work of its own that this thread waits for.
    let before = context::set_local(Some(local.clone()));
    local.live();
    context::set_local(before);
    shared.queue.remove_stealer(id);
    local.give_up_all();
    if shared.is_closed() {
        shared.fail_queued();
    }
    shared.finish_stop(0);
    shared.drop_hook();
    drop(shared);
    empty_pocket();
}

impl Local {
    pub(crate) fn shared(&self) -> &Arc<Shared> {
        &self.shared
    }

    fn live(&self) {
        let mut woken = false;
        loop {
            let found = self.find();
            if std::mem::take(&mut woken) {
                self.shared.end_search();
                if found.is_some() && !self.shared.queue.is_empty() {
                    self.shared.notify();
                }
            }
            if let Some(token) = found {
                self.run(token);
                if let Some(host) = self.shared.host()
                    && self.turns.get().is_multiple_of(TURN)
                {
                    host.give_way();
                }
                if self.shared.has_surplus() {
                    // What it has must be in sight of all before it is counted out.
                    self.give_up_all();
                    if self.shared.try_leave() {
                        return;
                    }
                }
                continue;
            }
            if self.shared.spin() {
                woken = true;
                continue;
            }
            match self.shared.sleep(true, None, &|| false) {
                Idle::Search { woken: by_somebody } => woken = by_somebody,
                Idle::Quiet => self.shared.finish_stop(1),
                Idle::Leave => return,
            }
        }
    }

    fn run(&self, token: Token) {
        if self.shared.is_closed() {
            return stop_task(&token);
        }
        execute(token);
    }

    /// The next task: what the last one made ready, then its own newest, then what came from
    /// outside, then somebody else's oldest. Now and then the other way round, so that nothing
    /// waits for ever behind tasks that submit themselves again.
    fn find(&self) -> Option<Token> {
        let turn = self.turns.get().wrapping_add(1);
        self.turns.set(turn);
        if self.streak.get() < STREAK
            && let Some(token) = self.take_next()
        {
            self.streak.set(self.streak.get() + 1);
            return Some(token);
        }
        self.streak.set(0);
        if let Some(token) = self.take_next() {
            // It has had its turn: others may take it, and it comes after what is older.
            self.deque.push(token);
            self.shared.notify();
            if let Some(token) = self.shared.queue.take_injected().or_else(|| self.take_oldest()) {
                return Some(token);
            }
        }
        if turn.is_multiple_of(TURN)
            && let Some(token) = self.shared.queue.take_injected().or_else(|| self.take_oldest())
        {
            return Some(token);
        }
        self.deque
            .pop()
            .or_else(|| self.shared.queue.take_injected())
            .or_else(|| self.shared.queue.steal(self.id))
    }

    fn take_next(&self) -> Option<Token> {
        self.next.borrow_mut().take()
    }

    fn take_oldest(&self) -> Option<Token> {
        loop {
            match self.oldest.steal() {
                Steal::Success(token) => return Some(token),
                Steal::Empty => return None,
                Steal::Retry => {}
            }
        }
    }

    /// Before this thread blocks: what it would have run next is for others, and so is what comes up
    /// while it waits, in a callback.
    pub(crate) fn give_up_next(&self) {
        self.hands_off.set(false);
        if let Some(token) = self.take_next() {
            self.deque.push(token);
            self.shared.notify();
        }
    }

    /// Before this thread calls foreign code, which may block: as `give_up_next`, unless somebody looks
    /// for such tasks every now and then. `loudly`: it may well block.
    fn offer_next(&self, loudly: bool) {
        self.hands_off.set(false);
        if let Some(token) = self.take_next() {
            self.deque.push(token);
            if loudly || !self.shared.attention.is_watched() {
                self.shared.notify();
            }
        }
    }

    /// Takes the token of a result's task off this worker's deque, if it is among the two newest there:
    /// work that submits two pieces of work waits for the older one first.
    pub(crate) fn take_newest(&self, result: &Owner) -> Option<Token> {
        // Whoever submits so much will hardly wait for the newest first.
        if self.deque.len() > MANY {
            return None;
        }
        let newest = self.pop_fresh(result)?;
        if result.is_of(&newest) {
            return Some(newest);
        }
        let next = self.pop_fresh(result);
        let (found, other) = match next {
            Some(token) if result.is_of(&token) => (Some(token), None),
            other => (None, other),
        };
        other.into_iter().chain([newest]).for_each(|token| self.deque.push(token));
        // Who was woken for these may have looked in between.
        self.shared.notify();
        found
    }

    /// Takes the newest token that is still to be run. What was left there by tasks that have been run
    /// without it goes on the way.
    fn pop_fresh(&self, result: &Owner) -> Option<Token> {
        std::iter::from_fn(|| self.deque.pop())
            .find(|token| result.is_of(token) || token.state.is_ready())
    }

    /// Before this thread leaves: all that it has is for others.
    fn give_up_all(&self) {
        while let Some(token) = self.take_next().or_else(|| self.deque.pop()) {
            self.shared.queue.inject(token);
            self.shared.notify();
        }
    }

    /// Queues a task on this worker.
    fn push(&self, token: Token) {
        if self.hands_off.get() && !in_foreign() && self.next.borrow().is_none() {
            *self.next.borrow_mut() = Some(token);
            return;
        }
        self.deque.push(token);
        self.shared.notify();
    }
}

/// Lets others have what this worker would run next, before it calls foreign code.
pub(crate) fn offer_next(loudly: bool) {
    if let Some(local) = context::local() {
        local.offer_next(loudly);
    }
}

/// Queues a task that is ready, or does it now where it needs no thread of a pool.
pub(crate) fn schedule(token: Token) {
    if token.is_immediate() {
        return execute(token);
    }
    let Some(place) = token.place() else {
        return execute(token);
    };
    if let Some(local) = context::local()
        && place.is_of(&local.shared)
    {
        if local.shared.is_closed() {
            return stop_task(&token);
        }
        local.push(token);
        fail_late(&local.shared);
    } else if let Some(place) = token.lease() {
        inject(place.pool(), token);
    }
}

/// Queues a task from outside.
fn inject(shared: &Arc<Shared>, token: Token) {
    if shared.is_closed() {
        return stop_task(&token);
    }
    shared.queue.inject(token);
    shared.notify();
    fail_late(shared);
}

/// The submitter's half of "the late submission": see `phase.rs`.
fn fail_late(shared: &Shared) {
    if shared.is_closed() {
        shared.fail_queued();
    }
}

/// Runs a task whose token came out of a queue, unless somebody else has.
pub(crate) fn execute(token: Token) {
    if let Some(error) = token.place().and_then(|place| place.refusal(token.hop)) {
        continuation::fail(&token.reference(), error, true);
        return;
    }
    if claim(&token) {
        run(token.into_reference(), true);
    }
}

/// As `execute`, for a task that this thread waits for: what it makes ready is left to others.
pub(crate) fn execute_here(token: Token) {
    if claim(&token) {
        run(token.into_reference(), false);
    }
}

/// Runs a task that this thread waits for, unless somebody else has; what it makes ready is left to
/// others.
pub(crate) fn execute_needed(task: &TaskRef) -> bool {
    let claimed = claim(task);
    if claimed {
        run(task.clone(), false);
    }
    claimed
}

/// The right to run a task that is ready.
fn claim(task: &impl Steps) -> bool {
    let Claim::Won { counted } = task.header().state.claim() else {
        return false;
    };
    if counted && let Some(place) = task.header().place() {
        if task.header().is_immediate() {
            // It gives its place in the queue to the work that it starts.
            task.header().state.count();
        } else {
            place.pool().begun();
        }
    }
    true
}

/// Runs a claimed task. `hands_off`: what it makes ready may be run next on this worker.
fn run(task: TaskRef, hands_off: bool) {
    if let Some(place) = task.place()
        && !place.is_plain()
    {
        place.begin(&task);
    }
    let ran = within(&task, false, || task.trace.within(|| seeded::run(&task)));
    let local = if hands_off { context::local() } else { None };
    // Nested work must not hand off, nor what a callback does: the thread goes back to that.
    let is_outermost = || depth() == 0 && !in_foreign();
    let before = local.as_ref().map(|local| local.hands_off.replace(is_outermost()));
    with_aside(|| match ran {
        Ran::Settled { first: true, used_up: true } => close(task, true),
        Ran::Settled { first: false, used_up: true } => enter(|| {
            depart(&task);
            drop(task);
        }),
        Ran::Settled { first, used_up: false } => {
            if first {
                close(task.clone(), false);
            }
            dispose(task, false);
        }
        Ran::Forwards => enter(|| continuation::resubmit(task)),
        Ran::Pending => enter(|| suspend(task)),
    });
    if let (Some(local), Some(before)) = (local, before) {
        local.hands_off.set(before);
    }
}

/// Puts a task to sleep until its future's waker is called.
fn suspend(task: TaskRef) {
    task.clone().into_token().hold_back();
    match task.state.suspend() {
        // ORDERING: sequentially consistent, both the step of `suspend` and this look: see
        // `tasks_of`.
        Suspend::Sleeps if task.place().is_some_and(|place| place.pool().is_closed()) => {
            continuation::fail(&task, Error::stopped(task.hop), false);
        }
        Suspend::Sleeps => {
            continuation::give_up_if_settled(&task);
            look_at_await(&task);
        }
        // Behind the others, so that one that wakes itself again and again leaves them their turn.
        Suspend::WokenAgain => {
            let Some(place) = task.lease() else { return };
            inject(place.pool(), task.token_of_suspended());
        }
    }
}

impl Place {
    /// Counts a new task in; an error where it may not be submitted any more.
    pub(crate) fn admit(&self, hop: Hop) -> Result<(), Error> {
        self.enter();
        if let Some(error) = self.refusal(hop) {
            return Err(error);
        }
        if self.pool().admits() { Ok(()) } else { Err(self.pool().turned_down(hop)) }
    }
}
