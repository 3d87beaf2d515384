"""Hand tables over: into a file, as JSON lines, or as the first rows on the screen."""

from __future__ import annotations

import itertools
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from anypart.base.written import number
from anypart.terminal.output import print_json_lines, write_table
from anypart.terminal.screen import grid, print_json, screen

if TYPE_CHECKING:
    import pyarrow as pa

MOST_ROWS = 50  # shown on a screen; a file holds them all


def deliver(tables: Iterable[pa.Table], output: Path | None, *, as_json: bool) -> None:
    """Write tables of one schema to a file if one is named, else print them.

    Args:
        tables: at least one; consumed one at a time.
        output: where to, its format by its ending.
        as_json: print JSON lines, or what was written as one object.

    """
    if output:
        tell_written(output, write_table(tables, output), as_json=as_json)
    elif as_json:
        print_json_lines(tables, sys.stdout)
    else:
        _show(tables)


def tell_written(output: Path, n_rows: int | None, *, as_json: bool) -> None:
    """Say what was written where."""
    if as_json:
        print_json({"path": str(output), "n_rows": n_rows})
    else:
        rows = "" if n_rows is None else f": {n_rows:,} rows"
        print(f"Wrote {output}{rows}.")


def tell_unknown(unknown: Mapping[str, int]) -> None:
    """Say on stderr which columns had values that the fit has never met."""
    if unknown:
        found = ", ".join(f"{name} ({count:,})" for name, count in unknown.items())
        print(
            f"Note: values that the fit has never met count as empty cells: {found}.",
            file=sys.stderr,
        )


def as_tables(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.Table]:
    """Turn batches into tables, one at a time; none at all into a table without rows."""
    import pyarrow as pa

    empty = True
    for batch in batches:
        empty = False
        yield pa.Table.from_batches([batch])
    if empty:
        yield pa.table({})


def _show(tables: Iterable[pa.Table]) -> None:
    rest = iter(tables)
    first = next(rest)
    names = first.column_names
    drawn = grid()
    for field in first.schema:
        right = not str(field.type).startswith(("string", "large_string", "dictionary"))
        drawn.add_column(number(field.name), justify="right" if right else "left")
    shown = hidden = 0
    for table in itertools.chain([first], rest):
        part = table.slice(0, MOST_ROWS - shown)
        for row in zip(*(part.column(n).to_pylist() for n in range(len(names))), strict=True):
            drawn.add_row(*(number(value) for value in row))
        shown, hidden = shown + part.num_rows, hidden + table.num_rows - part.num_rows
    screen().print(drawn)
    if hidden:
        print(f"… and {hidden:,} rows more. Write them all with -o FILE.")
