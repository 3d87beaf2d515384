"""Tables in and out: any table is read through Arrow, and given back as what it was."""

from __future__ import annotations

from typing import Any

import pyarrow as pa


def kind_of(source: Any) -> str:
    """Name the library a table belongs to: `pandas`, `polars`, or `arrow` for all others."""
    module = type(source).__module__.partition(".")[0]
    return module if module in ("pandas", "polars") else "arrow"


def give_back(table: pa.Table, kind: str) -> Any:
    """Turn an Arrow table into a table of the library that `kind_of` named."""
    if kind == "pandas":
        return table.to_pandas()
    if kind == "polars":
        import polars

        return polars.from_arrow(table)
    return table
