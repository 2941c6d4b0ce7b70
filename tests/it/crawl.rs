//! The `crawl` example, run as a user runs it.
#![cfg(unix)]

use crate::example::{LIMIT, Run};
use crate::support::soon;

fn start(a_host: &str) -> Run {
    Run::start("crawl", &["--a-host", a_host], "")
}

/// It checks itself that it was polite.
#[test]
fn it_fetches_each_page_once() {
    soon(|| {
        let done = start("1000/s").end();
        assert_eq!(done.code, Some(0), "{done:?}");
        assert!(done.stdout.starts_with("1981 pages in "), "{done:?}");
        done.says("19 of 2000 failed:");
    });
}

#[test]
fn it_says_how_far_it_came_when_it_is_told_to_end() {
    soon(|| {
        let running = start("1/s"); // it would take minutes
        assert_eq!(running.stderr.recv_timeout(LIMIT).as_deref(), Ok("1 pages to fetch"));
        running.signal("TERM");
        let done = running.end();
        assert_eq!(done.code, Some(143), "{done:?}");
        done.says("interrupted: ");
        done.says("not reached");
    });
}
