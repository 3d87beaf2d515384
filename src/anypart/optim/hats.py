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

import numpy as np
from numpy.typing import NDArray

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
