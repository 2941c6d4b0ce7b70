
// Draws the timeline: all of it, its left edge, and the whole run above it.
function draw() {
  const t0 = performance.now(),
    g = ctx,
    on = lit(),
    tk = ticks(110);
  g.setTransform(dpr, 0, 0, dpr, 0, 0);
  g.fillStyle = C.bg;
  g.fillRect(0, 0, G + PW, H);
  g.save();
  g.beginPath();
  g.rect(G, AXIS, PW, H - AXIS);
  g.clip();
  g.fillStyle = C.grid;
  for (const t of tk.out) g.fillRect(Math.round(X(t)), AXIS, 1, H);
  g.translate(0, -view.y);
  sift(g, on);
  g.font = "11px Inter, system-ui, sans-serif";
  g.textBaseline = "middle";
  for (const r of rows)
    if (r.y + r.h > view.y && r.y < view.y + H)
      ({ lane: drawLane, calls: drawCalls, unneeded: drawUnneeded, unrun: drawUnrun, limit: drawLimit })[r.kind](g, r, on);
  if (ui.path && !on) drawPath(g);
  drawSelection(g);
  g.restore();
  drawGutter(g);
  g.fillStyle = C.bg;
  g.fillRect(0, 0, G + PW, AXIS);
  g.fillStyle = C.line;
  g.fillRect(0, AXIS - 1, G + PW, 1);
  g.fillRect(G - 1, 0, 1, H);
  g.font = "11px Inter, system-ui, sans-serif";
  g.textBaseline = "middle";
  g.textAlign = "left";
  if (G > 60) {
    g.fillStyle = C.soft;
    g.fillText(view.a <= 0 && view.b >= M.end ? "All" : time(view.b - view.a), 18, 12);
  }
  for (const t of tk.out) {
    const x = Math.round(X(t));
    g.fillStyle = C.line;
    g.fillRect(x, AXIS - 6, 1, 6);
    const text = tk.text(t);
    if (x + 6 + g.measureText(text).width < G + PW) {
      g.fillStyle = C.soft;
      g.fillText(text, x + 4, 12);
    }
  }
  if (mouse.at != null && mouse.x > G) {
    g.fillStyle = C.faint;
    g.fillRect(Math.round(mouse.x), AXIS, 0.5, H);
  }
  if (mouse.range) {
    const [p, q] = mouse.range.map(X);
    g.fillStyle = C.accent;
    g.globalAlpha = 0.14;
    g.fillRect(Math.min(p, q), AXIS, Math.abs(q - p), H);
    g.globalAlpha = 1;
  }
  if (content > H) {
    g.fillStyle = C.faint;
    g.globalAlpha = 0.55;
    g.beginPath();
    g.roundRect(
      G + PW - 7,
      AXIS + 3 + (view.y / content) * (H - AXIS - 6),
      4,
      Math.max(24, (H / content) * (H - AXIS - 6)),
      2,
    );
    g.fill();
    g.globalAlpha = 1;
  }
  drawBrush();
  if (ui.told) tellCall();
  perf.draw = performance.now() - t0;
  perf.draws = (perf.draws || 0) + 1;
  perf.worst = Math.max(perf.draws > 3 ? perf.worst || 0 : 0, perf.draw);
}
function fitText(g, s, width) {
  // the end of a name, as much as there is room for
  let n = s.length;
  while (n > 2 && g.measureText(tail(s, n)).width > width) n--;
  return tail(s, n);
}
function drawUnneeded(g, r) {
  g.fillStyle = C.stopHatch;
  g.fillRect(G, r.y + 2, PW, r.h - 4);
}
function drawGutter(g) {
  g.save();
  g.beginPath();
  g.rect(0, AXIS, G, H);
  g.clip();
  g.fillStyle = C.bg;
  g.fillRect(0, 0, G - 1, H);
  g.translate(0, -view.y);
  g.textBaseline = "middle";
  g.textAlign = "left";
  for (const r of rows) {
    if (r.kind === "calls" && G > 60) {
      g.font = "9px Inter, system-ui, sans-serif";
      g.fillStyle = C.soft;
      g.fillText("callbacks", 18, r.y + r.h / 2);
    }
    if (r.depth) continue;
    g.font = "12px Inter, system-ui, sans-serif";
    g.fillStyle = C.ink;
    const y = r.y + r.h / 2 + 0.5,
      left = G < 60 ? 8 : 18;
    if (r.kind === "unneeded") {
      g.fillStyle = C.soft;
      g.fillText(G < 60 ? "–" : `${M.d.unneeded} not needed`, left, y);
      continue;
    }
    if (r.kind === "unrun") {
      g.fillStyle = C.soft;
      g.fillText(G < 60 ? "◇" : `never ran: ${count(r.ids.length)}`, left, y);
      continue;
    }
    if (r.kind === "limit") {
      g.fillStyle = C.soft;
      const l = M.limits[r.k];
      if (G < 60) g.fillText(l.every ? "rate" : "≤ " + l.max, left, r.y + 37);
      else {
        g.fillText(fitText(g, l.name, G - left - 8), left, r.y + 22);
        g.font = "11px Inter, system-ui, sans-serif";
        g.fillText(l.every ? l.bound : `limit of ${l.max}`, left, r.y + 37);
        if (r.top) g.fillText(`up to ${count(r.top)} held`, left, r.y + 8);
      }
      continue;
    }
    const s = S.split[r.w],
      sum = Math.max(M.end, s.reduce((a, b) => a + b, 0)); // of what does several at once
    g.fillStyle = C.soft;
    g.fillText(G < 60 ? /\d*$/.exec(M.workers[r.w].name)[0] || "·" : fitText(g, M.workers[r.w].name, G - left - 44), left, y);
    if (G > 60) {
      const bw = 26,
        bx = G - bw - 10;
      let x = bx;
      CAUSES.forEach(([k], c) => {
        const w = (s[c] / sum) * bw;
        g.fillStyle = C[k];
        g.fillRect(x, y - 4, w, 7);
        x += w;
      });
    }
  }
  g.restore();
}
function drawOver() {
  const c = (over.kept = document.createElement("canvas")),
    g = c.getContext("2d"),
    hh = 34;
  c.width = over.width;
  c.height = over.height;
  g.setTransform(dpr, 0, 0, dpr, 0, 0);
  g.fillStyle = C.panel;
  g.fillRect(0, 0, G + PW, hh);
  const n = Math.min(BINS, Math.floor(PW / 2)),
    order = [0, 3, 1, 2];
  for (let p = 0; p < n; p++) {
    const a = Math.floor((p * BINS) / n),
      b = Math.max(a + 1, Math.floor(((p + 1) * BINS) / n));
    let y = hh;
    for (const c of order) {
      let v = 0;
      for (let j = a; j < b; j++) v += S.bins[c][j];
      const q = Math.min(y - 5, (v / ((W * (b - a) * M.end) / BINS)) * (hh - 5));
      if (q < 0.05) continue;
      g.fillStyle = C[CAUSES[c][0]];
      g.fillRect(G + (p * PW) / n, y - q, PW / n + 0.3, q);
      y -= q;
    }
  }
  g.font = "11px Inter, system-ui, sans-serif";
  g.fillStyle = C.soft;
  g.textBaseline = "middle";
  if (G > 60) g.fillText("Whole run", 18, 18);
}
function drawBrush() {
  const g = octx;
  g.setTransform(1, 0, 0, 1, 0, 0);
  g.drawImage(over.kept, 0, 0);
  g.setTransform(dpr, 0, 0, dpr, 0, 0);
  const a = G + (view.a / M.end) * PW,
    b = G + (view.b / M.end) * PW;
  g.fillStyle = C.wash;
  g.fillRect(G, 0, a - G, 34);
  g.fillRect(b, 0, G + PW - b, 34);
  if (b - a < PW - 1) {
    g.strokeStyle = C.accent;
    g.lineWidth = 2;
    g.strokeRect(a, 1, Math.max(2, b - a), 32);
  }
  g.fillStyle = C.line;
  g.fillRect(0, 33, G + PW, 1);
  g.fillRect(G - 1, 0, 1, 34);
}
