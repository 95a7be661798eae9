// One episode: what was wanted, what was said and done in each turn, and what it was worth.

const LONG = 24; // lines of a text that are shown before it is asked for

/** Return a text in a box that is cut when it is long. */
const block = (text, needle, kind = "") => {
  const pre = el("pre", { class: `text ${kind}` }, marked(text, needle));
  const lines = text.split("\n").length;
  if (lines <= LONG && text.length <= LONG * 100) return pre;
  pre.classList.add("cut");
  const size = lines > LONG ? plural(lines, "line") : plural(text.length, "character");
  const more = el("button", { type: "button", class: "link more", onclick: () => {
    const cut = pre.classList.toggle("cut");
    more.textContent = cut ? `show all ${size}` : "show less";
  } }, `show all ${size}`);
  return el("div", null, pre, more);
};

const result = (text, needle) => {
  const pretty = prettyJson(text);
  return block(pretty ?? text, needle, pretty ? "json" : "");
};

/** Return the arguments of a call, one a row. */
const callArguments = (json, needle) => {
  let names;
  try {
    names = JSON.parse(json);
  } catch {
    names = null;
  }
  if (!names || typeof names !== "object" || Array.isArray(names)) return block(json, needle);
  const values = splitObject(json);
  return el("dl", { class: "arguments" },
    values.map(([name, value]) => [
      el("dt", null, marked(name, needle)),
      el("dd", null, block(prettyJson(value) ?? plainString(value), needle)),
    ]));
};

const plainString = (json) => (json.startsWith('"') ? JSON.parse(json) : json);

/** Return the names of a JSON object with the text of each value, digits and all. */
const splitObject = (json) => {
  const tokens = json.match(TOKENS);
  const pairs = [];
  let depth = 0;
  for (const token of tokens) {
    if (token === "}" || token === "]") depth--;
    if (depth === 1 && token === ",") pairs.push([null, ""]);
    else if (depth === 1 && token === ":" && !pairs.at(-1)[1]) pairs.at(-1)[1] = " ";
    else if (depth >= 1) {
      if (!pairs.length) pairs.push([null, ""]);
      const pair = pairs.at(-1);
      if (pair[0] === null) pair[0] = JSON.parse(token);
      else pair[1] += token === "," ? ", " : token === ":" ? ": " : token;
    }
    if (token === "{" || token === "[") depth++;
  }
  return pairs.map(([name, value]) => [name, value.trim()]);
};

const said = (turn, needle) => {
  if (turn.call)
    return [el("p", { class: "call" }, el("code", null, marked(turn.call.name, needle))),
      callArguments(turn.call.arguments, needle)];
  return block(turn.action, needle, turn.source === "code" ? "code" : "speech");
};

const heard = (turn, needle) => {
  const person = turn.source === "user";
  const error = !person && turn.observation.startsWith("Error:");
  const kind = person ? "user" : turn.source === "environment" ? "environment" : "tool";
  const label = kind === "tool" ? (turn.source === "code" ? "output of the code" : `result of ${turn.source}`) : kind;
  return el("div", { class: `part ${kind} ${error ? "error" : ""}` },
    el("h4", null, visible(label)),
    person ? block(turn.observation, needle, "speech") : result(turn.observation, needle));
};

const SIGNS = { add: "+", remove: "−", change: "~" };

const changeTable = (changes, needle) =>
  el("div", { class: "part database" },
    el("h4", null, `database: ${plural(changes.length, "change")}`),
    el("ul", { class: "changes" }, changes.map((change) =>
      el("li", { class: change.kind },
        el("div", { class: "path", title: change.kind },
          el("span", { class: "sign" }, SIGNS[change.kind]), " ",
          el("code", null, marked(change.path, needle))),
        el("div", { class: "values" },
          change.before != null && el("div", { class: "before" }, el("span", { class: "sr" }, "before: "), result(change.before, needle)),
          change.after != null && el("div", { class: "after" }, el("span", { class: "sr" }, "after: "), result(change.after, needle)))))));

const turnView = (turn, at, needle) => {
  const raw = el("div", { class: "raw", hidden: true }, block(turn.action, needle));
  return el("section", { class: "turn", id: `turn-${at + 1}`, "aria-label": `Turn ${at + 1}`, tabindex: "-1" },
    el("div", { class: "rail" }, at + 1),
    el("div", { class: "parts" },
      el("div", { class: "part agent" },
        el("h4", null, "agent",
          turn.tokens != null && el("span", { class: "aside" }, plural(turn.tokens, "token")),
          turn.call && el("button", { type: "button", class: "link", onclick: () => (raw.hidden = !raw.hidden) }, "as written")),
        said(turn, needle), raw),
      turn.observation && heard(turn, needle),
      turn.changes && changeTable(turn.changes, needle),
      turn.reward ? el("p", { class: "aside" }, `reward of this turn: ${number(turn.reward)}`) : null));
};

const fact = (name, value) =>
  value != null && value !== "" && el("div", null, el("dt", null, name), el("dd", null, value));

const componentBars = (components) =>
  Object.entries(components).map(([name, value]) =>
    el("div", { class: `component ${value >= 1 ? "good" : value <= 0 ? "bad" : "part-way"}` },
      el("span", null, visible(name)),
      el("meter", { min: 0, max: 1, value, "aria-label": name }),
      el("strong", null, number(value))));

const usageText = (usage) =>
  usage && [
    usage.completion_tokens != null && `${plural(usage.completion_tokens, "token")} written`,
    usage.prompt_tokens != null && `${plural(usage.prompt_tokens, "token")} read`,
    usage.cost != null && money(usage.cost),
    usage.seconds != null && `${usage.seconds.toFixed(1)} s`,
    usage.errors && plural(usage.errors, "failed request"),
  ].filter(Boolean).join(" · ");

const optionText = (options) =>
  options && Object.entries(options).map(([name, value]) => `${name}=${typeof value === "string" ? value : JSON.stringify(value)}`).join(", ");

/** Return the page of an episode. */
const episodeView = (episode, row, policies, needle, actions) => {
  const { sign, label } = OUTCOMES[row.outcome];
  const turns = episode.turns;
  return [
    el("header", { class: "head" },
      el("button", { type: "button", class: "link back", onclick: actions.back }, "‹ episodes"),
      el("h1", null, marked(episode.task_id, needle),
        el("span", { class: `badge ${row.outcome}` }, `${sign} ${label}`),
        el("button", { type: "button", class: "link", onclick: () => actions.onlyTask(row.task) }, "all trials")),
      el("dl", { class: "facts" },
        fact("environment", visible(episode.env_id)),
        fact("data", visible(`${episode.data}, ${episode.split}`)),
        fact("agent", visible(episode.agent)),
        fact("trial", `${row.trial}, seed ${episode.seed}`),
        fact("ended by", el("strong", null, visible(episode.termination_reason))),
        fact("turns", String(turns.length)),
        fact("usage", usageText(episode.usage)),
        fact("user's usage", usageText(episode.user_usage)),
        fact("options", visible(optionText(episode.env_options) ?? "")),
        fact("agent's options", visible(optionText(episode.agent_options) ?? ""))),
      el("div", { class: "rewards" },
        el("div", { class: `component total ${row.outcome === "success" ? "good" : "bad"}` },
          el("span", null, "reward"), el("strong", null, number(episode.reward))),
        componentBars(episode.reward_components ?? {})),
      episode.error && el("div", { class: "part environment error" },
        el("h4", null, visible(`${episode.error.kind}: ${episode.error.type}`)), block(episode.error.message, needle))),
    episode.instruction && el("details", { class: "fold", open: true },
      el("summary", null, "What the user wanted"), block(episode.instruction, needle, "speech")),
    episode.policy != null && el("details", { class: "fold" },
      el("summary", null, "The agent's policy"), block(policies[episode.policy], needle, "speech")),
    el("section", { class: "turn", id: "turn-0", tabindex: "-1", "aria-label": "Opening" },
      el("div", { class: "rail" }, "0"),
      el("div", { class: "parts" },
        el("div", { class: "part user" }, el("h4", null, "user"), block(episode.opening, needle, "speech")))),
    turns.map((turn, at) => turnView(turn, at, needle)),
    el("p", { class: "ending" }, "ended by ", el("strong", null, visible(episode.termination_reason)), `, reward ${number(episode.reward)}`),
  ];
};
