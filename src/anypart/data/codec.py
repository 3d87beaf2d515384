"""`Codec`: rows of a table ↔ codes of its schema, column by column, vectorised."""

# Arrow makes its compute functions when it is imported: no checker can see them.
# pyright: reportAttributeAccessIssue=false

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from anypart.base.errors import DataError
from anypart.data.line import Line
from anypart.data.schema import Column, Kind, Schema
from anypart.data.shown import show_number
from anypart.data.values import EXACT, UNITS, flat, placed, type_named, words

OTHER = "(other)"  # how the bin of rare categories is written

Reals = NDArray[np.float64]
Codes = NDArray[np.int32]
Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Encoded:
    """Rows as codes.

    Args:
        codes: (rows, cols) code of every cell; 0 where it is not seen.
        seen: (rows, cols) cells with a value.
        log_measure: (rows,) nats; what turns the probability of the codes into a density
            of the row in the columns' own units: the sum of the log-densities of the seen
            values inside their interval cells (see `line`).
        unknown: column → cells with a value that has no code: a category never met by a
            column without a bin for those, text where numbers are, or integers beyond
            2^53. They are unseen.

    """

    codes: Codes
    seen: Mask
    log_measure: Reals
    unknown: Mapping[str, int] = field(default_factory=dict[str, int])


class Codec:
    """Values ↔ codes of one schema; column positions count the modelled columns.

    Example:
        >>> import pyarrow as pa
        >>> from anypart.data.files import read
        >>> from anypart.data.infer import infer_schema
        >>> rows = pa.table({"size": [1, 2, 3] * 9, "sort": ["a", "b", "c"] * 9})
        >>> codec = Codec(infer_schema(read(rows)))
        >>> codec.encode(pa.table({"sort": ["b"], "size": [None]})).codes[0].tolist()
        [0, 1]

    """

    def __init__(self, schema: Schema) -> None:
        self.schema = schema
        self.columns = schema.modelled
        self.n_cats = tuple(c.n_cats for c in self.columns)
        self.ordered = tuple(i for i, c in enumerate(self.columns) if c.kind.numeric)
        self._lines = {i: Line(c) for i, c in enumerate(self.columns) if c.kind.numeric}

    def encode(self, batch: pa.RecordBatch | pa.Table) -> Encoded:
        """Code the rows of a batch.

        Columns are found by name, whatever their order and types (text is parsed); absent
        columns are unseen, columns the schema does not have are not read.

        Raises:
            DataError: not one column is there, so that nothing is said of the rows.

        Cost:
            About 15 to 60 ns a cell.
        """
        shape = (batch.num_rows, len(self.columns))
        # Column by column in memory while it is made; a row at a time afterwards.
        codes = np.zeros(shape, np.int32, order="F")
        seen = np.zeros(shape, np.bool_, order="F")
        measure = np.zeros(shape[0], np.float64)
        unknown = dict[str, int]()
        names = {name: i for i, name in enumerate(batch.schema.names)}
        if names and not any(column.name in names for column in self.columns):
            raise DataError(
                f"the rows have none of the {len(self.columns)} columns of the fit "
                f"({_some(c.name for c in self.columns)}); they have {_some(names)}. Names are "
                "compared letter by letter: rename them, or give the table that was meant."
            )
        for col_ix, column in enumerate(self.columns):
            if column.name not in names:
                continue
            array = column.spelling.without_gaps(flat(batch.column(names[column.name])))
            if col_ix in self._lines:
                x, known = placed(array, column)
                if column.kind == Kind.COUNT:  # what is beyond could not be given back
                    known &= np.abs(x) < EXACT
                code, density = self._lines[col_ix].encode(x)
                measure += np.where(known, density, 0.0)
            else:
                code, known = self._categories(col_ix, array)
            codes[:, col_ix] = np.where(known, code, 0)
            seen[:, col_ix] = known
            if lost := shape[0] - int(known.sum()) - _count_missing(array):
                unknown[column.name] = lost
        return Encoded(np.ascontiguousarray(codes), np.ascontiguousarray(seen), measure, unknown)

    def _categories(self, col_ix: int, array: pa.Array) -> tuple[Codes, Mask]:
        column = self.columns[col_ix]
        spelt = words(array, type_named(column.arrow_type))
        found = pc.index_in(spelt, value_set=self._spellings[col_ix], skip_nulls=True)
        if column.arrow_type == "string" and pa.types.is_boolean(array.type):
            found = self._truths(col_ix, array, found)
        codes = np.asarray(pc.fill_null(found, -1), np.int32)
        if not column.has_other:
            return codes, codes >= 0
        present = np.asarray(pc.is_valid(spelt))
        return np.where(codes < 0, np.int32(column.n_cats - 1), codes), present

    def _truths(self, col_ix: int, array: pa.Array, found: pa.Array) -> pa.Array:
        """Find true and false under the spelling that the text column has for them."""
        lower = pa.array([c.lower() for c in self.columns[col_ix].categories])
        return pc.coalesce(found, pc.index_in(array.cast(pa.string()), value_set=lower))

    @cached_property
    def _spellings(self) -> list[pa.Array]:
        return [pa.array(c.categories, pa.string()) for c in self.columns]

    def decode(
        self,
        codes: Codes,
        seen: Mask | None,
        rng: np.random.Generator,
        spans: Mapping[int, Reals] | None = None,
    ) -> pa.Table:
        """Give codes back as values, under the schema's names and types.

        Values of intervals are drawn from the cell's density; the bin of rare categories
        is `(other)`, or null in a column that is not text.

        Args:
            codes: (rows, cols).
            seen: (rows, cols) cells with a value, the others become null; None for all.
            rng: draws the values inside intervals.
            spans: column → (n_cats, 2) part of each of its cells to draw from, as quantiles
                (`spans`), so that a condition on a value holds inside its cell too.

        Returns:
            All columns of the schema in its order; those left out of the model are null.

        Cost:
            About 5 ns a category, 50 ns a number.

        """
        arrays = list[pa.Array]()
        col_ix = -1
        for column in self.schema.columns:
            if not column.kind.modelled:
                arrays.append(pa.nulls(len(codes), type_named(column.arrow_type)))
                continue
            col_ix += 1
            code = np.ascontiguousarray(codes[:, col_ix])
            null = None if seen is None else ~seen[:, col_ix]
            if col_ix in self._lines:
                u = rng.random(len(code))
                if spans and col_ix in spans:
                    low, high = spans[col_ix][code].T
                    u = low + u * (high - low)
                x = self._lines[col_ix].values(code, u)
                arrays.append(_typed(x, null, column))
            else:
                arrays.append(self._values_of(col_ix).take(pa.array(code, mask=null)))
        return pa.Table.from_arrays(arrays, names=[c.name for c in self.schema.columns])

    def _values_of(self, col_ix: int) -> pa.Array:
        """Return the value of each code of a categorical column."""
        column = self.columns[col_ix]
        kind = type_named(column.arrow_type)
        other = [OTHER if column.arrow_type == "string" else None] * column.has_other
        return pa.array([*column.categories, *other], pa.string()).cast(kind)

    def values_at(self, col_ix: int, codes: NDArray[np.integer], u: Reals) -> Reals:
        """Return the number of each code at a quantile of its cell.

        Args:
            col_ix: a numeric column.
            codes: (n,).
            u: (n,) quantiles, in [0, 1].

        Returns:
            (n,) in the column's unit: days or seconds since 1970-01-01 for dates and times.

        """
        return self._lines[col_ix].values(np.asarray(codes), np.asarray(u, np.float64))

    def value_of(self, col_ix: int, code: int, u: float = 0.5) -> float:
        """Return the number of one code at a quantile of its cell."""
        return float(self.values_at(col_ix, np.array([code]), np.array([u]))[0])

    def spans(
        self,
        col_ix: int,
        low: float = -np.inf,
        high: float = np.inf,
        *,
        open_low: bool = False,
        open_high: bool = False,
    ) -> Reals:
        """Return the part of each cell of a numeric column that lies between two values.

        Args:
            col_ix: a numeric column.
            low: lower bound, in the column's unit.
            high: upper bound.
            open_low: `low` itself is outside (`x > low`).
            open_high: `high` itself is outside (`x < high`).

        Returns:
            (n_cats, 2) quantiles within each cell, in [0, 1]; the difference is the share
            of the cell's mass, so its logarithm is the evidence's weight, and values drawn
            with these `spans` meet the bounds.

        """
        return self._lines[col_ix].spans(low, high, open_low=open_low, open_high=open_high)

    def cell_means(self, col_ix: int) -> Reals:
        """Return the mean of the values of each cell, (n_cats,), in the column's unit."""
        return self._lines[col_ix].means()

    def cell_second_moments(self, col_ix: int) -> Reals:
        """Return the mean of the squared values of each cell, (n_cats,)."""
        return self._lines[col_ix].means(2)

    def labels(self, col_ix: int) -> tuple[str, ...]:
        """Return each code as people write it: `Female`, `40`, `[25, 30)`."""
        column = self.columns[col_ix]
        if not column.kind.numeric:
            return column.categories + (OTHER,) * column.has_other
        return tuple(
            show_number(c.low, column)
            if c.is_atom or 0 < c.high - c.low < 1.5 * column.resolution
            else f"[{show_number(c.low, column)}, {show_number(c.high, column)})"
            for c in column.cells
        )


def _some(names: Iterable[str]) -> str:
    every = list(names)
    return ", ".join(map(repr, every[:5])) + (", …" if len(every) > 5 else "")


def _typed(x: Reals, null: Mask | None, column: Column) -> pa.Array:
    """Give numbers the type of their column, and its spelling."""
    return column.spelling.write(_of_type(x, null, column))


def _of_type(x: Reals, null: Mask | None, column: Column) -> pa.Array:
    kind = type_named(column.arrow_type)
    if pa.types.is_floating(kind):
        return pa.array(x, kind, mask=null)
    if pa.types.is_date(kind):
        whole, plain = np.rint(x).astype(np.int32), pa.int32()
        return pa.array(whole, plain, mask=null).cast(pa.date32()).cast(kind)
    if pa.types.is_timestamp(kind):
        plain, x = pa.int64(), x * UNITS[kind.unit]
    elif pa.types.is_integer(kind):
        # An interval may reach past what a narrow type holds; its end is the nearest there is.
        info = np.iinfo(kind.to_pandas_dtype())
        plain, x = kind, np.clip(x, float(info.min), np.nextafter(float(info.max) + 1, 0))
    elif pa.types.is_time32(kind):
        plain = pa.int32()
    else:
        plain = pa.int64()
    whole = np.rint(x).astype(plain.to_pandas_dtype())
    return pa.array(whole, plain, mask=null).cast(kind)


def _count_missing(array: pa.Array) -> int:
    missing = array.null_count
    if pa.types.is_floating(array.type):
        missing += pc.sum(pc.is_nan(array)).as_py() or 0
    return missing
