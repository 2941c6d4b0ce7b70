
// The left pane: its tabs, and the table of functions.
function tabs() {
  const tab = (id, name, extra) =>
    h(
      "button",
      {
        role: "tab",
        id: "tab-" + id,
        "aria-selected": String(ui.tab === id),
        tabindex: ui.tab === id ? 0 : -1,
        onclick: () => show(id),
        onkeydown: (e) => {
          const all = [...$("tabs").querySelectorAll("[role=tab]")],
            k = all.indexOf(e.currentTarget) + (e.key === "ArrowRight" ? 1 : e.key === "ArrowLeft" ? -1 : NaN);
          if (all[k]) {
            e.stopPropagation();
            all[k].click();
            $("tabs").querySelector("[aria-selected=true]").focus();
          }
        },
      },
      name,
      extra,
    );
  put(
    $("tabs"),
    tab("functions", "Functions"),
    tab("path", "Critical path"),
    tab("failures", "Failures", M.failures.length ? h("span", { class: "count" }, " " + M.failures.length) : null),
    tab("task", ui.task >= 0 ? tail(label(ui.task), 28) : "Task"),
  );
}
function panel() {
  put($("panel"), { functions: functionTable, path: pathPanel, failures: failurePanel, task: taskPanel }[ui.tab]());
  hideCard();
}
const HELD = found.figures.some((x) => x.held > 0),
  MORE = M.d.stored.asked > 0 || HELD;
const COLS = [
  ["name", "Function"],
  ["count", "Count"],
  ...(M.d.stored.asked ? [["kept", "○ Kept"]] : []),
  ...(HELD ? [["held", "Held"]] : []),
  ["total", "Total"],
  ["mean", "Mean"],
  ["p50", "p50"],
  ["p95", "p95"],
  ["max", "Max"],
  ["failed", "Failed"],
];
function functionTable() {
  if (!M.n)
    return h(
      "div",
      { class: "empty" },
      h("b", {}, "No task was recorded"),
      "A task is a call of an annotated function, or a call in a chain whose arguments were not there yet.",
    );
  const [by, dir] = ui.sort,
    list = ST.fns
      .filter((x) => x.count)
      .sort((a, b) => dir * (by === "name" ? (b.name < a.name ? 1 : -1) : a[by] - b[by] || b.total - a.total)),
    most = Math.max(...ST.fns.map((x) => x.total), 1),
    opt = (k) => (k === "mean" || k === "p50" ? "opt" : k === "p95" ? "opt2" : null);
  return h(
    "table",
    { class: MORE && "more" },
    h(
      "thead",
      {},
      h(
        "tr",
        {},
        COLS.map(([k, n]) =>
          h(
            "th",
            { class: opt(k), "aria-sort": by === k ? (dir < 0 ? "descending" : "ascending") : null, scope: "col" },
            h(
              "button",
              {
                onclick: () => {
                  ui.sort = [k, by === k ? -dir : k === "name" ? 1 : -1];
                  panel();
                  $("panel").querySelector(`th[aria-sort] button`)?.focus();
                },
              },
              n,
            ),
          ),
        ),
      ),
    ),
    h(
      "tbody",
      {},
      list.map((x, r) =>
        h(
          "tr",
          {
            tabindex: ui.fn >= 0 ? (ui.fn === x.f ? 0 : -1) : r ? -1 : 0,
            "aria-selected": String(ui.fn === x.f),
            onmouseenter: () => hoverFn(x.f),
            onmouseleave: () => hoverFn(-1),
            onclick: () => select({ fn: ui.fn === x.f ? -1 : x.f }),
            onkeydown: (e) => {
              const tr = e.currentTarget,
                to = { ArrowDown: tr.nextSibling, ArrowUp: tr.previousSibling }[e.key];
              if (to) {
                e.preventDefault();
                e.stopPropagation();
                to.focus();
              } else if (e.target === tr && (e.key === "Enter" || e.key === " ")) {
                e.preventDefault();
                tr.click();
                $("panel").querySelectorAll("tbody tr")[r]?.focus();
              }
            },
          },
          h("td", { title: x.name }, h("span", { class: "cut" }, fnChip(x.f), h("span", { class: "tail" }, h("bdi", {}, x.name)))),
          h("td", {}, count(x.count)),
          M.d.stored.asked > 0 && h("td", { title: "values that a store had" }, x.asked ? count(x.kept) : "–"),
          HELD && h("td", { title: HELD_BY }, x.held ? time(x.held) : h("span", { class: "zero" }, "–")),
          h(
            "td",
            {},
            x.total / most > 0.01 && h("i", { class: "share", style: `width:${((x.total / most) * 92).toFixed(1)}%` }),
            time(x.total),
          ),
          h("td", { class: "opt" }, time(x.mean)),
          h("td", { class: "opt" }, time(x.p50)),
          h("td", { class: "opt2" }, time(x.p95)),
          h(
            "td",
            {},
            x.longest >= 0
              ? h(
                  "button",
                  {
                    class: "link",
                    title: `Show ${label(x.longest)}`,
                    onclick: (e) => {
                      e.stopPropagation();
                      select({ task: x.longest });
                    },
                  },
                  time(x.max),
                )
              : "–",
          ),
          h(
            "td",
            {},
            x.failed ? h("span", { class: "badc" }, "✕ " + count(x.failed)) : null,
            x.failed && x.skipped ? " " : null,
            x.skipped ? h("span", { class: "soft", title: "never ran" }, "◇ " + count(x.skipped)) : null,
            !x.failed && !x.skipped ? h("span", { class: "zero" }, "0") : null,
          ),
        ),
      ),
    ),
  );
}
