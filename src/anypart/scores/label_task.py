"""A table as a task: rows without one column, and that column as labels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from anypart.base.errors import QuestionError, suggest
from anypart.base.seeds import generator
from anypart.data.codec import Codec
from anypart.data.infer import infer_schema
from anypart.data.schema import Schema
from anypart.models.contract import Layout
from anypart.optim.probe import Labels, Reals
from anypart.scores.rows import ScoredRows, some_rows

MOST_ROWS = 20_000  # of the table
MOST_TEST = 5_000
MOST_CLASSES = 100


@dataclass(frozen=True)
class Posed:
    """A table cut into what is learned from and what is asked.

    Args:
        layout: the columns without the target.
        train, test: rows of those columns.
        labels, truth: (rows,) codes of the target in each.
        classes: its categories.

    """

    layout: Layout
    train: ScoredRows
    test: ScoredRows
    labels: Labels
    truth: Labels
    classes: tuple[str, ...]

    @property
    def n_classes(self) -> int:
        """Count the categories of the target."""
        return len(self.classes)


@dataclass(frozen=True)
class _Coding:
    schema: Schema
    codec: Codec


def pose(table: Any, target: str, seed: int) -> Posed:
    """Take a table's rows and cut them in two; rows without a label are left out.

    Raises:
        QuestionError: the target is not there, or not of categories.

    """
    coding = _coding(table, target, seed)
    rows = some_rows(coding, table.batches(), MOST_ROWS, seed)
    names = [c.name for c in coding.schema.modelled]
    at, n_cats = names.index(target), coding.codec.n_cats
    others = [i for i in range(len(names)) if i != at]
    labelled = np.flatnonzero(rows.seen[:, at])
    order = labelled[generator(seed, "self-supervision", "test").permutation(len(labelled))]
    n_test = min(len(order) // 4, MOST_TEST)
    parts = [np.sort(order[n_test:]), np.sort(order[:n_test])]
    train, test = (
        ScoredRows(rows.codes[ix][:, others], rows.seen[ix][:, others], rows.reals[ix][:, others])
        for ix in parts
    )
    labels, truth = (rows.codes[ix, at].astype(np.int64) for ix in parts)
    layout = Layout(tuple(n_cats[i] for i in others))
    classes = tuple(str(v) for v in coding.codec.labels(at))
    return Posed(layout, train, test, labels, truth, classes)


def _coding(table: Any, target: str, seed: int) -> _Coding:
    schema = infer_schema(table, {}, seed)
    names = [c.name for c in schema.modelled]
    if target not in names:
        raise QuestionError(
            f"{table.name} has no modelled column {target!r} ({len(names)} are)."
            f"{suggest(target, names)}"
        )
    codec = Codec(schema)
    at = names.index(target)
    n = codec.n_cats[at]
    if schema.modelled[at].kind.numeric or not 1 < n <= MOST_CLASSES:
        raise QuestionError(
            f"{target!r} is {schema.modelled[at].kind.value} with {n} values; labels are "
            f"categories, from 2 to {MOST_CLASSES} of them. Name another column as the target."
        )
    if len(names) < 2:
        raise QuestionError(f"{table.name} has no other column than {target!r}.")
    return _Coding(schema, codec)


def raw_vectors(layout: Layout, rows: ScoredRows, like: ScoredRows) -> Reals:
    """Numbers centred and scaled as in `like`, a place for each other category, (rows, dims).

    A cell without a value has 0 in its places.
    """
    parts: list[Reals] = []
    for col, n in enumerate(layout.n_cats):
        known = like.reals[:, col][~np.isnan(like.reals[:, col])]
        if len(known):
            scaled = (rows.reals[:, col] - known.mean()) / (known.std() or 1.0)
            parts.append(np.nan_to_num(scaled)[:, None])
        else:
            cells = np.where(rows.seen[:, col], rows.codes[:, col], 0)
            parts.append(np.eye(n)[cells] * rows.seen[:, [col]])
    return np.concatenate(parts, axis=1)


def chosen(posed: Posed, share: float, choice: int, seed: int) -> NDArray[np.intp]:
    """Choose the training rows that keep their label, the same for every way."""
    rng = generator(seed, "self-supervision", "labels", choice)
    n = max(round(share * len(posed.labels)), min(2 * posed.n_classes, len(posed.labels)))
    return np.sort(rng.permutation(len(posed.labels))[:n])
