
// The tasks of an unfolded function: one stop of the Tab key, arrow keys among them.
function cells(v, x, y) {
  const at = Math.max(0, v.per.indexOf(ui.task)),
    box = h("$g", { role: "listbox", "aria-label": `Tasks of ${v.x0.name}` });
  v.per.forEach((i, j) => {
    const cx = x + 12 + (j % v.cols) * 11,
      cy = y + 46 + Math.floor(j / v.cols) * 11,
      bad = isBad(M.state[i]);
    box.append(
      h("$rect", {
        class: "cell" + (ui.task === i ? " sel" : ""),
        x: cx,
        y: cy,
        width: 9,
        height: 9,
        rx: 2,
        style: bad
          ? "fill:var(--bad)"
          : !ran(i)
            ? "fill:var(--bg);stroke:var(--bad);stroke-dasharray:2 1.5"
            : `fill:var(--c${LOOK[v.f].color});fill-opacity:${(0.3 + 0.7 * Math.sqrt(M.own[i] / (v.x0.max || 1))).toFixed(2)}`,
        tabindex: j === at ? 0 : -1,
        role: "option",
        "data-task": i,
        "aria-selected": String(ui.task === i),
        "aria-label": `${label(i)}, ${taskWords(i)}`,
        onclick: () => choose(i),
        onkeydown: (e) => cellKey(e, v, i),
        onfocus: (e) => point(e, i),
        onblur: leave,
        onmouseenter: (e) => point(e, i),
        onmouseleave: leave,
      }),
      bad
        ? h("$path", {
            d: `M${cx + 2.5},${cy + 2.5}l4,4m0,-4l-4,4`,
            style: "stroke:var(--bg);stroke-width:1.4;pointer-events:none",
          })
        : "",
    );
  });
  return box;
}
const cellOf = (i) => $("graph").querySelector(`.cell[data-task="${i}"]`);
function point(e, i) {
  ui.hover = i;
  invalidate();
  showCard(e.currentTarget.getBoundingClientRect(), taskCard(i));
}
function leave() {
  ui.hover = -1;
  invalidate();
  hideCard();
}
function choose(i) {
  select({ task: i, from: "cell" });
  cellOf(i)?.focus();
}
function cellKey(e, v, i) {
  const n = v.per.length,
    j = v.per.indexOf(i),
    to = { ArrowLeft: j - 1, ArrowRight: j + 1, ArrowUp: j - v.cols, ArrowDown: j + v.cols, Home: 0, End: n - 1 }[e.key];
  if (to != null) {
    const next = cellOf(v.per[clamp(to, 0, n - 1)]);
    e.currentTarget.setAttribute("tabindex", -1);
    next.setAttribute("tabindex", 0);
    next.focus();
  } else if (e.key === "Enter" || e.key === " ") choose(i);
  else if (e.key === "Escape" || e.key === "-") {
    if (e.key === "-") fold(v.f);
    else nodeOf(v.f)?.focus();
  } else return;
  e.preventDefault();
  e.stopPropagation();
}
