"""Whether probabilities mean what they say: of categories, and of intervals of numbers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from anypart.base.seeds import generator
from anypart.scores.imputation import Guess
from anypart.scores.predictive import Reals, column_points
from anypart.scores.rows import Judged

BINS = 10
INTERVAL = 0.9


@dataclass(frozen=True)
class Calibration:
    """Agreement of stated and met probabilities on hidden cells.

    Args:
        categorical_error: expected calibration error of the most likely category in ten
            bins of equal mass, in [0, 1]; None without categorical cells.
        bins: (stated, met, cells) of each bin.
        interval: the stated probability of the intervals.
        coverage: share of numeric cells inside their central interval, `interval` if
            right; values with a mass of their own count with the share of it inside.
        columns: name → its own error or coverage.

    """

    categorical_error: float | None
    bins: tuple[tuple[float, float, int], ...]
    interval: float
    coverage: float | None
    columns: Mapping[str, float]


def score_calibration(fitted: Judged, guesses: list[Guess], seed: int) -> Calibration:
    """Compare what conditionals state with what was hidden.

    References:
        Guo et al., "On calibration of modern neural networks" (2017), equation 3; equal
        mass as in Nixon et al., "Measuring calibration in deep learning" (2019).

    """
    rng = generator(seed, "scores", "calibration")
    columns: dict[str, float] = {}
    stated: list[Reals] = [np.zeros(0)]
    met: list[NDArray[np.bool_]] = [np.zeros(0, np.bool_)]
    inside: list[NDArray[np.bool_]] = []
    for one in guesses:
        column = fitted.schema.modelled[one.column_ix]
        if column.kind.numeric:
            points = column_points(fitted.codec, one.column_ix, one.probs.shape[1])
            rank = points.rank(one.probs, one.reals, rng.random(len(one.reals)))
            inside.append(np.abs(rank - 0.5) <= INTERVAL / 2)
            columns[column.name] = float(inside[-1].mean())
        else:
            stated.append(one.probs.max(axis=1))
            met.append(one.probs.argmax(axis=1) == one.truth)
            columns[column.name] = calibration_error(bin_up(stated[-1], met[-1]))
    bins = bin_up(np.concatenate(stated), np.concatenate(met))
    return Calibration(
        categorical_error=calibration_error(bins) if bins else None,
        bins=bins,
        interval=INTERVAL,
        coverage=float(np.concatenate(inside).mean()) if inside else None,
        columns=columns,
    )


def bin_up(stated: Reals, met: NDArray[np.bool_]) -> tuple[tuple[float, float, int], ...]:
    """Cut cells, sorted by what is stated, into bins of equal mass: (stated, met, cells)."""
    order = np.argsort(stated, kind="stable")
    parts = [p for p in np.array_split(order, BINS) if len(p)]
    return tuple((float(stated[p].mean()), float(met[p].mean()), len(p)) for p in parts)


def calibration_error(bins: tuple[tuple[float, float, int], ...]) -> float:
    """Mean distance between stated and met, weighted by the cells of each bin."""
    return float(np.average([abs(s - m) for s, m, _ in bins], weights=[n for *_, n in bins]))
