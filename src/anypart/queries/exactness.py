"""Labels: whether an answer is exact, and why not."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from anypart.models.contract import Model
from anypart.models.stack import Stack
from anypart.models.stated_questions import StatedQuestions
from anypart.queries.answer import Answer
from anypart.queries.estimates import FEW_DRAWS

NOT_ANY_PART = (
    "a member with weight predicts any part in one pass but does not sum cells out, so answers "
    "to differently put questions may differ a little"
)
ESTIMATED = (
    "a member with weight sums nothing out, so complete rows were drawn from the members that "
    "do and along the orders of the others, and weighed by all"
)
EACH_CELL_ALONE = (
    "a member with weight sums nothing out, so each member judged a cell by its own prediction "
    "from the others, in which a gap is unknown or its column's mean: what `ask` says of the "
    "same cell may differ a little"
)
GUESSED = "a member with weight, an autoencoder, estimates even complete rows by draws of its own"
EACH_ITS_OWN = (
    "each stated question is answered by members that are weighed for it, all others by the "
    "rest: answers to different questions need not agree to the last digit"
)
DRAWN = "the conditions allow more combinations of values than can be summed, so some were drawn"


def label(
    value: Any,
    model: Model,
    question: str,
    *,
    error: NDArray[np.float64] | None = None,
    effective: NDArray[np.float64] | None = None,
    whole: bool = False,
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
        effective: effective numbers of draws of what was drawn from exact members; None
            if nothing was. The least of them is told as a detail.
        whole: whether all members answer what was asked exactly: complete rows, a stated
            question.
        scale: what turns an error of a logarithm into one of the value.
        reason: why the method, whatever the model, is not exact; empty if it is.
        details: what else was found.

    """
    why = [reason] if reason else []
    if effective is not None and len(effective) and np.isinf(effective).all():
        effective, error, whole = None, None, True  # only complete rows were asked of members
    drawn = effective is not None
    if not model.ability.any_part and not whole:
        weighed = isinstance(model, Stack) and model.proposal is not None
        why.append(ESTIMATED if weighed else NOT_ANY_PART)
    if not model.ability.rows:
        why.append(GUESSED)
    elif error is not None and not drawn:
        why.append(DRAWN)
    worst = None if error is None else float(np.max(error, initial=0.0)) * scale
    details = dict(details or {})
    if isinstance(model, StatedQuestions):
        details["agreement"] = EACH_ITS_OWN
    if effective is not None and len(effective):
        details["effective_draws"] = least = float(effective.min())
        if least < FEW_DRAWS:
            why.append(f"only {least:.0f} draws count, so even the error is uncertain")
    return Answer(value, not why, question, worst, "; ".join(why), details)
