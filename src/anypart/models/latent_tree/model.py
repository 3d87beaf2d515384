r"""`LatentTree`: p(row) with the verbs, exact for any part and any weighted evidence.

.. math:: p(x) = \sum_z \prod_i p(z_i | z_{parent(i)}) \prod_c p(x_c | z_{node(c)})

The one insight: independence, Chow-Liu trees, latent classes and hidden trees are all this
formula with other shapes, so one engine answers for all of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from anypart.base.errors import QuestionError
from anypart.models.contract import Ability, Codes, Evidence, Layout, Mask
from anypart.models.damage import undamaged
from anypart.models.latent_tree.circuit import Array, Circuit, build_circuit
from anypart.models.latent_tree.passes import downward, upward
from anypart.models.latent_tree.sampling import SampleTables, sample_block, sample_same, tabulate
from anypart.models.latent_tree.shape import Shape
from anypart.models.latent_tree.sharing import share_subtrees

BLOCK_FLOATS = 1_000_000  # messages of one block of rows, 4 MB: near the processor
UPWARD_FLOATS = 600_000  # the same where messages go up only: scoring
SHARING_ROWS = 16_384  # rows that are scored together: more agree on a subtree
SAME_EVIDENCE_ROWS = 1_000  # from here on tables for one evidence pay off
MOST_DIMS = 256  # of a row's vector


@dataclass(frozen=True)
class TreeParts:
    """The parameters of a tree.

    Args:
        shape: nodes and columns.
        transitions: per node, (states above, states), rows sum to 1.
        emissions: per column, (states, n_cats), rows sum to 1.

    """

    shape: Shape
    transitions: tuple[Array, ...]
    emissions: tuple[Array, ...]


class LatentTree:
    """A model of rows as trees of latent nodes; a family is a subclass with a name only.

    Args:
        layout: the columns.
        parts: shape and parameters; taken over, not copied.

    Cost:
        A verb costs O(rows · Σ states above · states), one or two passes.

    References:
        Chow & Liu, "Approximating discrete probability distributions with dependence
        trees" (1968); Liu & Van den Broeck, "Tractable regularization of probabilistic
        circuits" (2021), section 4 (hidden Chow-Liu trees).

    """

    family: str = "latent_tree"
    ability = Ability(any_part=True, weighted=True)

    def __init__(self, layout: Layout, parts: TreeParts) -> None:
        self.layout = layout
        self.parts = parts

    @cached_property
    def circuit(self) -> Circuit:
        """The tree made ready for messages."""
        return build_circuit(self.parts.shape, self.parts.transitions, self.parts.emissions)

    def log_prob(self, evidence: Evidence) -> NDArray[np.float64]:
        """Log-probability of each row's event, (rows,), nats; −inf if it is impossible."""
        found = np.empty(evidence.n_rows)
        for start in range(0, evidence.n_rows, SHARING_ROWS):
            stop = start + SHARING_ROWS
            tree, some = share_subtrees(self.circuit, evidence.rows(slice(start, stop)))
            here = found[start:stop]
            for at, part in _blocks(tree, some, UPWARD_FLOATS):
                here[at : at + part.n_rows] = upward(tree, part).log_prob
        return found

    def conditional(self, evidence: Evidence) -> NDArray[np.float32]:
        """Log-probabilities of every cell given the event, one at a time, (rows, flat).

        Raises:
            QuestionError: the event of a row is impossible.

        """
        out = np.empty((evidence.n_rows, self.layout.total), np.float32)
        for start, part in _blocks(self.circuit, evidence):
            messages = upward(self.circuit, part)
            _refuse_impossible(np.isneginf(messages.log_prob), start)
            wanted = [not part.seen[:, c].all() for c in range(self.layout.n_cols)]
            arriving, _ = downward(self.circuit, messages, wanted)
            here = out[start : start + part.n_rows]
            for column, place in enumerate(self.layout.slices):
                if column in arriving:
                    cell = arriving[column] @ self.circuit.emissions[column]
                    weights = part.weights.get(column)
                    here[:, place], _ = _log_shares(cell, weights)
                seen = part.seen[:, column]
                here[seen, place] = -np.inf
                here[seen, place.start + part.codes[seen, column]] = 0.0
        return out

    def leave_one_out(self, codes: Codes, seen: Mask) -> NDArray[np.float32]:
        """Log-probabilities of every cell given the *other* seen cells, (rows, flat).

        Raises:
            QuestionError: the other cells of a row are impossible together.

        """
        out = np.empty((len(codes), self.layout.total), np.float32)
        wanted = [True] * self.layout.n_cols
        for start, part in _blocks(self.circuit, Evidence(codes, seen)):
            arriving, _ = downward(self.circuit, upward(self.circuit, part), wanted)
            for column, place in enumerate(self.layout.slices):
                cell = arriving[column] @ self.circuit.emissions[column]
                logs, impossible = _log_shares(cell, None)
                _refuse_impossible(np.broadcast_to(impossible, part.n_rows), start)
                out[start : start + part.n_rows, place] = logs
        return out

    def sample(self, evidence: Evidence, rng: np.random.Generator) -> Codes:
        """Draw the unseen and weighted cells of each row jointly; seen ones stay.

        Rows that all say the same are drawn from tables made for that evidence once.

        Raises:
            QuestionError: the event of a row is impossible.

        """
        if not evidence.seen.any() and not evidence.weights:
            return sample_same(self.circuit, self._prior_tables, evidence, rng)
        if evidence.n_rows >= SAME_EVIDENCE_ROWS and _same_in_all_rows(evidence):
            messages = upward(self.circuit, evidence.rows(slice(0, 1)))
            _refuse_impossible(np.isneginf(messages.log_prob), 0)
            tables = tabulate(self.circuit, messages, evidence)
            return sample_same(self.circuit, tables, evidence, rng)
        out = np.empty(evidence.codes.shape, np.int32)
        for start, part in _blocks(self.circuit, evidence):
            messages = upward(self.circuit, part)
            _refuse_impossible(np.isneginf(messages.log_prob), start)
            out[start : start + part.n_rows] = sample_block(self.circuit, messages, part, rng)
        return out

    def represent(self, evidence: Evidence) -> NDArray[np.float32]:
        """Posterior probabilities of the states of the best connected nodes, (rows, dims).

        Nodes are taken by the number of columns and children on them, at least one, and
        then while the vector has at most 256 places; each node's places sum to 1.

        Raises:
            QuestionError: the event of a row is impossible.

        """
        nodes = self._represented
        wanted = [False] * self.layout.n_cols
        width = sum(self.circuit.shape.n_states[i] for i in nodes)
        out = np.empty((evidence.n_rows, width), np.float32)
        for start, part in _blocks(self.circuit, evidence):
            messages = upward(self.circuit, part)
            _refuse_impossible(np.isneginf(messages.log_prob), start)
            _, posterior = downward(self.circuit, messages, wanted)
            shares = [
                np.broadcast_to(_shares(posterior[i]), (part.n_rows, posterior[i].shape[1]))
                for i in nodes
            ]
            out[start : start + part.n_rows] = np.concatenate(shares, axis=1)
        return out

    @cached_property
    def _prior_tables(self) -> SampleTables:
        """What rows without evidence are drawn from; made at the first draw."""
        nothing = Evidence.nothing(1, self.layout.n_cols)
        return tabulate(self.circuit, None, nothing)

    @cached_property
    def _represented(self) -> tuple[int, ...]:
        """The nodes whose posteriors make a row's vector."""
        shape = self.circuit.shape
        ties = [len(shape.columns[i]) + len(shape.children[i]) for i in range(shape.n_nodes)]
        order = sorted(range(shape.n_nodes), key=lambda i: -ties[i])
        places = np.cumsum([shape.n_states[i] for i in order])
        return tuple(order[: max(1, int((places <= MOST_DIMS).sum()))])

    def state(self) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
        """Return (settings as JSON, arrays), the tables one after another in two arrays."""
        shape = self.parts.shape
        settings = {
            "n_cats": list(self.layout.n_cats),
            "parents": list(shape.parents),
            "n_states": list(shape.n_states),
            "node_of": list(shape.node_of),
        }
        tables = {"transitions": self.parts.transitions, "emissions": self.parts.emissions}
        return settings, {k: np.concatenate([t.ravel() for t in v]) for k, v in tables.items()}

    @classmethod
    def from_state(cls, settings: dict[str, Any], arrays: Mapping[str, NDArray[Any]]) -> Self:
        """Build the model that `state` described.

        Raises:
            SavedFitError: settings and arrays do not fit together.

        """
        with undamaged(cls.family):
            layout = Layout(tuple(map(int, settings["n_cats"])))
            fields = (tuple(map(int, settings[k])) for k in ("parents", "n_states", "node_of"))
            shape = Shape(*fields)
            above = [shape.states_above(i) for i in range(shape.n_nodes)]
            sizes = list(zip(above, shape.n_states, strict=True))
            transitions = _unpack(arrays["transitions"], sizes)
            states = [shape.n_states[i] for i in shape.node_of]
            emissions = _unpack(arrays["emissions"], list(zip(states, layout.n_cats, strict=True)))
        return cls(layout, TreeParts(shape, transitions, emissions))


def _blocks(
    circuit: Circuit, evidence: Evidence, floats: int = BLOCK_FLOATS
) -> Iterator[tuple[int, Evidence]]:
    """Cut the rows so that the messages of a block stay in bounds."""
    size = int(np.clip(floats // circuit.shape.width, 64, 4096))
    for start in range(0, evidence.n_rows, size):
        yield start, evidence.rows(slice(start, start + size))


def _unpack(flat: NDArray[Any], sizes: Sequence[tuple[int, int]]) -> tuple[Array, ...]:
    """Cut one array into tables, and look at each."""
    expected = sum(a * b for a, b in sizes)
    if flat.shape != (expected,):
        raise ValueError(f"{expected} numbers expected, {flat.shape} found")
    ends = np.cumsum([a * b for a, b in sizes])[:-1]
    values = np.asarray(flat, np.float32)
    if not (np.isfinite(values).all() and (values >= 0).all()):
        raise ValueError("a probability is negative or not finite")
    return tuple(p.reshape(s) for p, s in zip(np.split(values, ends), sizes, strict=True))


def _shares(weights: Array) -> Array:
    """Divide each row by its sum; a row of zeros stays one."""
    total = weights.sum(axis=1, keepdims=True)
    return weights / np.where(total > 0, total, np.float32(1))


def _log_shares(cell: Array, weights: NDArray[Any] | None) -> tuple[Array, Mask]:
    """Logs of each row's shares, nats; and the rows that have none."""
    if weights is not None:
        top = weights.max(axis=1, keepdims=True)
        top = np.where(np.isfinite(top), top, 0.0)
        cell = cell * np.exp(weights - top).astype(np.float32)
    total = cell.sum(axis=1, keepdims=True)
    impossible = total <= 0
    with np.errstate(divide="ignore"):
        return np.log(cell / np.where(impossible, np.float32(1), total)), impossible[:, 0]


def _refuse_impossible(impossible: Mask, start: int) -> None:
    """Raise for the first row whose evidence has probability zero."""
    if impossible.any():
        row = start + int(np.argmax(impossible))
        raise QuestionError(
            f"Row {row} says something that the model gives probability 0, so nothing "
            "follows from it. Leave a condition out, or widen it."
        )


def _same_in_all_rows(evidence: Evidence) -> bool:
    """Whether every row says the same."""
    if any(len(w) > 1 and (w != w[:1]).any() for w in evidence.weights.values()):
        return False
    if (evidence.seen != evidence.seen[:1]).any():
        return False
    columns = np.flatnonzero(evidence.seen[0])
    return bool((evidence.codes[:, columns] == evidence.codes[:1, columns]).all())
