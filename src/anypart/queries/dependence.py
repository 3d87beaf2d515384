r"""`dependence`: how many nats one column says about another, from the model's own p(row).

.. math:: I(a; b) = \sum_k p(a = k) \sum_j p(b = j | a = k) \log \frac{p(b = j | a = k)}{p(b = j)}
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from anypart.models.contract import Evidence, Model
from anypart.queries import events
from anypart.queries.answer import Answer
from anypart.queries.asking import require_possible
from anypart.queries.estimates import together
from anypart.queries.exactness import label
from anypart.queries.meaning import Event, Reader

Reals = NDArray[np.float64]
BLOCK_NUMBERS = 4_000_000


def dependence(reader: Reader, model: Model, event: Event) -> Answer:
    """Answer with the mutual information of every pair of columns, strongest first.

    The table has `first`, `second`, `nats` and `normalised` (over the smaller entropy of
    the two, in [0, 1]); `details["matrix"]` holds (cols, cols) nats with the entropies
    on the diagonal.

    Cost:
        A `conditional` row a category.
    """
    columns, layout = reader.columns, model.layout
    base, _ = event.onto(Evidence.nothing(1, len(columns)))
    require_possible(model, base, event)
    found = events.conditional(model, base)
    marginal = found.value[0]
    drawn = [found]
    matrix = np.zeros((len(columns), len(columns)))
    starts = np.array([s.start for s in layout.slices])
    for at, place in enumerate(layout.slices):
        own = marginal[place]
        possible = np.flatnonzero(np.isfinite(own))
        matrix[at, at] = -np.sum(np.exp(own[possible]) * own[possible])
        step = max(BLOCK_NUMBERS // layout.total, 1)
        for start in range(0, len(possible), step):
            codes = possible[start : start + step]
            if base.seen[0, at]:
                continue  # a fixed column says nothing
            got = events.conditional(model, _fixed(base, at, codes))
            drawn.append(got)
            p = np.exp(got.value)
            with np.errstate(invalid="ignore"):
                terms = np.where(p > 0, p * (got.value - marginal), 0.0)
            gained = np.add.reduceat(terms, starts, axis=1)  # (codes, cols)
            gained[:, at] = 0.0
            matrix[at] += np.exp(own[codes]) @ gained
    matrix = np.maximum((matrix + matrix.T) / 2, 0.0)
    names = ("dependence", event.text)
    question = " | ".join(n for n in names if n)
    worth = together(drawn)
    # The errors of an estimate are of probabilities, not of nats.
    error = worth.error if worth.effective is None else None
    details = {"matrix": matrix}
    value = _pairs(reader, matrix)
    return label(value, model, question, error=error, effective=worth.effective, details=details)


def _fixed(base: Evidence, at: int, codes: NDArray[np.intp]) -> Evidence:
    n = len(codes)
    new = np.repeat(base.codes, n, axis=0)
    seen = np.repeat(base.seen, n, axis=0)
    new[:, at], seen[:, at] = codes, True
    return Evidence(new, seen, {c: w for c, w in base.weights.items() if c != at})


def _pairs(reader: Reader, matrix: Reals) -> pa.Table:
    names = [c.name for c in reader.columns]
    first, second = np.triu_indices(len(names), 1)
    nats = matrix[first, second]
    entropy = np.diag(matrix)
    least = np.minimum(entropy[first], entropy[second])
    share = np.divide(nats, least, out=np.zeros_like(nats), where=least > 1e-12)
    order = np.argsort(-nats, kind="stable")
    return pa.table(
        {
            "first": [names[i] for i in first[order]],
            "second": [names[i] for i in second[order]],
            "nats": nats[order],
            "normalised": np.clip(share[order], 0.0, 1.0),
        }
    )
