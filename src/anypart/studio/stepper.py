"""A slider over steps: one panel at a time, with its line marked and its output so far.

What is stepped is somebody else's: a snippet's trace, a generator, the runs of an array.
Every panel is in the page as it will be seen, so that it prints, and can be read without a
script; the script hides all panels but one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

STYLE = """
.stepper .controls { position: sticky; top: 0; z-index: 1; display: flex; gap: 8px;
  align-items: center; padding: 10px 0; background: var(--page); }
.stepper input[type=range] { flex: 1; min-width: 80px; accent-color: var(--model); }
.stepper button { font: inherit; min-width: 40px; min-height: 36px; padding: 2px 10px;
  color: var(--ink); background: var(--panel); border: 1px solid var(--line);
  border-radius: 6px; cursor: pointer; }
.stepper :focus-visible { outline: 2px solid var(--model); outline-offset: 2px; }
.stepper output { min-width: 9ch; text-align: right; font-variant-numeric: tabular-nums;
  white-space: nowrap; }
.stepper .two { display: grid; grid-template-columns: minmax(220px, 2fr) minmax(0, 3fr);
  gap: 16px; align-items: start; }
.stepper .two > * { min-width: 0; }
@media (max-width: 760px) { .stepper .two { grid-template-columns: minmax(0, 1fr); } }
.stepper pre, .stepper .lines { margin: 0; padding: 8px 0; overflow: auto; max-height: 70vh;
  background: var(--panel); border: 1px solid var(--line); border-radius: 8px;
  font: 13px/1.55 ui-monospace, "DejaVu Sans Mono", Menlo, Consolas, monospace; }
.stepper pre { padding: 8px 12px; white-space: pre-wrap; overflow-wrap: anywhere; }
.stepper .lines { list-style: none; }
.stepper .lines li { counter-increment: line; white-space: pre; padding: 0 12px 0 0;
  border-left: 4px solid transparent; width: max-content; min-width: 100%; }
.stepper .lines li::before { content: counter(line); display: inline-block; width: 3.2em;
  padding-right: 1em; text-align: right; color: var(--soft); }
.stepper .lines li.now { background: color-mix(in srgb, var(--model) 16%, transparent);
  border-left-color: var(--model); }
.stepper .panel h3 { font-weight: 600; }
.stepper .panel { margin-bottom: 24px; }
.stepper .changes { margin: 6px 0 12px; padding: 0; list-style: none; font-size: .9rem; }
.stepper .changes li { padding: 2px 0; overflow-wrap: anywhere; }
.stepper .tag { display: inline-block; padding: 0 8px; border-radius: 10px; font-size: .8rem;
  border: 1px solid var(--line); color: var(--soft); margin-right: 4px; }
.stepper .tag.mutated, .stepper .tag.exception { color: var(--best); border-color: var(--best); }
.stepper .tag.rebound, .stepper .tag.bound { color: var(--model); border-color: var(--model); }
.stepper h4 { margin: 12px 0 4px; font-size: .8rem; font-weight: 600; color: var(--soft); }
@media (max-width: 480px) {
  .stepper .controls { flex-wrap: wrap; }
  .stepper .controls input { order: 1; flex-basis: 100%; }
  .stepper output { margin-left: auto; }
}
@media print { .stepper .controls { display: none; } }
"""

SCRIPT = """"use strict";
for (const box of document.querySelectorAll(".stepper")) {
  const panels = [...box.querySelectorAll(".panel")];
  const range = box.querySelector("input"), said = box.querySelector("output");
  const lines = [...box.querySelectorAll(".lines li")];
  const pieces = [...box.querySelectorAll("[data-from]")];
  let timer = 0;
  const show = (to) => {
    const at = Math.min(Math.max(Number(to) || 0, 0), panels.length - 1), now = panels[at];
    panels.forEach((panel, i) => { panel.hidden = i !== at; });
    lines.forEach((line, i) => {
      const here = String(i + 1) === now.dataset.line;
      line.classList.toggle("now", here);
      if (here) { line.setAttribute("aria-current", "step"); line.scrollIntoView(NEAR); }
      else line.removeAttribute("aria-current");
    });
    pieces.forEach((piece) => { piece.hidden = Number(piece.dataset.from) > at; });
    range.value = at;
    range.setAttribute("aria-valuetext", now.dataset.title);
    said.textContent = `${at + 1} of ${panels.length}`;
  };
  const NEAR = { block: "nearest" };
  const at = () => Number(range.value);
  const stop = () => { clearInterval(timer); timer = 0; play.textContent = "Play"; };
  const play = box.querySelector("[data-do=play]");
  const moves = {
    first: () => show(0), back: () => show(at() - 1),
    next: () => show(at() + 1), last: () => show(panels.length - 1),
    play: () => {
      if (timer) return stop();
      if (at() === panels.length - 1) show(0);
      play.textContent = "Pause";
      timer = setInterval(() => {
        show(at() + 1);
        if (at() === panels.length - 1) stop();
      }, 700);
    },
  };
  range.addEventListener("input", () => { if (timer) stop(); show(at()); });
  box.addEventListener("click", (event) => {
    const what = event.target.closest("[data-do]");
    if (!what) return;
    if (timer && what !== play) stop();
    moves[what.dataset.do]();
  });
  const keys = { ArrowLeft: "back", ArrowRight: "next", Home: "first", End: "last" };
  document.addEventListener("keydown", (event) => {
    const plain = !(event.ctrlKey || event.metaKey || event.altKey || event.shiftKey);
    if (event.key in keys && plain && event.target !== range) {
      moves[keys[event.key]]();
      event.preventDefault();
    }
  });
  box.querySelector(".controls").hidden = false;
  show(Number(location.hash.slice(1)) - 1);
}
"""


@dataclass(frozen=True)
class Panel:
    """One step as it is shown.

    Args:
        title: what the step is, in a line.
        body: markup.
        line: of the code beside it that is marked, from 1; None marks none.
        output: what the step printed; shown with what was printed before.

    """

    title: str
    body: str
    line: int | None = None
    output: str = ""


def stepper(panels: Sequence[Panel], code: str = "", first_line: int = 1) -> str:
    """Write panels with a slider over them.

    A page that holds one needs `STYLE` and `SCRIPT`. `#7` at the end of its address opens
    it at the seventh step; the arrow keys, Home and End step.

    Args:
        panels: at least one.
        code: the source that `Panel.line` counts in; empty for steps without one.
        first_line: the number that its first line is shown with.

    """
    lines = "".join(f"<li>{escape(line) or ' '}</li>" for line in code.splitlines())
    shown = "".join(_panel(panel) for panel in panels)
    begins = f"counter-reset: line {first_line - 1}"
    beside = f'<ol class="lines" aria-label="Source" style="{begins}">{lines}</ol>' if code else ""
    printed = "".join(
        f'<span data-from="{at}">{escape(panel.output)}</span>'
        for at, panel in enumerate(panels)
        if panel.output
    )
    if printed:
        beside += f'<h4>Printed so far</h4><pre aria-live="off">{printed}</pre>'
    inner = f'<div class="two"><div>{beside}</div><div>{shown}</div></div>' if beside else shown
    return f'<div class="stepper">{_CONTROLS.format(last=len(panels) - 1)}{inner}</div>'


_CONTROLS = (
    '<div class="controls" role="group" aria-label="Steps" hidden>'
    '<button type="button" data-do="first" aria-label="First step">«</button>'
    '<button type="button" data-do="back" aria-label="Step back">‹</button>'
    '<input type="range" min="0" max="{last}" value="0" aria-label="Step">'
    '<button type="button" data-do="next" aria-label="Next step">›</button>'
    '<button type="button" data-do="last" aria-label="Last step">»</button>'
    '<button type="button" data-do="play">Play</button><output></output></div>'
)


def _panel(panel: Panel) -> str:
    line = "" if panel.line is None else f' data-line="{panel.line}"'
    return (
        f'<article class="panel"{line} data-title="{escape(panel.title)}">'
        f"<h3>{escape(panel.title)}</h3>{panel.body}</article>"
    )
