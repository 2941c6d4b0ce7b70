//! A worker's life: it looks for work, runs it, sleeps where there is none, and leaves.

use std::cell::Cell;
use std::io;

use crate::core::{Entry, end_of_worker};
use crate::observe::{Row, RowKind, tell};
use crate::pool::local::{CountedPool, Local, as_local};
use crate::pool::shared::Shared;
use crate::pool::sleep::Idle;
use crate::pool::stack;
use crate::pool::threads::Threads;
use crate::pool::worker::TURN;
use crate::sync::deque::Worker as Deque;
use crate::sync::{Arc, thread, weakened};

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
    let local = Local {
        shared: shared.clone(),
        counted: Arc::new(CountedPool(shared.clone())),
        id,
        deque,
        taken,
        oldest,
        until_turn: Cell::new(TURN),
        gives_way: Cell::new(false),
        before: Cell::new(IDLE),
    };
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
        loop {
            let found = if self.before.get() != 0 {
                let found = self.find_apart();
                self.has_looked(found.is_some());
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
                if self.gives_way.get() {
                    self.give_way();
                }
                continue;
            }
            if self.before.get() & IDLE == 0 {
                self.before.set(IDLE);
                self.tell_idle();
            }
            let woken = if self.shared.spin() {
                true
            } else {
                match self.shared.sleep(true, None, &|| false) {
                    Idle::Search { woken } => woken,
                    Idle::Quiet => {
                        self.shared.finish_stop(1);
                        false
                    }
                    Idle::Leave => return,
                }
            };
            if woken {
                self.before.set(self.before.get() | WOKEN);
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

    /// What its host has to do comes first, once in a while.
    #[cold]
    #[inline(never)]
    fn give_way(&self) {
        self.gives_way.set(false);
        if let Some(host) = self.shared.host() {
            host.give_way();
        }
    }

    /// Whether there is one thread too many, and this one leaves.
    #[cold]
    #[inline(never)]
    fn leaves(&self) -> bool {
        if !self.shared.attention.has_surplus() {
            return false;
        }
        // What it has must be in sight of all before it is counted out.
        self.give_up_all();
        self.shared.try_leave()
    }

    /// It has looked for work after it had none, or was woken to look.
    #[cold]
    #[inline(never)]
    fn has_looked(&self, found: bool) {
        self.ends_search();
        if !found {
            return;
        }
        if !self.shared.queue.is_empty() && !weakened("calls the next") {
            // Who was called for one calls the next, whoever called it: a thread that begins, too.
            self.shared.notify();
        }
        if self.before.replace(0) & IDLE != 0 && self.shared.is_looked_on() {
            tell!(self.shared.onlookers.moment(), WorkerBusy {});
        }
    }

    /// If it was woken to look, nobody else was: others are called again from now on.
    pub(super) fn ends_search(&self) {
        let before = self.before.get();
        if before & WOKEN != 0 {
            self.before.set(before & !WOKEN);
            self.shared.attention.end_search();
        }
    }

    #[cold]
    #[inline(never)]
    fn tell_idle(&self) {
        if self.shared.is_looked_on() {
            tell!(self.shared.onlookers.moment(), WorkerIdle {});
            self.shared.leave_out_who_is_over();
        }
    }
}
