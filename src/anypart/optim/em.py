"""`TreeLearner`: expectation-maximisation for every family of trees, in mini-batches.

Counts are averaged over steps, and the tables follow from the average; the share of the
newest batch falls from `step_start` to `step_end`, or as 1/n for single trees with
nothing hidden, where the average is then the exact count. Missing cells are summed out.

References:
    Cappé & Moulines, "On-line expectation-maximization algorithm for latent data models"
    (2009); Meilă & Jordan, "Learning with mixtures of trees" (2000).

"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from anypart.base.seeds import generator
from anypart.models.chow_liu import ChowLiu
from anypart.models.contract import Codes, Layout, Mask, Model
from anypart.models.hidden_tree import HiddenTree
from anypart.models.independent import Independent
from anypart.models.latent_tree import TreeParts
from anypart.models.stack import log_sum
from anypart.models.tree_mixture import TreeMixture
from anypart.optim.expected_counts import Counts, e_step_down, e_step_up, make_batch
from anypart.optim.tree_start import (
    GrowingTree,
    make_sample,
    start_chow_liu,
    start_hidden,
    start_independent,
    start_mixture,
    to_shares,
)


@dataclass(frozen=True)
class TreeSettings:
    """How trees are learned; the defaults suit tables of 1,000 rows and more.

    Args:
        n_states: states of a hidden node.
        n_trees: trees of a mixture.
        structure_noise: how far the tree may stray from the best one (see `perturbed`).
        transition_pseudo, emission_pseudo: added to the counts of each table of a hidden
            tree, as a share of all rows.
        pseudo_rows: rows like the margin added to each row of an observed tree's tables.
        step_start, step_end: share of the newest batch in the counts.

    """

    n_states: int = 128
    n_trees: int = 8
    structure_noise: float = 0.0
    transition_pseudo: float = 0.01
    emission_pseudo: float = 0.01
    pseudo_rows: float = 1.0
    step_start: float = 0.2
    step_end: float = 0.02


class TreeLearner:
    """Trains the families `independent`, `chow_liu`, `tree_mixture` and `hidden_tree`.

    Args:
        family: which one.
        layout: the columns.
        codes, seen: (rows, cols) a sample of the training rows, for structure, margins
            and a start; some ten thousand are plenty.
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
        self.n_rows = 0

    def _start(self, rng: np.random.Generator) -> list[GrowingTree]:
        """Make the first trees."""
        settings, noise = self.settings, self.settings.structure_noise
        match self.family:
            case "independent":
                return [start_independent(self.sample)]
            case "chow_liu":
                return [start_chow_liu(self.sample, noise, rng)]
            case "hidden_tree":
                return [start_hidden(self.sample, settings.n_states, noise, rng)]
            case "tree_mixture":
                trees, self.shares = start_mixture(self.sample, settings.n_trees, noise, rng)
                return trees
            case _:
                raise AssertionError(f"no tree family {self.family!r}")

    def step(self, codes: Codes, seen: Mask, progress: float) -> float:
        """Learn from one mini-batch; return its mean log-probability before, nats."""
        batch = make_batch(self.layout, codes, seen)
        passed = [e_step_up(t.shape, t.transitions, t.emissions, batch) for t in self.trees]
        joint = np.stack([p.log_prob for p in passed]) + np.log(self.shares)[:, None]
        total = log_sum(joint, 0)
        share = np.exp(joint - total)  # (trees, rows)
        rate = self._rate(progress)
        self.n_rows += len(codes)
        self.n_steps += 1
        for number, (tree, up) in enumerate(zip(self.trees, passed, strict=True)):
            own = share[number] if len(self.trees) > 1 else None
            counts = e_step_down(tree.shape, tree.transitions, batch, up, own)
            self._average(number, counts, rate, len(codes))
            self._maximise(number, len(codes) / rate)
        mixed = (1 - rate) * self.shares + rate * share.mean(axis=1)
        self.shares = np.maximum(mixed, 1e-6) / np.maximum(mixed, 1e-6).sum()
        return float(total.mean())

    def _rate(self, progress: float) -> float:
        """Share of the newest batch in the averages."""
        if self.family in ("independent", "chow_liu") or self.n_steps == 0:
            return 1.0 / (self.n_steps + 1)
        settings = self.settings
        return settings.step_start + (settings.step_end - settings.step_start) * progress

    def _average(self, number: int, counts: Counts, rate: float, n_rows: int) -> None:
        """Mix the batch's counts, as shares of its rows, into the average."""
        old = self.averages[number]
        for group in (counts.transitions, counts.emissions):
            for table in group:
                table *= np.float32((1.0 if old is None else rate) / n_rows)
        if old is not None:
            for before, now in (
                (old.transitions, counts.transitions),
                (old.emissions, counts.emissions),
            ):
                for a, b in zip(before, now, strict=True):
                    b += np.float32(1 - rate) * a
        self.averages[number] = counts

    def _maximise(self, number: int, n_rows: float) -> None:
        """Set the tables of a tree from the average counts.

        Args:
            number: which tree.
            n_rows: how many rows the average stands for.

        """
        tree, counts = self.trees[number], self.averages[number]
        assert counts is not None
        settings, margins = self.settings, self.sample.margins
        if not tree.learns_emissions:
            for node, table in enumerate(counts.transitions):
                margin = margins[tree.shape.columns[node][0]]
                tree.transitions[node] = to_shares(table + settings.pseudo_rows / n_rows * margin)
            return
        for node, table in enumerate(counts.transitions):
            tree.transitions[node] = to_shares(table + settings.transition_pseudo / table.size)
        for column, table in enumerate(counts.emissions):
            prior = margins[column] * (settings.emission_pseudo / len(table))
            tree.emissions[column] = to_shares(table + prior)

    def model(self) -> Model:
        """Return the model learned so far (a snapshot: later steps do not change it)."""
        cls = {"independent": Independent, "hidden_tree": HiddenTree}.get(self.family, ChowLiu)
        models = [
            cls(self.layout, TreeParts(t.shape, tuple(t.transitions), tuple(t.emissions)))
            for t in self.trees
        ]
        if self.family == "tree_mixture":
            return TreeMixture(models, np.log(self.shares))
        return models[0]
