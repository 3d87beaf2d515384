"""Enumeration: every question answered from the table of all rows' probabilities.

Slow and obvious; it knows nothing of how a model answers, only p(row) for every row.
"""

from __future__ import annotations

import itertools

import numpy as np


def all_rows(n_cats):
    """Every row there can be, in the order of `np.ravel_multi_index`."""
    return np.array(list(itertools.product(*map(range, n_cats))), np.int32)


def likelihood(n_cats, codes, seen, weights):
    """How much one row's evidence keeps of each possible row, shape n_cats."""
    kept = np.ones(n_cats)
    for column, n in enumerate(n_cats):
        factor = np.ones(n)
        if column in weights:
            factor = np.exp(np.asarray(weights[column], np.float64))
        elif seen[column]:
            factor = np.eye(n)[codes[column]]
        shape = [1] * len(n_cats)
        shape[column] = n
        kept = kept * factor.reshape(shape)
    return kept


def event(table, codes, seen, weights=None):
    """Probability of the evidence of one row."""
    return (table * likelihood(table.shape, codes, seen, weights or {})).sum()


def conditional(table, codes, seen, weights=None):
    """Probabilities of every cell given the evidence of one row, flat."""
    joint = table * likelihood(table.shape, codes, seen, weights or {})
    columns = range(table.ndim)
    return (
        np.concatenate([joint.sum(axis=tuple(o for o in columns if o != c)) for c in columns])
        / joint.sum()
    )


def leave_one_out(table, codes, seen):
    """Probabilities of every cell given the other seen cells of one row, flat."""
    parts = []
    ends = np.cumsum(table.shape)
    for column, end in enumerate(ends):
        others = np.array(seen)
        others[column] = False
        parts.append(conditional(table, codes, others)[end - table.shape[column] : end])
    return np.concatenate(parts)
