"""`Answer`: a value, what was asked, and whether it is exact."""

from __future__ import annotations

import html
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from anypart.base.written import number
from anypart.queries.shown import as_html, as_text, numbers_of


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

    def __repr__(self) -> str:
        """Show what was asked, how far it can be trusted, and the first rows."""
        lines = [self._heading(), as_text(self.value), numbers_of(self.details)]
        return "\n".join(filter(None, lines))

    def _repr_html_(self) -> str:
        """Show the same in a notebook."""
        heading, numbers = html.escape(self._heading()), html.escape(numbers_of(self.details))
        return f"<p><b>{heading}</b></p>{as_html(self.value)}" + (numbers and f"<p>{numbers}</p>")

    def _heading(self) -> str:
        if self.exact:
            return f"{self.question}: exact"
        error = self.standard_error
        sure = "" if error is None else f", standard error {number(float(error))}"
        return f"{self.question}: not exact{sure}" + (self.reason and f" ({self.reason})")

    def __float__(self) -> float:
        """Return a single value as a number."""
        return float(self.value)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        """Return the value as an array."""
        return np.array(self.value, dtype) if copy else np.asarray(self.value, dtype)

    def __len__(self) -> int:
        """Count the entries or rows of the value."""
        return len(self.value)
