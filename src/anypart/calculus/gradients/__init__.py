r"""Gradients of expectations: \(L(\theta) = E_{z \sim p_\theta}[f(z)]\), in three lines.

An estimator is a torch module and stands where a training loop computes its loss:

p = Bernoulli(encoder(x))                          # or Categorical, Normal, …
loss = estimate(lambda z: cost(z, x), p).mean()    # estimate = ScoreFunction("mean"), …
loss.backward()
"""

from anypart.base.errors import GradientError
from anypart.calculus.gradients.binary import ARM, DisARM
from anypart.calculus.gradients.catalogue import CATALOGUE, find_estimator
from anypart.calculus.gradients.continuous import (
    Exponential,
    Gumbel,
    Laplace,
    Logistic,
    Normal,
    Uniform,
)
from anypart.calculus.gradients.control import NVIL, MuProp, small_network
from anypart.calculus.gradients.estimator import Claim, Estimator
from anypart.calculus.gradients.exact import Enumeration, Quadrature, exact_value
from anypart.calculus.gradients.families import (
    Bernoulli,
    Categorical,
    Continuous,
    Drawable,
    Family,
    Finite,
)
from anypart.calculus.gradients.guide import Advice, choose
from anypart.calculus.gradients.gumbel import (
    Annealed,
    categorical_straight_through,
    gumbel_max,
    gumbel_softmax,
    gumbels,
    straight_through,
)
from anypart.calculus.gradients.hard import GumbelRao, ReinMax, gumbel_rao, reinmax
from anypart.calculus.gradients.implicit import Beta, Dirichlet, Gamma, VonMises
from anypart.calculus.gradients.judge import Measurement, measure
from anypart.calculus.gradients.local import LocalExpectation
from anypart.calculus.gradients.many_draws import VIMCO
from anypart.calculus.gradients.pathwise import (
    GumbelSoftmax,
    Pathwise,
    Relaxation,
    StraightThrough,
)
from anypart.calculus.gradients.problems import PROBLEMS, Problem, find_problem
from anypart.calculus.gradients.rebar import REBAR, RELAX
from anypart.calculus.gradients.score import ScoreFunction
from anypart.calculus.gradients.without_replacement import WithoutReplacement, gumbel_top_k

__all__ = [
    "ARM",
    "CATALOGUE",
    "NVIL",
    "PROBLEMS",
    "REBAR",
    "RELAX",
    "VIMCO",
    "Advice",
    "Annealed",
    "Bernoulli",
    "Beta",
    "Categorical",
    "Claim",
    "Continuous",
    "Dirichlet",
    "DisARM",
    "Drawable",
    "Enumeration",
    "Estimator",
    "Exponential",
    "Family",
    "Finite",
    "Gamma",
    "GradientError",
    "Gumbel",
    "GumbelRao",
    "GumbelSoftmax",
    "Laplace",
    "LocalExpectation",
    "Logistic",
    "Measurement",
    "MuProp",
    "Normal",
    "Pathwise",
    "Problem",
    "Quadrature",
    "ReinMax",
    "Relaxation",
    "ScoreFunction",
    "StraightThrough",
    "Uniform",
    "VonMises",
    "WithoutReplacement",
    "categorical_straight_through",
    "choose",
    "exact_value",
    "find_estimator",
    "find_problem",
    "gumbel_max",
    "gumbel_rao",
    "gumbel_softmax",
    "gumbel_top_k",
    "gumbels",
    "measure",
    "reinmax",
    "small_network",
    "straight_through",
]
