"""The page of a watched snippet: its source, a slider, and at each step names → objects."""

from __future__ import annotations

from html import escape

from anypart.lens.python.text import change_text, ended_text, step_end, step_title
from anypart.lens.python.trace import Step, Trace
from anypart.studio import objects_svg, stepper
from anypart.studio.page import Section, page
from anypart.studio.stepper import Panel

MOST_STEPS = 600  # on one page; a trace holds them all


def trace_page(trace: Trace, title: str = "A snippet, step by step") -> str:
    """Write a trace as one page that opens without a network.

    Args:
        trace: of `watch`.
        title: of the page.

    """
    shown = trace.steps[:MOST_STEPS]
    panels = [_panel(trace, step) for step in shown]
    last = Panel("The end", f"<p>{escape(ended_text(trace))}</p>", None, _rest(trace))
    facts = [
        ("interpreter", f"Python {trace.version}" if trace.version else "–"),
        ("steps", f"{len(trace):,}" + ("" if len(shown) == len(trace) else f", {len(shown)} here")),
        ("ended", trace.ended),
    ]
    about = (
        "A step is what ran until the next line, call, return, yield or exception. Objects with "
        "the same number are one object. Arrow keys step."
    )
    body = stepper.stepper([*panels, last], trace.source)
    held = ", ".join(trace.confined) or "nothing but the clock"
    return page(
        title,
        facts,
        [
            Section("steps", "Steps", about, body),
            Section("held", "What held the snippet", f"Its process was held by: {held}.", ""),
        ],
        style=stepper.STYLE + objects_svg.STYLE,
        script=stepper.SCRIPT,
    )


def _panel(trace: Trace, step: Step) -> Panel:
    before = trace.steps[step.number - 1] if step.number else None
    said = [(change.what, change_text(step, before, change)) for change in step.changes]
    end = step_end(step)
    if end:
        said.insert(0, (step.event, end))
    changes = "".join(_change(what, words) for what, words in said)
    changes = changes or '<li class="soft">Nothing that a name leads to changed.</li>'
    body = f'<ul class="changes">{changes}</ul>{objects_svg.draw_objects(step)}'
    return Panel(step_title(trace, step), body, step.line, step.output)


def _change(what: str, words: str) -> str:
    rest = escape(words.removeprefix(f"{what} "))
    return f'<li><span class="tag {what}">{what}</span>{rest}</li>'


def _rest(trace: Trace) -> str:
    """Return what was printed by no step of the page."""
    return trace.output[sum(len(step.output) for step in trace.steps[:MOST_STEPS]) :]
