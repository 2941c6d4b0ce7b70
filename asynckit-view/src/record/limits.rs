//! The limits that tasks were under.

use std::collections::HashMap;

use super::read::Told;
use super::recorder::{Recorder, most_nanos};
use crate::model::Limit;
use crate::names::short_place;

/// In the order in which tasks met them, and the place of each by its number in the process.
pub(super) struct Limits {
    pub(super) list: Vec<Limit>,
    pub(super) index: HashMap<u64, u32>,
}

impl Limits {
    pub(super) fn of(recorder: &Recorder, told: &Told) -> Limits {
        let used = told.tasks.iter().flat_map(|raw| &raw.permits).map(|permit| permit.limit);
        let mut limits = Limits { list: Vec::new(), index: HashMap::new() };
        let seen = recorder.limits.pin();
        for limit in used {
            let Some(known) = seen.get(&limit) else { continue };
            limits.index.entry(limit).or_insert_with(|| {
                let (site, most) = (known.at.to_string(), known.most as u64);
                let every = known.every.map(most_nanos);
                limits.list.push(Limit { name: short_place(&site), most, every, site });
                limits.list.len() as u32 - 1
            });
        }
        limits
    }
}
