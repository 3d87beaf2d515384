"""What a table's columns are: kinds, categories, cells; fixed before fitting, immutable."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from anypart.data.spelling import PLAIN, Spelling


class Kind(StrEnum):
    """The kinds of columns; the last three are left out of the model."""

    BINARY = "binary"
    CATEGORICAL = "categorical"
    COUNT = "count"  # integers
    CONTINUOUS = "continuous"
    DATE = "date"  # days since 1970-01-01
    TIME = "time"  # timestamps, seconds since 1970-01-01
    KEY = "key"
    CONSTANT = "constant"
    TEXT = "text"

    @property
    def modelled(self) -> bool:
        """Whether such columns are part of p(row)."""
        return self not in (Kind.KEY, Kind.CONSTANT, Kind.TEXT)

    @property
    def numeric(self) -> bool:
        """Whether the values lie on a line (dates and times too, as numbers)."""
        return self in (Kind.COUNT, Kind.CONTINUOUS, Kind.DATE, Kind.TIME)


@dataclass(frozen=True)
class Cell:
    """One code of a numeric column: an atom (low == high) or the interval [low, high).

    The intervals of a column follow on each other without gaps; atoms lie inside or
    beside them, and the value of an atom is no part of the interval around it.

    Args:
        low, high: bounds, in the column's unit.
        knots: inner quantiles of the training values in the interval, ascending; between
            neighbouring knots (low and high included) the density is uniform, and each
            such piece holds the same mass.
        tail: share of the cell's mass beyond the outer bound, exponential (geometric on
            a grid); below the first interval, above the last, half each if it is both.

    """

    low: float
    high: float
    knots: tuple[float, ...] = ()
    tail: float = 0.0

    @property
    def is_atom(self) -> bool:
        """Whether the cell is one value."""
        return self.low == self.high


@dataclass(frozen=True)
class Column:
    """One column of a table.

    Args:
        name: as in the table.
        kind: how it is modelled.
        reason: why it has this kind, for people.
        categories: the values by code, for binary and categorical columns; the last may
            be the bin of rare and unseen values (`has_other`).
        has_other: the last code stands for every value not in `categories`.
        cells: the cells by code, for numeric columns, ascending by their middle.
        resolution: spacing of the grid the values lie on (1 for integers), 0 if none.
        n_missing: rows of the training table without a value.
        arrow_type: the type to give values back in, as Arrow spells it.
        spelling: how text stands for its values; what is not plain is given back as text.

    """

    name: str
    kind: Kind
    reason: str
    categories: tuple[str, ...] = ()
    has_other: bool = False
    cells: tuple[Cell, ...] = ()
    resolution: float = 0.0
    n_missing: int = 0
    arrow_type: str = "string"
    spelling: Spelling = PLAIN

    @property
    def n_cats(self) -> int:
        """Count the codes; 0 for a column that is left out."""
        return len(self.cells) if self.kind.numeric else len(self.categories) + self.has_other


@dataclass(frozen=True)
class Schema:
    """The columns of a table, in its order.

    Args:
        columns: every column, the left-out ones too.
        n_rows: rows seen when it was inferred.

    """

    columns: tuple[Column, ...]
    n_rows: int

    def __repr__(self) -> str:
        """Show every column in one line, not its cells."""
        lines = [f"  {c.name}: {c.kind}, {c.reason}" for c in self.columns]
        return "\n".join([f"{self.n_rows:,} rows, {len(self.columns):,} columns", *lines])

    @property
    def modelled(self) -> tuple[Column, ...]:
        """The columns that are part of p(row), in order: the axis `cols` of codes."""
        return tuple(c for c in self.columns if c.kind.modelled)
