
// The heading: one sentence, a few figures, and where the time of the workers went.
const whole = (text) => text.replace(/(\d) (?=(?:ns|µs|ms|s|min|h|%)(?!\w))/g, "$1\u00a0"); // no line breaks before a unit
const verdict = () =>
  found.verdict.map((part) => ({ ...part, text: whole(part.text) })).map((p) =>
    p.is === "task"
      ? h("button", { class: "link", onclick: () => select({ task: p.task }) }, p.text)
      : p.is === "failures"
        ? [" ", h("button", { class: "link badc", onclick: () => show("failures") }, p.text.trim())]
        : h("span", { class: p.is }, p.text),
  );
function heading() {
  const more = M.d.beyond.reduce((a, x) => a + x.count, 0);
  document.title = `${M.d.name || "run"} · ${time(wall)} · asynckit`;
  $("name").textContent = M.d.name;
  $("command").textContent = M.d.command;
  $("when").textContent = [plural(M.n, "task"), more && `${count(more)} more only counted`, M.d.recorded].filter(Boolean).join(" · ");
  put($("verdict"), verdict());
  const calls = M.call.length;
  const fact = (name, value, title) => h("div", { title }, h("dt", {}, name), h("dd", {}, value));
  put(
    $("facts"),
    fact("Work", time(work), "Run time of all tasks, without the time they waited inside"),
    fact("Span", time(span), "The longest chain of tasks that need each other: no number of workers can be faster"),
    fact("Parallelism", span ? sig(work / span) : "–", "Work ÷ span: more workers than this cannot help"),
    fact("Workers used", work ? sig(work / wall) : "0", "Work ÷ time: how many workers ran on average"),
    fact(
      "At best",
      time(Math.max(span, work / Math.max(1, hands))),
      `The greater of the span and work ÷ ${hands}: no schedule on ${hands > W ? `${plural(W, "worker")} and ${hands - W} that helped` : plural(W, "worker")} is faster`,
    ),
    M.d.stored.asked > 0 &&
      fact(
        "○ Kept",
        `${count(M.d.stored.kept)} of ${count(M.d.stored.asked)}, ${time(M.d.stored.saved)} saved`,
        "Calls whose values a store had: they were not computed, and their bars have a ring",
      ),
    calls.length > 0 &&
      fact(
        "Callbacks",
        `${count(calls.length)}, ${time(calls.reduce((a, b) => a + b, 0))}`,
        "Code that was called with results: how often, and how long it took. It is no task, so the work has none of it",
      ),
  );
  put(
    $("split"),
    splitBar(S.total, S.all),
    h(
      "div",
      { class: "legend" },
      CAUSES.map(
        ([k, name], c) =>
          S.total[c] / S.all >= 0.005 && h("span", {}, causeChip(k), name + " ", h("b", {}, pct(S.total[c] / S.all))),
      ),
    ),
  );
}
const splitBar = (parts, all) =>
  h(
    "div",
    { class: "bar", role: "img", "aria-label": CAUSES.map(([, n], c) => `${n} ${pct(parts[c] / all)}`).join(", ") },
    CAUSES.map(
      ([k], c) =>
        parts[c] / all > 0.0005 &&
        h("i", { class: k === "stop" ? "stop" : "", style: `flex:${parts[c] / all};background:var(--${k})` }),
    ),
  );
