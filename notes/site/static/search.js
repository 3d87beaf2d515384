// Full-text search without a server: the words of a query in an index that lies in a script.
// `excerpt` is anypart.data.windows.excerpt, line by line; tests hold them together.
"use strict";

const CJK = "\\u3400-\\u9fff\\uf900-\\ufaff\\u3040-\\u30ff";
const PART = `(?:(?![${CJK}])[\\p{L}\\p{N}])+`;
const TOKEN = new RegExp(`[${CJK}]|${PART}(?:['’-]${PART})*`, "gu");

/** List [start, stop, word] of words, and of single characters where no spaces part words. */
function tokens(text) {
  return [...text.matchAll(TOKEN)].map((m) => [
    m.index,
    m.index + m[0].length,
    m[0].toLowerCase(),
  ]);
}

/**
 * Find the shortest stretch of items that holds every wanted one, [start, stop]; null if none.
 * Of each item its last place matters; the window reaches from the first of these to the item
 * that just came (anypart.data.windows.minimal_windows).
 */
function shortestWindow(items, wanted) {
  const places = new Map([...wanted].map((item) => [item, -1]));
  const kept = new Map(); // place → nothing, in order: the first is the start
  let lacking = places.size;
  let best = null;
  items.forEach((item, here) => {
    if (!places.has(item)) return;
    const gone = places.get(item);
    let begins = false;
    if (gone < 0) {
      lacking -= 1;
      begins = lacking === 0;
    } else {
      begins = lacking === 0 && gone === kept.keys().next().value;
      kept.delete(gone);
    }
    places.set(item, here);
    kept.set(here, null);
    const start = kept.keys().next().value;
    if (begins && (best === null || here + 1 - start < best[1] - best[0])) best = [start, here + 1];
  });
  return best;
}

/** Take in neighbouring words as long as there is room, or leave the last ones out. */
function widened(spots, start, stop, most) {
  while (stop - start > 1 && spots[stop - 1][1] - spots[start][0] > most) stop -= 1;
  for (let grown = true; grown; ) {
    grown = false;
    if (start && spots[stop - 1][1] - spots[start - 1][0] <= most) {
      start -= 1;
      grown = true;
    }
    if (stop < spots.length && spots[stop][1] - spots[start][0] <= most) {
      stop += 1;
      grown = true;
    }
  }
  return [start, stop];
}

/** Cut the shortest part that holds all the words: { text, marks, found, length } or null. */
function excerpt(text, words, most = 160, spots = tokens(text)) {
  const there = new Set(spots.map((spot) => spot[2]));
  const asked = new Set(
    words.flatMap((word) => tokens(word).map((t) => t[2])).filter((w) => there.has(w)),
  );
  if (!asked.size) return null;
  const window = shortestWindow(
    spots.map((spot) => spot[2]),
    asked,
  );
  const [start, stop] = widened(spots, window[0], window[1], most);
  const begin = spots[start][0];
  const end = spots[stop - 1][1];
  const lead = start ? "… " : "";
  const tail = stop < spots.length ? " …" : text.slice(end, end + 1).trim();
  const shift = lead.length - begin;
  const marked = spots.slice(start, stop).filter((spot) => asked.has(spot[2]));
  return {
    text: lead + text.slice(begin, end).replace(/\s/g, " ") + tail,
    marks: marked.map(([a, b]) => [a + shift, b + shift]),
    found: [...new Set(marked.map((spot) => spot[2]))].sort(),
    length: window[1] - window[0],
  };
}

/** Find what a text calls a word of the query: itself, a word that begins so, or its singular. */
function spelled(word, counts) {
  if (counts.has(word)) return word;
  if (word.length < 3) return null;
  const longer = [...counts.keys()].filter((other) => other.startsWith(word));
  if (longer.length) return longer.reduce((a, b) => (counts.get(b) > counts.get(a) ? b : a));
  const singular = word.replace(/(?:es|s)$/, "");
  return singular !== word && counts.has(singular) ? singular : null;
}

/** Read a page's text once: its words, where they are, and how often. */
function prepared(page) {
  if (!page.spots) {
    page.spots = tokens(page.text);
    page.counts = new Map();
    for (const [, , word] of page.spots) page.counts.set(word, (page.counts.get(word) || 0) + 1);
    page.titled = new Set(tokens(page.title).map((t) => t[2]));
  }
  return page;
}

/**
 * Rank pages: most words of the query first, then the entry of that very name, then notes before
 * the reference, then the words side by side, then most words in the title, then the shortest
 * window that covers them.
 */
function search(pages, query, most = 20) {
  const asked = [...new Set(tokens(query.replace(/’/g, "'")).map((t) => t[2]))];
  const found = [];
  for (const page of pages.map(prepared)) {
    const words = asked.map((word) => spelled(word, page.counts)).filter(Boolean);
    if (!words.length) continue;
    const shown = excerpt(page.text, words, 160, page.spots);
    const titled = words.filter((word) => page.titled.has(word)).length;
    const often = Math.min(...words.map((word) => page.counts.get(word)));
    const named = tokens(page.title.split(".").pop()).map((t) => t[2]).join() === asked.join();
    const together = shown.length === words.length; // as one phrase: what a name in Chinese is
    const kind = page.note ? 1 : 0;
    const rank = [words.length, +named, kind, +together, titled, -shown.length, often];
    found.push({ page, shown, rank });
  }
  found.sort((a, b) => {
    const at = a.rank.findIndex((value, ix) => value !== b.rank[ix]);
    return at < 0 ? 0 : b.rank[at] - a.rank[at];
  });
  // A page that lacks a word is shown only if no page has them all.
  const all = found.filter((one) => one.rank[0] === asked.length);
  return (all.length ? all : found).slice(0, most);
}

/** Write an excerpt with its words marked. */
function marked(shown) {
  const parts = [];
  let last = 0;
  for (const [start, stop] of shown.marks) {
    parts.push(shown.text.slice(last, start));
    const mark = document.createElement("mark");
    mark.textContent = shown.text.slice(start, stop);
    parts.push(mark);
    last = stop;
  }
  return [...parts, shown.text.slice(last)];
}

/** Join the search page's field to its list of results. */
function attach(field, list, status, pages) {
  const words = status.dataset;
  const show = () => {
    const results = search(pages, field.value);
    list.replaceChildren(...results.map(listed));
    const many = results.length === 1 ? words.one : words.many.replace("#", results.length);
    status.textContent = field.value.trim() ? (results.length ? many : words.none) : "";
  };
  field.value = new URLSearchParams(location.search).get("q") || "";
  field.addEventListener("input", show);
  field.form.addEventListener("submit", (event) => event.preventDefault());
  show();
}

/** Make a line of the list of results. */
function listed({ page, shown }) {
  const item = document.createElement("li");
  const link = document.createElement("a");
  const text = document.createElement("p");
  link.href = page.address;
  link.textContent = page.title;
  text.append(...marked(shown));
  if (!page.note) item.lang = "en";
  item.append(link, text);
  return item;
}

if (typeof module === "undefined") {
  const byId = (id) => document.getElementById(id);
  attach(byId("q"), byId("results"), byId("status"), [...NOTES, ...REFERENCE]);
} else {
  module.exports = { excerpt, search, shortestWindow, tokens };
}
