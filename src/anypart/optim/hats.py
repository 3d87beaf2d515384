r"""Logits of ordered categories as sums of hats of all widths.

The cells of a number have an order, and neighbours are alike: what is learned of one says
something of the next. A table's row over n such cells is a sum of hats (linear splines) of
widths 1, 2, 4 …,

.. math:: \mathrm{logit} = \theta H, \qquad H \in \mathbb{R}^{hats \times n}

so that a gradient that many neighbours share moves a wide hat at once, and weight decay holds
back what only a cell or two ask for. Hats of width 1 are the cells themselves: every table
can still be reached.

References:
    Yserentant, "On the multi-level splitting of finite element spaces" (1986): hats of all
    widths as a basis in which descent is fast.

"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import torch

LEAST = 4  # categories whose order says something
REACH = 2.0  # what a step of all hats moves a logit by, of a single one's step
FALL = 0.7  # height of hats twice as wide, of a hat's height

Array = NDArray[np.float32]


def hats(n: int) -> Array:
    """Return the hats over n ordered categories, (hats, n), the single ones first.

    Example:
        >>> hats(5).shape, bool((hats(5)[:5] > 0).diagonal().all())
        ((10, 5), True)

    """
    at, found, width, height = np.arange(n), [np.eye(n)], 2, FALL
    while width < n:
        middles = np.arange(0, n + width, width)[:, None]
        wide = height * np.maximum(1 - np.abs(at - middles) / width, 0)
        found.append(wide[wide.any(axis=1)])
        width, height = 2 * width, FALL * height
    made = np.concatenate(found)
    return (made * REACH / made.sum(axis=0).mean()).astype(np.float32)


def in_hats(logits: Array) -> Array:
    """Write rows of logits as hats, the smallest that give them, (rows, n) → (rows, hats).

    A row's mean is taken away: it changes no probability.
    """
    basis = hats(logits.shape[1]).astype(np.float64)
    centred = logits - logits.mean(axis=1, keepdims=True)
    return (centred @ np.linalg.solve(basis.T @ basis, basis.T)).astype(np.float32)


class HattedColumns:
    """The weights of a network's last layer, of which those of ordered columns are hats.

    Args:
        n_cats: categories of each column.
        ordered: the columns whose categories have an order.

    """

    def __init__(self, n_cats: Sequence[int], ordered: Sequence[int]) -> None:
        import torch

        self._n_cats = tuple(n_cats)
        self._hats = {c: torch.tensor(hats(n_cats[c])) for c in ordered if n_cats[c] >= LEAST}
        self._widths = [len(self._hats.get(c, range(n))) for c, n in enumerate(n_cats)]

    def to_hats(self, weights: Array) -> Array:
        """Write weights of cells as hats, (rows, cells of all columns) → (rows, hats)."""
        parts = np.split(weights, np.cumsum(self._n_cats)[:-1], axis=1)
        hatted = [in_hats(p) if c in self._hats else p for c, p in enumerate(parts)]
        return np.concatenate(hatted, axis=1)

    def to_cells(self, weights: torch.Tensor) -> torch.Tensor:
        """Add hats up to weights of cells, (rows, hats) → (rows, cells of all columns)."""
        import torch

        if not self._hats:
            return weights
        parts = enumerate(weights.split(self._widths, 1))
        return torch.cat([p @ self._hats[c] if c in self._hats else p for c, p in parts], 1)
