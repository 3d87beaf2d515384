"""What seen cells say to every point of a mixture, looked up: one column, or some together.

A look-up reads a row of the table, one number a point. Columns of few categories share a
table that has a row for all of their codes at once, so that many rows need fewer look-ups:
on adult seven instead of fourteen, and scores take two thirds of the time.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from anypart.models.contract import Codes, Layout, Mask
from anypart.models.layers import Array

MOST_TOGETHER = 4096  # places of a table that several columns share
FEWEST_ROWS = 4_000  # below, such tables take longer to make than they save


@dataclass(frozen=True)
class Group:
    """Columns that are looked up together.

    Args:
        cols: the columns.
        steps: (cols,) places between two codes of each; where there are several columns,
            place 0 of each is for an unseen cell.
        table: (places, mixes) the sum of their log-probabilities, nats.

    """

    cols: list[int]
    steps: NDArray[np.intp]
    table: Array

    def places(self, codes: Codes, seen: Mask) -> NDArray[np.intp]:
        """Find the places of rows, at least one cell of which is seen, (rows,)."""
        if len(self.cols) == 1:
            return codes[:, self.cols[0]].astype(np.intp)
        return np.where(seen[:, self.cols], codes[:, self.cols] + 1, 0) @ self.steps


def alone(layout: Layout, by_cat: Array) -> list[Group]:
    """Give every column a table of its own.

    Args:
        layout: the columns.
        by_cat: (flat, mixes) log-probability of every category at every point, nats.

    """
    step = np.ones(1, np.intp)
    return [Group([col], step, by_cat[place]) for col, place in enumerate(layout.slices)]


def together(layout: Layout, by_cat: Array) -> list[Group]:
    """Give columns of few categories one table for several; arguments as of `alone`.

    Cost:
        `MOST_TOGETHER` · mixes additions, and as much memory, a group at most.

    """
    own, n_cats, groups = alone(layout, by_cat), np.array(layout.n_cats), list[list[int]]()
    for col in np.argsort(n_cats, kind="stable").tolist():
        if groups and np.prod(n_cats[[*groups[-1], col]] + 1) <= MOST_TOGETHER:
            groups[-1].append(col)
        else:
            groups.append([col])
    return [own[g[0]] if len(g) == 1 else _sum([own[col] for col in g]) for g in groups]


def _sum(some: list[Group]) -> Group:
    """Add the tables of columns, every code of one to every code of the others."""
    n_mixes = some[0].table.shape[1]
    table, steps = np.zeros((1, n_mixes), np.float32), list[int]()
    for one in some:
        own = np.concatenate([np.zeros((1, n_mixes), np.float32), one.table])  # unseen first
        steps.append(len(table))
        table = (own[:, None] + table).reshape(-1, n_mixes)
    return Group([one.cols[0] for one in some], np.array(steps), table)


def add_looked_up(total: Array, groups: Iterable[Group], codes: Codes, seen: Mask) -> None:
    """Add what seen cells say to every point, in place.

    Args:
        total: (rows, mixes) nats.
        groups: all columns, each in one group.
        codes: (rows, cols), read only where `seen`.
        seen: (rows, cols).

    """
    found = np.empty_like(total)
    for group in groups:
        rows = np.flatnonzero(seen[:, group.cols].any(1))
        if len(rows) == 0:
            continue
        places = group.places(codes[rows], seen[rows])
        # The places are in range; to say so lets `take` write where it is told to.
        here = np.take(group.table, places, 0, out=found[: len(rows)], mode="clip")
        if len(rows) == len(codes):
            total += here
        else:
            total[rows] += here
