r"""Which column depends on which: information, and the spanning tree that keeps most of it.

Mutual information of counted shares grows with the number of categories, whatever the
columns have to do with each other: by (a - 1)(b - 1) / 2N nats, which for two numbers of 64
cells and 16,000 rows is .12, more than most columns know of each other. So a pair is judged
by what one column tells of the other in a row that was left out of the counts:

.. math:: \frac1N \sum_{ab} n_{ab}
    \log \frac{n_{ab} - 1 + \kappa\, p_a p_b}{(N - 1 + \kappa)\, p_a p_b}

with the :math:`\kappa` that suits the pair best.

References:
    Chow & Liu, "Approximating discrete probability distributions with dependence trees"
    (1968); Prim, "Shortest connection networks and some generalizations" (1957); Miller,
    "Note on the bias of information estimates" (1955), for the bias; Stone, "Cross-validatory
    choice and assessment of statistical predictions" (1974), for leaving one out.

"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from anypart.models.contract import Codes, Layout, Mask

BLOCK_CELLS = 20_000_000  # floats of the one-hot block that is multiplied at once
EXCEPTIONS = 0.001  # rows in which a settled column may differ
ROWS_PER_CATEGORY = 20  # fewer rows settle anything by chance
LEAST_MET = 0.5  # of the rows of a category that would meet a column if its gaps were chance
LEAST_DOUBT = 0.02  # a column that is nearly constant is settled by nothing
MOST_STRAY = 0.01  # nats; noise of the edges of a perturbed tree
MOST_DOUBT = 0.5  # share of what columns may foretell beyond what is proved, in such a tree
SMOOTHING = (30.0, 300.0, 3_000.0, 30_000.0)  # rows of independent columns added to a pair


def pair_counts(
    layout: Layout, codes: Codes, seen: Mask, weights: NDArray[np.floating] | None = None
) -> NDArray[np.float32]:
    """Count the rows in which two categories meet, both cells seen, (flat, flat).

    Args:
        layout: the columns.
        codes: (rows, cols), read only where `seen`.
        seen: (rows, cols).
        weights: (rows,) how much each row counts; 1 if not given.

    Cost:
        O(rows · flat²), one matrix product; flat² memory.

    """
    total = layout.total
    starts = np.array([s.start for s in layout.slices])
    counts = np.zeros((total, total), np.float32)
    size = max(256, BLOCK_CELLS // max(total, 1))
    for start in range(0, len(codes), size):
        mask = seen[start : start + size]
        row, column = np.nonzero(mask)
        hot = np.zeros((len(mask), total), np.float32)
        hot[row, codes[start : start + size][row, column] + starts[column]] = 1.0
        left = hot
        if weights is not None:
            left = hot * weights[start : start + size, None].astype(np.float32)
        counts += left.T @ hot
    return counts


def foretold(layout: Layout, counts: NDArray[np.floating]) -> NDArray[np.float64]:
    """Nats by which one column foretells another in a row that was left out, (cols, cols).

    Symmetric, at least 0, 0 on the diagonal. Each pair is judged on the rows in which both
    are seen; see the module's formula.

    Args:
        layout: the columns.
        counts: from `pair_counts`; of weighted rows a cell's own weight counts as at most 1.

    Cost:
        O(flat²) time, O(flat · the most categories of a column) memory.

    """
    found = np.zeros((layout.n_cols, layout.n_cols))
    for column, here in enumerate(layout.slices[:-1]):
        joint = counts[here, here.stop :].astype(np.float64)  # (n_cats, flat of later columns)
        sizes = layout.n_cats[column + 1 :]
        owner = np.repeat(np.arange(len(sizes)), sizes)
        starts = np.cumsum((0, *sizes[:-1]))
        left = np.add.reduceat(joint, starts, axis=1)  # (n_cats, later columns)
        rows = left.sum(axis=0)
        total = np.maximum(rows, 1.0)
        alone = left[:, owner] * joint.sum(axis=0) / total[owner] ** 2  # shares if independent
        lift = np.maximum(joint - 1, 0) / np.maximum(alone, 1e-300)
        best = np.zeros(len(sizes))  # what an infinite kappa gives
        for kappa in SMOOTHING:
            told = np.log((lift + kappa) / (np.maximum(rows - 1, 0) + kappa)[owner])
            sums = np.add.reduceat((joint * told).sum(axis=0), starts)
            best = np.maximum(best, sums / total)
        found[column, column + 1 :] = best
    return found + found.T


def corrected(layout: Layout, counts: NDArray[np.floating]) -> NDArray[np.float64]:
    """Mutual information of every two columns with Miller's correction, (cols, cols), nats.

    Where few rows meet in a category it is still too much, and `foretold` too little.

    Args:
        layout: the columns.
        counts: from `pair_counts`; of weighted rows half a row makes a category count.

    Cost:
        O(flat²) time, O(flat · the most categories of a column) memory.

    """
    starts = np.array([s.start for s in layout.slices])
    pairs = np.empty((2, layout.n_cols, layout.n_cols))  # n log n, and categories that met
    rows = np.empty((2, layout.total, layout.n_cols))  # margins per pair: a gap drops rows
    for column, here in enumerate(layout.slices):
        joint = counts[here].astype(np.float64)  # (n_cats, flat)
        met = joint >= 0.5
        rows[0, here] = np.add.reduceat(joint, starts, axis=1)
        rows[1, here] = np.logical_or.reduceat(met, starts, axis=1)
        both = np.stack([_times_log(joint).sum(axis=0), met.sum(axis=0)])
        pairs[:, column] = np.add.reduceat(both, starts, axis=1)
    total = np.maximum(np.add.reduceat(rows[0], starts), 1.0)
    alone, used = (np.add.reduceat(r, starts) for r in (_times_log(rows[0]), rows[1]))
    plain = pairs[0] - alone - alone.T + _times_log(total)
    found = (plain - (pairs[1] - used - used.T + 1) / 2) / total
    np.fill_diagonal(found, 0.0)
    return np.maximum(found, 0.0)


def _times_log(counts: NDArray[np.float64]) -> NDArray[np.float64]:
    """N log n, 0 at 0."""
    return counts * np.log(np.maximum(counts, 1e-300))


def determined(layout: Layout, counts: NDArray[np.floating]) -> dict[int, int]:
    """Find columns that another column settles, as a zone settles its borough.

    Column b is settled by a when the commonest value of b for each value of a is the
    right one in all but `EXCEPTIONS` of the rows in which both are seen, and b alone is not
    so easily guessed there. Gaps of a may hang on b: where a is seen beside one of b's values
    less than `LEAST_MET` as often as beside any, it does not settle b, whatever it says of the
    others. A column that settles others is never settled itself.

    Args:
        layout: the columns.
        counts: from `pair_counts`.

    Returns:
        Settled column → the column that settles it, the one with the fewest categories.

    Cost:
        O(flat²) time.
    """
    starts = np.array([s.start for s in layout.slices])
    n_all = np.diag(counts)  # rows of each category
    n_seen = np.add.reduceat(n_all, starts)  # and of each column
    right = np.empty((layout.n_cols, layout.n_cols))
    total, used, guessed = (np.empty_like(right) for _ in range(3))
    passed_over = np.empty(right.shape, bool)
    for column, here in enumerate(layout.slices):
        best = np.maximum.reduceat(counts[here], starts, axis=1)  # (n_cats, cols)
        right[column] = best.sum(axis=0)
        met = counts[here].sum(axis=0)  # of each category where this column is seen, too
        total[column] = np.add.reduceat(met, starts)
        used[column] = (best > 0).sum(axis=0)
        guessed[column] = np.maximum.reduceat(met, starts)
        due = n_all * np.repeat(total[column] / np.maximum(n_seen, 1), layout.n_cats)
        rare = (met < LEAST_MET * due) & (n_all >= ROWS_PER_CATEGORY)
        passed_over[column] = np.logical_or.reduceat(rare, starts)
    enough = np.maximum(total, 1.0)
    settles = (right / enough >= 1 - EXCEPTIONS) & (total >= ROWS_PER_CATEGORY * used)
    settles &= (guessed / enough <= 1 - LEAST_DOUBT) & ~passed_over
    np.fill_diagonal(settles, False)
    hosts: dict[int, int] = {}
    for column in np.argsort(layout.n_cats, kind="stable").tolist():
        able = [a for a in np.flatnonzero(settles[:, column]).tolist() if a not in hosts]
        if able and column not in hosts.values():
            hosts[column] = min(able, key=lambda a: layout.n_cats[a])
    return hosts


def spanning_tree(
    weights: NDArray[np.float64], root: int | None = None
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Find the maximum spanning tree.

    Args:
        weights: (cols, cols), symmetric.
        root: the column to begin at; None begins at the one with most weight.

    Returns:
        The columns in an order in which parents come first, and the parent of each
        column (-1 for the root).

    Cost:
        O(cols²).

    """
    n = len(weights)
    parent = np.full(n, -1)
    if root is None:
        root = int(weights.sum(axis=1).argmax())
    order = [root]
    used = np.zeros(n, bool)
    used[root] = True
    best, via = weights[root].copy(), np.full(n, root)
    for _ in range(n - 1):
        column = int(np.where(used, -np.inf, best).argmax())
        parent[column] = via[column]
        used[column] = True
        order.append(column)
        better = (weights[column] > best) & ~used
        best[better] = weights[column][better]
        via[better] = column
    return np.array(order), parent


def strayed(
    layout: Layout, counts: NDArray[np.floating], noise: float, rng: np.random.Generator
) -> NDArray[np.float64]:
    """Weigh pairs of columns so that the best tree is another good one, (cols, cols), nats.

    What a column foretells of another lies between `foretold` and `corrected`; a share of
    the difference is drawn for the whole tree, then each pair is `perturbed`.

    Args:
        layout: the columns.
        counts: from `pair_counts`.
        noise: as in `perturbed`.
        rng: of both.

    """
    told = foretold(layout, counts)
    doubt = np.maximum(corrected(layout, counts) - told, 0)
    return perturbed(told + rng.uniform(0, MOST_DOUBT) * doubt, noise, rng)


def perturbed(
    weights: NDArray[np.float64], noise: float, rng: np.random.Generator
) -> NDArray[np.float64]:
    """Add noise to symmetric weights, so that the best tree of them is another good one.

    The noise is a share of the weight, and at most `MOST_STRAY` nats: a tree that strays
    gives up little however strong the columns hang together, and where all weights are
    small their order still counts. (Shares alone cost .4 to .9 nats on a table of
    diamonds, whose sizes and weights tell nearly all of each other.)

    Args:
        weights: (cols, cols) nats, at least 0.
        noise: standard deviation, as a share of the weight.
        rng: of the noise.

    """
    spread = np.minimum(noise * weights, MOST_STRAY)
    upper = np.triu(weights + spread * rng.normal(size=weights.shape), 1)
    return upper + upper.T
