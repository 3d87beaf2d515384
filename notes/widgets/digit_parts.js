// Any part of a digit from any other part: exact conditionals of a hidden tree, in the page.

const SIDE = 8;
const PIXELS = SIDE * SIDE;
const DRAWS = 6;

/** Read the tree that the package fitted: a byte for each probability, p ≈ (byte / 255)². */
export function readModel({ parents, states, node_of, cats, tables }) {
  const bytes = Uint8Array.from(atob(tables), (letter) => letter.charCodeAt(0));
  let at = 0;
  const take = (rows, width) =>
    Array.from({ length: rows }, () => {
      const squares = Array.from(bytes.subarray(at, (at += width)), (byte) => byte ** 2);
      const total = squares.reduce((sum, x) => sum + x, 0);
      return squares.map((x) => x / total);
    });
  const transitions = parents.map((parent, i) => take(parent < 0 ? 1 : states[parent], states[i]));
  const emissions = node_of.map((node, column) => take(states[node], cats[column]));
  const children = parents.map((_, node) =>
    parents.flatMap((parent, i) => (parent === node ? [i] : [])),
  );
  const columns = parents.map((_, node) =>
    node_of.flatMap((held, c) => (held === node ? [c] : [])),
  );
  return { parents, children, columns, node_of, transitions, emissions };
}

const scaled = (weights) => {
  const total = weights.reduce((sum, x) => sum + x, 0);
  return [weights.map((x) => x / total), Math.log(total)];
};

/** Gather what is known towards the root. Evidence has a code or null for each column. */
export function upward({ children, columns, transitions, emissions }, evidence) {
  const [below, above] = [[], []]; // by node: of its own states, and as its parent hears it
  let logProb = 0;
  for (let node = transitions.length - 1; node >= 0; node--) {
    let message = transitions[node][0].map(() => 1);
    for (const column of columns[node]) {
      if (evidence[column] === null) continue;
      message = message.map((x, state) => x * emissions[column][state][evidence[column]]);
      const [shares, log] = scaled(message);
      [message, logProb] = [shares, logProb + log];
    }
    for (const child of children[node])
      message = message.map((x, state) => x * above[child][state]);
    below[node] = message;
    const heard = transitions[node].map((to) =>
      to.reduce((sum, p, state) => sum + p * message[state], 0),
    );
    const [shares, log] = scaled(heard);
    above[node] = shares;
    logProb += log;
  }
  return { logProb, below, above };
}

/** The log-probability of what is known, the rest summed out; nats. */
export function logProb(model, evidence) {
  return upward(model, evidence).logProb;
}

/** The probabilities of every column's categories given what is known, one column at a time. */
export function conditional(model, evidence) {
  const { children, node_of, transitions, emissions } = model;
  const { below, above } = upward(model, evidence);
  const [arriving, posterior] = [[transitions[0][0]], []];
  transitions.forEach((_, node) => {
    posterior[node] = scaled(arriving[node].map((x, state) => x * below[node][state]))[0];
    for (const child of children[node]) {
      const others = posterior[node].map((x, state) => x / above[child][state]);
      const width = transitions[child][0].length;
      const sums = Array.from({ length: width }, (_, to) =>
        others.reduce((sum, x, state) => sum + x * transitions[child][state][to], 0),
      );
      arriving[child] = scaled(sums)[0];
    }
  });
  return node_of.map((node, column) =>
    emissions[column][0].map((_, code) =>
      evidence[column] === null
        ? posterior[node].reduce((sum, x, state) => sum + x * emissions[column][state][code], 0)
        : Number(code === evidence[column]),
    ),
  );
}

/** Draw all that is unknown jointly; what is known stays. `draw` gives uniform numbers. */
export function sample(model, evidence, draw) {
  const { parents, columns, transitions, emissions } = model;
  const { below } = upward(model, evidence);
  const states = [];
  const filled = [...evidence];
  transitions.forEach((to, node) => {
    const from = to[parents[node] < 0 ? 0 : states[parents[node]]];
    states[node] = pick(
      from.map((p, state) => p * below[node][state]),
      draw,
    );
    for (const column of columns[node])
      filled[column] ??= pick(emissions[column][states[node]], draw);
  });
  return filled;
}

function pick(weights, draw) {
  let left = draw() * weights.reduce((sum, x) => sum + x, 0);
  const at = weights.findIndex((x) => (left -= x) < 0);
  return at < 0 ? weights.length - 1 : at;
}

/** Draw several times from a seed. */
export function samples(model, evidence, seed, times) {
  const draw = uniforms(seed);
  return Array.from({ length: times }, () => sample(model, evidence, draw));
}

/** What is shown of a digit to begin with: place → whether it is. */
export const PARTS = {
  all: () => true,
  upper: (at) => at < PIXELS / 2,
  left: (at) => at % SIDE < SIDE / 2,
  chequered: (at) => (at + Math.floor(at / SIDE)) % 2 === 0,
  none: () => false,
};

export function mount(element, data, language) {
  const say = speaker(language);
  const model = readModel(data);
  let evidence = data.node_of.map(() => null);
  let [seed, focus, brush] = [1, 0, undefined];
  const told = live();
  const bars = el("tbody");
  const drawn = el("div", { class: "drawn" });
  const words = (code) =>
    [say("unknown", "未知"), say("off", "灭"), say("on", "亮")][code === null ? 0 : code + 1];
  const following = (code) => (code === null ? 1 : code === 1 ? 0 : null);

  const cells = Array.from({ length: PIXELS }, (_, at) =>
    el("button", {
      type: "button",
      class: "pixel",
      tabindex: at ? -1 : 0,
      onpointerdown: (event) => begin(event, at),
      onclick: (event) => event.detail === 0 && set(at, following(evidence[at])), // by keyboard
      onkeydown: (event) => move(event, at),
    }),
  );
  const grid = el(
    "div",
    {
      class: "grid",
      role: "group",
      onpointermove: paint,
      "aria-label": say(
        "Pixels: Enter changes one, the arrow keys move",
        "像素：回车改变，方向键移动",
      ),
    },
    cells,
  );
  addEventListener("pointerup", () => (brush = undefined));

  function begin(event, at) {
    brush = following(evidence[at]);
    event.target.releasePointerCapture?.(event.pointerId);
    set(at, brush);
  }

  function paint(event) {
    if (brush === undefined) return;
    const at = cells.indexOf(document.elementFromPoint(event.clientX, event.clientY));
    if (at >= 0 && evidence[at] !== brush) set(at, brush);
  }

  function move(event, at) {
    const step = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -SIDE, ArrowDown: SIDE }[event.key];
    if (!step) return;
    event.preventDefault();
    const to = at + step;
    if (to < 0 || to >= PIXELS || (Math.abs(step) === 1 && to % SIDE === (step < 0 ? SIDE - 1 : 0)))
      return;
    cells[focus].tabIndex = -1;
    focus = to;
    cells[to].tabIndex = 0;
    cells[to].focus();
  }

  function set(at, code) {
    evidence[at] = code;
    show();
  }

  function show() {
    const shares = conditional(model, evidence);
    cells.forEach((cell, at) => {
      const on = shares[at][1];
      const known = evidence[at] !== null;
      cell.className = known ? "pixel known" : "pixel";
      cell.style.setProperty("--on", `${(100 * on).toFixed(1)}%`);
      const chance = known ? "" : say(`, on with ${number(on, 2)}`, `，亮的概率 ${number(on, 2)}`);
      const [line, place] = [Math.floor(at / SIDE) + 1, (at % SIDE) + 1];
      const where = say(`row ${line}, column ${place}: `, `第 ${line} 行第 ${place} 列：`);
      cell.setAttribute("aria-label", where + words(evidence[at]) + chance);
    });
    const digits = shares[PIXELS];
    bars.replaceChildren(
      ...digits.map((share, digit) => {
        const bar = el("span", { class: "bar", style: `width:${(100 * share).toFixed(1)}%` });
        const part = el("span", { class: "part" }, bar, el("span", {}, number(share, 3)));
        return row(`${digit}`, [part]);
      }),
    );
    const known = evidence.filter((code) => code !== null).length;
    const nats = number(logProb(model, evidence), 3);
    const best = digits.indexOf(Math.max(...digits));
    told.textContent = sentence(
      say(
        `${known} cells are set: log p = ${nats} nats; most likely digit ${best} (${number(digits[best], 3)})`,
        `已设定 ${known} 格：log p = ${nats} 奈特；最可能的数字是 ${best}（${number(digits[best], 3)}）`,
      ),
      language,
    );
    drawn.replaceChildren();
  }

  function draws() {
    const made = samples(model, evidence, seed++, DRAWS).map((filled) => {
      const log = number(logProb(model, filled), 2);
      const dots = filled
        .slice(0, PIXELS)
        .flatMap((code, at) =>
          code
            ? [svg("rect", { x: at % SIDE, y: Math.floor(at / SIDE), width: 1, height: 1 })]
            : [],
        );
      const label = say(`A draw: digit ${filled[PIXELS]}`, `样本：数字 ${filled[PIXELS]}`);
      const picture = svg("svg", { viewBox: "0 0 8 8", role: "img", "aria-label": label }, dots);
      const text = say(`${filled[PIXELS]}, log p ${log}`, `${filled[PIXELS]}，log p ${log}`);
      return el("figure", {}, picture, el("figcaption", {}, text));
    });
    drawn.replaceChildren(...made);
  }

  function begins() {
    const pixels = [...data.digits[Number(which.input.value)]].map(Number);
    evidence = [...pixels.map((code, at) => (PARTS[part.input.value](at) ? code : null)), null];
    cls.input.value = "";
    show();
  }

  const which = choice(
    say("A held-out digit", "未参与训练的数字"),
    data.digits.map((_, i) => [i, `${i}`]),
    begins,
  );
  const parts = [
    ["upper", say("upper half", "上半")],
    ["left", say("left half", "左半")],
    ["chequered", say("every second pixel", "隔一个像素")],
    ["all", say("all of it", "全部")],
    ["none", say("nothing", "不显示")],
  ];
  const part = choice(say("Shown of it", "显示"), parts, begins);
  const classes = [["", say("unknown", "未知")], ...data.digits.map((_, i) => [i, `${i}`])];
  const cls = choice(say("The digit is", "数字是"), classes, (value) =>
    set(PIXELS, value === "" ? null : Number(value)),
  );
  const acts = group(say("Do", "操作"), [
    button(say("Draw the rest", "抽取其余部分"), draws),
    button(say("Forget all", "全部设为未知"), () => {
      evidence = evidence.map(() => null);
      cls.input.value = "";
      show();
    }),
  ]);
  const hint = el(
    "p",
    { class: "hint" },
    say(
      "Click or paint: on, off, unknown. Framed pixels are set; the others show their probability of being on.",
      "点击或涂画：亮、灭、未知。带框的像素已设定，其余显示其为亮的概率。",
    ),
  );
  const [now, before] = [data.log_prob, data.before_bytes].map((value) => number(value, 4));
  const about = el(
    "p",
    { class: "hint" },
    say(
      `Mean log p of ${data.held_out} held-out digits: ${now} nats; ${before} before each ` +
        "probability was cut to one byte.",
      `${data.held_out} 个未参与训练的数字的平均 log p：${now} 奈特；每个概率压成一个字节之前是 ${before}。`,
    ),
  );
  const head = [say("digit", "数字"), say("probability given what is set", "给定已设定部分的概率")];
  frame(
    element,
    STYLE,
    el("div", { class: "three" }, which.box, part.box, cls.box),
    el("div", { class: "two" }, el("div", { class: "side" }, grid, hint, acts), table(head, bars)),
    told,
    drawn,
    about,
  );
  begins();
}

const STYLE = `
.live .three { display: grid; grid-template-columns: repeat(auto-fit, minmax(120px, 1fr));
  gap: 12px; align-items: end; }
.live .side { display: grid; grid-template-columns: minmax(0, 1fr); gap: 10px; }
.live .grid { display: grid; grid-template-columns: repeat(8, 1fr); gap: 3px; max-width: 340px;
  touch-action: none; user-select: none; }
.live .grid .pixel { aspect-ratio: 1; min-width: 0; min-height: 0; padding: 0; border-radius: 4px;
  border: 1px solid var(--line);
  background: color-mix(in srgb, var(--ink) var(--on), var(--paper)); }
.live .grid .known { border: 3px solid var(--accent); }
.live .hint { font-size: .88rem; color: var(--soft); }
.live th:first-child { white-space: nowrap; }
.live td { width: 88%; padding-block: 2px; }
.live .part { display: grid; grid-template-columns: 1fr 4em; align-items: center; }
.live .bar { display: block; height: 12px; min-width: 1px; background: var(--accent); }
.live .drawn { display: grid; grid-template-columns: repeat(auto-fill, minmax(96px, 1fr)); gap: 10px; }
.live .drawn:empty { display: none; }
.live .drawn figure { margin: 0; }
.live .drawn svg { background: var(--panel); border: 1px solid var(--line); border-radius: 4px; }
.live .drawn rect { fill: var(--ink); shape-rendering: crispEdges; }
.live .drawn figcaption { font-size: .82rem; text-align: center; }
`;
