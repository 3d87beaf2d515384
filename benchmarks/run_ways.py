"""The ways to the longest run that are held beside each other."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from anypart.data.runs import longest_run, runs

Values = NDArray[np.int64]
Way = Callable[[Values], int]


def polars_way(values: Values) -> int:
    import polars as pl

    v = pl.Series("v", values).to_frame().lazy().unique().sort("v")
    islands = v.with_columns(g=(pl.col("v").diff() != 1).fill_null(value=True).cum_sum())
    return islands.group_by("g").len().collect()["len"].max()  # type: ignore[return-value]


def duckdb_way(values: Values) -> int:
    import duckdb

    with duckdb.connect(config={"threads": 1}) as at:
        at.register("t", {"v": values})
        found = at.sql(
            "select max(c) from (select count(*) c from (select v::hugeint - row_number() over "
            "(order by v) g from (select distinct v from t)) group by g)"
        ).fetchall()
    return found[0][0]


def pandas_way(values: Values) -> int:
    import pandas as pd

    v = pd.Series(values).drop_duplicates().sort_values()
    return int(v.groupby((v.diff() != 1).cumsum()).size().max())


def set_way(values: Values) -> int:
    there, best = set(values.tolist()), 0
    for value in there:
        if value - 1 not in there:
            stop = value + 1
            while stop in there:
                stop += 1
            best = max(best, stop - value)
    return best


@cache
def bits() -> Callable[[NDArray[np.uint64], NDArray[np.uint64]], None]:
    """Set a bit for each value, and nothing else: no check of a range, no zeros, no search."""
    import numba

    def loop(keys: Any, found: Any) -> None:
        for key in keys:
            found[key >> np.uint64(6)] |= np.uint64(1) << (key & np.uint64(63))

    return numba.njit(loop)


def bare_bits(values: Values) -> int:
    """Set the bits of dense values below ten million."""
    bits()(values.view(np.uint64), _BITMAP)
    return 0


_BITMAP = np.zeros(10**7 // 64 + 1, np.uint64)
WAYS: dict[str, Way] = {
    "setting bits alone": bare_bits,
    "`np.sort` alone": lambda v: len(np.sort(v)),
    "anypart": lambda v: longest_run(v).length,
    "anypart, method='sort'": lambda v: longest_run(v, method="sort").length,
    "anypart, all runs": lambda v: runs(v).longest.length,
    "polars, one thread": polars_way,
    "duckdb, one thread": duckdb_way,
    "pandas": pandas_way,
    "Python set": set_way,
}
