r"""A model of some columns, with others hanging on them: a zone settles its borough.

.. math:: p(x) = p_{free}(x_{free}) \prod_d p(x_d \mid x_{host(d)})

A mixture whose components treat columns alone blurs such a rule; here it is one table, and
what a settled column says is carried to its host as weights of the host's categories. So
the answers for any part are as exact as those of the model inside.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from anypart.models.catalogue import load_model
from anypart.models.contract import Ability, Codes, Evidence, Floats, Layout, Mask, Model
from anypart.models.damage import undamaged
from anypart.models.stack import log_sum


class Settled:
    """A model of the free columns and a table for each settled one.

    Args:
        layout: all columns.
        inner: of the columns that are not settled, in their order; it takes weights.
        hosts: settled column → the free column that it hangs on.
        tables: settled column → (n_cats of its host, its own n_cats) log-probabilities, nats,
            all finite, rows sum to 1.

    Cost:
        That of the model inside, and O(rows · n_cats of host and settled column).

    """

    family = "settled"

    def __init__(
        self,
        layout: Layout,
        inner: Model,
        hosts: Mapping[int, int],
        tables: Mapping[int, NDArray[np.float32]],
    ) -> None:
        self.layout, self.inner = layout, inner
        self.hosts, self.tables = dict(hosts), dict(tables)
        self.free = free_columns(layout, hosts)
        self._place = {column: at for at, column in enumerate(self.free)}
        self.ability: Ability = inner.ability

    def log_prob(self, evidence: Evidence) -> NDArray[np.float64]:
        """Log-probability of each row's event, (rows,), nats; the rest summed out."""
        given, beside = self._carried(evidence)
        return self.inner.log_prob(given) + beside

    def _carried(self, evidence: Evidence) -> tuple[Evidence, NDArray[np.float64]]:
        """Return what the event says of the free columns, and what known hosts make of it.

        Returns:
            Evidence of the free columns, and (rows,) log-probability of the settled columns
            in the rows whose host has one value.

        """
        seen = evidence.seen[:, self.free]
        weights = {self._place[c]: w for c, w in evidence.weights.items() if c in self._place}
        beside = np.zeros(evidence.n_rows)
        codes = evidence.codes[:, self.free]
        for column, host in self.hosts.items():
            told = self._told(evidence, column)
            if told is None:
                continue
            at, known = self._place[host], evidence.seen[:, host]
            rows = np.flatnonzero(known)
            wide = np.broadcast_to(told, (evidence.n_rows, told.shape[1]))
            beside[rows] += wide[rows, codes[rows, at]]
            if known.all():
                continue
            if at not in weights:
                # A column of weights has no seen cells: one value is a weight for it alone.
                weights[at] = _only(codes[:, at], known, told.shape[1])
                seen[:, at] = False
            weights[at] = weights[at] + np.where(known[:, None], 0.0, told)
        return Evidence(codes, seen, weights), beside

    def _told(self, evidence: Evidence, column: int) -> Floats | None:
        """What is said of a settled column, as log-weights of its host, (rows or 1, n_cats)."""
        table = self.tables[column]
        if column in evidence.weights:
            return log_sum(table + evidence.weights[column][:, None, :], 2)
        said = evidence.seen[:, column]
        if not said.any():
            return None
        return np.where(said[:, None], table.T[np.where(said, evidence.codes[:, column], 0)], 0.0)

    def conditional(self, evidence: Evidence) -> NDArray[np.float32]:
        """Log-probabilities of every cell given the event, one at a time, (rows, flat)."""
        given, _ = self._carried(evidence)
        out = self._spread(self.inner.conditional(given))
        for column, host in self.hosts.items():
            cell = self._given_host(out[:, self.layout.slices[host]], evidence, column)
            place, said = self.layout.slices[column], evidence.seen[:, column]
            cell[said] = -np.inf
            cell[said, evidence.codes[said, column]] = 0.0
            out[:, place] = cell
        return out

    def _spread(self, inner: NDArray[np.float32]) -> NDArray[np.float32]:
        """Put cells of the free columns at their places among all columns."""
        out = np.empty((len(inner), self.layout.total), np.float32)
        for column, place in zip(self.free, self.inner.layout.slices, strict=True):
            out[:, self.layout.slices[column]] = inner[:, place]
        return out

    def _given_host(self, host: Floats, evidence: Evidence, column: int) -> NDArray[np.float32]:
        """Log-probabilities of a settled column by those of its host given all that is said.

        What the column itself says is in them already, so it is taken out of each category
        and put in again as weights of its own.
        """
        weights = evidence.weights.get(column)
        if weights is not None:
            told = log_sum(self.tables[column] + weights[:, None, :], 2)
            host = np.where(np.isneginf(host), host, host - told)
        logs = _times(host, self.tables[column])
        if weights is None:
            return logs
        logs = logs + weights
        return (logs - log_sum(logs, 1)[:, None]).astype(np.float32)

    def leave_one_out(self, codes: Codes, seen: Mask) -> NDArray[np.float32]:
        """Log-probabilities of every cell given the *other* seen cells, (rows, flat).

        Cost:
            As for the model inside; where a settled cell is seen and its host is not, a
            conditional for each seen cell.
        """
        out = self._spread(self.inner.leave_one_out(codes[:, self.free], seen[:, self.free]))
        for column, host in self.hosts.items():
            table, known = self.tables[column], seen[:, host]
            cell = out[:, self.layout.slices[host]]
            out[:, self.layout.slices[column]] = np.where(
                known[:, None], table[np.where(known, codes[:, host], 0)], _times(cell, table)
            )
        for column, host in self.hosts.items():
            place, said = self.layout.slices[host], seen[:, column]
            told = out[said, place] + self.tables[column].T[codes[said, column]]
            out[said, place] = told - log_sum(told, 1)[:, None]
        # There a settled cell speaks for its host to all others, which a leave-one-out of the
        # model inside does not hear.
        speaks = np.zeros(len(codes), np.bool_)
        for column, host in self.hosts.items():
            speaks |= seen[:, column] & ~seen[:, host]
        rows = np.flatnonzero(speaks)
        if len(rows):
            out[rows] = self._one_by_one(Evidence(codes[rows], seen[rows]))
        return out

    def _one_by_one(self, evidence: Evidence) -> NDArray[np.float32]:
        """Leave each seen cell out by itself and ask what it is."""
        out = self.conditional(evidence)
        for column, place in enumerate(self.layout.slices):
            rows = np.flatnonzero(evidence.seen[:, column])
            if len(rows):
                others = evidence.rows(rows)
                others.seen[:, column] = False
                out[rows, place] = self.conditional(others)[:, place]
        return out

    def sample(self, evidence: Evidence, rng: np.random.Generator) -> Codes:
        """Draw the unseen and weighted cells of each row jointly; seen ones stay."""
        given, _ = self._carried(evidence)
        drawn = evidence.codes.astype(np.int32)
        drawn[:, self.free] = self.inner.sample(given, rng)
        for column, host in self.hosts.items():
            logs = self.tables[column][drawn[:, host]].astype(np.float64)
            if column in evidence.weights:
                logs = logs + evidence.weights[column]
            levels = np.cumsum(np.exp(logs), axis=1)
            found = (rng.random((len(levels), 1)) * levels[:, -1:] >= levels).sum(1)
            drawn[:, column] = np.where(evidence.seen[:, column], drawn[:, column], found)
        return drawn

    def represent(self, evidence: Evidence) -> NDArray[np.float32]:
        """Return the vectors of the model inside, (rows, dims)."""
        return self.inner.represent(self._carried(evidence)[0])

    def state(self) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
        """Return the settings as JSON, and the arrays of the model inside and of the tables."""
        about, arrays = self.inner.state()
        settings = {
            "n_cats": list(self.layout.n_cats),
            "hosts": sorted([c, h] for c, h in self.hosts.items()),
            "inner": {"family": self.inner.family, "settings": about},
        }
        own = {f"table.{c}": t for c, t in self.tables.items()}
        return settings, own | {f"inner.{name}": a for name, a in arrays.items()}

    @classmethod
    def from_state(cls, settings: dict[str, Any], arrays: Mapping[str, NDArray[Any]]) -> Model:
        """Build the model that `state` described.

        Raises:
            SavedFitError: settings and arrays do not fit together.

        """
        with undamaged(cls.family):
            layout = Layout(tuple(map(int, settings["n_cats"])))
            hosts = {int(c): int(h) for c, h in settings["hosts"]}
            tables = {c: arrays[f"table.{c}"] for c in hosts}
            right = {c: (layout.n_cats[h], layout.n_cats[c]) for c, h in hosts.items()}
            found = {c: t.shape for c, t in tables.items()}
            if found != right or not all(np.isfinite(t).all() for t in tables.values()):
                raise ValueError(f"finite tables of {right} expected, {found} found")
            own = {k[6:]: a for k, a in arrays.items() if k.startswith("inner.")}
            inner = load_model(settings["inner"]["family"], settings["inner"]["settings"], own)
            if inner.layout != _part(layout, free_columns(layout, hosts)):
                raise ValueError("the model inside has other columns")
        return cls(layout, inner, hosts, tables)


def free_columns(layout: Layout, hosts: Mapping[int, int]) -> list[int]:
    """List the columns that no other one settles."""
    return [c for c in range(layout.n_cols) if c not in hosts]


def _part(layout: Layout, columns: list[int]) -> Layout:
    return Layout(tuple(layout.n_cats[c] for c in columns))


def _only(codes: NDArray[np.int32], known: Mask, n_cats: int) -> NDArray[np.float64]:
    """Log-weights that leave known cells their value and others all, (rows, n_cats)."""
    weights = np.where(known[:, None], -np.inf, np.zeros((len(codes), n_cats)))
    weights[known, codes[known]] = 0.0
    return weights


def _times(logs: Floats, table: NDArray[np.float32]) -> NDArray[np.float32]:
    """Logs of exp(logs) @ exp(table), for rows of any scale, made to sum to 1."""
    top = logs.max(axis=1, keepdims=True)
    shares = np.exp(logs - np.where(np.isfinite(top), top, 0.0)) @ np.exp(table)
    with np.errstate(divide="ignore"):
        return np.log(shares / shares.sum(axis=1, keepdims=True)).astype(np.float32)
