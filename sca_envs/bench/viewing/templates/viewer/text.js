// Text as it is: what a model wrote becomes text nodes, never markup.

/** Make an element; strings among the children become text nodes. */
const el = (tag, attributes, ...children) => {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes ?? {})) {
    if (name === "onclick") node.addEventListener("click", value);
    else if (value !== false && value != null) node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children.flat(Infinity).filter((child) => child != null && child !== false));
  return node;
};

// Control characters, half surrogates, and marks that turn the direction of text would be invisible
// or make the page lie about the order of what was said.
const INVISIBLE = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff]|[\ud800-\udfff]/gu;

/** Return text with characters that nobody can see as escapes such as \ud800. */
const visible = (text) =>
  text.replace(INVISIBLE, (character) => `\\u${character.codePointAt(0).toString(16).padStart(4, "0")}`);

/** Return text as nodes, with every place that has the needle marked. */
const marked = (text, needle) => {
  const shown = visible(text);
  if (!needle) return [shown];
  const nodes = [];
  const lower = shown.toLowerCase();
  let from = 0;
  if (lower.length !== shown.length) return [shown]; // a letter whose lower case is two
  for (let at = lower.indexOf(needle); at >= 0; at = lower.indexOf(needle, from)) {
    nodes.push(shown.slice(from, at), el("mark", null, shown.slice(at, at + needle.length)));
    from = at + needle.length;
  }
  nodes.push(shown.slice(from));
  return nodes;
};

const TOKENS = /"(?:[^"\\]|\\.)*"|[{}[\],:]|[^\s{}[\],:"]+/g;
const WIDTH = 76;

/**
 * Return JSON over several lines, or null if the text is no JSON object or list.
 *
 * It works on the tokens, because JSON.parse would make 50 of 50.0 and lose digits of large numbers.
 */
const prettyJson = (text) => {
  if (!/^\s*[[{]/.test(text)) return null;
  try {
    JSON.parse(text);
  } catch {
    return null;
  }
  const tokens = text.match(TOKENS);
  const lines = [];
  let depth = 0;
  let line = "";
  const flush = () => {
    if (line.trim()) lines.push(line.trimEnd());
    line = "  ".repeat(depth);
  };
  for (let at = 0; at < tokens.length; at++) {
    const token = tokens[at];
    if (token === "{" || token === "[") {
      const short = compact(tokens, at, WIDTH - line.length);
      if (short) {
        line += short.text;
        at = short.end;
        continue;
      }
      line += token;
      depth++;
      flush();
    } else if (token === "}" || token === "]") {
      depth--;
      flush();
      line += token;
    } else if (token === ",") {
      line += token;
      flush();
    } else {
      line += token === ":" ? ": " : token;
    }
  }
  flush();
  return lines.join("\n");
};

/** Return the bracket that opens at a token on one line, with the place of its end, if it fits. */
const compact = (tokens, start, room) => {
  let text = "";
  let depth = 0;
  for (let at = start; at < tokens.length; at++) {
    const token = tokens[at];
    if (token === "{" || token === "[") depth++;
    if (token === "}" || token === "]") depth--;
    text += token === "," ? ", " : token === ":" ? ": " : token;
    if (text.length > room) return null;
    if (depth === 0) return { text, end: at };
  }
  return null;
};

const plural = (n, word) => `${n.toLocaleString("en")}\u00a0${word}${n === 1 ? "" : "s"}`;
const percent = (share) => `${(100 * share).toFixed(1)}\u00a0%`;
const money = (dollars) => `$${dollars.toFixed(dollars < 1 ? 4 : 2)}`;
const number = (value) => String(Math.round(value * 1e6) / 1e6);
