"""A trained classifier, finished towards the metric that it will be judged by.

Cross-entropy first, then the smooth metric (Su 2019; also what works best here: a metric
alone, from a cold start, is worse than cross-entropy with a tuned threshold).
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from anypart.base.errors import FitError
from anypart.calculus.smoothing.metrics.predicted import Metric, logits
from anypart.calculus.smoothing.metrics.ratios import f1
from anypart.optim.fine_tuning import (
    Goal,
    Labelled,
    Order,
    Recipe,
    averaged,
    fine_tuned,
    scores_of,
)

AT_HALF, TUNED, FINE_TUNED = "cross-entropy at .5", "tuned threshold", "fine-tuned"


#: What judges an order, of which there is no threshold, and how it is finished: the mean of the
#: weights on the way, then the same way with all rows. Chosen on a pilot
#: (results/smoothing_order_recipe.md).
ORDERS: Mapping[str, Recipe] = {
    "auc": Recipe(rate=0.02, steps=100),
    "average_precision": Recipe(temperature=1.0, rate=0.02, steps=50),
}


@dataclass(frozen=True)
class Finished:
    """A classifier and its threshold, and what was compared to find them.

    Args:
        model: the kept classifier.
        threshold: log-odds from which a row is decided positive; 0 for classes.
        kept: which of the three it is.
        scores: the true metric of each on the validation rows, before any saw them.
        candidates: each classifier and threshold by name.

    """

    model: nn.Module
    threshold: float
    kept: str
    scores: Mapping[str, float]
    candidates: Mapping[str, tuple[nn.Module, float]]

    def decide(self, rows: Tensor) -> Tensor:
        """Label rows: 0 or 1, or the class, (rows,)."""
        z = scores_of(self.model, rows)
        return z.argmax(-1) if z.ndim == 2 else (z > self.threshold).long()

    def report(
        self, test: Labelled, metric: Metric[Tensor, Any] = f1, **options: Any
    ) -> dict[str, float]:
        """Measure the true metric of every candidate, and of what was kept, on other rows."""
        found = {
            name: _hard(metric, scores_of(model, test.rows) - cut, test.labels, options)
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
    threshold, and fine-tuned by the smooth metric from that threshold on. Equals go to the
    later one. The model itself is not changed.

    An order (AUC, average precision) has no threshold, and AUC that is warm can be raised by
    larger scores in a worse order: it is fine-tuned by the logistic loss of pairs instead, and
    average precision at a temperature in the spread of the scores. The mean of the weights on
    the way is compared with the model as it is; if it is kept, the same way is gone again with
    the validation rows too.

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
    start = copy.deepcopy(model).eval()
    of_order = ORDERS.get(getattr(metric, "__name__", ""))
    if of_order:
        return _ordered(start, train, valid, metric, recipe or of_order)
    recipe = recipe or Recipe()
    candidates = {AT_HALF: (start, 0.0)}
    if scores_of(start, valid.rows).ndim == 1:
        # A threshold has one number to learn: rows that were trained on help it too.
        both = _joined(train, valid)
        cut = _best_threshold(metric, scores_of(start, both.rows), both.labels, options)
        candidates[TUNED] = (start, cut)
    tuned = candidates.get(TUNED, candidates[AT_HALF])
    goal = Goal(metric, recipe.temperature, tuned[1], options)
    candidates[FINE_TUNED] = (fine_tuned(start, train, valid, goal, recipe), tuned[1])
    scores = {
        name: _hard(metric, scores_of(m, valid.rows) - cut, valid.labels, options)
        for name, (m, cut) in candidates.items()
    }
    kept = max(reversed(scores), key=lambda name: scores[name])
    return Finished(*candidates[kept], kept, scores, candidates)


def _ordered(
    start: nn.Module,
    train: Labelled,
    valid: Labelled,
    metric: Metric[Tensor, Any],
    recipe: Recipe,
) -> Finished:
    """Finish towards an order, see `finish`."""
    spread = float(scores_of(start, train.rows).std()) or 1.0
    order = Order(metric, recipe.temperature * spread)
    found = {AT_HALF: start, FINE_TUNED: averaged(start, train, order, recipe)}
    scores = {
        n: _hard(metric, scores_of(m, valid.rows), valid.labels, {}) for n, m in found.items()
    }
    kept = max(reversed(scores), key=lambda name: scores[name])
    if kept == FINE_TUNED:
        found[FINE_TUNED] = averaged(start, _joined(train, valid), order, recipe)
    return Finished(found[kept], 0.0, kept, scores, {n: (m, 0.0) for n, m in found.items()})


def _joined(a: Labelled, b: Labelled) -> Labelled:
    return Labelled(torch.cat([a.rows, b.rows]), torch.cat([a.labels, b.labels]))


def _hard(metric: Metric[Tensor, Any], z: Tensor, labels: Tensor, options: Any) -> float:
    return float(metric(logits(z), labels, 0.0, **options))


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
