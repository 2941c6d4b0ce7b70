
// Keys, buttons; and the start of all.
const KEYS = [
  ["W S", "zoom; also + and −, and the wheel"],
  ["A D", "pan; also by dragging, and Shift + wheel"],
  ["Shift + drag", "zoom to a range"],
  ["0", "the whole run; also a double click beside the bars"],
  ["F", "zoom to what is selected; also a double click on it"],
  ["Page\u00a0up", "other workers; also Page down, and the wheel over their names"],
  ["← → ↑ ↓", "on the timeline: from one task or callback to the next"],
  ["[", "select the input that came last"],
  ["]", "select the first task that needed this one"],
  ["/", "search tasks and callbacks; Enter goes to the next hit, Shift + Enter to the one before"],
  ["N", "next hit; with Shift the one before"],
  ["+", "on a function of the graph: unfold it to its tasks; Tab and arrows lead to them"],
  ["C", "critical path on or off"],
  ["1 2 3 4", "functions, critical path, failures, task"],
  ["Esc", "select nothing"],
];
const caps = (keys) => keys.split(" ").map((k) => (k === "+" && keys !== k ? " + " : [h("kbd", {}, k), " "]));
const SIGNS = [
  [h("i", {}), "a task; its colour says which function"],
  [[h("i", { class: "mark1" }), h("i", { class: "mark3" })], "with a pattern as well, from the tenth function on"],
  [h("i", { style: "height:5px;background:var(--soft)" }), "a callback"],
  [h("i", { style: "height:4px" }), "a task that waits inside, for a result that it has not"],
  [h("i", { class: "struck" }), "a task that failed; so does ✕"],
  ["◇", "a task that never ran"],
  ["○", "a task whose value was kept: it was not computed"],
  ["▾", "a note, such as another try"],
  [h("i", { style: "height:2px;background:var(--ink)" }), "the critical path: what the end of the run waited for"],
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
  else if (k === "f" && ui.call >= 0) fill(stretch(callRow(ui.call), ui.call));
  else if (k === "f" && i >= 0) fill([M.start[i], M.fin[i]]);
  else if (k === "/") {
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
    endSearch();
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
    h("h2", {}, "What is drawn"),
    h("div", { class: "kv" }, SIGNS.map(([sign, t]) => [h("span", { class: "sign" }, sign), h("span", {}, t)])),
    h("h2", { style: "margin-top:16px" }, "Keys"),
    h("div", { class: "kv" }, KEYS.map(([keys, t]) => [h("span", {}, caps(keys)), h("span", {}, t)])),
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
