"""The page of measured gradient estimators: error at equal cost, and the table."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from html import escape

from anypart.studio.page import Section, figure, page, rows_table
from anypart.studio.svg import text

Mark = tuple[str, float, float, float, bool]  # name, evaluations, error, bias, biased

_EXACT = 1e-6  # an error below is rounding
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
        "A dot is the error of one estimate, coloured where its bias is significant; the line "
        "ends at error times the root of its evaluations of f, which compares at equal cost.",
        error_plot(marks),
        wide=True,
    )
    numeric = [False] + [True] * (len(_HEAD) - 1)
    table = rows_table("Relative to the length of the exact gradient", _HEAD, rows, numeric)
    sections = [
        Section("plot", "Error and cost", "Further left is better; the cheapest come first.", plot),
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
    """Draw a line per estimator, by evaluations and then error, on a logarithmic axis, as SVG.

    A dot is the error of one estimate; the end of the line from it is error · √evaluations,
    what is left to compare when all spend alike. One without error stands at the left edge.
    """
    rows = sorted(marks, key=lambda m: (m[1], m[2]))
    left, right, top, row = 152, 440, 22, 17
    floor = top + row * len(rows) + 4
    errors = [m[2] for m in rows if m[2] > _EXACT] or [1.0]
    most = [m[2] * max(m[1], 1.0) ** 0.5 for m in rows if m[2] > _EXACT] or [1.0]
    low, high = math.log10(min(errors)) - 0.15, math.log10(max(most)) + 0.1

    def x(error: float) -> float:
        share = (math.log10(max(error, 10**low)) - low) / (high - low)
        return left + 8 + share * (right - left - 8)

    parts: list[str] = []
    heads = (1, 2, 5) if high - low < 2 else (1,)
    for tick in (c * 10.0**power for power in range(-6, 7) for c in heads):
        if low <= math.log10(tick) <= high:
            parts.append(f'<path d="M{x(tick):.1f} {top - 6}V{floor}" class="guide"/>')
            parts.append(text(x(tick), floor + 13, f"{tick:g}", "tick", "middle"))
    parts.append(f'<path d="M{left} {top - 6}V{floor}H{right}" class="axis-line"/>')
    parts.append(text(right + 6, top - 8, "evaluations", "axis", "start"))
    parts.append(
        text((left + right) / 2, floor + 28, "relative error, log scale", "axis", "middle")
    )
    for place, mark in enumerate(rows):
        parts += _line(mark, top + row * place + 8, x, (left, right))
    title = "Error of each estimator"
    return (
        f'<svg viewBox="0 0 {right + 70} {floor + 36}" role="img" aria-label="{title}">'
        f"<title>{title}</title>{''.join(parts)}</svg>"
    )


def _line(
    mark: Mark, y: float, x: Callable[[float], float], sides: tuple[float, float]
) -> list[str]:
    """Draw one estimator's name, dot, line and evaluations."""
    name, count, error, bias, biased = mark
    here, alike = x(error), x(error * max(count, 1.0) ** 0.5)
    said = f"{name}: error {error:.3g}, bias {bias:.3g}, {count:g} evaluations"
    return [
        text(sides[0] - 6, y + 4, name, "name", "end"),
        f'<path d="M{here:.1f} {y:g}H{alike:.1f}M{alike:.1f} {y - 4:g}v8" class="axis-line"/>',
        f"<g><title>{escape(said)}</title>"
        f'<circle cx="{here:.1f}" cy="{y:g}" r="4" class="{"dot best" if biased else "dot"}"/></g>',
        text(sides[1] + 6, y + 4, f"{count:g}", "tick", "start"),
    ]
