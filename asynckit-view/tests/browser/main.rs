//! The page in a real browser. `cargo test` leaves this out, as it needs Chromium and its driver; `.ci/run`
//! installs them and runs it:
//!
//! ```text
//! cargo test -p asynckit-view --test browser -- --ignored
//! ```

#[path = "../runs/mod.rs"]
mod runs;

mod driver;

use std::path::PathBuf;

use asynckit::Pool;
use asynckit_view::Run;
use serde_json::{Value, json};

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

/// How many bars have the colour of their function on the screen, if nearly all have: some lie beneath a line.
const BARS_SEEN: &str = "(() => {
    let seen = 0, other = 0;
    for (const r of rows) {
        if (r.kind !== 'lane') continue;
        for (const b of r.ids) {
            const p = place(b), i = M.bars.task[b];
            if (p.w < 3 || M.waits.has(i) || isBad(M.state[i])) continue;
            const at = main.getContext('2d').getImageData(Math.floor(p.x + Math.min(3, p.w / 2)), Math.round(p.y + 5), 1, 1).data;
            const want = C.rgb[M.fn[i]];
            if (Math.max(...want.map((c, k) => Math.abs(c - at[k]))) <= 8) seen++;
            else other++;
        }
    }
    return other * 20 <= seen ? seen : -other;
})()";

#[test]
#[ignore = "needs chromium and its driver; .ci/run has them"]
fn pages_load_without_complaints_and_without_the_network() {
    let browser = Browser::start(1400, 900);
    let pool = Pool::new(3);
    let nothing = asynckit_view::Recording::of(&pool).finish();
    for run in
        [nothing, runs::small(&pool), runs::failing(&pool), runs::mixed(&pool), runs::kept(&pool)]
    {
        let (_folder, path) = page(&run);
        browser.open(&path);
        browser.press(&["1", "2", "3", "4"]);
        let (complaints, requests) = browser.complaints_and_requests();
        assert_eq!(complaints, Vec::<String>::new());
        assert!(
            requests.iter().all(|url| url.starts_with("file:///") && url.ends_with("/run.html")),
            "{requests:?}"
        );
        assert_eq!(requests.len(), 1, "{requests:?}");
    }
}

#[test]
#[ignore = "needs chromium and its driver; .ci/run has them"]
fn there_is_a_bar_for_each_task_and_a_node() {
    let pool = Pool::new(2);
    let (browser, _folder) = open(&runs::small(&pool));
    assert_eq!(
        browser.number("rows.filter(r => r.kind === 'lane').flatMap(r => r.ids).length"),
        5.0
    );
    assert_eq!(browser.number("document.querySelectorAll('#graph .node').length"), 5.0);
    assert_eq!(browser.number("document.querySelectorAll('#panel tbody tr').length"), 3.0);

    let run = runs::mixed(&pool);
    let (_folder, path) = page(&run);
    browser.open(&path);
    let bars =
        browser.number("new Set(rows.flatMap(r => r.ids ?? []).map(b => M.bars.task[b])).size");
    assert_eq!(bars as usize, run.tasks());
    assert!(browser.number(BARS_SEEN) > 50.0);
    assert_eq!(browser.number("document.querySelectorAll('#graph .node').length"), 6.0);
}

#[test]
#[ignore = "needs chromium and its driver; .ci/run has them"]
fn search_finds_tasks_by_name_place_state_and_time() {
    let (browser, _folder) = open(&runs::mixed(&Pool::new(2)));
    let found = |text: &str| {
        browser.press(&["\u{E00C}", "/"]);
        browser.write(text);
        browser.text("document.getElementById('hits').textContent")
    };
    assert_eq!(found("count"), "120");
    assert_eq!(found("failed"), "1");
    assert_eq!(found("fetch >100ms"), "1");
    assert_eq!(found("nothing-is-called-so"), "0");
    assert_eq!(found("refuse"), "1");
    browser.press(&["\u{E007}"]);
    assert_eq!(browser.text("document.getElementById('hits').textContent"), "1 / 1");
    assert_eq!(browser.text("M.fns[M.fn[ui.task]]"), "refuse");
    assert!(browser.text("document.getElementById('panel').textContent").contains("no 1"));
}

/// How far the middle of the first ring in the timeline is from the background's colour, which no bar has.
const RING: &str = "(() => {
    const r = rows.find(r => r.kept?.length);
    if (!r) return 999;
    const b = r.kept[0], from = X(M.bars.start[b]), wide = X(M.bars.fin[b]) - from > 16;
    const c = document.createElement('canvas').getContext('2d');
    c.fillStyle = C.bg;
    c.fillRect(0, 0, 1, 1);
    const want = c.getImageData(0, 0, 1, 1).data;
    const [x, y] = [Math.max(G + 7, from + (wide ? 8 : 0)), r.y + r.h / 2 - view.y];
    const at = main.getContext('2d').getImageData(Math.floor(x), Math.floor(y), 1, 1).data;
    return Math.max(...[0, 1, 2].map(k => Math.abs(want[k] - at[k])));
})()";

#[test]
#[ignore = "needs chromium and its driver; .ci/run has them"]
fn what_is_kept_has_a_ring_a_column_and_a_word() {
    let (browser, _folder) = open(&runs::kept(&Pool::new(2)));
    let facts = browser.text("document.getElementById('facts').textContent");
    assert!(facts.contains("○ Kept6 of 8, "), "{facts}");
    let head = browser.text("document.querySelector('#panel thead').textContent");
    assert!(head.starts_with("FunctionCount○ Kept"), "{head}");
    let cell = |name: &str| {
        browser.text(&format!(
            "[...document.querySelectorAll('#panel tbody tr')]
                .find(row => row.cells[0].textContent === '{name}').cells[2].textContent"
        ))
    };
    assert_eq!([cell("parse"), cell("join"), cell("add")], ["5", "1", "–"]);
    browser.until("rows.flatMap(r => r.kept ?? []).length === 6");
    browser.until(&format!("{RING} < 8"));
    browser.press(&["/"]);
    browser.write("kept");
    browser.until("document.getElementById('hits').textContent === '6'");
    browser.press(&["\u{E007}"]);
    let panel = browser.text("document.getElementById('panel').textContent");
    assert!(panel.contains("○ kept: ") && panel.contains(" saved"), "{panel}");
    // A run without a store has no word of it.
    let (_folder, path) = page(&runs::small(&Pool::new(2)));
    browser.open(&path);
    let text = browser.text("$('facts').textContent + $('panel').textContent");
    assert!(!text.contains("Kept"), "{text}");
}

#[test]
#[ignore = "needs chromium and its driver; .ci/run has them"]
fn keys_and_the_wheel_zoom_and_the_whole_run_comes_back() {
    let (browser, _folder) = open(&runs::mixed(&Pool::new(2)));
    let seen = || browser.number("view.b - view.a");
    let whole = seen();
    browser.wheel(700, 300, -300);
    assert!(seen() < 0.9 * whole);
    browser.press(&["0"]);
    browser.until(&format!("view.b - view.a === {whole}"));
    browser.press(&["w", "w"]);
    browser.until(&format!("view.b - view.a < {}", 0.5 * whole));
    let left = browser.number("view.a");
    browser.press(&["d"]);
    browser.until(&format!("view.a > {left}"));
    browser.press(&["s", "0"]);
    browser.until(&format!("view.b - view.a === {whole}"));
}

#[test]
#[ignore = "needs chromium and its driver; .ci/run has them"]
fn the_colours_follow_the_system() {
    let (browser, _folder) = open(&runs::mixed(&Pool::new(2)));
    let bright = || {
        let body = browser.text("getComputedStyle(document.body).backgroundColor");
        let digits: Vec<u32> = body
            .split(|c: char| !c.is_ascii_digit())
            .filter_map(|digits| digits.parse().ok())
            .collect();
        // The canvas of the timeline follows as well.
        let canvas = "main.getContext('2d').getImageData(2, H - 3, 1, 1).data[0]";
        browser.until(&format!("Math.abs({canvas} - {}) < 3", digits[0]));
        digits[0]
    };
    let scheme = |value: &str| {
        let features = json!({ "features": [{ "name": "prefers-color-scheme", "value": value }] });
        browser.cdp("Emulation.setEmulatedMedia", &features);
        browser.until(&format!("matchMedia('(prefers-color-scheme: {value})').matches"));
    };
    scheme("light");
    let light = bright();
    scheme("dark");
    let dark = bright();
    assert!(light > 200 && dark < 60, "{light} {dark}");
    scheme("light");
    assert_eq!(bright(), light);
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

#[test]
#[ignore = "needs chromium and its driver; .ci/run has them"]
fn a_click_goes_from_bar_to_panel_to_graph_and_keys_go_on() {
    let (browser, _folder) = open(&runs::mixed(&Pool::new(2)));
    // The longest bar is easily hit.
    let at = |what: &str| {
        let slow = "ST.fns.reduce((a, b) => b.max > a.max ? b : a).longest";
        browser.number(&format!("(() => {{ const p = place({slow}), c = main.getBoundingClientRect(); return {what}; }})()"))
    };
    browser.click(at("c.left + p.x + p.w / 2") as i64, at("c.top + p.y + p.h / 2") as i64);
    browser.until("ui.task >= 0");
    let task = browser.number("ui.task");
    assert_eq!(browser.text("M.fns[M.fn[ui.task]]"), "fetch");
    assert!(
        browser
            .text("document.querySelector('#panel h2').textContent")
            .contains(&format!("fetch #{task}"))
    );
    assert!(
        browser
            .text("document.querySelector('#graph .node.sel').getAttribute('aria-label')")
            .contains("fetch")
    );
    browser.ask("main.focus()");
    browser.press(&["\u{E012}"]);
    assert_ne!(browser.number("ui.task"), task);
    browser.press(&["\u{E00C}"]);
    assert_eq!(browser.number("ui.task"), -1.0);
}

#[test]
#[ignore = "needs chromium and its driver; .ci/run has them"]
fn callbacks_have_bars_and_their_task_tells_of_them() {
    let (browser, _folder) = open(&runs::called(&Pool::new(2)));
    assert_eq!(browser.number("rows.flatMap(r => r.kind === 'calls' ? r.list : []).length"), 3.0);
    // The one that takes its time is seen, and pointed at.
    let at = |what: &str| {
        browser.number(&format!(
            "(() => {{ const k = M.call.on.indexOf(2), c = main.getBoundingClientRect(),
                r = rows.find(r => r.kind === 'calls' && r.list.includes(k)),
                x = (X(M.call.start[k]) + X(M.call.start[k] + M.call.length[k])) / 2, y = r.y + r.h / 2;
                return {what}; }})()"
        ))
    };
    let pixel = "main.getContext('2d').getImageData(Math.round(x), Math.round(y), 1, 1).data[0]";
    let background = "main.getContext('2d').getImageData(2, H - 3, 1, 1).data[0]";
    assert!(at(&format!("Math.abs({pixel} - {background})")) > 60.0);
    browser.click(at("c.left + x") as i64, at("c.top + y") as i64);
    browser.until("ui.task === 2");
    let card = browser.text("document.getElementById('card').textContent");
    assert!(card.contains("Callback") && card.contains("fetch #2"), "{card}");
    let panel = browser.text("document.getElementById('panel').textContent");
    assert!(panel.contains("1 callback") && panel.contains("runs/mod.rs:"), "{panel}");
}

#[test]
#[ignore = "needs chromium and its driver; .ci/run has them"]
fn unfolded_tasks_of_the_graph_are_reached_and_chosen_by_keys() {
    let (browser, _folder) = open(&runs::mixed(&Pool::new(2)));
    let focus = |what: &str| browser.text(&format!("document.activeElement.{what}"));
    let name = "getAttribute('aria-label') ?? ''";
    browser.ask("document.querySelector('#graph .node[aria-label^=\"count\"]').focus()");
    browser.press(&["+"]);
    browser.until("document.querySelectorAll('#graph .cell').length === 120");
    // The function keeps the focus; the next stop is its first task, and the one after is not another of them.
    assert!(focus(name).starts_with("count, "), "{}", focus(name));
    let mut stops = 0;
    while focus("getAttribute('role') ?? ''") != "option" {
        browser.press(&["\u{E004}"]);
        stops += 1;
        assert!(stops < 12);
    }
    let first = focus(name);
    assert!(first.starts_with("count #"), "{first}");
    browser.press(&["\u{E014}"]);
    let second = focus(name);
    assert!(second.starts_with("count #") && second != first);
    browser.press(&["\u{E015}", "\u{E013}", "\u{E012}"]);
    assert_eq!(focus(name), first);
    assert!(browser.text("document.getElementById('card').textContent").contains("count"));
    browser.press(&["\u{E010}", "\u{E007}"]);
    let task = browser.number("ui.task");
    assert_eq!(browser.text("M.fns[M.fn[ui.task]]"), "count");
    // What is chosen stays in focus, and is said to be chosen.
    assert_eq!(focus("dataset.task"), task.to_string());
    assert_eq!(focus("getAttribute('aria-selected')"), "true");
    browser.press(&["\u{E00C}"]);
    assert!(focus(name).starts_with("count, "));
    assert_eq!(browser.number("ui.task"), task);
    browser.press(&["+"]);
    browser.until("document.querySelectorAll('#graph .cell').length === 0");
    assert!(focus(name).starts_with("count, "));
}

#[test]
#[ignore = "needs chromium and its driver; .ci/run has them"]
fn functions_that_share_a_colour_look_different() {
    let (browser, _folder) = open(&runs::of_many_functions(&Pool::new(2)));
    assert_eq!(browser.number("new Set(M.fn).size"), 48.0);
    let looks = "[...M.fn].map(f => `${LOOK[f].color} ${LOOK[f].mark} ${LOOK[f].no}`)";
    assert_eq!(browser.number(&format!("new Set({looks}).size")), 48.0);
    // So do their chips, by more than the colour alone,
    let chips = "[...document.querySelectorAll('#panel tbody .chip')].slice(0, 48).map(c => {
        const s = getComputedStyle(c);
        return s.backgroundColor + s.backgroundImage + c.textContent;
    })";
    assert_eq!(browser.number(&format!("new Set({chips}).size")), 48.0);
    // and their bars: a plain one has one colour where nothing lies on it, one with a pattern has two.
    let colours = "[...M.fn].map((f, i) => {
        const p = place(i);
        if (p.w < 14) return null;
        const d = main.getContext('2d').getImageData(Math.round(p.x) + 2, Math.round(p.y) + 3, Math.floor(p.w) - 5, 6).data,
            seen = new Set();
        for (let k = 0; k < d.length; k += 4) seen.add(d[k] + ' ' + d[k + 1] + ' ' + d[k + 2]);
        return { mark: LOOK[f].mark, n: seen.size };
    }).filter(Boolean)";
    browser.until("!dirty");
    browser.ask("(ui.path = false, draw(), 0)");
    let seen = browser.ask(colours);
    let seen = seen.as_array().unwrap();
    let of = |plain: bool| seen.iter().filter(move |one| (one["mark"] == 0) == plain);
    assert!(of(true).count() >= 3 && of(false).count() >= 10, "{seen:?}");
    assert!(of(true).all(|one| one["n"] == 1), "{seen:?}");
    assert!(of(false).all(|one| one["n"].as_u64() >= Some(2)), "{seen:?}");
}

#[test]
#[ignore = "needs chromium and its driver; .ci/run has them"]
fn a_hundred_thousand_tasks_open_in_two_seconds_and_scroll_without_a_stall() {
    let run = runs::stencil(&Pool::new(4), 250, 400);
    assert_eq!(run.tasks(), 100_000);
    let (_folder, path) = page(&run);
    let browser = Browser::start(1400, 900);
    // The machine may be busy with other things: the best of a few is what it takes.
    let open = |_| {
        browser.open(&path);
        browser.number("window.__perf.painted")
    };
    let opened = (0..4).map(open).fold(f64::INFINITY, f64::min);
    println!("opened in {opened:.0} ms");
    assert!(opened < 2000.0, "{opened} ms");
    browser.ask("setView(0, M.end / 4)");
    let draw = |_| {
        browser.ask("pan(0.02)");
        browser.until("!dirty");
        browser.number("window.__perf.draw")
    };
    let mut drawn: Vec<f64> = (0..40).map(draw).collect();
    drawn.sort_by(f64::total_cmp);
    println!("drawn in {:.1} ms, at most {:.1} ms", drawn[20], drawn[39]);
    assert!(drawn[20] < 50.0, "{drawn:?}");
}
