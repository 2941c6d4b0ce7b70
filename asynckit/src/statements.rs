//! The work that a chain's statements start, and whose end is a part of the chain's.
//!
//! Nobody has the results of such work. Each gets a *watch*: a task of ours that waits for it, notes its
//! failure, and is forgotten when it is over. So what is kept is what is under way, however much there was
//! before. The chain's end waits for its own value first and then for one watch after the other, until
//! there is none: an edge at a time, by which who waits for the chain finds the work to do.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::mem;

use crate::core::{Awaits, Either, Here, Job, JobStep, VisitEdges};
use crate::error::{Error, ErrorKind, Hop};
use crate::observe::TaskKind;
use crate::pool::Place;
use crate::result::AsyncResult;
use crate::sync::{Arc, Mutex, lock};
use crate::work::{gather_at, start_job};

/// How many failures are kept as long as it is open what becomes of them.
const MOST_KEPT: usize = 1024;

/// The work of a chain's statements.
pub(crate) struct Statements(Mutex<BlockState>);

struct BlockState {
    /// What is under way, by the order of its beginning; `None` where something waits for it already.
    under_way: BTreeMap<u64, Option<AsyncResult<()>>>,
    next: u64,
    /// In the order of time.
    failures: Vec<Error>,
    fate: Fate,
}

/// Whose the failures are.
#[derive(Clone, Copy, PartialEq)]
enum Fate {
    /// The block is under way.
    Open,
    /// The chain's, of which the first is its own and the others count as seen.
    Chain,
    /// Nobody's: the work was detached.
    Nobody,
}

/// One statement, as long as its work is not over.
struct Statement {
    all: Arc<Statements>,
    key: u64,
}

impl Statements {
    pub(crate) fn new() -> Arc<Statements> {
        let state = BlockState {
            under_way: BTreeMap::new(),
            next: 0,
            failures: Vec::new(),
            fate: Fate::Open,
        };
        Arc::new(Statements(Mutex::new(state)))
    }

    /// One more, whose result this is, of a chain at `place`.
    pub(crate) fn add<T: Send>(self: &Arc<Self>, result: AsyncResult<T>, place: Place) {
        let key = {
            let mut state = lock(&self.0);
            let key = state.next;
            state.next += 1;
            state.under_way.insert(key, None);
            key
        };
        let statement = Statement { all: self.clone(), key };
        // What a value on a scope borrows, the watch must not outlive.
        let hop = result.owner().hop;
        let place = result.scope().or_else(|| Some(place).filter(|place| place.is_scope()));
        let watch =
            gather_at(hop, place, (Either::of(result.into_owner()), ()), move |(outcome, ())| {
                // A value is dropped before its work counts as over.
                if let Err(error) = outcome.map(drop) {
                    statement.all.note(error);
                }
            });
        if let Some(under_way) = lock(&self.0).under_way.get_mut(&key) {
            *under_way = Some(watch);
        }
    }

    /// Notes a failure.
    fn note(&self, error: Error) {
        let mut state = lock(&self.0);
        let kept = match state.fate {
            Fate::Open => state.failures.len() < MOST_KEPT,
            Fate::Chain => state.failures.is_empty(),
            Fate::Nobody => false,
        };
        if kept {
            return state.failures.push(error);
        }
        let (first, fate) = (state.failures.first().cloned(), state.fate);
        drop(state);
        see(error, first.as_ref(), fate);
    }

    /// The failures are the chain's from now on; whether there is anything to wait for, or to fail with.
    pub(crate) fn claim(&self) -> bool {
        let mut state = lock(&self.0);
        state.fate = Fate::Chain;
        let others =
            if state.failures.is_empty() { Vec::new() } else { state.failures.split_off(1) };
        let first = state.failures.first().cloned();
        let any = first.is_some() || !state.under_way.is_empty();
        drop(state);
        for error in others {
            see(error, first.as_ref(), Fate::Chain);
        }
        any
    }

    /// One that is under way.
    fn one(&self) -> Option<AsyncResult<()>> {
        let mut state = lock(&self.0);
        // The newest are likely to end last.
        state.under_way.values_mut().rev().find_map(Option::take)
    }

    fn failure(&self) -> Option<Error> {
        mem::take(&mut lock(&self.0).failures).into_iter().next()
    }

    /// The chain does not come to its end.
    pub(crate) fn abandon(&self) {
        if lock(&self.0).fate == Fate::Open {
            self.let_go();
        }
    }

    /// Lets the work be: it goes on, detached.
    fn let_go(&self) {
        let (watches, failures) = {
            let mut state = lock(&self.0);
            state.fate = Fate::Nobody;
            let watches: Vec<_> = state.under_way.values_mut().filter_map(Option::take).collect();
            (watches, mem::take(&mut state.failures))
        };
        drop((watches, failures));
    }
}

/// What becomes of a failure that is not kept.
fn see(error: Error, first: Option<&Error>, fate: Fate) {
    if fate != Fate::Nobody && !first.is_some_and(|first| first.is_same_failure(&error)) {
        drop(error.observed());
    }
}

impl Drop for Statement {
    fn drop(&mut self) {
        let over = lock(&self.all.0).under_way.remove(&self.key);
        drop(over);
    }
}

/// The end of a chain, which waits for the statements' work.
struct Conclusion<T> {
    /// What the block has come to, until that is waited for.
    end: Cell<Option<AsyncResult<T>>>,
    /// The outcome of that.
    ended: Cell<Option<Result<T, Error>>>,
    statements: Cell<Option<Arc<Statements>>>,
    awaits_value: Awaits<T>,
    awaits_one: Awaits<()>,
}

/// The result of a chain that has claimed its statements' work. `end`: what its block has come to.
pub(crate) fn conclude<T: Send>(
    hop: Hop,
    place: Place,
    end: Result<AsyncResult<T>, Error>,
    statements: Arc<Statements>,
) -> AsyncResult<T> {
    let conclusion = Conclusion {
        end: Cell::new(None),
        ended: Cell::new(None),
        statements: Cell::new(None),
        awaits_value: Awaits::nothing(),
        awaits_one: Awaits::nothing(),
    };
    match end {
        Ok(result) => conclusion.end.set(Some(result)),
        Err(error) => conclusion.end(Err(error), &statements),
    }
    conclusion.statements.set(Some(statements));
    start_job(hop, &place, conclusion)
}

impl<T> Conclusion<T> {
    fn end(&self, outcome: Result<T, Error>, statements: &Statements) {
        if let Err(error) = &outcome {
            statements.note(error.clone());
        }
        self.ended.set(Some(outcome));
    }
}

/// Whether both are failures of one kind that work does not make itself.
fn is_from_outside(first: &Error, own: &Error) -> bool {
    use ErrorKind::{Cancelled, Stopped, TimedOut};
    first.kind() == own.kind() && matches!(own.kind(), Cancelled | Stopped | TimedOut)
}

impl<T> Job<T> for Conclusion<T> {
    const IMMEDIATE: bool = true;
    const SHOWN_AS: TaskKind = TaskKind::Gather;

    fn edges(&self, visit: VisitEdges<'_>) {
        self.awaits_value.edges(visit);
        self.awaits_one.edges(visit);
    }

    fn run(&self, _here: &Here<'_>) -> JobStep<T> {
        let Some(statements) = self.statements.take() else {
            unreachable!("a chain was concluded twice");
        };
        if let Some(end) = self.end.take() {
            self.statements.set(Some(statements));
            return self.awaits_value.result(end.into_owner(), false);
        }
        if let Some(outcome) = self.awaits_value.outcome() {
            self.end(outcome, &statements);
        }
        drop(self.awaits_one.outcome());
        if let Some(one) = statements.one() {
            self.statements.set(Some(statements));
            return self.awaits_one.result(one.into_owner(), false);
        }
        JobStep::Done(match (statements.failure(), self.ended.take()) {
            // What ends all of it at once, as a token does, is told of the chain itself.
            (Some(first), Some(Err(own))) if is_from_outside(&first, &own) => Err(own),
            (Some(first), _) => Err(first),
            (None, Some(outcome)) => outcome,
            (None, None) => unreachable!("a chain was concluded before its end"),
        })
    }

    fn run_in_place(&self, _here: &Here<'_>) -> Result<T, Error> {
        unreachable!("a chain was concluded in place")
    }

    fn withdraw(&self, cancelled: bool) {
        self.awaits_value.release(cancelled);
        // The work of statements is not cancelled with the chain.
        self.awaits_one.release(false);
    }

    fn release(&self, cancelled: bool) {
        drop(self.end.take());
        drop(self.ended.take());
        Job::<T>::withdraw(self, cancelled);
        if let Some(statements) = self.statements.take() {
            statements.let_go();
        }
    }
}
