// The shortest stretch of the reader's text that covers some letters, by two pointers.

const MOST = 80; // items of the text

/** Read a text as its characters; a space is one. */
export function readItems(text) {
  const items = Array.from(text);
  if (items.length > MOST) {
    throw new Problem(
      `These are ${items.length} characters; up to ${MOST} are stepped through here.`,
      `这里有 ${items.length} 个字符，最多逐步演示 ${MOST} 个。`,
    );
  }
  return items;
}

/** Find the shortest window as by hand, and keep every move (anypart.data.windows.trace_window). */
export function traceWindow(items, required) {
  const lacking = new Map(); // negative where there are more than required
  for (const item of required) lacking.set(item, (lacking.get(item) ?? 0) + 1);
  const moves = [];
  let best = required.length ? null : { start: 0, stop: 0 };
  let left = 0;
  const take = (item, by) => lacking.has(item) && lacking.set(item, lacking.get(item) + by);
  const missing = () => [...lacking].filter(([, n]) => n > 0);
  const note = (end, place, stop) =>
    moves.push({ end, place, window: { start: left, stop }, lacking: missing(), best });
  for (let right = 0; required.length && right < items.length; right++) {
    take(items[right], -1);
    note("right", right, right + 1);
    while (!missing().length) {
      if (!best || right + 1 - left < best.stop - best.start)
        best = { start: left, stop: right + 1 };
      take(items[left], 1);
      left += 1;
      note("left", left - 1, right + 1);
    }
  }
  return { moves, window: best, recounted: countNaive(items, required) };
}

function countNaive(items, required) {
  let looked = 0;
  for (let start = 0; start < items.length; start++) {
    const need = [...required];
    for (let at = start; at < items.length && need.length; at++) {
      looked += 1;
      const found = need.indexOf(items[at]);
      if (found >= 0) need.splice(found, 1);
    }
  }
  return looked;
}

/** Say a move in a sentence. */
export function said(move, items, language) {
  const say = speaker(language);
  const item = quote(items[move.place]);
  if (move.end === "left") return say(`the left end lets ${item} go`, `左端放走 ${item}`);
  if (!move.lacking.length) {
    return say(`the right end takes ${item} in; all is covered`, `右端收进 ${item}；已全部覆盖`);
  }
  const times = ([one, n]) => quote(one) + (n > 1 ? ` ×${n}` : "");
  return say(
    `the right end takes ${item} in; lacking ${move.lacking.map(times).join(", ")}`,
    `右端收进 ${item}；还缺 ${move.lacking.map(times).join("、")}`,
  );
}

function quote(item) {
  return item === "'" ? `"'"` : `'${item.replace("\\", "\\\\")}'`;
}

export function mount(element, data, language) {
  const say = speaker(language);
  const words = {
    within: say("in the window", "在窗口里"),
    here: say("moved over", "刚经过"),
    best: say("in the shortest so far", "在目前最短的窗口里"),
  };
  const text = el("ol", { class: "cells", "aria-label": say("The text", "文本") });
  const needs = el("tbody");
  const told = live();
  const sum = el("p");
  let [items, required] = [[], []];
  let trace;

  const steps = stepper(language, (at) => {
    const move = trace.moves[at];
    const best = move ? move.best : trace.window;
    const within = (window, place) => window && window.start <= place && place < window.stop;
    told.textContent = move ? sentence(said(move, items, language), language) : ending();
    const cells = items.map((item, place) => {
      const marks = [
        within(move?.window, place) && "within",
        place === move?.place && "here",
        within(best, place) && "best",
      ];
      return cell(item === " " ? "␣" : item, marks.filter(Boolean), words);
    });
    text.replaceChildren(...cells);
    needs.replaceChildren(...[...new Set(required)].map((item) => need(item, move)));
  });

  function need(item, move) {
    const { start, stop } = move?.window ?? trace.window ?? { start: 0, stop: 0 };
    const wanted = required.filter((one) => one === item).length;
    const held = items.slice(start, stop).filter((one) => one === item).length;
    const lacks = Math.max(wanted - held, 0);
    return row(quote(item), [wanted, held, lacks], { class: lacks ? "now" : null });
  }

  function ending() {
    const window = trace.window;
    if (!required.length) {
      return say(
        "Nothing is asked for: the empty window covers it.",
        "没有要覆盖的字符：空窗口即可。",
      );
    }
    if (!window) return say("No window covers all.", "没有窗口能全部覆盖。");
    const [found, last] = [items.slice(window.start, window.stop).join(""), window.stop - 1];
    return say(
      `The shortest window is ${found} (places ${window.start} to ${last}), the first of its length.`,
      `最短窗口是 ${found}（位置 ${window.start} 到 ${last}），同样长的取第一个。`,
    );
  }

  function again() {
    trace = traceWindow(items, required);
    const [n, most] = [trace.moves.length, 2 * items.length];
    sum.textContent = say(
      `${n} moves, never more than ${most}; ${trace.recounted} characters looked at if every start ` +
        "counts anew.",
      `移动 ${n} 次，绝不超过 ${most} 次；若每个起点都重新数，要看 ${trace.recounted} 个字符。`,
    );
    steps.set(n + 1);
  }

  const [first, letters] = data.examples[0];
  const inText = field(language, say("Your text", "你的文本"), first, readItems, (read) => {
    items = read;
    again();
  });
  const asks = say("Characters to cover, repeats counted", "要覆盖的字符，重复的也算");
  const inLetters = field(language, asks, letters, readItems, (read) => {
    required = read;
    again();
  });
  const examples = data.examples.map(([a, b]) =>
    button(`${a} · ${b}`, () => {
      inText.set(a);
      inLetters.set(b);
    }),
  );
  const head = [
    say("character", "字符"),
    say("asked", "要"),
    say("held", "有"),
    say("lacking", "缺"),
  ];
  frame(
    element,
    "",
    el("div", { class: "two" }, inText.box, inLetters.box),
    group(say("Examples", "例子"), examples),
    steps.box,
    text,
    key(words),
    told,
    table(head, needs),
    sum,
  );
  inText.take();
  inLetters.take();
}
