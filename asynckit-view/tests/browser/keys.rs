//! The page by keyboard, and where a click leads.

use asynckit::Pool;

use crate::{open, page, runs};

#[test]
#[ignore = "needs chromium and its driver; .ci/run has them"]
fn keys_and_the_wheel_zoom_and_the_whole_run_comes_back() {
    let (browser, _folder) = open(&runs::mixed(&Pool::new(2)));
    let whole = browser.number("view.b - view.a");
    browser.wheel(700, 300, -300);
    browser.until(&format!("view.b - view.a < {}", 0.9 * whole));
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
fn a_click_goes_from_bar_to_panel_to_graph_and_keys_go_on() {
    let (browser, _folder) = open(&runs::mixed(&Pool::new(2)));
    // The longest bar is easily hit. On a busy machine it may be one of any function.
    let at = |what: &str| {
        let slow = "ST.fns.reduce((a, b) => b.max > a.max ? b : a).longest";
        browser.number(&format!("(() => {{ const p = place({slow}), c = main.getBoundingClientRect(); return {what}; }})()"))
    };
    browser.click(at("c.left + p.x + p.w / 2") as i64, at("c.top + p.y + p.h / 2") as i64);
    browser.until("ui.task >= 0");
    let task = browser.number("ui.task");
    let name = browser.text("M.fns[M.fn[ui.task]]");
    assert!(
        browser
            .text("document.querySelector('#panel h2').textContent")
            .contains(&format!("{name} #{task}"))
    );
    assert!(
        browser
            .text("document.querySelector('#graph .node.sel').getAttribute('aria-label')")
            .contains(&name)
    );
    browser.ask("main.focus()");
    // It may be the first of its row, or the last.
    browser.press(&["\u{E012}"]);
    if browser.number("ui.task") == task {
        browser.press(&["\u{E014}"]);
    }
    assert_ne!(browser.number("ui.task"), task);
    browser.press(&["\u{E00C}"]);
    assert_eq!(browser.number("ui.task"), -1.0);
}

#[test]
#[ignore = "needs chromium and its driver; .ci/run has them"]
fn arrow_keys_go_through_tasks_and_callbacks_and_what_never_ran() {
    let (browser, _folder) = open(&runs::called_within());
    let live = || browser.text("document.getElementById('live').textContent");
    let [left, up, right, down] = ["\u{E012}", "\u{E013}", "\u{E014}", "\u{E015}"];
    browser.ask("main.focus()");
    browser.press(&[down]);
    let first = browser.number("ui.task");
    assert!(live().starts_with(&format!("held #{first}, done, ran ")), "{}", live());
    // Below the bars, and what is within their waits, are the callbacks.
    browser.press(&[down, down]);
    browser.until("ui.call >= 0");
    let one = browser.number("ui.call");
    let said = live();
    assert!(said.starts_with("Callback, took ") && said.contains("runs/mod.rs:"), "{said}");
    // The task whose result it was is shown beside it.
    let task = format!("held #{}", browser.number("M.d.callbacks.on[ui.call]"));
    assert!(said.contains(&format!("result of {task}")), "{said}");
    let shown = browser.text("document.querySelector('#panel h2').textContent");
    assert!(shown.contains(&task), "{shown}, not {task}");
    // Its card stays beside it while the view moves.
    let card = "(() => { const c = document.getElementById('card'), r = c.getBoundingClientRect();
        return !c.hidden && c.textContent.startsWith('Callback') && Math.abs(r.left - clamp(X(M.call.start[ui.call]) - 30, 8, innerWidth - r.width - 8)) < 9; })()";
    browser.until(card);
    browser.press(&["f"]);
    browser.until("goal === null && view.b - view.a < M.end");
    browser.until("!document.getElementById('card').hidden");
    browser.press(&["0", right]);
    if browser.number("ui.call") == one {
        browser.press(&[left]);
    }
    assert!(browser.number("ui.call") >= 0.0 && browser.number("ui.call") != one);
    browser.press(&[up]);
    assert_eq!(browser.number("ui.call"), -1.0);
    browser.press(&["\u{E00C}"]);
    browser.until("document.getElementById('card').hidden && ui.task < 0");

    // What never ran has marks below, and the last key leads to nothing else.
    let (_folder, path) = page(&runs::failing(&Pool::new(1)));
    browser.open(&path);
    browser.ask("main.focus()");
    browser.press(&[down, down, down, down]);
    assert_eq!(browser.text("stateWord(ui.task)"), "skipped");
    browser.press(&[right, left, left, right]);
    assert_eq!(browser.number("M.unrun.indexOf(ui.task)"), 1.0);
    assert!(live().contains(", skipped, waited "), "{}", live());
}

#[test]
#[ignore = "needs chromium and its driver; .ci/run has them"]
fn arrow_keys_go_on_from_the_stretch_of_a_task_that_they_came_to() {
    let (browser, _folder) = open(&runs::suspended());
    browser.ask("main.focus()");
    // Through all of the row, although one task has many stretches in it.
    browser.press(&["\u{E015}"]);
    browser.press(&["\u{E012}"; 12]);
    let mut seen = vec![browser.number("ui.bar")];
    for _ in 0..12 {
        browser.press(&["\u{E014}"]);
        seen.push(browser.number("ui.bar"));
    }
    seen.dedup();
    let all = browser.number("rows.find(r => r.kind === 'lane').ids.length");
    assert_eq!(seen.len() as f64, all, "{seen:?}");
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
fn search_finds_tasks_by_name_place_state_and_time() {
    let (browser, _folder) = open(&runs::mixed(&Pool::new(2)));
    let found = |text: &str| {
        browser.press(&["\u{E00C}", "/"]);
        browser.write(text);
        browser.text("document.getElementById('hits').textContent")
    };
    assert_eq!(found("count"), "120");
    assert_eq!(found("failed"), "1");
    // On a busy machine more than one may take as long.
    let long = "[...M.fn].filter((f, i) => M.fns[f] === 'fetch' && M.own[i] > 100e6).length";
    let long = browser.number(long);
    assert!(long >= 1.0 && found("fetch >100ms") == long.to_string());
    assert_eq!(found("nothing-is-called-so"), "0");
    assert_eq!(found("refuse"), "1");
    browser.press(&["\u{E007}"]);
    assert_eq!(browser.text("document.getElementById('hits').textContent"), "1 / 1");
    assert_eq!(browser.text("M.fns[M.fn[ui.task]]"), "refuse");
    assert!(browser.text("document.getElementById('panel').textContent").contains("no 1"));
}

#[test]
#[ignore = "needs chromium and its driver; .ci/run has them"]
fn search_finds_callbacks_by_their_place_and_their_task() {
    let (browser, _folder) = open(&runs::called(&Pool::new(2)));
    let hits = || browser.text("document.getElementById('hits').textContent");
    let found = |text: &str| {
        browser.press(&["\u{E00C}", "/"]);
        browser.write(text);
        hits()
    };
    assert_eq!(found("callback"), "3");
    assert_eq!(found("callbacks <0ns"), "0");
    // Three tasks, each with one; all were called in this file.
    assert_eq!(found("fetch"), "6");
    assert_eq!(found("fetch callback"), "3");
    assert_eq!(found("runs/mod.rs"), "6");
    assert_eq!(found("#2"), "2");
    assert_eq!(found("callback failed"), "0");
    assert_eq!(found("callback #2"), "1");
    // What is found stands out from the others.
    let light = |of: &str| {
        browser.number(&format!(
            "(() => {{ const k = M.call.on.indexOf({of}), p = placeCall(k), x = p.x + p.w / 2;
                const at = main.getContext('2d').getImageData(Math.round(x), Math.round(p.y + p.h / 2 - view.y), 1, 1);
                const bg = main.getContext('2d').getImageData(2, H - 3, 1, 1);
                return Math.abs(at.data[0] - bg.data[0]); }})()"
        ))
    };
    browser.until("!dirty");
    assert!(light("2") > 60.0, "{}", light("2"));
    // By keys to its bar, with its card beside it and its task in the panel, wherever the view was.
    browser.ask("setView(0, 200)");
    browser.press(&["\u{E007}"]);
    assert_eq!(hits(), "1 / 1");
    let is_told = "M.call.on[ui.call] === 2 && goal === null && placeCall(ui.call).x < G + PW
        && placeCall(ui.call).x + placeCall(ui.call).w > G
        && !$('card').hidden && $('card').textContent.startsWith('Callback')
        && $('panel').querySelector('h2').textContent.includes('fetch #2')";
    browser.until(is_told);
    // By clicks: on the number of hits, and on the callbacks of a task.
    assert_eq!(found("callback"), "3");
    let centre = |what: &str| {
        let at = |side: &str, size: &str| {
            let of = format!("{what}.getBoundingClientRect()");
            browser.number(&format!("{of}.{side} + {of}.{size} / 2")) as i64
        };
        browser.click(at("left", "width"), at("top", "height"));
    };
    for n in 1..=3 {
        centre("$('next')");
        browser.until(&format!("$('hits').textContent === '{n} / 3'"));
        assert_eq!(browser.number("ui.call"), f64::from(n - 1));
    }
    browser.press(&["\u{E00C}"]);
    browser.ask("select({ task: 2 })");
    assert_eq!(browser.number("ui.call"), -1.0);
    centre(
        "[...$('panel').querySelectorAll('button.link')].find(b => b.textContent.includes(' on '))",
    );
    browser.until(is_told);
}
