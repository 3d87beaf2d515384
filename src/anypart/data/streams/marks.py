"""Marks: where to go on after an item, as numbers that JSON holds.

A mark is the place in the source. Behind a stage that holds items back it is the mark of what
comes before the stage and the stage's own numbers, `n_marks` of them. None is the start.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any, cast

Mark = Any  # a number, or a tuple of a mark and numbers


def fits(mark: Mark, stages: Sequence[Any]) -> bool:
    """Whether a mark has the form that the marks behind these stages have.

    Example:
        >>> fits(3, ()), fits([3, 0], ())
        (True, False)

    """
    for n in reversed([n for stage in stages if (n := getattr(stage, "n_marks", 0))]):
        if mark is None:
            return True
        if not isinstance(mark, tuple | list) or len(cast("list[Mark]", mark)) != n + 1:
            return False
        mark, *numbers = cast("list[Mark]", mark)
        if not all(map(_is_place, numbers)):
            return False
    return mark is None or _is_place(mark)


def _is_place(number: Any) -> bool:
    return type(number) is int and 0 <= number <= sys.maxsize


def listed(mark: Mark) -> Mark:
    """Write a mark as JSON gives it back."""
    return [listed(part) for part in mark] if isinstance(mark, tuple | list) else mark
