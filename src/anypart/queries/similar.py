"""`similar`: the rows of a stream nearest to given ones, by cosine."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from anypart.base.errors import QuestionError

Vectors = NDArray[np.float32]


def nearest(queries: Vectors, blocks: Iterable[tuple[pa.RecordBatch, Vectors]], k: int) -> pa.Table:
    """Keep the `k` nearest rows of each query, (queries · k) rows.

    Args:
        queries: (queries, dims).
        blocks: batches of rows, with their vectors.
        k: how many.

    Cost:
        A product of vectors a query and row; memory for a block and the best.

    """
    if k < 1:
        raise QuestionError(f"{k} similar rows were asked for. Ask for at least 1.")
    unit = _unit(queries)
    best: list[pa.Table] = [pa.table({}) for _ in range(len(queries))]
    start = 0
    for batch, vectors in blocks:
        cosines = unit @ _unit(vectors).T  # (queries, rows)
        for q, cosine in enumerate(cosines):
            take = np.argsort(-cosine, kind="stable")[:k]
            head = {"query": np.full(len(take), q), "row": take + start}
            head["similarity"] = cosine[take]
            found = pa.table(head)
            for name, column in zip(batch.schema.names, batch.columns, strict=True):
                shown = name if name not in head else f"{name} (table)"
                found = found.append_column(shown, column.take(pa.array(take)))
            both = pa.concat_tables([best[q], found]) if best[q].num_columns else found
            order = np.argsort(-np.asarray(both["similarity"]), kind="stable")[:k]
            best[q] = both.take(pa.array(order))
        start += batch.num_rows
    return pa.concat_tables(best) if best else pa.table({})


def _unit(vectors: Vectors) -> Vectors:
    length = np.linalg.norm(vectors, axis=1, keepdims=True)
    return (vectors / np.where(length > 0, length, 1.0)).astype(np.float32)
