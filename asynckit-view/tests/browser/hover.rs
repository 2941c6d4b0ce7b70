//! What is shown of what the mouse rests on.

use asynckit::Pool;

use crate::driver::Browser;
use crate::{open, page, runs};

/// Rests on the middle of a place in the timeline, and tells what its card says.
fn card(browser: &Browser, place: &str) -> String {
    // Somewhere else first, so that it is another card.
    browser.hover(2, 2);
    browser.until("document.getElementById('card').hidden");
    let at = |what: &str| {
        let at = format!(
            "(() => {{ const p = {place}, c = main.getBoundingClientRect(); return Math.round({what}); }})()"
        );
        browser.number(&at) as i64
    };
    browser.hover(at("c.left + p.x + p.w / 2"), at("c.top + p.y - view.y + p.h / 2"));
    browser.until("!document.getElementById('card').hidden");
    browser.text("document.getElementById('card').textContent")
}

#[test]
#[ignore = "needs chromium and its driver; .ci/run has them"]
fn a_limit_a_rate_and_who_was_held_by_them_are_told() {
    let (browser, _folder) = open(&runs::held_by_limits(&Pool::new(2)));
    let row = |word: &str| {
        format!(
            "(() => {{ const r = rows.find(r => r.kind === 'limit' && !!M.limits[r.k].every === {word}); return {{ x: X(M.end / 4), w: 0, y: r.y, h: r.h }}; }})()"
        )
    };
    let limit = card(&browser, &row("false"));
    assert!(limit.contains("at most 3 at once") && limit.contains("In use"), "{limit}");
    assert!(limit.contains("mod.rs:") && limit.contains("Held"), "{limit}");
    let in_use = browser
        .number("Math.max(...rows.find(r => r.kind === 'limit' && !M.limits[r.k].every).used)");
    assert_eq!(in_use, 2.0, "each takes two");
    let rate = card(&browser, &row("true"));
    assert!(rate.contains("50 per second") && rate.contains("Begun"), "{rate}");
    assert!(!rate.contains("In use"), "{rate}");

    let worst = |which: &str| {
        format!(
            "place([...Array(M.n).keys()].reduce((a, b) => M.{which}[b] > M.{which}[a] ? b : a))"
        )
    };
    let first = card(&browser, &worst("held"));
    assert!(first.contains(" held by the "), "{first}");
    // A later try stood in line while the task was under way.
    let later = card(&browser, &worst("heldIn"));
    assert!(later.starts_with("retry"), "{later}");
    assert!(later.contains(" of it ") && later.contains(" held by the limit “mod.rs:"), "{later}");
    assert!(later.contains("(3 at once)"), "{later}");
    // The table has a column of it, and the panel of the task a line.
    assert!(browser.text("document.querySelector('#panel thead').textContent").contains("Held"));
    browser.ask("select({ task: [...Array(M.n).keys()].reduce((a, b) => M.heldIn[b] > M.heldIn[a] ? b : a) })");
    let panel = browser.text("document.getElementById('panel').textContent");
    assert!(
        panel.contains("held by the limit “mod.rs:") && panel.contains("held by a limit or a rate"),
        "{panel}"
    );
}

#[test]
#[ignore = "needs chromium and its driver; .ci/run has them"]
fn a_callback_is_told() {
    let (browser, _folder) = open(&runs::called(&Pool::new(2)));
    let longest = "M.call.length.indexOf(Math.max(...M.call.length))";
    let told = card(&browser, &format!("placeCall({longest})"));
    assert!(told.starts_with("Callback") && told.contains("Took2"), "{told}");
    assert!(told.contains("runs/mod.rs:") && told.contains("Result offetch #"), "{told}");
}

#[test]
#[ignore = "needs chromium and its driver; .ci/run has them"]
fn a_failure_and_what_it_skipped_are_told() {
    let (_folder, path) = page(&runs::failing(&Pool::new(2)));
    let browser = Browser::start(1400, 900);
    browser.open(&path);
    let failed = card(&browser, "place(M.failures[0].task)");
    assert!(failed.starts_with("refuse#") && failed.contains("✕ failed"), "{failed}");
    assert!(failed.contains("no 7 </script><script>alert(1)</script> & \"quotes\""), "{failed}");
    let skipped = card(&browser, "place(M.failures[0].skipped[0])");
    assert!(skipped.starts_with("add#") && skipped.contains("◇ skipped"), "{skipped}");
    assert!(skipped.contains("skipped: refuse #"), "{skipped}");
}
