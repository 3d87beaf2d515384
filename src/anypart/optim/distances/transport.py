r"""Wasserstein distances on finitely many places: on a line in closed form, else as a flow.

.. math:: W(p, q) = \min_{\gamma \ge 0} \sum_{ij} \gamma_{ij} c_{ij}, \qquad
    \sum_j \gamma_{ij} = p_i, \quad \sum_i \gamma_{ij} = q_j

References:
    Peyré & Cuturi 2019, Computational Optimal Transport, sections 2.6 (a line) and 3.
    Edmonds & Karp 1972 (successive shortest paths with potentials).
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from anypart.base.errors import QuestionError
from anypart.optim.distances.exact import Reals, probabilities

MOST_CELLS = 256  # of a cost matrix: seconds
DUST = 1e-15  # mass that rounding leaves over


def line_wasserstein(p: Any, q: Any, places: Any) -> Reals:
    """Move one distribution to another along a line: ∫ |P − Q| dx, in the places' unit.

    Args:
        p: (…, cells).
        q: (…, cells).
        places: (cells,) ascending.

    Raises:
        QuestionError: the places are not ascending, or not one a cell.

    Cost:
        O(cells) each.

    Example:
        >>> float(line_wasserstein([1.0, 0.0, 0.0], [0.5, 0.0, 0.5], [0.0, 1.0, 10.0]))
        5.0
    """
    p, q = probabilities(p, "p"), probabilities(q, "q")
    x = np.asarray(places, np.float64)
    if x.shape != p.shape[-1:] or x.shape != q.shape[-1:] or (np.diff(x) < 0).any():
        raise QuestionError("A Wasserstein distance on a line needs one place a cell, ascending.")
    return (np.abs(np.cumsum(p - q, axis=-1))[..., :-1] * np.diff(x)).sum(axis=-1)


def wasserstein(p: Any, q: Any, cost: Any) -> float:
    """Find the least cost of turning p into q, exactly.

    Args:
        p: (rows,) probabilities.
        q: (cols,) probabilities.
        cost: (rows, cols) of moving mass 1, at least 0, in a unit of one's own; distances
            give W₁, squared distances the square of W₂.

    Raises:
        QuestionError: shapes that do not fit, a cost that is negative, or too many cells.

    Cost:
        About cells³: a second for 100 cells, ten for 250.

    Example:
        >>> wasserstein([0.5, 0.5], [0.0, 1.0], [[0.0, 3.0], [3.0, 0.0]])
        1.5
    """
    p, q, c = probabilities(p, "p"), probabilities(q, "q"), np.asarray(cost, np.float64)
    if p.ndim != 1 or q.ndim != 1 or c.shape != (len(p), len(q)):
        raise QuestionError(f"The cost has shape {c.shape}; give one of ({p.size}, {q.size}).")
    if not np.isfinite(c).all() or (c < 0).any():
        raise QuestionError("A cost of moving mass is negative or not finite. Give costs ≥ 0.")
    if max(c.shape) > MOST_CELLS:
        raise QuestionError(
            f"The least cost over {max(c.shape):,} cells takes minutes (at most {MOST_CELLS}). "
            "Use places on a line, or MMD."
        )
    return float((_flow(p, q, c) * c).sum())


def _flow(p: Reals, q: Reals, cost: Reals) -> Reals:
    """Send the mass along shortest paths, one after another, (rows, cols)."""
    supply, demand = p.copy(), q.copy()
    flow = np.zeros_like(cost)
    # Potentials keep every reduced cost at least 0, and at 0 where there is flow.
    u, v = np.zeros(len(p)), cost.min(axis=0)
    while supply.max() > DUST and demand.max() > DUST:
        path = _shortest(supply, demand, flow, cost - u[:, None] - v, u, v)
        sent = min(supply[path[0][0]], demand[path[-1][1]])
        back = [(a[0], b[1]) for b, a in pairwise(path)]
        sent = min([sent, *(flow[edge] for edge in back)])
        for edge in path:
            flow[edge] += sent
        for edge in back:
            flow[edge] -= sent
        supply[path[0][0]] -= sent
        demand[path[-1][1]] -= sent
    return flow


def _shortest(
    supply: Reals, demand: Reals, flow: Reals, reduced: Reals, u: Reals, v: Reals
) -> list[tuple[int, int]]:
    """Find the cheapest way from mass to where it lacks (Dijkstra); move the potentials.

    Returns:
        The edges (row, col) that gain; between two of them flow is taken back.
    """
    reduced = np.maximum(reduced, 0.0)
    sources = supply > DUST
    row_far = np.where(sources, 0.0, np.inf)
    row_from = np.full(len(supply), -1)
    rows: NDArray[np.intp] = np.flatnonzero(sources)
    first = reduced[rows].argmin(axis=0)
    col_far, col_from = reduced[rows].min(axis=0), rows[first]
    done = np.zeros(len(demand), np.bool_)
    while True:
        col = int(np.where(done, np.inf, col_far).argmin())
        done[col] = True
        if demand[col] > DUST:
            break
        new = np.flatnonzero((flow[:, col] > 0) & np.isinf(row_far))
        for row in new:
            row_far[row], row_from[row] = col_far[col], col
            nearer = col_far[col] + reduced[row] < col_far
            nearer &= ~done
            col_far[nearer] = col_far[col] + reduced[row][nearer]
            col_from[nearer] = row
    end = col_far[col]
    near = row_far < end
    u[near] += end - row_far[near]
    v[done] -= end - col_far[done]
    path = [(int(col_from[col]), col)]
    while (back := int(row_from[path[0][0]])) >= 0:
        path.insert(0, (int(col_from[back]), back))
    return path
