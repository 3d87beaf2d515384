"""Mean log-density of rows, beside baselines that know less."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from anypart.models.contract import Evidence, Model
from anypart.queries import events
from anypart.scores.rows import Judged


@dataclass(frozen=True)
class Level:
    """A mean of log-densities.

    Args:
        mean: nats per row.
        standard_error: of the mean, nats per row.
        gain: mean of the fit minus this mean, nats per row; 0 for the fit itself.
        gain_standard_error: of the paired difference.

    """

    mean: float
    standard_error: float
    gain: float = 0.0
    gain_standard_error: float = 0.0


@dataclass(frozen=True)
class Likelihood:
    """How likely rows are: densities in the columns' own units, seen cells only.

    Args:
        fit: the fit.
        baselines: by name, on the same rows.
        impossible: rows of probability zero under the fit; they are left out of all means.

    """

    fit: Level
    baselines: Mapping[str, Level]
    impossible: int


def score_likelihood(
    fitted: Judged, batches: Iterator[pa.RecordBatch], baselines: Mapping[str, Model]
) -> Likelihood:
    """Take the mean log-density of every row, one batch at a time.

    Args:
        fitted: the fit.
        batches: the rows.
        baselines: models over the same codes.

    Cost:
        One pass; memory for a batch and a float per row and model.

    """
    models = {"": fitted.model, **baselines}
    found: dict[str, list[np.ndarray]] = {name: [] for name in models}
    for batch in batches:
        coded = fitted.codec.encode(batch)
        evidence = Evidence(coded.codes, coded.seen)
        for name, model in models.items():
            found[name].append(events.log_prob(model, evidence).value + coded.log_measure)
    logs = {name: np.concatenate(parts) for name, parts in found.items()}
    own = logs.pop("")
    possible = np.isfinite(own)
    fit = Level(*_mean(own[possible]))
    levels = {
        name: Level(*_mean(other[possible]), *_mean((own - other)[possible]))
        for name, other in logs.items()
    }
    return Likelihood(fit, levels, int((~possible).sum()))


def _mean(x: np.ndarray) -> tuple[float, float]:
    """Mean and its standard error; NaN of nothing."""
    if not len(x):
        return float("nan"), float("nan")
    error = float(x.std(ddof=1) / np.sqrt(len(x))) if len(x) > 1 else float("nan")
    return float(x.mean()), error
