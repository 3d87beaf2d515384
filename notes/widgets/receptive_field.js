// The receptive field of a stack of layers that the reader edits, along one axis.

const KINDS = { conv: "conv", pool: "pool", maxpool: "pool", avgpool: "pool" };
const OPTIONS = { s: "stride", p: "padding", d: "dilation", k: "kernel" };
const [MOST_LAYERS, LARGEST_INPUT, LARGEST_OPTION] = [16, 100, 50];
const TOKEN = /\s*(?:(\d+)\s*\*|([[\]()|,])|([A-Za-z_][\w./-]*)\s*:|([^[\]()|,*:\s]+))/y;

/** Read a stack: "conv 3 s2 p1, 2 * (conv 3, pool 2)". Paths and deconv are not for this picture. */
export function parse(spec) {
  const words = tokens(spec);
  const [layers, rest] = chain(words, 0);
  if (rest < words.length) throw unread(words[rest].text);
  if (!layers.length || layers.length > MOST_LAYERS) {
    throw new Problem(
      `There are ${layers.length} layers; 1 to ${MOST_LAYERS} are drawn here. Write for instance: conv 3 s2, conv 3`,
      `这里有 ${layers.length} 层，可画 1 到 ${MOST_LAYERS} 层。例如：conv 3 s2, conv 3`,
    );
  }
  return layers;
}

function tokens(spec) {
  const words = [];
  const text = spec.trimEnd();
  for (TOKEN.lastIndex = 0; TOKEN.lastIndex < text.length;) {
    const from = TOKEN.lastIndex;
    const found = TOKEN.exec(text);
    if (!found) throw unread(text.slice(from, from + 12));
    const at = [1, 2, 3, 4].find((i) => found[i] !== undefined);
    words.push({ kind: ["times", "mark", "name", "word"][at - 1], text: found[at] });
  }
  return words;
}

function unread(text) {
  return new Problem(`“${text}” cannot be read here.`, `这里无法读懂“${text}”。`);
}

function chain(words, at) {
  const layers = [];
  while (at < words.length && words[at].text !== ")") {
    if (words[at].text === ",") {
      at += 1;
      continue;
    }
    let [times, name] = [1, ""];
    if (words[at]?.kind === "times") times = Number(words[at++].text);
    if (words[at]?.kind === "name") name = words[at++].text;
    const [found, next] = item(words, at, name);
    for (let i = 0; i < times && layers.length <= MOST_LAYERS; i++) layers.push(...found);
    at = next;
  }
  return [layers, at];
}

function item(words, at, name) {
  if (words[at]?.text === "(") {
    const [inner, next] = chain(words, at + 1);
    if (words[next]?.text !== ")") throw unread("(");
    return [inner, next + 1];
  }
  if (words[at] && "[|]".includes(words[at].text)) {
    throw new Problem(
      "Paths between brackets are not drawn here: `anypart study receptive-field` follows them.",
      "这里不画方括号里的分支：可用 `anypart study receptive-field`。",
    );
  }
  const own = [];
  while (words[at]?.kind === "word") own.push(words[at++].text);
  if (!own.length) throw unread(words[at]?.text ?? ",");
  return [[layerOf(own, name)], at];
}

function layerOf(words, name) {
  const kind = KINDS[words[0].toLowerCase()];
  if (!kind) {
    throw new Problem(
      `“${words[0]}” is no layer that is drawn here. There are conv and pool: conv 3 s2 p1`,
      `“${words[0]}”不是这里能画的层。有 conv 和 pool：conv 3 s2 p1`,
    );
  }
  if (words.length < 2) {
    throw new Problem(
      `“${words[0]}” has no kernel: ${words[0]} 3`,
      `“${words[0]}”缺卷积核大小：${words[0]} 3`,
    );
  }
  const kernel = sizeOf(words[1], 1);
  const stated = words.slice(2).some((word) => word[0] === "s" && word !== "same");
  const stride = kind === "pool" && !stated ? kernel : 1; // as torch does
  const layer = { kind, kernel, stride, padding: 0, dilation: 1, ceil: false, name };
  for (const word of words.slice(2)) {
    if (word === "same") layer.padding = "same";
    else if (word === "ceil") layer.ceil = true;
    else if (OPTIONS[word[0]])
      layer[OPTIONS[word[0]]] = sizeOf(word.slice(1), word[0] === "p" ? 0 : 1);
    else {
      throw new Problem(
        `“${word}” is no option. There are s2 (stride), p1 (padding), same, d2 (dilation), ceil.`,
        `“${word}”不是选项。有 s2（步幅）、p1（填充）、same、d2（空洞）、ceil。`,
      );
    }
  }
  return layer;
}

function sizeOf(word, least) {
  if (!/^\d+$/.test(word) || Number(word) < least || Number(word) > LARGEST_OPTION) {
    throw new Problem(
      `“${word}” is no size. Write one whole number from ${least} to ${LARGEST_OPTION}.`,
      `“${word}”不是大小。请写 ${least} 到 ${LARGEST_OPTION} 的一个整数。`,
    );
  }
  return Number(word);
}

/** Write a layer as a spec does. */
export function written({ kind, kernel, stride, padding, dilation, ceil }) {
  const words = [kind, kernel];
  if (stride !== 1) words.push(`s${stride}`);
  if (dilation !== 1) words.push(`d${dilation}`);
  if (padding) words.push(padding === "same" ? "same" : `p${padding}`);
  if (ceil) words.push("ceil");
  return words.join(" ");
}

/** Read the size of the input. */
export function readSize(text) {
  const size = Number(text);
  if (!text.trim() || !Number.isInteger(size) || size < 1 || size > LARGEST_INPUT) {
    throw new Problem(
      `The input has 1 to ${LARGEST_INPUT} positions here: write one whole number.`,
      `这里的输入有 1 到 ${LARGEST_INPUT} 个位置：请写一个整数。`,
    );
  }
  return size;
}

/** Return what each layer's padding is, at its start, and how many positions it gives. */
function sizes(layers, size) {
  let n = size;
  return layers.map((layer) => {
    const { kernel, stride, dilation, ceil } = layer;
    const reach = dilation * (kernel - 1);
    if (layer.padding === "same") {
      const given = Math.ceil(n / stride);
      const pad = Math.floor(Math.max((given - 1) * stride + reach + 1 - n, 0) / 2);
      n = given;
      return { n, pad };
    }
    const pad = layer.padding;
    const room = n + 2 * pad - reach - 1; // how far the first window can move
    if (room < 0) {
      throw new Problem(
        `${layer.name || written(layer)} reads ${-room} positions more than there are. Give a larger input, or padding.`,
        `${layer.name || written(layer)} 要读的位置比现有的多 ${-room} 个。请加大输入或加填充。`,
      );
    }
    const hangs = ceil && room % stride > 0;
    const last = Math.ceil(room / stride);
    // A window that would start in the padding at the end is dropped, as torch does.
    const inside = last * stride < room + 1 + reach - pad;
    n = hangs && inside ? last + 1 : hangs ? last : Math.floor(room / stride) + 1;
    return { n, pad };
  });
}

/** Follow the field from the input up (anypart.lens.network.receptive_field). */
export function receptiveField(layers, size) {
  let [step, low, high] = [1, 0, 0];
  const found = sizes(layers, size);
  return layers.map((layer, i) => {
    const { n, pad } = found[i];
    low -= pad * step;
    high += (layer.dilation * (layer.kernel - 1) - pad) * step;
    step *= layer.stride;
    return {
      name: layer.name || written(layer),
      nOut: n,
      jump: step,
      size: high - low + 1,
      center: (low + high) / 2,
      padding: low ? -low : 0,
      low,
      high,
    };
  });
}

/** Follow one output from the top down: the positions read in the input, and after each layer. */
export function topDown(layers, size, position) {
  const found = sizes(layers, size);
  const read = [[position]];
  layers.toReversed().forEach((layer, i) => {
    const { pad } = found[layers.length - 1 - i];
    const below = new Set();
    for (const o of read[0]) {
      for (let tap = 0; tap < layer.kernel; tap++) {
        below.add(o * layer.stride - pad + tap * layer.dilation);
      }
    }
    read.unshift([...below].sort((a, b) => a - b));
  });
  return read;
}

export function mount(element, data, language) {
  const say = speaker(language);
  const state = { layers: [], size: 31, at: 0, rows: [] };
  const told = live();
  const body = el("tbody");
  const label = say(
    "The positions after each layer, the input at the bottom; marked is what one output reads",
    "每一层之后的位置，最下面是输入；标出的是一个输出所读的位置",
  );
  const cone = picture(label, draw);

  function draw(width) {
    const { layers, size, rows, at } = state;
    if (!rows.length) return [1];
    const read = topDown(layers, size, at);
    const levels = [{ nOut: size, jump: 1, center: 0 }, ...rows];
    const top = rows.at(-1);
    const from = Math.min(0, top.low);
    const to = Math.max(size - 1, top.high + (top.nOut - 1) * top.jump);
    const gap = Math.min((width - 20) / (to - from + 1), 24);
    const left = (width - gap * (to - from + 1)) / 2 + gap / 2;
    const rise = Math.max(34, Math.min(56, 300 / rows.length));
    const height = rise * rows.length + 40;
    const x = (level, o) => left + (levels[level].center + levels[level].jump * o - from) * gap;
    const y = (level) => height - 20 - level * rise;
    const r = Math.min(6, Math.max(gap * 0.38, 1.4));
    const lines = layers.flatMap((layer, i) => {
      const pad = sizes(layers, size)[i].pad;
      return read[i + 1].flatMap((o) =>
        Array.from(
          { length: layer.kernel },
          (_, tap) => o * layer.stride - pad + tap * layer.dilation,
        ).map(
          (below) => `M${x(i + 1, o).toFixed(1)} ${y(i + 1)}L${x(i, below).toFixed(1)} ${y(i)}`,
        ),
      );
    });
    const dots = levels.map(({ nOut }, level) => {
      const marked = new Set(read[level]);
      const outside = read[level].filter((o) => o < 0 || o >= nOut);
      return [...Array(nOut).keys(), ...outside].map((o) => {
        const kind = o < 0 || o >= nOut ? "pad" : marked.has(o) ? "read" : "spare";
        const pick = level === rows.length ? { onclick: () => position.set(o) } : {};
        return svg("circle", { class: kind, cx: x(level, o).toFixed(1), cy: y(level), r, ...pick });
      });
    });
    return [height, svg("path", { class: "reads", d: lines.join("") }), dots];
  }

  function show() {
    const { layers, size, rows, at } = state;
    const [first] = topDown(layers, size, at);
    const [low, high] = [first[0], first.at(-1)];
    const outside = first.filter((i) => i < 0 || i >= size).length;
    const span = high - low + 1;
    const holes = first.length < span;
    told.textContent =
      say(
        `Output ${at} sees ${span} positions: ${number(low)} to ${number(high)} of the input`,
        `输出 ${at} 看到 ${span} 个位置：输入的 ${number(low)} 到 ${number(high)}`,
      ) +
      (holes ? say(`, of which it reads ${first.length}`, `，其中读 ${first.length} 个`) : "") +
      (outside ? say(`; ${outside} lie in the padding`, `；${outside} 个在填充里`) : "") +
      say(".", "。");
    const cells = ({ nOut, jump, size: seen, center, padding }) =>
      [nOut, jump, seen, number(center, 1), number(padding)].map(String);
    body.replaceChildren(...rows.map((one) => row(one.name, cells(one))));
    cone.again();
  }

  const position = slider(
    say("Output position", "输出位置"),
    { min: 0, max: 0, step: 1 },
    String,
    (at) => {
      state.at = at;
      if (state.rows.length) show();
    },
  );
  position.set = (at) => {
    position.input.value = at;
    position.take();
  };
  const use = (change) => {
    const next = { ...state, ...change };
    next.rows = next.layers.length ? receptiveField(next.layers, next.size) : [];
    Object.assign(state, next);
    if (!state.rows.length) return;
    position.input.max = state.rows.at(-1).nOut - 1;
    position.set(Math.floor((state.rows.at(-1).nOut - 1) / 2));
  };
  const stack = field(
    language,
    say("Your layers, from the input up", "你的层，从输入往上"),
    data.layers,
    (text) => parse(text),
    (layers) => use({ layers }),
  );
  const size = field(
    language,
    say("Input positions", "输入的位置数"),
    `${data.size}`,
    readSize,
    (read) => use({ size: read }),
    { inputmode: "numeric" },
  );
  const adds = ["conv 3", "conv 3 s2", "conv 3 d2", "conv 3 same", "pool 2"].map((words) =>
    button(`+ ${words}`, () =>
      stack.set([stack.input.value.trim(), words].filter(Boolean).join(", ")),
    ),
  );
  const less = button(say("− last layer", "− 最后一层"), () => {
    stack.set(state.layers.slice(0, -1).map(written).join(", "));
  });
  const head = [
    say("layer", "层"),
    say("out", "输出数"),
    say("jump", "间距"),
    say("field", "感受野"),
    say("centre", "中心"),
    say("pad", "填充"),
  ];
  frame(
    element,
    STYLE,
    el("div", { class: "wide" }, stack.box, size.box),
    group(say("Edit the layers", "编辑层"), [...adds, less]),
    cone.box,
    position.box,
    told,
    table(head, body),
  );
  size.take();
  stack.take();
}

const STYLE = `
.live .wide { display: grid; grid-template-columns: minmax(0, 3fr) minmax(7em, 1fr); gap: 14px; }
@container (max-width: 560px) { .live .wide { grid-template-columns: minmax(0, 1fr); } }
.live .row button { padding: 4px 10px; }
.live .spare { fill: var(--paper); stroke: var(--edge); }
.live .read { fill: var(--accent); stroke: var(--accent); }
.live .pad { fill: var(--paper); stroke: var(--accent-2); stroke-width: 2; stroke-dasharray: 2 2; }
.live .reads { fill: none; stroke: var(--accent); stroke-opacity: .35; }
`;
