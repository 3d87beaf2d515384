"""Charts as inline SVG, by hand: numbers in, markup out, colours from the page's style.

Every chart has a title that a screen reader speaks, labelled axes, and a `viewBox`, so
that it shrinks with the page.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

import numpy as np
from numpy.typing import NDArray

Reals = NDArray[np.float64]
WIDTH = 320
_ROW = 30  # height of one category: its name, and two bars
_LONGEST_TICK = 14  # characters; of longer ones there is room for two
_PLOT = 110  # height of a histogram's plot


def _svg(width: float, height: float, title: str, parts: Iterable[str]) -> str:
    return (
        f'<svg viewBox="0 0 {width:g} {height:g}" style="max-width:{1.3 * width:.0f}px" '
        f'role="img" aria-label="{escape(title)}">'
        f"<title>{escape(title)}</title>{''.join(parts)}</svg>"
    )


def text(x: float, y: float, words: str, kind: str = "", anchor: str = "start") -> str:
    """Place words; `kind` is a class of the page's style."""
    return f'<text x="{x:g}" y="{y:g}" class="{kind}" text-anchor="{anchor}">{escape(words)}</text>'


def _rect(x: float, y: float, size: tuple[float, float], kind: str, more: str = "") -> str:
    width, height = (max(s, 0.0) for s in size)
    return (
        f'<rect x="{x:.2f}" y="{y:.2f}" width="{width:.2f}" height="{height:.2f}" '
        f'class="{kind}"{more}/>'
    )


def shorten(words: str, most: int) -> str:
    """Cut long words, with an ellipsis.

    Example:
        >>> shorten("Palmer archipelago", 8)
        'Palmer …'

    """
    return words if len(words) <= most else words[: most - 1] + "…"


def category_bars(labels: Sequence[str], data: Reals, model: Reals, title: str) -> str:
    """Draw, for each category, its share in the table above its probability in the model.

    Args:
        labels: the categories.
        data: (cats,) shares in the table, in [0, 1].
        model: (cats,) probabilities in the model.
        title: what a screen reader says first.

    """
    plot = WIDTH - 100
    scale = plot / max(float(data.max()), float(model.max()), 1e-9)
    parts: list[str] = []
    for at, (label, there, said) in enumerate(zip(labels, data, model, strict=True)):
        top = at * _ROW
        parts += [
            text(0, top + 11, shorten(label, 44), "name"),
            _rect(0, top + 15, (there * scale, 5), "data"),
            _rect(0, top + 21, (said * scale, 5), "model"),
            text(WIDTH, top + 25, f"{there:.1%} | {said:.1%}", "tick", "end"),
        ]
    height = len(labels) * _ROW + 14
    parts.append(text(0, height - 2, "share of rows: table | model", "axis"))
    return _svg(WIDTH, height, title, parts)


def histogram(ticks: Sequence[str], data: Reals, model: Reals, title: str, unit: str) -> str:
    """Draw the table as bars of equal width and the model as a line of steps over them.

    Args:
        ticks: labels spread evenly from the left edge to the right one.
        data: (bins,) shares in the table, in [0, 1].
        model: (bins,) probabilities in the model.
        title: what a screen reader says first.
        unit: what the horizontal axis is.

    """
    left, top = 34, 6
    wide, high = WIDTH - left - 6, max(float(data.max()), float(model.max()), 1e-9)
    step = wide / len(data)
    y_of = _PLOT / high
    floor = top + _PLOT
    bars = [
        _rect(left + i * step + 0.5, floor - v * y_of, (step - 1, v * y_of), "data")
        for i, v in enumerate(data)
    ]
    path = "".join(
        f"L{left + i * step:.2f} {floor - v * y_of:.2f}"
        f"L{left + (i + 1) * step:.2f} {floor - v * y_of:.2f}"
        for i, v in enumerate(model)
    )
    line = f'<path d="M{left} {floor:g}{path}L{left + wide:g} {floor:g}" class="model-line"/>'
    axis = f'<path d="M{left} {top}V{floor:g}H{left + wide:g}" class="axis-line"/>'
    marks = [
        text(left - 4, top + 8, f"{high:.0%}" if high >= 0.1 else f"{high:.1%}", "tick", "end"),
        text(left - 4, floor, "0", "tick", "end"),
        f'<text transform="translate(9 {top + _PLOT / 2:g}) rotate(-90)" class="axis" '
        'text-anchor="middle">share of rows</text>',
    ]
    if max(map(len, ticks)) > _LONGEST_TICK:
        ticks = (ticks[0], ticks[-1])
    for at, tick in enumerate(ticks):
        anchor = "start" if at == 0 else "end" if at == len(ticks) - 1 else "middle"
        marks.append(text(left + wide * at / (len(ticks) - 1), floor + 14, tick, "tick", anchor))
    marks.append(text(left + wide / 2, floor + 29, unit, "axis", "middle"))
    return _svg(WIDTH, floor + 34, title, [*bars, line, axis, *marks])


def heat_map(names: Sequence[str], values: Reals, title: str) -> str:
    """Draw a symmetric matrix of nats with its colour scale: the stronger, the more.

    Args:
        names: (cols,) of the columns.
        values: (cols, cols) nats; the diagonal is not drawn.
        title: what a screen reader says first.

    """
    n, size = len(names), 22
    left = 8 + 6.4 * min(max(len(name) for name in names), 22)
    off = ~np.eye(n, dtype=bool)
    most = max(float(values[off].max()) if n > 1 else 0.0, 1e-9)
    parts: list[str] = []
    for row, name in enumerate(names):
        y = row * size
        parts.append(text(left - 6, y + 15, shorten(name, 22), "name", "end"))
        x = left + row * size + size / 2
        parts.append(
            f'<text transform="translate({x - 4:g} {n * size + 8:g}) rotate(60)" class="name">'
            f"{escape(shorten(name, 22))}</text>"
        )
        for col, other in enumerate(names):
            if col == row:
                parts.append(_rect(left + col * size, y, (size - 2, size - 2), "self"))
                continue
            said = f"{name} and {other}: {values[row, col]:.3f} nats"
            depth = float(max(values[row, col], 0.0) / most)
            cell = _shade(left + col * size, y, (size - 2, size - 2), depth)
            parts.append(f"<g><title>{escape(said)}</title>{cell}</g>")
    parts += _colour_scale(left + n * size + 14, n * size - 2, most)
    below = 14 + 5.6 * min(max(len(name) for name in names), 22)
    width = left + n * size + 80
    return _svg(width, n * size + below, title, parts)


def _shade(x: float, y: float, size: tuple[float, float], depth: float) -> str:
    """Draw a cell of a heat map; `depth` in [0, 1] is how strong it is."""
    return f'{_rect(x, y, size, "heat")[:-2]} style="fill-opacity:{0.06 + 0.94 * depth:.2f}"/>'


def _colour_scale(x: float, height: float, most: float) -> list[str]:
    """Draw what the colours stand for, from 0 nats at the foot to the most at the head."""
    steps = max(min(int(height / 20), 5), 2)
    tall = height / steps
    parts = list[str]()
    for at in range(steps):
        part = 1 - at / (steps - 1)  # of the most
        parts.append(_shade(x, at * tall, (12, tall), part))
        said = f"{part * most:.3g}" + (" nats" if at == 0 else "")
        parts.append(text(x + 17, at * tall + tall / 2 + 4, said, "tick"))
    return parts


def level_bars(levels: Sequence[tuple[str, float]], title: str) -> str:
    """Draw log-likelihoods as dots on one axis in nats per row; right is better.

    Args:
        levels: (name, nats per row).
        title: what a screen reader says first.

    """
    width, left, right = 480, 130, 70
    values = [v for _, v in levels]
    low, high = min(values), max(values)
    room = max(high - low, 1e-9)
    x_of = (width - left - right) / (room * 1.08)
    parts: list[str] = []
    for at, (name, value) in enumerate(levels):
        y = at * 26 + 16
        x = left + (value - low + room * 0.04) * x_of
        kind = "dot best" if value == high else "dot"
        parts += [
            f'<path d="M{left} {y}H{width - right}" class="guide"/>',
            text(left - 10, y + 4, shorten(name, 20), "name", "end"),
            f'<circle cx="{x:.1f}" cy="{y}" r="6" class="{kind}"/>',
            text(width, y + 4, f"{value:.3f}", "tick", "end"),
        ]
    y = len(levels) * 26 + 18
    parts.append(text(left, y, "log-likelihood, nats per row; further right is better", "axis"))
    return _svg(width, y + 6, title, parts)


def reliability(bins: Sequence[tuple[float, float, float, float]], title: str) -> str:
    """Draw stated against met probabilities; a dot on the diagonal is right.

    Args:
        bins: (stated, met, low, high) each; a bar from low to high is what chance leaves of a
            predictor that is right.
        title: what a screen reader says first.

    """
    left, top, side = 44, 8, 250
    low = min(min(s, m, a) for s, m, a, _ in bins)
    low = min(max(np.floor(low * 10) / 10, 0.0), 0.9)

    def x_of(p: float) -> float:
        return left + (p - low) / (1 - low) * side

    def y_of(p: float) -> float:
        return top + side - (p - low) / (1 - low) * side

    floor = top + side
    parts = [f'<path d="M{left} {floor}L{left + side} {top}" class="guide"/>']
    for stated, met, least, most in bins:
        x = x_of(stated)
        parts.append(_rect(x - 4, y_of(most), (8, y_of(least) - y_of(most)), "data"))
        parts.append(f'<circle cx="{x:.1f}" cy="{y_of(met):.1f}" r="4" class="model"/>')
    parts.append(f'<path d="M{left} {top}V{floor}H{left + side}" class="axis-line"/>')
    for part in (0.0, 0.5, 1.0):
        p = low + part * (1 - low)
        parts.append(text(left - 5, y_of(p) + 4, f"{p:.0%}", "tick", "end"))
        parts.append(text(x_of(p), floor + 14, f"{p:.0%}", "tick", "middle"))
    parts.append(text(left + side / 2, floor + 30, "stated probability", "axis", "middle"))
    parts.append(
        f'<text transform="translate(10 {top + side / 2:g}) rotate(-90)" class="axis" '
        'text-anchor="middle">share that was right</text>'
    )
    return _svg(left + side + 16, floor + 36, title, parts)
