//! Workers: where tasks are run, and what each worker keeps to itself.

use std::cell::{Cell, RefCell};
use std::io;
use std::rc::Rc;

use crossbeam_deque::{Steal, Stealer, Worker as Deque};

use crate::continuation::{self, close, depart, enter};
use crate::error::{Error, Hop};
use crate::pool::shared::{Shared, stop_task};
use crate::pool::sleep::{Idle, Threads};
use crate::pool::{Place, context};
use crate::sync::{Arc, Mutex, lock, thread};
use crate::task::{Claim, Ran, Suspend, TaskRef, Token, run_claimed};

/// How often in a row a worker may run what its last task made ready before it looks elsewhere.
const STREAK: u32 = 64;
/// How often it looks at what came from outside, and at the oldest of its own.
const TURN: u32 = 61;

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

/// What the threads of a pool are doing, by name: for `stop_timeout`.
#[derive(Default)]
pub(crate) struct Running(Mutex<Vec<Hop>>);

impl Running {
    fn begin(&self, hop: Hop) {
        lock(&self.0).push(hop);
    }

    fn end(&self) {
        lock(&self.0).pop();
    }

    pub(crate) fn now(&self) -> Option<Hop> {
        lock(&self.0).last().copied()
    }
}

/// Starts a worker; the lock is held so that the counts stay true.
pub(crate) fn start(shared: &Arc<Shared>, threads: &mut Threads) -> io::Result<()> {
    let id = threads.next_id + 1;
    let mut builder = thread::Builder::new().name(format!("{}-{id}", shared.config.thread_name));
    if let Some(size) = shared.config.stack_size {
        builder = builder.stack_size(size);
    }
    let running = Arc::new(Running::default());
    let (its_shared, its_running) = (shared.clone(), running.clone());
    let handle = builder.spawn(move || work(its_shared, id, &its_running))?;
    threads.next_id = id;
    threads.alive += 1;
    threads.running.retain(|running| Arc::strong_count(running) > 1);
    threads.running.push(running);
    threads.handles.retain(|handle| !handle.is_finished());
    threads.handles.push(handle);
    shared.publish(threads);
    Ok(())
}

thread_local! {
    static RUNNING: RefCell<Option<Arc<Running>>> = const { RefCell::new(None) };
}

/// A worker's life.
fn work(shared: Arc<Shared>, id: usize, running: &Arc<Running>) {
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
    context::set_local(Some(local.clone()));
    RUNNING.set(Some(running.clone()));
    local.live();
    context::set_local(None);
    shared.queue.remove_stealer(id);
    while let Some(token) = local.take_next().or_else(|| local.deque.pop()) {
        shared.queue.inject(token);
        shared.notify();
    }
    if shared.is_closed() {
        shared.fail_queued();
    }
    shared.finish_stop(0);
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
                if self.shared.has_surplus() && self.shared.try_leave() {
                    return;
                }
                continue;
            }
            match self.shared.sleep(true, None) {
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

    /// Before this thread blocks: what it would have run next is for others.
    pub(crate) fn give_up_next(&self) {
        if let Some(token) = self.take_next() {
            self.deque.push(token);
            self.shared.notify();
        }
    }

    /// Queues a task on this worker.
    fn push(&self, token: Token) {
        if self.hands_off.get() && self.next.borrow().is_none() {
            *self.next.borrow_mut() = Some(token);
            return;
        }
        self.deque.push(token);
        self.shared.notify();
    }
}

/// Queues a task that is ready, or does it now where it has no place.
pub(crate) fn schedule(token: Token) {
    let shared = match token.place() {
        Some(place) if !token.is_immediate() => place.pool().clone(),
        _ => return execute(token),
    };
    if shared.is_closed() {
        return stop_task(&token);
    }
    match context::local() {
        Some(local) if Arc::ptr_eq(&local.shared, &shared) => local.push(token),
        _ => {
            shared.queue.inject(token);
            shared.notify();
        }
    }
    if shared.is_closed() {
        shared.fail_queued();
    }
}

/// Runs a task whose token came out of a queue, unless somebody else has.
pub(crate) fn execute(token: Token) {
    let place = token.place();
    if place.is_some_and(|place| place.is_cancelled()) {
        continuation::fail(&token.reference(), Error::cancelled(token.hop), true);
        return;
    }
    if token.state.claim() == Claim::Won {
        run(token, true);
    }
}

/// Runs a task that this thread waits for and has claimed; what it makes ready is left to others.
pub(crate) fn execute_needed(task: &TaskRef) {
    run(task.reference_as_token(), false);
}

/// Runs a claimed task. `hands_off`: what it makes ready may be run next on this worker.
fn run(token: Token, hands_off: bool) {
    let task = token.reference();
    if task.state.uncount()
        && let Some(place) = task.place()
    {
        place.pool().begun();
    }
    let named = RUNNING.with_borrow(Clone::clone).inspect(|running| running.begin(task.hop));
    let ran = context::within(&task, false, || run_claimed(&task, false));
    if let Some(running) = named {
        running.end();
    }
    let local = if hands_off { context::local() } else { None };
    // Nested work must not hand off: the thread goes back to what waits for it.
    let before = local.as_ref().map(|local| local.hands_off.replace(context::depth() == 0));
    enter(|| match ran {
        Ran::Settled(first) => {
            task.state.finish();
            if first {
                close(&task, true);
            } else {
                depart(&task);
            }
            drop(token);
        }
        Ran::Forwards => continuation::resubmit(token),
        Ran::Pending => suspend(&task, token),
    });
    if let (Some(local), Some(before)) = (local, before) {
        local.hands_off.set(before);
    }
}

/// Puts a task to sleep until its future's waker is called.
fn suspend(task: &TaskRef, token: Token) {
    let welcome = task.state.is_registered() || register(&token);
    token.hold_back();
    match task.state.suspend() {
        Suspend::Sleeps if welcome => continuation::give_up_if_settled(task),
        Suspend::Sleeps => drop(continuation::fail(task, Error::stopped(task.hop), false)),
        Suspend::WokenAgain => again(task.token_of_suspended()),
    }
}

/// Queues a task that was woken while it was polled: behind the others, so that one that wakes
/// itself again and again leaves them their turn.
fn again(token: Token) {
    let Some(shared) = token.place().map(|place| place.pool().clone()) else {
        return;
    };
    if shared.is_closed() {
        return stop_task(&token);
    }
    shared.queue.inject(token);
    shared.notify();
    if shared.is_closed() {
        shared.fail_queued();
    }
}

/// Enters a task that may have to wait into its pool's register; false where that is closed.
pub(crate) fn register(token: &Token) -> bool {
    let Some(place) = token.place() else {
        return true;
    };
    place.pool().register.add(token);
    // As in `Shared::fail_queued`: either this sees that the pool is closed, or who closes it
    // finds the task.
    crate::sync::fence(crate::sync::Ordering::SeqCst);
    !place.pool().is_closed()
}

impl Place {
    /// Counts a new task in, where it may still be submitted.
    pub(crate) fn admit(&self, token: &Token) -> bool {
        self.enter(&token.reference());
        self.pool().admits()
    }
}
