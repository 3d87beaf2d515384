"""The theoretical and the effective receptive field of one output, drawn on the input."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

import numpy as np
from numpy.typing import NDArray

SIDE = 360  # of the picture's longer side
MOST = 72  # squares along a side


def field_picture(
    weight: NDArray[np.float64],
    theoretical: Sequence[tuple[float, float]],
    title: str,
    spread: Sequence[float] = (),
) -> str:
    """Draw how much each position moves the output, and the frame of all that could.

    Args:
        weight: (height, width) or (length,) of the input, not negative.
        theoretical: (first, last) position along each axis; may lie outside the input.
        title: what a screen reader says first.
        spread: standard deviation along each axis, drawn as an ellipse of two of them.

    Returns:
        An SVG: the darker a square, the more it moves the output.

    """
    grid = np.atleast_2d(weight)
    spans = [(0.0, 0.0), *theoretical] if weight.ndim == 1 else list(theoretical)
    step = max(1, -(-max(grid.shape) // MOST))
    squares = _coarse(grid, step)
    unit = SIDE / max(squares.shape)
    height, width = (n * unit for n in squares.shape)
    most = max(float(squares.max()), 1e-12)
    parts = [f'<rect width="{width:.1f}" height="{height:.1f}" class="self"/>']
    for row, col in np.argwhere(squares > most * 0.004).tolist():
        depth = (squares[row, col] / most) ** 0.5  # the eye sees small values too
        parts.append(
            f'<rect x="{col * unit:.1f}" y="{row * unit:.1f}" width="{unit:.2f}" '
            f'height="{unit:.2f}" class="heat" style="fill-opacity:{depth:.2f}"/>'
        )
    scale = unit / step
    (top, bottom), (left, right) = (
        (max(low, -0.15 * n), min(high + 1, 1.15 * n))
        for (low, high), n in zip(spans, grid.shape, strict=True)
    )
    if weight.ndim == 1:
        top, bottom = 0.0, 1.0
    parts.append(
        f'<rect x="{left * scale:.1f}" y="{top * scale:.1f}" width="{(right - left) * scale:.1f}" '
        f'height="{(bottom - top) * scale:.1f}" class="model-line" style="fill:none"/>'
    )
    if len(spread) == 2:
        parts.append(_ellipse(grid, spread, scale))
    edge = 0.16 * SIDE
    return (
        f'<svg viewBox="{-edge:.0f} {-edge:.0f} {width + 2 * edge:.0f} {height + 2 * edge:.0f}" '
        f'role="img" aria-label="{escape(title)}"><title>{escape(title)}</title>'
        f"{''.join(parts)}</svg>"
    )


def _coarse(grid: NDArray[np.float64], step: int) -> NDArray[np.float64]:
    """Add up squares of `step` positions."""
    rows, cols = grid.shape
    step_rows = step if rows > 1 else 1
    padded = np.pad(grid, ((0, -rows % step_rows), (0, -cols % step)))
    shape = (padded.shape[0] // step_rows, step_rows, padded.shape[1] // step, step)
    return padded.reshape(shape).sum((1, 3))


def _ellipse(grid: NDArray[np.float64], spread: Sequence[float], scale: float) -> str:
    total = max(float(grid.sum()), 1e-12)
    rows, cols = (np.arange(n) + 0.5 for n in grid.shape)
    y, x = float((grid.sum(1) * rows).sum() / total), float((grid.sum(0) * cols).sum() / total)
    return (
        f'<ellipse cx="{x * scale:.1f}" cy="{y * scale:.1f}" rx="{2 * spread[1] * scale:.1f}" '
        f'ry="{2 * spread[0] * scale:.1f}" class="model-line" '
        'style="fill:none;stroke-dasharray:4 3"/>'
    )
