// What all of the script uses: elements, numbers and times as text. Texts never become markup.
"use strict";
const T0 = performance.now(),
  perf = (window.__perf = {}),
  lap = (k) => (perf[k] = performance.now() - T0);
const $ = (id) => document.getElementById(id);
const STATES = ["done", "failed", "panicked", "skipped", "cancelled", "timed out", "stopped", "still running"];
const DONE = 0,
  FAILED = 1,
  PANICKED = 2,
  SKIPPED = 3,
  TIMED_OUT = 5,
  RUNNING = 7;
const isBad = (s) => s === FAILED || s === PANICKED || s === TIMED_OUT; // ran and failed
const ran = (i) => M.worker[i] >= 0;

function h(tag, props, ...kids) {
  const svg = tag[0] === "$",
    e = svg ? document.createElementNS("http://www.w3.org/2000/svg", tag.slice(1)) : document.createElement(tag);
  for (const [k, v] of Object.entries(props || {})) {
    if (v == null || v === false) continue;
    if (k.startsWith("on")) e.addEventListener(k.slice(2), v);
    else if (k === "style" && !svg) e.style.cssText = v;
    else e.setAttribute(k, v === true ? "" : v);
  }
  e.append(...kids.flat(9).filter((k) => k != null && k !== false));
  return e;
}
const put = (e, ...kids) => (e.replaceChildren(...kids.flat(9).filter((k) => k != null && k !== false)), e);
const clamp = (x, a, b) => Math.max(a, Math.min(b, x));
const sig = (x, d = 3) => (x >= 999.5 ? Math.round(x).toString() : x.toPrecision(d));
function time(ns, d = 3) {
  // 412 ns, 96.0 µs, 12.4 ms, 3.40 s, 2 min 05 s; no line breaks before a unit
  if (!(ns > 0)) return "0";
  if (ns < 999.5) return Math.round(ns) + "\u00a0ns";
  if (ns < 999.5e3) return sig(ns / 1e3, d) + "\u00a0µs";
  if (ns < 999.5e6) return sig(ns / 1e6, d) + "\u00a0ms";
  if (ns < 59.95e9) return sig(ns / 1e9, d) + "\u00a0s";
  const s = Math.round(ns / 1e9),
    p = (x) => String(x).padStart(2, "0");
  return s < 3600
    ? `${Math.floor(s / 60)}\u00a0min ${p(s % 60)}\u00a0s`
    : `${Math.floor(s / 3600)}\u00a0h ${p(Math.floor(s / 60) % 60)}\u00a0min`;
}
// two moments, with as many digits as tell them apart
const fromTo = (a, b) => {
  const d = clamp(Math.ceil(Math.log10(b / Math.max(1, b - a))) + 2, 4, 12);
  return `from ${time(a, d)} to ${time(b, d)}`;
};
const count = (n) => String(Math.round(n)).replace(/\B(?=(\d{3})+$)/g, " ");
const pct = (x) => (x > 0 && x < 0.005 ? "<1" : Math.round(x * 100)) + "\u00a0%";
const plural = (n, one, many = one + "s") => count(n) + " " + (n === 1 ? one : many);
const short = (s, n) => (s.length > n ? s.slice(0, n - 1) + "…" : s);
const tail = (s, n) => (s.length > n ? "…" + s.slice(1 - n) : s);
const lower = (n, f) => {
  let a = 0;
  while (a < n) {
    const m = (a + n) >> 1;
    f(m) ? (n = m) : (a = m + 1);
  }
  return a;
}; // first index for which f holds
