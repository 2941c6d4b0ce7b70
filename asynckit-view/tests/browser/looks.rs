//! What is drawn: colours, patterns and marks, by the points of the canvas.

use asynckit::Pool;
use serde_json::json;

use crate::{open, page, runs};

/// What an expression is of a bar `b` at its place `p`, when that is in view and wide enough to be looked at, whatever
/// else took long in the run.
fn of_bar(expression: &str) -> String {
    format!(
        "(() => {{
            const [from, to] = [M.bars.start[b], M.bars.fin[b]], len = Math.max(to - from, 100);
            setView(from - len, from + 2 * len);
            scrollTo(rowOf(b).y - H / 2);
            draw();
            const p = {{ ...place(b) }}, g = main.getContext('2d');
            p.y -= view.y;
            return {expression};
        }})()"
    )
}

/// Of the bars that took any time, how many have not the colour of their function.
fn bars_of_another_colour() -> String {
    let colour = of_bar(
        "(() => {
            const at = g.getImageData(Math.floor(p.x + Math.min(4, p.w / 2)), Math.round(p.y + 5), 1, 1).data;
            return Math.max(...C.rgb[M.fn[M.bars.task[b]]].map((c, k) => Math.abs(c - at[k]))) > 8;
        })()",
    );
    format!(
        "(() => {{
            ui.path = false;
            const all = rows.flatMap(r => r.kind === 'lane' ? r.ids : []);
            const plain = all.filter(b => M.bars.fin[b] - M.bars.start[b] >= 200
                && !M.waits.has(M.bars.task[b]) && !isBad(M.state[M.bars.task[b]]));
            const other = plain.slice(0, 200).filter(b => {colour});
            return plain.length < 50 ? -1 : other.length;
        }})()"
    )
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
    assert_eq!(browser.number(&bars_of_another_colour()), 0.0);
    assert_eq!(browser.number("document.querySelectorAll('#graph .node').length"), 6.0);
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
    // Nothing else lies on it.
    browser.ask("(ui.path = false, draw(), 0)");
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
    assert!(!text.contains("Kept") && !text.contains("Callbacks"), "{text}");
}

#[test]
#[ignore = "needs chromium and its driver; .ci/run has them"]
fn callbacks_have_bars_and_their_task_tells_of_them() {
    let (browser, _folder) = open(&runs::called(&Pool::new(2)));
    assert_eq!(browser.number("rows.flatMap(r => r.kind === 'calls' ? r.list : []).length"), 3.0);
    let facts = browser.text("document.getElementById('facts').textContent");
    assert!(facts.contains("Callbacks3, "), "{facts}");
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
    let colours = of_bar(
        "(() => {
            const d = g.getImageData(Math.round(p.x + p.w) - 40, Math.round(p.y) + 3, 30, 6).data, seen = new Set();
            for (let k = 0; k < d.length; k += 4) seen.add(d[k] + ' ' + d[k + 1] + ' ' + d[k + 2]);
            return { mark: LOOK[M.fn[b]].mark, n: seen.size };
        })()",
    );
    browser.ask("(ui.path = false, 0)");
    let seen = browser.ask(&format!("[...M.fn].map((f, b) => {colours})"));
    let seen = seen.as_array().unwrap();
    let of = |plain: bool| seen.iter().filter(move |one| (one["mark"] == 0) == plain);
    assert_eq!((of(true).count(), of(false).count()), (12, 36), "{seen:?}");
    assert!(of(true).all(|one| one["n"] == 1), "{seen:?}");
    assert!(of(false).all(|one| one["n"].as_u64() >= Some(2)), "{seen:?}");
    // Nothing leads from one to the other, so they stand in rows and columns, and all can be seen.
    let graph = "document.querySelector('#graph svg').getBoundingClientRect().height";
    assert!(
        browser.number(graph) <= browser.number("document.getElementById('graph').clientHeight")
    );
}

#[test]
#[ignore = "needs chromium and its driver; .ci/run has them"]
fn narrow_bars_beside_each_other_show_the_pattern_that_they_have_in_common() {
    let (browser, _folder) = open(&runs::of_many_functions(&Pool::new(1)));
    // As of a far longer run: all bars are narrow, and each stands for one of its neighbours too.
    let patterns = |mark: &str| {
        browser.text(&format!(
            "(() => {{
                for (const look of LOOK) look.mark = {mark};
                setView(0, M.end);
                const cells = new Cells(0, M.end);
                const size = cells.size / 5;
                for (let t = 0; t + size < M.end; t += size) cells.add(t, t + size, LOOK[Math.round(t / size) % LOOK.length].mark);
                const marked = cells.marked() ?? [];
                const long = marked.reduce((sum, [a, b]) => sum + b - a, 0);
                return `${{[...new Set(marked.map(m => m[2]))]}} ${{Math.round(10 * long / M.end)}}`;
            }})()"
        ))
    };
    assert_eq!(patterns("2"), "2 10");
    assert_eq!(patterns("0"), " 0");
    // No pattern of one is shown for those of many.
    assert_eq!(patterns("LOOK.indexOf(look) % 5"), " 0");
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
