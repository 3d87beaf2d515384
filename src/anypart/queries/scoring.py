"""How likely rows are, or one part of them given another, block by block."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from anypart.base.errors import QuestionError
from anypart.data.codec import Codec
from anypart.data.files import read
from anypart.models.contract import Evidence, Model
from anypart.optim.policies import read_question
from anypart.queries import events
from anypart.queries.estimates import Estimate

BLOCK = 4096


def score_blocks(
    model: Model, codec: Codec, rows: Any, question: str | None
) -> Iterator[tuple[Estimate, Mapping[str, int]]]:
    """Yield log-densities in the columns' own units, and by column values without a code.

    Args:
        model: of the codec's columns.
        codec: values ↔ codes.
        rows: a file or table.
        question: as `* | letter`, of which the asked cells count; None for all seen cells.

    Raises:
        FitError: that is no question.
        ColumnError: it names a column that is not there.
        QuestionError: the rows have none of the asked columns.

    """
    names = [column.name for column in codec.columns]
    stated = None if question is None else read_question(question, names)
    for batch in read(rows).batches(BLOCK):
        encoded = codec.encode(batch)
        codes, seen, measure = encoded.codes, encoded.seen, encoded.log_measure
        if stated is None:
            found = events.log_prob(model, Evidence(codes, seen))
            found = dataclasses.replace(found, whole=bool(seen.all()))
        else:
            found = events.log_given(model, codes, seen, stated)
            measure = _measure(codec, batch, {names[c] for c in stated.asked})
        yield dataclasses.replace(found, value=found.value + measure), encoded.unknown


def _measure(codec: Codec, batch: pa.RecordBatch, asked: set[str]) -> NDArray[np.float64]:
    """Say what makes densities of the asked cells' probabilities, (rows,), nats."""
    there = [name for name in batch.schema.names if name in asked]
    if not there:
        raise QuestionError(
            f"The rows have none of the asked columns ({', '.join(sorted(asked))}). Give rows "
            "that have them, or ask for columns that are there."
        )
    return codec.encode(batch.select(there)).log_measure
