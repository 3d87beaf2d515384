"""A small table, an exact model of it by enumeration, and fits to ask."""

from __future__ import annotations

import itertools

import numpy as np
import pyarrow as pa
import pytest

from anypart.data.codec import Codec
from anypart.data.files import read
from anypart.data.infer import infer_schema
from anypart.models.contract import Ability, Evidence, Layout
from anypart.models.hidden_tree import HiddenTree
from anypart.models.latent_tree.model import TreeParts
from anypart.models.latent_tree.shape import Shape
from anypart.models.stack import Stack
from anypart.queries.fitted import Fitted
from anypart.queries.gaps import Gaps, count_gaps


def make_table(n: int = 600) -> pa.Table:
    rng = np.random.default_rng(5)
    sex = rng.choice(["Female", "Male"], n)
    age = np.clip(rng.normal(40, 12, n).round(), 17, 90).astype(int)
    gain = np.where(rng.random(n) < 0.7, 0.0, rng.lognormal(2, 1, n)).round(6)
    country = np.where(age > 45, rng.choice(["Peru", "Chile"], n), "B, C")
    return pa.table(
        {
            "sex": sex,
            "age": pa.array(age, mask=rng.random(n) < 0.1),
            "gain": pa.array(gain, mask=rng.random(n) < 0.1),
            "country": pa.array(country, mask=rng.random(n) < 0.1),
        }
    )


class Enumerated:
    """p(row) as one table over every combination: slow and obvious."""

    family = "enumerated"

    def __init__(self, n_cats: tuple[int, ...], p: np.ndarray, *, weighted: bool = True) -> None:
        self.layout = Layout(n_cats)
        self.ability = Ability(any_part=True, weighted=weighted)
        self.p = p / p.sum()

    def _event(self, evidence: Evidence, row: int, skip: int = -1) -> np.ndarray:
        mass = self.p
        for c, n in enumerate(self.layout.n_cats):
            if c == skip:
                continue
            shape = [1] * self.layout.n_cols
            shape[c] = n
            if evidence.seen[row, c]:
                mass = mass * (np.arange(n) == evidence.codes[row, c]).reshape(shape)
            elif c in evidence.weights:
                w = evidence.weights[c]
                mass = mass * np.exp(w[row if len(w) > 1 else 0]).reshape(shape)
        return mass

    def log_prob(self, evidence: Evidence) -> np.ndarray:
        assert self.ability.weighted or not evidence.weights
        with np.errstate(divide="ignore"):
            return np.log([self._event(evidence, r).sum() for r in range(evidence.n_rows)])

    def _cells(self, mass: np.ndarray, c: int) -> np.ndarray:
        other = tuple(i for i in range(self.layout.n_cols) if i != c)
        with np.errstate(divide="ignore"):
            return np.log(mass.sum(axis=other) / mass.sum())

    def conditional(self, evidence: Evidence) -> np.ndarray:
        assert self.ability.weighted or not evidence.weights
        rows = [self._event(evidence, r) for r in range(evidence.n_rows)]
        cols = range(self.layout.n_cols)
        return np.array([np.concatenate([self._cells(m, c) for c in cols]) for m in rows])

    def leave_one_out(self, codes: np.ndarray, seen: np.ndarray) -> np.ndarray:
        e = Evidence(codes, seen)
        cols = range(self.layout.n_cols)
        return np.array(
            [
                np.concatenate([self._cells(self._event(e, r, c), c) for c in cols])
                for r in range(len(codes))
            ]
        )

    def sample(self, evidence: Evidence, rng: np.random.Generator) -> np.ndarray:
        assert self.ability.weighted or not evidence.weights
        out = np.empty((evidence.n_rows, self.layout.n_cols), np.int32)
        for r in range(evidence.n_rows):
            mass = self._event(evidence, r).ravel()
            at = rng.choice(len(mass), p=mass / mass.sum())
            out[r] = np.unravel_index(at, self.layout.n_cats)
        return out

    def represent(self, evidence: Evidence) -> np.ndarray:
        return np.exp(self.conditional(evidence)).astype(np.float32)

    def state(self):  # type: ignore[no-untyped-def]
        return {}, {"p": self.p}


@pytest.fixture(scope="session")
def table() -> pa.Table:
    return make_table()


@pytest.fixture(scope="session")
def schema(table: pa.Table):  # type: ignore[no-untyped-def]
    return infer_schema(read(table))


def tie(codec: Codec, table: pa.Table, *, weighted: bool = True) -> Enumerated:
    """A joint of smoothed products of neighbouring columns, so that nothing is independent."""
    encoded = codec.encode(table)
    rng = np.random.default_rng(3)
    p = np.ones(codec.n_cats)
    for a, b in itertools.pairwise(range(len(codec.n_cats))):
        pair = np.full((codec.n_cats[a], codec.n_cats[b]), 0.3)
        both = encoded.seen[:, a] & encoded.seen[:, b]
        np.add.at(pair, (encoded.codes[both, a], encoded.codes[both, b]), 1)
        shape = [1] * len(codec.n_cats)
        shape[a], shape[b] = pair.shape
        p = p * (pair * np.exp(rng.normal(0, 0.1, pair.shape))).reshape(shape)
    return Enumerated(codec.n_cats, p, weighted=weighted)


def gaps_of(codec: Codec, table: pa.Table) -> Gaps:
    encoded = codec.encode(table)
    read = lambda index: (encoded.codes[index], encoded.seen[index])  # noqa: E731
    return count_gaps(read, table.num_rows, codec.schema.modelled)


@pytest.fixture(scope="session")
def fitted(table: pa.Table, schema) -> Fitted:  # type: ignore[no-untyped-def]
    codec = Codec(schema)
    gaps = gaps_of(codec, table)
    return Fitted(schema, tie(codec, table), gaps, {"seed": 0, "plan": {"members": ["a"]}})


@pytest.fixture(scope="session")
def one_value_fitted(table: pa.Table, schema) -> Fitted:  # type: ignore[no-untyped-def]
    """The same fit with a model that takes no weighted evidence."""
    return Fitted(schema, tie(Codec(schema), table, weighted=False))


@pytest.fixture(scope="session")
def stacked(table: pa.Table, schema) -> Fitted:  # type: ignore[no-untyped-def]
    """A fit whose model is of the shipped families: a stack of latent-class trees."""
    codec = Codec(schema)
    layout, rng = Layout(codec.n_cats), np.random.default_rng(8)

    def member(states: int) -> HiddenTree:
        shape = Shape((-1,), (states,), (0,) * layout.n_cols)
        start = rng.dirichlet(np.ones(states), 1).astype(np.float32)
        tables = [rng.dirichlet(np.ones(n), states).astype(np.float32) for n in layout.n_cats]
        return HiddenTree(layout, TreeParts(shape, (start,), tuple(tables)))

    model = Stack([member(2), member(5)], np.log([0.3, 0.7]))
    gaps = gaps_of(codec, table)
    return Fitted(schema, model, gaps, {"seed": 0, "plan": {"members": ["a", "b"]}})
