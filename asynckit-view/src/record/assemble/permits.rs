//! From what was told of permits to the times in which tasks stood in line for them, and had them.

use super::{Assembly, Limits};
use crate::model::{Hold, Model, Permit};
use crate::record::read::{PermitIs, PermitNews, Raw};

impl Assembly<'_> {
    pub(super) fn permits(&self, model: &mut Model, limits: &Limits) {
        for (&root, task) in self.parts.kept.iter().zip(0_u32..) {
            let parts = self.parts.all(root);
            if parts.iter().all(|&k| self.raw(k).permits.is_empty()) {
                continue;
            }
            let over = parts.iter().map(|&k| self.raw(k).ended.map(|(time, _)| time));
            // What it has of a limit is given back when it is over, which may not be told yet.
            let over = over.collect::<Option<Vec<u64>>>().and_then(|ends| ends.into_iter().max());
            let mut holds: Vec<Hold> = Vec::new();
            for raw in parts.iter().map(|&k| self.raw(k)) {
                for (k, permit) in raw.permits.iter().enumerate() {
                    let Some(&limit) = limits.index.get(&permit.limit) else { continue };
                    match permit.what {
                        PermitIs::WaitedFor => {
                            let until = out_of_line(raw, k);
                            let (start, end) = self.time(permit.time, until);
                            holds.push(Hold { task, limit, start, end });
                        }
                        PermitIs::Got(weight) => {
                            let is_rate = limits.list[limit as usize].every.is_some();
                            let back = || next(raw, k).map(|permit| permit.time).or(over);
                            let until = if is_rate { Some(permit.time) } else { back() };
                            let (start, end) = self.time(permit.time, until);
                            model.permits.push(Permit { limit, start, end, weight });
                        }
                        PermitIs::Left | PermitIs::Given => {}
                    }
                }
            }
            holds.sort_by_key(|hold| (hold.start, hold.end));
            let mut free = 0;
            for mut hold in holds {
                hold.start = hold.start.max(free).max(model.task(task).submitted);
                if hold.start < hold.end {
                    free = hold.end;
                    model.holds.push(hold);
                }
            }
        }
        model.permits.sort_by_key(|permit| (permit.start, permit.limit));
    }
}

/// What was told next of the same limit.
fn next(raw: &Raw, k: usize) -> Option<&PermitNews> {
    let PermitNews { limit, .. } = raw.permits[k];
    raw.permits[k + 1..].iter().find(|permit| permit.limit == limit)
}

/// When it left the line that it came to stand in then. That it was given up may be told after the result that it had
/// by that.
fn out_of_line(raw: &Raw, k: usize) -> Option<u64> {
    let set = raw.set();
    match next(raw, k) {
        Some(permit) if permit.what == PermitIs::Left => {
            Some(set.map_or(permit.time, |set| set.min(permit.time)))
        }
        Some(permit) => Some(permit.time),
        None => set,
    }
}
