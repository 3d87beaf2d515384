"""How much drawn rows are like real ones: shapes, trends, rules, distance, what they teach."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations, permutations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from anypart.base.seeds import generator
from anypart.data.schema import Column, Schema
from anypart.optim.distances import total_variation
from anypart.optim.distances.measured import Measured, refused
from anypart.optim.distances.rows import measure_rows
from anypart.scores.detection import Detection, detect
from anypart.scores.rows import Reals, ScoredRows
from anypart.scores.utility import Utility, score_utility
from anypart.scores.vectors import vectors

TREND_BINS = 10  # of a numeric column beside a categorical one
RULE_ROWS = 5  # rows a value needs, on average, before a rule about it is believed
MOST_PAIRS = 400
DISTANCE_ROWS = 1_000  # of a side, for MMD


@dataclass(frozen=True)
class Fidelity:
    """Likeness of drawn and real rows; of shapes, trends and rules 1 is best.

    Args:
        rows: drawn rows, and as many real ones at most.
        shapes: mean over columns of 1 − Kolmogorov-Smirnov distance (numbers) or 1 − total
            variation (categories).
        trends: mean over pairs of columns of 1 − |difference of correlations| / 2
            (numbers) or 1 − total variation of the two-way table.
        columns: name → its shape.
        rules: "a → b" for columns where a always decides b in the real rows → the share of
            drawn rows that keep it.
        mmd: squared maximum mean discrepancy of whole rows, with what one source shows.
        detection: a classifier that tells drawn from real rows; None of too few rows.
        utility: what drawn rows teach about real ones; None of too few rows.

    """

    rows: int
    shapes: float
    trends: float | None
    columns: Mapping[str, float]
    rules: Mapping[str, float]
    mmd: Measured
    detection: Detection | None
    utility: Utility | None


def score_fidelity(schema: Schema, real: ScoredRows, drawn: ScoredRows, seed: int) -> Fidelity:
    """Compare drawn with real rows.

    Args:
        schema: of both.
        real: rows the fit has not seen.
        drawn: rows it drew, with gaps where the table has them.
        seed: of the classifiers and of the choice of pairs.

    References:
        Shapes and trends as in SDMetrics' QualityReport.

    """
    columns = schema.modelled
    shapes = {c.name: shape(c, real, drawn, at) for at, c in enumerate(columns)}
    pairs = list(combinations(range(len(columns)), 2))
    if len(pairs) > MOST_PAIRS:
        chosen = generator(seed, "scores", "pairs").permutation(len(pairs))[:MOST_PAIRS]
        pairs = [pairs[i] for i in sorted(chosen.tolist())]
    trends = [t for t in (trend(columns, real, drawn, p) for p in pairs) if not np.isnan(t)]
    return Fidelity(
        rows=drawn.n_rows,
        shapes=float(np.nanmean(list(shapes.values()))) if shapes else float("nan"),
        trends=float(np.mean(trends)) if trends else None,
        columns=shapes,
        rules=rules(columns, real, drawn),
        mmd=_distance(columns, real, drawn, seed),
        detection=detect(columns, real, drawn, seed),
        utility=score_utility(columns, real, drawn, seed),
    )


def _distance(
    columns: tuple[Column, ...], real: ScoredRows, drawn: ScoredRows, seed: int
) -> Measured:
    if min(real.n_rows, drawn.n_rows) < 2 or not columns:
        return refused("a side has one row only")
    rng = generator(seed, "scores", "distance")
    few = [s.take(rng.permutation(s.n_rows)[:DISTANCE_ROWS]) for s in (real, drawn)]
    x, y = vectors(columns, few)
    return measure_rows(x, y, rng)


def shape(column: Column, real: ScoredRows, drawn: ScoredRows, at: int) -> float:
    """1 − distance between one column's real and drawn values; NaN if one side is empty."""
    left, right = (rows.seen[:, at] for rows in (real, drawn))
    if not (left.any() and right.any()):
        return float("nan")
    if column.kind.numeric:
        return 1 - ks_distance(real.reals[left, at], drawn.reals[right, at])
    return 1 - _variation(real.codes[left, at], drawn.codes[right, at])


def ks_distance(x: Reals, y: Reals) -> float:
    """Largest difference between two empirical distribution functions, in [0, 1]."""
    x, y = np.sort(x), np.sort(y)
    at = np.concatenate([x, y])
    below = (np.searchsorted(v, at, side="right") / len(v) for v in (x, y))
    return float(np.abs(np.subtract(*below)).max())


def _variation(x: NDArray[np.integer[Any]], y: NDArray[np.integer[Any]]) -> float:
    """Total variation between the frequencies of codes, in [0, 1]."""
    size = int(max(x.max(), y.max())) + 1
    left, right = (np.bincount(v, minlength=size) / len(v) for v in (x, y))
    return float(total_variation(left, right))


def trend(
    columns: tuple[Column, ...], real: ScoredRows, drawn: ScoredRows, pair: tuple[int, int]
) -> float:
    """Likeness of what two columns have to do with each other; NaN if it cannot be told."""
    a, b = pair
    left, right = (rows.seen[:, a] & rows.seen[:, b] for rows in (real, drawn))
    if left.sum() < 2 or right.sum() < 2:
        return float("nan")
    if columns[a].kind.numeric and columns[b].kind.numeric:
        found = [
            _correlation(rows.reals[mask, a], rows.reals[mask, b])
            for rows, mask in ((real, left), (drawn, right))
        ]
        return float(1 - abs(found[0] - found[1]) / 2)
    cut = [_discrete(columns[at], real, drawn, at) for at in pair]
    size = int(cut[1].real.max(initial=0)) + int(cut[1].drawn.max(initial=0)) + 1
    x = cut[0].real[left] * size + cut[1].real[left]
    y = cut[0].drawn[right] * size + cut[1].drawn[right]
    return 1 - _variation(x, y)


@dataclass(frozen=True)
class _Cut:
    real: NDArray[np.int64]
    drawn: NDArray[np.int64]


def _discrete(column: Column, real: ScoredRows, drawn: ScoredRows, at: int) -> _Cut:
    """Codes of a categorical column, tenths of the real range of a numeric one."""
    if not column.kind.numeric:
        return _Cut(real.codes[:, at].astype(np.int64), drawn.codes[:, at].astype(np.int64))
    known = real.reals[real.seen[:, at], at]
    edges = np.linspace(known.min(), known.max(), TREND_BINS + 1)[1:-1]
    return _Cut(*(np.searchsorted(edges, np.nan_to_num(r.reals[:, at])) for r in (real, drawn)))


def _correlation(x: Reals, y: Reals) -> float:
    """Pearson's correlation, 0 where one side does not vary."""
    if not (x.std() and y.std()):
        return 0.0
    return float(np.corrcoef(x, y)[0, 1])


def rules(columns: tuple[Column, ...], real: ScoredRows, drawn: ScoredRows) -> Mapping[str, float]:
    """Find columns that decide others in the real rows, and how often drawn rows obey.

    A rule a → b is believed if every value of a (five rows on average, at least two
    values, and b not constant) meets one value of b only.

    Cost:
        O(cols² · rows).
    """
    discrete = [
        at
        for at, c in enumerate(columns)
        if not c.kind.numeric
        or all(cell.is_atom for cell in c.cells)
        or np.mean([cell.is_atom for cell in c.cells]) > 0.5
    ]
    kept: dict[str, float] = {}
    for a, b in permutations(discrete, 2):
        seen = real.seen[:, a] & real.seen[:, b]
        met = np.unique(np.stack([real.codes[seen, a], real.codes[seen, b]], axis=1), axis=0)
        decided = dict(met.tolist())
        many = len(set(decided.values())) > 1
        if not many or len(met) > len(decided) or seen.sum() < RULE_ROWS * len(decided):
            continue
        both = drawn.seen[:, a] & drawn.seen[:, b]
        told = np.array([decided.get(c, -1) for c in drawn.codes[both, a].tolist()])
        known = told >= 0
        if known.any():
            obeyed = told[known] == drawn.codes[both, b][known]
            kept[f"{columns[a].name} → {columns[b].name}"] = float(obeyed.mean())
    return kept
