"""Densities of whole rows on two sides: models by probabilities, tables if rows repeat."""

from __future__ import annotations

from typing import Any

import numpy as np

from anypart.data.codec import Codec
from anypart.data.schema import Column, Schema
from anypart.optim.distances.counts import measure_counts
from anypart.optim.distances.measured import Measured, refused
from anypart.optim.distances.models import DENSITIES, Crossed, between_models, log10_states
from anypart.queries.fitted import Fitted
from anypart.scores.rows import ScoredRows

DRAWS = 5_000  # of each fit, for densities
ROWS_FEW = "rows hardly repeat, and densities of samples alone cannot be compared; fit both sides"


def densities(
    first: Any,
    second: Any,
    schema: Schema,
    one: ScoredRows,
    two: ScoredRows,
    rng: np.random.Generator,
) -> dict[str, Measured]:
    """Compare densities of whole rows.

    Args:
        first: a fit, or a table.
        second: the same.
        schema: of the columns that both have.
        one: rows of the first.
        two: rows of the second.
        rng: draws and deals.

    Returns:
        By name; refused with a reason where there is no honest estimate.
    """
    if isinstance(first, Fitted) and isinstance(second, Fitted):
        if first.schema.modelled == second.schema.modelled:
            return between_models(first.model, second.model, rng)
        return _by_values(first, second, rng)
    # The empty cell is one more category.
    sizes, codec = tuple(c.n_cats + 1 for c in schema.modelled), Codec(schema)
    few = min(one.n_rows, two.n_rows) / 10
    if 10 ** min(log10_states(sizes), 9.0) > few:
        return {name: refused(ROWS_FEW) for name in DENSITIES}
    codes = [np.where(s.seen, s.codes, np.array(sizes) - 1).T for s in (one, two)]
    flat = [np.ravel_multi_index(tuple(c), sizes) for c in codes]
    a, b = (np.bincount(f, minlength=int(np.prod(sizes))).astype(np.int64) for f in flat)
    met = np.flatnonzero(a + b)
    names = [(*codec.labels(at), "(empty)") for at in range(len(sizes))]
    cells = np.stack(np.unravel_index(met, sizes), axis=1).tolist()
    labels = (", ".join(n[c] for n, c in zip(names, cell, strict=True)) for cell in cells)
    return measure_counts(a[met], b[met], rng, tuple(labels))


def _by_values(first: Fitted, second: Fitted, rng: np.random.Generator) -> dict[str, Measured]:
    """Compare two fits with cells of their own by the densities of values that both draw."""
    pairs = {c.name: c for c in second.schema.modelled}
    mine = first.schema.modelled
    if len(pairs) != len(mine) or any(c.name not in pairs for c in mine):
        return {name: refused("the fits have other columns") for name in DENSITIES}
    if odd := [c.name for c in mine if not _one_measure(c, pairs[c.name])]:
        reason = (
            f"the fits measure {', '.join(odd[:5])} differently (other categories, spikes or "
            "spacing), so their densities cannot be divided; fit both with one schema"
        )
        return {name: refused(reason) for name in DENSITIES}
    seeds = rng.integers(2**31, size=2).tolist()
    drawn = [f.sample(DRAWS, seed=s).value for f, s in zip((first, second), seeds, strict=True)]
    found = [fit.log_prob(rows) for rows in drawn for fit in (first, second)]
    if not all(answer.exact for answer in found):
        return {name: refused("a fit's likelihood is itself an estimate") for name in DENSITIES}
    return Crossed(*(answer.value for answer in found)).measure()


def _one_measure(a: Column, b: Column) -> bool:
    """Whether densities of two columns are per the same unit, and spikes at the same values."""
    if a.kind.numeric != b.kind.numeric or a.has_other or b.has_other:
        return False
    if not a.kind.numeric:
        return set(a.categories) == set(b.categories)
    # On integers a density is a mass, whichever way the cells are cut.
    spikes = [{c.low for c in x.cells if c.is_atom} for x in (a, b)]
    return a.resolution == b.resolution and (a.resolution == 1 or spikes[0] == spikes[1])
