// Names → objects at each step of snippets that Python ran; what was mutated, what was rebound.

const MOST = 90; // characters of one object
const BRACKETS = { list: "[]", tuple: "()", set: "{}", frozenset: "{}", dict: "{}" };
const HOLDERS = ["sequence", "mapping", "set", "instance"];

/** Return the frames and objects after a step; a trace keeps of each step what differs. */
export function stateAt(trace, step) {
  const known = {};
  for (const { things } of trace.steps.slice(0, step + 1)) {
    for (const thing of things) known[thing.id] = thing;
  }
  const { frames, alive } = trace.steps[step];
  return { frames, things: Object.fromEntries(alive.map((id) => [id, known[id]])) };
}

const cut = (text, most) =>
  text.length <= most ? text : `${text.slice(0, Math.max(most - 1, 1))}…`;
const typeOf = (thing) => thing.type.split(".").at(-1);
const placeOf = (label) => (label.startsWith(".") ? label : `[${label}]`);

/** Write an object on one line (anypart.lens.python.text.object_text). */
export function objectText(things, id, most = MOST) {
  const thing = things[id];
  if (!thing) return "…";
  if (thing.kind === "atom") return cut(thing.text, most);
  return cut(`${typeOf(thing)} #${id} ${inner(things, thing, [id], most)}`.trimEnd(), most);
}

function inner(things, thing, above, most) {
  if (!HOLDERS.includes(thing.kind) || (!thing.parts.length && thing.text)) return thing.text;
  const [left, right] = BRACKETS[thing.type] ?? "()";
  const words = [];
  let room = most;
  for (const [name, id] of thing.parts) {
    if (room <= 0 || name.startsWith("key ")) continue;
    let part = partText(things, id, above, room);
    if (thing.kind === "mapping") part = `${name}: ${part}`;
    else if (!/^\d*$/.test(name)) part = `${name.replace(/^\./, "")}=${part}`;
    words.push(part);
    room -= part.length + 2;
  }
  if (room <= 0 || thing.n_parts > thing.parts.length) words.push("…");
  const comma = thing.type === "tuple" && words.length === 1 ? "," : "";
  return `${left}${words.join(", ")}${comma}${right}`;
}

function partText(things, id, above, room) {
  const thing = things[id];
  if (!thing) return "…";
  if (thing.kind === "atom") return cut(thing.text, room + 10);
  if (above.includes(id) || above.length > 3) return `${typeOf(thing)} #${id}`;
  const inside = inner(things, thing, [...above, id], room);
  return BRACKETS[thing.type] ? `${inside} #${id}` : `${typeOf(thing)} #${id} ${inside}`;
}

function namesOf({ frames, things }, id) {
  const named = (wanted) =>
    frames.flatMap((one, at) =>
      Object.entries(one.names)
        .filter(([, held]) => held === wanted)
        .map(([name]) => (at ? `${one.name}: ${name}` : name)),
    );
  const found = named(id);
  if (found.length) return found;
  const places = Object.values(things).flatMap((other) =>
    other.parts
      .filter(([name, held]) => held === id && !name.startsWith("key "))
      .flatMap(([name]) => named(other.id).map((holder) => holder + placeOf(name))),
  );
  return [...new Set(places)];
}

/** Say one change of a step (anypart.lens.python.text.change_text). */
export function changeText(trace, step, change, language) {
  const say = speaker(language);
  const state = stateAt(trace, step);
  const old = step ? stateAt(trace, step - 1).things : {};
  const { what, name } = change;
  if (what === "deleted") {
    const was = objectText(old, change.before);
    return say(`deleted ${name}, which was ${was}`, `删除 ${name}，它原来指向 ${was}`);
  }
  const now = objectText(state.things, change.thing);
  if (what === "bound") return say(`bound ${name} to ${now}`, `绑定 ${name} 到 ${now}`);
  if (what === "rebound") {
    const was = objectText(old, change.before, 40);
    return say(
      `rebound ${name} to ${now}; it was ${was}`,
      `重新绑定 ${name} 到 ${now}；原来是 ${was}`,
    );
  }
  const names = namesOf(state, change.thing).join(", ");
  const parts = partsText(state.things, old, change);
  const verb = { mutated: "改变对象", advanced: "推进迭代器" }[what];
  return say(
    `${what} ${now}${names && ` (${names})`}${parts && `: ${parts}`}`,
    `${verb} ${now}${names && `（${names}）`}${parts && `：${parts}`}`,
  );
}

function partsText(things, old, change) {
  const said = change.parts.slice(0, 4).map(([name, before, after]) => {
    const where = /^\d+$/.test(name) ? `[${name}]` : name;
    const gone = before === null ? "" : partText(old, before, [], 20);
    const come = after === null ? "" : partText(things, after, [], 20);
    if (before === null) return `+ ${where} ${come}`.replaceAll("  ", " ");
    if (after === null) return `− ${where} ${gone}`.replaceAll("  ", " ");
    return `${where} ${gone} → ${come}`;
  });
  return said.join(", ") + (change.parts.length > 4 ? ", …" : "");
}

/** Say what a step ended with; nothing for the end of a line (step_end). */
export function endText(trace, step, language) {
  const say = speaker(language);
  const { event, frames, value, raised } = trace.steps[step];
  const { name } = frames.at(-1);
  const worth = objectText(stateAt(trace, step).things, value ?? 0);
  if (event === "return") return say(`${name} returns ${worth}`, `${name} 返回 ${worth}`);
  if (event === "yield") return say(`${name} yields ${worth}`, `${name} 产出 ${worth}`);
  if (event === "call") return say(`calls ${name}`, `调用 ${name}`);
  if (event === "resume") return say(`resumes ${name}`, `继续 ${name}`);
  if (event !== "exception") return "";
  const error = raised.message ? `${raised.type}: ${raised.message}` : raised.type;
  return say(error, `引发 ${error}`);
}

export function mount(element, data, language) {
  const say = speaker(language);
  let trace = data.snippets[0].trace;
  let links = [];
  const code = el("ol", {
    class: "listing",
    tabindex: 0,
    "aria-label": say("The snippet", "代码"),
  });
  const changes = el("ul", { class: "said", "aria-live": "polite" });
  const output = el("pre", { class: "printed" });
  const frames = el("div", { class: "frames" });
  const objects = el("div", { class: "objects" });
  const arrows = svg("svg", { class: "arrows", "aria-hidden": "true" });
  const stage = el("div", { class: "stage" }, frames, objects, arrows);

  const steps = stepper(language, (at) => {
    const step = trace.steps[at];
    [...code.children].forEach((line, i) => {
      line.classList.toggle("now", i + 1 === step.line);
      if (i + 1 === step.line) line.setAttribute("aria-current", "step");
      else line.removeAttribute("aria-current");
    });
    const end = endText(trace, at, language);
    const told = step.changes.map((change) => changeText(trace, at, change, language));
    const nothing = say("nothing that a name leads to changed", "名字所指的对象都没有变化");
    const said = [say(`line ${step.line}`, `第 ${step.line} 行`), ...(end ? [end] : []), ...told];
    changes.replaceChildren(
      ...(said.length > 1 ? said : [...said, nothing]).map((words) => el("li", {}, words)),
    );
    const printed = trace.steps
      .slice(0, at + 1)
      .map((one) => one.output)
      .join("");
    output.textContent = printed || " ";
    place(at);
  });

  function place(at) {
    const state = stateAt(trace, at);
    const touched = trace.steps[at].changes.filter(({ name }) => !name).map(({ thing }) => thing);
    const bound = new Set(
      trace.steps[at].changes.map((change) => `${change.frame} ${change.name}`),
    );
    links = [];
    frames.replaceChildren(...state.frames.map((one, depth) => frameBox(one, depth, bound)));
    const named = new Set(state.frames.flatMap((one) => Object.values(one.names)));
    const shown = Object.values(state.things).filter(
      ({ id, kind }) => kind !== "atom" || named.has(id),
    );
    const boxes = new Map(
      shown.map((thing) => [thing.id, objectBox(state.things, thing, touched)]),
    );
    objects.replaceChildren(...boxes.values());
    links = links
      .filter((link) => boxes.has(link.id))
      .map((link) => ({ ...link, to: boxes.get(link.id) }));
    connect();
  }

  function frameBox(one, depth, bound) {
    const title = depth
      ? say(`${one.name}, line ${one.line}`, `${one.name}，第 ${one.line} 行`)
      : say("module", "模块");
    const names = Object.entries(one.names).map(([name, id]) => {
      const hot = bound.has(`${one.id} ${name}`);
      const from = el("div", { class: hot ? "name hot" : "name" }, name);
      links.push({ from, id, hot });
      return from;
    });
    return el("div", { class: "box" }, el("div", { class: "title" }, title), names);
  }

  function objectBox(things, thing, touched) {
    const changed = touched.includes(thing.id) ? " changed" : "";
    if (thing.kind === "atom") return el("div", { class: "box atom" }, thing.text);
    const parts = thing.parts
      .filter(([name]) => !name.startsWith("key "))
      .map(([name, id]) => {
        const atom = !things[id] || things[id].kind === "atom";
        const value = el("span", { class: "value" }, atom ? objectText(things, id, 24) : "•");
        if (!atom) links.push({ from: value, id, within: true });
        const label = name === "" ? [] : el("small", {}, name.replace(/^\./, ""));
        return el("span", { class: "part" }, label, value);
      });
    const title = `${typeOf(thing)} #${thing.id}`;
    const body = parts.length ? el("div", { class: "parts" }, parts) : el("div", {}, thing.text);
    return el("div", { class: `box${changed}` }, el("div", { class: "title" }, title), body);
  }

  /** Draw the arrows: from names to the left of a box, from inside a box to the right of one. */
  function connect() {
    const origin = stage.getBoundingClientRect();
    if (!origin.width) return;
    arrows.setAttribute("viewBox", `0 0 ${origin.width} ${origin.height}`);
    const sides = (node) => {
      const { left, right, top, bottom } = node.getBoundingClientRect();
      const [x, y] = [origin.left, origin.top];
      return { left: left - x, right: right - x, top: top - y, bottom: bottom - y };
    };
    const edge = Math.max(0, ...[...objects.children].map((box) => sides(box).right));
    let lane = edge + 6;
    const paths = links.map(({ from, to, hot, within }) => {
      const [a, b] = [sides(from), sides(to)];
      const y = Math.min((b.top + b.bottom) / 2, b.top + 22);
      const start = (a.top + a.bottom) / 2;
      let [x, way, d] = [b.left, -1, ""];
      if (within) {
        [x, way, lane] = [b.right, 1, lane + 7];
        const under = sides(from.closest(".box")).bottom + 4;
        d = `M${(a.left + a.right) / 2} ${start}V${under}H${lane}V${y}H${x + 7}`;
      } else {
        const bend = (a.right + x) / 2;
        d = `M${a.right} ${start}C${bend} ${start} ${bend} ${y} ${x - 7} ${y}`;
      }
      const head = svg("path", { class: "head", d: `M${x} ${y}l${way * 8} -4v8Z` });
      return svg(
        "g",
        { class: hot ? "arrow hot" : "arrow" },
        svg("path", { class: "shaft", d }),
        head,
      );
    });
    arrows.replaceChildren(...paths);
  }

  const options = data.snippets.map((one, i) => [i, language === "zh" ? one.zh : one.en]);
  const snippet = choice(say("Snippet", "代码片段"), options, (i) => use(data.snippets[i].trace));
  function use(chosen) {
    trace = chosen;
    const lines = trace.source.trimEnd().split("\n");
    code.replaceChildren(...lines.map((line) => el("li", {}, line || " ")));
    steps.set(trace.steps.length);
  }
  const printed = el(
    "div",
    {},
    el("p", { class: "hint" }, say("printed so far", "目前打印的内容")),
    output,
  );
  const version = say(
    `Run and watched on Python ${trace.version} when this page was made.`,
    `制作本页时在 Python ${trace.version} 上运行并记录。`,
  );
  frame(
    element,
    STYLE,
    snippet.box,
    steps.box,
    el(
      "div",
      { class: "two" },
      el("div", { class: "left" }, code, printed),
      el("div", { class: "left" }, changes, stage),
    ),
    el("p", { class: "hint" }, version),
  );
  new ResizeObserver(() => requestAnimationFrame(connect)).observe(stage);
  use(trace);
}

const STYLE = `
.live .left { display: grid; grid-template-columns: minmax(0, 1fr); gap: 12px; }
.live .hint { font-size: .86rem; color: var(--soft); }
.live ul.said { margin: 0; padding: 8px 12px; list-style: none; font-size: .9rem; }
.live ul.said li { margin: 0; }
.live .printed { margin: 0; padding: 6px 12px; min-height: 2.4em; white-space: pre-wrap;
  overflow-wrap: anywhere; color: inherit; background: var(--panel); border: 1px solid var(--line);
  border-radius: 6px; font: .82rem/1.5 ui-monospace, "DejaVu Sans Mono", Menlo, monospace; }
.live .stage { position: relative; display: grid; grid-template-columns: auto minmax(0, 1fr);
  gap: 0 48px; align-items: start; padding-inline-end: 40px; min-height: 150px;
  font: .82rem/1.4 ui-monospace, "DejaVu Sans Mono", Menlo, monospace; }
.live .frames, .live .objects { display: grid; gap: 8px; justify-items: start; }
.live .box { max-width: 100%; padding: 2px 8px 4px; border: 1px solid var(--edge);
  border-radius: 6px; background: var(--paper); overflow-wrap: anywhere; }
.live .changed { border-color: var(--accent-2); box-shadow: 0 0 0 2px var(--accent-2); }
.live .title { font-size: .74rem; color: var(--soft); }
.live .name { text-align: end; }
.live .name.hot { font-weight: 700; }
.live .parts { display: flex; flex-wrap: wrap; gap: 2px; }
.live .part { display: inline-grid; justify-items: center; min-width: 24px; padding: 0 4px;
  border: 1px solid var(--line); border-radius: 4px; background: var(--panel); }
.live .part small { font-size: .7rem; color: var(--soft); }
.live svg.arrows { position: absolute; inset: 0; width: 100%; height: 100%; pointer-events: none; }
.live .shaft { fill: none; stroke: var(--edge); stroke-width: 1.4; stroke-linejoin: round; }
.live .head { fill: var(--edge); }
.live .hot .shaft { stroke: var(--accent); stroke-width: 2.4; }
.live .hot .head { fill: var(--accent); }
`;
