// The longest run of consecutive integers, found step by step in the reader's own numbers.

const MOST = 60; // values
const LARGEST = 1e15; // in size; beyond it x + 1 is not exact here

/** Read integers between spaces or commas. */
export function readIntegers(text) {
  return readNumbers(text, MOST).map((value) => {
    if (!Number.isInteger(value)) {
      throw new Problem(`${value} is no whole number.`, `${value} 不是整数。`);
    }
    if (Math.abs(value) > LARGEST) {
      throw new Problem(
        `${value} is too large: up to 10^15 is exact here.`,
        `${value} 太大，这里只有 10^15 以内的整数是精确的。`,
      );
    }
    return value;
  });
}

/** Find the longest run as by hand, and keep every visit (anypart.data.runs.trace_run). */
export function traceRun(values) {
  const there = new Set(values);
  const visits = [];
  let best = { start: 0, stop: 0 };
  let steps = 0;
  for (const value of there) {
    const starts = !there.has(value - 1);
    const walked = [];
    if (starts) for (let next = value + 1; there.has(next); next++) walked.push(next);
    steps += 1 + walked.length;
    const length = 1 + walked.length;
    if (starts && length > best.stop - best.start) best = { start: value, stop: value + length };
    visits.push({ value, starts, walked, best, steps });
  }
  const repeated = countSteps(values, there, true);
  return { visits, run: best, steps, unguarded: countSteps(there, there, false), repeated };
}

function countSteps(visited, there, guard) {
  let steps = 0;
  for (const value of visited) {
    steps += 1;
    if (guard && there.has(value - 1)) continue;
    for (let next = value + 1; there.has(next); next++) steps += 1;
  }
  return steps;
}

/** Say a visit in a sentence. */
export function said({ value, starts, walked }, language) {
  const say = speaker(language);
  const [x, before] = [number(value), number(value - 1)];
  if (!starts) {
    return say(
      `${x} is skipped: ${before} is there, so a run goes through it`,
      `跳过 ${x}：${before} 也在，所以它不是起点`,
    );
  }
  const end = number(value + walked.length);
  const length = 1 + walked.length;
  return say(
    `${x} starts a run${walked.length ? ` to ${end}` : ""}: ${before} is not there; length ${length}`,
    `${x} 是起点：${before} 不在；${walked.length ? `一直走到 ${end}，` : ""}长度 ${length}`,
  );
}

export function mount(element, data, language) {
  const say = speaker(language);
  const words = {
    here: say("visited now", "正在看"),
    within: say("walked to", "走到"),
    best: say("longest so far", "目前最长"),
  };
  const values = el("ol", { class: "cells", "aria-label": say("Different values", "不同的数") });
  const told = live();
  const costs = el("tbody");
  let trace;

  const steps = stepper(language, (at) => {
    const visit = trace.visits[at];
    told.textContent = visit ? sentence(said(visit, language), language) : ending();
    const best = visit?.best ?? trace.run;
    const cells = trace.visits.map(({ value }, place) => {
      const inBest = best.start <= value && value < best.stop;
      const marks = [
        place === at && "here",
        visit?.walked.includes(value) && "within",
        inBest && "best",
      ];
      return cell(number(value), marks.filter(Boolean), words);
    });
    values.replaceChildren(...cells);
    costs.replaceChildren(
      row(say("only from starts, over the set", "只从起点走，遍历集合"), [
        visit?.steps ?? trace.steps,
        trace.steps,
      ]),
      row(say("from every value", "从每个数都走"), ["", trace.unguarded]),
      row(say("only from starts, over the list with its repeats", "只从起点走，遍历带重复的数组"), [
        "",
        trace.repeated,
      ]),
    );
  });

  function ending() {
    const { start, stop } = trace.run;
    if (start === stop) return say("No numbers, no run: length 0.", "没有数，最长长度为 0。");
    return say(
      `The longest run goes from ${number(start)} to ${number(stop - 1)}: length ${stop - start}.`,
      `最长的连续序列从 ${number(start)} 到 ${number(stop - 1)}，长度 ${stop - start}。`,
    );
  }

  const label = say("Your numbers", "你的数");
  const input = field(language, label, data.examples[0], readIntegers, (read) => {
    trace = traceRun(read);
    steps.set(trace.visits.length + 1);
  });
  const examples = data.examples.map((text) => button(text, () => input.set(text)));
  const head = [say("steps", "步数"), say("so far", "目前"), say("in all", "总共")];
  frame(
    element,
    ".live tbody th { white-space: normal; }",
    input.box,
    group(say("Examples", "例子"), examples),
    steps.box,
    values,
    key(words),
    told,
    table(head, costs),
  );
  input.take();
}
