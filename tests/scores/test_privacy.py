"""Nearest rows and copies beside loops over all pairs."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
from tests.models.planting import plant

from anypart.data.codec import Codec
from anypart.data.files import read
from anypart.data.infer import infer_schema
from anypart.scores import privacy
from anypart.scores.rows import code_rows
from anypart.scores.vectors import vectors


def table(n, seed):
    rng = np.random.default_rng(seed)
    size = [
        None if g else round(x, 1)
        for x, g in zip(rng.normal(size=n), rng.random(n) < 0.1, strict=True)
    ]
    return {"size": size, "sort": rng.choice(["a", "b", "c"], n).tolist()}


@pytest.fixture(scope="module")
def sides():
    schema = infer_schema(read(table(120, 0)))
    coder = SimpleNamespace(schema=schema, codec=Codec(schema))
    tables = [read(table(n, seed)) for n, seed in ((120, 0), (90, 1), (80, 2))]
    return coder, tables, [code_rows(coder, next(t.batches())) for t in tables]


def check(sides):
    coder, tables, (fitted, held, drawn) = sides
    found = privacy.score_privacy(coder, drawn, held, fitted, tables[0].batches(50), 0)
    rows = [[tuple(r.values()) for b in t.batches() for r in b.to_pylist()] for t in tables]
    assert found.copies == pytest.approx(np.mean([r in rows[0] for r in rows[2]]))
    assert found.held_out_copies == pytest.approx(np.mean([r in rows[0] for r in rows[1]]))
    assert 0 < found.copies < 1
    chosen = privacy.generator(0, "scores", "privacy")
    near = [r.take(chosen.permutation(r.n_rows)[:90]) for r in (fitted, held)]
    x, *others = vectors(coder.schema.modelled, [drawn, *near])
    one, two = ([min(np.linalg.norm(a - b) for b in y) for a in x] for y in others)
    assert found.to_fitted == pytest.approx(np.median(one), abs=1e-4)
    assert found.to_held_out == pytest.approx(np.median(two), abs=1e-4)
    closer = [0.5 if abs(a - b) < 1e-6 else a < b for a, b in zip(one, two, strict=True)]
    assert found.nearer == pytest.approx(np.mean(closer))


def test_nearest_rows_and_copies_are_those_of_a_loop(sides):
    check(sides)


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("near.distance < far", "near.distance <= far"),
        ("np.where(numeric, rows.reals, np", "np.where(numeric, rows.codes, np"),
        ("m | np.isin(mark, there)", "np.isin(mark, there)"),
        ("b.min(axis=1)", "b.max(axis=1)"),
    ],
)
def test_planted_bugs_are_caught(sides, monkeypatch, right, wrong):
    plant(monkeypatch, "anypart.scores.privacy", right, wrong)
    with pytest.raises(AssertionError):
        check(sides)
