"""What is said when a saved model cannot be put together again."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager

from anypart.base.errors import SavedFitError


@contextmanager
def undamaged(what: str) -> Generator[None]:
    """Turn what goes wrong while a model is built from its saved parts into one error.

    Args:
        what: the model's family, or another word for it.

    Raises:
        SavedFitError: settings and arrays do not fit together.

    """
    try:
        yield
    except SavedFitError:
        raise
    except (KeyError, ValueError, TypeError, IndexError, AssertionError) as error:
        raise SavedFitError(
            f"A saved {what} is damaged: its settings and its arrays do not fit together "
            f"({error}). Take the fit from a backup, or fit again."
        ) from error
