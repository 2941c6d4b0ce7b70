//! What one gets to see of calls.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use asynckit::observe::now;

use crate::functions::*;
use crate::site::{Folder, Site, Test, eventually};

pub const ALL: &[Test] = &[
    ("the_status_says_who_runs_what", the_status_says_who_runs_what),
    ("who_looks_on_sees_where_calls_ran", who_looks_on_sees_where_calls_ran),
];

fn the_status_says_who_runs_what(site: &Site) {
    let (cluster, folder) = (site.cluster(1), Folder::new());
    let (runs, until) = (folder.file("runs"), folder.file("until"));
    cluster.pool().scope(|s| {
        let place = cluster.on(s);
        let all: Vec<_> = (0..3).map(|_| meet(&runs, &until).spawn_on(&place)).collect();
        eventually("one runs", || folder.count("runs") == 1);
        eventually("all are out", || cluster.status().open == 3);
        eventually("one is known to run, and two to wait", || {
            let text = cluster.status().to_string();
            text.contains("functions::meet, for ") && text.contains("functions::meet (2)")
        });
        let status = cluster.status();
        let text = status.to_string();
        assert_eq!((status.workers.len(), status.queued.len()), (1, 1));
        assert!(text.starts_with("3 calls without an outcome, 0 delivered again, 0 "), "{text}");
        assert!(text.contains("(process ") && text.contains("\nwaiting: "), "{text}");
        folder.make("until");
        all.into_iter().for_each(|one| assert!(one.get().is_ok()));
    });
}

/// Where calls ran, and when: `place, began, ended`.
#[derive(Default)]
struct Rows(Mutex<Vec<(String, Duration, Duration)>>);

impl asynckit::Observer for Rows {
    fn ran_elsewhere(&self, event: &asynckit::observe::RanElsewhere<'_>) {
        let row = (event.place.to_owned(), event.began, event.ended);
        self.0.lock().unwrap().push(row);
    }
}

/// Two calls at a time, which run at once and so in two processes: each lies between when it was asked for and when its
/// outcome came, however long messages take. So nothing of one time is seen beside what is of the next.
fn who_looks_on_sees_where_calls_ran(site: &Site) {
    const LONG: Duration = Duration::from_millis(30);
    let (cluster, rows) = (site.cluster(2), Arc::new(Rows::default()));
    cluster.pool().observe(rows.clone());
    let mut places = Vec::new();
    for _ in 0..3 {
        let folder = Folder::new();
        let (runs, until) = (folder.file("runs"), folder.file("until"));
        let before = now();
        cluster.pool().scope(|s| {
            let place = cluster.on(s);
            let both = [(); 2].map(|()| meet(&runs, &until).spawn_on(&place));
            eventually("both run", || folder.count("runs") == 2);
            std::thread::sleep(LONG);
            folder.make("until");
            both.into_iter().for_each(|one| assert!(one.get().is_ok()));
        });
        let after = now();
        // (An outcome is seen by who waits for it when all was told of it.)
        let seen = std::mem::take(&mut *rows.0.lock().unwrap());
        assert_eq!(seen.len(), 2);
        for (place, began, ended) in &seen {
            assert!(place.starts_with('w'), "{place}");
            assert!(before <= *began && *ended <= after, "{before:?} {seen:?} {after:?}");
            assert!(*ended - *began >= LONG, "{seen:?}");
        }
        let mut these: Vec<String> = seen.into_iter().map(|(place, ..)| place).collect();
        these.sort();
        these.dedup();
        assert_eq!(these.len(), 2, "each has a row of its own");
        places.push(these);
    }
    assert!(places.iter().all(|these| *these == places[0]), "and keeps it: {places:?}");
}
