
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
      u: down ? v.w : v.h + (v.badge ? 30 : 0),
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
    w: down ? U : V - gapV,
    h: down ? V - gapV : U,
    down,
    routes: routes.map(({ e, via }) => ({ e, via: via.map(xy) })),
  };
}
