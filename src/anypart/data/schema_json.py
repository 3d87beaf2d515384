"""A schema as JSON and back, checked on the way in."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict
from itertools import pairwise
from typing import Any

import pyarrow as pa

from anypart.base.errors import SavedFitError
from anypart.data.schema import Cell, Column, Kind, Schema
from anypart.data.spelling import Spelling
from anypart.data.values import type_named

FORMAT = "anypart schema"
VERSION = 1


def schema_to_json(schema: Schema) -> dict[str, Any]:
    """Write a schema as plain dicts, lists, strings and numbers.

    Cells are `[low, high, knots, tail]`; doubles survive, as JSON writes them shortest.
    """
    columns = [asdict(c) | {"kind": c.kind.value} for c in schema.columns]
    for written, column in zip(columns, schema.columns, strict=True):
        written["categories"] = list(column.categories)
        written["cells"] = [[c.low, c.high, list(c.knots), c.tail] for c in column.cells]
    return {"format": FORMAT, "version": VERSION, "n_rows": schema.n_rows, "columns": columns}


def schema_from_json(saved: Mapping[str, Any]) -> Schema:
    """Build the schema that `schema_to_json` wrote.

    Raises:
        SavedFitError: something else, a newer version, or a schema that contradicts itself.

    """
    try:
        if saved["format"] != FORMAT:
            raise SavedFitError(f"this is {saved['format']!r}, not {FORMAT!r}.")
        if saved["version"] != VERSION:
            raise SavedFitError(
                f"the schema has format version {saved['version']}, this anypart reads {VERSION}. "
                "Use the version of anypart that saved it, or a newer one."
            )
        columns = tuple(_column(c) for c in saved["columns"])
        if len({c.name for c in columns}) != len(columns):
            raise ValueError("two columns have the same name")
        return Schema(columns, int(saved["n_rows"]))
    except SavedFitError:
        raise
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError, pa.ArrowException) as e:
        raise SavedFitError(
            f"the saved schema is damaged ({type(e).__name__}: {e}). Fit again, or restore the "
            "file from a copy."
        ) from None


def _column(saved: Mapping[str, Any]) -> Column:
    column = Column(
        name=_text(saved["name"]),
        kind=Kind(saved["kind"]),
        reason=_text(saved["reason"]),
        categories=tuple(_text(c) for c in saved["categories"]),
        has_other=bool(saved["has_other"]),
        cells=tuple(_cell(*c) for c in saved["cells"]),
        resolution=float(saved["resolution"]),
        n_missing=int(saved["n_missing"]),
        arrow_type=_text(saved["arrow_type"]),
        spelling=_spelling(**saved.get("spelling", {})),
    )
    type_named(column.arrow_type)
    if column.kind.modelled and column.n_cats < 1:
        raise ValueError(f"column {column.name!r} has no codes")
    if column.kind.numeric:
        _check_cells(column)
    return column


def _spelling(*, gaps: Any = (), places: Any = -1, **parts: Any) -> Spelling:
    spelling = Spelling(tuple(map(_text, gaps)), places=int(places), **parts)
    for part in parts.values():
        _text(part)
    spelling.read(pa.array([], pa.string()))  # a pattern that cannot be is refused here
    return spelling


def _check_cells(column: Column) -> None:
    intervals = sorted((c for c in column.cells if not c.is_atom), key=lambda c: c.low)
    bounds = [b for c in intervals for b in (c.low, *c.knots, c.high)]
    joined = all(a.high == b.low for a, b in pairwise(intervals))
    numbers = [*bounds, *(c.low for c in column.cells), column.resolution]
    if not intervals or not joined or bounds != sorted(bounds):
        raise ValueError(f"the intervals of column {column.name!r} do not follow on each other")
    if not all(map(math.isfinite, numbers)) or column.resolution < 0:
        raise ValueError(f"column {column.name!r} has bounds that are no numbers")


def _cell(low: Any, high: Any, knots: Any, tail: Any) -> Cell:
    return Cell(float(low), float(high), tuple(float(k) for k in knots), float(tail))


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{value!r} is no text")
    return value
