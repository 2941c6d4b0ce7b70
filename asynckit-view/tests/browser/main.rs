//! The page in a real browser. `cargo test` leaves this out, as it needs Chromium and its driver; `.ci/run`
//! installs them and runs it:
//!
//! ```text
//! cargo test -p asynckit-view --test browser -- --ignored
//! ```

#[path = "../runs/mod.rs"]
mod runs;

mod driver;
mod frames;
mod hover;
mod keys;
mod looks;

use std::path::PathBuf;

use asynckit::Pool;
use asynckit_view::Run;
use serde_json::Value;

use driver::Browser;

/// A file with the page of a run.
fn page(run: &Run) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run.html");
    run.save_html(&path).unwrap();
    (folder, path)
}

fn open(run: &Run) -> (Browser, tempfile::TempDir) {
    let (folder, path) = page(run);
    let browser = Browser::start(1400, 900);
    browser.open(&path);
    (browser, folder)
}

#[test]
#[ignore = "needs chromium and its driver; .ci/run has them"]
fn pages_load_without_complaints_and_without_the_network() {
    let browser = Browser::start(1400, 900);
    let pool = Pool::new(3);
    let nothing = asynckit_view::Recording::of(&pool).finish();
    for run in [
        nothing,
        runs::small(&pool),
        runs::failing(&pool),
        runs::mixed(&pool),
        runs::kept(&pool),
        runs::held_by_limits(&pool),
        runs::called(&pool),
        runs::of_many_functions(&pool),
        runs::mixed_virtual(&Pool::deterministic(1)),
    ] {
        let (_folder, path) = page(&run);
        // Also in a narrow window, and in one that has no room for the graph.
        for (width, height) in [(1400, 900), (1250, 800), (700, 1300), (900, 240)] {
            browser.resize(width, height);
            browser.open(&path);
            browser.press(&["1", "2", "3", "4"]);
            let (complaints, requests) = browser.complaints_and_requests();
            assert_eq!(complaints, Vec::<String>::new());
            let of_the_page =
                |url: &String| url.starts_with("file:///") && url.ends_with("/run.html");
            assert!(requests.iter().all(of_the_page), "{requests:?}");
            assert_eq!(requests.len(), 1, "{requests:?}");
            // Nothing stands out at the right, of the page and of the table.
            browser.press(&["1"]);
            for what in ["documentElement", "getElementById('panel')"] {
                let out = format!("document.{what}.scrollWidth - document.{what}.clientWidth");
                assert_eq!(browser.number(&out), 0.0, "{what} at {width}");
            }
        }
    }
}

#[test]
#[ignore = "needs chromium and its driver; .ci/run has them"]
fn the_way_of_a_failure_is_drawn_and_its_text_is_text() {
    let (browser, _folder) = open(&runs::failing(&Pool::new(2)));
    browser.press(&["3"]);
    let text = browser.text("document.querySelector('#panel .fail').textContent");
    assert!(text.contains("no 7 </script><script>alert(1)</script> & \"quotes\""), "{text}");
    let way =
        browser.ask("[...document.querySelectorAll('#panel .fail .tag')].map(e => e.textContent)");
    let way: Vec<&str> = way.as_array().unwrap().iter().filter_map(Value::as_str).collect();
    assert_eq!(way.len(), 3, "{way:?}");
    assert!(
        way[0].contains("refuse #") && way[1].contains("add #") && way[2].contains("add #"),
        "{way:?}"
    );
    assert_eq!(browser.number("document.querySelectorAll('#graph .e.bad').length"), 2.0);
    assert_eq!(browser.number("document.querySelectorAll('#graph .node.skip').length"), 2.0);
    assert!(browser.text("document.getElementById('verdict').textContent").contains("refuse #"));
    assert_eq!(browser.text("document.getElementById('name').textContent"), "failing </title><b>");
}

#[test]
#[ignore = "needs chromium and its driver; .ci/run has them"]
fn an_input_that_was_not_over_is_not_drawn_as_the_way_of_a_failure() {
    let (browser, _folder) = open(&runs::failing_early(&Pool::new(2)));
    browser.press(&["3"]);
    assert_eq!(browser.number("document.querySelectorAll('#graph .e').length"), 3.0);
    assert_eq!(browser.number("document.querySelectorAll('#graph .e.bad').length"), 2.0);
}
