"""Which estimator to take, by the answers to three questions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from anypart.base.errors import GradientError

Draws = Literal["bits", "categories", "real"]
KINDS: tuple[Draws, ...] = ("bits", "categories", "real")


@dataclass(frozen=True)
class Advice:
    """What to take.

    Args:
        code: how it is made.
        unbiased: whether its gradient is.
        why: one sentence.
        instead: what to try beside it.

    """

    code: str
    unbiased: bool
    why: str
    instead: str


def choose(z: Draws, *, differentiable: bool, evaluations: int) -> Advice:
    """Choose an estimator by three questions.

    The order of the choices is that of the measured errors per evaluation of f, which
    `anypart study gradients` shows for a problem of one's own.

    Args:
        z: what is drawn: `bits`, `categories` or `real` numbers.
        differentiable: f has a derivative in z, and means something between the values of a
            discrete z.
        evaluations: of f that one estimate may take, per element of the batch.

    Raises:
        GradientError: there is no such kind of z, or no evaluation is allowed.

    Example:
        >>> choose("bits", differentiable=False, evaluations=2).code
        'DisARM()'
        >>> choose("real", differentiable=True, evaluations=1).code
        'Pathwise()'
        >>> choose("words", differentiable=True, evaluations=1)
        Traceback (most recent call last):
        anypart.base.errors.GradientError: There is no z of kind 'words'; it is one of bits, ...

    """
    if z not in KINDS:
        raise GradientError(f"There is no z of kind {z!r}; it is one of {', '.join(KINDS)}.")
    if evaluations < 1:
        raise GradientError(f"An estimate takes at least 1 evaluation of f, not {evaluations}.")
    if z == "real":
        return _for_reals(differentiable, evaluations)
    if evaluations == 1:
        return _for_one_evaluation(differentiable)
    beside = (
        f"ReinMax(2.0, draws={evaluations}): biased, and less noisy. " if differentiable else ""
    )
    if z == "bits" and evaluations < 4:
        return Advice(
            "DisARM()",
            True,
            "Two coupled draws of bits, unbiased for any f.",
            beside + "RELAX(network) where f is a black box that costs more than a network.",
        )
    draws = f"ScoreFunction('leave_one_out', draws={evaluations})"
    return Advice(
        draws,
        True,
        "Each draw's baseline is the mean of the others, unbiased for any f.",
        beside + "LocalExpectation() where dims · (cats − 1) + 1 evaluations can be paid, "
        "Enumeration() where all states can.",
    )


def _for_reals(differentiable: bool, evaluations: int) -> Advice:
    if differentiable:
        return Advice(
            "Pathwise()" if evaluations == 1 else f"Pathwise(draws={evaluations})",
            True,
            "The path through the draw is unbiased and usually the least noisy.",
            "ScoreFunction where f oscillates faster than p spreads.",
        )
    if evaluations == 1:
        return Advice(
            "ScoreFunction('mean')",
            True,
            "The path does not see a jump; the score function does.",
            "ScoreFunction('moving_average') where the batch has one element.",
        )
    return Advice(
        f"ScoreFunction('leave_one_out', draws={evaluations})",
        True,
        "The path does not see a jump; the score function does.",
        "ScoreFunction('optimal', draws=…) with many draws.",
    )


def _for_one_evaluation(differentiable: bool) -> Advice:
    if differentiable:
        return Advice(
            "ReinMax()",
            False,
            "One evaluation, the least biased of the relatives of straight-through.",
            "GumbelRao(0.5) for less noise and more bias; a second evaluation buys unbiasedness.",
        )
    return Advice(
        "ScoreFunction('mean')",
        True,
        "All that a black box allows at one evaluation; the rest of the batch is the baseline.",
        "NVIL(network) where the level of f differs between the elements of the batch.",
    )
