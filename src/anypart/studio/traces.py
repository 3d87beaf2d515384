"""Pages that step through a search for the longest run, or for the shortest window."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from html import escape
from typing import TYPE_CHECKING, Any

from anypart.studio import stepper
from anypart.studio.page import Section, page
from anypart.studio.stepper import Panel

if TYPE_CHECKING:
    from anypart.data.runs import Run, RunTrace
    from anypart.data.windows import WindowTrace

MOST_STEPS = 400  # on one page; a trace holds them all
_NEAR = 60  # boxes that are drawn before the one that moves, and after it

STYLE = """
.cells { display: flex; flex-wrap: wrap; gap: 4px; margin: 12px 0; padding: 0; list-style: none; }
.cells li { min-width: 34px; padding: 4px 8px; text-align: center; background: var(--panel);
  border: 1px solid var(--line); border-radius: 6px; font-variant-numeric: tabular-nums; }
.cells .best { border-color: var(--best); box-shadow: inset 0 -3px var(--best); }
.cells .inside { background: color-mix(in srgb, var(--model) 16%, transparent); }
.cells .now { outline: 2px solid var(--model); font-weight: 600; }
.cells .past { color: var(--soft); }
"""


def cells(
    items: Sequence[object],
    at: int,
    *,
    now: Collection[int] = (),
    inside: Collection[int] = (),
    best: Collection[int] = (),
    past: Collection[int] = (),
) -> str:
    """Draw the items around a place in a row, some of them marked by their places."""
    marks = {"now": now, "inside": inside, "best": best, "past": past}
    first, stop = max(at - _NEAR, 0), min(at + _NEAR + 1, len(items))
    drawn = list[str]()
    for place in range(first, stop):
        names = [name for name, places in marks.items() if place in places]
        said = f' class="{" ".join(names)}"' if names else ""
        drawn.append(f"<li{said}>{escape(str(items[place]))}</li>")
    left = [f"<p>{first:,} more before.</p>"] * (first > 0)
    left += [f"<p>{len(items) - stop:,} more after.</p>"] * (stop < len(items))
    return f'<ul class="cells">{"".join(drawn)}</ul>{"".join(left)}'


def run_page(trace: RunTrace) -> str:
    """Write the search for the longest run as one page with a slider.

    Args:
        trace: of `anypart.data.runs.trace_run`.

    """
    values = [visit.value for visit in trace.visits]
    where = {value: place for place, value in enumerate(values)}
    panels = list[Panel]()
    for at, visit in enumerate(trace.visits[:MOST_STEPS]):
        best = {where[v] for v in _members(visit.best)}
        walked = {where[v] for v in visit.walked}
        row = cells(values, at, now={at}, inside=walked, best=best, past=range(at))
        said = f"{row}<p>Longest so far: {_said(visit.best)}. Steps: {visit.steps:,}.</p>"
        panels.append(Panel(visit.said, said))
    panels.append(Panel(f"The longest run is {_said(trace.run)}", _found(values, where, trace.run)))
    facts = [
        ("values", f"{len(trace.values):,}, {len(values):,} different"),
        ("longest run", _said(trace.run)),
        ("steps", f"{trace.steps:,}{_shown(len(values), 'visit')}"),
        ("without the start guard", f"{trace.unguarded:,}"),
        ("over the array, not its set", f"{trace.repeated:,}"),
    ]
    about = (
        "A value whose predecessor is there is skipped; the others walk up as far as they can. "
        "The boxes are the different values in the order in which they come: framed the one that "
        "is visited, shaded those it walks to, underlined the longest run so far. Arrow keys step."
    )
    return _page("The longest run, step by step", facts, about, panels)


def _found(values: list[Any], where: dict[Any, int], run: Run) -> str:
    best = {where[v] for v in _members(run)}
    return cells(values, min(best, default=0), best=best)


def _members(run: Run) -> Iterator[Any]:
    value = run.start
    while value < run.stop:
        yield value
        value += run.step


def _said(run: Run) -> str:
    last = run.stop - run.step
    return f"{run.start} to {last}, {run.length:,} long" if run.length else "empty"


def _shown(n: int, thing: str) -> str:
    """Say how many of the steps are on the page, unless all are."""
    return f"; the first {MOST_STEPS} of {n:,} {thing}s are here" if n > MOST_STEPS else ""


def _page(title: str, facts: list[tuple[str, str]], about: str, panels: list[Panel]) -> str:
    return page(
        title,
        facts,
        [Section("steps", "Steps", about, stepper.stepper(panels))],
        style=stepper.STYLE + STYLE,
        script=stepper.SCRIPT,
    )


def window_page(trace: WindowTrace) -> str:
    """Write the search for the shortest window as one page with a slider.

    Args:
        trace: of `anypart.data.windows.trace_window`.

    """
    panels = list[Panel]()
    for move in trace.moves[:MOST_STEPS]:
        best = range(move.best.start, move.best.stop) if move.best else ()
        inside = range(move.window.start, move.window.stop)
        row = cells(trace.items, move.place, now={move.place}, inside=inside, best=best)
        shown = "none yet" if move.best is None else trace.shown(move.best)
        panels.append(Panel(trace.said(move), f"{row}<p>Shortest so far: {escape(shown)}.</p>"))
    end = "no window covers" if trace.window is None else trace.shown(trace.window)
    places = range(trace.window.start, trace.window.stop) if trace.window else range(0)
    panels.append(Panel(f"The end: {end}", cells(trace.items, places.start, best=places)))
    facts = [
        ("items", f"{len(trace.items):,}"),
        ("required", ", ".join(map(str, trace.required))),
        ("shortest window", end),
        (
            "moves",
            f"{trace.steps:,}, at most {2 * len(trace.items):,}{_shown(trace.steps, 'move')}",
        ),
        ("counting every window anew", f"{trace.recounted:,}"),
    ]
    about = (
        "The right end takes items in until all is covered, then the left end lets items go as "
        "long as it stays so. Shaded the window, framed the item that moved, underlined the "
        "shortest window so far. Arrow keys step."
    )
    return _page("The shortest covering window, step by step", facts, about, panels)
