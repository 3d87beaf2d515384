"""What drawn rows teach: trained on them, tested on real rows, beside training on real ones."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from anypart.base.seeds import generator
from anypart.data.schema import Column
from anypart.optim.classifier import Rows, area_under_curve, learn_classifier
from anypart.scores.detection import LEAST_ROWS, features
from anypart.scores.rows import ScoredRows

MOST_TARGETS = 10
LEAST_CLASS = 0.02  # share of the rarer answer, so that there is something to learn


@dataclass(frozen=True)
class Learned:
    """One column predicted from the others: its most common category, or above its median.

    Args:
        drawn: area under the curve on real rows, learned from drawn ones.
        real: the same, learned from as many other real rows.

    """

    drawn: float
    real: float


@dataclass(frozen=True)
class Utility:
    """What drawn rows teach about each column.

    Args:
        drawn: mean over columns, learned from drawn rows.
        real: mean over columns, learned from real rows.
        columns: name → its own; at most ten, chosen by the seed.

    """

    drawn: float
    real: float
    columns: Mapping[str, Learned]


def score_utility(
    columns: tuple[Column, ...], real: ScoredRows, drawn: ScoredRows, seed: int
) -> Utility | None:
    """Train on drawn rows, test on real ones; None if no column can be learned.

    Half of the real rows are tested on, the other half is what drawn rows, as many, are
    compared with as teachers.

    References:
        Esteban, Hyland & Rätsch, "Real-valued medical time series generation" (2017):
        train on synthetic, test on real.

    """
    half = min(real.n_rows // 2, drawn.n_rows)
    if half < LEAST_ROWS or len(columns) < 2:
        return None
    rng = generator(seed, "scores", "utility")
    mixed = rng.permutation(real.n_rows)
    tested, taught = real.take(mixed[half : 2 * half]), real.take(mixed[:half])
    other = drawn.take(rng.permutation(drawn.n_rows)[:half])
    sides = [features(columns, rows) for rows in (other, taught, tested)]
    found: dict[str, Learned] = {}
    for at in rng.permutation(len(columns)).tolist():
        if len(found) < MOST_TARGETS and (one := _learned(columns[at], at, taught, sides)):
            found[columns[at].name] = one
    if not found:
        return None
    means = (float(np.mean([getattr(f, k) for f in found.values()])) for k in ("drawn", "real"))
    return Utility(*means, columns={c.name: found[c.name] for c in columns if c.name in found})


def _learned(column: Column, at: int, taught: ScoredRows, sides: list[Rows]) -> Learned | None:
    """Predict one column from the others, learned from the first two sides, on the last."""
    seen = taught.seen[:, at]
    if not seen.any():
        return None
    if column.kind.numeric:
        middle = float(np.median(taught.reals[seen, at]))
        labels = [side.numbers[:, at] > middle for side in sides]
    else:
        common = np.bincount(taught.codes[seen, at]).argmax()
        labels = [side.numbers[:, at] == common for side in sides]
    known = [np.flatnonzero(~np.isnan(side.numbers[:, at])) for side in sides]
    if any(_too_plain(label[k]) for label, k in zip(labels[1:], known[1:], strict=True)):
        return None
    asked, truth = sides[2].without(at).take(known[2]), labels[2][known[2]]
    taught_by = (
        learn_classifier(s.without(at).take(k), y[k])
        for s, y, k in zip(sides, labels, known, strict=True)
    )
    return Learned(*(area_under_curve(next(taught_by).log_odds(asked), truth) for _ in range(2)))


def _too_plain(label: NDArray[np.bool_]) -> bool:
    return not len(label) or bool(min(label.mean(), 1 - label.mean()) < LEAST_CLASS)
