//! However much there is, it is told on a page.

use std::panic::Location;

use super::*;
use crate::observe::{CallSite, LimitId, Queued, Row};

fn call() -> CallSite {
    CallSite { name: "work", at: Location::caller() }
}

fn way() -> Way {
    Way { calls: vec![call()], end: WayEnd::Runs }
}

/// So much of everything, each unlike the others.
fn full(most: usize) -> Snapshot {
    let each = || 2..most + 2;
    let row = |k: usize| Row::elsewhere(&format!("thread {k}"));
    let at = Location::caller();
    let running = |k| Running {
        call: call(),
        row: row(k),
        time: RunTime::Unknown,
        waits: false,
        is_settled: false,
    };
    let callback = |k| RunningCallback {
        at,
        result: call(),
        row: row(k),
        time: RunTime::Unknown,
        waits: true,
    };
    let waiting = |k| Waiting {
        row: row(k),
        call: None,
        at,
        on: vec![way()],
        of: 1,
        any: false,
        timed: false,
        line: None,
    };
    let limit = |k| LimitUse {
        limit: LimitId::next(),
        most: k,
        every: None,
        made_at: at,
        taken: k,
        holders: vec![call()],
        line: vec![call()],
        in_line: k,
    };
    let root = |k| Root { call: call(), by_hand: true, dependents: vec![call()], waiting: k };
    const NAMES: [&str; 20] = [
        "a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l", "m", "n", "o", "p", "q", "r",
        "s", "t",
    ];
    let suspended = |k: usize| Suspended {
        call: CallSite { name: NAMES[k % 20], ..call() },
        on: None,
        in_line: false,
        by_rate: false,
    };
    let function = |k: usize| FunctionCounts {
        name: NAMES[k % 20],
        waiting: k,
        ready: 0,
        running: 1,
        suspended: 0,
        ended: 0,
        failed: 0,
        more: 0,
        needs: Vec::new(),
    };
    Snapshot {
        name: "full".to_owned(),
        workers: most,
        threads: most,
        asleep: 0,
        blocking: 0,
        phase: PoolPhase::Open,
        running: each().map(running).collect(),
        callbacks: each().map(callback).collect(),
        waits: each().map(waiting).collect(),
        queued: Queued::default(),
        limits: each().map(limit).collect(),
        roots: each().map(root).collect(),
        suspended: each().map(suspended).collect(),
        functions: each().map(function).collect(),
    }
}

#[test]
fn a_page_is_enough_whatever_there_is() {
    let text = full(20).to_string();
    assert!(text.lines().count() <= 60, "{} lines: {text}", text.lines().count());
    assert_eq!(text.matches("\n  and 14 more").count(), 7, "{text}");
    let text = full(1).to_string();
    assert!(text.lines().count() == 2 + 7 * 2 && !text.contains("\n  and "), "{text}");
}
