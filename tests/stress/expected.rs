//! What each result of a random graph has to come to: worked out in order, while the graph is made.

use std::sync::Arc;

use asynckit::{AsyncResult, Error, ErrorKind};

use crate::tally::{Broken, Fate, Run, TALLY, Value, count};
use crate::watch;

/// What a result has to come to.
#[derive(Clone, Debug)]
pub struct Expected {
    /// The value, if nothing that it depends on breaks.
    pub value: Option<u64>,
    /// If something does: what may be the cause.
    causes: Arc<Vec<Cause>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    Fails(u64),
    Panics,
    Abandoned,
    Cancelled,
}

/// Which failures there may be besides, as somebody cancels or stops meanwhile.
#[derive(Clone, Copy, Debug, Default)]
pub struct Mercy {
    pub cancelled: bool,
    pub stopped: bool,
    pub deadlock: bool,
}

impl Mercy {
    pub fn none(&self) -> bool {
        !(self.cancelled || self.stopped || self.deadlock)
    }
}

/// A result and what it has to come to.
pub struct Node {
    pub result: AsyncResult<Value>,
    pub expected: Expected,
    /// It has, or had, other handles.
    pub shared: bool,
    /// It is not moved before the end: see `builder.rs`.
    pub kept: bool,
}

impl Expected {
    pub fn value(value: u64) -> Expected {
        Expected { value: Some(value), causes: Arc::default() }
    }

    pub fn broken(cause: Cause) -> Expected {
        Expected { value: None, causes: Arc::new(vec![cause]) }
    }

    /// What a task comes to that does `sum` with these inputs.
    pub fn of(inputs: &[&Expected], run: &Run, sum: impl FnOnce(&[u64]) -> u64) -> Expected {
        let values: Option<Vec<u64>> = inputs.iter().map(|input| input.value).collect();
        match (values, run.fate) {
            (Some(values), Fate::Fine) => Expected::value(sum(&values)),
            (Some(_), Fate::Fails) => Expected::broken(Cause::Fails(run.number)),
            (Some(_), Fate::Panics) => Expected::broken(Cause::Panics),
            (None, _) => Expected::broken_by(inputs),
        }
    }

    fn broken_by(inputs: &[&Expected]) -> Expected {
        let mut causes = Vec::new();
        for cause in inputs.iter().flat_map(|input| input.causes.iter()) {
            if !causes.contains(cause) {
                causes.push(*cause);
            }
        }
        Expected { value: None, causes: Arc::new(causes) }
    }

    /// Ends the process where a result has come to something else.
    pub fn check(&self, got: Result<u64, &Error>, mercy: Mercy) {
        let as_expected = match got {
            Ok(value) => self.value == Some(value),
            Err(error) => self.may_fail(error, mercy),
        };
        if !as_expected {
            watch::fail(&format!("got {got:?}, expected {self:?} ({mercy:?})"));
        }
        count(if got.is_ok() { &TALLY.values } else { &TALLY.failures });
    }

    fn may_fail(&self, error: &Error, mercy: Mercy) -> bool {
        let number = error.downcast_ref::<Broken>().map(|broken| broken.0);
        let may_be = |cause| self.causes.contains(&cause);
        match error.kind() {
            ErrorKind::Failed => number.is_some_and(|number| may_be(Cause::Fails(number))),
            ErrorKind::Panicked => may_be(Cause::Panics),
            // A setter is dropped unset with the task that has it.
            ErrorKind::Abandoned => may_be(Cause::Abandoned) || !mercy.none(),
            ErrorKind::Cancelled => may_be(Cause::Cancelled) || mercy.cancelled,
            ErrorKind::Stopped => mercy.stopped,
            ErrorKind::Deadlock => mercy.deadlock,
            _ => false,
        }
    }
}
