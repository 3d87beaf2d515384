"""The options that several commands share, and what their strings mean."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter, Token

from anypart.base.errors import DataError


def _whole(_: type, tokens: Sequence[Token]) -> int:
    """Read a whole number; 1.5 is none, and is not rounded to one."""
    word = tokens[0].value
    if not re.fullmatch(r"[+-]?\d+", word):
        raise ValueError(f'"{word}" is no whole number.')
    return int(word)


Whole = Annotated[int, Parameter(converter=_whole)]
File = str | Path  # the parser makes text of it, tab completion offers files
Given = Annotated[
    list[str] | None,
    Parameter(name=["--given", "-g"], negative=(), allow_leading_hyphen=True),
]
AsJson = Annotated[bool, Parameter(name="--json", negative=())]
Output = Annotated[Path | None, Parameter(name=["--output", "-o"], negative=())]
KindPairs = Annotated[list[str] | None, Parameter(name="--kind", negative=())]
Policies = Annotated[list[str] | None, Parameter(name="--policy", negative=())]
Missing = Annotated[
    list[str] | None,
    Parameter(name="--missing", negative=(), allow_leading_hyphen=True),
]
KindsFile = Annotated[Path | None, Parameter(name="--kinds")]

_WEIGHTED = re.compile(r"(.*?)(?:=\s*(\d+(?:\.\d+)?))?", re.DOTALL)


def read_kinds(pairs: list[str] | None, file: Path | None) -> dict[str, str]:
    """Join the kinds of a JSON file and of `--kind column=kind`; the latter win.

    Args:
        pairs: `column=kind` strings; the last `=` separates, so names may hold one.
        file: a JSON object from column to kind.

    Raises:
        DataError: a pair without `=`, or a file that is not such an object.

    Example:
        >>> read_kinds(["year=categorical", "a=b=count"], None)
        {'year': 'categorical', 'a=b': 'count'}
        >>> read_kinds(["year"], None)
        Traceback (most recent call last):
            ...
        anypart.base.errors.DataError: --kind 'year' is not column=kind, as in --kind year=count.

    """
    kinds = _kinds_of_file(file) if file else {}
    for pair in pairs or []:
        column, equals, kind = pair.rpartition("=")
        if not equals or not column:
            raise DataError(f"--kind {pair!r} is not column=kind, as in --kind year=count.")
        kinds[column.strip()] = kind.strip()
    return kinds


def read_weights(texts: list[str] | None) -> dict[str, float] | None:
    """Read `--policy text` and `--policy text=weight`; 1 where no weight is said.

    Example:
        >>> read_weights(["mixed", "income | *=3"])
        {'mixed': 1.0, 'income | *': 3.0}

    """
    if not texts:
        return None
    parts = [_WEIGHTED.fullmatch(text.strip()) for text in texts]
    return {part[1].strip(): float(part[2] or 1) for part in parts if part}


def _kinds_of_file(file: Path) -> dict[str, str]:
    try:
        kinds = json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise DataError(f"--kinds {file}: there is no such file.") from None
    except (OSError, UnicodeDecodeError, json.JSONDecodeError) as error:
        raise DataError(f"--kinds {file} cannot be read as JSON: {error}.") from None
    if not isinstance(kinds, dict) or not all(isinstance(k, str) for k in kinds.values()):
        raise DataError(
            f"--kinds {file} holds no JSON object of names. "
            'Write it like {"year": "categorical", "id": "key"}.'
        )
    return kinds
