
// Draws the graph.
function crumbs() {
  const pill = (m, n, off) =>
    h(
      "button",
      {
        role: "tab",
        "aria-selected": String(ui.mode === m),
        disabled: off,
        onclick: () => {
          ui.mode = m;
          graph();
        },
      },
      n,
    );
  put(
    $("crumbs"),
    h(
      "div",
      { role: "tablist" },
      pill("functions", "Graph by function"),
      pill("tasks", M.n <= 60 ? "All tasks" : "Around the task"),
    ),
    h("span", { class: "sp" }),
    h(
      "span",
      { class: "hint" },
      ui.mode === "functions"
        ? "+ unfolds a function to its tasks"
        : ui.task >= 0 && M.n > 60
          ? `${plural(inputs(ui.task).length, "input")}, ${plural(dependents(ui.task).length, "dependent")}` +
            (Math.max(inputs(ui.task).length, dependents(ui.task).length) > 9
              ? "; the failed and the last are shown"
              : "")
          : "",
    ),
  );
}
function graph() {
  crumbs();
  const box = $("graph"),
    below = innerWidth <= 800; // in a narrow window all stands one below the other
  box.style.height = "";
  if (!M.n || (ui.mode === "tasks" && M.n > 60 && ui.task < 0))
    return put(
      box,
      h(
        "div",
        { class: "empty" },
        h("b", {}, M.n ? "No task chosen" : "No graph"),
        M.n ? "Click a bar or a task to see what it needed and what needed it." : "There is no task.",
      ),
    );
  const { nodes, edges } = graphData(),
    bw = Math.max(60, box.clientWidth), // in a low window there may be no room at all
    bh = Math.max(60, box.clientHeight - 4),
    fit = (l) => Math.min(1.2, bw / (l.w + 28), bh / (l.h + 52)),
    arrange = (nodes, down) => arranged(nodes, edges, down, bw, bh),
    a = arrange(nodes.map((v) => ({ ...v }))),
    b = arrange(nodes.map((v) => ({ ...v, w: v.wd || v.w })), true);
  const down = fit(b) > fit(a) * 1.05;
  if (down) for (const v of nodes) v.w = v.wd || v.w;
  const L = arrange(nodes, down),
    k = clamp(fit(L), nodes.length > 14 && ui.mode === "functions" ? 0.66 : 0.82, 1.2),
    at = new Map(nodes.map((v) => [v.id, v]));
  if (below) box.style.height = clamp((L.h + 52) * k + 16, 120, bh) + "px";
  const svg = h("$svg", {
    class: "g",
    viewBox: `-14 -26 ${L.w + 28} ${L.h + 52}`,
    width: Math.ceil((L.w + 28) * k),
    height: Math.ceil((L.h + 52) * k),
    style: `margin-top:${Math.max(0, (box.clientHeight - (L.h + 52) * k) / 2 - 4)}px`,
  });
  if (edges.length > 45) svg.classList.add("dense"); // then only the edges of the chosen or pointed node stand out
  const chosen = ui.mode === "functions" ? ui.fn : ui.task,
    touch = (v, on) => {
      for (const g of svg.querySelectorAll(`.edge[data-ends*=" ${v.id} "]`))
        g.classList.toggle("hi", on || chosen === v.id);
    };
  const edge = (e, via) => {
    const p = at.get(e.a),
      q = at.get(e.b),
      thread = e.crit && ui.path,
      cls = "e" + (e.bad ? " bad" : "") + (thread && !e.bad ? " crit" : "") + (e.sub ? " sub" : ""),
      width = e.bad ? 1.8 : e.crit ? 2 : Math.min(3.2, 1 + Math.log10(e.n) * 0.4),
      back = down ? q.y < p.y : q.x < p.x,
      off = back ? 11 : 0; // beside the edge that leads the other way
    const pts = [
      down ? [p.x + off, p.y + ((back ? -1 : 1) * p.h) / 2] : [p.x + ((back ? -1 : 1) * p.w) / 2, p.y + off],
      ...via,
      down ? [q.x + off, q.y - (back ? -1 : 1) * (q.h / 2 + 5)] : [q.x - (back ? -1 : 1) * (q.w / 2 + 5), q.y + off],
    ];
    let d = `M${pts[0]}`;
    for (let j = 1; j < pts.length; j++) {
      const [x0, y0] = pts[j - 1],
        [x1, y1] = pts[j];
      d += down
        ? `C${x0},${(y0 + y1) / 2} ${x1},${(y0 + y1) / 2} ${x1},${y1}`
        : `C${(x0 + x1) / 2},${y0} ${(x0 + x1) / 2},${y1} ${x1},${y1}`;
    }
    const [ex, ey] = pts[pts.length - 1],
      s = back ? -1 : 1,
      m = Math.floor((pts.length - 1) / 2),
      mx = (pts[m][0] + pts[m + 1][0]) / 2,
      my = (pts[m][1] + pts[m + 1][1]) / 2;
    return h(
      "$g",
      { class: "edge" + (chosen === e.a || chosen === e.b ? " hi" : ""), "data-ends": ` ${e.a} ${e.b} ` },
      thread && e.bad ? h("$path", { class: "e crit", d, "stroke-width": 2 }) : "",
      h("$path", { class: cls, d, "stroke-width": width }),
      h("$path", {
        style: `fill:var(--${e.bad ? "bad" : e.crit && ui.path ? "ink" : "faint"})`,
        d: down ? `M${ex},${ey + 5 * s}l-4,${-7 * s}h8z` : `M${ex + 5 * s},${ey}l${-7 * s},-4v8z`,
      }),
      e.n > 1
        ? h(
            "$text",
            back
              ? { class: "el" + (down ? " begin" : ""), x: mx + (down ? 6 : 0), y: my + (down ? 4 : 14) }
              : { class: "el" + (down ? " end" : ""), x: mx - (down ? 6 : 0), y: my - (down ? -4 : 5) },
            count(e.n),
          )
        : "",
      e.bad && ui.mode === "functions"
        ? h(
            "$text",
            { class: "el bad" + (down ? " begin" : ""), x: mx + (down ? 6 : 0), y: my + (down ? 4 : 14) },
            "◇ " + count(e.bad),
          )
        : "",
    );
  };
  // what matters most lies on top
  const weight = ({ e }) => 2 * Boolean(e.bad) + Boolean(e.crit);
  svg.append(...L.routes.sort((r, s) => weight(r) - weight(s)).map((r) => edge(r.e, r.via)));
  for (const v of nodes) {
    const x = v.x - v.w / 2,
      y = v.y - v.h / 2,
      isTask = v.task != null,
      st = isTask ? M.state[v.task] : 0,
      fx = v.x0,
      name = isTask ? label(v.task) : v.x0.name,
      sel = isTask ? ui.task === v.task : ui.fn === v.f || (ui.task >= 0 && M.fn[ui.task] === v.f),
      loop = edges.find((e) => e.a === e.b && e.a === v.id);
    const bad = isTask ? isBad(st) : fx.failed > 0,
      skip = isTask ? !ran(v.task) : fx.count > 0 && fx.skipped === fx.count;
    const go = () => (isTask ? select({ task: v.task, from: "graph" }) : select({ fn: ui.fn === v.f ? -1 : v.f }));
    const second = v.second;
    const node = h(
      "$g",
      {
        class:
          "node" +
          (sel ? " sel" : "") +
          (bad ? " fail" : "") +
          (skip ? " skip" : "") +
          (ui.fn >= 0 && v.f !== ui.fn && !isTask ? " off" : ""),
        tabindex: 0,
        role: "button",
        "data-fn": isTask ? null : v.f,
        "aria-label": `${name}, ${second}`,
        onclick: go,
        onkeydown: (e) => {
          if (e.target !== e.currentTarget) return;
          if (e.key === "Enter" || e.key === " ") {
            e.preventDefault();
            go();
            $("graph").querySelector(".node.sel")?.focus();
          }
          if (e.key === "+" && !isTask && fx.count > 1) {
            e.stopPropagation();
            fold(v.f);
          }
        },
        onfocus: () => touch(v, true),
        onblur: () => touch(v, false),
        onmouseenter: (e) => {
          touch(v, true);
          isTask
            ? ((ui.hover = v.task), invalidate(), showCard(e.currentTarget.getBoundingClientRect(), taskCard(v.task)))
            : hoverFn(v.f);
        },
        onmouseleave: () => {
          touch(v, false);
          ui.hover = -1;
          hideCard();
          hoverFn(-1);
          invalidate();
        },
      },
      h("$rect", { class: "box", x, y, width: v.w, height: v.h, rx: 8 }),
      ...[`fill:var(--c${LOOK[v.f].color})`, LOOK[v.f].mark && `fill:url(#mark${LOOK[v.f].mark})`]
        .filter(Boolean)
        .map((style) =>
          h("$rect", { x: x + 1, y: y + 9, width: LOOK[v.f].mark ? 7 : 4, height: (isTask ? v.h : 44) - 18, rx: 2, style }),
        ),
      h(
        "$text",
        { x: x + 14, y: y + (isTask ? 16 : 18), "font-weight": v.crit && ui.path ? 600 : 500 },
        (LOOK[v.f].no && LOOK[v.f].no + " ") + tail(name, 30),
      ),
      h(
        "$text",
        { class: "n2", x: x + 14, y: y + (isTask ? 30 : 34) },
        (skip ? "◇ " : bad && isTask ? "✕ " : "") + second,
      ),
    );
    if (v.badge)
      node.append(
        h(
          "$text",
          { class: "n2 bad", x: down ? x + 18 + textWidth((skip ? "◇ " : "") + v.second) * 0.92 : x + 12, y: down ? y + 34 : y + v.h + 14 },
          v.badge,
        ),
      );
    if (loop)
      node.append(
        h("$path", {
          class: "e" + (loop.crit && ui.path ? " crit" : ""),
          d: `M${x + v.w - 34},${y}c-4,-20 22,-20 18,-3`,
          "stroke-width": 1.6,
        }),
        h("$text", { class: "el", x: x + v.w - 26, y: y - 16 }, count(loop.n)),
      );
    if (!isTask && fx.count > 1)
      node.append(
        h(
          "$g",
          {
            class: "fold",
            role: "button",
            "aria-label": v.open ? "Fold" : "Unfold to tasks",
            onclick: (e) => {
              e.stopPropagation();
              fold(v.f);
            },
          },
          h("$rect", { x: x + v.w - 24, y: y + 7, width: 17, height: 17, rx: 4 }),
          h("$text", { x: x + v.w - 15.5, y: y + 20, "text-anchor": "middle", class: "n2" }, v.open ? "–" : "+"),
        ),
      );
    if (v.open && fx.count > v.per.length)
      node.append(
        h("$text", { class: "n2", x: x + 12, y: y + v.h - 7 }, `the longest ${v.per.length} of ${count(fx.count)}`),
      );
    svg.append(node);
    if (v.open) svg.append(cells(v, x, y));
  }
  put(box, svg);
  const eye = nodes.find((v) =>
    v.task != null ? v.task === ui.task : v.f === (ui.eye >= 0 ? ui.eye : ui.fn >= 0 ? ui.fn : ST.rank[0].f),
  ); // where it is too large: the chosen one in the middle
  if (eye) {
    box.scrollLeft = (eye.x + 14) * k - box.clientWidth / 2;
    box.scrollTop = (eye.y + 26) * k - box.clientHeight / 2;
  }
}
function fold(f) {
  ui.eye = f;
  ui.unfolded.has(f) ? ui.unfolded.delete(f) : ui.unfolded.add(f);
  graph();
  ui.eye = -1;
  nodeOf(f)?.focus();
}
const nodeOf = (f) => $("graph").querySelector(`.node[data-fn="${f}"]`);
