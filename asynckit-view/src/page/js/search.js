
// Search: tasks, and callbacks by their place and the task whose result they were called with.
const UNITS = { ns: 1, us: 1e3, µs: 1e3, ms: 1e6, s: 1e9, min: 6e10 };
function tester(w) {
  // whether a word is true of a task, and whether it is of a callback
  const num = /^#(\d+)$/.exec(w),
    cmp = /^([<>])(\d+(?:\.\d+)?)(ns|us|µs|ms|s|min)$/.exec(w),
    st = STATES.indexOf(w),
    { length, site, worker, on } = M.call;
  if (num) return { task: (i) => i === +num[1], call: (k) => on[k] === +num[1] };
  if (cmp) {
    const v = cmp[2] * UNITS[cmp[3]],
      is = (t) => (cmp[1] === ">" ? t > v : t < v);
    return { task: (i) => ran(i) && is(M.own[i]), call: (k) => is(length[k]) };
  }
  if (st >= 0) return { task: (i) => M.state[i] === st || (w === "failed" && isBad(M.state[i])), call: () => false };
  if (w === "kept") return { task: isKept, call: () => false };
  const has = (s) => s.toLowerCase().includes(w),
    f = M.fns.map(has),
    s = M.sites.map(has),
    k = M.workers.map((x) => x.name.toLowerCase() === w),
    any = w === "callback" || w === "callbacks";
  return {
    task: (i) => f[M.fn[i]] || s[M.site[i]] || k[M.worker[i]],
    call: (c) => any || s[site[c]] || k[worker[c]] || (on[c] >= 0 && f[M.fn[on[c]]]),
  };
}
function search(text) {
  ui.query = text.trim();
  ui.hit = -1;
  ui.hits = null;
  if (ui.query) {
    const tests = ui.query.toLowerCase().split(/\s+/).map(tester),
      at = ({ task, call = -1 }) => (call >= 0 ? M.call.start[call] : M.start[task]);
    ui.hits = { tasks: new Set(), calls: new Set(), list: [] };
    for (const i of M.order) if (tests.every((t) => t.task(i))) ui.hits.tasks.add(i);
    M.call.start.forEach((_, k) => tests.every((t) => t.call(k)) && ui.hits.calls.add(k));
    for (const task of ui.hits.tasks) ui.hits.list.push({ task });
    for (const call of ui.hits.calls) ui.hits.list.push({ call });
    if (ui.hits.calls.size) ui.hits.list.sort((a, b) => at(a) - at(b));
  }
  $("hits").textContent = ui.hits ? count(ui.hits.list.length) : "";
  invalidate();
}
function endSearch() {
  $("q").value = "";
  search("");
}
function nextHit(d) {
  const n = ui.hits?.list.length;
  if (!n) return;
  ui.hit = ui.hit < 0 && d < 0 ? n - 1 : (ui.hit + d + n) % n;
  $("hits").textContent = `${count(ui.hit + 1)} / ${count(n)}`;
  select(ui.hits.list[ui.hit]);
}
$("q").addEventListener("input", (e) => search(e.target.value));
$("q").addEventListener("keydown", (e) => {
  if (e.key === "Enter") {
    e.preventDefault();
    nextHit(e.shiftKey ? -1 : 1);
  }
  if (e.key === "Escape") {
    endSearch();
    main.focus();
  }
  e.stopPropagation();
});
$("q").form.addEventListener("submit", (e) => {
  e.preventDefault();
  nextHit(1);
});
