
// Search, keys, buttons; and the start of all.
function search(text) {
  ui.query = text.trim();
  ui.hit = -1;
  ui.hits = null;
  if (ui.query) {
    const words = ui.query.toLowerCase().split(/\s+/),
      unit = { ns: 1, us: 1e3, µs: 1e3, ms: 1e6, s: 1e9, min: 6e10 };
    const tests = words.map((w) => {
      const num = /^#(\d+)$/.exec(w),
        cmp = /^([<>])(\d+(?:\.\d+)?)(ns|us|µs|ms|s|min)$/.exec(w),
        st = STATES.findIndex((s) => s === w);
      if (num) return (i) => i === +num[1];
      if (cmp) {
        const v = cmp[2] * unit[cmp[3]];
        return cmp[1] === ">" ? (i) => ran(i) && M.own[i] > v : (i) => ran(i) && M.own[i] < v;
      }
      if (st >= 0) return (i) => M.state[i] === st || (w === "failed" && isBad(M.state[i]));
      if (w === "kept") return isKept;
      const f = M.fns.map((s) => s.toLowerCase().includes(w)),
        s = M.sites.map((s) => s.toLowerCase().includes(w)),
        k = M.workers.map((x) => x.name.toLowerCase() === w);
      return (i) => f[M.fn[i]] || s[M.site[i]] || k[M.worker[i]];
    });
    ui.hits = new Set();
    for (const i of M.order) if (tests.every((t) => t(i))) ui.hits.add(i);
    ui.list = [...ui.hits];
  }
  $("hits").textContent = ui.hits ? count(ui.hits.size) : "";
  invalidate();
}
function nextHit(d) {
  if (!ui.hits?.size) return;
  ui.hit = (ui.hit + d + ui.list.length) % ui.list.length;
  $("hits").textContent = `${count(ui.hit + 1)} / ${count(ui.list.length)}`;
  select({ task: ui.list[ui.hit] });
}
$("q").addEventListener("input", (e) => search(e.target.value));
$("q").addEventListener("keydown", (e) => {
  if (e.key === "Enter") {
    e.preventDefault();
    nextHit(e.shiftKey ? -1 : 1);
  }
  if (e.key === "Escape") {
    e.target.value = "";
    search("");
    main.focus();
  }
  e.stopPropagation();
});
$("q").form.addEventListener("submit", (e) => e.preventDefault());
function move(key) {
  // the selection, by arrow keys: from bar to bar
  const B = M.bars;
  if (ui.task < 0 || !ran(ui.task)) {
    const r = rows.find((r) => r.kind === "lane" && r.ids.length && r.ids[laneStart(r)] != null);
    if (r) select({ task: B.task[r.ids[laneStart(r)]] });
    return;
  }
  const lanes = rows.filter((r) => r.kind === "lane" && r.ids.length),
    r = rowOf(ui.task),
    k = r.ids.indexOf(ui.task);
  if (key === "ArrowLeft" || key === "ArrowRight") {
    const d = key === "ArrowLeft" ? -1 : 1;
    let j = k + d;
    while (r.ids[j] != null && B.task[r.ids[j]] === ui.task) j += d;
    if (r.ids[j] != null) select({ task: B.task[r.ids[j]] });
    return;
  }
  const q = lanes[lanes.indexOf(r) + (key === "ArrowUp" ? -1 : 1)];
  if (!q) return;
  const mid = (B.start[ui.task] + B.fin[ui.task]) / 2,
    j = Math.min(
      q.ids.length - 1,
      lower(q.ids.length, (x) => B.fin[q.ids[x]] > mid),
    );
  select({ task: B.task[q.ids[j]] });
}
const KEYS = [
  ["W S, + −, wheel", "zoom"],
  ["A D, drag, Shift+wheel", "pan"],
  ["Shift+drag", "zoom to a range"],
  ["drag, Page up, Page down, wheel on the names", "other workers"],
  ["0, double click", "the whole run"],
  ["F", "zoom to the selected task"],
  ["← → ↑ ↓ on the timeline", "select a task beside it"],
  ["+ on a function of the graph", "unfold it to its tasks; then Tab and ← → ↑ ↓ among them"],
  ["[  ]", "to the input that came last, to the first dependent"],
  ["/  Enter  N", "search; next hit, with Shift the one before"],
  ["C", "critical path on or off"],
  ["1 – 4", "functions, critical path, failures, task"],
  ["Esc", "clear the selection"],
];
document.addEventListener("keydown", (e) => {
  if (e.ctrlKey || e.metaKey || e.altKey || $("keys").open) return;
  const k = e.key.length === 1 ? e.key.toLowerCase() : e.key,
    on = document.activeElement === main,
    tab = ["functions", "path", "failures", "task"][+k - 1],
    i = ui.task;
  if (k === "w" || k === "+" || k === "=")
    zoom(0.6, i >= 0 && M.start[i] > view.a && M.fin[i] < view.b ? (M.start[i] + M.fin[i]) / 2 : undefined, true);
  else if (k === "s" || k === "-") zoom(1 / 0.6, undefined, true);
  else if (k === "a") pan(-0.25, true);
  else if (k === "d") pan(0.25, true);
  else if (k === "0" || k === "Home") setView(0, M.end, true);
  else if (k === "f" && i >= 0) {
    const l = Math.max(1, M.fin[i] - M.start[i]);
    setView(M.start[i] - l * 0.15, M.fin[i] + l * 0.15, true);
  } else if (k === "/") {
    $("q").focus();
    $("q").select();
  } else if (k === "n") nextHit(e.shiftKey ? -1 : 1);
  else if (k === "c") $("path").click();
  else if (k === "?") $("help").click();
  else if (tab) show(tab);
  else if (k === "[" && i >= 0) {
    const d = lastInput(i) >= 0 ? lastInput(i) : M.parent[i];
    if (d >= 0) select({ task: d });
  } else if (k === "]" && i >= 0) {
    const d = [...dependents(i)].sort((a, b) => M.start[a] - M.start[b])[0];
    if (d != null) select({ task: d });
  } else if (k === "Escape") {
    select({});
    $("q").value = "";
    search("");
  } else if (on && k.startsWith("Arrow")) move(k);
  else if (on && k.startsWith("Page")) {
    scrollTo(view.y + (k === "PageUp" ? -1 : 1) * H * 0.7);
    invalidate();
  } else return;
  e.preventDefault();
});
$("help").onclick = () => {
  put(
    $("keys"),
    h("h2", {}, "Keys"),
    h(
      "div",
      { class: "kv" },
      KEYS.map(([k, t]) => [h("span", {}, k), h("span", {}, t)]),
    ),
    h("h2", { style: "margin-top:16px" }, "What is drawn"),
    h(
      "p",
      { style: "margin:0" },
      "A bar is a task, coloured by function; where there are more than nine, by a pattern as well. A thin bar below: a callback. Hatching and ✕: it failed. ◇: it never ran. A bar grown thin: it waited inside. ○: its value was kept, and not computed. ▾: a note, such as a retry. The dark thread is the critical path.",
    ),
    h("form", { method: "dialog", style: "margin-top:14px;text-align:right" }, h("button", {}, "Close")),
  );
  $("keys").showModal();
};
$("path").onclick = (e) => {
  ui.path = !ui.path;
  $("path").setAttribute("aria-pressed", ui.path);
  graph();
  invalidate();
};
$("in").onclick = () => zoom(0.6, undefined, true);
$("out").onclick = () => zoom(1 / 0.6, undefined, true);
$("fit").onclick = () => setView(0, M.end, true);

const split = $("divide"),
  part = (v) => {
    ui.part = clamp(v, 0.12, 0.72);
    layout();
    graph();
  };
split.addEventListener("pointerdown", (e) => {
  split.setPointerCapture(e.pointerId);
  const y0 = e.clientY,
    p0 = ui.part;
  split.onpointermove = (ev) => part(p0 + (ev.clientY - y0) / innerHeight);
  split.onpointerup = () => {
    split.onpointermove = null;
  };
});
split.addEventListener("keydown", (e) => {
  const d = { ArrowUp: -0.04, ArrowDown: 0.04 }[e.key];
  if (d) {
    e.preventDefault();
    part(ui.part + d);
  }
});

function restyle() {
  theme();
  layout();
}
theme();
heading();
loadHash();
layout();
tabs();
panel();
graph();
dirty = false;
draw();
lap("drawn");
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", restyle);
let resizing = 0;
addEventListener("resize", () => {
  cancelAnimationFrame(resizing);
  resizing = requestAnimationFrame(() => {
    layout();
    graph();
  });
});
requestAnimationFrame(() =>
  setTimeout(() => {
    perf.painted = performance.now();
  }),
);
