
// Layers for a graph, from left to right or from top to bottom.
function layered(nodes, edges, down) {
  const ix = new Map(nodes.map((v, k) => [v.id, k])),
    n = nodes.length,
    out = nodes.map(() => []),
    mark = new Uint8Array(n),
    rank = new Int32Array(n);
  for (const e of edges) if (e.a !== e.b) out[ix.get(e.a)].push(ix.get(e.b));
  const topo = [],
    keep = nodes.map(() => []);
  for (let s = 0; s < n; s++) {
    if (mark[s]) continue;
    const st = [[s, 0]];
    mark[s] = 1;
    while (st.length) {
      const f = st[st.length - 1],
        v = f[0];
      if (f[1] < out[v].length) {
        const w = out[v][f[1]++];
        if (mark[w] === 1) continue;
        keep[v].push(w);
        if (!mark[w]) {
          mark[w] = 1;
          st.push([w, 0]);
        }
      } else {
        mark[v] = 2;
        topo.push(v);
        st.pop();
      }
    }
  }
  for (const v of topo.reverse()) for (const w of keep[v]) rank[w] = Math.max(rank[w], rank[v] + 1);
  const cells = nodes.map((v, k) => ({
      k,
      r: rank[k],
      u: down ? v.w : v.h + (v.badge || v.loop ? 30 : 0),
      v: down ? v.h : v.w,
      up: [],
      dn: [],
    })),
    routes = [];
  const link = (a, b) => {
    a.dn.push(b);
    b.up.push(a);
  };
  for (const e of edges) {
    let a = cells[ix.get(e.a)],
      b = cells[ix.get(e.b)];
    const back = a.r > b.r;
    if (a === b) continue;
    if (back) [a, b] = [b, a];
    const via = [];
    let p = a;
    for (let r = a.r + 1; r < b.r; r++) {
      const d = { k: -1, r, u: 12, v: 0, up: [], dn: [] };
      cells.push(d);
      link(p, d);
      via.push(d);
      p = d;
    }
    if (a.r !== b.r) link(p, b);
    routes.push({ e, via: back ? via.reverse() : via });
  }
  const L = [];
  for (const c of cells) (L[c.r] ||= []).push(c);
  L.forEach((l) =>
    l.forEach((c, k) => {
      c.o = k;
    }),
  );
  for (let s = 0; s < 6; s++)
    (s % 2 ? L.slice().reverse() : L).forEach((l) => {
      for (const c of l) {
        const q = s % 2 ? c.dn : c.up;
        c.m = q.length
          ? q.reduce((x, d) => x + d.o / Math.max(1, L[d.r].length - 1 || 1), 0) / q.length
          : c.o / Math.max(1, l.length - 1 || 1);
      }
      l.sort((a, b) => a.m - b.m);
      l.forEach((c, k) => {
        c.o = k;
      });
    });
  const gapU = down ? 22 : 14,
    gapV = down ? 38 : 42,
    size = (l) => l.reduce((x, c) => x + c.u + gapU, -gapU),
    U = Math.max(...L.map(size), 0);
  let V = 0;
  for (const l of L) {
    let u = (U - size(l)) / 2;
    const deep = Math.max(...l.map((c) => c.v));
    for (const c of l) {
      c.cu = u + c.u / 2;
      u += c.u + gapU;
      c.cv = V + deep / 2;
    }
    V += deep + gapV;
  }
  const xy = (c) => (down ? [c.cu, c.cv] : [c.cv, c.cu]);
  nodes.forEach((v, k) => {
    [v.x, v.y] = xy(cells[k]);
  });
  return {
    w: Math.max(0, down ? U : V - gapV),
    h: Math.max(0, down ? V - gapV : U),
    down,
    routes: routes.map(({ e, via }) => ({ e, via: via.map(xy) })),
  };
}
function arranged(nodes, edges, down, wide, high) {
  // what nothing leads to or from stands below the rest, in rows, so that all together has the shape of its place
  const tied = new Set(edges.filter((e) => e.a !== e.b).flatMap((e) => [e.a, e.b])),
    lone = nodes.filter((v) => !tied.has(v.id)),
    has = (e) => tied.has(e.a) && tied.has(e.b);
  if (lone.length < 2) return layered(nodes, edges, down);
  const L = layered(nodes.filter((v) => tied.has(v.id)), edges.filter(has), down),
    gap = 16,
    roomOf = (v) => v.h + (v.badge && !down ? 18 : 0) + (v.loop ? 18 : 0),
    column = Math.max(...lone.map((v) => v.w)) + gap,
    area = lone.reduce((sum, v) => sum + column * (roomOf(v) + gap), 0),
    columns = clamp(Math.round(Math.max(L.w, Math.sqrt((area * wide) / high)) / column), 1, lone.length),
    w = Math.max(L.w, columns * column - gap),
    shift = Math.max(0, w - L.w) / 2,
    left = (w - (columns * column - gap)) / 2;
  let y = tied.size ? L.h + 34 : 0;
  for (const v of nodes) if (tied.has(v.id)) v.x += shift;
  for (let k = 0; k < lone.length; k += columns) {
    const row = lone.slice(k, k + columns);
    row.forEach((v, j) => {
      v.x = left + j * column + v.w / 2;
      v.y = y + (v.loop ? 18 : 0) + v.h / 2;
    });
    y += Math.max(...row.map(roomOf)) + gap;
  }
  return { w, h: y - gap, down, routes: L.routes.map((r) => ({ ...r, via: r.via.map(([x, q]) => [x + shift, q]) })) };
}
