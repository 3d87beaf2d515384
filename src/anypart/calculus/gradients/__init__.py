r"""Gradients of expectations: \(L(\theta) = E_{z \sim p_\theta}[f(z)]\), in three lines.

p = Bernoulli(encoder(x))                              # or Categorical, Normal, …
loss = estimate(lambda z: cost(z, x), p).mean()        # estimate = ScoreFunction("mean"), …
loss.backward()
"""

from anypart.base.errors import GradientError
from anypart.calculus.gradients.estimator import Claim, Estimator
from anypart.calculus.gradients.exact import Enumeration, Quadrature
from anypart.calculus.gradients.families import (
    Bernoulli,
    Categorical,
    Drawable,
    Family,
    Finite,
    Normal,
)
from anypart.calculus.gradients.gumbel import (
    Annealed,
    categorical_straight_through,
    gumbel_max,
    gumbel_softmax,
    gumbels,
    straight_through,
)
from anypart.calculus.gradients.pathwise import (
    GumbelSoftmax,
    Pathwise,
    Relaxation,
    StraightThrough,
)
from anypart.calculus.gradients.score import ScoreFunction

__all__ = [
    "Annealed",
    "Bernoulli",
    "Categorical",
    "Claim",
    "Drawable",
    "Enumeration",
    "Estimator",
    "Family",
    "Finite",
    "GradientError",
    "GumbelSoftmax",
    "Normal",
    "Pathwise",
    "Quadrature",
    "Relaxation",
    "ScoreFunction",
    "StraightThrough",
    "categorical_straight_through",
    "gumbel_max",
    "gumbel_softmax",
    "gumbels",
    "straight_through",
]
