//! From what was told of each task to a model: numbers in the order of submission, what is a part of
//! another task put together with it, and lists that only hand on results taken apart.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use super::callbacks::Called;
use super::entry::{End, Kind};
use super::limits::Limits;
use super::read::{PermitIs, Raw, Span, Told, told};
use super::recorder::{Recorder, nanos};
use super::{failures, rows};
use crate::model::{Beyond, Callback, Model, Note, Piece, State, Task, Wait};
use crate::names::{functions, last_part};
use crate::sites::Site;
use crate::sync::lock;

/// The model of all that was recorded up to now.
pub(super) fn model(recorder: &Recorder) -> Model {
    // First, so that nothing that is read began after it.
    let now = nanos(asynckit::observe::now());
    let pool = *recorder.pool();
    let told = told(recorder);
    let callbacks = recorder.callbacks.called();
    let last = callbacks.iter().filter_map(|callback| callback.end).chain([told.last]).max();
    let last = last.unwrap_or(0);
    let sites = recorder.sites.all();
    let began = pool.began.unwrap_or(0);
    let end = match pool.stopped {
        _ if pool.is_virtual => last.max(pool.stopped.unwrap_or(0)),
        Some(stopped) => stopped.max(last),
        None => now.max(last),
    };
    let end = end.max(began);
    let (names, function_of) = functions(&sites);
    let limits = Limits::of(recorder, &told);
    let (rows, row_of, unneeded) = rows::rows(recorder, (&told, &callbacks), pool, began, end);
    let site_of: HashMap<u32, u32> = sites.iter().zip(0..).map(|(s, k)| (s.number, k)).collect();
    let site = |number: u32| site_of.get(&number).copied().unwrap_or(0) as usize;
    let is_same_call = |a: u32, b: u32| {
        let (a, b) = (&sites[site(a)], &sites[site(b)]);
        a.at == b.at && last_part(a.name) == last_part(b.name)
    };
    let all = Assembly { parts: Parts::of(&told, is_same_call), told: &told, began, end };
    let mut model = Model {
        end: end.saturating_sub(began),
        rows,
        unneeded,
        functions: names,
        sites: sites.iter().map(|site| site.at.to_string()).collect(),
        limits: limits.list.clone(),
        ..Model::default()
    };
    for &k in &all.parts.kept {
        let site = site(told.tasks[k].site);
        let spans = all.spans(k, &row_of);
        let task = all.task(k, &mut model, &spans);
        model.tasks.push(Task { function: function_of[site], site: site as u32, ..task });
    }
    all.stretches(&mut model, &row_of);
    all.permits(&mut model, &limits);
    all.callbacks(&mut model, &callbacks, &row_of);
    all.notes(&mut model);
    model.beyond = beyond(&sites, &function_of);
    model.stored = *lock(&recorder.stored);
    failures::find(&mut model, &all.messages());
    model
}

/// Tasks that are one for those who look at a run.
struct Parts {
    /// What each belongs to: itself, or what is around it.
    root: Vec<usize>,
    /// All that belongs to a root, itself too; of those that have more than themselves.
    of: HashMap<usize, Vec<usize>>,
    /// Those that become tasks of the model, in the order of their numbers there.
    kept: Vec<usize>,
    number: HashMap<usize, u32>,
}

impl Parts {
    /// What is around a call, and what that has returned as its own result, is the same call if it has the same
    /// name and place.
    fn of(told: &Told, same: impl Fn(u32, u32) -> bool) -> Parts {
        let mut root: Vec<usize> = (0..told.tasks.len()).collect();
        let mut of: HashMap<usize, Vec<usize>> = HashMap::new();
        for (k, task) in told.tasks.iter().enumerate() {
            // What is around was submitted before, so its own root is known.
            let around = task.part_of.and_then(|id| told.index.get(&id)).copied();
            let same = |r: usize| {
                r < k && (told.tasks[r].kind == Kind::Around || same(task.site, told.tasks[r].site))
            };
            if let Some(around) = around.filter(|&r| same(r)) {
                root[k] = root[around];
                of.entry(root[k]).or_insert_with(|| vec![root[around]]).push(k);
            }
        }
        let kept: Vec<usize> = (0..root.len())
            .filter(|&k| root[k] == k && told.tasks[k].kind != Kind::Gather)
            .collect();
        let number = kept.iter().copied().zip(0..).collect();
        Parts { root, of, kept, number }
    }

    fn all(&self, root: usize) -> Vec<usize> {
        self.of.get(&root).cloned().unwrap_or_else(|| vec![root])
    }
}

struct Assembly<'t> {
    told: &'t Told,
    parts: Parts,
    began: u64,
    end: u64,
}

/// A list of results may go into many lists and calls; more edges than these to one task are not told.
const MOST_INPUTS: usize = 4096;

impl Assembly<'_> {
    fn raw(&self, k: usize) -> &Raw {
        &self.told.tasks[k]
    }

    /// Since the recording began.
    fn since(&self, time: u64) -> u64 {
        time.clamp(self.began, self.end) - self.began
    }

    /// From when to when. Clocks of two threads differ a little, but nothing ends before it began.
    fn time(&self, start: u64, end: Option<u64>) -> (u64, u64) {
        let start = self.since(start);
        (start, self.since(end.unwrap_or(self.end)).max(start))
    }

    /// The numbers of tasks by their numbers in the process; lists taken apart.
    fn numbers(&self, ids: &[u64]) -> Vec<u32> {
        let mut numbers = Vec::new();
        let mut left: Vec<u64> = ids.iter().rev().copied().collect();
        while let Some(id) = left.pop().filter(|_| numbers.len() < MOST_INPUTS) {
            let Some(&k) = self.told.index.get(&id) else { continue };
            let root = self.parts.root[k];
            match self.parts.number.get(&root) {
                Some(&number) => numbers.push(number),
                None => left.extend(self.raw(root).needs.iter().rev()),
            }
        }
        numbers
    }

    /// The stretches of a task and its parts, one after the other.
    fn spans(&self, root: usize, rows: &HashMap<u64, u32>) -> Vec<Piece> {
        let task = self.parts.number.get(&root).copied().unwrap_or(0);
        let mut spans: Vec<Piece> = Vec::new();
        for k in self.parts.all(root) {
            for span in &self.raw(k).spans {
                let Some(&row) = rows.get(&span.row) else { continue };
                let (start, end) = self.time(span.start, span.end);
                spans.push(Piece { task, row, start, end, on: None });
            }
        }
        spans.sort_by_key(|span| (span.start, std::cmp::Reverse(span.end)));
        // A part that runs within the code around it is no stretch of its own.
        spans.dedup_by(|later, earlier| {
            later.row == earlier.row && later.start < earlier.end && later.end <= earlier.end
        });
        spans
    }

    fn task(&self, root: usize, model: &mut Model, spans: &[Piece]) -> Task {
        let raw = self.raw(root);
        let parts = self.parts.all(root);
        let number = model.tasks.len() as u32;
        let from = model.inputs.len() as u32;
        for &k in &parts {
            let needs = self.numbers(&self.raw(k).needs);
            // An input is older than what needs it.
            model.inputs.extend(needs.into_iter().filter(|&input| input < number));
        }
        let inputs = from..model.inputs.len() as u32;
        let submitted = self.since(raw.submitted);
        let over = raw.ended.map_or(self.end - self.began, |(time, _)| self.since(time));
        let last = spans.iter().map(|span| span.end).max();
        let start = spans.first().map_or(over, |span| span.start).max(submitted);
        let end = last.map_or(over, |last| over.max(last)).max(start);
        let joined = |k: usize| {
            let first =
                self.raw(k).permits.iter().find(|permit| permit.what == PermitIs::WaitedFor);
            first.map(|permit| permit.time)
        };
        let moments = |&k: &usize| [self.ready(k), joined(k)];
        let told = parts.iter().flat_map(moments).flatten().min();
        let ready = told.map_or(start, |ready| self.since(ready)).clamp(submitted, start);
        let parent = raw.by.and_then(|id| self.numbers(&[id]).first().copied());
        Task {
            function: 0,
            site: 0,
            state: self.state(&parts, !spans.is_empty()),
            row: spans.first().map(|span| span.row),
            submitted,
            ready,
            start,
            end,
            kept: None,
            parent: parent.filter(|&parent| parent < number),
            inputs,
        }
    }

    /// When a task had all that it needs.
    fn ready(&self, k: usize) -> Option<u64> {
        self.raw(k).ready.or_else(|| self.inferred_ready(k))
    }

    /// That follows from the rest where it was not told: it was when the last that it needs had its result. One that
    /// needs something else was not ready before it was told, or over.
    fn inferred_ready(&self, k: usize) -> Option<u64> {
        let raw = self.raw(k);
        let mut ready = Some(raw.submitted).filter(|_| raw.kind == Kind::Runs)?;
        for id in &raw.needs {
            let Some(&input) = self.told.index.get(id) else {
                // It only counts, and was over before; or this is read while it is written.
                raw.spans.first()?;
                continue;
            };
            ready = ready.max(self.raw(input).set()?);
        }
        if raw.needs_more {
            ready = ready.max(raw.set()?);
        }
        Some(ready)
    }

    /// How the whole ended: as the part that is around all says; and if that only hands on the failure of a
    /// part, as that does.
    fn state(&self, parts: &[usize], ran: bool) -> State {
        let root = self.raw(parts[0]);
        let Some((_, end)) = root.ended else { return State::Running };
        if let Some((_, why)) = root.cancelled.filter(|_| end.late || !end.own) {
            return why.state;
        }
        if end.own || !ran {
            return end.state;
        }
        let ends = parts.iter().rev().filter_map(|&k| self.raw(k).ended);
        let own = ends.map(|(_, end)| end).find(|end| end.own && *end != End::DONE);
        match (own, end.state) {
            (Some(own), _) => own.state,
            // It ran in part, so it was not skipped for an input.
            (None, State::Skipped) => State::Failed,
            (None, state) => state,
        }
    }

    /// Waits, and the stretches of tasks that were suspended.
    fn stretches(&self, model: &mut Model, rows: &HashMap<u64, u32>) {
        for (&root, task) in self.parts.kept.iter().zip(0_u32..) {
            let spans = self.spans(root, rows);
            let parts = self.parts.all(root);
            let mut waits: Vec<Wait> = Vec::new();
            for span in parts.iter().flat_map(|&k| &self.raw(k).waits) {
                let (start, end) = self.time(span.start, span.end);
                let on = self.woke(model, &span.on, start, end);
                waits.push(Wait { task, start, end, on });
            }
            waits.sort_by_key(|wait| (wait.start, std::cmp::Reverse(wait.end)));
            let mut free = 0;
            for mut wait in waits {
                // Within another one it is a part of that; else the other is over when it begins.
                if wait.start >= free || wait.end > free {
                    wait.start = wait.start.max(free);
                    free = wait.end;
                    model.waits.push(wait);
                }
            }
            let end = model.task(task).end;
            if spans.len() > 1 || spans.last().is_some_and(|last| last.end < end) {
                let ends: Vec<u64> =
                    spans.iter().skip(1).map(|span| span.start).chain([end]).collect();
                for (mut piece, next) in spans.into_iter().zip(ends) {
                    let left = parts.iter().flat_map(|&k| &self.raw(k).spans);
                    let on =
                        left.filter(|span| span.end.map(|end| self.since(end)) == Some(piece.end));
                    let on: Vec<u64> = on.flat_map(|span: &Span| span.on.iter().copied()).collect();
                    piece.on = self.woke(model, &on, piece.end, next);
                    model.pieces.push(piece);
                }
            }
        }
    }

    /// Of the tasks that were waited for, the one whose end came last in this time.
    fn woke(&self, model: &Model, on: &[u64], from: u64, to: u64) -> Option<u32> {
        let ended = self.numbers(on).into_iter().filter(|&task| {
            let end = model.task(task).end;
            from < end && end <= to
        });
        ended.max_by_key(|&task| model.task(task).end)
    }

    fn number(&self, id: u64) -> Option<u32> {
        let &k = self.told.index.get(&id)?;
        self.parts.number.get(&self.parts.root[k]).copied()
    }

    fn callbacks(&self, model: &mut Model, called: &[Called], rows: &HashMap<u64, u32>) {
        let known = model.sites.iter().cloned().zip(0..);
        let mut sites: HashMap<String, u32> = known.collect();
        for callback in called {
            let Some(&row) = rows.get(&callback.row) else { continue };
            let site = *sites.entry(callback.at.to_string()).or_insert_with_key(|site| {
                model.sites.push(site.clone());
                model.sites.len() as u32 - 1
            });
            let (start, end) = self.time(callback.start, callback.end);
            let on = callback.on.and_then(|on| self.number(on));
            model.callbacks.push(Callback { row, start, end, site, on });
        }
    }

    fn notes(&self, model: &mut Model) {
        use super::texts::ToldText::{Kept, Note as Noted};
        for text in &self.told.texts {
            let Some(task) = self.number(text.task) else { continue };
            match &text.told {
                Noted(note) => {
                    let at = self.since(text.time);
                    model.notes.push(Note { task, at, text: note.clone() });
                }
                Kept(kept) => model.tasks[task as usize].kept = Some(*kept),
                _ => {}
            }
        }
        model.notes.sort_by_key(|note| (note.task, note.at));
    }

    /// What was told of failures, by task: the last word.
    fn messages(&self) -> BTreeMap<u32, (String, String)> {
        let mut messages = BTreeMap::new();
        for text in &self.told.texts {
            if let (super::texts::ToldText::Failure { kind, message }, Some(task)) =
                (&text.told, self.number(text.task))
            {
                messages.insert(task, (format!("{kind:?}"), message.clone()));
            }
        }
        messages
    }
}

/// What is known of the tasks beyond the limit of the recording.
fn beyond(sites: &[Arc<Site>], function_of: &[u32]) -> Vec<Beyond> {
    let mut all: BTreeMap<u32, Beyond> = BTreeMap::new();
    for (site, &function) in sites.iter().zip(function_of) {
        let submitted = site.sum(|counts| &counts.submitted);
        if submitted > 0 {
            let beyond = all.entry(function).or_insert(Beyond { function, ..Beyond::default() });
            beyond.count += submitted;
            beyond.failed += site.sum(|counts| &counts.failed);
            beyond.total += site.sum(|counts| &counts.total);
            // Of one call several tries may fail.
            beyond.failed = beyond.failed.min(beyond.count);
        }
    }
    all.into_values().collect()
}

mod permits;
#[cfg(test)]
mod tests;
