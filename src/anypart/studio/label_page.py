"""The page of a comparison with few labels: accuracy against labels, and the table."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from html import escape

from anypart.scores.self_supervision import Compared, Line
from anypart.studio.page import Section, figure, page, rows_table
from anypart.studio.svg import text

_COLOURS = {
    "none": "#8a93a3",
    "unsupervised": "#2f8f6b",
    "self-supervised": "#1f5fbf",
    "supervised": "#b3470a",
    "both": "#8d4bb0",
}
_DASHES = ("", "5 3", "2 2", "8 3 2 3")  # ways of one kind


def label_page(found: Compared, heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Write the page.

    Args:
        found: the comparison.
        heads: of the columns of accuracies.
        rows: words of the table: way, kind, reader, then an accuracy for each head.

    """
    plot = figure(
        "Share of test rows whose label is right, read by a linear probe or by what was "
        "trained itself; bars are standard errors over the choices of labelled rows.",
        accuracy_plot([line for line in found.lines if line.reader != "neighbours"]),
        wide=True,
    )
    columns = ["rows as", "kind", "read by", *heads]
    table = rows_table(
        "Labels right, %, ± standard error", columns, rows, [False] * 3 + [True] * len(heads)
    )
    sections = [
        Section("plot", "Accuracy and labels", "Higher is better, further left is cheaper.", plot),
        Section(
            "table",
            "Every number",
            "Representations are learned from all training rows without the labels; what is "
            "supervised hears of the labelled rows only.",
            table,
        ),
    ]
    facts = [
        ("table", found.table),
        ("labels", f"{found.target}: {len(found.classes)} classes"),
        ("training rows", f"{found.n_train:,}"),
        ("test rows", f"{found.n_test:,}"),
    ]
    return page(f"{found.target}, from few labels", facts, sections)


def accuracy_plot(lines: Sequence[Line]) -> str:
    """Draw accuracies against numbers of labels (logarithmic), one line a way, as SVG."""
    width, height, left, top, right = 620, 360, 46, 12, 200
    ways = dict.fromkeys((line.way, line.kind) for line in lines)
    counts = sorted({line.n_labels for line in lines})
    low = min(line.accuracy - _bar(line) for line in lines)
    high = max(line.accuracy + _bar(line) for line in lines)
    room = max(high - low, 0.01)
    wide = max(math.log(counts[-1] / counts[0]), 1e-9)
    floor = height - 40

    def place(n: float, accuracy: float) -> tuple[float, float]:
        x = left + 12 + math.log(n / counts[0]) / wide * (width - left - right - 24)
        return x, floor - 8 - (accuracy - low) / room * (floor - top - 16)

    parts = [f'<path d="M{left} {top}V{floor}H{width - right}" class="axis-line"/>']
    for tick in (low, low + room / 2, high):
        y = place(counts[0], tick)[1]
        parts.append(f'<path d="M{left} {y:.1f}H{width - right}" class="guide"/>')
        parts.append(text(left - 6, y + 4, f"{100 * tick:.1f}", "tick", "end"))
    parts += [text(place(n, low)[0], floor + 14, f"{n:,}", "tick", "middle") for n in counts]
    parts.append(text((left + width - right) / 2, height - 6, "labelled rows", "axis", "middle"))
    used: dict[str, int] = {}
    for at, (way, kind) in enumerate(ways):
        dash = _DASHES[used.get(kind, 0) % len(_DASHES)]
        used[kind] = used.get(kind, 0) + 1
        own = sorted((x for x in lines if x.way == way), key=lambda x: x.n_labels)
        style = f'stroke="{_COLOURS[kind]}" stroke-dasharray="{dash}" fill="none"'
        path = "L".join("{:.1f} {:.1f}".format(*place(x.n_labels, x.accuracy)) for x in own)
        said = "; ".join(f"{x.n_labels:,} labels: {100 * x.accuracy:.1f} %" for x in own)
        bars = "".join(_error_bar(place, line) for line in own)
        parts.append(
            f"<g><title>{escape(f'{way} ({kind}): {said}')}</title>"
            f'<path d="M{path}" {style} stroke-width="1.75"/><path d="{bars}" {style}/></g>'
        )
        y = top + 10 + 22 * at
        parts.append(f'<path d="M{width - right + 14} {y}h26" {style} stroke-width="2"/>')
        parts.append(text(width - right + 46, y + 4, way, "name"))
    return (
        f'<svg viewBox="0 0 {width} {height}" role="img" aria-label="Accuracy against labels">'
        f"<title>Accuracy against labels</title>{''.join(parts)}</svg>"
    )


def _bar(line: Line) -> float:
    return 0.0 if math.isnan(line.error) else line.error


def _error_bar(place: Callable[[float, float], tuple[float, float]], line: Line) -> str:
    (x, low), (_, high) = (
        place(line.n_labels, line.accuracy + sign * _bar(line)) for sign in (-1, 1)
    )
    return f"M{x:.1f} {low:.1f}V{high:.1f}"
