
// What the page shows at the moment, and the colours of its theme.
const ui = {
  fn: -1,
  task: -1,
  bar: -1, // of the task: the stretch that was come to
  call: -1,
  told: false, // whether the card of the callback is to stay beside it
  hoverFn: -1,
  hover: -1,
  hoverCall: -1,
  query: "",
  hits: null, // of the search: tasks, callbacks, and both in the order of time
  hit: -1,
  path: true,
  kind: "ran",
  tab: "functions",
  part: 0.4,
  eye: -1,
  mode: M.n <= 24 ? "tasks" : "functions",
  unfolded: new Set(),
  sort: ["total", -1],
};
let C = {}; // colours of the theme
function theme() {
  const s = getComputedStyle(document.documentElement),
    v = (k) => s.getPropertyValue("--" + k).trim();
  for (const k of [
    "bg",
    "panel",
    "line",
    "grid",
    "ink",
    "soft",
    "faint",
    "accent",
    "bad",
    "run",
    "pick",
    "held",
    "inside",
    "none",
    "stop",
    "wash",
    "mark",
  ])
    C[k] = v(k);
  C.fn = M.fns.map((_, f) => v("c" + LOOK[f].color));
  C.rgb = C.fn.map((c) => [1, 3, 5].map((j) => parseInt(c.slice(j, j + 2), 16)));
  const tile = (size, draw) => {
    const c = document.createElement("canvas");
    c.width = c.height = size;
    const g = c.getContext("2d");
    draw(g, size);
    return ctx.createPattern(c, "repeat");
  };
  const slash = (color, width) => (g, s) => {
    g.strokeStyle = color;
    g.lineWidth = width;
    for (const o of [-s, 0, s]) {
      g.beginPath();
      g.moveTo(o - 1, s + 1);
      g.lineTo(o + s + 1, -1);
      g.stroke();
    }
  };
  const spots = (at) => (g) => {
    g.fillStyle = C.mark;
    for (const [x, y, w, hh] of at) g.fillRect(x, y, w, hh);
  };
  // Functions that share a colour: plain, dotted, lying lines, standing lines, chequered.
  C.marks = [
    null,
    tile(5, spots([[1, 1, 2, 2]])),
    tile(4, spots([[0, 1, 4, 1]])),
    tile(4, spots([[1, 0, 1, 4]])),
    tile(6, spots([[0, 0, 3, 3], [3, 3, 3, 3]])),
  ];
  C.hatch = tile(7, slash(C.bad, 2.2));
  C.stopHatch = tile(6, slash(C.none, 1));
}
const fnChip = (f) =>
  h(
    "i",
    { class: `chip mark${LOOK[f].mark}${LOOK[f].no && " no"}`, style: `background-color:var(--c${LOOK[f].color})` },
    LOOK[f].no,
  );
const causeChip = (k) => h("i", { class: "chip " + (k === "stop" ? "stop" : ""), style: `background:var(--${k})` });
