"""What a classifier says, and what a metric takes: logits or probabilities, never a guess which."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Concatenate, Generic, ParamSpec, TypeVar

import torch
from torch import Tensor

from anypart.base.errors import QuestionError
from anypart.calculus.smoothing.choices import one_hot_argmax
from anypart.calculus.smoothing.contract import check

P = ParamSpec("P")
LOOSE = 0.01  # how far from 1 probabilities of classes may sum: half precision is coarse


def _log(p: Tensor, *, odds: bool) -> Tensor:
    """Return log-odds or logarithms; of a sure one, infinite, the derivative is 0, not NaN."""
    sure = (p <= 0) | ((p >= 1) if odds else torch.zeros_like(p, dtype=torch.bool))
    inner = torch.where(sure, 0.5, p)
    ends = torch.where(p > 0, torch.inf, -torch.inf).to(p.dtype)
    return torch.where(sure, ends, torch.logit(inner) if odds else inner.log())


@dataclass(frozen=True)
class Predicted:
    """Scores of a classifier, and whether they are logits. Made by `logits`, `probabilities`.

    Args:
        scores: the shape of the target: each entry is a yes or no of its own; or one more
            dimension, the last: one of several classes.
        are_logits: log-odds (or log-probabilities up to a constant, for classes) instead
            of probabilities.

    """

    scores: Tensor
    are_logits: bool

    def pair(self, target: Tensor, temperature: float) -> tuple[Tensor, Tensor]:
        """Return soft decisions in [0, 1] and the truth, one entry a class, of one shape.

        At temperature 1 a decision is the probability itself; as it falls, decisions
        become hard: probability above ½, or the likeliest class.
        """
        self._fits(target)
        check(self.scores, temperature)
        if self.scores.shape == target.shape:
            return self._yes(temperature), target.to(self.scores.dtype)
        soft = self.classes(temperature)
        return soft, torch.zeros_like(soft).scatter(-1, target.long().unsqueeze(-1), 1.0)

    def _yes(self, temperature: float) -> Tensor:
        if temperature == 1 and not self.are_logits:
            return self.scores  # as a logit, a sure one would have no derivative
        z = self.scores if self.are_logits else _log(self.scores, odds=True)
        return (z > 0).to(z.dtype) if temperature == 0 else torch.sigmoid(z / temperature)

    def classes(self, temperature: float) -> Tensor:
        """Return soft decisions between the classes of the last dimension.

        Raises:
            QuestionError: probabilities of classes that do not sum to 1.

        """
        if self.are_logits:
            return one_hot_argmax(self.scores, temperature)
        total = self.scores.sum(-1, keepdim=True)
        if bool(((total - 1).abs() > LOOSE).any()):
            raise QuestionError(
                "Probabilities of classes sum to 1 over the last dimension, and these to "
                f"{total.min():.3g} to {total.max():.3g}. If they are logits, say logits(...); if "
                "each is a yes or no of its own, give a target of their shape."
            )
        if temperature == 1:
            return self.scores / total
        return one_hot_argmax(_log(self.scores, odds=False), temperature)

    def log_scores(self, target: Tensor) -> Tensor:
        """Return log-odds, or log-probabilities of classes up to a constant."""
        self._fits(target)
        if self.are_logits:
            return self.scores
        return _log(self.scores, odds=self.scores.shape == target.shape)

    def chance(self, target: Tensor) -> Tensor:
        """Return probabilities: of yes, or of every class."""
        self._fits(target)
        if not self.are_logits:
            return self.scores
        if self.scores.shape == target.shape:
            return torch.sigmoid(self.scores)
        return torch.softmax(self.scores, -1)

    def _fits(self, target: Tensor) -> None:
        given, wanted = tuple(self.scores.shape), tuple(target.shape)
        if given == (*wanted, 1):
            raise QuestionError(
                f"Scores of shape {given} are of one class, which is no choice. For a yes or no "
                "leave the last dimension out: squeeze(-1)."
            )
        if given not in (wanted, (*wanted, *given[-1:])):
            raise QuestionError(
                f"Scores of shape {given} do not fit a target of shape {wanted}: give one score "
                "for each entry of the target, or one for each class in a last dimension."
            )
        if not target.numel():
            raise QuestionError("There are no rows, and no metric of nothing.")
        most = 1 if given == wanted else given[-1] - 1
        if target.min() < 0 or target.max() > most:
            raise QuestionError(
                f"The target runs from {target.min()} to {target.max()}; with scores of shape "
                f"{given} it lies between 0 and {most}."
            )


def logits(z: Tensor) -> Predicted:
    """Say that scores are logits: nothing has been squashed yet.

    Example:
        >>> logits(torch.tensor([0.0, 2.0])).chance(torch.tensor([0, 1]))
        tensor([0.5000, 0.8808])

    """
    return Predicted(z, True)


def probabilities(p: Tensor) -> Predicted:
    """Say that scores are probabilities: a sigmoid or softmax has been applied already.

    Raises:
        QuestionError: values outside [0, 1].

    Example:
        >>> probabilities(torch.tensor([3.0]))
        Traceback (most recent call last):
        anypart.base.errors.QuestionError: Probabilities lie in [0, 1] and these reach from ...

    """
    check(p, 0.0)
    if p.numel() and not bool(((p >= 0) & (p <= 1)).all()):
        raise QuestionError(
            f"Probabilities lie in [0, 1] and these reach from {p.min():.3g} to {p.max():.3g}. "
            "If they are logits, say logits(...)."
        )
    return Predicted(p, False)


T = TypeVar("T")
Value = Callable[Concatenate[Predicted, T, float, P], Tensor]


class Metric(Generic[T, P]):
    """A metric that is hard at temperature 0 and smooth above, and the loss it makes.

    Args:
        value: (predicted, target, temperature, options) → the metric.
        larger_is_better: whether its loss is 1 − value, or the value itself.

    """

    def __init__(self, value: Value[T, P], *, larger_is_better: bool) -> None:
        self._value, self.larger_is_better = value, larger_is_better
        functools.update_wrapper(self, value)

    def __repr__(self) -> str:
        return f"metric {getattr(self._value, '__name__', '?')!r}"

    def __call__(
        self,
        predicted: Predicted,
        target: T,
        temperature: float = 1.0,
        *options: P.args,
        **named: P.kwargs,
    ) -> Tensor:
        """Return the metric, hard at temperature 0."""
        if not isinstance(predicted, Predicted):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise QuestionError(
                "A metric is told what its scores are: logits(z) or probabilities(p), not a "
                "bare tensor, so that a sigmoid is never applied twice."
            )
        return self._value(predicted, target, temperature, *options, **named)

    def loss(
        self,
        predicted: Predicted,
        target: T,
        temperature: float = 1.0,
        *options: P.args,
        **named: P.kwargs,
    ) -> Tensor:
        """Return what falls as the metric gets better, 0 at best."""
        found = self(predicted, target, temperature, *options, **named)
        return 1 - found if self.larger_is_better else found


def metric(*, larger_is_better: bool) -> Callable[[Value[T, P]], Metric[T, P]]:
    """Make a metric of a function."""
    return lambda value: Metric(value, larger_is_better=larger_is_better)
