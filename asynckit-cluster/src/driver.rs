//! What a driver keeps of its calls: each of them until its outcome, its deliveries, and who waits for it.
//!
//! A delivery is used up where it may have been begun, and nothing but the call itself can have ended it. So what is
//! handed back unrun costs nothing, nor what was lost before it began, but for each third time in a row. What was lost
//! with others goes alone next, so that it is known whose end it was: in a process, and where it is lost with a whole
//! worker once more, in a worker.
//! A call that may go out but once (`deliveries = 1`) can't be tried like that: it has its process to itself from the
//! first, and is lost where it may have begun, whatever the reason.

use std::collections::HashMap;
use std::collections::hash_map::RandomState;
use std::future::Future;
use std::hash::{BuildHasher, Hasher};
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock};
use std::task::{Context, Poll, Waker};
use std::time::Instant;

use bytes::Bytes;

use crate::clock;
use crate::seam::{About, Alone, ArgumentBytes, Backend, Blame, Driver, Lost, Outgoing, Ran};
use crate::status::Status;
use crate::sync::lock;
use crate::wire::{self, CallId, Garbled, Outcome};

/// The open calls of a cluster.
pub(crate) struct Desk {
    run: u64,
    next: AtomicU64,
    open: Mutex<HashMap<CallId, OpenCall>>,
    backend: OnceLock<Arc<dyn Backend>>,
    redelivered: AtomicU64,
    refused: AtomicU64,
    /// It has been said that there are fewer processes than there may be.
    said_short: AtomicBool,
}

/// What so many workers in a row were lost with, before any of them has said that it begins, may be their end: of what
/// it takes to fetch it, it may be.
const HARDLY: u32 = 3;

/// A call without an outcome.
struct OpenCall {
    /// Its latest delivery.
    outgoing: Outgoing,
    /// How many deliveries have ended with the worker, by its own doing.
    ended: u32,
    /// How many may. Of one, it goes alone.
    most: u32,
    /// How many in a row were lost that had hardly begun.
    hardly: u32,
    slot: Arc<Slot>,
}

/// What goes with a call, besides its arguments.
pub(crate) struct With {
    /// Where it is called, as `file:line`.
    pub(crate) site: String,
    /// When nobody wants its outcome any more.
    pub(crate) deadline: Option<Instant>,
    /// The span that it is a part of, as a `traceparent`.
    pub(crate) trace: Option<String>,
}

/// What becomes of a call.
#[derive(Debug)]
pub(crate) enum Answer {
    Outcome(Outcome, Bytes, Option<Ran>),
    /// The worker ended each time; the words say how.
    Lost(String),
}

/// Where the answer is put, and who waits for it.
#[derive(Default)]
struct Slot(Mutex<(Option<Answer>, Option<Waker>)>);

impl Slot {
    fn answer(&self, answer: Answer) {
        let mut slot = lock(&self.0);
        slot.0 = Some(answer);
        let waker = slot.1.take();
        drop(slot);
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

/// The wait for an answer. Dropped, it gives the call up.
pub(crate) struct Ticket {
    desk: Arc<Desk>,
    pub(crate) id: CallId,
    slot: Arc<Slot>,
    is_answered: bool,
}

impl Future for Ticket {
    type Output = Answer;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Answer> {
        let mut slot = lock(&self.slot.0);
        let Some(answer) = slot.0.take() else {
            slot.1 = Some(context.waker().clone());
            return Poll::Pending;
        };
        drop(slot);
        self.is_answered = true;
        Poll::Ready(answer)
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        if !self.is_answered {
            let open = self.desk.open().remove(&self.id);
            if open.is_some() {
                self.desk.backend().withdraw(self.id);
            }
        }
    }
}

impl Desk {
    pub(crate) fn new() -> Arc<Desk> {
        Arc::new(Desk {
            // By chance: each hasher is another one.
            run: RandomState::new().build_hasher().finish(),
            next: AtomicU64::new(1),
            open: Mutex::default(),
            backend: OnceLock::new(),
            redelivered: AtomicU64::new(0),
            refused: AtomicU64::new(0),
            said_short: AtomicBool::new(false),
        })
    }

    /// Says by what calls travel; it is said once, before the first of them.
    pub(crate) fn goes_by(&self, backend: Arc<dyn Backend>) {
        let _ = self.backend.set(backend);
    }

    fn backend(&self) -> &dyn Backend {
        self.backend.get().map_or_else(|| unreachable!("a cluster has a backend"), |it| &**it)
    }

    fn open(&self) -> MutexGuard<'_, HashMap<CallId, OpenCall>> {
        lock(&self.open)
    }

    /// Sends a call out.
    pub(crate) fn publish(
        self: &Arc<Self>,
        about: Arc<About>,
        with: With,
        arguments: Vec<ArgumentBytes>,
        most: u32,
    ) -> Ticket {
        let id = CallId { run: self.run, number: self.next.fetch_add(1, Ordering::Relaxed) };
        let call = wire::Call {
            id,
            delivery: 1,
            function: about.function,
            site: with.site,
            deadline: with.deadline.map(clock::moment),
            trace: with.trace,
            parts: arguments.iter().map(ArgumentBytes::part).collect(),
        };
        // What goes out once alone is never lost with another one.
        let alone = if most == 1 { Alone::Once } else { Alone::No };
        let outgoing = Outgoing { call, arguments, about, alone };
        let slot = Arc::new(Slot::default());
        let open =
            OpenCall { outgoing: outgoing.clone(), ended: 0, most, hardly: 0, slot: slot.clone() };
        self.open().insert(id, open);
        let ticket = Ticket { desk: self.clone(), id, slot, is_answered: false };
        self.backend().publish(outgoing);
        ticket
    }

    /// The first answer counts: others find nothing.
    fn answer(&self, id: CallId, answer: Answer) {
        let open = self.open().remove(&id);
        if let Some(open) = open {
            open.slot.answer(answer);
        }
    }

    pub(crate) fn status(&self) -> Status {
        let mut status = self.backend().status();
        status.open = self.open().len();
        status.redelivered = self.redelivered.load(Ordering::Relaxed);
        status.refused += self.refused.load(Ordering::Relaxed);
        status
    }
}

impl ArgumentBytes {
    fn part(&self) -> wire::Part {
        match self {
            ArgumentBytes::Here(bytes) => wire::Part::Here(bytes.len() as u64),
            ArgumentBytes::Large(hash, bytes) => wire::Part::Large(*hash, bytes.len() as u64),
        }
    }
}

impl Driver for Desk {
    fn run(&self) -> u64 {
        self.run
    }

    fn finished(&self, id: CallId, outcome: Outcome, body: Bytes, ran: Option<Ran>) {
        self.answer(id, Answer::Outcome(outcome, body, ran));
    }

    fn lost(&self, id: CallId, delivery: u32, how: Lost) {
        let mut all = self.open();
        let Some(open) = all.get_mut(&id).filter(|open| open.outgoing.call.delivery == delivery)
        else {
            return;
        };
        open.hardly = if how.blame == Blame::Hardly { open.hardly + 1 } else { 0 };
        let is_too_often = open.hardly > 0 && open.hardly.is_multiple_of(HARDLY);
        match if is_too_often { Blame::Likely } else { how.blame } {
            Blame::Its => open.ended += 1,
            Blame::Likely => {
                open.ended += 1;
                open.outgoing.alone = open.outgoing.alone.more();
            }
            // It may have run, and must not run twice.
            Blame::Maybe | Blame::Hardly if open.most == 1 => open.ended += 1,
            Blame::Maybe => open.outgoing.alone = open.outgoing.alone.more(),
            Blame::Hardly | Blame::None => {}
        }
        if open.ended >= open.most {
            let Some(open) = all.remove(&id) else { return };
            drop(all);
            let (worker, words) = (how.worker, how.words);
            let times = match open.ended {
                1 => "once".to_owned(),
                times => format!("{times} times"),
            };
            let words = format!("was lost, {times}: {worker}, which ran it last, {words}");
            return open.slot.answer(Answer::Lost(words));
        }
        open.outgoing.call.delivery += 1;
        let again = open.outgoing.clone();
        drop(all);
        if how.blame != Blame::None {
            self.redelivered.fetch_add(1, Ordering::Relaxed);
        }
        self.backend().publish(again);
    }

    fn fail(&self, id: CallId, words: String) {
        self.answer(id, Answer::Lost(words));
    }

    fn is_short(&self, why: &str) {
        if !self.said_short.swap(true, Ordering::Relaxed) {
            eprintln!("asynckit-cluster: {why}; calls wait for the processes that are there");
        }
    }

    fn refused(&self, _: &Garbled) {
        self.refused.fetch_add(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Keeps what goes out.
    #[derive(Default)]
    struct Kept(Mutex<Vec<Outgoing>>);

    impl Backend for Kept {
        fn publish(&self, outgoing: Outgoing) {
            lock(&self.0).push(outgoing);
        }
        fn withdraw(&self, _: CallId) {}
        fn status(&self) -> Status {
            Status::default()
        }
        fn stop(&self) {}
    }

    /// How often a call goes out that is lost each time with this.
    fn times_out(most: u32, blame: Blame) -> usize {
        let (desk, kept) = (Desk::new(), Arc::new(Kept::default()));
        desk.goes_by(kept.clone());
        let about = About::limited(None);
        let with = With { site: String::new(), deadline: None, trace: None };
        let ticket = desk.publish(about, with, Vec::new(), most);
        let mut times = 0;
        let next = || lock(&kept.0).pop();
        while let Some(outgoing) = next() {
            times += 1;
            if times > 1_000 {
                break;
            }
            let lost = Lost { worker: "w".to_owned(), words: "ended".to_owned(), blame };
            desk.lost(ticket.id, outgoing.call.delivery, lost);
        }
        times
    }

    #[test]
    fn what_ends_its_worker_does_so_a_bounded_number_of_times() {
        assert_eq!(times_out(3, Blame::Its), 3);
        assert_eq!(times_out(3, Blame::Likely), 3);
        // Before anybody can say that it begins.
        assert_eq!(times_out(3, Blame::Hardly), 9);
        assert_eq!(times_out(1, Blame::Hardly), 1);
        assert_eq!(times_out(1, Blame::Maybe), 1);
    }

    #[test]
    fn what_is_handed_back_is_not_lost() {
        assert!(times_out(3, Blame::None) > 1_000);
    }
}
