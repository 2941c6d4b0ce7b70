
// Which nodes and edges the graph has: by function, or around a task.
function graphData() {
  if (ui.mode === "functions") {
    const steps = runsOf((ui.kind === "ran" ? PR : PS).steps),
      crit = new Set(steps.map((o) => o.f)),
      pairs = new Set(steps.map((o, k) => (k ? steps[k - 1].f + ">" + o.f : ""))),
      c = 11,
      nodes = ST.fns
        .filter((x) => x.count)
        .map((x) => {
          const open = ui.unfolded.has(x.f),
            per = open ? foldOf(x) : [],
            cols = Math.min(16, Math.max(1, Math.ceil(Math.sqrt(per.length * 2.2)))),
            second = `${count(x.count)} × ${time(x.mean)}`,
            badge = [x.failed && `✕ ${count(x.failed)} failed`, x.skipped && `◇ ${count(x.skipped)} skipped`]
              .filter(Boolean)
              .join("  ");
          return {
            id: x.f,
            x0: x,
            f: x.f,
            w: Math.max(
              92,
              textWidth(x.name) + (x.count > 1 ? 48 : 28),
              textWidth(second) * 0.92 + 24,
              badge ? textWidth(badge) + 18 : 0,
              open ? cols * c + 22 : 0,
            ),
            wd: Math.max(
              110,
              textWidth(x.name) + 48,
              textWidth("◇ " + second + "  " + badge) * 0.92 + 26,
              open ? cols * c + 22 : 0,
            ),
            badge,
            second,
            h: 44 + (open ? Math.ceil(per.length / cols) * c + 10 + (x.count > per.length ? 14 : 0) : 0),
            per,
            cols,
            open,
            crit: crit.has(x.f),
            loop: ST.edges.some((e) => e.a === x.f && e.b === x.f),
          };
        });
    return {
      nodes,
      edges: ST.edges.map((e) => ({ ...e, crit: e.a === e.b ? crit.has(e.a) : pairs.has(e.a + ">" + e.b) })),
    };
  }
  let ids;
  if (M.n <= 60) ids = [...Array(M.n).keys()];
  else {
    // around the task: two steps to each side, and back to where its failure began
    const set = new Set([ui.task]),
      grow = (from, next, max) => {
        const out = [];
        for (const v of from)
          for (const d of next(v))
            if (!set.has(d) && out.length < max) {
              set.add(d);
              out.push(d);
            }
        return out;
      },
      byBad = (a, b) => (M.state[b] !== DONE) - (M.state[a] !== DONE) || M.fin[b] - M.fin[a],
      up = (i) => [...inputs(i)].sort(byBad),
      dn = (i) => [...dependents(i)].sort(byBad);
    const most = clamp(Math.floor($("graph").clientHeight / 50) - 1, 3, 9); // as many as stand in a column without scrolling
    grow(grow([ui.task], up, most), (i) => up(i).slice(0, 2), most);
    grow(grow([ui.task], dn, most), (i) => dn(i).slice(0, 2), most);
    for (let i = ui.task, k = 0; k < 8 && M.failure[i] >= 0 && M.failures[M.failure[i]].task !== i; k++) {
      i = inputs(i).find((d) => M.failure[d] === M.failure[i]);
      if (i == null) break;
      set.add(i);
    }
    if (M.failure[ui.task] >= 0) for (const d of failurePath(M.failures[M.failure[ui.task]]).slice(0, 9)) set.add(d);
    if (M.parent[ui.task] >= 0) set.add(M.parent[ui.task]);
    ids = [...set].sort((a, b) => a - b);
  }
  const has = new Set(ids),
    path = onPath[ui.kind],
    edges = [];
  for (const i of ids) {
    for (const d of inputs(i))
      if (has.has(d))
        edges.push({
          a: d,
          b: i,
          n: 1,
          bad: +skippedFor(i, d),
          crit: path.has(d) && path.has(i) && (ui.kind === "span" || lastInput(i) === d),
        });
    if (has.has(M.parent[i])) edges.push({ a: M.parent[i], b: i, n: 1, bad: 0, sub: true });
  }
  return {
    nodes: ids.map((i) => ({
      id: i,
      task: i,
      f: M.fn[i],
      second: taskWords(i),
      w: Math.max(104, textWidth(label(i)) + 30, textWidth(taskWords(i)) * 0.92 + 40),
      h: 38,
      crit: path.has(i),
    })),
    edges,
  };
}
const taskWords = (i) =>
  ran(i)
    ? time(M.fin[i] - M.start[i]) + (isBad(M.state[i]) ? " · " + stateWord(i) : "")
    : stateWord(i);
const foldCache = new Map();
function foldOf(x) {
  if (!foldCache.has(x.f)) {
    const a = [];
    for (let i = 0; i < M.n; i++) if (M.fn[i] === x.f) a.push(i);
    a.sort((p, q) => (M.state[q] !== DONE) - (M.state[p] !== DONE) || M.own[q] - M.own[p]);
    foldCache.set(x.f, a.slice(0, 192));
  }
  return foldCache.get(x.f);
}
const textWidth = (s) => {
  octx.font = "12px Inter, system-ui, sans-serif";
  return octx.measureText(tail(s, 30)).width;
};
