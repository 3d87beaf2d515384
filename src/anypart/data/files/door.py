"""The one door for tables: `read`."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from anypart.base.errors import AnypartError, DataError
from anypart.data.files.objects import read_object
from anypart.data.files.table import SOURCE_ERRORS, Table, first_line
from anypart.data.files.text import read_text


def read(source: Any, *, query: str | None = None) -> Table:
    """Open a table; nothing but its beginning is read yet.

    Args:
        source: a path, or a table in memory.
        query: SQL.

    Raises:
        DataError: there is no such file, or it cannot be read as a table.

    """
    if isinstance(source, Table):
        return source
    if not isinstance(source, str | os.PathLike):
        return read_object(source)
    path = Path(source)
    try:
        return read_text(path)
    except AnypartError:
        raise
    except SOURCE_ERRORS as error:
        raise DataError(f"{path.name} cannot be read: {first_line(error)}") from None
