"""Whether a classifier tells drawn from real rows, and how far apart that says they are."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from anypart.base.seeds import generator
from anypart.data.schema import Column
from anypart.optim.classifier import Rows, area_under_curve, classify_apart
from anypart.scores.rows import ScoredRows

LEAST_ROWS = 50  # of a side
FOLDS = 3


@dataclass(frozen=True)
class Detection:
    """A classifier between drawn and real rows, as many of each.

    Args:
        auc: cross-validated area under the curve, .5 if it cannot tell them.
        chance: what 95 % of classifiers of one and the same source stay below.
        jensen_shannon: ln 2 minus its log-loss, at least 0: a lower bound of the
            Jensen-Shannon distance of the two sources, nats, on average over rows.
        error: its standard error.

    """

    auc: float
    chance: float
    jensen_shannon: float
    error: float


def features(columns: tuple[Column, ...], rows: ScoredRows) -> Rows:
    """Give a classifier numbers, and codes of categories, NaN where there is a gap."""
    numeric = np.array([c.kind.numeric for c in columns], np.bool_)
    codes = np.where(rows.seen, rows.codes, np.nan)
    return Rows(np.where(numeric, rows.reals, codes), ~numeric)


def detect(
    columns: tuple[Column, ...], real: ScoredRows, drawn: ScoredRows, seed: int
) -> Detection | None:
    """Let a boosted classifier tell drawn from real rows; None of fewer than 50 of each.

    References:
        Lopez-Paz & Oquab, "Revisiting classifier two-sample tests" (2017). Nguyen,
        Wainwright & Jordan, "Estimating divergence functionals" (2010): the bound.

    """
    n = min(real.n_rows, drawn.n_rows)
    if n < LEAST_ROWS:
        return None
    rng = generator(seed, "scores", "detection")
    # Dealt anew: rows of one source that lie together must not be one fold.
    dealt = rng.permutation(2 * n)
    sides = [features(columns, r.take(rng.permutation(r.n_rows)[:n])) for r in (real, drawn)]
    rows = Rows(np.concatenate([s.numbers for s in sides]), sides[0].categorical).take(dealt)
    is_drawn = dealt >= n
    logits = classify_apart(rows, is_drawn, FOLDS, rng)
    gain = math.log(2) - np.logaddexp(0, np.where(is_drawn, -logits, logits))
    return Detection(
        auc=area_under_curve(logits, is_drawn),
        # Mann & Whitney 1947: the variance of the statistic when there is no difference.
        chance=0.5 + 1.645 * math.sqrt((2 * n + 1) / (12 * n * n)),
        jensen_shannon=max(float(gain.mean()), 0.0),
        error=float(gain.std(ddof=1) / math.sqrt(2 * n)),
    )
