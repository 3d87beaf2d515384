// The smooth maximum beside the maximum, its bound, and its gradient, for the reader's numbers.

const MOST = 12; // values
const WARMEST = 2; // temperature

/** Read the values whose maximum is asked for: at least one. */
export function readValues(text) {
  const values = readNumbers(text, MOST);
  if (!values.length) {
    throw new Problem(
      "Write at least one number: nothing has no largest value.",
      "请至少输入一个数：没有数就没有最大值。",
    );
  }
  return values;
}

/** t · log Σ exp(x / t), from above; the maximum itself at t = 0. */
export function smoothMax(values, temperature) {
  const top = Math.max(...values);
  if (temperature === 0) return top;
  const total = values.reduce((sum, x) => sum + Math.exp((x - top) / temperature), 0);
  return top + temperature * Math.log(total);
}

/** What the smooth maximum never exceeds the maximum by: t · ln n. */
export function bound(values, temperature) {
  return temperature * Math.log(values.length);
}

/** The derivative of the smooth maximum by each value; at t = 0 the largest share it evenly. */
export function gradient(values, temperature) {
  if (temperature > 0) return softmax(values, temperature);
  const top = Math.max(...values);
  const ties = values.filter((x) => x === top).length;
  return values.map((x) => (x === top ? 1 / ties : 0));
}

export function mount(element, data, language) {
  const say = speaker(language);
  let values = [];
  let temperature = data.temperature;
  const told = live();
  const shares = el("tbody");
  const label = say(
    "The smooth maximum falls to the maximum as the temperature falls to 0, below its bound",
    "温度降到 0 时，光滑最大值从上方降到最大值，始终不超过它的界",
  );
  const curve = picture(label, draw);

  function draw(width) {
    const [left, right, top, bottom, height] = [44, 12, 14, 40, 280];
    const most = Math.max(...values);
    const low = Math.min(...values);
    const high = most + Math.max(bound(values, WARMEST), (most - low) / 4, 0.5);
    const x = (t) => left + (t / WARMEST) * (width - left - right);
    const y = (v) => top + ((high - v) / (high - low || 1)) * (height - top - bottom);
    const path = (f) =>
      Array.from({ length: 81 }, (_, i) => (i * WARMEST) / 80)
        .map((t, i) => `${i ? "L" : "M"}${x(t).toFixed(1)} ${y(f(t)).toFixed(1)}`)
        .join("");
    const weights = gradient(values, temperature);
    const dots = values.map((v, i) =>
      svg("circle", { class: "value", cx: x(0), cy: y(v), r: 3 + 7 * Math.sqrt(weights[i]) }),
    );
    const now = [temperature, smoothMax(values, temperature)];
    const write = (words, px, py, anchor = "start", kind = "soft") =>
      svg("text", { x: px, y: py, "text-anchor": anchor, class: kind }, words);
    return [
      height,
      svg("path", { class: "axis", d: `M${x(0)} ${top}V${height - bottom}H${x(WARMEST)}` }),
      svg("path", { class: "second", d: path((t) => most + bound(values, t)) }),
      svg("path", { class: "hard", d: path(() => most) }),
      svg("path", { class: "line", d: path((t) => smoothMax(values, t)) }),
      svg("path", { class: "at", d: `M${x(now[0])} ${top}V${height - bottom}` }),
      dots,
      svg("circle", { class: "point", cx: x(now[0]), cy: y(now[1]), r: 5 }),
      write(number(most, 1), left - 14, y(most) + 4, "end"),
      low < most ? write(number(low, 1), left - 14, y(low) + 4, "end") : [],
      [0, 1, 2].map((t) => write(`${t}`, x(t), height - bottom + 18, "middle")),
      write(say("temperature t", "温度 t"), x(WARMEST), height - 4, "end"),
    ];
  }

  function show() {
    const soft = smoothMax(values, temperature);
    const most = Math.max(...values);
    const [a, b, c] = [soft, soft - most, bound(values, temperature)].map((v) => number(v, 4));
    const highest = number(most, 4);
    told.textContent = say(
      `Smooth maximum ${a}, maximum ${highest}: above it by ${b}, at most by t ln n = ${c}.`,
      `光滑最大值 ${a}，最大值 ${highest}：高出 ${b}，至多高出 t ln n = ${c}。`,
    );
    const parts = gradient(values, temperature);
    shares.replaceChildren(
      ...values.map((v, i) => {
        const bar = el("span", { class: "bar", style: `width:${(100 * parts[i]).toFixed(1)}%` });
        const part = el("span", { class: "part" }, bar, el("span", {}, number(parts[i], 4)));
        return row(number(v, 4).replace(/\.?0+$/, ""), [part]);
      }),
    );
    curve.again();
  }

  const input = field(language, say("Your values", "你的数值"), data.values, readValues, (read) => {
    values = read;
    show();
  });
  const write = (t) => (t ? `${number(t, 2)} (1/t = ${number(1 / t, 1)})` : "0");
  const range = { min: 0, max: WARMEST, step: 0.01, value: temperature };
  const heat = slider(say("Temperature t", "温度 t"), range, write, (t) => {
    temperature = t;
    if (values.length) show();
  });
  const head = [say("value", "数值"), say("gradient", "梯度")];
  const key = el(
    "p",
    { class: "key" },
    el("span", { class: "k1" }, say("smooth maximum", "光滑最大值")),
    el("span", { class: "k2" }, say("maximum + t ln n", "最大值 + t ln n")),
    el("span", { class: "k3" }, say("maximum", "最大值")),
  );
  frame(
    element,
    STYLE,
    el("div", { class: "two" }, input.box, heat.box),
    curve.box,
    key,
    told,
    table(head, shares),
  );
  heat.take();
  input.take();
}

const STYLE = `
.live .hard { fill: none; stroke: var(--ink); stroke-width: 1.5; }
.live .at { stroke: var(--edge); stroke-dasharray: 2 3; }
.live .point { fill: var(--accent); stroke: var(--paper); stroke-width: 1.5; }
.live .value { fill: var(--tint); stroke: var(--accent); }
.live .key .k1 { border-bottom: 3px solid var(--accent); }
.live .key .k2 { border-bottom: 3px dashed var(--accent-2); }
.live .key .k3 { border-bottom: 3px solid var(--ink); }
.live td { width: 75%; }
.live .part { display: grid; grid-template-columns: 1fr 4em; align-items: center; }
.live .bar { display: block; height: 12px; min-width: 1px; background: var(--accent); }
`;
