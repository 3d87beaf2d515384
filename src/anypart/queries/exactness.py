"""Labels: whether an answer is exact, and why not."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from anypart.models.contract import Model
from anypart.queries.answer import Answer

NOT_ANY_PART = (
    "a member with weight predicts any part in one pass but does not sum cells out, so answers "
    "to differently put questions may differ a little"
)
DRAWN = "the conditions allow more combinations of values than can be summed, so some were drawn"


def label(
    value: Any,
    model: Model,
    question: str,
    *,
    error: NDArray[np.float64] | None = None,
    scale: float = 1.0,
    reason: str = "",
    details: dict[str, Any] | None = None,
) -> Answer:
    """Make an answer that says truthfully what it is worth.

    Args:
        value: the answer.
        model: what answered.
        question: what was asked.
        error: standard errors of the logarithms of what was drawn; None if nothing was.
        scale: what turns an error of a logarithm into one of the value.
        reason: why the method, whatever the model, is not exact; empty if it is.
        details: what else was found.

    """
    why = [reason] if reason else []
    if not model.ability.any_part:
        why.append(NOT_ANY_PART)
    if error is not None:
        why.append(DRAWN)
    worst = None if error is None else float(np.max(error, initial=0.0)) * scale
    return Answer(value, not why, question, worst, "; ".join(why), details or {})
