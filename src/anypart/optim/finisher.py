"""A trained classifier, finished towards the metric that it will be judged by.

Cross-entropy first, then the smooth metric (Su 2019; also what works best here: a metric
alone, from a cold start, is worse than cross-entropy with a tuned threshold).
"""

from __future__ import annotations

import copy
import inspect
import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, cast

import torch
from torch import Tensor, nn

from anypart.base.errors import FitError
from anypart.calculus.smoothing.metrics.moving import Recent, Totals
from anypart.calculus.smoothing.metrics.predicted import Metric, logits
from anypart.calculus.smoothing.metrics.ratios import f1

AT_HALF, TUNED, FINE_TUNED = "cross-entropy at .5", "tuned threshold", "fine-tuned"


@dataclass(frozen=True)
class Labelled:
    """Rows and their labels.

    Args:
        rows: what the classifier takes, the first dimension the rows.
        labels: (rows,) of 0 and 1, or classes.

    """

    rows: Tensor
    labels: Tensor


@dataclass(frozen=True)
class Recipe:
    """How to fine-tune.

    Args:
        temperature: of the smooth metric; lower is nearer to the metric, and harder to climb.
        rate: Adam's learning rate.
        steps: at most; the best step on validation is taken.
        every: steps between looks at the validation rows.
        batch: rows of a step, 0 for all. Each batch has its share of every class; ratios as
            F1 are taken of moving totals, average precision among recent rows, so that the
            mean slope is that of all rows.
        seed: of the batches.

    """

    temperature: float = 0.5
    rate: float = 0.02
    steps: int = 150
    every: int = 10
    batch: int = 0
    seed: int = 0


#: Metrics of an order have no threshold, and a recipe of their own, chosen on sets outside
#: those that they are judged on; so was confirmed the other (results/smoothing_recipe.md).
ORDER_RECIPES: Mapping[str, Recipe] = {
    "auc": Recipe(2.0, 0.005, 100),
    "average_precision": Recipe(2.0, 0.005, 100),
}


@dataclass(frozen=True)
class Finished:
    """A classifier and its threshold, and what was compared to find them.

    Args:
        model: the kept classifier.
        threshold: log-odds from which a row is decided positive; 0 for classes.
        kept: which of the three it is.
        scores: the true metric of each on the validation rows.
        candidates: each classifier and threshold by name.

    """

    model: nn.Module
    threshold: float
    kept: str
    scores: Mapping[str, float]
    candidates: Mapping[str, tuple[nn.Module, float]]

    def decide(self, rows: Tensor) -> Tensor:
        """Label rows: 0 or 1, or the class, (rows,)."""
        z = _scores(self.model, rows)
        return z.argmax(-1) if z.ndim == 2 else (z > self.threshold).long()

    def report(
        self, test: Labelled, metric: Metric[Tensor, Any] = f1, **options: Any
    ) -> dict[str, float]:
        """Measure the true metric of every candidate, and of what was kept, on other rows."""
        found = {
            name: _hard(metric, _scores(model, test.rows) - cut, test.labels, options)
            for name, (model, cut) in self.candidates.items()
        }
        return {**found, "kept": found[self.kept]}


def finish(
    model: nn.Module,
    train: Labelled,
    valid: Labelled,
    metric: Metric[Tensor, Any] = f1,
    recipe: Recipe | None = None,
    **options: Any,
) -> Finished:
    """Finish a classifier that was trained by cross-entropy.

    Three are compared on the validation rows by the true metric: as it is, with the best
    threshold (if the metric is not of an order), and fine-tuned by the smooth metric from
    that threshold on. Equals go to the
    later one. The model itself is not changed.

    Args:
        model: rows → log-odds, (rows,) or (rows, 1), or logits of classes.
        train: rows to fine-tune on, all together in a step if the recipe says no batch.
        valid: rows to choose by; they are as many as the choice is sure.
        metric: of `calculus.smoothing.metrics`.
        recipe: how to fine-tune; if not given, what suits the metric.
        options: of the metric.

    Raises:
        FitError: validation rows of one class only, or a metric or output that has no use
            for a threshold and labels.

    Example:
        >>> from anypart.calculus.smoothing.metrics import f1
        >>> _ = torch.manual_seed(0)
        >>> x = torch.randn(400, 3)
        >>> rows = Labelled(x, (x[:, 0] + 0.5 * torch.randn(400) > 1.2).long())
        >>> done = finish(torch.nn.Linear(3, 1), rows, rows)
        >>> done.scores["cross-entropy at .5"] < done.scores["fine-tuned"]
        True

    """
    if not metric.larger_is_better:
        raise FitError(
            f"{metric} is better when it is smaller; finish by one that is better "
            "when larger, as f1 or accuracy."
        )
    if valid.labels.unique().numel() < 2 or train.labels.unique().numel() < 2:
        raise FitError(
            "The training or validation rows are all of one class, so no threshold is better "
            "than another. Split them class by class."
        )
    of_order = ORDER_RECIPES.get(getattr(metric, "__name__", ""))
    recipe, start = recipe or of_order or Recipe(), copy.deepcopy(model)
    binary = _scores(start, valid.rows).ndim == 1
    candidates = {AT_HALF: (start, 0.0)}
    if binary and not of_order:
        # A threshold has one number to learn: rows that were trained on help it too.
        both = Labelled(
            torch.cat([train.rows, valid.rows]), torch.cat([train.labels, valid.labels])
        )
        cut = _best_threshold(metric, _scores(start, both.rows), both.labels, options)
        candidates[TUNED] = (start, cut)
    tuned = candidates.get(TUNED, candidates[AT_HALF])
    goal = _Goal(metric, recipe.temperature, tuned[1], options)
    candidates[FINE_TUNED] = (_fine_tuned(start, train, valid, goal, recipe), tuned[1])
    scores = {
        name: _hard(metric, _scores(m, valid.rows) - cut, valid.labels, options)
        for name, (m, cut) in candidates.items()
    }
    kept = max(reversed(scores), key=lambda name: scores[name])
    return Finished(*candidates[kept], kept, scores, candidates)


def _scores(model: nn.Module, rows: Tensor) -> Tensor:
    with torch.no_grad():
        return _squeezed(model, rows)


def _squeezed(model: nn.Module, rows: Tensor) -> Tensor:
    z = cast(Tensor, model(rows))
    z = z.squeeze(-1) if z.ndim == 2 and z.shape[1] == 1 else z
    if z.ndim not in (1, 2):
        raise FitError(f"A classifier gives (rows,) or (rows, classes), not {tuple(z.shape)}.")
    return z


def _hard(metric: Metric[Tensor, Any], z: Tensor, labels: Tensor, options: Any) -> float:
    return float(metric(logits(z), labels, 0.0, **options))


@dataclass(frozen=True)
class _Goal:
    """The smooth metric from a threshold on, as a loss."""

    metric: Metric[Tensor, Any]
    temperature: float
    cut: float
    options: Mapping[str, Any]

    def loss(self, z: Tensor, labels: Tensor, **more: Any) -> Tensor:
        said = logits(z - self.cut)
        return self.metric.loss(said, labels, self.temperature, **self.options, **more)

    def moving(self, batch: int, n_rows: int) -> dict[str, Any]:
        """Return what a batch is told of the rows before it, if the metric takes that."""
        taken = inspect.signature(self.metric).parameters
        # An average over about half the rows: the model moves little meanwhile.
        share = min(2 * batch / n_rows, 1.0)
        if share == 1:
            return {}
        if "recent" in taken:
            return {"recent": Recent(max(n_rows // 2, 1))}
        return {"totals": Totals(share)} if "totals" in taken else {}


def _best_threshold(
    metric: Metric[Tensor, Any], z: Tensor, labels: Tensor, options: Any, most: int = 400
) -> float:
    """Find the log-odds with the best metric: the middle one of the best, of at most `most`."""
    ordered = z.unique()
    cuts = torch.cat([ordered[:1] - 1, (ordered[1:] + ordered[:-1]) / 2])
    if len(cuts) > most:
        cuts = cuts[torch.linspace(0, len(cuts) - 1, most).long()]
    found = torch.tensor([_hard(metric, z - cut, labels, options) for cut in cuts])
    best = (found >= found.max() - 1e-9).nonzero().squeeze(1)
    return float(cuts[best[len(best) // 2]])


def _batches(labels: Tensor, recipe: Recipe) -> Iterator[Tensor]:
    """Draw the rows of each step: of every class its share, at least one; none twice a pass."""
    if not 0 < recipe.batch < len(labels):
        yield from itertools.repeat(torch.arange(len(labels)))
    rng = torch.Generator().manual_seed(recipe.seed)
    parts = -(-len(labels) // recipe.batch)
    classes = [(labels == c).nonzero().squeeze(1) for c in labels.unique()]
    while True:
        mixed = [rows[torch.randperm(len(rows), generator=rng)] for rows in classes]
        # A class of fewer rows than batches comes round again in the same pass.
        some = [rows.repeat(-(-parts // len(rows))).tensor_split(parts) for rows in mixed]
        yield from (torch.cat(rows) for rows in zip(*some, strict=True))


def _fine_tuned(
    model: nn.Module, train: Labelled, valid: Labelled, goal: _Goal, recipe: Recipe
) -> nn.Module:
    """Climb the smooth metric; return the step that is best by it on the validation rows."""
    moving = copy.deepcopy(model)
    optimiser = torch.optim.Adam(moving.parameters(), lr=recipe.rate)
    more = goal.moving(recipe.batch, len(train.labels)) if recipe.batch else {}
    best, kept = float("inf"), copy.deepcopy(moving)
    for step, rows in zip(range(recipe.steps + 1), _batches(train.labels, recipe), strict=False):
        if step % recipe.every == 0:
            moving.eval()
            found = float(goal.loss(_scores(moving, valid.rows), valid.labels))
            if found < best:
                best, kept = found, copy.deepcopy(moving)
            moving.train()
        optimiser.zero_grad()
        goal.loss(_squeezed(moving, train.rows[rows]), train.labels[rows], **more).backward()
        optimiser.step()
    return kept.eval()
