"""The rows of a table as training sees them: a seeded split and seeded mini-batches."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from anypart.base.errors import FitError
from anypart.base.seeds import generator
from anypart.models.contract import Codes, Mask

WINDOW_CELLS = 4_194_304  # cells shuffled together; what a pass holds in memory
BLOCK = 4_096  # neighbouring rows that are read together
MOST_VALID = 20_000  # validation rows; more would cost time and decide nothing


class Source(Protocol):
    """Packed codes, as far as training reads them."""

    @property
    def n_rows(self) -> int:
        """Count the rows."""
        ...

    @property
    def n_cats(self) -> tuple[int, ...]:
        """Count the categories of each column."""
        ...

    def rows(self, index: Any) -> tuple[Codes, Mask]:
        """Read some rows: codes and which of them are seen, (rows, cols)."""
        ...


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

    def take(self, row_ix: NDArray[np.int64]) -> tuple[Codes, Mask]:
        """Read rows by their position among those that belong."""
        # Before the j-th row that does not belong lie without[j] - j rows that do.
        gaps = self.without - np.arange(len(self.without))
        return self.source.rows(row_ix + np.searchsorted(gaps, row_ix, side="right"))


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
        return rows.take(np.arange(n))
    return rows.take(np.sort(generator(seed, "some rows").choice(n, most, replace=False)))


class Batches:
    """Mini-batches by step number: step k has the same rows whatever came before it.

    A pass reads blocks of neighbouring rows in a seeded order, a window of up to
    `WINDOW_CELLS` cells at a time, and shuffles each window, so a table larger than
    memory is read in long runs. Each pass starts at another row, so the rows left over
    at its end are others each time.

    Args:
        rows: where they come from.
        size: rows in a batch; smaller only if there are fewer rows.
        seed: of the order.

    """

    def __init__(self, rows: Rows, size: int, seed: int) -> None:
        self._rows, self._seed = rows, seed
        n = rows.n_rows
        blocks = min(max(WINDOW_CELLS // (BLOCK * len(rows.source.n_cats)), 1), 16)
        self._window = min(n, blocks * BLOCK)
        self._size = min(size, n)
        self._per_window = self._window // self._size
        self._n_windows = n // self._window
        self._held: tuple[int, Codes, Mask] | None = None

    @property
    def per_pass(self) -> int:
        """Count the batches of one pass over the rows."""
        return self._per_window * self._n_windows

    def at(self, step: int) -> tuple[Codes, Mask]:
        """Read the batch of one step, (rows, cols) each."""
        window_ix, place = divmod(step, self._per_window)
        if self._held is None or self._held[0] != window_ix:
            self._held = (window_ix, *self._rows.take(self._shuffled(window_ix)))
        _, codes, seen = self._held
        rows = slice(place * self._size, (place + 1) * self._size)
        return codes[rows], seen[rows]

    def _shuffled(self, window_ix: int) -> NDArray[np.int64]:
        pass_ix, place = divmod(window_ix, self._n_windows)
        n = self._rows.n_rows
        order = generator(self._seed, "window", window_ix)
        if self._window == n:
            return order.permutation(n)
        blocks = generator(self._seed, "pass", pass_ix)
        first = int(blocks.integers(n))
        per_window = self._window // BLOCK
        chosen = blocks.permutation(n // BLOCK)[place * per_window : (place + 1) * per_window]
        rows = chosen[:, None] * BLOCK + np.arange(BLOCK)  # (blocks, BLOCK)
        return order.permutation((rows.ravel() + first) % n)


def fingerprint(source: Source) -> str:
    """Return a short mark of a table, to notice that a fit is resumed on another one."""
    n = source.n_rows
    mark = zlib.crc32(repr((n, tuple(source.n_cats))).encode())
    if n:
        codes, seen = source.rows(np.unique(np.linspace(0, n - 1, 2_000).astype(np.int64)))
        mark = zlib.crc32(np.where(seen, codes, -1).astype("<i4").tobytes(), mark)
    return f"{mark:08x}"
