// Gumbel-Softmax draws on the simplex of three categories: the reader's logits and temperature.

const LARGEST = 30; // a logit, in size
const COUNTS = { min: 100, max: 2000, step: 100, value: 500 };

/** Read one logit. */
export function readLogit(text) {
  const values = readNumbers(text, 1);
  if (!values.length || Math.abs(values[0]) > LARGEST) {
    throw new Problem(
      `A logit here is one number between −${LARGEST} and ${LARGEST}.`,
      `这里的 logit 是 −${LARGEST} 到 ${LARGEST} 之间的一个数。`,
    );
  }
  return values[0];
}

/** Draw rows of standard Gumbels, −log(−log u); the same ones for the same seed. */
export function gumbels(seed, rows, cats = 3) {
  const draw = uniforms(seed);
  const one = () => -Math.log(-Math.log(draw()));
  return Array.from({ length: rows }, () => Array.from({ length: cats }, one));
}

/** Make relaxed draws of noise: softmax((o + g) / τ) for each row. */
export function relaxed(logits, noise, temperature) {
  return noise.map((row) =>
    softmax(
      row.map((g, i) => logits[i] + g),
      temperature,
    ),
  );
}

/**
 * Sum draws up: the mean of the relaxed ones, how often each category is the largest (which is
 * the Gumbel-Max draw), and the share of draws with an entry above .99.
 */
export function summary(draws) {
  const cats = draws[0].map((_, i) => i);
  const largest = draws.map((y) => y.indexOf(Math.max(...y)));
  return {
    mean: cats.map((i) => draws.reduce((sum, y) => sum + y[i], 0) / draws.length),
    largest: cats.map((i) => largest.filter((at) => at === i).length / draws.length),
    hard: draws.filter((y) => Math.max(...y) > 0.99).length / draws.length,
  };
}

export function mount(element, data, language) {
  const say = speaker(language);
  const logits = [...data.logits];
  const state = { seed: data.seed, count: COUNTS.value, temperature: 1, noise: [], draws: [] };
  const told = live();
  const body = el("tbody");
  const label = say(
    "The draws as points of a triangle; each corner is one category",
    "样本画成三角形里的点，每个顶点是一个类别",
  );
  const plot = picture(label, draw);

  function draw(width) {
    const side = Math.min(width - 60, 420);
    const [height, left, top] = [side * 0.866 + 52, (width - side) / 2, 24];
    const corners = [
      [left, top + side * 0.866],
      [left + side, top + side * 0.866],
      [width / 2, top],
    ];
    const at = (y) => [0, 1].map((axis) => corners.reduce((sum, c, i) => sum + c[axis] * y[i], 0));
    const place = (y, d) =>
      svg("path", { transform: `translate(${at(y).map((v) => v.toFixed(1))})`, ...d });
    const dots = state.draws.map((y) => {
      const [cx, cy] = at(y);
      return svg("circle", { class: "dot", cx: cx.toFixed(1), cy: cy.toFixed(1), r: 2.5 });
    });
    const [square, cross, diamond] = ["M-6 -6H6V6H-6Z", "M-8 0H8M0 -8V8", "M-8 0L0 -8L8 0L0 8Z"];
    const p = softmax(logits);
    return [
      height,
      svg("path", { class: "axis", d: `M${corners.map(([x, y]) => `${x} ${y}`).join("L")}Z` }),
      dots,
      place(softmax(logits, state.temperature), { class: "plain", d: diamond }),
      place(p, { class: "probability", d: square }),
      place(summary(state.draws).mean, { class: "mean", d: cross }),
      [
        [0, "end", -6, 16],
        [1, "start", 6, 16],
        [2, "middle", 0, -8],
      ].map(([i, anchor, dx, dy]) =>
        svg(
          "text",
          { x: corners[i][0] + dx, y: corners[i][1] + dy, "text-anchor": anchor },
          `${i + 1}`,
        ),
      ),
    ];
  }

  function show() {
    state.draws = relaxed(logits, state.noise, state.temperature);
    const { mean, largest, hard } = summary(state.draws);
    const p = softmax(logits);
    const rows = p.map((share, i) =>
      row(
        `${i + 1}`,
        [share, mean[i], largest[i]].map((value) => number(value, 3)),
      ),
    );
    body.replaceChildren(...rows);
    const off = Math.max(...p.map((share, i) => Math.abs(share - mean[i])));
    const t = number(state.temperature, 2);
    const percent = number(100 * hard, 1);
    told.textContent = say(
      `At τ = ${t}, ${percent} % of the draws have an entry above .99, and their mean is off p by ` +
        `${number(off, 3)}.`,
      `τ = ${t} 时，${percent} % 的样本有一个分量超过 .99；样本均值与 p 最多相差 ${number(off, 3)}。`,
    );
    plot.again();
  }

  function again() {
    state.noise = gumbels(state.seed, state.count);
    show();
  }

  const inputs = logits.map((value, i) =>
    field(
      language,
      say(`Logit ${i + 1}`, `logit ${i + 1}`),
      `${value}`,
      readLogit,
      (read) => {
        logits[i] = read;
        if (state.noise.length) show();
      },
      { inputmode: "text" },
    ),
  );
  const write = (power) => number(10 ** power, 2);
  const range = { min: -2, max: 1, step: 0.05, value: 0 };
  const heat = slider(say("Temperature τ", "温度 τ"), range, write, (power) => {
    state.temperature = 10 ** power;
    if (state.noise.length) show();
  });
  const many = slider(say("Draws", "样本数"), COUNTS, String, (count) => {
    state.count = count;
    again();
  });
  const fresh = button(say("Other noise", "换一批噪声"), () => {
    state.seed += 1;
    again();
  });
  const key = el(
    "p",
    { class: "key" },
    el("span", { class: "k1" }, say("□ p, the categorical", "□ 类别分布 p")),
    el("span", { class: "k2" }, say("+ mean of the draws", "+ 样本均值")),
    el("span", { class: "k3" }, say("◇ softmax(o/τ), no noise", "◇ 不加噪声的 softmax(o/τ)")),
  );
  const head = [
    say("category", "类别"),
    "p",
    say("mean of the draws", "样本均值"),
    say("how often largest", "最大的次数占比"),
  ];
  frame(
    element,
    STYLE,
    el(
      "div",
      { class: "three" },
      inputs.map(({ box }) => box),
    ),
    el("div", { class: "two" }, heat.box, many.box),
    group(say("Noise", "噪声"), [fresh]),
    plot.box,
    key,
    told,
    table(head, body),
  );
  heat.take();
  many.take();
}

const STYLE = `
.live .three { display: grid; grid-template-columns: repeat(3, minmax(0, 1fr)); gap: 12px; }
.live .dot { fill: var(--accent); fill-opacity: .35; }
.live .probability { fill: none; stroke: var(--ink); stroke-width: 2.5; }
.live .plain { fill: none; stroke: var(--ink); stroke-width: 1.5; stroke-dasharray: 3 2; }
.live .mean { fill: none; stroke: var(--accent-2); stroke-width: 4; }
.live .key .k1 { border-bottom: 3px solid var(--ink); }
.live .key .k3 { border-bottom: 3px dashed var(--ink); }
.live .key .k2 { border-bottom: 3px solid var(--accent-2); }
`;
