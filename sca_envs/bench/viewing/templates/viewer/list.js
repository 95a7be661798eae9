// The list of episodes. Only the rows in sight exist, so ten thousand cost no more than twenty.

const ROW_HEIGHT = 60; // px, as in viewer.css
const MARGIN = 6; // rows beyond the edges

/** Make the list in its element; `choose` is called with the number of a chosen episode. */
const makeList = (box, spacer, trials, choose) => {
  let shown = []; // episodes in their order
  let selected = null;

  const row = (episode, position) =>
    el(
      "div",
      {
        class: `item ${episode.outcome}`,
        role: "option",
        id: `row-${episode.number}`,
        "aria-selected": String(episode.number === selected),
        "aria-setsize": shown.length,
        "aria-posinset": position + 1,
        style: `top:${position * ROW_HEIGHT}px`,
        onclick: () => choose(episode.number, true),
      },
      el("div", { class: "line" },
        el("span", { class: "mark" }, OUTCOMES[episode.outcome].sign),
        el("span", { class: "name" }, visible(episode.task)),
        trials && el("span", { class: "trial" }, `trial ${episode.trial}`),
        el("span", { class: "reward" }, number(episode.reward))),
      el("div", { class: "line second" },
        el("span", { class: "reason" }, visible(episode.reason)),
        el("span", { class: "snippet" }, visible(episode.snippet))),
    );

  const draw = () => {
    const first = Math.max(0, Math.floor(box.scrollTop / ROW_HEIGHT) - MARGIN);
    const last = Math.ceil((box.scrollTop + box.clientHeight) / ROW_HEIGHT) + MARGIN;
    spacer.replaceChildren(...shown.slice(first, last).map((episode, at) => row(episode, first + at)));
    box.setAttribute("aria-activedescendant", selected === null ? "" : `row-${selected}`);
  };

  const scrollTo = (position) => {
    const top = position * ROW_HEIGHT;
    if (top < box.scrollTop) box.scrollTop = top;
    else if (top + ROW_HEIGHT > box.scrollTop + box.clientHeight)
      box.scrollTop = top + ROW_HEIGHT - box.clientHeight;
  };

  const position = () => shown.findIndex((episode) => episode.number === selected);

  box.addEventListener("scroll", () => requestAnimationFrame(draw), { passive: true });
  new ResizeObserver(draw).observe(box);

  return {
    /** Show these episodes. */
    show(episodes) {
      shown = episodes;
      spacer.style.height = `${shown.length * ROW_HEIGHT}px`;
      box.scrollTop = Math.min(box.scrollTop, Math.max(0, shown.length * ROW_HEIGHT - box.clientHeight));
      draw();
    },
    /** Mark an episode, and bring its row into sight. */
    select(episode) {
      selected = episode;
      const at = position();
      if (at >= 0) scrollTo(at);
      draw();
    },
    /** Choose the episode some rows further; from none, the first one. */
    move(rows) {
      if (!shown.length) return;
      const at = position();
      const next = at < 0 ? 0 : Math.min(Math.max(at + rows, 0), shown.length - 1);
      choose(shown[next].number, false);
    },
    first: () => shown.length && choose(shown[0].number, false),
    last: () => shown.length && choose(shown.at(-1).number, false),
  };
};

const OUTCOMES = {
  success: { sign: "✓", label: "solved" },
  failure: { sign: "✗", label: "failed" },
  excluded: { sign: "!", label: "not scored" },
};
