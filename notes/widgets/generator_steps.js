// Generators that the reader steps: next, send, throw and close, as Python did them.

/** Take actions (their numbers) from the start; stop at the end or where nothing is known. */
export function walk(moves, actions) {
  const steps = [];
  let state = 0;
  for (const action of actions) {
    const step = state < 0 ? null : moves[state][action];
    if (!step) break;
    steps.push(step);
    state = step.to;
  }
  return { steps, state };
}

/** Write an action as a call: send(10). */
export function written([name, given]) {
  return `${name}(${given})`;
}

/** Say what a step did (the first line of GeneratorStep's text). */
export function said(step, language) {
  const say = speaker(language);
  const error = step.raised && `${step.raised.type}: ${step.raised.message}`.replace(/: $/, "");
  const came = {
    yielded: say(`yields ${step.value}`, `产出 ${step.value}`),
    returned: say(
      `StopIteration, its value is ${step.value}`,
      `引发 StopIteration，其值是 ${step.value}`,
    ),
    raised: say(`raises ${error}`, `引发 ${error}`),
    closed: say("is closed", "已关闭"),
  };
  return `${written([step.action, step.given])}${say(": ", "：")}${came[step.outcome]}`;
}

export function mount(element, data, language) {
  const say = speaker(language);
  let generator = data.generators[0];
  let taken = [];
  const code = el("ol", {
    class: "listing",
    tabindex: 0,
    "aria-label": say("The source", "源代码"),
  });
  const acts = el("div", { class: "row", role: "group", "aria-label": say("Actions", "动作") });
  const told = live();
  const names = el("tbody");
  const state = el("p");
  const log = el("ol", { class: "log" });

  function show() {
    const { steps, state: at } = walk(generator.moves, taken);
    const last = steps.at(-1);
    const spent = at < 0;
    const beyond = !spent && generator.moves[at].every((move) => !move);
    [...acts.children].forEach((one) => one.setAttribute("aria-disabled", spent || beyond));
    const start = say(
      `${generator.call} is made; nothing of it has run`,
      `${generator.call} 已创建，还没有运行`,
    );
    told.textContent =
      (last ? said(last, language) : start) + say(".", "。") + (beyond ? ` ${limit}` : "");
    const ran = new Set((last?.lines ?? []).map(([, line]) => line));
    const paused = last?.state.startsWith("paused") ? last.line : null;
    [...code.children].forEach((line, i) => {
      line.className = [ran.has(i + 1) && "ran", paused === i + 1 && "now"]
        .filter(Boolean)
        .join(" ");
      if (paused === i + 1) line.setAttribute("aria-current", "step");
      else line.removeAttribute("aria-current");
    });
    state.textContent = sentence(standing(last), language);
    const held = Object.entries(last?.locals ?? {});
    const none = row(say("no names", "没有名字"), [""]);
    names.replaceChildren(
      ...(held.length ? held.map(([name, value]) => row(name, [value])) : [none]),
    );
    log.replaceChildren(...steps.map((step) => el("li", {}, said(step, language))));
  }

  const limit = say(
    `This page knows ${data.deepest} actions from the start: undo or start again.`,
    `本页只记录了从头起 ${data.deepest} 个动作：请撤销或重新开始。`,
  );

  function standing(step) {
    if (!step || step.state === "not started") return say("not started", "尚未开始");
    if (step.state === "finished") return say("finished", "已结束");
    const inner = step.inner ? say(`, handed over to ${step.inner}`, `，已交给 ${step.inner}`) : "";
    return say(`paused at line ${step.line}${inner}`, `停在第 ${step.line} 行${inner}`);
  }

  function take(action) {
    const { state: at } = walk(generator.moves, taken);
    if (at < 0 || !generator.moves[at][action]) return;
    taken.push(action);
    show();
  }

  function use(chosen) {
    generator = chosen;
    taken = [];
    const lines = generator.source.trimEnd().split("\n");
    code.replaceChildren(...lines.map((line) => el("li", {}, line || " ")));
    acts.replaceChildren(...generator.actions.map((act, i) => button(written(act), () => take(i))));
    show();
  }

  const options = data.generators.map(({ call, en, zh }, i) => [i, `${call}: ${say(en, zh)}`]);
  const which = choice(say("Generator", "生成器"), options, (i) => use(data.generators[i]));
  const back = group(say("Go back", "后退"), [
    button(say("Undo", "撤销"), () => (taken.pop(), show())),
    button(say("Start again", "重新开始"), () => ((taken = []), show())),
  ]);
  const marks = key({ ran: say("ran just now", "刚刚运行"), now: say("paused here", "停在这里") });
  const head = [say("name", "名字"), say("value", "值")];
  const right = el("div", { class: "side" }, state, table(head, names), log);
  frame(
    element,
    STYLE,
    which.box,
    acts,
    told,
    el("div", { class: "two" }, el("div", { class: "side" }, code, marks, back), right),
  );
  use(generator);
}

const STYLE = `
.live .side { display: grid; grid-template-columns: minmax(0, 1fr); gap: 12px; }
.live .row button { font-family: ui-monospace, "DejaVu Sans Mono", Menlo, monospace; }
.live .listing .ran { border-color: var(--accent-2); }
.live .key .ran { border-inline-start: 4px solid var(--accent-2); }
.live .key .now { background: var(--tint); border-inline-start: 4px solid var(--accent); }
.live .listing .now { background: var(--tint); border-color: var(--accent); }
.live td { overflow-wrap: anywhere; font-family: ui-monospace, "DejaVu Sans Mono", monospace; }
.live .log { margin: 0; padding-inline-start: 2em; font-size: .9rem; }
.live .log li { margin: 0; }
`;
