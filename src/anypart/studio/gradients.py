"""The page of measured gradient estimators: error against evaluations, and the table."""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape

from anypart.studio.page import Section, figure, page, rows_table
from anypart.studio.svg import text

Mark = tuple[str, float, float, float, bool]  # name, evaluations, error, bias, biased

_HEAD = ("estimator", "evaluations", "bias", "95 % interval", "error", "variance", "cosine", "µs")


def gradient_page(
    name: str, about: str, rows: Sequence[Sequence[str]], marks: Sequence[Mark]
) -> str:
    """Write the page.

    Args:
        name: of the problem.
        about: one line.
        rows: words of the table, in the order of its head.
        marks: (name, evaluations, error, bias, significant bias) of each estimator.

    """
    plot = figure(
        "One estimate's error against what it costs. Filled in colour: significant bias.",
        error_plot(marks),
        wide=True,
    )
    numeric = [False] + [True] * (len(_HEAD) - 1)
    table = rows_table("Relative to the length of the exact gradient", _HEAD, rows, numeric)
    sections = [
        Section("plot", "Error and cost", "Lower is better, further left is cheaper.", plot),
        Section(
            "table",
            "Every number",
            "Bias is that of the mean, with its 95 % interval; a star marks one that chance "
            "explains less than once in a thousand. Error is the root mean square of one estimate.",
            table,
        ),
    ]
    facts = [("problem", name), ("what it is", about), ("estimators", str(len(rows)))]
    return page(f"Gradient estimators on {name}", facts, sections)


def error_plot(marks: Sequence[Mark]) -> str:
    """Draw error against evaluations, both on logarithmic axes, as SVG.

    An estimator without error (enumeration) stands on the floor.
    """
    seen = [m for m in marks if m[2] > 1e-6] or list(marks)
    width, height, left, top = 560, 340, 46, 12
    errors = [max(m[2], 1e-6) for m in seen]
    low = math.floor(math.log10(min(errors)) * 2) / 2 - 0.5
    high = math.ceil(math.log10(max(errors)) * 2) / 2
    wide = max(math.log10(max(m[1] for m in marks)), 0.5)

    def place(mark: Mark) -> tuple[float, float]:
        error = math.log10(max(mark[2], 10**low))
        x = left + 14 + math.log10(max(mark[1], 1)) / wide * (width - left - 170)
        return x, top + (high - error) / max(high - low, 0.5) * (height - top - 40)

    floor = height - 40
    parts = [f'<path d="M{left} {top}V{floor}H{width - 20}" class="axis-line"/>']
    for power in range(math.ceil(low), math.floor(high) + 1):
        y = place(("", 1, 10.0**power, 0, False))[1]
        parts.append(f'<path d="M{left} {y:.1f}H{width - 20}" class="guide"/>')
        parts.append(text(left - 6, y + 4, f"{10.0**power:g}", "tick", "end"))
    for count in (1, 2, 4, 10, 20, 100, 1000):
        if math.log10(count) <= wide:
            x = place(("", count, 1.0, 0, False))[0]
            parts.append(text(x, floor + 14, str(count), "tick", "middle"))
    parts.append(
        text(width / 2 - 60, height - 6, "evaluations of f per estimate", "axis", "middle")
    )
    spots = sorted(((*place(m), m) for m in marks), key=lambda s: (round(s[0]), s[1]))
    last: dict[int, float] = {}
    for x, y, mark in spots:
        kind = "dot best" if mark[4] else "dot"
        said = f"{mark[0]}: error {mark[2]:.3g}, bias {mark[3]:.3g}, {mark[1]:g} evaluations"
        # Names in one column step down until each has a line of its own.
        line = max(y + 4, last.get(round(x), -99.0) + 11)
        last[round(x)] = line
        parts.append(
            f"<g><title>{escape(said)}</title>"
            f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4" class="{kind}"/></g>'
        )
        parts.append(text(x + 8, line, mark[0], "name"))
    return (
        f'<svg viewBox="0 0 {width} {height}" role="img" aria-label="Error against evaluations">'
        f"<title>Error against evaluations</title>{''.join(parts)}</svg>"
    )
