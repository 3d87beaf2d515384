r"""Parts that few complete rows share: each of them is asked for, and nothing is estimated.

.. math:: p(e) = \sum_{x \in e} p(x)\, w(x)

with w the weights of the event's sets and ranges. Complete rows are what every family
answers exactly, whatever it sums out.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from anypart.models.contract import Codes, Evidence, Layout, Model

Reals = NDArray[np.float64]


def count(layout: Layout, evidence: Evidence) -> Reals:
    """Count the complete rows of each row's event, (rows,).

    Example:
        >>> seen = np.array([[True, False, False], [True, True, True]])
        >>> count(Layout((2, 3, 4)), Evidence(np.zeros((2, 3), np.int32), seen)).tolist()
        [12.0, 1.0]

    """
    return _sizes(layout, evidence).prod(axis=1)


def _sizes(layout: Layout, evidence: Evidence) -> Reals:
    return np.where(evidence.seen, 1.0, np.array(layout.n_cats, float))


def complete(layout: Layout, evidence: Evidence) -> tuple[NDArray[np.intp], Codes, Reals]:
    """List the complete rows of every event.

    Returns:
        Whose each is, in the order of the rows, (lines,); codes, (lines, cols); and its
        log-weight, nats, (lines,).

    """
    ways = _sizes(layout, evidence).prod(axis=1).astype(np.intp)
    row = np.repeat(np.arange(len(ways)), ways)
    number = np.arange(len(row)) - np.repeat(np.cumsum(ways) - ways, ways)
    codes, seen, weight = evidence.codes[row], evidence.seen[row], np.zeros(len(row))
    for col, n_cats in enumerate(layout.n_cats):  # digits of a number in mixed radix
        free = ~seen[:, col]
        codes[free, col] = number[free] % n_cats
        number[free] //= n_cats
        if col in evidence.weights:
            given = evidence.weights[col]
            weight += given[row if len(given) > 1 else 0, codes[:, col]]
    return row, codes, weight


def log_prob(model: Model, evidence: Evidence) -> Reals:
    """Log-probability of each row's event, (rows,), nats; −inf if it is impossible.

    Exact if the model is for complete rows.

    Cost:
        One `log_prob` of the model for each complete row of the events.
    """
    row, _, logs = _asked(model, evidence)
    return _joined(row, logs)


def conditional(model: Model, evidence: Evidence) -> Reals:
    """Log-probabilities of every cell given the event, (rows, flat), nats; as `log_prob`.

    NaN for a row whose event is impossible.
    """
    row, codes, logs = _asked(model, evidence)
    with np.errstate(invalid="ignore"):
        share = np.exp(logs - _joined(row, logs)[row])
    found = np.empty((evidence.n_rows, model.layout.total))
    for col, place in enumerate(model.layout.slices):
        n_cats = model.layout.n_cats[col]
        sums = np.bincount(row * n_cats + codes[:, col], share, evidence.n_rows * n_cats)
        with np.errstate(divide="ignore"):
            found[:, place] = np.log(sums.reshape(-1, n_cats))
    return found


def _asked(model: Model, evidence: Evidence) -> tuple[NDArray[np.intp], Codes, Reals]:
    row, codes, weight = complete(model.layout, evidence)
    whole = Evidence(codes, np.ones(codes.shape, np.bool_))
    return row, codes, model.log_prob(whole) + weight


def _joined(row: NDArray[np.intp], logs: Reals) -> Reals:
    return np.logaddexp.reduceat(logs, np.flatnonzero(np.diff(row, prepend=-1)))
