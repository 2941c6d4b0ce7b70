
// The timeline: its rows, and which part of the run is in view.
const main = $("main"),
  over = $("over"),
  ctx = main.getContext("2d"),
  octx = over.getContext("2d"),
  AXIS = 24,
  CALLS = 9; // the height of a row of callbacks
const lod = document.createElement("canvas"),
  lctx = lod.getContext("2d");
const view = { a: 0, b: M.end, y: 0 };
let G = 124,
  PW = 800,
  H = 300,
  rows = [],
  content = 0,
  dpr = 1,
  dirty = false,
  anim = 0;
function longestName() {
  ctx.font = "12px Inter, system-ui, sans-serif";
  return M.workers.reduce((most, w) => Math.max(most, ctx.measureText(w.name).width), 0);
}
function layout() {
  dpr = window.devicePixelRatio || 1;
  const width = $("timeline").clientWidth,
    narrow = width < 800,
    avail = Math.max(120, window.innerHeight * (narrow ? 0.5 : ui.part));
  G = narrow ? 44 : Math.round(clamp(longestName() + 62, 124, Math.max(124, width * 0.13)));
  PW = Math.max(50, width - G);
  const nl = M.lanes.reduce((s, l) => s + 0.6 * l.length + 0.4, 0),
    rh = clamp(
      Math.floor((avail - 60 * M.limits.length - CALLS * M.callsOn.filter((c) => c.list.length).length) / Math.max(1, nl)),
      15,
      Math.max(34, Math.round(ui.part * Math.max(85, window.innerHeight * 0.09))),
    );
  rows = [];
  let y = AXIS + 2;
  M.lanes.forEach((lanes, w) =>
    lanes.forEach((ids, depth) => {
      const hh = depth ? Math.max(11, Math.round(rh * 0.6)) : rh;
      rows.push({ kind: "lane", w, depth, ids, y, h: hh });
      y += hh;
      if (depth === lanes.length - 1 && M.callsOn[w].list.length) {
        rows.push({ kind: "calls", w, depth: depth + 1, ...M.callsOn[w], y, h: CALLS });
        y += CALLS;
      }
    }),
  );
  if (M.d.unneeded) {
    rows.push({ kind: "unneeded", y: y + 3, h: 18 });
    y += 23;
  }
  if (M.unrun.length) {
    rows.push({ kind: "unrun", ids: M.unrun, y: y + 3, h: 22 });
    y += 25;
  }
  M.limits.forEach((l, k) => {
    rows.push({ kind: "limit", k, y: y + 4, h: 48, ...limitLine(k) });
    y += 52;
  });
  content = y + 4;
  H = Math.min(content, Math.max(120, Math.round(avail + 70)));
  for (const [c, w, hh] of [
    [main, width, H],
    [over, width, 34],
  ]) {
    c.width = Math.round(w * dpr);
    c.height = Math.round(hh * dpr);
    c.style.height = hh + "px";
  }
  lod.width = Math.max(1, Math.round(PW * dpr));
  lod.height = Math.max(1, rows.length);
  scrollTo(view.y);
  drawOver();
  invalidate();
}
const scrollTo = (y) => {
  view.y = clamp(y, 0, Math.max(0, content - H));
};
const limitLines = [];
function limitLine(k) {
  // steps of (time, in use, held); of a rate, the moments of its turns
  if (limitLines[k]) return limitLines[k];
  const ev = [],
    turns = [],
    { holds: d, permits: p } = M.d;
  p.limit.forEach((l, j) => {
    if (l !== k) return;
    if (M.limits[k].every) turns.push(p.start[j]);
    else ev.push([p.start[j], p.weight[j], 0], [p.start[j] + p.length[j], -p.weight[j], 0]);
  });
  d.limit.forEach((l, j) => l === k && ev.push([d.start[j], 0, 1], [d.start[j] + d.length[j], 0, -1]));
  ev.sort((a, b) => a[0] - b[0]);
  const t = [0],
    used = [0],
    held = [0];
  let u = 0,
    hh = 0,
    top = 0;
  for (const [at, du, dh] of ev) {
    u += du;
    hh += dh;
    if (at === t[t.length - 1]) {
      used[used.length - 1] = u;
      held[held.length - 1] = hh;
    } else {
      t.push(at);
      used.push(u);
      held.push(hh);
    }
    top = Math.max(top, hh);
  }
  return (limitLines[k] = { t, used, held, top, turns });
}
const X = (t) => G + ((t - view.a) / (view.b - view.a)) * PW,
  timeAt = (x) => view.a + ((x - G) / PW) * (view.b - view.a);
function setView(a, b, smooth) {
  const len = clamp(b - a, Math.min(200, M.end), M.end);
  a = clamp(a + (b - a - len) / 2, 0, M.end - len);
  b = a + len;
  cancelAnimationFrame(anim);
  goal = null;
  if (!smooth || matchMedia("(prefers-reduced-motion: reduce)").matches) {
    view.a = a;
    view.b = b;
    invalidate();
    return saveHash();
  }
  goal = { a, b };
  const a0 = view.a,
    b0 = view.b,
    s = performance.now();
  (function step() {
    const k = clamp((performance.now() - s) / 160, 0, 1),
      e = 1 - (1 - k) ** 3;
    view.a = a0 + (a - a0) * e;
    view.b = b0 + (b - b0) * e;
    invalidate();
    if (k < 1) anim = requestAnimationFrame(step);
    else {
      goal = null;
      saveHash();
    }
  })();
}
let goal = null; // where a movement leads, so that the next key goes on from there
function zoom(f, t, smooth) {
  const { a, b } = goal || view,
    at = t ?? (a + b) / 2;
  setView(at - (at - a) * f, at + (b - at) * f, smooth);
}
const fill = ([a, b]) => setView(a - Math.max(b - a, 1) * 0.15, b + Math.max(b - a, 1) * 0.15, true);
function pan(d, smooth) {
  const { a, b } = goal || view;
  setView(a + d * (b - a), b + d * (b - a), smooth);
}
function reveal(i, b = -1) {
  // brings a task, or one stretch of it, into sight
  if (!ran(i)) bring(unrunRow(), M.ready[i], M.ready[i]);
  else if (b >= 0) bring(rowOf(b), M.bars.start[b], M.bars.fin[b]);
  else bring(rowOf(i), M.start[i], M.fin[i]);
}
function bring(r, from, to) {
  // without zooming where that is not needed
  const len = Math.max(to - from, 1),
    seen = view.b - view.a,
    thin = r.kind === "lane" && (len / seen) * PW < 3;
  if (r.y - view.y < AXIS || r.y + r.h - view.y > H) scrollTo(r.y - H / 2);
  if (from < view.a || to > view.b || thin) {
    const w = thin ? len * 60 : Math.max(seen, len * 1.3),
      mid = (from + to) / 2;
    setView(mid - w / 2, mid + w / 2, true);
  } else invalidate();
}
function invalidate() {
  if (!dirty) {
    dirty = true;
    requestAnimationFrame(() => {
      dirty = false;
      draw();
    });
  }
}

function lit() {
  // which tasks stand out; null: all
  if (ui.hoverFn >= 0) return (i) => M.fn[i] === ui.hoverFn;
  if (ui.hits) return (i) => ui.hits.tasks.has(i);
  if (ui.fn >= 0) return (i) => M.fn[i] === ui.fn;
  return null;
}
function ticks(px) {
  const range = view.b - view.a,
    raw = range / Math.max(2, PW / px),
    p = 10 ** Math.floor(Math.log10(raw)),
    step = Math.max(1, [1, 2, 5, 10].find((k) => k * p >= raw) * p),
    out = [];
  for (let t = Math.ceil(view.a / step - 1e-9) * step; t <= view.b; t += step) out.push(t);
  const units = [
      [1e9, "s"],
      [1e6, "ms"],
      [1e3, "µs"],
      [1, "ns"],
    ],
    unit = units.find((q) => q[0] <= view.b && step >= q[0] / 10) || units.find((q) => step >= q[0]) || units[3];
  const u = view.b / unit[0] >= 1e4 && step < 1e9 ? null : unit,
    base = u ? 0 : out[0] || 0; // deep in a long run: an anchor, then offsets from it
  return {
    out,
    step,
    base,
    text: (t) =>
      u
        ? t === 0
          ? "0"
          : `${+(t / u[0]).toPrecision(12)} ${u[1]}`
        : t === base
          ? time(t, 7).replace(/(\.\d*?)0+(?=\u00a0)/, "$1").replace(/\.(?=\u00a0)/, "")
          : `+${+((t - base) / unit[0]).toPrecision(9)} ${unit[1]}`,
  };
}
function bar(g, x, y, w, hh) {
  if (w > 7) {
    g.beginPath();
    g.roundRect(x, y, w, hh, 2.5);
    g.fill();
  } else g.fillRect(x, y, w, hh);
}
