"""The rows a score is taken on: codes, and the numbers behind them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from anypart.base.errors import DataError
from anypart.base.seeds import generator
from anypart.data.schema import Schema
from anypart.data.values import placed
from anypart.models.contract import Codes, Evidence, Mask, Model
from anypart.queries import events

Reals = NDArray[np.float64]
BLOCK = 512  # rows of conditionals held at once: (512, flat) float32


class Coding(Protocol):
    """What it takes to code rows."""

    @property
    def schema(self) -> Schema:
        """The columns."""
        ...

    @property
    def codec(self) -> Any:
        """Values ↔ codes."""
        ...


class Judged(Coding, Protocol):
    """What a score needs of a fit; `Fitted` has it, and so has a test's stand-in."""

    @property
    def model(self) -> Model:
        """Codes → p(row)."""
        ...


@dataclass(frozen=True)
class ScoredRows:
    """Rows as codes, with the numbers that the codes of numeric columns stand for.

    Args:
        codes, seen: (rows, cols).
        reals: (rows, cols) values on the column's line; NaN if unseen or not numeric.

    """

    codes: Codes
    seen: Mask
    reals: Reals

    @property
    def n_rows(self) -> int:
        """Count the rows."""
        return len(self.codes)

    def take(self, row_ix: NDArray[np.integer[Any]]) -> ScoredRows:
        """Take some rows."""
        return ScoredRows(self.codes[row_ix], self.seen[row_ix], self.reals[row_ix])


def code_rows(fitted: Coding, batch: pa.RecordBatch | pa.Table) -> ScoredRows:
    """Code a batch and keep its numbers."""
    coded = fitted.codec.encode(batch)
    reals = np.full(coded.codes.shape, np.nan)
    for at, column in enumerate(fitted.schema.modelled):
        if column.kind.numeric and column.name in batch.schema.names:
            place = batch.schema.names.index(column.name)
            values, known = placed(batch.column(place), column)
            reals[:, at] = np.where(known & coded.seen[:, at], values, np.nan)
    return ScoredRows(coded.codes, coded.seen, reals)


def some_rows(fitted: Coding, batches: Iterator[pa.RecordBatch], n: int, seed: int) -> ScoredRows:
    """Take n rows at random, every row of the stream with the same chance.

    Raises:
        DataError: the stream has no rows.

    Cost:
        One pass, memory for n rows and a batch.

    """
    rng = generator(seed, "scores", "rows")
    kept: ScoredRows | None = None
    keys = np.zeros(0)
    for batch in batches:
        if not batch.num_rows:
            continue
        # The n smallest random keys are a uniform choice, whatever the length of the stream.
        new_keys = rng.random(batch.num_rows)
        join = code_rows(fitted, batch)
        keys = np.concatenate([keys, new_keys])
        kept = join if kept is None else _concat([kept, join])
        chosen = np.sort(np.argsort(keys, kind="stable")[:n])
        kept, keys = kept.take(chosen), keys[chosen]
    if kept is None:
        raise DataError("A table without rows was to be evaluated. Give one with rows.")
    return kept


def _concat(parts: Sequence[ScoredRows]) -> ScoredRows:
    fields = zip(*((p.codes, p.seen, p.reals) for p in parts), strict=True)
    codes, seen, reals = map(np.concatenate, fields)
    return ScoredRows(codes, seen, reals)


def hide(seen: Mask, share: float, seed: int) -> Mask:
    """Choose cells to hide: a seeded share of the seen ones, (rows, cols)."""
    draw = generator(seed, "scores", "hide").random(seen.shape)
    return seen & (draw < share)


def conditionals(model: Model, codes: Codes, seen: Mask) -> Iterator[tuple[slice, Reals]]:
    """Log-probabilities of every cell given the seen ones, as `ask` has them, by (rows, flat)."""
    for start in range(0, len(codes), BLOCK):
        block = slice(start, start + BLOCK)
        yield block, events.conditional(model, Evidence(codes[block], seen[block])).value
