r"""Rows as vectors: what a row says, and what the model expects of each cell without it.

.. math:: z = \big[\, o(x),\; \log p(x_c = k \mid x_{\ne c}),\;
    \tfrac1H \sum_h \log p(x_c = k \mid x_{S_h}) \,\big]

The first part is the row's own cells, a place for each category or the rank of a number. The
second is the model's opinion of every cell given all others, the third given random halves of
the columns that the cell is not in. Natural parameters of what a model predicts are what a
linear reader can use: what the cells have in common is in every one of them, and what a cell
alone says is left out but for the first part, which weighs as much as the two others together.

References:
    Jaakkola and Haussler 1998, Exploiting generative models in discriminative classifiers
    (vectors made of a model's own statistics). Besag 1975, Statistical analysis of
    non-lattice data (a distribution as its conditionals, each cell given all others).

"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from anypart.base.errors import QuestionError, suggest
from anypart.base.seeds import generator
from anypart.data.codec import Codec
from anypart.models.contract import Codes, Evidence, Mask, Model
from anypart.models.stack import Stack

Vectors = NDArray[np.float32]

DIVISIONS = 4  # of the columns into halves
LEAST = -8.0  # log-probability, nats; what is less likely is as good as excluded
DRAWN = 500  # rows that say where vectors lie
ROWS_TOGETHER = 2_048
KINDS = ("cells", "latent")


@dataclass(frozen=True)
class Cells:
    """Turns coded rows into vectors by what a model expects of their cells.

    Args:
        model: of the columns. Of a stack, the members that answer any part are asked if there
            are any: the others would have to draw what they are not told.
        ordered: which columns are numbers, whose rank stands for all their categories.

    """

    model: Model
    ordered: Sequence[bool]

    def __call__(self, codes: Codes, seen: Mask) -> Vectors:
        """Represent rows, (rows, dims); the mean of the model's own rows is 0.

        Raises:
            QuestionError: the model excludes what a row says.

        Cost:
            One `leave_one_out` and 2 · `DIVISIONS` `conditional`s.

        """
        centre, scale = self._measured
        blocks = [(b - centre) * scale for b in self._blocks(codes, seen)]
        return np.concatenate([np.empty((0, len(centre)), np.float32), *blocks])

    def _blocks(self, codes: Codes, seen: Mask) -> Iterator[Vectors]:
        for start in range(0, len(codes), ROWS_TOGETHER):
            block = slice(start, start + ROWS_TOGETHER)
            parts = self._parts(codes[block], seen[block])
            yield np.concatenate(parts, axis=1).astype(np.float32, copy=False)

    def _parts(self, codes: Codes, seen: Mask) -> tuple[Vectors, Vectors, Vectors]:
        others = np.maximum(self.asked.leave_one_out(codes, seen), LEAST)
        return self._own(codes, seen), others, self._by_halves(codes, seen)

    @cached_property
    def asked(self) -> Model:
        """What is asked: of a stack, the members that answer any part."""
        exact = self.model.proposal if isinstance(self.model, Stack) else None
        return exact or self.model

    @cached_property
    def _shares(self) -> NDArray[np.float64]:
        """Share of each category when nothing is known, (flat,)."""
        nothing = Evidence.nothing(1, self.model.layout.n_cols)
        return np.exp(self.asked.conditional(nothing)[0].astype(np.float64))

    def _own(self, codes: Codes, seen: Mask) -> Vectors:
        """What the cells say, less what is expected of unknown ones: 0 for an empty cell."""
        parts = [np.empty((len(codes), 0), np.float32)]
        for col, place in enumerate(self.model.layout.slices):
            share, here = self._shares[place], np.where(seen[:, col], codes[:, col], 0)
            if self.ordered[col]:
                values = (np.cumsum(share) - share / 2 - 0.5)[:, None] * 12**0.5
            else:
                values = np.eye(len(share)) - share
            parts.append((values[here] * seen[:, [col]]).astype(np.float32))
        return np.concatenate(parts, axis=1)

    def _by_halves(self, codes: Codes, seen: Mask) -> Vectors:
        """Mean over the divisions of the expectation of each cell given the other half."""
        layout, rng = self.model.layout, generator(0, "halves")
        n_cats, total = np.array(layout.n_cats), np.zeros((len(codes), layout.total), np.float32)
        for _ in range(DIVISIONS):
            first = rng.permutation(layout.n_cols) < layout.n_cols // 2
            for hidden in (first, ~first):
                logs = self.asked.conditional(Evidence(codes, seen & ~hidden))
                flat = np.repeat(hidden, n_cats)
                total[:, flat] += np.maximum(logs[:, flat], LEAST) / DIVISIONS
        return total

    @cached_property
    def _measured(self) -> tuple[Vectors, Vectors]:
        """Where the model's own rows lie, and what each place is multiplied by, (dims,)."""
        nothing = Evidence.nothing(DRAWN, self.model.layout.n_cols)
        codes = self.asked.sample(nothing, generator(0, "own rows"))
        parts = self._parts(codes, np.ones(codes.shape, np.bool_))
        centre = np.concatenate([p.mean(0) for p in parts])
        own, *expected = (float(p.var(0).sum()) for p in parts)
        scales = [own or 1.0, *[sum(expected) or 1.0] * 2]
        scale = [np.full(p.shape[1], s**-0.5) for p, s in zip(parts, scales, strict=True)]
        return centre, np.concatenate(scale).astype(np.float32)


def represent_rows(
    cells: Cells, codec: Codec, batches: Iterable[pa.RecordBatch], of: str
) -> Iterator[Vectors]:
    """Represent batches of rows one after another; a block of no rows first.

    Args:
        cells: what makes vectors of cells, with its model.
        codec: of the model's columns.
        batches: of rows.
        of: one of `KINDS`; `latent` is the model's own vector.

    Raises:
        QuestionError: there is no such vector, or the model excludes a row.

    """
    if of not in KINDS:
        raise QuestionError(
            f"There is no vector of {of!r}; there are {' and '.join(KINDS)}.{suggest(of, KINDS)}"
        )

    def turn(codes: Codes, seen: Mask) -> Vectors:
        if of == "cells":
            return cells(codes, seen)
        return cells.model.represent(Evidence(codes, seen)).astype(np.float32, copy=False)

    nothing = Evidence.nothing(1, cells.model.layout.n_cols)
    yield turn(nothing.codes, nothing.seen)[:0]
    for batch in batches:
        encoded = codec.encode(batch)
        yield turn(encoded.codes, encoded.seen)
