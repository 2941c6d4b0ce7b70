
// The selection, by arrow keys on the timeline: from bar to bar, and also to callbacks and to what never ran.
const stops = (r) => (r.kind === "calls" ? r.list : r.kind === "lane" || r.kind === "unrun" ? r.ids : []);
function stretch(r, k) {
  // from when to when a stop of a row is
  if (r.kind === "calls") return [M.call.start[k], M.call.start[k] + M.call.length[k]];
  return r.kind === "unrun" ? [M.ready[k], M.ready[k]] : [M.bars.start[k], M.bars.fin[k]];
}
const callRow = (k) => rows.find((r) => r.kind === "calls" && r.w === M.call.worker[k]),
  unrunRow = () => rows.find((r) => r.kind === "unrun");
function here() {
  // the row and the stop that are selected
  if (ui.call >= 0) return { r: callRow(ui.call), k: ui.call };
  if (ui.task < 0) return null;
  return ran(ui.task) ? { r: rowOf(ui.bar), k: ui.bar } : { r: unrunRow(), k: ui.task };
}
function nearest(r, t) {
  // of those within each other, the innermost
  let best = -1,
    dist = Infinity;
  for (const k of stops(r)) {
    const [a, b] = stretch(r, k),
      d = Math.max(0, a - t, t - b);
    if (d < dist || d === 0) {
      best = k;
      dist = d;
    }
  }
  return best;
}
const go = (r, k) => (r.kind === "calls" ? select({ call: k }) : select({ task: M.bars.task[k], bar: k }));
function move(key) {
  const at = here(),
    all = rows.filter((r) => stops(r).length);
  if (!all.length) return;
  if (!at) return go(all[0], nearest(all[0], view.a));
  const list = stops(at.r),
    d = key === "ArrowLeft" || key === "ArrowUp" ? -1 : 1;
  if (key === "ArrowLeft" || key === "ArrowRight") {
    let j = list.indexOf(at.k) + d;
    while (at.r.kind === "lane" && j in list && M.bars.task[list[j]] === ui.task) j += d;
    if (j in list) go(at.r, list[j]);
    return;
  }
  // what is above or below the part of it that is in view
  const next = all[all.indexOf(at.r) + d],
    [a, b] = stretch(at.r, at.k),
    t = (Math.max(a, Math.min(view.a, b)) + Math.min(b, Math.max(view.b, a))) / 2;
  if (next) go(next, nearest(next, t));
}
