
// Mouse and fingers on the timeline.
const mouse = { x: 0, y: 0, at: null, drag: null, range: null, touches: new Map() };
function pick(x, y) {
  const yy = y + view.y,
    r = y > AXIS ? rows.find((r) => yy >= r.y && yy < r.y + r.h) : null;
  if (!r) return {};
  if (x < G) return { r };
  if (r.kind === "unrun") {
    for (const [i, p] of unrunX(r)) if (Math.abs(p - x) < 6) return { r, i };
    return { r };
  }
  if (r.kind === "calls") return { r, call: callAt(r, timeAt(x)) };
  if (r.kind !== "lane") return { r };
  const t = timeAt(x),
    slack = (3 * (view.b - view.a)) / PW,
    j = lower(r.ids.length, (k) => M.bars.fin[r.ids[k]] > t);
  let best = -1,
    dist = slack;
  for (const k of [j - 1, j])
    if (k >= 0 && k < r.ids.length) {
      const b = r.ids[k],
        d = Math.max(0, M.bars.start[b] - t, t - M.bars.fin[b]);
      if (d < dist || d === 0) {
        best = b;
        dist = d;
      }
    }
  return best >= 0 ? { r, b: best, i: M.bars.task[best] } : { r };
}
function callAt(r, t) {
  // the callback that is nearest, and of those within each other the innermost
  const { start, length } = M.call,
    slack = (3 * (view.b - view.a)) / PW;
  let best = -1,
    dist = slack;
  for (let j = lower(r.list.length, (q) => r.reach[q] > t - slack); j < r.list.length; j++) {
    const k = r.list[j],
      d = Math.max(0, start[k] - t, t - start[k] - length[k]);
    if (start[k] > t + slack) break;
    if (d <= dist) {
      best = k;
      dist = d;
    }
  }
  return best;
}
const local = (e) => {
  const b = main.getBoundingClientRect();
  return [e.clientX - b.left, e.clientY - b.top];
};
function hoverTimeline(x, y) {
  const { r, i = -1, call = -1 } = pick(x, y);
  if (i !== ui.hover || call !== ui.hoverCall) {
    ui.hover = i;
    ui.hoverCall = call;
    main.style.cursor = i >= 0 || call >= 0 ? "pointer" : "default";
  }
  const b = main.getBoundingClientRect(),
    box = r && { left: b.left + x, right: b.left + x, top: b.top + r.y - view.y, bottom: b.top + r.y + r.h - view.y };
  if (i >= 0) showCard(box, taskCard(i));
  else if (call >= 0) showCard(box, callCard(call));
  else if (r && r.kind === "lane" && x < G) showCard(box, workerCard(r.w));
  else if (r && r.kind === "limit") showCard(box, limitCard(r, x));
  else if (r && r.kind === "unneeded") showCard(box, `${plural(M.d.unneeded, "worker")} never had to begin.`);
  else hideCard();
  invalidate();
}
main.addEventListener("pointermove", (e) => {
  const [x, y] = local(e);
  mouse.x = x;
  mouse.y = y;
  mouse.at = timeAt(x);
  if (mouse.touches.has(e.pointerId)) mouse.touches.set(e.pointerId, [x, y]);
  if (mouse.touches.size === 2) {
    const [p, q] = [...mouse.touches.values()],
      d = Math.max(20, Math.abs(p[0] - q[0]));
    if (mouse.pinch) zoom(mouse.pinch / d, timeAt((p[0] + q[0]) / 2));
    mouse.pinch = d;
    return;
  }
  if (mouse.range) {
    mouse.range[1] = clamp(timeAt(x), 0, M.end);
    return invalidate();
  }
  if (mouse.drag) {
    const dx = x - mouse.drag.x;
    if (mouse.drag.moved || Math.abs(dx) > 3 || Math.abs(y - mouse.drag.y) > 5) {
      mouse.drag.moved = true;
      hideCard();
      main.style.cursor = "grabbing";
      const s = (mouse.drag.b - mouse.drag.a) / PW;
      setView(mouse.drag.a - dx * s, mouse.drag.b - dx * s);
      scrollTo(mouse.drag.vy - (y - mouse.drag.y));
    }
    return;
  }
  hoverTimeline(x, y);
});
main.addEventListener("pointerdown", (e) => {
  if (e.button) return;
  const [x, y] = local(e);
  main.setPointerCapture(e.pointerId);
  if (e.pointerType === "touch") mouse.touches.set(e.pointerId, [x, y]);
  if (e.shiftKey) mouse.range = [timeAt(x), timeAt(x)];
  else mouse.drag = { x, y, a: view.a, b: view.b, vy: view.y };
});
const drop = (e) => {
  mouse.touches.delete(e.pointerId);
  mouse.pinch = 0;
  const [x, y] = local(e),
    d = mouse.drag;
  mouse.drag = null;
  main.style.cursor = "default";
  if (mouse.range) {
    const [p, q] = mouse.range.sort((a, b) => a - b);
    mouse.range = null;
    if (q - p > ((view.b - view.a) / PW) * 4) setView(p, q, true);
    return;
  }
  if (e.type === "pointerup" && d && !d.moved) {
    const { r, b = -1, i = -1, call = -1 } = pick(x, y);
    if (call >= 0 || i >= 0) select({ task: i, bar: b, call, from: "timeline" });
    else if (r) select({});
  }
};
main.addEventListener("pointerup", drop);
main.addEventListener("pointercancel", drop);
main.addEventListener("pointerleave", () => {
  mouse.at = null;
  ui.hover = ui.hoverCall = -1;
  hideCard();
  invalidate();
});
main.addEventListener("blur", () => hideCard());
main.addEventListener("dblclick", (e) => {
  const { r, i = -1, call = -1 } = pick(...local(e));
  if (call >= 0) fill(stretch(r, call));
  else if (i >= 0 && ran(i)) fill([M.start[i], M.fin[i]]);
  else setView(0, M.end, true);
});
main.addEventListener(
  "wheel",
  (e) => {
    const [x, y] = local(e),
      unit = e.deltaMode ? 30 : 1;
    e.preventDefault();
    hideCard();
    if (x < G && !e.ctrlKey) {
      scrollTo(view.y + e.deltaY * unit);
      invalidate();
    } else if (e.shiftKey || Math.abs(e.deltaX) > Math.abs(e.deltaY)) pan(((e.deltaX || e.deltaY) * unit) / PW);
    else zoom(Math.exp(clamp(e.deltaY * unit, -120, 120) * (e.ctrlKey ? 0.008 : 0.0022)), timeAt(Math.max(G, x)));
  },
  { passive: false },
);
over.addEventListener("pointerdown", (e) => {
  const t = (ev) => clamp((ev.clientX - over.getBoundingClientRect().left - G) / PW, 0, 1) * M.end,
    s = t(e),
    inside = s > view.a && s < view.b && view.b - view.a < M.end * 0.98,
    a0 = view.a,
    b0 = view.b;
  over.setPointerCapture(e.pointerId);
  over.onpointermove = (ev) => {
    const q = t(ev);
    if (inside) setView(a0 + q - s, b0 + q - s);
    else if (Math.abs(q - s) > (M.end / PW) * 4) setView(Math.min(s, q), Math.max(s, q));
  };
  over.onpointerup = (ev) => {
    over.onpointermove = over.onpointerup = null;
    if (!inside && Math.abs(t(ev) - s) <= (M.end / PW) * 4) {
      const l = (b0 - a0 < M.end * 0.98 ? b0 - a0 : M.end / 8) / 2;
      setView(s - l, s + l, true);
    }
  };
});
over.addEventListener("dblclick", () => setView(0, M.end, true));

