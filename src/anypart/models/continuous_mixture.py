r"""A mixture over a continuous latent vector, made finite: exact for any part.

.. math:: p(x) = \int N(z; 0, I) \prod_c p(x_c | z)\,dz
    \approx \sum_k w_k \prod_c p(x_c | z_k)

A small network, the decoder, turns a latent point z into one distribution per column. In
training the integral is first estimated at fresh quasi-random points; then some points stay
and are learned with their weights, and the model *is* the finite mixture over them. So every
marginal and conditional is exact, and what is saved is the decoder and the points, not the
large tables.

References:
    Correia, Gala, Quaeghebeur, de Campos and Peharz 2023, Continuous mixtures of
    tractable probabilistic models, eq. 3 and 5.

"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from anypart.models.contract import Ability, Codes, Evidence, Layout, Mask, Model
from anypart.models.damage import undamaged
from anypart.models.layers import Array, gelu, layer_norm, log_softmax
from anypart.models.look_ups import FEWEST_ROWS, Group, add_looked_up, alone, together

FLOATS_TOGETHER = 100_000  # rows by mixes of a block, 400 kB: near the processor
GATHERED = 16  # categories per column from which looking up beats a matrix product
LEAST_LOG = -60.0  # keeps 1 / p finite in single precision


class ContinuousMixture:
    """The decoder at its fixed points, in NumPy.

    Args:
        layout: the columns.
        arrays: parameters by name: `points` (mixes, dims), `log_weights` (mixes,), for
            layer i `i.weight` (in, width), `i.bias`, `i.scale`, `i.shift` (width,), and
            `out_weight` (width, flat), `out_bias` (flat,).

    """

    family = "continuous_mixture"
    ability = Ability(any_part=True, weighted=True)

    def __init__(self, layout: Layout, arrays: Mapping[str, Array]) -> None:
        self.layout = layout
        self._arrays = dict(arrays)

    @cached_property
    def log_tables(self) -> Array:
        """Log-probability of every category at every point, (mixes, flat), nats."""
        a = self._arrays
        hidden = a["points"]
        for i in range(sum(name.endswith(".scale") for name in a)):
            hidden = hidden @ a[f"{i}.weight"] + a[f"{i}.bias"]
            hidden = gelu(layer_norm(hidden, a[f"{i}.scale"], a[f"{i}.shift"]))
        logits = (hidden @ a["out_weight"] + a["out_bias"]).astype(np.float32, copy=False)
        for place in self.layout.slices:
            logits[:, place] = log_softmax(np.maximum(log_softmax(logits[:, place]), LEAST_LOG))
        return logits

    @cached_property
    def _by_cat(self) -> Array:
        """`log_tables` with the categories first, (flat, mixes)."""
        return np.ascontiguousarray(self.log_tables.T)

    @cached_property
    def _tables(self) -> Array:
        return np.exp(self.log_tables)

    @cached_property
    def _alone(self) -> list[Group]:
        return alone(self.layout, self._by_cat)

    @cached_property
    def _together(self) -> list[Group]:
        return together(self.layout, self._by_cat)

    @cached_property
    def _starts(self) -> NDArray[np.int64]:
        return np.array([place.start for place in self.layout.slices])

    def _joint(self, evidence: Evidence, groups: Sequence[Group] = ()) -> Array:
        """Log w_k p(event | z_k), (rows, mixes)."""
        codes, seen = evidence.codes, evidence.seen
        if self.layout.total < GATHERED * self.layout.n_cols:
            total = self._one_hot(codes, seen) @ self._by_cat
            total += self._arrays["log_weights"]
        else:
            total = np.empty((len(codes), self._by_cat.shape[1]), np.float32)
            total[:] = self._arrays["log_weights"]
            add_looked_up(total, groups or self._alone, codes, seen)
        for col, weights in evidence.weights.items():
            tables = self._tables[:, self.layout.slices[col]].T  # (cats, mixes)
            with np.errstate(divide="ignore"):
                total += np.log(np.exp(weights).astype(np.float32) @ tables)
        return total

    def _one_hot(self, codes: Codes, seen: Mask) -> Array:
        hot = np.zeros((len(codes), self.layout.total), np.float32)
        rows, cols = np.nonzero(seen)
        hot[rows, codes[rows, cols] + self._starts[cols]] = 1
        return hot

    def _blocks(self, evidence: Evidence) -> Iterator[tuple[slice, Evidence]]:
        told = evidence.weights or evidence.seen.any()
        floats = len(self._arrays["points"]) if told else self.layout.total
        size = max(FLOATS_TOGETHER // floats, 16)
        for start in range(0, evidence.n_rows, size):
            block = slice(start, start + size)
            yield block, evidence.rows(block)

    def log_prob(self, evidence: Evidence) -> NDArray[np.float64]:
        """Log-probability of each row's event, (rows,), nats; the rest summed out.

        Cost:
            O(rows · mixes · flat) multiplications, or O(rows · mixes · cols) look-ups, fewer
            where columns have few categories.
        """
        found = np.empty(evidence.n_rows)
        groups = self._together if evidence.n_rows >= FEWEST_ROWS else ()
        for block, part in self._blocks(evidence):
            joint = self._joint(part, groups)
            top = joint.max(1, keepdims=True)
            top = np.where(np.isfinite(top), top, 0)
            joint -= top
            with np.errstate(divide="ignore"):
                found[block] = np.log(np.exp(joint, out=joint).sum(1)) + top[:, 0]
        return found

    def _posterior(self, evidence: Evidence) -> Array:
        """p(z_k | event), (rows, mixes)."""
        joint = self._joint(evidence)
        joint -= joint.max(1, keepdims=True)
        joint = np.exp(joint, out=joint)
        joint /= joint.sum(1, keepdims=True)
        return joint

    def conditional(self, evidence: Evidence) -> NDArray[np.float32]:
        """Log-probabilities of every cell given the event, one at a time, (rows, flat).

        Cost:
            O(rows · mixes · flat).
        """
        found = np.empty((evidence.n_rows, self.layout.total), np.float32)
        for block, part in self._blocks(evidence):
            posterior = self._posterior(part)
            cells = posterior @ self._tables
            for col, place in enumerate(self.layout.slices):
                if col in part.weights:
                    cells[:, place] = self._weighted(posterior, part.weights[col], place)
                rows = np.flatnonzero(part.seen[:, col])
                cells[rows, place] = 0
                cells[rows, part.codes[rows, col] + place.start] = 1
            with np.errstate(divide="ignore"):
                found[block] = np.log(cells)
        return found

    def _weighted(self, posterior: Array, log_weights: Array, place: slice) -> Array:
        """p(cell | event) of a column that is part of the event by weights, (rows, cats)."""
        weights, tables = np.exp(log_weights).astype(np.float32), self._tables[:, place]
        cells: Any = (posterior / (weights @ tables.T)) @ tables * weights
        return cells / cells.sum(1, keepdims=True)

    def leave_one_out(self, codes: Codes, seen: Mask) -> NDArray[np.float32]:
        """Log-probabilities of every cell given the *other* seen cells, (rows, flat).

        What a component owes to the cell itself is divided out of its posterior.

        Cost:
            O(rows · mixes · flat), and O(rows · mixes · cols) look-ups.
        """
        found = np.empty((len(codes), self.layout.total), np.float32)
        inverse = np.exp(-self._by_cat)  # (flat, mixes)
        for block, part in self._blocks(Evidence(codes, seen)):
            posterior = self._posterior(part)
            for col, place in enumerate(self.layout.slices):
                others = posterior
                if part.seen[:, col].any():
                    own = np.where(part.seen[:, col], part.codes[:, col], -1)
                    factor = inverse[place.start + own]
                    factor[own < 0] = 1
                    others = posterior * factor
                cells = others @ self._tables[:, place]
                found[block, place] = np.log(cells / cells.sum(1, keepdims=True))
        return found

    def sample(self, evidence: Evidence, rng: np.random.Generator) -> Codes:
        """Draw a point per row by its posterior, then every unseen cell from its table.

        Cost:
            O(rows · flat), and a posterior per row where something is given.
        """
        drawn = evidence.codes.astype(np.int32)
        coins, others = self._coins(evidence)
        heads = self._tables[:, self._starts[coins] + 1]  # (mixes, coins)
        for block, part in self._blocks(evidence):
            mixes = self._draw_points(part, rng)
            some = drawn[block]  # a view
            tossed = rng.random((len(some), len(coins))) < heads[mixes]
            some[:, coins] = np.where(part.seen[:, coins], some[:, coins], tossed)
            for col in others:
                rows = np.flatnonzero(~part.seen[:, col])
                cells = self._tables[mixes[rows], self.layout.slices[col]]
                if col in part.weights:
                    weights = np.exp(part.weights[col])
                    cells = cells * (weights if len(weights) == 1 else weights[rows])
                some[rows, col] = draw_each(cells, rng)
        return drawn

    def _coins(self, evidence: Evidence) -> tuple[list[int], list[int]]:
        """Tell the columns that are tossed all at once, two categories each, from the others."""
        cols = range(self.layout.n_cols)
        coins = [c for c in cols if self.layout.n_cats[c] == 2 and c not in evidence.weights]
        return coins, sorted({*cols} - {*coins})

    def _draw_points(self, evidence: Evidence, rng: np.random.Generator) -> NDArray[np.intp]:
        if not evidence.seen.any() and not evidence.weights:
            shares = np.exp(self._arrays["log_weights"].astype(np.float64))
            return rng.choice(len(shares), evidence.n_rows, p=shares / shares.sum())
        return draw_each(self._posterior(evidence), rng)

    def represent(self, evidence: Evidence) -> NDArray[np.float32]:
        """Return the posterior mean of the latent point, (rows, dims)."""
        found = np.empty((evidence.n_rows, self._arrays["points"].shape[1]), np.float32)
        for block, part in self._blocks(evidence):
            found[block] = self._posterior(part) @ self._arrays["points"]
        return found

    def state(self) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
        """Return the settings as JSON, and the decoder and its points as arrays."""
        a = self._arrays
        n_layers = sum(name.endswith(".scale") for name in a)
        sizes = [*a["points"].shape, *(len(a[f"{i}.bias"]) for i in range(n_layers))]
        return {"n_cats": list(self.layout.n_cats), "sizes": sizes}, dict(a)

    @classmethod
    def from_state(cls, settings: dict[str, Any], arrays: Mapping[str, NDArray[Any]]) -> Model:
        """Build the mixture that `state` described.

        Raises:
            SavedFitError: settings and arrays do not fit together.

        """
        with undamaged(cls.family):
            layout = Layout(tuple(map(int, settings["n_cats"])))
            right = shapes(layout, *map(int, settings["sizes"]))
            found = {name: arrays[name].shape for name in right}
            if found != right:
                raise ValueError(f"{right} expected, {found} found")
        return cls(layout, arrays)


def shapes(layout: Layout, mixes: int, dims: int, *widths: int) -> dict[str, tuple[int, ...]]:
    """List the parameters and their shapes: `mixes` points, one width a layer."""
    found: dict[str, tuple[int, ...]] = {"points": (mixes, dims), "log_weights": (mixes,)}
    for i, (above, width) in enumerate(pairwise((dims, *widths))):
        found[f"{i}.weight"] = (above, width)
        found |= {f"{i}.{name}": (width,) for name in ("bias", "scale", "shift")}
    found["out_weight"] = ((dims, *widths)[-1], layout.total)
    found["out_bias"] = (layout.total,)
    return found


def draw_each(shares: Array, rng: np.random.Generator) -> NDArray[np.intp]:
    """Draw a place of each row by its shares, (rows,); shares need no common sum."""
    levels = np.cumsum(shares, axis=1, dtype=np.float64)
    u = rng.random((len(levels), 1)) * levels[:, -1:]
    # u is below the last level, so that the place is in range.
    return (u >= levels).sum(1)
