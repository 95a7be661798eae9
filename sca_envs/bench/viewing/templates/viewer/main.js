// The page: list on one side, conversation on the other, and the keys.

const SPACE_ABOVE = 12; // px above the turn that a key led to

const start = async () => {
  const find = (id) => document.getElementById(id);
  if (typeof DecompressionStream === "undefined") {
    find("count").textContent = "This browser is too old to open the page (it has no DecompressionStream).";
    return;
  }
  const index = await loadIndex();
  const pane = find("episode");
  let shownEpisode = null;
  let needle = "";
  let asked = 0; // the newest request wins over a slower older one

  const openEpisode = async (number, byHand) => {
    const mine = ++asked;
    list.select(number);
    const episode = await loadEpisode(index.starts, number);
    if (mine !== asked) return;
    shownEpisode = number;
    const actions = { back: showList, onlyTask: (task) => filters.onlyTask(task) };
    pane.replaceChildren(...episodeView(episode, index.rows[number], index.policies, needle, actions).flat(Infinity).filter(Boolean));
    pane.scrollTop = 0;
    history.replaceState(null, "", `#episode=${number}`);
    if (byHand) document.body.classList.add("reading"); // on a phone the conversation takes the screen
  };

  const showList = () => document.body.classList.remove("reading");

  const trials = index.rows.some((row) => row.trial > 0);
  const list = makeList(find("list"), find("spacer"), trials, openEpisode);
  const filters = makeFilters(index, (episodes, typed) => {
    const remark = typed !== needle && shownEpisode !== null;
    needle = typed;
    list.show(episodes);
    if (remark) openEpisode(shownEpisode, false);
  });

  // Turns and changes of the open episode

  const show = (selector, step) => {
    const all = [...pane.querySelectorAll(selector)];
    if (!all.length) return;
    const top = pane.getBoundingClientRect().top;
    const here = all.findIndex((node) => node === document.activeElement?.closest?.(selector));
    const seen = all.findIndex((node) => node.getBoundingClientRect().top - top >= 0);
    const from = here >= 0 ? here + step : step > 0 ? Math.max(seen, 0) : seen < 0 ? all.length - 1 : seen - 1;
    const next = all[Math.min(Math.max(from, 0), all.length - 1)];
    if (!next.hasAttribute("tabindex")) next.tabIndex = -1;
    next.focus({ preventScroll: true });
    pane.scrollTop += next.getBoundingClientRect().top - top - SPACE_ABOVE;
    document.body.classList.add("reading");
  };

  const keys = {
    j: () => list.move(1),
    ArrowDown: () => list.move(1),
    k: () => list.move(-1),
    ArrowUp: () => list.move(-1),
    PageDown: () => list.move(10),
    PageUp: () => list.move(-10),
    g: () => list.first(),
    G: () => list.last(),
    l: () => show(".turn", 1),
    ArrowRight: () => show(".turn", 1),
    h: () => show(".turn", -1),
    ArrowLeft: () => show(".turn", -1),
    c: () => show(".database", 1),
    C: () => show(".database", -1),
    "/": () => {
      showList();
      find("text").select();
      find("text").focus();
    },
    t: switchTheme,
    "?": () => find("help").showModal(),
    Enter: () => shownEpisode !== null && document.body.classList.add("reading"),
    Escape: () => (document.body.classList.contains("reading") ? showList() : filters.clear()),
  };

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || find("help").open) return;
    const typing = event.target.matches("input, select, textarea");
    if (typing && event.key === "Escape") return event.target.blur();
    if (typing && event.key === "Enter") {
      event.target.blur();
      return list.first();
    }
    const pressing = event.target.matches("button, summary, a") && (event.key === "Enter" || event.key === " ");
    if (typing || pressing || !(event.key in keys)) return;
    event.preventDefault();
    keys[event.key]();
  });

  find("theme").addEventListener("click", switchTheme);
  find("help-button").addEventListener("click", keys["?"]);

  filters.apply();
  const wanted = Number(/^#episode=(\d+)$/.exec(location.hash)?.[1] ?? NaN);
  if (wanted < index.rows.length) await openEpisode(wanted, true);
  else if (index.rows.length && matchMedia("(min-width: 800px)").matches) await openEpisode(0, false);
  document.body.dataset.ready = "yes";
};

start();
