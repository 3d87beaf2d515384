// A unit with a threshold and with a bias: the same decisions, and the perceptron's rule.

const MOST_POINTS = 30;
const PASSES = 50;

/** Read points of the plane, one a line: two numbers, then + (shall fire) or -. */
export function readPoints(text) {
  const lines = text.split("\n").filter((line) => line.trim());
  if (!lines.length || lines.length > MOST_POINTS) {
    throw new Problem(
      `These are ${lines.length} points; 1 to ${MOST_POINTS} are taken here.`,
      `这里有 ${lines.length} 个点，接受 1 到 ${MOST_POINTS} 个。`,
    );
  }
  return lines.map((line, at) => {
    const [, numbers, sign] = line.trim().match(/^(.*?)([+\-−])$/) ?? [];
    const x = sign && readNumbers(numbers, 2);
    if (x?.length !== 2 || x.some((v) => Math.abs(v) > 1000)) {
      throw new Problem(
        `Line ${at + 1} is no point. Write two numbers (up to 1000) and then + or -: 1 2 +`,
        `第 ${at + 1} 行不是点。请写两个数（不超过 1000），再写 + 或 -：1 2 +`,
      );
    }
    return { x, fires: sign === "+" };
  });
}

const dot = (x, weights) => x[0] * weights[0] + x[1] * weights[1];

/** Decide by a threshold: w·x > T. */
export function firesAbove(x, weights, threshold) {
  return dot(x, weights) > threshold;
}

/** Decide by a bias: w·x + b > 0. */
export function fires(x, weights, bias) {
  return dot(x, weights) + bias > 0;
}

/**
 * Learn by the perceptron's rule, with or without a bias, and keep every update
 * (anypart.lens.network.learn).
 */
export function learn(points, withBias, passes = PASSES) {
  let [weights, bias] = [[0, 0], 0];
  let [mistakes, done] = [points.length, 0];
  const updates = [];
  while (mistakes && done < passes) {
    mistakes = 0;
    done += 1;
    points.forEach((point, at) => {
      if (fires(point.x, weights, bias) === point.fires) return;
      const sign = point.fires ? 1 : -1;
      weights = weights.map((w, i) => w + sign * point.x[i]);
      if (withBias) bias += sign;
      mistakes += 1;
      updates.push({ at, pass: done, weights, bias });
    });
  }
  return { weights, bias, mistakes, passes: done, updates };
}

/** Find two points on one ray from the origin of which only one shall fire. */
export function opposed(points) {
  const sizes = points.map(({ x }) => Math.hypot(...x));
  const along = (i, axis) => points[i].x[axis] / sizes[i];
  const near = (i, j) => [0, 1].every((axis) => Math.abs(along(i, axis) - along(j, axis)) <= 1e-12);
  const places = points.map((_, i) => i).filter((i) => sizes[i] > 0);
  for (const i of places.filter((one) => !points[one].fires)) {
    for (const j of places.filter((one) => points[one].fires)) if (near(i, j)) return [i, j];
  }
  return null;
}

/** Cut a polygon to the side where w·x + b > 0. */
function cut(corners, weights, bias) {
  const value = (x) => dot(x, weights) + bias;
  return corners.flatMap((a, i) => {
    const b = corners[(i + 1) % corners.length];
    const [u, v] = [value(a), value(b)];
    const kept = u > 0 ? [a] : [];
    if (u > 0 === v > 0) return kept;
    return [...kept, a.map((from, axis) => from + ((b[axis] - from) * u) / (u - v))];
  });
}

export function mount(element, data, language) {
  const say = speaker(language);
  const state = {
    points: [],
    weights: [1, 1],
    threshold: 1.5,
    mode: "hand",
    learned: null,
    at: -1,
  };
  const told = live();
  const proof = el("p");
  const body = el("tbody");
  const label = say("The plane: points, and the boundary of the unit", "平面上的点和单元的分界线");
  const plane = picture(label, draw);

  function draw(width) {
    const side = Math.min(width, 400);
    const most = Math.max(2, ...state.points.flatMap(({ x }) => x.map(Math.abs))) * 1.25;
    const at = (x) => [
      width / 2 + (x[0] / most) * (side / 2 - 2),
      side / 2 - (x[1] / most) * (side / 2 - 2),
    ];
    const path = (corners) => `M${corners.map((x) => at(x).map((v) => v.toFixed(1))).join("L")}`;
    const square = [
      [-most, -most],
      [most, -most],
      [most, most],
      [-most, most],
    ];
    const { weights, threshold } = state;
    const inside = cut(square, weights, -threshold);
    const rim = cut(
      square,
      weights.map((w) => -w),
      threshold,
    );
    const edge = inside.filter((x) =>
      rim.some((y) => Math.hypot(x[0] - y[0], x[1] - y[1]) < most * 1e-9),
    );
    const dots = state.points.map((point, i) => {
      const [cx, cy] = at(point.x);
      const wrong = fires(point.x, weights, -threshold) !== point.fires;
      const now = state.learned?.updates[state.at]?.at === i;
      const mark = `point ${point.fires ? "plus" : "minus"}${wrong ? " wrong" : ""}${now ? " now" : ""}`;
      const sign = svg("path", { d: point.fires ? "M-4 0H4M0 -4V4" : "M-4 0H4" });
      return svg(
        "g",
        { class: mark, transform: `translate(${cx} ${cy})` },
        svg("circle", { r: 9 }),
        sign,
      );
    });
    return [
      side,
      svg("path", {
        class: "axis",
        d: `${path(square)}Z${path([
          [-most, 0],
          [most, 0],
        ])}${path([
          [0, -most],
          [0, most],
        ])}`,
      }),
      inside.length ? svg("path", { class: "side", d: `${path(inside)}Z` }) : [],
      edge.length > 1 ? svg("path", { class: "line", d: path(edge) }) : [],
      dots,
      svg(
        "text",
        { class: "soft", x: width / 2 + side / 2 - 8, y: side / 2 - 6, "text-anchor": "end" },
        "x₁",
      ),
      svg("text", { class: "soft", x: width / 2 + 6, y: 16 }, "x₂"),
    ];
  }

  function show() {
    const { points, weights, threshold } = state;
    const short = (v) => number(v, 3).replace(/\.?0+$/, "") || "0";
    const yes = (is) => (is ? say("fires", "激活") : "–");
    const rows = points.map(({ x, fires: wanted }) => {
      const [value, decided] = [dot(x, weights), firesAbove(x, weights, threshold)];
      const cells = [wanted ? "+" : "−", short(value), yes(decided), short(value - threshold)];
      const name = `(${x.map(short).join(", ")})`;
      const attributes = { class: decided === wanted ? null : "now" };
      return row(name, [...cells, yes(fires(x, weights, -threshold))], attributes);
    });
    body.replaceChildren(...rows);
    const unit = `w = (${weights.map(short).join(", ")}), T = ${short(threshold)}, b = −T = ${short(-threshold)}`;
    told.textContent = `${unit}. ${saidOf()}`;
    const pair = opposed(points);
    proof.textContent = pair
      ? say(
          `Points ${pair[0] + 1} and ${pair[1] + 1} lie on one ray from the origin and only one ` +
            "shall fire: no unit without a bias decides both.",
          `第 ${pair[0] + 1} 点和第 ${pair[1] + 1} 点在从原点出发的同一条射线上，却只有一个应当激活：` +
            "没有偏置的单元不可能都判对。",
        )
      : "";
    plane.again();
  }

  function saidOf() {
    const wrong = state.points.filter(
      ({ x, fires: f }) => fires(x, state.weights, -state.threshold) !== f,
    );
    const count = say(
      `${wrong.length} of ${state.points.length} wrong.`,
      `${state.points.length} 点中错 ${wrong.length} 点。`,
    );
    if (!state.learned) return count;
    const { updates, mistakes, passes } = state.learned;
    const update = updates[state.at];
    const change =
      update &&
      say(
        `Pass ${update.pass}: point ${update.at + 1} was wrong, so it is ${state.points[update.at].fires ? "added" : "taken away"}. `,
        `第 ${update.pass} 遍：第 ${update.at + 1} 点判错，于是${state.points[update.at].fires ? "加上" : "减去"}它。`,
      );
    const last = state.at === updates.length - 1;
    const end = mistakes
      ? say(` Stopped after ${passes} passes: still mistakes.`, `${passes} 遍后停下：仍有错误。`)
      : say(` Pass ${passes} makes no mistake.`, `第 ${passes} 遍没有错误。`);
    return `${change || ""}${count}${last ? end : ""}`;
  }

  const steps = stepper(language, (at) => {
    state.at = at - 1;
    const now = state.learned.updates[state.at] ?? { weights: [0, 0], bias: 0 };
    state.weights = now.weights;
    state.threshold = 0 - now.bias;
    show();
  });

  function again() {
    const learns = state.mode !== "hand";
    state.learned = learns ? learn(state.points, state.mode === "bias") : null;
    hand.hidden = learns;
    steps.box.hidden = !learns;
    if (learns) steps.set(state.learned.updates.length + 1, 0);
    else for (const one of sliders) one.take();
  }

  const put = (i) => (value) => {
    if (i < 2) state.weights = state.weights.map((w, at) => (at === i ? value : w));
    else state.threshold = value;
    show();
  };
  const range = (value) => ({ min: -6, max: 6, step: 0.5, value });
  const write = (v) => number(v, 1);
  const sliders = [
    ["w₁", 1],
    ["w₂", 1],
    [say("threshold T", "阈值 T"), 1.5],
  ].map(([name, value], i) => slider(name, range(value), write, put(i)));
  const hand = el(
    "div",
    { class: "three" },
    sliders.map(({ box }) => box),
  );
  const modes = [
    ["hand", say("set by hand", "手动设置")],
    ["bias", say("learned, with a bias", "学习，带偏置")],
    ["plain", say("learned, without a bias", "学习，不带偏置")],
  ];
  const mode = choice(say("The unit is", "单元"), modes, (value) => {
    state.mode = value;
    again();
  });
  const sets = data.sets.map(({ en, zh, points }) => [points, say(en, zh)]);
  const set = choice(say("Example points", "示例点"), sets, (text) => input.set(text));
  const points = say(
    "Your points: x₁ x₂ and + (shall fire) or -",
    "你的点：x₁ x₂，再写 +（应激活）或 -",
  );
  const input = field(
    language,
    points,
    sets[0][0],
    readPoints,
    (read) => {
      state.points = read;
      again();
    },
    { rows: 6 },
  );
  const head = [
    say("point", "点"),
    say("wanted", "应为"),
    "w·x",
    "w·x > T",
    "w·x + b",
    "w·x + b > 0",
  ];
  const left = el("div", { class: "fields" }, set.box, input.box, mode.box, hand);
  frame(
    element,
    STYLE,
    el("div", { class: "two" }, left, plane.box),
    steps.box,
    told,
    proof,
    table(head, body),
  );
  input.take();
}

const STYLE = `
.live .fields { display: grid; gap: 12px; }
.live .three { display: grid; gap: 4px; }
.live [hidden] { display: none; }
.live .side { fill: var(--tint); opacity: .6; }
.live .point circle { fill: var(--paper); stroke: var(--ink); stroke-width: 1.5; }
.live .point path { fill: none; stroke: var(--ink); stroke-width: 2; }
.live .plus circle { fill: var(--accent); stroke: var(--accent); }
.live .plus path { stroke: var(--paper); }
.live .wrong circle { stroke: var(--accent-2); stroke-width: 4; }
.live .point.now circle { r: 13; }
`;
