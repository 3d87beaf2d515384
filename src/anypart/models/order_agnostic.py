r"""An order-agnostic masked network: every cell given any seen cells, in one pass.

.. math:: h = \sum_c e_{c, x_c}, \quad
    h \leftarrow h + B_i(h), \quad
    \log p(x_c | x_S) = \mathrm{logsoftmax}_c(A\, \mathrm{norm}(h) + a + \sum_c l_{c, x_c})

Each cell enters as the embedding of its code, or of a mask token when it is unseen, so
the network sees which cells are there. The direct linear terms l make it at least a
multinomial logistic model; with all other weights 0 it is the independent model.

What holds: `conditional` is one distribution per cell and never looks at unseen cells.
`log_prob` of complete rows is normalised: it is the mixture over `orders` of chains
along each order, and `sample` from nothing draws from exactly that. What does not hold:
nothing ties the passes for different masks together. The log_prob of a part is the same
mixture of chains restricted to the part, which is normalised over the part but is not the
sum of the complete rows' probabilities, and a conditional is not quite the ratio of two
log_probs. Hence `ability.any_part` is False.

References:
    Uria, Murray and Larochelle 2014, A deep and tractable density estimator.
    Germain et al. 2015, MADE: masked autoencoder for distribution estimation.

"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from anypart.base.errors import QuestionError
from anypart.models.contract import (
    NO_WEIGHTS,
    Ability,
    Codes,
    Evidence,
    Floats,
    Layout,
    Mask,
    Model,
)
from anypart.models.layers import Array, gelu, layer_norm, log_softmax

Index = slice | NDArray[np.int64]

ROWS_TOGETHER = 512  # keeps the hidden layer in cache


class OrderAgnostic:
    """The trained network, in NumPy.

    Args:
        layout: the columns.
        arrays: parameters by name: embed (flat + cols, width), direct (flat + cols, flat),
            out_weight (width, flat), out_bias (flat,), norm_scale and norm_shift (width,),
            and for block i: `i.scale`, `i.shift`, `i.in_weight`, `i.in_bias`,
            `i.out_weight`, `i.out_bias`.
        orders: (orders, cols) the orders that log_prob and sample average over.

    """

    family = "order_agnostic"
    ability = Ability(any_part=False, weighted=False)

    def __init__(
        self, layout: Layout, arrays: Mapping[str, Array], orders: NDArray[np.int64]
    ) -> None:
        self.layout, self.orders = layout, orders
        self._arrays = dict(arrays)
        self._n_blocks = sum(name.endswith(".scale") for name in arrays)
        self._starts = np.array([s.start for s in layout.slices])
        self._masks = layout.total + np.arange(layout.n_cols)  # the mask tokens

    def along(self, orders: NDArray[np.int64]) -> OrderAgnostic:
        """Return the same network with other orders, (orders, cols), to average over."""
        return OrderAgnostic(self.layout, self._arrays, orders)

    def _tokens(self, codes: Codes, seen: Mask) -> NDArray[np.int64]:
        return np.where(seen, codes + self._starts, self._masks)  # (rows, cols)

    def _sums(self, tokens: NDArray[np.int64]) -> tuple[Array, Array]:
        """Sum the embeddings and the direct terms: (rows, width) and (rows, flat)."""
        embed, direct = self._arrays["embed"], self._arrays["direct"]
        hidden = np.zeros((len(tokens), embed.shape[1]), np.float32)
        logits = np.zeros((len(tokens), self.layout.total), np.float32)
        for column in tokens.T:
            hidden += embed[column]
            logits += direct[column]
        return hidden, logits

    def _swap(self, sums: tuple[Array, Array], rows: Index, old: Any, new: Any) -> None:
        """Replace one token of some rows, in place."""
        for total, name in zip(sums, ("embed", "direct"), strict=True):
            table = self._arrays[name]
            total[rows] += table[new] - table[old]

    def _features(self, hidden: Array) -> Array:
        """Pass through the residual blocks and the last norm, (rows, width)."""
        a = self._arrays
        for i in range(self._n_blocks):
            inner = layer_norm(hidden, a[f"{i}.scale"], a[f"{i}.shift"])
            inner = gelu(inner @ a[f"{i}.in_weight"] + a[f"{i}.in_bias"])
            change = inner @ a[f"{i}.out_weight"] + a[f"{i}.out_bias"]
            hidden = (hidden + change).astype(np.float32, copy=False)
        return layer_norm(hidden, a["norm_scale"], a["norm_shift"])

    def _cell(self, sums: tuple[Array, Array], rows: Index, col: int) -> Floats:
        """Log-probabilities of one column given the tokens, (rows, cats), float64."""
        place = self.layout.slices[col]
        logits = self._features(sums[0][rows]) @ self._arrays["out_weight"][:, place]
        logits = logits + self._arrays["out_bias"][place] + sums[1][rows, place]
        return log_softmax(logits.astype(np.float64))

    def _blocks(self, evidence: Evidence) -> Iterator[tuple[slice, Codes, Mask]]:
        if evidence.weights:
            raise QuestionError(
                "An order-agnostic network takes one value per seen cell; the question gives "
                f"ranges or sets for {len(evidence.weights)} columns. Ask a fit with "
                "purpose='any' or 'fast', whose members sum such sets exactly."
            )
        return self._cut(evidence)

    @staticmethod
    def _cut(evidence: Evidence) -> Iterator[tuple[slice, Codes, Mask]]:
        for start in range(0, evidence.n_rows, ROWS_TOGETHER):
            block = slice(start, start + ROWS_TOGETHER)
            yield block, evidence.codes[block], evidence.seen[block]

    def log_prob(self, evidence: Evidence) -> NDArray[np.float64]:
        r"""Log-probability of the seen cells of each row, (rows,), nats.

        .. math:: \log \frac1R \sum_r \prod_{c \in S} p(x_c | x_{S \cap \text{before}_r(c)})

        Cost:
            O(rows · orders · cols · width²).
        """
        found = np.zeros((len(self.orders), evidence.n_rows))
        for block, codes, seen in self._blocks(evidence):
            for r, order in enumerate(self.orders):
                found[r, block] = self._chain(codes, seen, order)
        return np.asarray(np.logaddexp.reduce(found, axis=0) - np.log(len(self.orders)))

    def _chain(self, codes: Codes, seen: Mask, order: NDArray[np.int64]) -> Floats:
        sums = self._sums(np.broadcast_to(self._masks, codes.shape))
        total = np.zeros(len(codes))
        for col in order.tolist():
            rows: Index = np.flatnonzero(seen[:, col])
            if len(rows) == 0:
                continue
            if len(rows) == len(codes):
                rows = slice(None)
            chosen = codes[rows, col]
            log_p = self._cell(sums, rows, col)
            total[rows] += log_p[np.arange(len(chosen)), chosen]
            self._swap(sums, rows, self._masks[col], chosen + self._starts[col])
        return total

    def conditional(self, evidence: Evidence) -> NDArray[np.float32]:
        """Log-probabilities of every cell given the seen ones, in one pass, (rows, flat).

        Cost:
            O(rows · width²).
        """
        found = np.empty((evidence.n_rows, self.layout.total), np.float32)
        for block, codes, seen in self._blocks(evidence):
            hidden, direct = self._sums(self._tokens(codes, seen))
            logits = self._features(hidden) @ self._arrays["out_weight"]
            logits = (logits + self._arrays["out_bias"] + direct).astype(np.float64)
            for col, place in enumerate(self.layout.slices):
                part = log_softmax(logits[:, place])
                rows = np.flatnonzero(seen[:, col])
                part[rows] = -np.inf
                part[rows, codes[rows, col]] = 0
                found[block, place] = part
        return found

    def leave_one_out(self, codes: Codes, seen: Mask) -> NDArray[np.float32]:
        """Log-probabilities of every cell given the other seen ones, (rows, flat).

        Cost:
            O(rows · cols · width²): one pass for each column.
        """
        found = np.empty((len(codes), self.layout.total), np.float32)
        for block, some, there in self._blocks(Evidence(codes, seen)):
            tokens = self._tokens(some, there)
            for col, place in enumerate(self.layout.slices):
                without = tokens.copy()
                without[:, col] = self._masks[col]
                found[block, place] = self._cell(self._sums(without), slice(None), col)
        return found

    def sample(self, evidence: Evidence, rng: np.random.Generator) -> Codes:
        """Draw the unseen cells along an order chosen for each row; seen ones stay.

        With nothing seen the draws follow `log_prob` exactly.
        """
        drawn = np.where(evidence.seen, evidence.codes, 0).astype(np.int32)
        for block, codes, seen in self._blocks(evidence):
            choice = rng.integers(len(self.orders), size=len(codes))
            for r, order in enumerate(self.orders):
                rows = np.flatnonzero(choice == r)
                drawn[np.arange(evidence.n_rows)[block][rows]] = self._draw(
                    codes[rows], seen[rows], order, rng
                )
        return drawn

    def draw_clamped(self, evidence: Evidence, rng: np.random.Generator) -> Codes:
        """Draw the other cells given the seen ones, along the first order.

        See `contract.Clamping`; here what is seen tells every cell.
        """
        drawn = np.empty(evidence.codes.shape, np.int32)
        for block, codes, seen in self._cut(evidence):
            weights = evidence.rows(block).weights
            drawn[block] = self._draw(codes, seen, self.orders[0], rng, weights)
        return drawn

    def score_clamped(
        self, codes: Codes, evidence: Evidence
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Score rows and their density under `draw_clamped`; see `contract.Clamping`.

        Cost:
            `log_prob`, and a chain of the cells that are not seen.
        """
        density = np.zeros(len(codes))
        for block, _, seen in self._cut(evidence):
            weights, some = evidence.rows(block).weights, codes[block]
            sums = self._sums(self._tokens(some, seen))
            for col, rows in self._unseen(seen, self.orders[0]):
                logs = self._weighed(sums, rows, col, weights)
                density[block][rows] += logs[np.arange(len(logs)), some[rows, col]]
                self._swap(sums, rows, self._masks[col], some[rows, col] + self._starts[col])
        return self.log_prob(Evidence(codes, np.ones(codes.shape, np.bool_))), density

    @staticmethod
    def _unseen(seen: Mask, order: NDArray[np.int64]) -> Iterator[tuple[int, Index]]:
        """Yield the columns in an order, and in which rows each is not seen."""
        for col in order.tolist():
            rows = np.flatnonzero(~seen[:, col])
            if len(rows):
                yield col, slice(None) if len(rows) == len(seen) else rows

    def _weighed(
        self, sums: tuple[Array, Array], rows: Index, col: int, weights: Mapping[int, Floats]
    ) -> Floats:
        """Log-probabilities of a column, by its weights if it has any, (rows, cats)."""
        logs = self._cell(sums, rows, col)
        if col not in weights:
            return logs
        given = weights[col]
        return log_softmax(logs + (given if len(given) == 1 else given[rows]))

    def _draw(
        self,
        codes: Codes,
        seen: Mask,
        order: NDArray[np.int64],
        rng: np.random.Generator,
        weights: Mapping[int, Floats] = NO_WEIGHTS,
    ) -> Codes:
        drawn = np.where(seen, codes, 0).astype(np.int32)
        sums = self._sums(self._tokens(codes, seen))
        for col, rows in self._unseen(seen, order):
            levels = np.cumsum(np.exp(self._weighed(sums, rows, col, weights)), axis=1)
            u = rng.random((len(levels), 1)) * levels[:, -1:]
            # u < the last level always, so that the code is in range.
            drawn[rows, col] = (u >= levels).sum(1)
            self._swap(sums, rows, self._masks[col], drawn[rows, col] + self._starts[col])
        return drawn

    def represent(self, evidence: Evidence) -> NDArray[np.float32]:
        """Return the features before the output layer, (rows, width)."""
        found = np.empty((evidence.n_rows, self._arrays["embed"].shape[1]), np.float32)
        for block, codes, seen in self._blocks(evidence):
            found[block] = self._features(self._sums(self._tokens(codes, seen))[0])
        return found

    def state(self) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
        """Return the settings as JSON, and the parameters and orders as arrays."""
        return {"n_cats": list(self.layout.n_cats)}, {**self._arrays, "orders": self.orders}

    @classmethod
    def from_state(cls, settings: dict[str, Any], arrays: Mapping[str, NDArray[Any]]) -> Model:
        """Build the network that `state` described."""
        parameters = {name: a for name, a in arrays.items() if name != "orders"}
        return cls(Layout(tuple(settings["n_cats"])), parameters, arrays["orders"])
