// The episodes: an index of all, and their conversations in compressed chunks, opened when needed.

const unpack = async (id) => {
  const text = atob(document.getElementById(id).textContent);
  const bytes = new Uint8Array(text.length);
  for (let at = 0; at < text.length; at++) bytes[at] = text.charCodeAt(at);
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Response(stream).text();
};

/** Return the index: names of the columns, a row an episode, and where each chunk begins. */
const loadIndex = async () => {
  const { columns, rows, ...rest } = JSON.parse(await unpack("index"));
  const named = rows.map((row, number) => {
    const episode = { number };
    columns.forEach((column, at) => (episode[column] = row[at]));
    return episode;
  });
  return { ...rest, rows: named };
};

const KEPT_CHUNKS = 4;
const chunks = new Map(); // the chunks read last, as lists of JSON lines

const readChunk = async (chunk) => {
  const known = chunks.get(chunk);
  const lines = known ?? (await unpack(`chunk-${chunk}`)).split("\n");
  chunks.delete(chunk);
  chunks.set(chunk, lines);
  if (chunks.size > KEPT_CHUNKS) chunks.delete(chunks.keys().next().value);
  return lines;
};

/** Return the chunk that has an episode: the last one that begins at or before it. */
const chunkOf = (starts, episode) => {
  let low = 0;
  let high = starts.length - 1;
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if (starts[middle] <= episode) low = middle;
    else high = middle - 1;
  }
  return low;
};

/** Return all of one episode. */
const loadEpisode = async (starts, episode) => {
  const chunk = chunkOf(starts, episode);
  return JSON.parse((await readChunk(chunk))[episode - starts[chunk]]);
};

const strings = function* (value) {
  if (typeof value === "string") yield value;
  else if (value && typeof value === "object") for (const item of Object.values(value)) yield* strings(item);
};

/** Say whether an episode's line has the needle, in lower case, in a text and not in a key's name. */
const lineHas = (line, needle, escaped) => {
  if (!line.toLowerCase().includes(escaped)) return false; // quick, and mostly the end of it
  for (const text of strings(JSON.parse(line))) if (text.toLowerCase().includes(needle)) return true;
  return false;
};

/**
 * Yield the numbers of the episodes with the needle, chunk by chunk, so that the page stays awake.
 * Each item is {found, done}: numbers of one chunk, and the share of the chunks that were searched.
 */
const search = async function* (starts, needle) {
  const escaped = JSON.stringify(needle).slice(1, -1).toLowerCase();
  for (let chunk = 0; chunk < starts.length; chunk++) {
    const lines = chunks.get(chunk) ?? (await unpack(`chunk-${chunk}`)).split("\n");
    const found = [];
    lines.forEach((line, at) => {
      if (lineHas(line, needle, escaped)) found.push(starts[chunk] + at);
    });
    yield { found, done: (chunk + 1) / starts.length };
  }
};
