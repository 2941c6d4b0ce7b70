
// Draws bars: what is narrower than three pixels as mean colours and patterns, all else one by one.
const laneStart = (r) => {
  const ids = r.ids;
  return lower(ids.length, (k) => M.bars.fin[ids[k]] >= view.a);
};
function sift(g, on) {
  // bars under 3 px: their mean colour and cover, a column of pixels each; the others are kept in r.big
  const w = lod.width,
    k = w / (view.b - view.a),
    acc = new Float32Array(w * 4),
    small = (3 * dpr) / k,
    img = lctx.createImageData(w, rows.length),
    px = img.data,
    { start, fin, task } = M.bars,
    { fn, state } = M,
    a0 = view.a,
    b0 = view.b,
    cells = new Cells(a0, b0);
  rows.forEach((r, ri) => {
    r.cells = null;
    r.big = [];
    r.bad = [];
    r.kept = [];
    r.any = false;
    if (r.kind !== "lane" || r.y + r.h < view.y || r.y > view.y + H) return;
    acc.fill(0);
    cells.clear();
    for (let j = laneStart(r), ids = r.ids, n = ids.length; j < n; j++) {
      const b = ids[j],
        i = task[b],
        s = start[b],
        f = fin[b];
      if (s > b0) break;
      if (isBad(state[i]) && b === lastBar(i)) r.bad.push(b);
      if (isKept(i) && b === lastBar(i)) r.kept.push(b);
      if (f - s >= small) {
        r.big.push(b);
        continue;
      }
      r.any = true;
      let x = s > a0 ? Math.min(w - 1, (s - a0) * k) : 0;
      const e = Math.min(w, Math.max((f - a0) * k, x + 0.002)),
        c = C.rgb[fn[i]],
        off = on !== null && !on(i),
        m = off ? 0.16 : 1;
      cells.add(s, f, off ? 0 : LOOK[fn[i]].mark);
      while (x < e) {
        const p = x | 0,
          q = e < p + 1 ? e : p + 1,
          v = (q - x) * m,
          o = p * 4;
        acc[o] += c[0] * v;
        acc[o + 1] += c[1] * v;
        acc[o + 2] += c[2] * v;
        acc[o + 3] += v;
        x = q;
      }
    }
    if (r.any) r.cells = cells.marked();
    if (r.any)
      for (let o = 0, d = ri * w * 4; o < acc.length; o += 4, d += 4) {
        const a = acc[o + 3];
        if (a > 0) {
          px[d] = acc[o] / a;
          px[d + 1] = acc[o + 1] / a;
          px[d + 2] = acc[o + 2] / a;
          px[d + 3] = clamp(a, 0.2, 1) * 255; // what is there is seen, however short
        }
      }
  });
  lctx.putImageData(img, 0, 0);
  g.imageSmoothingEnabled = false;
  rows.forEach((r, ri) => {
    if (r.any) g.drawImage(lod, 0, ri, w, 1, G, r.y + 1, PW, r.h - 2);
    for (const [a, b, mark] of r.cells ?? []) {
      g.fillStyle = C.marks[mark];
      g.fillRect(X(a), r.y + 1, X(b) - X(a), r.h - 2);
    }
  });
}
class Cells {
  // Of bars that are too narrow for a pattern of their own: what pattern nearly all have that are beside each other.
  // Parts of the run, some ten pixels wide, that stay where they are when the view moves.
  constructor(a, b) {
    this.size = 2 ** Math.ceil(Math.log2((8 * (b - a)) / PW));
    this.first = Math.floor(a / this.size);
    this.cover = new Float64Array((Math.ceil(b / this.size) - this.first + 1) * C.marks.length);
    this.any = false;
  }
  clear() {
    if (this.any) this.cover.fill(0);
    this.any = false;
  }
  add(from, to, mark) {
    if (!patterns) return;
    const k = Math.floor((from + to) / 2 / this.size) - this.first;
    this.cover[k * C.marks.length + mark] += to - from;
    this.any = true;
  }
  marked() {
    if (!this.any) return null;
    const out = [],
      n = C.marks.length;
    for (let o = 0, k = this.first; o < this.cover.length; o += n, k++) {
      let all = 0,
        top = 0;
      for (let m = 0; m < n; m++) {
        all += this.cover[o + m];
        if (this.cover[o + m] > this.cover[o + top]) top = m;
      }
      if (top && all > this.size * 0.4 && this.cover[o + top] > all * 0.75)
        out.push([k * this.size, (k + 1) * this.size, top]);
    }
    return out;
  }
}
function drawLane(g, r, on) {
  const k = PW / (view.b - view.a),
    y = r.y + 1,
    hh = r.h - 2,
    wk = M.workers[r.w];
  if (!r.depth && M.d.end) {
    g.fillStyle = C.stopHatch;
    if (wk.start > view.a) g.fillRect(G, y, X(wk.start) - G, hh);
    if (wk.stop < view.b) g.fillRect(X(wk.stop), y, G + PW - X(wk.stop), hh);
  }
  for (const b of r.big) {
    const i = M.bars.task[b],
      from = M.bars.start[b],
      to = M.bars.fin[b],
      x0 = X(from),
      w = (to - from) * k,
      last = b === lastBar(i),
      bad = last && isBad(M.state[i]);
    const x = Math.max(G - 8, x0),
      ww = Math.min(G + PW + 8, x0 + w) - x - (w > 4 ? 1 : 0);
    g.globalAlpha = on && !on(i) ? 0.16 : 1;
    g.fillStyle = C.fn[M.fn[i]];
    bar(g, x, y, ww, hh);
    const look = LOOK[M.fn[i]];
    if (look.mark) {
      g.fillStyle = C.marks[look.mark];
      bar(g, x, y, ww, hh);
    }
    if (bad) {
      g.fillStyle = C.hatch;
      bar(g, x, y, ww, hh);
    }
    const ws = M.waits.get(i)?.filter(([a]) => a >= from && a < to);
    if (ws)
      for (const [a, len] of ws)
        if (len * k > 1) {
          const q = Math.max(2, Math.floor((hh - 5) / 2));
          g.globalAlpha = 1;
          g.fillStyle = C.bg;
          g.fillRect(X(a), y - 0.5, len * k, q + 0.5);
          g.fillRect(X(a), y + hh - q, len * k, q + 0.5);
          g.globalAlpha = on && !on(i) ? 0.16 : 1;
        }
    if (bad) {
      g.strokeStyle = C.bad;
      g.lineWidth = 1.5;
      g.strokeRect(x + 0.75, y + 0.75, Math.max(0.5, ww - 1.5), hh - 1.5);
    } else if (last && M.state[i] === RUNNING) {
      g.fillStyle = C.ink;
      g.fillRect(x + ww - 2, y, 2, hh);
    }
    const ns = M.notes.get(i);
    if (ns && w > 6)
      for (const [at] of ns) {
        if (at < from || at > to) continue;
        const nx = X(at);
        g.fillStyle = "#14181f";
        g.beginPath();
        g.moveTo(nx - 3.5, y);
        g.lineTo(nx + 3.5, y);
        g.lineTo(nx, y + 5);
        g.fill();
      }
    if (look.no && ww > 14 && ww <= 34 && hh >= 12) {
      g.fillStyle = "#14181f";
      g.textAlign = "left";
      g.fillText(look.no, x + 2, y + hh / 2 + 0.5);
    }
    if (ww > 34 && hh >= 12) {
      const tx = Math.max(G, x) + 5 + (bad || (last && isKept(i)) ? 12 : 0),
        until = ws?.length ? Math.min(x + ww, X(ws[0][0])) : x + ww,
        room = until - tx - 2,
        text = begin(g, (look.no && look.no + " ") + (room > 110 ? label(i) : M.fns[M.fn[i]]), room);
      if (text) {
        if (bad || look.mark) {
          g.fillStyle = C.fn[M.fn[i]];
          g.fillRect(tx - 2, y + 2, Math.min(room, g.measureText(text).width + 4), hh - 4);
        }
        g.fillStyle = "#14181f";
        g.textAlign = "left";
        g.fillText(text, tx, y + hh / 2 + 0.5);
      }
    }
  }
  g.globalAlpha = 1;
  signs(g, r.kept, on, 9, (x) => ring(g, x, y + hh / 2, Math.min(4, hh / 2)));
  signs(g, r.bad, on, 5, (x) => cross(g, x, y + hh / 2, Math.min(6, hh / 2)));
}
function begin(g, text, room) {
  // as much of a text as there is room for, if that is worth anything
  if (g.measureText(text).width <= room) return text;
  let n = Math.min(text.length, Math.floor(room / 5));
  while (n >= 3 && g.measureText(short(text, n)).width > room) n--;
  return n < 3 ? "" : short(text, n);
}
function signs(g, bars, on, apart, draw) {
  // on bars of a row, however narrow these are, as far as there is room
  let last = -99;
  for (const b of bars) {
    const i = M.bars.task[b],
      x = X(M.bars.start[b]),
      wide = X(M.bars.fin[b]) - x > 16;
    if (x - last < apart) continue;
    g.globalAlpha = on && !on(i) ? 0.3 : 1;
    draw(Math.max(G + 7, x + (wide ? 8 : 0)));
    last = x;
  }
  g.globalAlpha = 1;
}
function disc(g, x, y, r, fill, stroke, width) {
  g.fillStyle = fill;
  g.strokeStyle = stroke;
  g.lineWidth = width;
  g.beginPath();
  g.arc(x, y, r, 0, 7);
  g.fill();
  g.stroke();
}
const ring = (g, x, y, r) => disc(g, x, y, r, C.bg, C.ink, 1.8);
function cross(g, x, y, r) {
  disc(g, x, y, r, C.bad, C.bg, 1);
  const d = r * 0.42;
  g.strokeStyle = C.bg;
  g.lineWidth = 1.6;
  g.beginPath();
  g.moveTo(x - d, y - d);
  g.lineTo(x + d, y + d);
  g.moveTo(x + d, y - d);
  g.lineTo(x - d, y + d);
  g.stroke();
}
function diamond(g, x, y, r, fill, line) {
  g.beginPath();
  g.moveTo(x, y - r);
  g.lineTo(x + r, y);
  g.lineTo(x, y + r);
  g.lineTo(x - r, y);
  g.closePath();
  g.fillStyle = fill;
  g.fill();
  g.strokeStyle = line;
  g.lineWidth = 1.6;
  g.stroke();
}
const rowOf = (b) => rows.find((r) => r.kind === "lane" && r.w === M.bars.worker[b] && r.depth === M.bars.depth[b]);
