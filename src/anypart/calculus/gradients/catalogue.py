"""Every estimator by name, as it is measured and compared."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from anypart.base.errors import GradientError, suggest
from anypart.calculus.gradients.binary import ARM, DisARM
from anypart.calculus.gradients.control import NVIL, MuProp, small_network
from anypart.calculus.gradients.estimator import Estimator
from anypart.calculus.gradients.exact import Enumeration, Quadrature
from anypart.calculus.gradients.families import Family
from anypart.calculus.gradients.hard import GumbelRao, ReinMax
from anypart.calculus.gradients.local import LocalExpectation
from anypart.calculus.gradients.many_draws import VIMCO
from anypart.calculus.gradients.pathwise import GumbelSoftmax, Pathwise, StraightThrough
from anypart.calculus.gradients.rebar import REBAR, RELAX
from anypart.calculus.gradients.score import ScoreFunction
from anypart.calculus.gradients.without_replacement import WithoutReplacement

CATALOGUE: Mapping[str, Callable[[Family], Estimator]] = {
    "enumeration": lambda p: Enumeration(),
    "quadrature": lambda p: Quadrature(),
    "pathwise": lambda p: Pathwise(),
    "score": lambda p: ScoreFunction(),
    "score-mean": lambda p: ScoreFunction("mean"),
    "score-moving-average": lambda p: ScoreFunction("moving_average"),
    "score-optimal": lambda p: ScoreFunction("optimal", draws=4),
    "leave-one-out-2": lambda p: ScoreFunction("leave_one_out", draws=2),
    "leave-one-out": lambda p: ScoreFunction("leave_one_out", draws=4),
    "nvil": lambda p: NVIL(),
    "muprop": lambda p: MuProp(),
    "rebar": lambda p: REBAR(),
    "relax": lambda p: RELAX(small_network(p)),
    "relax-smooth": lambda p: RELAX(small_network(p), relaxed=True),
    "arm": lambda p: ARM(),
    "disarm": lambda p: DisARM(),
    "local-expectation": lambda p: LocalExpectation(),
    "without-replacement": lambda p: WithoutReplacement(draws=4),
    "vimco": lambda p: VIMCO(draws=2),
    "gumbel-softmax": lambda p: GumbelSoftmax(0.5),
    "straight-through": lambda p: StraightThrough(),
    "straight-through-gumbel": lambda p: GumbelSoftmax(0.5, hard=True),
    "gumbel-rao": lambda p: GumbelRao(0.5, samples=10),
    "reinmax": lambda p: ReinMax(),
}


def find_estimator(name: str, p: Family) -> Estimator:
    """Make a named estimator for a distribution.

    Args:
        name: in the catalogue.
        p: what it will estimate over; a learned control variate has its shape.

    Raises:
        GradientError: there is none of that name.

    Example:
        >>> import torch
        >>> from anypart.calculus.gradients import Bernoulli
        >>> p = Bernoulli(torch.zeros(3))
        >>> find_estimator("leave-one-out", p).draws
        4
        >>> find_estimator("leave-one", p)
        Traceback (most recent call last):
        anypart.base.errors.GradientError: There is no estimator 'leave-one'; ...

    """
    if name not in CATALOGUE:
        raise GradientError(
            f"There is no estimator {name!r}; there are {', '.join(CATALOGUE)}."
            f"{suggest(name, CATALOGUE)}"
        )
    return CATALOGUE[name](p)
