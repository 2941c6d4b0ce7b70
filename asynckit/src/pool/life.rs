//! A worker's life: it looks for work, runs it, sleeps where there is none, and leaves.

use std::cell::Cell;
use std::io;

use crossbeam_deque::Worker as Deque;

use crate::core::{Entry, end_of_worker};
use crate::observe::{Row, RowKind, tell};
use crate::pool::local::{Local, as_local};
use crate::pool::shared::Shared;
use crate::pool::sleep::Idle;
use crate::pool::stack;
use crate::pool::threads::Threads;
use crate::pool::worker::TURN;
use crate::sync::{Arc, thread};

/// What a worker was before it looked: told to be idle.
const IDLE: u8 = 1;
/// Woken, by somebody who counts on it to look.
const WOKEN: u8 = 2;

/// Starts a worker; the lock is held so that the counts stay true.
pub(crate) fn start(shared: &Arc<Shared>, threads: &mut Threads) -> io::Result<()> {
    let id = threads.next_id + 1;
    let mut builder = thread::Builder::new().name(format!("{}-{id}", shared.config.thread_name));
    if let Some(size) = shared.config.stack_size {
        builder = builder.stack_size(size);
    }
    let its_shared = shared.clone();
    let handle = builder.spawn(move || {
        Row::begin(RowKind::Worker);
        work(its_shared, id);
        end_of_worker();
    })?;
    threads.next_id = id;
    threads.alive += 1;
    threads.handles.retain(|handle| !handle.is_finished());
    threads.handles.push(handle);
    shared.publish(threads);
    Ok(())
}

/// A worker's life, on a thread of its own or of a host; it has been counted in.
pub(crate) fn work(shared: Arc<Shared>, id: usize) {
    let (deque, taken) = (Deque::new_lifo(), Deque::new_fifo());
    let oldest = deque.stealer();
    shared.queue.add_stealers(id, taken.stealer(), deque.stealer());
    let local =
        Local { shared: shared.clone(), id, deque, taken, oldest, until_turn: Cell::new(TURN) };
    // From here on half of the stack is half of all of it.
    let _ = stack::has_room();
    shared.keepers.worker_comes();
    shared.config.attached.starts(|| shared.hook());
    // A host may call it from within work of its own that this thread waits for.
    shared.stacks.with_this(|| as_local(&local, || local.live()));
    shared.queue.remove_stealers(id);
    local.give_up_all();
    if shared.is_closed() {
        shared.fail_queued();
    }
    shared.finish_stop(0);
    shared.tell_stopped(false);
    shared.config.attached.stops(|| shared.hook());
    shared.keepers.worker_leaves(!shared.is_hosted());
    shared.drop_hook();
}

impl Local {
    fn live(&self) {
        let mut before = IDLE;
        loop {
            let found = if before != 0 {
                let found = self.find_apart();
                before = self.comes_back(before, found.is_some());
                found
            } else if self.shared.attention.asks() {
                if self.leaves() {
                    return self.tell_idle();
                }
                self.find_as_asked()
            } else {
                self.find()
            };
            if let Some(entry) = found {
                self.run(entry);
                if self.until_turn.get() == TURN
                    && let Some(host) = self.shared.host()
                {
                    host.give_way();
                }
                continue;
            }
            if before & IDLE == 0 {
                before = IDLE;
                self.tell_idle();
            }
            if self.shared.spin() {
                before |= WOKEN;
                continue;
            }
            match self.shared.sleep(true, None, &|| false) {
                Idle::Search { woken: true } => before |= WOKEN,
                Idle::Search { woken: false } => {}
                Idle::Quiet => self.shared.finish_stop(1),
                Idle::Leave => return,
            }
        }
    }

    /// As `find`, which is a part of its one caller.
    #[cold]
    #[inline(never)]
    fn find_apart(&self) -> Option<Entry> {
        self.find()
    }

    /// As `find`, where workers are asked for something.
    #[cold]
    #[inline(never)]
    fn find_as_asked(&self) -> Option<Entry> {
        if self.shared.attention.has_ranked() { self.find_by_priority() } else { self.find_apart() }
    }

    /// Whether there is one thread too many, and this one leaves.
    #[cold]
    #[inline(never)]
    fn leaves(&self) -> bool {
        if !self.shared.has_surplus() {
            return false;
        }
        // What it has must be in sight of all before it is counted out.
        self.give_up_all();
        self.shared.try_leave()
    }

    /// It has looked for work after it had none, or was woken to look; what of that is still so.
    #[cold]
    #[inline(never)]
    fn comes_back(&self, before: u8, found: bool) -> u8 {
        if before & WOKEN != 0 {
            self.shared.end_search();
            if found && !self.shared.queue.is_empty() {
                self.shared.notify();
            }
        }
        if !found {
            return before & IDLE;
        }
        if before & IDLE != 0 && self.shared.is_looked_on() {
            tell!(self.shared.onlookers.moment(), WorkerBusy {});
        }
        0
    }

    fn tell_idle(&self) {
        if self.shared.is_looked_on() {
            tell!(self.shared.onlookers.moment(), WorkerIdle {});
            self.shared.leave_out_who_is_over();
        }
    }
}
