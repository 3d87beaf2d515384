"""`TreeLearner`: expectation-maximisation for trees, in mini-batches.

Trees with nothing hidden average the counts of their batches: a single tree over all its
steps, which gives exact counts; a mixture's trees with a falling step. How hidden trees
learn is in `hidden_trees.py`. Missing cells are summed out.

References:
    Cappé & Moulines, "On-line expectation-maximization algorithm for latent data models"
    (2009); Meilă & Jordan, "Learning with mixtures of trees" (2000).

"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from anypart.base.seeds import generator
from anypart.models.chow_liu import ChowLiu
from anypart.models.contract import Codes, Layout, Mask, Model
from anypart.models.independent import Independent
from anypart.models.latent_tree import TreeParts
from anypart.models.stack import log_sum
from anypart.models.tree_mixture import TreeMixture
from anypart.optim.checkpoint import part, under
from anypart.optim.expected_counts import Counts, e_step_down, e_step_up, make_batch
from anypart.optim.tree_start import (
    GrowingTree,
    make_sample,
    start_chow_liu,
    start_independent,
    start_mixture,
    to_shares,
)
from anypart.optim.tree_tables import tables_from_state, tables_state, tree_from_state, tree_state


@dataclass(frozen=True)
class TreeSettings:
    """How trees are learned; the defaults suit tables of 1,000 rows and more.

    Args:
        n_trees: trees of a mixture.
        structure_noise: how far a tree may stray from the best one, nats (see `perturbed`).
        pseudo_rows: rows like the margin added to each row of a tree's tables.
        step_start: weight of a mixture's newest batch at first.
        step_end: and at last.

    """

    n_trees: int = 4
    structure_noise: float = 0.0
    pseudo_rows: float = 5.0
    step_start: float = 0.2
    step_end: float = 0.02


class TreeLearner:
    """Trains the families `independent`, `chow_liu` and `tree_mixture`.

    Args:
        family: which one.
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
        self,
        family: str,
        layout: Layout,
        codes: Codes,
        seen: Mask,
        settings: TreeSettings,
        seed: int,
    ) -> None:
        self.family = family
        self.layout = layout
        self.settings = settings
        self.sample = make_sample(layout, codes, seen)
        self.shares: NDArray[np.float64] = np.ones(1)
        self.trees = self._start(generator(seed, "trees", family))
        self.averages: list[Counts | None] = [None] * len(self.trees)
        self.n_steps = 0

    def _start(self, rng: np.random.Generator) -> list[GrowingTree]:
        """Make the first trees."""
        settings, noise = self.settings, self.settings.structure_noise
        match self.family:
            case "independent":
                return [start_independent(self.sample)]
            case "chow_liu":
                return [start_chow_liu(self.sample, noise, rng)]
            case "tree_mixture":
                trees, self.shares = start_mixture(self.sample, settings.n_trees, noise, rng)
                return trees
            case _:
                raise AssertionError(f"no tree family {self.family!r}")

    def step(self, codes: Codes, seen: Mask, progress: float) -> float:
        """Learn from one mini-batch; return its mean log-probability before, nats.

        A batch without rows teaches nothing, and has a mean of 0.
        """
        if len(codes) == 0:
            return 0.0
        batch = make_batch(self.layout, codes, seen)
        passed = [e_step_up(t.shape, t.transitions, t.emissions, batch) for t in self.trees]
        joint = np.stack([p.log_prob for p in passed]) + np.log(self.shares)[:, None]
        total = log_sum(joint, 0)
        share = np.exp(joint - total)  # (trees, rows)
        rate = self._rate(progress)
        self.n_steps += 1
        for number, (tree, up) in enumerate(zip(self.trees, passed, strict=True)):
            own = share[number] if len(self.trees) > 1 else None
            counts = e_step_down(tree.shape, tree.transitions, batch, up, own)
            self._average(number, counts, rate, len(codes))
            self._maximise(number, len(codes) / rate)
        mixed = np.maximum((1 - rate) * self.shares + rate * share.mean(axis=1), 1e-6)
        self.shares = mixed / mixed.sum()
        return float(total.mean())

    def _rate(self, progress: float) -> float:
        """Weight of the newest batch."""
        if self.family in ("independent", "chow_liu"):
            return 1.0 / (self.n_steps + 1)
        if self.family == "tree_mixture" and self.n_steps == 0:
            return 1.0
        settings = self.settings
        return settings.step_start + (settings.step_end - settings.step_start) * progress

    def _average(self, number: int, counts: Counts, rate: float, n_rows: int) -> None:
        """Mix the batch's counts, as shares of its rows, into the average."""
        old = self.averages[number]
        weight = np.float32(rate / n_rows)
        counts = Counts(
            [t * weight for t in counts.transitions], [t * weight for t in counts.emissions]
        )
        if old is not None:
            keep = np.float32(1 - rate)
            pairs = (old.transitions, counts.transitions), (old.emissions, counts.emissions)
            for before, now in pairs:
                for a, b in zip(before, now, strict=True):
                    b += keep * a
        self.averages[number] = counts

    def _maximise(self, number: int, n_rows: float) -> None:
        """Set the tables of a tree with nothing hidden from its average counts.

        Args:
            number: which tree.
            n_rows: how many rows the average stands for.

        """
        tree, counts = self.trees[number], self.averages[number]
        assert counts is not None
        pseudo, margins = np.float32(self.settings.pseudo_rows / n_rows), self.sample.margins
        if tree.learns_emissions:
            pairs = zip(counts.emissions, margins, strict=True)
            tree.emissions = [to_shares(table + pseudo * margin) for table, margin in pairs]
            return
        for node, table in enumerate(counts.transitions):
            margin = margins[tree.shape.columns[node][0]]
            tree.transitions[node] = to_shares(table + pseudo * margin)

    def model(self) -> Model:
        """Return the model learned so far (a snapshot: later steps do not change it)."""
        cls = Independent if self.family == "independent" else ChowLiu
        models = [
            cls(self.layout, TreeParts(t.shape, tuple(t.transitions), tuple(t.emissions)))
            for t in self.trees
        ]
        if self.family == "tree_mixture":
            return TreeMixture(models, np.log(self.shares))
        return models[0]

    def state(self) -> dict[str, NDArray[Any]]:
        """Return everything that `load_state` needs to go on with the same bits."""
        arrays: dict[str, NDArray[Any]] = {
            "n_steps": np.array([self.n_steps]),
            "shares": self.shares,
            "margins": np.concatenate(self.sample.margins),
        }
        for number, (tree, average) in enumerate(zip(self.trees, self.averages, strict=True)):
            arrays |= under(str(number), tree_state(tree))
            if average is not None:
                arrays |= under(
                    f"{number}/mean", tables_state(average.transitions, average.emissions)
                )
        return arrays

    def load_state(self, arrays: dict[str, NDArray[Any]]) -> None:
        """Go on from `state`."""
        self.n_steps = int(arrays["n_steps"][0])
        self.shares = arrays["shares"].copy()
        margins = np.split(arrays["margins"], np.cumsum(self.layout.n_cats)[:-1])
        self.sample = replace(self.sample, margins=tuple(margins))
        for number, tree in enumerate(self.trees):
            tree = tree_from_state(part(arrays, str(number)), tree, self.layout)
            self.trees[number] = tree
            if means := part(arrays, f"{number}/mean"):
                self.averages[number] = tables_from_state(means, tree.shape, self.layout)
