
// The recorded run, decoded: columns, neighbours, and the bars of each row. The format stands at the head of the page.
function decode(d) {
  const t = d.tasks,
    n = t.fn.length,
    f = () => new Float64Array(n);
  const m = {
    n,
    d,
    end: Math.max(1, d.end),
    fns: d.functions,
    sites: d.sites,
    workers: d.workers,
    limits: d.limits,
    failures: d.failures,
    fn: Uint32Array.from(t.fn),
    site: Uint32Array.from(t.site),
    worker: Int32Array.from(t.worker),
    state: Uint8Array.from(t.state),
    sub: f(),
    ready: f(),
    start: f(),
    fin: f(),
    own: f(), // without the time in which it waited or was suspended
    held: f(), // before it began, and later
    heldIn: f(),
    parent: new Int32Array(n).fill(-1),
    failure: new Int32Array(n).fill(-1),
    kept: new Float64Array(n).fill(-2), // what the value had taken that a store had; -1: it had none; -2: none was asked
    waits: new Map(),
    notes: new Map(),
  };
  for (let i = 0, at = 0; i < n; i++) {
    m.sub[i] = at += t.submitted[i];
    m.ready[i] = at + t.ready[i];
    m.start[i] = m.ready[i] + t.start[i];
    m.fin[i] = m.start[i] + t.run[i];
    m.own[i] = t.own[i];
  }
  for (const k of ["parent", "kept"])
    d[k].task.forEach((i, j) => {
      m[k][i] = d[k].value[j];
    });
  const group = (map, x, make) =>
    x.task.forEach((i, j) => (map.has(i) ? map.get(i).push(make(j)) : map.set(i, [make(j)])));
  group(m.waits, d.waits, (j) => [d.waits.start[j], d.waits.length[j], d.waits.on[j]]);
  group(m.notes, d.notes, (j) => [d.notes.at[j], d.notes.text[j]]);
  lines(m);
  m.failures.forEach((x, k) => {
    m.failure[x.task] = k;
    for (const s of x.skipped) m.failure[s] = k;
  });
  const E = d.inputs.back.length,
    off = (m.inOff = new Uint32Array(n + 1)),
    ins = (m.ins = new Uint32Array(E)),
    oo = (m.outOff = new Uint32Array(n + 1)),
    outs = (m.outs = new Uint32Array(E));
  let e = 0;
  for (let i = 0; i < n; i++) {
    for (let k = d.inputs.count[i]; k > 0; k--) {
      ins[e] = i - d.inputs.back[e];
      oo[ins[e++] + 1]++;
    }
    off[i + 1] = e;
  }
  for (let i = 0; i < n; i++) oo[i + 1] += oo[i];
  const at = oo.slice();
  for (let i = 0; i < n; i++) for (let k = off[i]; k < off[i + 1]; k++) outs[at[ins[k]]++] = i;
  m.order = new Uint32Array(n).map((_, i) => i).sort((a, b) => m.start[a] - m.start[b] || a - b); // inputs come before dependents in it
  bars(m);
  calls(m);
  return m;
}
function lines(m) {
  // the stretches in which tasks stood in the lines of limits, by task
  const d = m.d.holds,
    off = (m.holdOff = new Uint32Array(m.n + 1)),
    p = m.d.permits;
  let i = 0;
  for (let k = 0; k < d.task.length; k++) {
    d.task[k] = i += d.task[k];
    d.start[k] += m.sub[i];
    off[i + 1] = k + 1;
    const end = d.start[k] + d.length[k],
      before = Math.max(0, Math.min(end, m.start[i]) - Math.max(d.start[k], m.ready[i]));
    m.held[i] += before;
    m.heldIn[i] += d.length[k] - before;
  }
  for (let i = 0; i < m.n; i++) off[i + 1] = Math.max(off[i + 1], off[i]);
  for (let k = 1; k < p.start.length; k++) p.start[k] += p.start[k - 1];
}
function bars(m) {
  // Bar i is the first stretch of task i; the later ones of tasks that were suspended follow after all of these.
  const d = m.d.pieces,
    more = [],
    B = { n: 0 };
  m.rest = new Map();
  for (let j = 0; j < d.task.length; j++)
    if (j && d.task[j] === d.task[j - 1]) {
      const i = d.task[j];
      m.rest.has(i) ? m.rest.get(i).push(m.n + more.length) : m.rest.set(i, [m.n + more.length]);
      more.push(j);
    }
  B.n = m.n + more.length;
  const at = (first, rest) => (b) => (b < m.n ? first(b) : rest(more[b - m.n]));
  const fill = (array, f) => {
    for (let b = 0; b < B.n; b++) array[b] = f(b);
    return array;
  };
  const end = new Map(); // of the first stretches of tasks that have several
  for (let j = d.task.length - 1; j >= 0; j--) end.set(d.task[j], d.start[j] + d.length[j]);
  B.task = fill(new Uint32Array(B.n), at((i) => i, (j) => d.task[j]));
  B.worker = fill(new Int32Array(B.n), at((i) => m.worker[i], (j) => d.worker[j]));
  B.start = fill(new Float64Array(B.n), at((i) => m.start[i], (j) => d.start[j]));
  B.fin = fill(new Float64Array(B.n), at((i) => end.get(i) ?? m.fin[i], (j) => d.start[j] + d.length[j]));
  B.depth = new Uint8Array(B.n);
  m.bars = B;
  m.lanes = m.workers.map(() => [[]]); // worker, depth of nesting → bars by start
  m.unrun = [];
  const stacks = m.workers.map(() => []);
  const order = new Uint32Array(B.n).map((_, b) => b).sort((a, b) => B.start[a] - B.start[b] || B.fin[b] - B.fin[a] || a - b);
  for (const b of order) {
    const w = B.worker[b];
    if (w < 0) {
      m.unrun.push(b);
      continue;
    }
    const s = stacks[w];
    while (s.length && B.fin[s[s.length - 1]] <= B.start[b]) s.pop();
    B.depth[b] = Math.min(255, s.length);
    (m.lanes[w][B.depth[b]] ||= []).push(b);
    s.push(b);
  }
}
function calls(m) {
  // callbacks: of each thread, by their begin; and of each task
  const c = (m.call = m.d.callbacks),
    fin = (k) => c.start[k] + c.length[k];
  m.callsOn = m.workers.map(() => ({ list: [], reach: [] })); // reach: up to where those before go, at most
  m.callsOf = new Map();
  c.worker.forEach((w, k) => {
    const { list, reach } = m.callsOn[w],
      i = c.on[k];
    list.push(k);
    reach.push(Math.max(reach.at(-1) ?? 0, fin(k)));
    if (i >= 0) m.callsOf.has(i) ? m.callsOf.get(i).push(k) : m.callsOf.set(i, [k]);
  });
}
const barsOf = (i) => [i, ...(M.rest.get(i) || [])],
  lastBar = (i) => M.rest.get(i)?.at(-1) ?? i;
function barAt(i, t) {
  // the stretch of a task at a moment
  if (!M.rest.has(i)) return i;
  return barsOf(i).findLast((b) => M.bars.start[b] <= t) ?? i;
}
const isKept = (i) => M.kept[i] >= 0,
  keptWord = (i) => (isKept(i) ? `○ kept: ${time(M.kept[i])} saved` : "no, it was computed");
const stateWord = (i) => (M.state[i] === RUNNING && !ran(i) ? "not begun" : STATES[M.state[i]]);
const inputs = (i) => M.ins.subarray(M.inOff[i], M.inOff[i + 1]),
  dependents = (i) => M.outs.subarray(M.outOff[i], M.outOff[i + 1]);
// whether an input is why a task never ran; one that was merely not over yet is not
const skippedFor = (i, input) =>
  M.state[i] === SKIPPED && (isBad(M.state[input]) || M.state[input] === SKIPPED);
const label = (i) => `${M.fns[M.fn[i]]} #${i}`;
function lastInput(i) {
  let b = -1;
  for (const d of inputs(i)) if (b < 0 || M.fin[d] > M.fin[b]) b = d;
  return b;
}

const M = decode(JSON.parse($("run").textContent));
lap("decoded");

// what was found out about the run
const found = M.d.found,
  CAUSES = found.causes,
  HELD_BY = CAUSES[2][1],
  BINS = found.bins[0].length,
  S = { split: found.rows, total: found.total, bins: found.bins, all: found.total.reduce((a, b) => a + b, 0) };
const steps = (p) => ({
  length: p.length,
  steps: p.task.map((i, k) => ({
    i,
    from: p.from[k],
    to: p.to[k],
    run: p.run[k],
    inside: p.inside[k],
    held: p.held[k],
    queued: p.queued[k],
    before: p.before[k],
  })),
  sum: Object.fromEntries(["run", "inside", "held", "queued", "before"].map((k) => [k, p[k].reduce((a, b) => a + b, 0)])),
});
const PR = steps(found.ran),
  PS = steps(found.span),
  ST = { fns: found.figures.map((x, f) => ({ ...x, f, name: M.fns[f] })), edges: found.edges };
ST.rank = ST.fns.slice().sort((a, b) => b.total - a.total);
function runsOf(steps) {
  // neighbours of one function in a row become one line
  const out = [];
  for (const s of steps) {
    const f = M.fn[s.i],
      o = out[out.length - 1];
    if (o && o.f === f) {
      if (o.last !== s.i) o.n++;
      o.last = s.i;
      for (const k of ["run", "inside", "held", "queued", "before"]) o[k] += s[k];
      if (s.run > o.most) {
        o.most = s.run;
        o.i = s.i;
      }
    } else out.push({ ...s, f, n: 1, most: s.run, last: s.i });
  }
  return out;
}
lap("analysed");
const wall = M.end,
  W = Math.max(1, M.workers.filter((w) => !w.helps).length + M.d.unneeded),
  // those that help are hands as well; and elsewhere, where nobody waits, as many as were busy at once
  waited = (lanes) => lanes.some((ids) => ids.some((b) => M.waits.has(M.bars.task[b]))),
  hands = M.workers.reduce(
    (n, w, k) => n + (w.helps && !waited(M.lanes[k]) ? M.lanes[k].length : 1),
    M.d.unneeded,
  ),
  work = M.own.reduce((a, b) => a + b, 0),
  span = PS.length,
  LOOK = []; // how functions are told apart: by colour, by a pattern upon it, and when all of these are used by a number
ST.rank.forEach((x, k) => {
  LOOK[x.f] = { color: k % 9, mark: Math.floor(k / 9) % 5, no: k < 45 ? "" : String(k + 1) };
});
const patterns = LOOK.some((x) => x.mark);
const onPath = { ran: new Set(PR.steps.map((s) => s.i)), span: new Set(PS.steps.map((s) => s.i)) };
