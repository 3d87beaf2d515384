"""The tree of errors: a user's mistake is an `AnypartError`; ours is an assertion.

AnypartError
├── DataError(ValueError)        a file or table cannot be read as asked
├── ColumnError(KeyError)        a column that is not there
├── QuestionError(ValueError)    a condition or a question that has no answer
├── FitError(ValueError)         a fit that cannot be made or resumed
├── FreezeError(TypeError)       a value that cannot be frozen, or a frozen one to be changed
├── GradientError(ValueError)    an expectation that cannot be estimated as asked
├── LensError(ValueError)        a network or a program that cannot be looked into as asked
└── SavedFitError(ValueError)    a saved fit that is damaged, foreign or newer
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class AnypartError(Exception):
    """A mistake of the caller's: what was asked, what is there, what to do."""

    def __str__(self) -> str:
        """Show the message as written (a `KeyError` would quote it)."""
        return str(self.args[0]) if self.args else ""


class DataError(AnypartError, ValueError):
    """A file or table cannot be read as asked."""


class ColumnError(AnypartError, KeyError):
    """A column that is not there."""


class QuestionError(AnypartError, ValueError):
    """A condition or a question that has no answer."""


class FitError(AnypartError, ValueError):
    """A fit that cannot be made or resumed."""


class FreezeError(AnypartError, TypeError):
    """A value that cannot be frozen, or a frozen one that was to be changed."""


class GradientError(AnypartError, ValueError):
    """An expectation that cannot be estimated as asked."""


class LensError(AnypartError, ValueError):
    """A network or a program that cannot be looked into as asked."""


class SavedFitError(AnypartError, ValueError):
    """A saved fit that is damaged, foreign or newer than this version."""


def suggest(word: str, known: Iterable[str]) -> str:
    """Return `` Did you mean 'age'?`` for the known word nearest to `word`, or nothing.

    Example:
        >>> suggest("agee", ["age", "sex"])
        " Did you mean 'age'?"
        >>> suggest("zzz", ["age", "sex"])
        ''
    """
    near = difflib.get_close_matches(word, list(known), n=1)
    return f" Did you mean {near[0]!r}?" if near else ""
