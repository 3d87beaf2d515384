"""What conditions mean for a model: conditions → codes, weights and parts of cells.

Equality on categories is a seen code. On a line, a condition is a set of numbers, and each
cell counts with the share of its mass inside the set. One value that lies inside an
interval has a share only on a grid (the mass of its grid point); on a continuous column it
has none, and then the cell counts with the density of the value, per unit: what follows
from the value is the same, but its own probability is a density.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from anypart.base.errors import ColumnError, QuestionError, suggest
from anypart.data.codec import OTHER, Codec
from anypart.data.line import Line
from anypart.data.schema import Column
from anypart.models.contract import Evidence
from anypart.queries.conditions import Condition, Given, parse_conditions
from anypart.queries.intervals import EVERYTHING, Numbers, meet, number, of_condition
from anypart.queries.numeric import Points, points_of


@dataclass(frozen=True)
class Part:
    """What a question allows of one column.

    Args:
        shares: (n_cats,) share of each code's mass, or density per unit, that is allowed.
        is_density: whether the shares are densities.
        allowed: the numbers, for a column on a line.

    """

    shares: NDArray[np.float64]
    is_density: bool = False
    allowed: Numbers = EVERYTHING

    @property
    def code(self) -> int | None:
        """The one code that is possible, if there is only one."""
        possible = np.flatnonzero(self.shares > 0)
        return int(possible[0]) if len(possible) == 1 else None


@dataclass(frozen=True)
class Event:
    """All that conditions say, one part for each column they name.

    Args:
        parts: column position → what is allowed.
        text: the conditions, spelt.

    """

    parts: Mapping[int, Part] = field(default_factory=dict[int, Part])
    text: str = ""

    @property
    def is_density(self) -> bool:
        """Whether its probability is a density, for a value has no mass."""
        return any(p.is_density for p in self.parts.values())

    def onto(self, base: Evidence) -> tuple[Evidence, NDArray[np.float64]]:
        """Add the event to what is known of some rows.

        A cell that is seen already has to meet the event: if its code is possible, its
        share is a factor, and if not the row has probability 0.

        Returns:
            The evidence, and a log-factor of each row's probability, (rows,).

        """
        codes, seen, weights = base.codes.copy(), base.seen.copy(), dict(base.weights)
        factor = np.zeros(base.n_rows)
        for at, part in self.parts.items():
            with np.errstate(divide="ignore"):
                log_shares = np.log(part.shares)
            there = seen[:, at]
            factor[there] += log_shares[codes[there, at]]
            if part.code is not None:
                codes[~there, at] = part.code
                factor[~there] += log_shares[part.code]
                seen[:, at] = True
            elif there.any():
                # Seen in some rows only: one weight table a row, and no seen cell.
                table = np.where(there[:, None], -np.inf, log_shares)
                table[there, codes[there, at]] = 0.0
                weights[at] = table
                seen[:, at] = False
            else:
                weights[at] = log_shares[None]
        return Evidence(codes, seen, weights), factor


@dataclass(frozen=True)
class Reader:
    """Reads questions about the columns of a codec."""

    codec: Codec

    @property
    def columns(self) -> tuple[Column, ...]:
        """The columns of the model, in order."""
        return self.codec.columns

    @cached_property
    def position(self) -> dict[str, int]:
        """Where each column of the model stands."""
        return {c.name: at for at, c in enumerate(self.columns)}

    @cached_property
    def _lines(self) -> dict[int, Line]:
        return {}

    def line(self, at: int) -> Line:
        """Return the line of a numeric column."""
        if at not in self._lines:
            self._lines[at] = Line(self.columns[at])
        return self._lines[at]

    @cached_property
    def _points(self) -> dict[int, Points]:
        return {}

    def points(self, at: int) -> Points:
        """Return the values inside the cells of a numeric column."""
        if at not in self._points:
            self._points[at] = points_of(self.codec, at)
        return self._points[at]

    def find(self, name: str) -> int:
        """Return where a column of the model stands.

        Raises:
            ColumnError: there is no such column, or it is left out of the model.

        """
        if name in self.position:
            return self.position[name]
        for column in self.codec.schema.columns:
            if column.name == name:
                raise ColumnError(
                    f"{name!r} is left out of the model: it is a {column.kind.value} column "
                    f"({column.reason}). Ask about another, or fit again with another kind for it."
                )
        raise ColumnError(
            f"The fit has no column {name!r} ({len(self.columns)} columns)."
            f"{suggest(name, self.position)}"
        )

    def find_all(self, names: Iterable[str]) -> tuple[int, ...]:
        """Return where columns stand, each named once."""
        found = [self.find(n) for n in names]
        for name in (self.columns[at].name for at in found if found.count(at) > 1):
            raise QuestionError(f"{name!r} is asked twice. Name each column once.")
        return tuple(found)

    def event(self, given: Given) -> Event:
        """Read conditions.

        Raises:
            QuestionError: a condition that has no meaning, or conditions that no row meets.
            ColumnError: a column that is not there.

        """
        conditions = parse_conditions(given, [c.name for c in self.codec.schema.columns])
        by_column: dict[int, list[Condition]] = {}
        for condition in conditions:
            by_column.setdefault(self.find(condition.column), []).append(condition)
        parts = {at: self._part(at, some) for at, some in by_column.items()}
        return Event(parts, " and ".join(map(str, conditions)))

    def _part(self, at: int, conditions: list[Condition]) -> Part:
        column = self.columns[at]
        part = (self._numbers if column.kind.numeric else self._categories)(at, conditions)
        if not (part.shares > 0).any():
            said = " and ".join(map(str, conditions))
            more = "the conditions contradict each other" if len(conditions) > 1 else ""
            raise QuestionError(
                f"No value of {column.name!r} meets {said!r}: "
                f"{more or 'it lies outside everything the fit knows'}. Change the conditions."
            )
        return part

    def _numbers(self, at: int, conditions: list[Condition]) -> Part:
        column = self.columns[at]
        allowed = EVERYTHING
        for c in conditions:
            values = tuple(number(v, column) for v in c.values)
            allowed = meet(allowed, of_condition(c.op, values))
        shares = self._shares(at, allowed)
        points = np.array([i.low for i in allowed if i.is_point])
        if shares.any() or not len(points) or len(points) < len(allowed):
            return Part(shares, allowed=allowed)
        codes, log_density = self.line(at).encode(points)
        np.add.at(shares, codes, np.exp(log_density))
        return Part(shares, is_density=True, allowed=allowed)

    def _shares(self, at: int, allowed: Numbers) -> NDArray[np.float64]:
        """Return the share of each cell's mass in a set, (n_cats,).

        The tails beyond the outermost intervals count whole, with what lies next to them.
        """
        cells, line = self.columns[at].cells, self.line(at)
        kept = np.array([1.0 - c.tail for c in cells])
        low, high = cells[line.owner[0]].low, cells[line.owner[-1]].high
        shares = np.zeros(len(cells))
        for i, span in zip(allowed, self.spans(at, allowed), strict=True):
            width = span[:, 1] - span[:, 0]
            shares += width * kept
            if i.low < low < i.high:
                shares[line.owner[0]] += line.tails[0]
            if i.low < high < i.high:
                shares[line.owner[-1]] += line.tails[2]
        return np.clip(shares, 0.0, 1.0)

    def spans(self, at: int, allowed: Numbers) -> list[NDArray[np.float64]]:
        """Return the part of each cell in each interval, as quantiles (n_cats, 2)."""
        out: list[NDArray[np.float64]] = []
        for i in allowed:
            low, high = _finite(i.low), _finite(i.high)
            span = self.codec.spans(at, low, high, open_low=i.open_low, open_high=i.open_high)
            if i.is_point and not self.columns[at].resolution:
                # A point has no mass on the whole line, beyond what rounding gives it.
                span[:, 1] = np.where(self._is_atom(at), span[:, 1], span[:, 0])
            out.append(span)
        return out

    def _is_atom(self, at: int) -> NDArray[np.bool_]:
        return np.array([c.is_atom for c in self.columns[at].cells])

    def _categories(self, at: int, conditions: list[Condition]) -> Part:
        column = self.columns[at]
        shares = np.ones(column.n_cats)
        for c in conditions:
            if c.op not in ("=", "!=", "in", "not in"):
                raise QuestionError(
                    f"{c.column!r} has categories, which have no order, so {str(c)!r} has no "
                    f"meaning. Write '{c.column} = value' or '{c.column} in (value, ...)', and "
                    "put a value with < or > in quotes."
                )
            named = np.zeros(column.n_cats, np.bool_)
            named[[category(v, column) for v in c.values]] = True
            shares[named if c.op in ("!=", "not in") else ~named] = 0.0
        return Part(shares)


def _finite(bound: float) -> float:
    """Take a bound beyond every value for no bound: grids do not divide infinity."""
    return float(np.clip(bound, -1e290, 1e290))


def category(value: Any, column: Column) -> int:
    """Return the code of a category named in a condition.

    Raises:
        QuestionError: the column has no such category.

    """
    text = str(value).strip()
    if text in column.categories:
        return column.categories.index(text)
    if column.has_other and text.lower() == OTHER:
        return len(column.categories)
    folded = [c.strip().lower() for c in column.categories]
    if folded.count(text.lower()) == 1:
        return folded.index(text.lower())
    if text.endswith(".0") and text[:-2] in column.categories:
        return column.categories.index(text[:-2])
    shown = ", ".join(column.categories[:8]) + (", …" if len(column.categories) > 8 else "")
    rare = f" Rare and unseen values together are called {OTHER}." if column.has_other else ""
    raise QuestionError(
        f"{column.name!r} has no category {text!r} (it has {len(column.categories)}: {shown})."
        f"{suggest(text, column.categories)}{rare}"
    )
