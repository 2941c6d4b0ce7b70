
// The left pane: critical path, failures, one task.
function pathPanel() {
  const P = ui.kind === "ran" ? PR : PS,
    sum = ui.kind === "ran" ? { ...PR.sum, after: wall - PR.length } : { run: span },
    all = ui.kind === "ran" ? wall : span || 1,
    parts = [
      ["run", "run", "running"],
      ["queued", "pick", "waiting for a worker"],
      ["held", "held", HELD_BY],
      ["inside", "inside", "waiting inside"],
      ["before", "none", "before it was submitted"],
      ["after", "stop", "after the last task"],
    ],
    lines = runsOf(P.steps);
  if (!P.steps.length) return h("div", { class: "empty" }, h("b", {}, "No path"), "No task ran.");
  const most = Math.max(...lines.map((o) => o.run + o.held + o.queued + o.inside));
  const pill = (k, n) =>
    h(
      "button",
      {
        role: "tab",
        class: "pill",
        "aria-selected": String(ui.kind === k),
        onclick: () => {
          ui.kind = k;
          panel();
          graph();
          invalidate();
        },
      },
      n,
    );
  return [
    h(
      "div",
      { class: "pad", style: "padding-bottom:4px" },
      h(
        "div",
        { role: "tablist", style: "display:flex;gap:6px;margin-bottom:9px" },
        pill("ran", "As it ran"),
        pill("span", "With unlimited workers"),
      ),
      h(
        "div",
        {},
        ui.kind === "ran"
          ? "What the end of the run waited for: the last task, the input that this waited for longest, and so on, back to the beginning. Together that is all the time of the run:"
          : `The chain of tasks with the longest run time, ${time(span)}. With a worker for every task and without limits, the run would still take as long as that.`,
      ),
      ui.kind === "ran" && [
        h(
          "div",
          { class: "bar", style: "margin-top:9px" },
          parts.map(([k, c]) => sum[k] / all > 0.001 && h("i", { class: c === "stop" ? "stop" : "", style: `flex:${sum[k]};background:var(--${c})` })),
        ),
        h(
          "div",
          { class: "legend" },
          parts.map(
            ([k, c, n]) => sum[k] / all > 0.0005 && h("span", {}, causeChip(c), n + " ", h("b", {}, time(sum[k]))),
          ),
        ),
      ],
    ),
    h(
      "ol",
      { class: "steps" },
      lines.slice(0, 300).map((o) =>
        h(
          "li",
          {},
          h(
            "button",
            {
              class: "link cut",
              title: `${M.fns[o.f]}: show ${o.n > 1 ? "the longest of them" : "it"}`,
              onclick: () => select({ task: o.i }),
            },
            fnChip(o.f),
            h("span", { class: "tail" }, h("bdi", {}, M.fns[o.f])),
            h("span", { class: "soft" }, o.n > 1 ? `\u00a0×${count(o.n)}` : `\u00a0#${o.i}`),
          ),
          h("span", { class: "num" }, time(o.run)),
          h(
            "span",
            { class: "track" },
            h(
              "span",
              { class: "bar", style: `width:${Math.max(1, ((o.run + o.held + o.queued + o.inside) / most) * 46)}%` },
              parts
                .slice(0, 4)
                .map(([k, c]) => o[k] > 0 && h("i", { style: `min-width:0;flex:${o[k]};background:var(--${c})` })),
            ),
            [
              ["held", "held"],
              ["queued", "queued"],
              ["inside", "inside"],
            ]
              .filter(([k]) => o[k] > o.run * 0.05 && o[k] > wall * 0.0002)
              .map(([k, n]) => `${time(o[k])} ${n}`)
              .join(" · "),
          ),
        ),
      ),
    ),
    lines.length > 300 && h("div", { class: "pad soft" }, `and ${count(lines.length - 300)} more`),
  ];
}
const tag = (i, cls = "") =>
  h(
    "button",
    {
      class: "tag link " + (cls || (isBad(M.state[i]) ? "bad" : !ran(i) ? "skip" : "")),
      onclick: () => select({ task: i }),
    },
    isBad(M.state[i]) ? "✕ " : ran(i) ? fnChip(M.fn[i]) : "◇ ",
    tail(label(i), 44),
  );
function tags(ids, max = 12) {
  const a = [...ids];
  return h(
    "div",
    { class: "chain" },
    a.slice(0, max).map((i) => tag(i)),
    a.length > max && h("span", { class: "soft" }, `and ${count(a.length - max)} more`),
  );
}
function failurePath(f) {
  // from the failed task, the longest way through what it skipped
  const len = new Map(),
    next = new Map(),
    ids = [f.task, ...f.skipped].sort((a, b) => b - a),
    set = new Set(ids);
  for (const i of ids) {
    let n = 0;
    for (const d of dependents(i))
      if (set.has(d) && (len.get(d) || 1) > n) {
        n = len.get(d) || 1;
        next.set(i, d);
      }
    len.set(i, n + 1);
  }
  const path = [f.task];
  while (next.has(path[path.length - 1]) && path.length < ids.length) path.push(next.get(path[path.length - 1]));
  return path;
}
function failurePanel() {
  if (!M.failures.length)
    return h(
      "div",
      { class: "empty" },
      h("b", {}, "Nothing failed"),
      M.n === 0 ? "No task ran." : M.n === 1 ? "The task ended well." : `All ${count(M.n)} tasks ended well.`,
    );
  return M.failures.slice(0, 200).map((f) => {
    const path = failurePath(f),
      end = path[path.length - 1],
      after = [...dependents(end)].filter((d) => ran(d) && M.state[d] === DONE),
      onWay = new Set(path),
      rest = f.skipped.filter((s) => !onWay.has(s)),
      cut = path.length > 9;
    return h(
      "div",
      { class: "fail" },
      h(
        "div",
        { class: "t" },
        h("span", { class: "badc" }, "✕ " + f.kind),
        h(
          "small",
          {},
          `in ${label(f.task)}, called at `,
          h("code", {}, M.sites[M.site[f.task]]),
          `, after ${time(M.fin[f.task] - M.start[f.task])}`,
        ),
      ),
      h("p", { class: "mono" }, f.message),
      h(
        "div",
        { class: "chain" },
        (cut ? [...path.slice(0, 5), -1, ...path.slice(-3)] : path).map((i, k) => [
          k ? h("span", { class: "badc" }, "⇢") : null,
          i < 0 ? h("span", { class: "soft" }, `${count(path.length - 8)} more`) : tag(i),
        ]),
        after
          .slice(0, 1)
          .map((d) => [h("span", { class: "soft" }, "then"), tag(d), h("span", { class: "soft" }, "ran all the same")]),
      ),
      rest.length > 0 && [
        h("h3", { class: "soft", style: "font-size:12px;font-weight:400;margin:8px 0 4px" }, "Also skipped"),
        tags(rest),
      ],
    );
  });
}
function taskPanel() {
  const i = ui.task;
  if (i < 0)
    return h(
      "div",
      { class: "empty" },
      h("b", {}, "No task chosen"),
      "Click a bar, or press an arrow key on the timeline.",
    );
  const t0 = M.sub[i],
    all = Math.max(1, M.fin[i] - t0),
    parts = [
      ["none", M.ready[i] - t0, "waited for inputs"],
      ["held", M.held[i] + M.heldIn[i] * +ran(i), HELD_BY],
      ["pick", ran(i) ? M.start[i] - M.ready[i] - M.held[i] : 0, "waited for a worker"],
      ["run", M.own[i] * +ran(i), "ran"],
      ["inside", ran(i) ? M.fin[i] - M.start[i] - M.own[i] - M.heldIn[i] : 0, "waited inside"],
    ],
    f = M.failure[i] >= 0 ? M.failures[M.failure[i]] : null,
    x = ST.fns[M.fn[i]],
    ins = [...inputs(i)].sort((a, b) => M.fin[b] - M.fin[a]),
    on = (M.waits.get(i) || []).map((w) => w[2]).filter((d) => d >= 0);
  return h(
    "div",
    { class: "pad" },
    h(
      "h2",
      {},
      fnChip(M.fn[i]),
      h(
        "button",
        {
          class: "link",
          style: "font-weight:600",
          title: "Select the function",
          onclick: () => {
            ui.tab = "functions";
            select({ fn: M.fn[i] });
          },
        },
        M.fns[M.fn[i]],
      ),
      " ",
      h("span", { class: "soft" }, "#" + i),
      "  ",
      stateMark(i),
    ),
    h(
      "div",
      { class: "soft" },
      h("code", {}, M.sites[M.site[i]]),
      ran(i)
        ? ` on ${M.workers[M.worker[i]].name}, ${fromTo(M.start[i], M.fin[i])}`
        : `, never ran: that was known at ${time(M.ready[i], 4)}`,
    ),
    M.kept[i] > -2 && h("div", {}, h("span", { class: "soft" }, "In the store: "), keptWord(i)),
    f &&
      h(
        "p",
        { class: "err mono" },
        f.task === i ? `${f.kind}: ${f.message}` : ["Skipped, because an input failed: ", tag(f.task)],
      ),
    h("h3", {}, `From submission to end: ${time(all)}`),
    h(
      "div",
      { class: "bar" },
      parts.map(([c, v]) => v / all > 0.0005 && h("i", { style: `flex:${v};background:var(--${c})` })),
    ),
    h(
      "div",
      { class: "legend" },
      parts.map(([c, v, n]) => v > 0 && h("span", {}, causeChip(c), n + " ", h("b", {}, time(v)))),
    ),
    ran(i) &&
      x.ran > 3 &&
      h(
        "div",
        { class: "soft", style: "margin-top:8px" },
        `${sig(M.own[i] / (x.p50 || 1), 2)} times the median of ${x.name} (${time(x.p50)})`,
      ),
    M.notes.has(i) && [
      h("h3", {}, "Notes"),
      M.notes.get(i).map(([at, t]) => h("div", {}, h("span", { class: "soft" }, `+${time(at - M.start[i])} `), t)),
    ],
    M.callsOf.has(i) && [
      h("h3", {}, plural(M.callsOf.get(i).length, "callback")),
      M.callsOf
        .get(i)
        .slice(0, 20)
        .map((k) => {
          const go = h("button", { class: "link", onclick: () => select({ call: k }) }, callWords(k));
          return h("div", {}, go, ", set at ", callSite(k));
        }),
    ],
    h("h3", {}, ins.length > 1 ? `${count(ins.length)} inputs; the one that came last stands first` : "Input"),
    ins.length ? tags(ins) : h("span", { class: "soft" }, "none: ready when submitted"),
    M.holdOff[i] < M.holdOff[i + 1] && [
      h("h3", {}, "Held"),
      heldBy(i, 0, M.end).map(([t, what]) => h("div", {}, `${time(t)} ${what}`)),
    ],
    on.length > 0 && [h("h3", {}, "While it ran it waited for"), tags(on)],
    h("h3", {}, "Needed by"),
    dependents(i).length ? tags(dependents(i)) : h("span", { class: "soft" }, "no task"),
    M.parent[i] >= 0 && [h("h3", {}, "Submitted by"), tag(M.parent[i])],
  );
}
