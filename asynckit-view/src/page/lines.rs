//! The limits of a run, and when tasks stood in their lines and had permits, as the page's script reads them.

use serde::Serialize;

use crate::model::{self, Model};

#[derive(Serialize)]
pub(super) struct LimitLines<'m> {
    name: &'m str,
    max: u64,
    every: u64,
    bound: String,
    site: &'m str,
}

impl LimitLines<'_> {
    pub(super) fn of(limit: &model::Limit) -> LimitLines<'_> {
        LimitLines {
            name: &limit.name,
            max: limit.most,
            every: limit.every.unwrap_or(0),
            bound: limit.bound(),
            site: &limit.site,
        }
    }
}

#[derive(Serialize)]
pub(super) struct Holds {
    task: Vec<u64>,
    limit: Vec<u32>,
    start: Vec<u64>,
    length: Vec<u64>,
}

impl Holds {
    pub(super) fn of(model: &Model) -> Holds {
        let all = &model.holds;
        Holds {
            task: steps_between(all.iter().map(|hold| hold.task.into())),
            limit: column(all, |hold| hold.limit),
            start: column(all, |hold| hold.start - model.task(hold.task).submitted),
            length: column(all, |hold| hold.end - hold.start),
        }
    }
}

#[derive(Serialize)]
pub(super) struct Permits {
    limit: Vec<u32>,
    start: Vec<u64>,
    length: Vec<u64>,
    weight: Vec<u64>,
}

impl Permits {
    pub(super) fn of(model: &Model) -> Permits {
        let all = &model.permits;
        Permits {
            limit: column(all, |permit| permit.limit),
            start: steps_between(all.iter().map(|permit| permit.start)),
            length: column(all, |permit| permit.end - permit.start),
            weight: column(all, |permit| permit.weight),
        }
    }
}

/// How far each is from the one before. They ascend.
fn steps_between(all: impl Iterator<Item = u64>) -> Vec<u64> {
    let mut before = 0;
    all.map(|one| one - std::mem::replace(&mut before, one)).collect()
}

pub(super) fn column<'t, T, U>(all: &'t [T], f: impl Fn(&'t T) -> U) -> Vec<U> {
    all.iter().map(f).collect()
}
