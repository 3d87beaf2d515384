"""The rows of a table as training sees them: a seeded split, of which streams are made."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from anypart.base.errors import FitError
from anypart.base.seeds import generator
from anypart.data.streams import Source
from anypart.models.contract import Codes, Mask

MOST_VALID = 20_000  # validation rows; more would cost time and decide nothing


@dataclass(frozen=True)
class Rows:
    """The rows of a source except a few.

    Args:
        source: where they are.
        without: the rows that do not belong, ascending.

    """

    source: Source
    without: NDArray[np.int64]

    @property
    def n_rows(self) -> int:
        """Count the rows that belong."""
        return self.source.n_rows - len(self.without)

    @property
    def n_cats(self) -> tuple[int, ...]:
        """Count the categories of each column."""
        return self.source.n_cats

    def rows(self, index: Any) -> tuple[Codes, Mask]:
        """Read rows by their position among those that belong."""
        # Before the j-th row that does not belong lie without[j] - j rows that do.
        gaps = self.without - np.arange(len(self.without))
        return self.source.rows(index + np.searchsorted(gaps, index, side="right"))


@dataclass(frozen=True)
class Split:
    """What is trained on, and what decides when to stop.

    Args:
        train: the rows to learn from.
        codes, seen: the validation rows, (rows, cols).

    """

    train: Rows
    codes: Codes
    seen: Mask


def split(train: Source, valid: Source | None, seed: int) -> Split:
    """Take the validation table, or a seeded tenth of the training rows.

    At most `MOST_VALID` rows are kept for validation, a seeded choice of them.

    Raises:
        FitError: fewer than two rows, or tables with different columns.

    """
    if valid is None:
        if train.n_rows < 2:
            raise FitError(
                f"A fit needs at least 2 rows with a value; the table has {train.n_rows}."
            )
        n_valid = min(max(train.n_rows // 10, 1), MOST_VALID)
        held = _choose(train.n_rows, n_valid, seed)
        return Split(Rows(train, held), *train.rows(held))
    if tuple(valid.n_cats) != tuple(train.n_cats):
        raise FitError(
            "The validation table has other columns or categories than the training table; "
            "encode both with one schema."
        )
    if not (train.n_rows and valid.n_rows):
        raise FitError(
            f"A fit needs rows; there are {train.n_rows} to train on and {valid.n_rows} to "
            "validate on."
        )
    held = _choose(valid.n_rows, min(valid.n_rows, MOST_VALID), seed)
    return Split(Rows(train, np.empty(0, np.int64)), *valid.rows(held))


def _choose(n_rows: int, n_chosen: int, seed: int) -> NDArray[np.int64]:
    rng = generator(seed, "validation")
    return np.sort(rng.choice(n_rows, n_chosen, replace=False)).astype(np.int64)


def some_rows(rows: Rows, most: int, seed: int) -> tuple[Codes, Mask]:
    """Read a seeded choice of at most `most` rows, for what needs all rows at once."""
    n = rows.n_rows
    if n <= most:
        return rows.rows(np.arange(n))
    return rows.rows(np.sort(generator(seed, "some rows").choice(n, most, replace=False)))


def fingerprint(source: Source) -> str:
    """Return a short mark of a table, to notice that a fit is resumed on another one."""
    n = source.n_rows
    mark = zlib.crc32(repr((n, tuple(source.n_cats))).encode())
    if n:
        codes, seen = source.rows(np.unique(np.linspace(0, n - 1, 2_000).astype(np.int64)))
        mark = zlib.crc32(np.where(seen, codes, -1).astype("<i4").tobytes(), mark)
    return f"{mark:08x}"
