
// Cards beside what is pointed at; and the selection, one for timeline, table and graph.
function showCard(box, content) {
  // under what is hovered, or over it where there is no room; never on it
  const c = $("card");
  put(c, content);
  c.hidden = false;
  const w = c.offsetWidth,
    hh = c.offsetHeight,
    below = box.bottom + 10 + hh < innerHeight,
    top = below ? box.bottom + 10 : box.top - hh - 10;
  let left = clamp(box.left - 30, 8, innerWidth - w - 8);
  if (!below && box.top - hh - 10 < 4)
    left = box.right + 18 + w < innerWidth ? box.right + 18 : Math.max(4, box.left - w - 18);
  c.style.left = left + "px";
  c.style.top = Math.max(4, top) + "px";
}
const hideCard = () => {
  $("card").hidden = true;
  ui.told = false;
};
const row = (k, v) => v != null && v !== false && [h("span", {}, k), h("span", {}, v)];
const stateMark = (i) =>
  isBad(M.state[i])
    ? h("b", { class: "badc" }, "✕ " + stateWord(i))
    : ran(i)
      ? M.state[i] === DONE
        ? null
        : stateWord(i)
      : h("b", { class: "badc" }, "◇ " + stateWord(i));
const limitName = (k) => {
  const { every, name, bound } = M.limits[k];
  return `the ${every ? "rate" : "limit"} “${name}” (${bound})`;
};
function heldBy(i, a, b) {
  // how long limits held a task from one moment to another, and which
  const by = new Map(),
    d = M.d.holds;
  for (let k = M.holdOff[i]; k < M.holdOff[i + 1]; k++) {
    const t = Math.min(b, d.start[k] + d.length[k]) - Math.max(a, d.start[k]);
    if (t > 0) by.set(d.limit[k], (by.get(d.limit[k]) || 0) + t);
  }
  return [...by].map(([k, t]) => [t, `held by ${limitName(k)}`]);
}
const insideText = (i) => {
  // what of its run time was none of its own
  const inside = Math.max(0, M.fin[i] - M.start[i] - M.own[i] - M.heldIn[i]);
  return [...heldBy(i, M.start[i], M.fin[i]), [inside, "waiting inside"]]
    .filter(([t]) => t > 0)
    .map(([t, what]) => `${time(t)} ${what}`)
    .join(", ");
};
function waitText(i) {
  // the parts of the wait, without those under a hundredth of it
  const parts = [
      [M.ready[i] - M.sub[i], "for inputs"],
      ...heldBy(i, M.ready[i], M.start[i]),
      [ran(i) ? M.start[i] - M.ready[i] - M.held[i] : 0, "for a worker"],
    ],
    all = parts.reduce((a, p) => a + p[0], 0);
  return (
    parts
      .filter((p) => p[0] > all * 0.01)
      .map(([v, n]) => `${time(v)} ${n}`)
      .join(" · ") || "not at all"
  );
}
function taskCard(i) {
  const ins = [...inputs(i)],
    last = lastInput(i),
    f = M.failure[i] >= 0 ? M.failures[M.failure[i]] : null,
    full = M.fin[i] - M.start[i];
  return [
    h(
      "div",
      { class: "t" },
      fnChip(M.fn[i]),
      M.fns[M.fn[i]],
      h("small", {}, "#" + i),
      h("small", { style: "margin-left:auto;padding-left:14px" }, stateMark(i) || ""),
    ),
    h(
      "div",
      { class: "kv" },
      row(
        "Ran",
        ran(i) && [
          h("b", {}, time(full)),
          full - M.own[i] > 0 && h("i", {}, ` of it ${insideText(i)}`),
        ],
      ),
      M.kept[i] > -2 && row("Kept", keptWord(i)),
      row("Waited", waitText(i)),
      row("Called at", h("code", {}, M.sites[M.site[i]])),
      row(
        "Inputs",
        ins.length
          ? [
              ins.slice(0, 3).map((d, k) => (k ? ", " : "") + label(d)),
              ins.length > 3 && ` and ${count(ins.length - 3)} more`,
              ins.length > 1 && h("i", {}, ` · last came ${label(last)}`),
            ]
          : h("i", {}, "none"),
      ),
      row(
        "Callbacks",
        M.callsOf.has(i) &&
          (M.callsOf.get(i).length > 3
            ? count(M.callsOf.get(i).length)
            : M.callsOf.get(i).map((k) => h("div", {}, callWords(k)))),
      ),
      row(
        "Notes",
        M.notes.has(i) && M.notes.get(i).map(([at, t]) => h("div", {}, h("i", {}, `+${time(at - M.start[i])} `), t)),
      ),
    ),
    f && h("div", { class: "err" }, f.task === i ? f.message : `skipped: ${label(f.task)} ${stateWord(f.task)}`),
  ];
}
const callWords = (k) => `${time(M.call.length[k])} on ${M.workers[M.call.worker[k]].name}`,
  callSite = (k) => h("code", {}, M.sites[M.call.site[k]]);
const callCard = (k) => [
  h("div", { class: "t" }, "Callback", h("small", {}, "with the result")),
  h(
    "div",
    { class: "kv" },
    row("Took", h("b", {}, time(M.call.length[k]))),
    row("Set at", callSite(k)),
    row("Result of", M.call.on[k] >= 0 ? label(M.call.on[k]) : h("i", {}, "no task of this run")),
  ),
];
function tellCall() {
  // beside the callback that keys have come to
  const p = placeCall(ui.call),
    b = main.getBoundingClientRect(),
    x = clamp(p.x, G, G + PW),
    y = b.top + p.y - view.y;
  showCard({ left: b.left + x, right: b.left + Math.min(p.x + p.w, G + PW), top: y, bottom: y + p.h }, callCard(ui.call));
}
const workerCard = (w) => [
  h(
    "div",
    { class: "t" },
    M.workers[w].name,
    h(
      "small",
      {},
      plural(
        M.lanes[w].reduce((s, l) => s + l.length, 0),
        "task",
      ),
    ),
  ),
  h("div", { style: "margin:7px 0 4px" }, splitBar(S.split[w], M.end)),
  h(
    "div",
    { class: "kv" },
    CAUSES.map(
      ([k, n], c) =>
        S.split[w][c] > 0 && [
          h("span", {}, causeChip(k), n),
          h("span", {}, `${time(S.split[w][c])} `, h("i", {}, pct(S.split[w][c] / M.end))),
        ],
    ),
  ),
];
function limitCard(r, x) {
  const t = timeAt(Math.max(G, x)),
    j = Math.max(0, lower(r.t.length, (q) => r.t[q] > t) - 1),
    l = M.limits[r.k];
  return [
    h("div", { class: "t" }, l.name, h("small", {}, l.every ? l.bound : `at most ${l.max} at once`)),
    h(
      "div",
      { class: "kv" },
      row("At", time(t, 4)),
      l.every
        ? row("Begun", count(lower(r.turns.length, (q) => r.turns[q] > t)))
        : row("In use", String(r.used[j])),
      row("Held", String(r.held[j])),
      row("Set at", h("code", {}, l.site)),
    ),
  ];
}

function select({ task = -1, bar = -1, fn = -1, call = -1, from = "" }) {
  // a callback is selected together with the task whose result it was called with
  if (call >= 0) task = M.call.on[call];
  ui.task = task;
  ui.bar = bar >= 0 ? bar : task;
  ui.call = call;
  ui.fn = task >= 0 ? -1 : fn;
  ui.hoverFn = -1;
  if (from !== "timeline") {
    if (call >= 0) bring(callRow(call), ...stretch(callRow(call), call));
    else if (task >= 0) reveal(task, bar);
  }
  if (task >= 0) {
    if (ui.tab === "functions" || ui.tab === "task") ui.tab = "task";
    if (M.n > 60 && from !== "cell") ui.mode = "tasks";
  } else if (ui.tab === "task") ui.tab = "functions";
  if (task < 0 && M.n > 60) ui.mode = "functions";
  if (call >= 0 || task >= 0) $("live").textContent = call >= 0 ? sayCall(call) : sayTask(task);
  tabs();
  panel();
  graph();
  ui.told = call >= 0 && from !== "timeline";
  invalidate();
  saveHash();
  $("panel").querySelector("tr[aria-selected=true]")?.scrollIntoView({ block: "nearest" });
}
function sayTask(i) {
  const calls = M.callsOf.get(i)?.length;
  return (
    `${label(i)}, ${stateWord(i)}${isKept(i) ? ", kept" : ""}, ` +
    `${ran(i) ? `ran ${time(M.fin[i] - M.start[i])}, ` : ""}${M.heldIn[i] ? `of it ${insideText(i)}, ` : ""}waited ${waitText(i)}${calls ? `, ${plural(calls, "callback")}` : ""}`
  );
}
const sayCall = (k) =>
  `Callback, took ${callWords(k)}, set at ${M.sites[M.call.site[k]]}, ${M.call.on[k] >= 0 ? "result of " + label(M.call.on[k]) : "of no task of this run"}`;
function hoverFn(f) {
  if (ui.hoverFn !== f) {
    ui.hoverFn = f;
    invalidate();
  }
}
function show(tab) {
  ui.tab = tab;
  tabs();
  panel();
}
let hashTimer = 0;
function saveHash() {
  clearTimeout(hashTimer);
  hashTimer = setTimeout(() => {
    const p = [];
    if (view.a > 0 || view.b < M.end) p.push(`t=${Math.round(view.a)}-${Math.round(view.b)}`);
    if (ui.task >= 0) p.push("task=" + ui.task);
    if (ui.fn >= 0) p.push("fn=" + ui.fn);
    try {
      history.replaceState(null, "", "#" + p.join("&"));
    } catch {
      /* from some viewers */
    }
  }, 250);
}
function loadHash() {
  const p = new URLSearchParams(location.hash.slice(1)),
    t = /^(\d+)-(\d+)$/.exec(p.get("t") || ""),
    num = (k, n) => {
      const v = p.has(k) ? +p.get(k) : -1;
      return Number.isInteger(v) && v >= 0 && v < n ? v : -1;
    };
  if (t && +t[2] > +t[1]) {
    view.a = clamp(+t[1], 0, M.end - 1);
    view.b = clamp(+t[2], view.a + 1, M.end);
  }
  ui.fn = num("fn", M.fns.length);
  ui.task = ui.bar = num("task", M.n);
  if (ui.task >= 0) {
    ui.tab = "task";
    ui.mode = "tasks";
  }
}

