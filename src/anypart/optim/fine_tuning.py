"""How a trained classifier goes on towards a metric: rows, batches, steps.

Towards a smooth metric the step that is best by it on validation rows is taken, towards an
order the mean of the weights on the way.
"""

from __future__ import annotations

import copy
import inspect
import itertools
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, cast

import torch
from torch import Tensor, nn

from anypart.base.errors import FitError
from anypart.calculus.smoothing.metrics.moving import Recent, Totals
from anypart.calculus.smoothing.metrics.predicted import Metric, logits
from anypart.calculus.smoothing.metrics.ranking import auc, pair_loss

MOST_PAIRED = 4096  # rows of a step, where every positive meets every negative


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
            Of average precision in the spread of the scores (their standard deviation); AUC
            has none, it descends `pair_loss`.
        rate: Adam's learning rate.
        steps: at most; the best step on validation is taken, of orders the mean of weights.
        every: steps between looks at the validation rows.
        batch: rows of a step, 0 for all (of orders for at most 4,096). Each batch has its share
            of every class; ratios as F1 are taken of moving totals, average precision among
            recent rows, so that the mean slope is that of all rows.
        seed: of the batches.

    """

    temperature: float = 0.5
    rate: float = 0.02
    steps: int = 150
    every: int = 10
    batch: int = 0
    seed: int = 0


def scores_of(model: nn.Module, rows: Tensor) -> Tensor:
    """Return log-odds, (rows,), or logits of classes, (rows, classes), without derivatives."""
    with torch.no_grad():
        return squeezed(model, rows)


def squeezed(model: nn.Module, rows: Tensor) -> Tensor:
    """Return the same with derivatives.

    Raises:
        FitError: an output of another shape.

    """
    z = cast(Tensor, model(rows))
    z = z.squeeze(-1) if z.ndim == 2 and z.shape[1] == 1 else z
    if z.ndim not in (1, 2):
        raise FitError(f"A classifier gives (rows,) or (rows, classes), not {tuple(z.shape)}.")
    return z


@dataclass(frozen=True)
class Goal:
    """The smooth metric from a threshold on, as a loss."""

    metric: Metric[Tensor, Any]
    temperature: float
    cut: float
    options: Mapping[str, Any]

    def loss(self, z: Tensor, labels: Tensor, **more: Any) -> Tensor:
        """Return what falls as the metric gets better."""
        said = logits(z - self.cut)
        return self.metric.loss(said, labels, self.temperature, **self.options, **more)

    def moving(self, batch: int, n_rows: int) -> dict[str, Any]:
        """Return the option of moving totals, if the metric has it and a batch is not all."""
        has = "totals" in inspect.signature(self.metric).parameters
        # An average over about half the rows: the model moves little meanwhile.
        share = min(2 * batch / n_rows, 1.0)
        return {"totals": Totals(share)} if has and share < 1 else {}


def batches(labels: Tensor, recipe: Recipe) -> Iterator[Tensor]:
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


def fine_tuned(
    model: nn.Module, train: Labelled, valid: Labelled, goal: Goal, recipe: Recipe
) -> nn.Module:
    """Climb the smooth metric; return the step that is best by it on the validation rows."""
    moving = copy.deepcopy(model)
    optimiser = torch.optim.Adam(moving.parameters(), lr=recipe.rate)
    more = goal.moving(recipe.batch, len(train.labels)) if recipe.batch else {}
    best, kept = float("inf"), copy.deepcopy(moving)
    for step, rows in zip(range(recipe.steps + 1), batches(train.labels, recipe), strict=False):
        if step % recipe.every == 0:
            moving.eval()
            found = float(goal.loss(scores_of(moving, valid.rows), valid.labels))
            if found < best:
                best, kept = found, copy.deepcopy(moving)
            moving.train()
        optimiser.zero_grad()
        goal.loss(squeezed(moving, train.rows[rows]), train.labels[rows], **more).backward()
        optimiser.step()
    return kept.eval()


@dataclass(frozen=True)
class Order:
    """A metric of an order as a loss: AUC by pairs, the others as they are.

    Args:
        metric: AUC or average precision.
        temperature: of average precision, in the unit of the scores.

    """

    metric: Metric[Tensor, Any]
    temperature: float

    def loss(self, batch: int, n_rows: int) -> Callable[[Tensor, Tensor], Tensor]:
        """Return a loss of scores and labels; average precision remembers recent rows."""
        if self.metric is auc:  # a mean over pairs: what a batch says is unbiased
            return lambda z, labels: pair_loss(logits(z), labels)
        more = {"recent": Recent(n_rows // 2)} if 2 * batch < n_rows else {}
        return lambda z, labels: self.metric.loss(logits(z), labels, self.temperature, **more)


def averaged(model: nn.Module, data: Labelled, order: Order, recipe: Recipe) -> nn.Module:
    """Descend towards an order; return the mean of the weights at every look, start included."""
    moving, mean = copy.deepcopy(model).train(), copy.deepcopy(model)
    optimiser = torch.optim.Adam(moving.parameters(), lr=recipe.rate)
    n_rows = len(data.labels)
    some = replace(recipe, batch=recipe.batch or min(n_rows, MOST_PAIRED))
    loss = order.loss(some.batch, n_rows)
    for step, rows in zip(range(1, recipe.steps + 1), batches(data.labels, some), strict=False):
        optimiser.zero_grad()
        loss(squeezed(moving, data.rows[rows]), data.labels[rows]).backward()
        optimiser.step()
        if step % recipe.every == 0:
            weight = 1 / (step // recipe.every + 1)
            with torch.no_grad():
                for m, w in zip(mean.parameters(), moving.parameters(), strict=True):
                    m += weight * (w - m)
    mean.load_state_dict({**moving.state_dict(), **dict(mean.named_parameters())})
    return mean.eval()
