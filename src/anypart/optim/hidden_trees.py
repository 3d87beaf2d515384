r"""`HiddenTreeLearner`: hidden trees begin by EM and go on by gradients.

In the first part of the steps each batch gives tables of its own, and the old tables move
towards them by a step that falls (mini-batch EM). Averaging tables, not counts, moves rare
states as fast as common ones. EM finds in a few passes which states there are; then it slows
down long before the likelihood is at its best. So the rest of the steps are AdamW's, on the
logits of the tables' rows. Fisher's identity gives their gradient from the same expected
counts N, for a row t of a table:

.. math:: \frac{\partial \log p}{\partial \mathrm{logit}_{k}} = N_k - t_k \sum_j N_j

Both maximise one thing: the likelihood times a little prior, as pseudo-counts. Missing cells
are summed out.

References:
    Liu & Van den Broeck, "Tractable regularization of probabilistic circuits" (2021),
    section 5 (mini-batch EM); Salakhutdinov, Roweis & Ghahramani, "Optimization with EM and
    expectation-conjugate-gradient" (2003), which joins the two in this order.

"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from anypart.base.seeds import generator
from anypart.models.contract import Codes, Layout, Mask, Model
from anypart.models.hidden_tree import HiddenTree
from anypart.models.latent_tree import TreeParts
from anypart.models.latent_tree.circuit import Array
from anypart.optim.checkpoint import part, under
from anypart.optim.descent import Descent, Pace
from anypart.optim.expected_counts import Counts, e_step_down, e_step_up, make_batch
from anypart.optim.hats import LEAST, hats, in_hats
from anypart.optim.tree_start import GrowingTree, make_sample, start_hidden, to_shares
from anypart.optim.tree_tables import tree_from_state, tree_state

if TYPE_CHECKING:
    import torch

LEAST_SHARE = 1e-9  # of a table's row, whose logarithm is taken


@dataclass(frozen=True)
class HiddenSettings:
    """How a hidden tree is learned.

    Args:
        n_states: states of a hidden node.
        structure_noise: how far the tree may stray from the best one, nats (see `perturbed`).
        transition_pseudo: added to the counts of each transition table, spread evenly, as a
            share of the batch.
        emission_pseudo: the same for emission tables, spread like the margin.
        step_start: weight of EM's newest batch at first.
        step_end: and what it falls towards, at the end of all steps.
        by_em: share of the steps that are EM's.
        rate: largest step of AdamW.
        decay: its weight decay, of the tables' logits.
        ordered: the columns whose categories have an order, as those of numbers have: their
            logits are sums of hats (`optim.hats`).
        edges: pairs of columns that are neighbours in the tree; none finds them from counts.

    """

    n_states: int = 128
    structure_noise: float = 0.0
    transition_pseudo: float = 0.003
    emission_pseudo: float = 0.001
    step_start: float = 0.2
    step_end: float = 0.02
    by_em: float = 0.125
    rate: float = 0.3
    decay: float = 0.0
    ordered: Sequence[int] = ()
    edges: Sequence[Sequence[int]] = ()


class HiddenTreeLearner:
    """Trains a `hidden_tree`.

    Args:
        layout: the columns.
        codes: (rows, cols) a sample of the training rows, for structure, margins and a
            start; some ten thousand are plenty.
        seen: (rows, cols) the cells that have a value.
        settings: how.
        seed: of the start and of the structure's noise.

    Cost:
        A step costs about three times the model's log_prob of the batch.

    """

    def __init__(
        self, layout: Layout, codes: Codes, seen: Mask, settings: HiddenSettings, seed: int
    ) -> None:
        self._layout, self._settings = layout, settings
        self._sample = make_sample(layout, codes, seen)
        rng = generator(seed, "trees", "hidden_tree")
        self.tree = start_hidden(
            self._sample, settings.n_states, settings.structure_noise, rng, settings.edges
        )
        self._ascent: _Ascent | None = None

    def step(self, codes: Codes, seen: Mask, progress: float) -> float:
        """Learn from one mini-batch; return its mean log-probability before, nats.

        A batch without rows teaches nothing, and has a mean of 0.
        """
        if len(codes) == 0:
            return 0.0
        tree, batch = self.tree, make_batch(self._layout, codes, seen)
        passed = e_step_up(tree.shape, tree.transitions, tree.emissions, batch)
        counts = e_step_down(tree.shape, tree.transitions, batch, passed)
        _add(counts, self._prior(len(codes)))
        by_em = self._settings.by_em
        if progress < by_em and self._ascent is None:
            self._move(counts, progress)
        else:
            if self._ascent is None:
                self._ascent = _Ascent(tree, self._settings)
            self._ascent.up(counts, len(codes), max(progress - by_em, 0) / (1 - by_em))
            self.tree = self._ascent.now()
        return float(passed.log_prob.mean())

    def _prior(self, n_rows: int) -> Counts:
        """Return the pseudo-counts of a batch; 0 for emissions that are settled at the start."""
        tree, settings, margins = self.tree, self._settings, self._sample.margins
        even, like_margin = n_rows * settings.transition_pseudo, n_rows * settings.emission_pseudo

        def around(column: int, table: Array) -> Array:
            return np.float32(like_margin / len(table)) * margins[column]

        transitions = [
            # What would be the column's emissions had it a node without others.
            around(tree.own_code[node], table)
            if node in tree.own_code
            else np.full(1, even / table.size, np.float32)
            for node, table in enumerate(tree.transitions)
        ]
        emissions = [around(column, table) for column, table in enumerate(tree.emissions)]
        return Counts(transitions, emissions)

    def _move(self, counts: Counts, progress: float) -> None:
        """Move the tables towards those of the batch."""
        tree, settings = self.tree, self._settings
        rate = settings.step_start + (settings.step_end - settings.step_start) * progress
        old, new = np.float32(1 - rate), np.float32(rate)
        for node, table in enumerate(counts.transitions):
            tree.transitions[node] = old * tree.transitions[node] + new * to_shares(table)
        for column, table in enumerate(counts.emissions):
            if not is_settled(tree, column):
                tree.emissions[column] = old * tree.emissions[column] + new * to_shares(table)

    def model(self) -> Model:
        """Return the tree learned so far (a snapshot: later steps do not change it)."""
        tree = self._ascent.averaged() if self._ascent else self.tree
        parts = TreeParts(tree.shape, tuple(tree.transitions), tuple(tree.emissions))
        return HiddenTree(self._layout, parts)

    def state(self) -> dict[str, NDArray[Any]]:
        """Return everything that `load_state` needs to go on with the same bits."""
        arrays = {"margins": np.concatenate(self._sample.margins)} | tree_state(self.tree)
        return arrays | (under("ascent", self._ascent.state()) if self._ascent else {})

    def load_state(self, arrays: dict[str, NDArray[Any]]) -> None:
        """Go on from `state`."""
        margins = np.split(arrays["margins"], np.cumsum(self._layout.n_cats)[:-1])
        self._sample = replace(self._sample, margins=tuple(margins))
        self.tree = tree_from_state(arrays, self.tree, self._layout)
        self._ascent = None
        if climbing := part(arrays, "ascent"):
            self._ascent = _Ascent(self.tree, self._settings)
            self._ascent.load_state(climbing)


def is_settled(tree: GrowingTree, column: int) -> bool:
    """Tell whether a state is the column's code, or settles it: counted once, at the start."""
    return tree.shape.node_of[column] in tree.own_code


def _add(counts: Counts, prior: Counts) -> None:
    for tables, added in (
        (counts.transitions, prior.transitions),
        (counts.emissions, prior.emissions),
    ):
        for table, more in zip(tables, added, strict=True):
            table += more


class _Ascent:
    """The logits of all tables on their way up; rows that are made alike lie in one array.

    Args:
        tree: where it begins.
        settings: how.

    """

    def __init__(self, tree: GrowingTree, settings: HiddenSettings) -> None:
        import torch

        self._frame = replace(tree, transitions=[])  # the tables are on their way from here
        n_nodes, emissions = len(tree.transitions), enumerate(tree.emissions)
        free = [table for column, table in emissions if not is_settled(tree, column)]
        tables = [*tree.transitions, *free]
        self._columns = [c for c in range(len(tree.emissions)) if not is_settled(tree, c)]
        self._n_nodes = n_nodes
        hatted = {
            place
            for place, column in enumerate(self._columns, n_nodes)
            if column in settings.ordered and tables[place].shape[1] >= LEAST
        }
        self._groups = _alike(tables, hatted)
        self._hats: dict[str, torch.Tensor] = {}
        start: dict[str, Array] = {}
        for name, places in self._groups.items():
            logits = np.log(np.maximum(np.concatenate([tables[i] for i in places]), LEAST_SHARE))
            if places[0] in hatted:
                self._hats[name] = torch.tensor(hats(logits.shape[1]))
                logits = in_hats(logits)
            start[name] = logits
        self._ends = {
            name: np.cumsum([len(tables[i]) for i in places])[:-1]
            for name, places in self._groups.items()
        }
        # Pulled by every batch and held by its own fall: a short memory and average suit it.
        pace = Pace(
            settings.rate,
            settings.decay,
            norm=math.inf,
            steady=0.0,
            warm_up=1,
            memory=0.99,
            averaged=0.99,
        )
        self.descent = Descent(start, pace)
        self._shares = self._to_shares({n: p.detach() for n, p in self.descent.now.items()})

    def up(self, counts: Counts, n_rows: int, progress: float) -> None:
        """Take one step up what the counts (with pseudo-counts) expect, nats per row."""
        import torch

        tables = [*counts.transitions, *(counts.emissions[c] for c in self._columns)]
        down: dict[str, torch.Tensor] = {}
        for name, places in self._groups.items():
            met = torch.from_numpy(np.concatenate([tables[i] for i in places]))
            slope = (self._shares[name] * met.sum(1, keepdim=True)).sub_(met).div_(n_rows)
            down[name] = slope @ self._hats[name].T if name in self._hats else slope
        self.descent.along(down, progress)
        for name, now in self.descent.now.items():
            torch.softmax(self._logits(name, now.detach()), 1, out=self._shares[name])

    def _to_shares(self, parameters: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
        return {name: self._logits(name, p).softmax(1) for name, p in parameters.items()}

    def _logits(self, name: str, parameters: torch.Tensor) -> torch.Tensor:
        return parameters @ self._hats[name] if name in self._hats else parameters

    def state(self) -> dict[str, NDArray[Any]]:
        """Return what `load_state` needs."""
        return self.descent.state()

    def load_state(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        """Go on from `state`."""
        self.descent.load_state(arrays)
        self._shares = self._to_shares({n: p.detach() for n, p in self.descent.now.items()})

    def now(self) -> GrowingTree:
        """Return the tree as it is; the next step changes its tables."""
        return self._tree_of(self._shares)

    def averaged(self) -> GrowingTree:
        """Return the tree of the averaged logits."""
        import torch

        mean = self.descent.averaged()
        return self._tree_of(self._to_shares({n: torch.from_numpy(a) for n, a in mean.items()}))

    def _tree_of(self, shares: Mapping[str, torch.Tensor]) -> GrowingTree:
        found: dict[int, Array] = {}
        for name, places in self._groups.items():
            tables = np.split(shares[name].numpy(), self._ends[name])
            found |= dict(zip(places, tables, strict=True))
        emissions = list(self._frame.emissions)
        for place, column in enumerate(self._columns, self._n_nodes):
            emissions[column] = found[place]
        transitions = [found[node] for node in range(self._n_nodes)]
        return replace(self._frame, transitions=transitions, emissions=emissions)


def _alike(tables: Sequence[Array], hatted: Collection[int]) -> dict[str, list[int]]:
    """Group the places of tables by the length of their rows, and whether they are hats."""
    found: dict[str, list[int]] = {}
    for place, table in enumerate(tables):
        name = f"{table.shape[1]}{' in hats' if place in hatted else ''}"
        found.setdefault(name, []).append(place)
    return found
