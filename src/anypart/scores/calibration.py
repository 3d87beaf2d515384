"""Whether probabilities mean what they say: of categories, sets of them, intervals of numbers."""

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
LEVELS = (0.5, 0.8, 0.9, 0.95)  # of sets and of intervals
LEVEL = 0.9  # the one that is shown where there is room for one
SIMULATED = 200
Bools = NDArray[np.bool_]


@dataclass(frozen=True)
class Bin:
    """Cells whose most likely category is stated with nearly one probability.

    Args:
        stated: their mean stated probability.
        met: share of them whose most likely category was the true one.
        cells: how many.
        low, high: where `met` of a predictor that is right lies, 95 times of 100.

    """

    stated: float
    met: float
    cells: int
    low: float
    high: float


@dataclass(frozen=True)
class Reliability:
    """Stated and met probabilities of the most likely category.

    Args:
        cells: how many.
        bins: ten of equal mass, the lowest stated probabilities first.
        error: mean distance between stated and met over the bins, in [0, 1].
        perfect: the same of a simulated predictor that states these probabilities and is
            right: what chance alone leaves, on average.
        perfect_most: what 95 % of its simulations stay below.

    """

    cells: int
    bins: tuple[Bin, ...]
    error: float
    perfect: float
    perfect_most: float


@dataclass(frozen=True)
class Coverage:
    """How often the truth lies in the sets or intervals of one stated probability.

    Args:
        level: the stated probability.
        met: share of cells inside. What lies on the border (a value with a mass of its own,
            the last category of a set) counts with the share of it that belongs inside, so
            that `met` is `level` if the probabilities are right.
        error: standard error of the share, if it were `level`.

    """

    level: float
    met: float
    error: float


@dataclass(frozen=True)
class Calibration:
    """Agreement of stated and met probabilities on hidden cells.

    Args:
        reliability: of all categorical cells together; None without any.
        sets: coverage of the smallest sets of categories that hold a stated probability.
        intervals: coverage of central intervals of numbers, pooled over columns.
        categorical: column → its reliability.
        numeric: column → its coverage at 90 %.

    """

    reliability: Reliability | None
    sets: tuple[Coverage, ...]
    intervals: tuple[Coverage, ...]
    categorical: Mapping[str, Reliability]
    numeric: Mapping[str, Coverage]


def score_calibration(fitted: Judged, guesses: list[Guess], seed: int) -> Calibration:
    """Compare what conditionals state with what was hidden."""
    rng = generator(seed, "scores", "calibration")
    categorical: dict[str, Reliability] = {}
    numeric: dict[str, Coverage] = {}
    tops: list[tuple[Reals, Bools]] = []
    depths: list[Reals] = []
    centres: list[Reals] = []
    for one in guesses:
        column = fitted.schema.modelled[one.column_ix]
        u = rng.random(len(one.truth))
        if column.kind.numeric:
            points = column_points(fitted.codec, one.column_ix, one.probs.shape[1])
            centres.append(2 * np.abs(points.rank(one.probs, one.reals, u) - 0.5))
            numeric[column.name] = coverage(centres[-1], LEVEL)
        else:
            tops.append((one.probs.max(axis=1), one.probs.argmax(axis=1) == one.truth))
            depths.append(depth(one.probs, one.truth, u))
            categorical[column.name] = reliability(*tops[-1], seed)
    pooled = [np.concatenate(part) for part in zip(*tops, strict=True)]
    return Calibration(
        reliability=reliability(pooled[0], pooled[1].astype(bool), seed) if pooled else None,
        sets=_coverages(depths),
        intervals=_coverages(centres),
        categorical=categorical,
        numeric=numeric,
    )


def reliability(stated: Reals, met: Bools, seed: int) -> Reliability:
    """Measure top-label calibration, and how far chance alone brings a perfect predictor.

    Args:
        stated: (cells,) probability of the most likely category.
        met: (cells,) whether it was the true one.
        seed: of the simulations.

    Cost:
        200 simulations, O(cells) each.

    References:
        Guo et al., "On calibration of modern neural networks" (2017), equation 3; equal
        mass as in Nixon et al., "Measuring calibration in deep learning" (2019); the
        simulated predictor as in Bröcker & Smith, "Increasing the reliability of
        reliability diagrams" (2007).

    """
    rng = generator(seed, "scores", "reliability")
    order = np.argsort(stated, kind="stable")
    parts = [p for p in np.array_split(order, BINS) if len(p)]
    simulated = [_simulated(stated[p], rng) for p in parts]
    bins = tuple(
        Bin(float(stated[p].mean()), float(met[p].mean()), len(p), *_middle(x))
        for p, x in zip(parts, simulated, strict=True)
    )
    sizes = [b.cells for b in bins]
    off = np.abs(np.stack([x - b.stated for x, b in zip(simulated, bins, strict=True)]))
    perfect = np.average(off, axis=0, weights=sizes)
    return Reliability(
        cells=len(stated),
        bins=bins,
        error=float(np.average([abs(b.stated - b.met) for b in bins], weights=sizes)),
        perfect=float(perfect.mean()),
        perfect_most=float(np.quantile(perfect, 0.95)),
    )


def _simulated(stated: Reals, rng: np.random.Generator) -> Reals:
    """Share that a perfect predictor of these probabilities meets, (simulations,)."""
    return np.array([(rng.random(len(stated)) < stated).mean() for _ in range(SIMULATED)])


def _middle(x: Reals) -> tuple[float, float]:
    """Bounds of the middle 95 %."""
    return float(np.quantile(x, 0.025)), float(np.quantile(x, 0.975))


def depth(probs: Reals, truth: NDArray[np.integer], u: Reals) -> Reals:
    """Mass of the categories that are likelier than the true one, and a part `u` of its own.

    The smallest sets that hold a probability are those whose depth stays below it; if the
    probabilities are right, depths are uniform on [0, 1].

    Args:
        probs: (cells, cats).
        truth: (cells,) codes.
        u: (cells,) uniform on [0, 1].

    """
    own = np.take_along_axis(probs, truth[:, None].astype(np.intp), 1)
    # Of equally likely categories the earlier one counts as likelier, whatever the truth.
    before = np.arange(probs.shape[1]) < truth[:, None]
    likelier = (probs > own) | ((probs == own) & before)
    return (probs * likelier).sum(axis=1) + u * own[:, 0]


def coverage(depths: Reals, level: float) -> Coverage:
    """Count the cells whose depth is at most a level."""
    error = float(np.sqrt(level * (1 - level) / len(depths)))
    return Coverage(level, float((depths <= level).mean()), error)


def _coverages(depths: list[Reals]) -> tuple[Coverage, ...]:
    return tuple(coverage(np.concatenate(depths), level) for level in LEVELS if depths)
