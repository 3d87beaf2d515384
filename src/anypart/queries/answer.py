"""`Answer`: a value, what was asked, and whether it is exact."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Answer:
    """What a fit answers.

    An answer with a number or an array can be used as one: `float(answer)`,
    `np.mean(answer)`.

    Args:
        value: a number, an array with one entry a row, or a table.
        exact: whether it follows from the model's p(row) by its sums alone; the answer to a
            stated question, from that question's own (see `models.stated_questions`).
        standard_error: of an estimated value, in its unit; None if exact or not known.
        question: what was asked, spelt.
        reason: why it is not exact; empty if it is.
        details: what else was found, by name; each verb says what.

    """

    value: Any
    exact: bool
    question: str
    standard_error: float | None = None
    reason: str = ""
    details: Mapping[str, Any] = field(default_factory=dict[str, Any])

    def __post_init__(self) -> None:
        object.__setattr__(self, "details", MappingProxyType(dict(self.details)))

    def __float__(self) -> float:
        """Return a single value as a number."""
        return float(self.value)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        """Return the value as an array."""
        return np.array(self.value, dtype) if copy else np.asarray(self.value, dtype)

    def __len__(self) -> int:
        """Count the entries or rows of the value."""
        return len(self.value)
