//! Which threads a page has rows for, and in which order.

use std::collections::{HashMap, HashSet};

use asynckit::observe::RowKind;

use super::callbacks::Called;
use super::read::Told;
use super::recorder::{PLACES, PoolSeen, Recorder};
use crate::model;
use crate::sync::lock;

/// The rows, the place of each by its number in the process, and how many workers never began.
pub(super) fn rows(
    recorder: &Recorder,
    (told, callbacks): (&Told, &[Called]),
    pool: PoolSeen,
    began: u64,
    end: u64,
) -> (Vec<model::Row>, HashMap<u64, u32>, usize) {
    let used = told.tasks.iter().flat_map(|task| &task.spans).map(|span| span.row);
    let used: HashSet<u64> = used.chain(callbacks.iter().map(|callback| callback.row)).collect();
    let seen = recorder.rows.pin();
    let mut found: Vec<_> = seen
        .iter()
        .filter(|(id, seen)| used.contains(id) || is_worker(seen.row.kind()))
        .map(|(&id, seen)| (id, seen.row.kind(), seen.row.name().to_owned(), seen.first))
        .collect();
    // The pool's own threads first; by name, the numbers in them as numbers.
    found.sort_by(|a, b| {
        (!is_worker(a.1), natural(&a.2), a.0).cmp(&(!is_worker(b.1), natural(&b.2), b.0))
    });
    let workers = found.iter().filter(|row| is_worker(row.1)).count();
    let mut rows = Vec::new();
    let mut index = HashMap::new();
    for (k, (id, kind, name, first)) in found.into_iter().enumerate() {
        index.insert(id, k as u32);
        // Without workers, the first thread that does the work is what a worker would be. Spare threads come and
        // go while others wait; so do those that help.
        let wanted = if pool.workers == 0 { k == 0 } else { is_worker(kind) && k < pool.workers };
        // Threads are started when there is work for them; until then there was none.
        let start = if pool.grew && is_worker(kind) { first.clamp(began, end) - began } else { 0 };
        rows.push(model::Row { name, start, stop: end - began, helps: !wanted });
    }
    // Elsewhere they are others' workers: whether these were idle is not known.
    let mut places: Vec<(String, u64)> = {
        let places = lock(&recorder.places);
        let used = |(_, row): &(String, u64)| used.contains(row);
        places.iter().cloned().zip(PLACES..).filter(used).collect()
    };
    places.sort_by_cached_key(|(name, _)| natural(name));
    for (name, row) in places {
        index.insert(row, rows.len() as u32);
        rows.push(model::Row { name, start: 0, stop: end - began, helps: true });
    }
    (rows, index, pool.workers.saturating_sub(workers))
}

fn is_worker(kind: RowKind) -> bool {
    matches!(kind, RowKind::Worker | RowKind::Host)
}

/// A name as text and numbers: `worker 9` comes before `worker 10`.
fn natural(name: &str) -> Vec<(String, u64)> {
    let mut parts = Vec::new();
    let mut rest = name;
    while !rest.is_empty() {
        let text = rest.find(|c: char| c.is_ascii_digit()).unwrap_or(rest.len());
        let (before, after) = rest.split_at(text);
        let digits = after.find(|c: char| !c.is_ascii_digit()).unwrap_or(after.len());
        let (number, later) = after.split_at(digits);
        parts.push((before.to_owned(), number.parse().unwrap_or(0)));
        rest = later;
    }
    parts
}
