// How a list of CPython takes memory as the reader appends and pops.

const POINTER = 8; // bytes of one place, on a 64-bit machine
const MOST = 400; // operations

/** Read operations: "append 20, pop 15, append". */
export function readOperations(text) {
  const parts = text
    .split(/[,;，、；\n]+/)
    .map((part) => part.trim())
    .filter(Boolean);
  const operations = parts.flatMap((part) => {
    const [, name, times] = part.match(/^(append|pop)(?:\s+(\d{1,6}))?$/) ?? [];
    if (!name) {
      throw new Problem(
        `“${part}” is no operation. Write append or pop and how often: append 20, pop 15`,
        `“${part}”不是操作。请写 append 或 pop 和次数：append 20, pop 15`,
      );
    }
    return Array(Math.min(Number(times ?? 1), MOST + 1)).fill(name);
  });
  if (operations.length > MOST) {
    throw new Problem(
      `That is more than ${MOST} operations, the most that are stepped through here.`,
      `超过了 ${MOST} 次操作，这里最多逐步演示这么多。`,
    );
  }
  let length = 0;
  for (const name of operations) {
    length += name === "append" ? 1 : -1;
    if (length < 0) {
      throw new Problem(
        "There is a pop from an empty list, which raises IndexError.",
        "对空列表执行了 pop，会引发 IndexError。",
      );
    }
  }
  return operations;
}

/** The rule of CPython 3.9 and later (list_resize): the capacity for a new length. */
export function resized(capacity, length) {
  if (capacity >= length && length >= capacity >> 1) return capacity;
  return length === 0 ? 0 : (length + (length >> 3) + 6) & ~3;
}

/** Follow the operations: the list's length, capacity and bytes after each, and items moved. */
export function follow(operations, empty) {
  let [length, capacity, moved] = [0, 0, 0];
  const states = [{ operation: "", length, capacity, bytes: empty, grew: false, moved }];
  for (const operation of operations) {
    const before = length;
    length += operation === "append" ? 1 : -1;
    const now = resized(capacity, length);
    const grew = now > capacity;
    if (grew) moved += before;
    capacity = now;
    states.push({ operation, length, capacity, bytes: empty + POINTER * capacity, grew, moved });
  }
  return states;
}

export function mount(element, data, language) {
  const say = speaker(language);
  let states = [];
  let at = 0;
  const told = live();
  const cells = el("ol", { class: "places", "aria-hidden": "true" });
  const body = el("tbody");
  const label = say("Length and capacity after each operation", "每次操作后的长度和容量");
  const chart = picture(label, draw);

  function draw(width) {
    const [left, right, top, bottom, height] = [40, 10, 12, 30, 200];
    const most = Math.max(4, ...states.map(({ capacity }) => capacity));
    const x = (i) => left + (i / Math.max(states.length - 1, 1)) * (width - left - right);
    const y = (v) => height - bottom - (v / most) * (height - top - bottom);
    const stairs = (name) =>
      states
        .map(
          (state, i) => `${i ? `H${x(i).toFixed(1)}V` : `M${x(0)} `}${y(state[name]).toFixed(1)}`,
        )
        .join("");
    const words = (text, px, py, anchor) =>
      svg("text", { class: "soft", x: px, y: py, "text-anchor": anchor }, text);
    return [
      height,
      svg("path", { class: "axis", d: `M${left} ${top}V${height - bottom}H${width - right}` }),
      svg("path", { class: "second", d: stairs("length") }),
      svg("path", { class: "line", d: stairs("capacity") }),
      svg("circle", { class: "point", cx: x(at), cy: y(states[at].capacity), r: 5 }),
      words(`${most}`, left - 6, top + 8, "end"),
      words("0", left - 6, height - bottom + 4, "end"),
      words(
        say(`${states.length - 1} operations`, `${states.length - 1} 次操作`),
        width - right,
        height - 8,
        "end",
      ),
    ];
  }

  const steps = stepper(language, (to) => {
    at = to;
    const { operation, length, capacity, bytes, grew, moved } = states[at];
    const shrank = at > 0 && capacity < states[at - 1].capacity;
    const what = operation ? `${operation}: ` : say("Empty: ", "空列表：");
    const size = say(
      `length ${length}, room for ${capacity}, ${bytes} bytes.`,
      `长度 ${length}，容量 ${capacity}，${bytes} 字节。`,
    );
    const why = grew
      ? say(
          ` No room was left: all ${length - 1} items may move.`,
          `没有空位了：${length - 1} 个元素可能都要搬走。`,
        )
      : shrank
        ? say(" Less than half was used: room is given back.", " 用了不到一半：还回一些空间。")
        : "";
    told.textContent = what + size + why;
    cells.replaceChildren(
      ...Array.from({ length: capacity }, (_, i) => el("li", { class: i < length ? "used" : "" })),
    );
    const done = states.slice(0, at + 1);
    const appends = done.filter((state) => state.operation === "append").length;
    body.replaceChildren(
      row(say("growths", "扩容次数"), [`${done.filter((state) => state.grew).length}`]),
      row(say("items moved, at most", "至多搬动的元素"), [`${moved}`]),
      row(say("moved for each append", "平均每次 append 搬动"), [
        (moved / Math.max(appends, 1)).toFixed(2),
      ]),
    );
    chart.again();
  });

  const input = field(
    language,
    say("Your operations", "你的操作"),
    data.examples[0],
    readOperations,
    (operations) => {
      states = follow(operations, data.sizes[0]);
      steps.set(states.length, Math.min(5, states.length - 1));
    },
  );
  const examples = data.examples.map((text) => button(text, () => input.set(text)));
  const measured = [...new Set(data.sizes)].map((bytes) => (bytes - data.sizes[0]) / POINTER);
  const same = data.sizes.every(
    (bytes, i) => follow(Array(i).fill("append"), data.sizes[0])[i].bytes === bytes,
  );
  const proof = el(
    "p",
    { class: "measured" },
    say(
      `Measured on Python ${data.version} when this page was made: capacities ${measured.join(" ")}; ` +
        `the rule drawn here ${same ? "gives the same" : "differs from them"}. Bytes are by __sizeof__; ` +
        "sys.getsizeof adds 16.",
      `制作本页时在 Python ${data.version} 上实测的容量：${measured.join(" ")}；这里所用的规则与之` +
        `${same ? "相同" : "不同"}。字节数取自 __sizeof__，sys.getsizeof 再多 16。`,
    ),
  );
  const key = el(
    "p",
    { class: "key" },
    el("span", { class: "k1" }, say("capacity", "容量")),
    el("span", { class: "k2" }, say("length", "长度")),
  );
  frame(
    element,
    STYLE,
    input.box,
    group(say("Examples", "例子"), examples),
    steps.box,
    told,
    cells,
    chart.box,
    key,
    table([say("cost", "代价"), say("so far", "目前")], body),
    proof,
  );
  input.take();
}

const STYLE = `
.live .places { display: flex; flex-wrap: wrap; gap: 2px; margin: 0; padding: 0; list-style: none;
  min-height: 16px; }
.live .places li { width: 16px; height: 16px; margin: 0; border: 1px dashed var(--edge);
  border-radius: 3px; }
.live .places .used { background: var(--accent); border: 1px solid var(--accent); }
.live .point { fill: var(--accent); stroke: var(--paper); stroke-width: 1.5; }
.live .key .k1 { border-bottom: 3px solid var(--accent); }
.live .key .k2 { border-bottom: 3px dashed var(--accent-2); }
.live .measured { font-size: .88rem; color: var(--soft); }
`;
