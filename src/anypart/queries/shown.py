"""What a Python prompt and a notebook show of an answer: its first rows, as rows."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from anypart.base.written import cell_width, number

MOST_ROWS = 12
MOST_WIDTH = 88  # characters beside each other


def as_text(value: Any) -> str:
    """Write the value of an answer in a few lines.

    Args:
        value: a number, an array, or a table; pandas and Polars write their own.

    Example:
        >>> print(as_text(pa.table({"value": ["no", "yes"], "probability": [0.25, 0.75]})))
        value  probability
        no            0.25
        yes           0.75

    """
    if isinstance(value, pa.Table):
        return "\n".join(_lines(value))
    if isinstance(value, np.ndarray):
        return np.array2string(value, precision=5, threshold=MOST_ROWS)
    return number(float(value)) if isinstance(value, np.floating | float) else repr(value)


def as_html(value: Any) -> str:
    """Write the same for a notebook, with tables as tables."""
    if isinstance(value, pa.Table):
        names, *rows = ([html.escape(cell) for cell in row] for row in _cells(value))
        head = "".join(f"<th>{name}</th>" for name in names)
        body = "".join("<tr>" + "".join(f"<td>{c}</td>" for c in row) + "</tr>" for row in rows)
        table = f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
        return table + "".join(f"<p>{line}</p>" for line in _hidden_rows(value))
    own = getattr(value, "_repr_html_", None)
    return (own and own()) or f"<pre>{html.escape(as_text(value))}</pre>"


def numbers_of(details: Mapping[str, Any]) -> str:
    """Write those details that are single numbers in one line."""
    return ", ".join(
        f"{name} {number(x)}" for name, x in details.items() if isinstance(x, int | float)
    )


def _cells(table: pa.Table) -> list[list[str]]:
    """Return the names and the first rows, as they are read."""
    first = table.slice(0, MOST_ROWS)
    rows = zip(*(column.to_pylist() for column in first.columns), strict=True)
    return [table.column_names, *([number(x) for x in row] for row in rows)]


def _hidden_rows(table: pa.Table) -> list[str]:
    hidden = table.num_rows - MOST_ROWS
    return [f"… and {hidden:,} rows more in .value"] if hidden > 0 else []


def _lines(table: pa.Table) -> list[str]:
    """Align columns; those that do not fit beside each other are counted."""
    columns = [
        _aligned(cells, right=_is_number(field.type))
        for field, cells in zip(table.schema, zip(*_cells(table), strict=True), strict=True)
    ]
    ends = np.cumsum([cell_width(cells[0]) + 2 for cells in columns]) - 2
    fit = max(int((ends <= MOST_WIDTH).sum()), 1)
    lines = ["  ".join(row).rstrip() for row in zip(*columns[:fit], strict=True)]
    beside = [f"… and {len(columns) - fit:,} columns more in .value"] if fit < len(columns) else []
    return [*lines, *_hidden_rows(table), *beside]


def _aligned(cells: Sequence[str], *, right: bool) -> list[str]:
    widths = [cell_width(c) for c in cells]
    gaps = [" " * (max(widths) - width) for width in widths]
    return [gap + c if right else c + gap for c, gap in zip(cells, gaps, strict=True)]


def _is_number(kind: pa.DataType) -> bool:
    return pa.types.is_floating(kind) or pa.types.is_integer(kind)
