r"""`audit`: which cells the rest of their row speaks against, and what was expected.

For a category the surprise is :math:`-\log p(x | \text{rest}) - H`, how much more it
surprises than a draw would on average. On a line a single cell is improbable because it
is narrow, so there the question is how much of the probability lies in cells at most as
likely as this one: :math:`-\log \sum_{k: p_k \le p_x} p_k - 1` (a draw from a continuous
distribution has mean 0). A number beyond everything the fit was trained on counts with
half the mass of one training row, and `beyond` says on which side it lies.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from anypart.data.schema import Column
from anypart.data.values import flat, is_narrow, placed
from anypart.models.contract import Model
from anypart.queries.meaning import Reader

Reals = NDArray[np.float64]
FIELDS = pa.schema(
    {
        "row": pa.int64(),
        "column": pa.string(),
        "value": pa.string(),
        "beyond": pa.string(),
        "expected": pa.string(),
        "probability": pa.float64(),
        "expected_probability": pa.float64(),
        "surprise": pa.float64(),
    }
)
SIDES = (None, "above", "below")  # by `_side`; -1 is the last


def audit_batch(reader: Reader, model: Model, batch: Any, top: int, first_row: int) -> pa.Table:
    """Find the `top` most surprising cells of one batch.

    Cost:
        One `leave_one_out`.
    """
    encoded = reader.codec.encode(batch)
    log_p = np.asarray(model.leave_one_out(encoded.codes, encoded.seen), np.float64)
    score = np.full(encoded.seen.shape, -np.inf)
    side = np.zeros(encoded.seen.shape, np.int8)
    mass_beyond = 1.0 / (2.0 * (reader.codec.schema.n_rows + 1))
    for at, column in enumerate(reader.columns):
        part = log_p[:, model.layout.slices[at]]
        chosen = encoded.codes[:, at]
        surprise = tail_surprise if column.kind.numeric else surprise_of
        score[:, at] = np.where(encoded.seen[:, at], surprise(part, chosen), -np.inf)
        if column.kind.numeric and column.name in batch.schema.names:
            x, known = placed(batch.column(column.name), column)
            side[:, at] = np.where(known, _side(x, column), 0)
            floor = np.where(side[:, at], -np.log(mass_beyond) - 1.0, -np.inf)
            score[:, at] = np.maximum(score[:, at], floor)
    order = np.argsort(-score, axis=None, kind="stable")[:top]
    order = order[np.isfinite(score.ravel()[order])]
    found: list[dict[str, Any]] = []
    for row, at in (divmod(int(i), len(reader.columns)) for i in order):
        place = model.layout.slices[at]
        own = {
            "row": row + first_row,
            "value": _said(batch.column(reader.columns[at].name).slice(row, 1)),
            "beyond": SIDES[side[row, at]],
            "surprise": float(score[row, at]),
        }
        code = int(encoded.codes[row, at])
        most = mass_beyond if side[row, at] else 1.0
        found.append(own | _expectation(reader, at, np.exp(log_p[row, place]), code, most))
    return pa.Table.from_pylist(found, schema=FIELDS)


def _said(cell: pa.Array) -> str:
    """Write the value of one cell; a narrow float in its own digits."""
    cell = flat(cell)
    return cell.cast(pa.string())[0].as_py() if is_narrow(cell.type) else str(cell[0].as_py())


def surprise_of(log_p: Reals, chosen: NDArray[np.int32]) -> Reals:
    """Return −log p(code) minus its expectation, the entropy; nats, (rows,)."""
    p = np.exp(log_p)
    entropy = -np.sum(np.where(p > 0, p * np.where(p > 0, log_p, 0.0), 0.0), axis=1)
    return -np.take_along_axis(log_p, chosen[:, None], axis=1)[:, 0] - entropy


def tail_surprise(log_p: Reals, chosen: NDArray[np.int32]) -> Reals:
    """Return −log of the mass at most as likely as the code, minus 1; nats, (rows,)."""
    own = np.take_along_axis(log_p, chosen[:, None], axis=1)
    mass = np.where(log_p <= own, np.exp(log_p), 0.0).sum(axis=1)
    return -np.log(np.maximum(mass, np.finfo(float).tiny)) - 1.0


def _side(x: Reals, column: Column) -> NDArray[np.int8]:
    """Tell where values lie: -1 below all that the fit was trained on, 1 above, 0 among them."""
    low = min(c.low for c in column.cells)
    high = max(c.high for c in column.cells)
    return (x > high).astype(np.int8) - (x < low).astype(np.int8)


def _expectation(reader: Reader, at: int, probs: Reals, code: int, most: float) -> dict[str, Any]:
    """Say what was expected; `most` bounds the probability of a value beyond all others."""
    likely = int(probs.argmax())
    return {
        "column": reader.columns[at].name,
        "expected": reader.codec.labels(at)[likely],
        "probability": min(float(probs[code]), most),
        "expected_probability": float(probs[likely]),
    }
