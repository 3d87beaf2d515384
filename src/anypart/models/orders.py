"""Orders in which a one-order model takes the columns.

The order is part of such a model: the families that cannot represent every distribution
represent different ones in different orders. `optim.orders` learns one on validation rows.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from anypart.base.errors import FitError, suggest
from anypart.base.seeds import generator
from anypart.models.contract import Codes, Layout, Mask
from anypart.models.stated import Stated
from anypart.models.structure import foretold, pair_counts, spanning_tree, strayed

Order = NDArray[np.int64]
KINDS = ("chow_liu", "given", "random", "reversed", "shaken")
SHAKEN = 0.6  # noise of a shaken tree's weights, as a share of them
MOST_WORK = 1e11  # multiplications to count pairs with, about two seconds


def chow_liu_order(
    layout: Layout, codes: Codes, seen: Mask, shaken: np.random.Generator | None = None
) -> Order:
    """Order the columns so that each comes after its parent in the Chow-Liu tree, (cols,).

    What a column depends on most is then among what it may depend on.

    Args:
        layout: the columns.
        codes: (rows, cols) rows to find the tree on.
        seen: (rows, cols) which of their cells count.
        shaken: adds noise to the weights of the pairs and begins at a random column:
            another order that is about as good, so that two models err differently.

    Cost:
        One product of all pairs, on as many rows as `MOST_WORK` allows.
    """
    n_rows = int(max(500, MOST_WORK / layout.total**2))
    counts, root = pair_counts(layout, codes[:n_rows], seen[:n_rows]), None
    if shaken is not None and layout.n_cols:
        weights = strayed(layout, counts, SHAKEN, shaken)
        root = int(shaken.integers(layout.n_cols))
    else:
        weights = foretold(layout, counts)
    order, _ = spanning_tree(weights, root)
    return order.astype(np.int64)


def make_order(
    kind: str | Sequence[int],
    layout: Layout,
    codes: Codes,
    seen: Mask,
    seed: int,
    question: Stated | None = None,
) -> Order:
    """Make an order of the columns, (cols,).

    Args:
        kind: `chow_liu`, `shaken` (a Chow-Liu tree from a random column, its weights
            shaken), `given` (as the table has them), `reversed`, `random`, or the
            positions of the columns themselves.
        layout: the columns.
        codes: (rows, cols) rows to find the Chow-Liu tree on.
        seen: (rows, cols) which of their cells count.
        seed: of a random or shaken order.
        question: its given columns come first then, its asked ones next, in this order.

    Raises:
        FitError: no such kind, or positions that are not an order.

    Example:
        >>> import numpy as np
        >>> nothing = np.zeros((0, 3), np.int32)
        >>> make_order("reversed", Layout((2, 2, 2)), nothing, nothing > 0, 0).tolist()
        [2, 1, 0]

    """
    order = _make_order(kind, layout, codes, seen, seed)
    return order if question is None else question.ranked(order)


def _make_order(
    kind: str | Sequence[int], layout: Layout, codes: Codes, seen: Mask, seed: int
) -> Order:
    n_cols = layout.n_cols
    if kind == "chow_liu":
        return chow_liu_order(layout, codes, seen)
    if kind == "shaken":
        return chow_liu_order(layout, codes, seen, generator(seed, "order"))
    if kind == "random":
        return generator(seed, "order").permutation(n_cols).astype(np.int64)
    if kind in ("given", "reversed"):
        return np.arange(n_cols)[:: 1 if kind == "given" else -1].astype(np.int64)
    if isinstance(kind, str):
        raise FitError(
            f"There is no order {kind!r}; there are {', '.join(KINDS)}, or the positions of "
            f"the columns.{suggest(kind, KINDS)}"
        )
    order = np.array(kind, np.int64)
    if sorted(order.tolist()) != list(range(n_cols)):
        raise FitError(
            f"{list(kind)} is not an order of {n_cols} columns. Name each position from 0 to "
            f"{n_cols - 1} once."
        )
    return order
