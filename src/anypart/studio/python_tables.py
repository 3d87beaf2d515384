"""Pages of what was measured on Python itself: growth, costs, operations, objects, generators."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import astuple
from html import escape

from anypart.lens.python.classify import Classified
from anypart.lens.python.copies import Copied
from anypart.lens.python.costs import Cost, Costs
from anypart.lens.python.generators import GeneratorStep, GeneratorTrace
from anypart.lens.python.growth import Growth
from anypart.lens.python.operations import Operations
from anypart.studio import stepper
from anypart.studio.page import Section, figure, page, rows_table
from anypart.studio.stepper import Panel

_STREAM_NAMES = (
    *("n", "list bytes", "generator bytes", "peak, list", "peak, generator"),
    *("first item of the list, ns", "of the generator, ns"),
)
_SAME = {True: "the same object", False: "another object"}
_WIDE, _HIGH, _LEFT = 640, 240, 56


def growth_page(found: Growth) -> str:
    """Draw the room of a container against its length, and list where it grew."""
    values = found.capacities or found.sizes
    unit = "items there is room for" if found.capacities else "bytes"
    rows = [
        (f"{at:,}", f"{values[at]:,}", f"{found.sizes[at]:,}", f"{values[at] - at:,}")
        for at in (0, *found.moved)
    ]
    names = ("items", unit, "bytes", "room left")
    if not found.capacities:
        rows, names = [row[:3] for row in rows], names[:3]
    facts = [
        ("items", f"{len(found.sizes) - 1:,}"),
        ("growths", f"{len(found.moved):,}"),
        ("items moved for each one added, at most", f"{found.copies_per_item:.2f}"),
        ("object", "the same all the way" if found.same else "another each time"),
    ]
    chart = _stairs(values, f"{unit} against items, {found.kind}", unit)
    about = (
        f"{found.kind} by {found.how}, measured on this interpreter item by item. A step is a "
        "moment at which a larger place was taken."
    )
    body = figure("", chart, wide=True) + rows_table(
        "Where it grew", names, rows, [True] * len(names)
    )
    return page(
        f"How a {found.kind} grows", facts, [Section("growth", "Growth", about, body)], style=_STYLE
    )


def _stairs(values: Sequence[int], title: str, unit: str) -> str:
    most, n = max(*values, 1), len(values) - 1
    across, up = (_WIDE - _LEFT - 10) / n, (_HIGH - 40) / most
    floor = _HIGH - 30
    path = f"M{_LEFT} {floor - values[0] * up:.1f}" + "".join(
        f"H{_LEFT + at * across:.1f}V{floor - value * up:.1f}" for at, value in enumerate(values)
    )
    words = [
        (_LEFT - 6, floor, "end", "0"),
        (_LEFT - 6, floor - most * up + 8, "end", f"{most:,}"),
        (_LEFT, floor + 14, "start", "0"),
        (_WIDE - 10, floor + 14, "end", f"{n:,} items"),
        (_LEFT + 6, floor - most * up + 8, "start", unit),
    ]
    texts = "".join(
        f'<text x="{x:.1f}" y="{y:.1f}" class="tick" text-anchor="{anchor}">{escape(said)}</text>'
        for x, y, anchor, said in words
    )
    return (
        f'<svg viewBox="0 0 {_WIDE} {_HIGH}" role="img" aria-label="{escape(title)}">'
        f'<path d="M{_LEFT} 10V{floor}H{_WIDE - 10}" class="axis-line"/>'
        f'<path d="{path}" class="model-line"/>{texts}</svg>'
    )


def costs_page(found: Costs) -> str:
    """Write the costs group by group, each with its bytecode and the reason that it gives."""
    groups = list(dict.fromkeys(cost.group for cost in found))
    tables = "".join(_group(name, [c for c in found if c.group == name]) for name in groups)
    streams = rows_table(
        "n squares as a list and as a generator",
        _STREAM_NAMES,
        [[f"{value:,}" for value in astuple(stream)] for stream in found.streams],
        [True] * len(_STREAM_NAMES),
    )
    return page(
        "What lists, tuples and generators cost",
        [("interpreter", f"Python {found.version}"), ("statements", str(len(found.costs)))],
        [
            Section(
                "costs",
                "Statements",
                "Nanoseconds of one execution, the least of several rounds in turn. Compare the "
                "ratios within a group; the times are this machine's at that moment.",
                tables,
            ),
            Section(
                "streams",
                "A list or a generator",
                "A generator holds one item at a time, whatever the number; its items cost more.",
                streams,
            ),
        ],
        style=_STYLE,
    )


def _group(name: str, costs: Sequence[Cost]) -> str:
    most = max(cost.nanoseconds for cost in costs)
    rows = "".join(
        f"<tr><td><code>{escape(c.code)}</code>"
        f'<div class="bar" style="width:{max(c.nanoseconds / most * 100, 0.5):.1f}%"></div></td>'
        f'<td class="number">{c.nanoseconds:,.1f}</td><td class="number">{c.ratio:,.1f}×</td>'
        f'<td>{escape(c.reason)}<br><code class="soft">{escape(" · ".join(c.bytecode))}</code></td>'
        "</tr>"
        for c in costs
    )
    heads = '<th scope="col">statement</th><th scope="col" class="number">ns</th>'
    heads += '<th scope="col" class="number">ratio</th><th scope="col">why; bytecode</th>'
    return (
        f'<div class="scroll" tabindex="0" role="region" aria-label="{escape(name)}"><table>'
        f"<caption>{escape(name)}</caption><thead><tr>{heads}</tr></thead>"
        f"<tbody>{rows}</tbody></table></div>"
    )


def operations_page(found: Operations) -> str:
    """Write the table of operations, the rows that differ marked."""
    groups = list(dict.fromkeys(row.group for row in found))
    sections = [
        Section(
            group.replace(" ", "-"),
            group.capitalize(),
            "x is made of 3, 2, 3, 7, 8, 1; y has one item, 5. ≠ marks what differs.",
            rows_table(
                group,
                ("", "operation", *found.types),
                [
                    ("≠" if r.differs else "", r.code, *(str(r.outcomes[t]) for t in found.types))
                    for r in found
                    if r.group == group
                ],
                [False] * (2 + len(found.types)),
            ),
        )
        for group in groups
    ]
    same = sum(not row.differs for row in found)
    facts = [("operations", str(len(found.rows))), ("do the same on all", str(same))]
    return page(" and ".join(found.types), facts, sections, style=_STYLE)


def classified_page(found: Classified) -> str:
    """Write what an object was found to be, and all that was tried."""
    words = {True: "yes", False: "no", None: "could not be tried"}
    facts = [("type", found.type)] + [
        (name.replace("_", " "), words[getattr(found, name)])
        for name in ("iterable", "iterator", "generator", "mutable", "deeply_immutable", "hashable")
    ]
    table = rows_table(
        "Operations, each on a copy of its own",
        ("operation", "outcome"),
        [(test.code, test.outcome) for test in found.tests],
        [False, False],
    )
    section = Section("tried", "What was tried", "x is the object, first its first item.", table)
    return page(f"An object of type {found.type}", facts, [section], style=_STYLE)


def copies_page(found: Sequence[Copied]) -> str:
    """Write what each way to copy an object shares with it."""
    rows = [
        (c.code, c.error or _SAME[c.same], ", ".join(c.shared), ", ".join(c.own)) for c in found
    ]
    names = ("way", "b is", "shared with a", "b's own")
    table = rows_table("Ways to make b of a", names, rows, [False] * 4)
    about = "Containers below a, by their place; numbers and strings are left out."
    return page("Copies of an object", [], [Section("ways", "Ways", about, table)], style=_STYLE)


def generator_page(trace: GeneratorTrace) -> str:
    """Write the actions taken on a generator, with a slider over them."""
    panels = [_generator_panel(step, trace.first_line) for step in trace]
    facts = [
        ("generator", trace.name),
        ("actions", str(len(trace))),
        ("ended", trace.steps[-1].outcome if trace.steps else "–"),
    ]
    about = "Each step is one action from outside. The marked line is the one that it rests at."
    body = stepper.stepper(panels, trace.source, trace.first_line)
    return page(
        f"Stepping {trace.name}",
        facts,
        [Section("steps", "Steps", about, body)],
        style=stepper.STYLE + _STYLE,
        script=stepper.SCRIPT,
    )


def _generator_panel(step: GeneratorStep, first: int) -> Panel:
    call, came = str(step).splitlines()[0].split(": ", 1)
    ran = " → ".join(f"{name} {line}" for name, line in step.lines) or "none"
    names = rows_table("Its names", ("name", "value"), list(step.locals.items()), [False, False])
    inner = f"<p>Hands over to {escape(step.inner)}.</p>" if step.inner else ""
    came = came.removeprefix("yields ")
    tag = "exception" if step.outcome == "raised" else "bound"
    body = (
        f'<ul class="changes"><li><span class="tag {tag}">{step.outcome}</span>{escape(came)}</li>'
        f'<li><span class="tag">lines run</span>{escape(ran)}</li>'
        f'<li><span class="tag">now</span>{escape(step.state)}</li></ul>{inner}'
        + (names if step.locals else "")
    )
    line = None if step.line is None else step.line - first + 1
    return Panel(call, body, line)


_STYLE = """
code { font: .85em ui-monospace, "DejaVu Sans Mono", Menlo, Consolas, monospace; }
.bar { height: 5px; margin-top: 4px; border-radius: 2px; background: var(--model); }
section .scroll + .scroll { margin-top: 20px; }
"""
