"""The coding of cells that one-order models compute with: places, and their logits.

A column of two categories has one place, its code 1: one number in, one logit out, so that
a logistic regression has the parameters that the literature counts. A column of k > 2
categories has k places; a column of one category has none. A cell that is not seen enters
as the mean of its column's places, what is known of it when nothing is.
"""

from __future__ import annotations

from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from anypart.models.contract import Codes, Floats, Layout, Mask

Array = NDArray[np.float32]


class Places:
    """Where each column's places lie on an axis of all of them, in the layout's order.

    Args:
        layout: the columns.

    Example:
        >>> places = Places(Layout((2, 3, 1)))
        >>> places.total, places.slices
        (4, (slice(0, 1, None), slice(1, 4, None), slice(4, 4, None)))
        >>> codes, seen = np.array([[1, 2, 0]], np.int32), np.ones((1, 3), bool)
        >>> places.encode(codes, seen, np.zeros(4, np.float32))
        array([[1., 0., 0., 1.]], dtype=float32)

    """

    def __init__(self, layout: Layout) -> None:
        self.layout = layout
        self.sizes: tuple[int, ...] = tuple({1: 0, 2: 1}.get(n, n) for n in layout.n_cats)
        self.total = sum(self.sizes)
        ends = np.cumsum(self.sizes, dtype=np.int64).tolist()
        self.starts: tuple[int, ...] = tuple(e - n for e, n in zip(ends, self.sizes, strict=True))
        self.slices: tuple[slice, ...] = tuple(map(slice, self.starts, ends))

    @cached_property
    def column_of(self) -> NDArray[np.int64]:
        """The column of each place, (places,)."""
        return np.repeat(np.arange(self.layout.n_cols), self.sizes)

    @cached_property
    def binary(self) -> NDArray[np.int64]:
        """The columns with one place."""
        return np.flatnonzero(np.array(self.sizes) == 1)

    @cached_property
    def larger(self) -> tuple[int, ...]:
        """The columns with several places."""
        return tuple(c for c, n in enumerate(self.sizes) if n > 1)

    @cached_property
    def before(self) -> NDArray[np.bool_]:
        """True where the first place's column comes before the second's, (places, places)."""
        return self.column_of[:, None] < self.column_of[None, :]

    def margins(self, codes: Codes, seen: Mask) -> Array:
        """Mean of each place over the cells with a value, half a row a category added."""
        found = np.empty(self.total, np.float32)
        for col, (n_cats, place) in enumerate(zip(self.layout.n_cats, self.slices, strict=True)):
            counts = np.bincount(codes[seen[:, col], col], minlength=n_cats) + 0.5
            found[place] = (counts / counts.sum())[n_cats - self.sizes[col] :]
        return found

    def log_odds(self, margins: Array) -> Array:
        """Logits with which every column has its margins, (places,)."""
        found = np.log(margins)
        at = np.array(self.starts, np.int64)[self.binary]
        found[at] -= np.log1p(-margins[at])
        return found

    def encode(self, codes: Codes, seen: Mask, means: Array) -> Array:
        """Write cells as numbers, (rows, places); an unseen cell as its `means`."""
        if len(self.binary) == self.layout.n_cols:
            return _filled(codes, seen, means)
        found = np.empty((len(codes), self.total), np.float32)
        at = np.array(self.starts, np.int64)[self.binary]
        found[:, at] = _filled(codes[:, self.binary], seen[:, self.binary], means[at])
        for col in self.larger:
            found[:, self.slices[col]] = self.cell(col, codes[:, col], seen[:, col], means)
        return found

    def cell(self, col: int, codes: NDArray[np.int32], seen: Mask, means: Array) -> Array:
        """Write the cells of one column as numbers, (rows, places of the column)."""
        if self.sizes[col] <= 1:
            return _filled(codes, seen, means[self.slices[col]].sum())[:, None][
                :, : self.sizes[col]
            ]
        hot = np.eye(self.sizes[col], dtype=np.float32)[np.where(seen, codes, 0)]
        return np.where(seen[:, None], hot, means[self.slices[col]])

    def log_softmax(self, logits: Array) -> Array:
        """Log-probabilities of all categories, (rows, flat), from logits, (rows, places)."""
        found = np.zeros((len(logits), self.layout.total), np.float32)
        at = np.array(self.starts, np.int64)[self.binary]
        firsts = np.array([s.start for s in self.layout.slices], np.int64)[self.binary]
        one = logits[:, at]
        softplus = _softplus(one)
        found[:, firsts], found[:, firsts + 1] = -softplus, one - softplus
        for col in self.larger:
            found[:, self.layout.slices[col]] = log_softmax(logits[:, self.slices[col]])
        return found

    def cell_log_softmax(self, col: int, logits: Array) -> Array:
        """Log-probabilities of one column, (rows, cats), from its logits."""
        if self.sizes[col] == 0:
            return np.zeros((len(logits), 1), np.float32)
        if self.sizes[col] == 1:
            softplus = _softplus(logits)
            return np.concatenate([-softplus, logits - softplus], axis=1)
        return log_softmax(logits)

    def log_prob(self, logits: Array, codes: Codes, seen: Mask) -> NDArray[np.float64]:
        """Sum the log-probabilities of the seen cells, (rows,), from logits."""
        total = np.zeros(len(logits))
        if len(self.binary):
            whole = len(self.binary) == self.layout.n_cols
            col = slice(None) if whole else self.binary
            one = logits if whole else logits[:, np.array(self.starts, np.int64)[self.binary]]
            cells = codes[:, col].astype(np.float32)
            cells *= one
            cells -= _softplus(one)
            there = seen[:, col]
            if not there.all():
                cells *= there
            total += cells.sum(axis=1)
        for col in self.larger:
            logs = log_softmax(logits[:, self.slices[col]])
            chosen = np.where(seen[:, col], codes[:, col], 0)
            total += np.where(seen[:, col], logs[np.arange(len(logs)), chosen], 0.0)
        return total

    def log_weighted(
        self, logits: Array, col: int, codes: NDArray[np.int32], weights: Floats
    ) -> NDArray[np.float64]:
        """Log of what weights, nats, change in p(code) of a column, normalised, (rows,)."""
        logs = self.cell_log_softmax(col, logits[:, self.slices[col]])
        given = np.broadcast_to(weights, logs.shape)
        own = given[np.arange(len(logs)), codes]
        return np.asarray(own - np.logaddexp.reduce(logs + given, axis=1), np.float64)


def _filled(codes: Codes, seen: Mask, means: Array | np.float32) -> Array:
    """Write codes of binary columns as numbers, unseen ones as their means."""
    numbers = codes.astype(np.float32)
    return numbers if seen.all() else np.where(seen, numbers, means).astype(np.float32)


def _softplus(x: Array) -> Array:
    """Log(1 + eˣ) without overflow; by exp and log, which NumPy computes many at a time."""
    found = np.abs(x)
    np.negative(found, out=found)
    np.exp(found, out=found)
    found += 1
    np.log(found, out=found)
    found += np.maximum(x, 0)
    return found


def log_softmax(logits: Array) -> Array:
    """Normalise logits of each row: log-probabilities, nats."""
    centred = logits - logits.max(axis=1, keepdims=True)
    return centred - np.log(np.exp(centred).sum(axis=1, keepdims=True))


def draw_codes(logs: Array, rng: np.random.Generator) -> NDArray[np.int32]:
    """Draw a code for each row from log-probabilities, (rows, cats) → (rows,)."""
    if logs.shape[1] == 1:
        return np.zeros(len(logs), np.int32)
    u = rng.random(len(logs), np.float32)
    if logs.shape[1] == 2:
        return (u < np.exp(logs[:, 1])).astype(np.int32)
    levels = np.cumsum(np.exp(logs), axis=1)
    last = logs.shape[1] - 1  # u times the last level may round to it
    return np.minimum((u[:, None] * levels[:, -1:] >= levels).sum(axis=1), last).astype(np.int32)
