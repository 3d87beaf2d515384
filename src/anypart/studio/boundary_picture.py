"""Points in a plane and the lines at which units decide."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

import numpy as np
from numpy.typing import NDArray

SIDE = 320


def boundary_picture(
    x: NDArray[np.float64],
    y: NDArray[np.bool_],
    units: Sequence[tuple[NDArray[np.float64], float]],
    title: str,
) -> str:
    """Draw points and boundaries w·x + b = 0; the first solid, others dashed.

    Args:
        x: (rows, 2).
        y: (rows,) which shall fire; drawn filled.
        units: (weights, bias) of each.
        title: what a screen reader says first.

    """
    low, high = min(float(x.min()), 0.0), float(x.max())
    room = 0.15 * max(high - low, 1e-9)
    low, high = low - room, high + room
    scale = SIDE / (high - low)

    def place(point: NDArray[np.float64]) -> tuple[float, float]:
        return (float(point[0]) - low) * scale, SIDE - (float(point[1]) - low) * scale

    zero = place(np.zeros(2))
    parts = [
        f'<path d="M0 {zero[1]:.1f}H{SIDE}M{zero[0]:.1f} 0V{SIDE}" class="guide"/>',
    ]
    for at, (weights, bias) in enumerate(units):
        size = float(np.hypot(*weights))
        if size == 0:
            continue
        normal = weights / size
        along, foot = np.array([-normal[1], normal[0]]), -bias / size * normal
        reach = 4 * (high - low)
        (x1, y1), (x2, y2) = place(foot - reach * along), place(foot + reach * along)
        dash = ' style="stroke-dasharray:5 4"' if at else ""
        parts.append(f'<path d="M{x1:.1f} {y1:.1f}L{x2:.1f} {y2:.1f}" class="model-line"{dash}/>')
    for point, fires in zip(x, y, strict=True):
        cx, cy = place(point)
        kind = "dot best" if fires else "dot"
        parts.append(f'<circle cx="{cx:.1f}" cy="{cy:.1f}" r="5" class="{kind}"/>')
    return (
        f'<svg viewBox="0 0 {SIDE} {SIDE}" style="overflow:hidden;max-width:{SIDE}px" role="img" '
        f'aria-label="{escape(title)}"><title>{escape(title)}</title>{"".join(parts)}</svg>'
    )
