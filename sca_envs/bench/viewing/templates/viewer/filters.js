// Which episodes are shown, and in which order.

const collator = new Intl.Collator("en", { numeric: true });

const ORDERS = {
  file: (a, b) => a.number - b.number,
  task: (a, b) => collator.compare(a.task, b.task) || a.trial - b.trial,
  reward: (a, b) => a.reward - b.reward,
  turns: (a, b) => b.turns - a.turns,
  changes: (a, b) => b.changes - a.changes,
  cost: (a, b) => (b.cost ?? -1) - (a.cost ?? -1),
};

/** Return how often each value of a column occurs, the most frequent first. */
const counts = (rows, column) => {
  const found = new Map();
  for (const row of rows) found.set(row[column], (found.get(row[column]) ?? 0) + 1);
  return [...found].sort((a, b) => b[1] - a[1]);
};

const fillSelect = (select, every, values) => {
  select.replaceChildren(el("option", { value: "" }, every));
  for (const [value, n] of values)
    select.append(el("option", { value: JSON.stringify(value) }, `${visible(value)} (${n})`));
};

const MOST_SUGGESTIONS = 500; // of tasks; a browser draws a longer list slowly

/** Wire the form; `changed` is called with the new list of episodes and the needle. */
const makeFilters = (index, changed) => {
  const find = (id) => document.getElementById(id);
  const rows = index.rows;
  const [text, reason, task, agent, env, sort] = ["text", "reason", "task", "agent", "env", "sort"].map(find);
  let outcome = "";
  let found = null; // numbers of the episodes with the needle; null without one
  let run = 0; // a newer search ends the older one

  fillSelect(reason, "any ending", counts(rows, "reason"));
  fillSelect(agent, "any agent", counts(rows, "agent"));
  fillSelect(env, "any environment", counts(rows, "env"));
  find("agent-label").hidden = agent.options.length < 3;
  find("env-label").hidden = env.options.length < 3;
  find("kinds").hidden = find("agent-label").hidden && find("env-label").hidden;
  sort.querySelector("[value=cost]").hidden = rows.every((row) => row.cost == null);
  for (const [name] of counts(rows, "task").slice(0, MOST_SUGGESTIONS))
    find("tasks").append(el("option", { value: name }));

  const numbers = new Map(counts(rows, "outcome"));
  const buttons = [["", "all", rows.length]];
  for (const [name, { sign, label }] of Object.entries(OUTCOMES))
    if (numbers.has(name)) buttons.push([name, `${sign} ${label}`, numbers.get(name)]);
  for (const [name, label, n] of buttons)
    find("outcomes").append(
      el("button", { type: "button", class: name, "data-outcome": name, onclick: () => setOutcome(name) },
        label, " ", el("span", { class: "n" }, n.toLocaleString("en"))));

  const setOutcome = (name) => {
    outcome = name;
    apply();
  };

  const passes = (row) =>
    (!outcome || row.outcome === outcome) &&
    (!reason.value || row.reason === JSON.parse(reason.value)) &&
    (!agent.value || row.agent === JSON.parse(agent.value)) &&
    (!env.value || row.env === JSON.parse(env.value)) &&
    (!task.value || sameTask(row.task, task.value)) &&
    (!found || found.has(row.number));

  const known = new Set(rows.map((row) => row.task));
  const sameTask = (name, typed) =>
    known.has(typed) ? name === typed : name.toLowerCase().includes(typed.toLowerCase());

  const apply = (progress = 1) => {
    for (const button of find("outcomes").children)
      button.setAttribute("aria-pressed", String(button.dataset.outcome === outcome));
    const shown = rows.filter(passes).sort(ORDERS[sort.value]);
    const filtered = shown.length < rows.length || text.value || progress < 1;
    const scored = shown.filter((row) => row.outcome !== "excluded");
    const solved = scored.filter((row) => row.outcome === "success").length;
    find("count").textContent = [
      filtered ? `${shown.length.toLocaleString("en")} of ${plural(rows.length, "episode")}` : plural(rows.length, "episode"),
      ...(scored.length ? [`${percent(solved / scored.length)} solved`] : []),
      ...(progress < 1 ? [`searched ${Math.round(100 * progress)} %`] : []),
    ].join(" · ");
    find("clear").hidden = !filtered;
    changed(shown, text.value.toLowerCase());
  };

  const searchAll = async () => {
    const mine = ++run;
    const needle = text.value.toLowerCase();
    found = needle ? new Set() : null;
    apply(needle ? 0 : 1);
    if (!needle) return;
    let drawn = performance.now();
    for await (const { found: some, done } of search(index.starts, needle)) {
      if (mine !== run) return;
      some.forEach((number) => found.add(number));
      if (done === 1 || performance.now() - drawn > 100) {
        apply(done);
        drawn = performance.now();
        await new Promise((wake) => setTimeout(wake)); // let keys and clicks in
      }
    }
  };

  let timer = 0;
  text.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(searchAll, 200);
  });
  for (const input of [reason, agent, env, sort]) input.addEventListener("change", () => apply());
  task.addEventListener("input", () => apply());
  find("filters").addEventListener("submit", (event) => event.preventDefault());

  const clear = () => {
    for (const input of [text, reason, task, agent, env]) input.value = "";
    outcome = "";
    searchAll();
  };
  find("clear").addEventListener("click", clear);

  return {
    apply,
    clear,
    /** Show the episodes of one task. */
    onlyTask(name) {
      clear();
      task.value = name;
      apply();
    },
  };
};
