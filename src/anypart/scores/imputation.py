"""Hidden cells: how well they are found again from the rest of their rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from anypart.models.contract import Layout
from anypart.scores.predictive import Reals, column_points
from anypart.scores.rows import Judged, ScoredRows, conditionals

HIDDEN = 0.2  # share of the seen cells that is hidden


@dataclass(frozen=True)
class Guess:
    """The conditional distributions of the hidden cells of one column.

    Args:
        column_ix: among the modelled columns.
        row_ix: (cells,) the rows whose cell is hidden.
        probs: (cells, n_cats).
        truth: (cells,) the hidden codes.
        reals: (cells,) the hidden numbers; NaN for categories.

    """

    column_ix: int
    row_ix: NDArray[np.int64]
    probs: Reals
    truth: NDArray[np.int32]
    reals: Reals


@dataclass(frozen=True)
class Imputation:
    """How well hidden cells are found.

    Args:
        rows: in which cells were hidden.
        hidden: cells that were hidden.
        accuracy: share of categorical cells whose most likely category is right.
        log_loss: mean −log p(truth) of categorical cells, nats.
        rmse: root-mean-square error of the conditional mean over the training standard
            deviation, mean over numeric columns.
        mae: mean absolute error of the conditional median, likewise.
        columns: name → its own figures.

    """

    rows: int
    hidden: int
    accuracy: float | None
    log_loss: float | None
    rmse: float | None
    mae: float | None
    columns: Mapping[str, Mapping[str, float]]


def guess(fitted: Judged, rows: ScoredRows, hidden: NDArray[np.bool_]) -> list[Guess]:
    """Take the conditional of every hidden cell given what is left of its row.

    Cost:
        One `conditional` a row.
    """
    layout = Layout(tuple(fitted.codec.n_cats))
    found: list[list[Reals]] = [[] for _ in layout.n_cats]
    for block, logs in conditionals(fitted.model, rows.codes, rows.seen & ~hidden):
        probs = np.exp(logs.astype(np.float64))
        for at, place in enumerate(layout.slices):
            found[at].append(probs[hidden[block, at], place])
    guesses: list[Guess] = []
    for at, parts in enumerate(found):
        row_ix = np.flatnonzero(hidden[:, at])
        if len(row_ix):
            truth, reals = rows.codes[row_ix, at], rows.reals[row_ix, at]
            guesses.append(Guess(at, row_ix, np.concatenate(parts), truth, reals))
    return guesses


def score_imputation(fitted: Judged, guesses: list[Guess], spread: Reals) -> Imputation:
    """Compare guesses with what was hidden.

    Args:
        fitted: the fit.
        guesses: from `guess`.
        spread: (cols,) what errors of numbers are divided by.

    """
    columns: dict[str, dict[str, float]] = {}
    for one in guesses:
        column = fitted.schema.modelled[one.column_ix]
        if column.kind.numeric:
            columns[column.name] = _number_errors(fitted, one, float(spread[one.column_ix]))
        else:
            hit = one.probs.argmax(axis=1) == one.truth
            lost = -np.log(np.maximum(one.probs[np.arange(len(hit)), one.truth], 1e-12))
            columns[column.name] = {
                "cells": len(hit),
                "accuracy": float(hit.mean()),
                "log_loss": float(lost.mean()),
            }
    return Imputation(
        rows=len(np.unique(np.concatenate([g.row_ix for g in guesses]))) if guesses else 0,
        hidden=sum(len(g.truth) for g in guesses),
        accuracy=_pooled(columns, "accuracy", by_cell=True),
        log_loss=_pooled(columns, "log_loss", by_cell=True),
        rmse=_pooled(columns, "rmse", by_cell=False),
        mae=_pooled(columns, "mae", by_cell=False),
        columns=columns,
    )


def _number_errors(fitted: Judged, one: Guess, spread: float) -> dict[str, float]:
    means = one.probs @ np.asarray(fitted.codec.cell_means(one.column_ix))
    points = column_points(fitted.codec, one.column_ix, one.probs.shape[1])
    medians = points.quantile(one.probs, 0.5)
    return {
        "cells": len(one.truth),
        "rmse": float(np.sqrt(np.mean((means - one.reals) ** 2)) / spread),
        "mae": float(np.mean(np.abs(medians - one.reals)) / spread),
    }


def _pooled(
    columns: Mapping[str, Mapping[str, float]], figure: str, *, by_cell: bool
) -> float | None:
    """Mean of a figure over cells, or over columns; None where no column has it."""
    having = [c for c in columns.values() if figure in c]
    if not having:
        return None
    weights = [c["cells"] if by_cell else 1.0 for c in having]
    return float(np.average([c[figure] for c in having], weights=weights))


def training_spread(fitted: Judged) -> Reals:
    """Standard deviation of every numeric column as the fit itself has it, (cols,).

    The marginal of a fit is the training table's up to smoothing, so that errors can be
    scaled without the training table; 1 for categories and where nothing varies.
    """
    model, codec = fitted.model, fitted.codec
    layout = Layout(tuple(codec.n_cats))
    nothing = np.zeros((1, layout.n_cols), np.int32)
    _, logs = next(conditionals(model, nothing, nothing.astype(bool)))
    spread = np.ones(layout.n_cols)
    for at, column in enumerate(fitted.schema.modelled):
        if column.kind.numeric:
            points = column_points(codec, at, layout.n_cats[at])
            mass = np.exp(logs[0, layout.slices[at]].astype(np.float64))[points.owner]
            mass = mass * points.share
            mean = np.average(points.values, weights=mass)
            around = (points.values - mean) ** 2
            spread[at] = np.sqrt(np.average(around, weights=mass)) or 1.0
    return spread
