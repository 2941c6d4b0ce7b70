
// Draws what lies on and between bars: tasks that never ran, limits, the critical path, the selection.
function unrunX(r) {
  // tasks that never ran: side by side, from the time it was known
  if (r.at === view.a && r.to === view.b) return r.pos;
  const pos = new Map();
  let last = -99;
  for (const i of r.ids) {
    const x0 = X(M.ready[i]),
      x = last + 11 <= x0 ? x0 : Math.max(x0, Math.min(last + 11, x0 + 300));
    pos.set(i, x);
    last = x;
  }
  r.at = view.a;
  r.to = view.b;
  return (r.pos = pos);
}
function drawUnrun(g, r, on) {
  let last = -99;
  for (const [i, x] of unrunX(r)) {
    if (x < G - 9 || x > G + PW + 9 || (x - last < 2 && i !== ui.task)) continue;
    g.globalAlpha = on && !on(i) ? 0.25 : 1;
    diamond(g, x, r.y + r.h / 2, 4.5, C.bg, M.state[i] === SKIPPED ? C.bad : C.faint);
    last = x;
  }
  g.globalAlpha = 1;
}
function drawCalls(g, r) {
  // callbacks: thin bars, under what their thread ran
  const { start, length, on: of } = M.call;
  let last = -1e9;
  for (let j = lower(r.list.length, (q) => r.reach[q] > view.a); j < r.list.length; j++) {
    const k = r.list[j];
    if (start[k] > view.b) break;
    const x = Math.max(G - 4, X(start[k])),
      to = Math.max(x + 1.5, Math.min(G + PW + 4, X(start[k] + length[k]))),
      found = ui.hits?.calls.has(k);
    if ((to < last + 0.5 && !found) || to < G) continue;
    g.globalAlpha = ui.hits && !found ? 0.3 : 1;
    g.fillStyle = found ? C.ink : of[k] >= 0 && of[k] === ui.task ? C.accent : C.soft;
    bar(g, x, r.y + 2, to - x, r.h - 4);
    last = to;
  }
  g.globalAlpha = 1;
}
function drawLimit(g, r) {
  // above: held, to its own scale; below: in use, up to the limit; or the turns of a rate
  const l = M.limits[r.k],
    band = (v, top, base, hh, color, fill) => {
      const p = new Path2D(),
        Y = (value) => base - (value / top) * hh;
      let j = Math.max(0, lower(r.t.length, (q) => r.t[q] > view.a) - 1);
      p.moveTo(G, base);
      while (j < r.t.length && r.t[j] < view.b) {
        // all that changes within half a pixel, as what it was at least, at most and at last
        const x = Math.max(G, X(r.t[j])),
          until = timeAt(x + 0.5);
        let low = v[j],
          high = low,
          last = low;
        for (j++; j < r.t.length && r.t[j] < until; j++) {
          last = v[j];
          if (last < low) low = last;
          if (last > high) high = last;
        }
        if (low < high) {
          p.lineTo(x, Y(low));
          p.lineTo(x, Y(high));
        }
        p.lineTo(x, Y(last));
        p.lineTo(j < r.t.length ? Math.min(G + PW, X(r.t[j])) : G + PW, Y(last));
      }
      p.lineTo(G + PW, base);
      g.fillStyle = color;
      g.globalAlpha = fill;
      g.fill(p);
      g.globalAlpha = 1;
      g.strokeStyle = color;
      g.lineWidth = 1.2;
      g.stroke(p);
    };
  if (r.top) band(r.held, r.top, r.y + 20, 17, C.held, 0.3);
  if (l.every) {
    g.fillStyle = C.run;
    let last = -9;
    for (let j = lower(r.turns.length, (q) => r.turns[q] > view.a); j < r.turns.length && r.turns[j] <= view.b; j++) {
      const x = X(r.turns[j]);
      if (x - last < 1) continue;
      g.fillRect(x, r.y + 30, 1, 16);
      last = x;
    }
    return;
  }
  band(r.used, l.max, r.y + 46, 20, C.run, 0.35);
  g.strokeStyle = C.ink;
  g.setLineDash([3, 3]);
  g.lineWidth = 1;
  g.beginPath();
  g.moveTo(G, r.y + 25.5);
  g.lineTo(G + PW, r.y + 25.5);
  g.stroke();
  g.setLineDash([]);
}
function drawPath(g) {
  // a thread along the foot of each bar, straight down to the next row, and dashed while it waited there
  const steps = (ui.kind === "ran" ? PR : PS).steps,
    foot = new Map(
      rows.filter((r) => r.kind === "lane").map((r) => [r.w * 256 + r.depth, r.y + r.h - (r.h < 20 ? 1.5 : 3.5)]),
    );
  const lo = Math.max(0, lower(steps.length, (k) => steps[k].to > view.a) - 1),
    hi = Math.min(steps.length, lower(steps.length, (k) => steps[k].from > view.b) + 1),
    dense = (hi - lo) * 9 > PW;
  const solid = new Path2D(),
    cross = new Path2D(),
    wait = new Path2D();
  let px = null,
    py = 0,
    end = -1e9;
  for (let k = lo; k < hi; k++) {
    const s = steps[k],
      on = barAt(s.i, s.from),
      y = foot.get(M.bars.worker[on] * 256 + M.bars.depth[on]),
      a = X(s.from),
      b = Math.max(X(s.to), a + 1);
    if (px != null) {
      if (y !== py) {
        cross.moveTo(px, py);
        cross.lineTo(px, y);
      }
      if (a - px > 2) {
        wait.moveTo(px, y);
        wait.lineTo(a, y);
      }
    }
    if (!dense || y !== py || b - end > 0.7) {
      solid.moveTo(Math.max(a, G - 9), y);
      solid.lineTo(Math.min(b, G + PW + 9), y);
      end = b;
    }
    px = X(s.to);
    py = y;
  }
  g.lineCap = "round";
  g.strokeStyle = C.ink;
  if (dense) {
    g.globalAlpha = 0.16;
    g.lineWidth = 1;
    g.stroke(cross);
    g.globalAlpha = 1;
    g.lineWidth = 2.4;
    g.stroke(solid);
  } else {
    g.strokeStyle = C.bg;
    g.globalAlpha = 0.85;
    g.lineWidth = 4.5;
    g.stroke(solid);
    g.stroke(cross);
    g.stroke(wait);
    g.globalAlpha = 1;
    g.strokeStyle = C.ink;
    g.lineWidth = 2;
    g.stroke(solid);
    g.lineWidth = 1.4;
    g.stroke(cross);
    g.setLineDash([2, 4]);
    g.lineWidth = 1.8;
    g.stroke(wait);
    g.setLineDash([]);
  }
  g.lineCap = "butt";
}
function place(b) {
  // where a bar is, or the mark of a task that never ran
  const did = M.bars.worker[b] >= 0,
    r = did ? rowOf(b) : rows.find((r) => r.kind === "unrun");
  if (!r) return null;
  const x = did ? X(M.bars.start[b]) : unrunX(r).get(b) - 5;
  return { r, x, y: r.y, h: r.h, w: did ? Math.max(2, X(M.bars.fin[b]) - x) : 10 };
}
function placeCall(k) {
  const [a, b] = stretch({ kind: "calls" }, k),
    r = callRow(k);
  return { r, x: X(a), y: r.y, h: r.h, w: Math.max(2, X(b) - X(a)) };
}
function drawSelection(g) {
  const arrow = (a, b, color, dash) => join(place(lastBar(a)), place(b), color, dash);
  const join = (p, q, color, dash) => {
    if (!p || !q) return;
    const x0 = p.x + p.w,
      y0 = p.y + p.h / 2,
      x1 = q.x,
      y1 = q.y + q.h / 2,
      c = clamp((x1 - x0) / 2, 8, 60);
    g.setLineDash(dash ? [5, 4] : []);
    g.beginPath();
    g.moveTo(x0, y0);
    g.bezierCurveTo(x0 + c, y0, x1 - c, y1, x1, y1);
    g.strokeStyle = C.bg;
    g.lineWidth = 3.6;
    g.stroke();
    g.strokeStyle = color;
    g.lineWidth = 1.4;
    g.stroke();
    g.setLineDash([]);
    g.fillStyle = color;
    g.beginPath();
    g.moveTo(x1, y1);
    g.lineTo(x1 - 6, y1 - 3.5);
    g.lineTo(x1 - 6, y1 + 3.5);
    g.fill();
  };
  const frame = (p, color, width) => {
    if (!p) return;
    g.strokeStyle = color;
    g.lineWidth = width;
    g.beginPath();
    g.roundRect(p.x - 0.5, p.y + 0.5, p.w, p.h - 1, 3);
    g.stroke();
  };
  const box = (i, color, width) => {
    for (const b of barsOf(i).slice(0, 400)) frame(place(b), color, width);
  };
  const i = ui.task;
  if (i >= 0) {
    const f = M.failure[i] >= 0 ? M.failures[M.failure[i]] : null;
    for (const d of inputs(i).slice(0, 40)) arrow(d, i, skippedFor(i, d) ? C.bad : C.accent, skippedFor(i, d));
    for (const d of dependents(i).slice(0, 40)) arrow(i, d, skippedFor(d, i) ? C.bad : C.soft, skippedFor(d, i));
    if (f)
      for (const s of f.skipped.slice(0, 60))
        for (const d of inputs(s)) if (M.failure[d] === M.failure[i] && d !== i && s !== i) arrow(d, s, C.bad, true);
    box(i, C.bg, 5);
    box(i, C.accent, 2.5);
  }
  if (ui.call >= 0) {
    if (i >= 0) join(place(lastBar(i)), placeCall(ui.call), C.accent);
    frame(placeCall(ui.call), C.bg, 5);
    frame(placeCall(ui.call), C.ink, 2);
  }
  if (ui.hoverCall >= 0 && ui.hoverCall !== ui.call) frame(placeCall(ui.hoverCall), C.ink, 1.6);
  if (ui.hover >= 0 && ui.hover !== i) {
    box(ui.hover, C.bg, 4);
    box(ui.hover, C.ink, 1.6);
  }
}
