// What every widget is made of: elements, fields that say what they cannot read, and steps.
// `notes.widgets.source` puts it in front of a widget, which uses its names without importing
// them, so that a page holds one plain module.

/** Something that a reader wrote and that cannot be read, said in both languages. */
export class Problem extends Error {
  constructor(en, zh) {
    super(en);
    this.zh = zh;
  }
}

/** Make an HTML element; a function among its attributes listens: { onclick: draw }. */
export function el(tag, attributes = {}, ...children) {
  return fill(document.createElement(tag), attributes, children);
}

/** Make an SVG element. */
export function svg(tag, attributes = {}, ...children) {
  return fill(document.createElementNS("http://www.w3.org/2000/svg", tag), attributes, children);
}

function fill(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") node.addEventListener(name.slice(2), value);
    else if (value !== false && value != null) node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children.flat());
  return node;
}

/** Choose between the two languages of a page: say("values", "数值"). */
export function speaker(language) {
  return (en, zh) => (language === "zh" ? zh : en);
}

/** Put a widget into the page's element, with the style of all and its own. */
export function frame(element, style, ...children) {
  element.classList.add("live");
  element.replaceChildren(el("style", {}, KIT_STYLE + style), ...children);
}

/** Write a number with so many digits after the point, with a true minus sign. */
export function number(x, digits = 0) {
  const written = x.toFixed(digits);
  return Number(written) === 0 ? written.replace("-", "") : written.replace("-", "−");
}

/** Draw uniform numbers in (0, 1) from a seed, the same ones every time (mulberry32). */
export function uniforms(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return (((mixed ^ (mixed >>> 14)) >>> 0) + 0.5) / 4294967296;
  };
}

/**
 * A labelled text field. What `read` makes of its text goes to `use`; if it throws a Problem,
 * the message stands below until the text can be read.
 */
export function field(language, label, value, read, use, attributes = {}) {
  const id = `problem-${Math.random().toString(36).slice(2)}`;
  const message = el("span", { class: "problem", id, role: "status" });
  const tag = attributes.rows ? "textarea" : "input";
  const usual = { spellcheck: "false", autocomplete: "off", autocapitalize: "off", oninput: take };
  const input = el(tag, { ...usual, ...attributes, "aria-describedby": id });
  input.value = value;
  function take() {
    message.textContent = "";
    input.removeAttribute("aria-invalid");
    try {
      use(read(input.value));
    } catch (problem) {
      if (!(problem instanceof Problem)) throw problem;
      message.textContent = speaker(language)(problem.message, problem.zh);
      input.setAttribute("aria-invalid", "true");
    }
  }
  const set = (text) => {
    input.value = text;
    take();
  };
  const box = el("div", { class: "field" }, el("label", {}, el("span", {}, label), input), message);
  return { box, input, set, take };
}

/** A labelled slider; `write` says its value, and `use` takes it. */
export function slider(label, range, write, use) {
  const said = el("output");
  const input = el("input", { type: "range", ...range, oninput: take });
  function take() {
    said.textContent = write(Number(input.value));
    input.setAttribute("aria-valuetext", said.textContent);
    use(Number(input.value));
  }
  const box = el("label", { class: "slider" }, el("span", {}, label), input, said);
  return { box, input, take };
}

/** A labelled choice among [value, words] pairs. */
export function choice(label, options, use) {
  const made = options.map(([value, words]) => el("option", { value }, words));
  const input = el("select", { onchange: () => use(input.value) }, ...made);
  return { box: el("label", { class: "choice" }, el("span", {}, label), input), input };
}

/** A button. */
export function button(words, use, attributes = {}) {
  return el("button", { type: "button", onclick: use, ...attributes }, words);
}

/** Buttons and a slider over steps; `draw` is given the number of the step, from 0. */
export function stepper(language, draw) {
  const say = speaker(language);
  const range = el("input", {
    type: "range",
    min: 0,
    max: 0,
    "aria-label": say("Step", "步骤"),
    oninput: () => show(at()),
  });
  const said = el("output");
  const at = () => Number(range.value);
  function show(to) {
    const last = Number(range.max);
    range.value = Math.min(Math.max(to, 0), last);
    said.textContent = `${at() + 1} / ${last + 1}`;
    const words = say(`${at() + 1} of ${last + 1}`, `第 ${at() + 1} 步，共 ${last + 1} 步`);
    range.setAttribute("aria-valuetext", words);
    const disabled = [at() === 0, at() === 0, at() === last, at() === last];
    moves.forEach((move, i) => move.setAttribute("aria-disabled", disabled[i]));
    draw(at());
  }
  const moves = [
    button("«", () => show(0), { "aria-label": say("First step", "第一步") }),
    button("‹", () => show(at() - 1), { "aria-label": say("Step back", "退一步") }),
    button("›", () => show(at() + 1), { "aria-label": say("Next step", "下一步") }),
    button("»", () => show(Number(range.max)), { "aria-label": say("Last step", "最后一步") }),
  ];
  const group = { class: "steps", role: "group", "aria-label": say("Steps", "步骤") };
  const box = el("div", group, moves[0], moves[1], range, moves[2], moves[3], said);
  return { box, show, at, set: (count, to = 0) => ((range.max = count - 1), show(to)) };
}

/** Buttons or fields that belong together, beside each other. */
export function group(label, members) {
  return el("div", { class: "row", role: "group", "aria-label": label }, members);
}

/** A picture as wide as there is room for; `draw(width)` gives [height, …contents], in pixels. */
export function picture(label, draw) {
  const box = svg("svg", { role: "img", "aria-label": label });
  let width = 0;
  function again() {
    const [height, ...contents] = draw(width);
    box.setAttribute("viewBox", `0 0 ${width} ${height}`);
    box.replaceChildren(...contents.flat(2));
  }
  const widened = () => {
    const now = Math.max(Math.round(box.clientWidth), 200);
    if (now === width) return;
    width = now;
    again();
  };
  new ResizeObserver(() => requestAnimationFrame(widened)).observe(box);
  return { box, again: () => width && again() };
}

/** Read numbers between spaces or commas, at most so many. */
export function readNumbers(text, most) {
  const words = text.split(/[\s,;，、；]+/).filter(Boolean);
  if (words.length > most) {
    throw new Problem(
      `These are ${words.length} numbers; up to ${most} are taken here.`,
      `这里有 ${words.length} 个数，最多接受 ${most} 个。`,
    );
  }
  return words.map((word) => {
    const value = Number(word.replace("−", "-"));
    if (!Number.isFinite(value)) {
      throw new Problem(
        `“${word}” is no number. Write numbers with spaces between them.`,
        `“${word}”不是数。请输入数，用空格隔开。`,
      );
    }
    return value + 0; // −0 is 0
  });
}

/** Softmax of numbers divided by a temperature: shares that sum to 1. */
export function softmax(values, temperature = 1) {
  const top = Math.max(...values);
  const powers = values.map((x) => Math.exp((x - top) / temperature));
  const total = powers.reduce((sum, x) => sum + x, 0);
  return powers.map((x) => x / total);
}

/** Make a sentence of words: "the end moves" → "The end moves." */
export function sentence(words, language) {
  return `${words[0].toUpperCase()}${words.slice(1)}${speaker(language)(".", "。")}`;
}

/** A sentence that is read out when it changes. */
export function live(attributes = {}) {
  return el("p", { class: "said", "aria-live": "polite", ...attributes });
}

/** One of a row of cells, with its marks, which are read out as `words` says them. */
export function cell(text, marks, words) {
  const said = marks.length ? ` (${marks.map((mark) => words[mark]).join(", ")})` : "";
  return el("li", { class: marks.join(" ") }, text, el("span", { class: "unseen" }, said));
}

/** The key to the marks of cells. */
export function key(words) {
  const shown = Object.entries(words).map(([mark, said]) => el("span", { class: mark }, said));
  return el("p", { class: "key" }, shown);
}

/** A table: the words of its columns, and the body that rows go into. */
export function table(head, body) {
  const cells = head.map((words) => el("th", { scope: "col" }, words));
  const whole = el("table", {}, el("thead", {}, el("tr", {}, cells)), body);
  const box = el("div", { class: "scroll" }, whole);
  const reachable = () => (box.tabIndex = box.scrollWidth > box.clientWidth ? 0 : -1);
  new ResizeObserver(reachable).observe(box);
  return box;
}

/** A row of a table: what it is about, and its cells. */
export function row(head, cells, attributes = {}) {
  return el(
    "tr",
    attributes,
    el("th", { scope: "row" }, head),
    cells.map((c) => el("td", {}, c)),
  );
}

const KIT_STYLE = `
.live { display: grid; grid-template-columns: minmax(0, 1fr); gap: 14px; padding: 16px;
  border: 1px solid var(--line); border-radius: 10px; color: var(--ink); background: var(--paper);
  font-size: .94rem; line-height: 1.5; text-align: start; container-type: inline-size;
  --soft: color-mix(in srgb, var(--ink) 76%, var(--paper));
  --edge: color-mix(in srgb, var(--ink) 52%, var(--paper));
  --panel: color-mix(in srgb, var(--ink) 6%, transparent);
  --tint: color-mix(in srgb, var(--accent) 20%, var(--paper));
  --tint-2: color-mix(in srgb, var(--accent-2) 22%, var(--paper)); }
.live > style { display: none; }
.live * { box-sizing: border-box; }
.live p { margin: 0; }
.live p:empty { display: none; }
.live .row { display: flex; flex-wrap: wrap; gap: 8px 16px; align-items: center; }
.live .two { display: grid; grid-template-columns: repeat(2, minmax(0, 1fr)); gap: 14px 20px;
  align-items: start; }
@container (max-width: 560px) { .live .two { grid-template-columns: minmax(0, 1fr); } }
.live label > span, .live legend { display: block; margin: 0 0 2px; padding: 0;
  font-size: .86rem; color: var(--soft); }
.live .inline, .live .inline > span { display: inline-flex; gap: 6px; align-items: center; }
.live input:not([type=range], [type=checkbox], [type=radio]), .live select,
.live textarea { width: 100%; max-width: 100%; min-height: 40px; padding: 6px 10px;
  font: inherit; color: var(--ink); background: var(--paper); border: 1px solid var(--edge);
  border-radius: 6px; }
.live textarea, .live input { font-family: ui-monospace, "DejaVu Sans Mono", Menlo, monospace; }
.live [aria-invalid] { border-color: var(--accent-2); border-width: 2px; }
.live .problem { display: block; font-size: .9rem; font-weight: 600; }
.live .problem:empty { display: none; }
.live input[type=checkbox], .live input[type=radio] { width: 18px; height: 18px; margin: 0;
  accent-color: var(--accent); }
.live input[type=range] { flex: 1 1 90px; min-width: 60px; height: 32px; margin: 0;
  accent-color: var(--accent); }
.live .slider { display: flex; flex-wrap: wrap; gap: 2px 10px; align-items: center; }
.live .slider > span { flex: 1 0 100%; }
.live output { font-variant-numeric: tabular-nums; white-space: nowrap; }
.live .slider output { min-width: 3.4em; text-align: end; }
.live button { min-width: 40px; min-height: 40px; padding: 4px 12px; font: inherit;
  line-height: 1.2; color: var(--ink); background: var(--panel); border: 1px solid var(--edge);
  border-radius: 6px; cursor: pointer; }
.live button:hover { background: var(--tint); }
.live button[aria-disabled=true], .live button:disabled { color: var(--soft);
  border-color: var(--line); cursor: default; }
.live button[aria-pressed=true] { background: var(--tint); border-color: var(--accent);
  box-shadow: inset 0 -3px var(--accent); }
.live :focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; }
.live .steps { display: flex; gap: 6px; align-items: center; }
.live .steps input[type=range] { flex: 1 1 30px; min-width: 30px; }
.live .steps button { padding: 4px; }
.live .steps output { flex: 0 0 auto; }
.live .said { min-height: 3em; padding: 8px 12px; background: var(--panel); border-radius: 6px;
  border-inline-start: 3px solid var(--accent); overflow-wrap: anywhere; }
.live table { display: table; width: 100%; margin: 0; border-collapse: collapse;
  font-size: .9rem; font-variant-numeric: tabular-nums; }
.live .scroll { overflow-x: auto; }
.live th, .live td { padding: 4px 8px; border: 0; border-bottom: 1px solid var(--line);
  text-align: end; background: none; }
@container (max-width: 420px) { .live table { font-size: .82rem; }
  .live th, .live td { padding: 4px 3px; } }
.live th { font-weight: 600; }
.live tbody th { font-weight: inherit; white-space: nowrap; }
.live th:first-child, .live td:first-child { text-align: start; }
.live .now > * { background: var(--tint); }
.live svg { display: block; width: 100%; height: auto; max-width: 100%; }
.live svg .line { fill: none; stroke: var(--accent); stroke-width: 2.5; }
.live svg .second { fill: none; stroke: var(--accent-2); stroke-width: 2; stroke-dasharray: 6 4; }
.live svg .axis { fill: none; stroke: var(--edge); stroke-width: 1; }
.live svg .soft { fill: var(--soft); }
.live svg text { fill: var(--ink); font: 13px system-ui, sans-serif; }
.live .cells { display: flex; flex-wrap: wrap; gap: 4px; margin: 0; padding: 0;
  list-style: none; }
.live .cells li { min-width: 34px; margin: 0; padding: 3px 7px; text-align: center;
  border: 1px solid var(--edge); border-radius: 6px; font-variant-numeric: tabular-nums; }
.live .key { display: flex; flex-wrap: wrap; gap: 6px 14px; font-size: .86rem; }
.live .key span { padding: 0 8px; border: 1px solid var(--edge); border-radius: 6px; }
.live .within { background: var(--tint); }
.live .here { outline: 2px solid var(--accent); outline-offset: -2px; font-weight: 600; }
.live .best { box-shadow: inset 0 -4px var(--accent-2); }
.live .unseen { position: absolute; width: 1px; height: 1px; overflow: hidden;
  clip-path: inset(50%); white-space: nowrap; }
.live .listing { margin: 0; padding: 8px 0; overflow-x: auto; list-style: none;
  background: var(--panel); border: 1px solid var(--line); border-radius: 6px;
  counter-reset: line; font: .82rem/1.6 ui-monospace, "DejaVu Sans Mono", Menlo, monospace; }
.live .listing li::before { counter-increment: line; content: counter(line);
  display: inline-block; width: 2ch; margin-inline-end: 1.5ch; text-align: end;
  color: var(--soft); }
.live .listing li { min-width: 100%; width: max-content; margin: 0; padding: 0 8px;
  white-space: pre; border-inline-start: 4px solid transparent; }
.live .listing .now { background: var(--tint); border-color: var(--accent); }
`;
