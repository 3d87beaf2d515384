r"""Measures estimators against the exact gradient: bias, variance, cosine, time, evaluations.

Independent copies of a problem are the elements of one batch, so one backward pass gives
thousands of independent estimates.
"""

from __future__ import annotations

import copy
import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from statistics import NormalDist
from typing import Any

import torch
from torch import Tensor

from anypart.base.errors import GradientError
from anypart.calculus.gradients.estimator import Estimator, Integrand
from anypart.calculus.gradients.problems import Problem

ERROR_RATE = 1e-3  # of calling an unbiased estimator biased
_CELLS = 100_000  # of f's input at once: more leave the processor's cache
_TIMED = 256  # elements of the batch that is timed
_LEARNING = 300  # steps for an estimator's own parameters and state


@dataclass(frozen=True)
class Measurement:
    """What was found about one estimator on one problem.

    Args:
        estimator: its name.
        unbiased: what it claims.
        samples: independent estimates that were looked at.
        bias: length of (mean − truth), relative to the truth's.
        bias_low, bias_high: 95 % interval of the true length, conservative.
        strays: largest |mean − truth| of a coordinate, in standard errors.
        strays_most: what strays reaches once in a thousand runs without bias.
        variance: sum of the coordinates' variances.
        error: root-mean-square error of one estimate, relative to the truth's length.
        cosine: mean cosine of the angle between an estimate and the truth.
        evaluations: of f, per estimate.
        microseconds: CPU time of one estimate and its backward pass, in a batch of 256.

    """

    estimator: str
    unbiased: bool
    samples: int
    bias: float
    bias_low: float
    bias_high: float
    strays: float
    strays_most: float
    variance: float
    error: float
    cosine: float
    evaluations: float
    microseconds: float

    @property
    def biased(self) -> bool:
        """Whether the bias is significant, at an error rate of one in a thousand."""
        return self.strays > self.strays_most


class _Counted:
    """f that counts its evaluations per element of the batch."""

    def __init__(self, f: Integrand) -> None:
        self.f, self.rows = f, 0

    def __call__(self, z: Tensor) -> Tensor:
        self.rows += z.shape[0]
        return self.f(z)


@dataclass
class _Sums:
    """Running sums of estimates, about the truth."""

    truth: Tensor
    n: int = 0
    cosine: float = 0.0

    def __post_init__(self) -> None:
        size = len(self.truth)
        self.total = torch.zeros(size, dtype=torch.float64)
        self.outer = torch.zeros(size, size, dtype=torch.float64)

    def add(self, estimates: Tensor) -> None:
        away = estimates.double() - self.truth
        self.n += len(away)
        self.total += away.sum(0)
        self.outer += away.T @ away
        lengths = estimates.double().norm(dim=1) * self.truth.norm()
        cosines = (estimates.double() @ self.truth) / lengths.clamp(min=1e-300)
        self.cosine += float(cosines.sum())


def estimates(
    estimator: Estimator, problem: Problem, n: int, generator: torch.Generator
) -> Iterator[Tensor]:
    """Yield independent estimates of the gradient, (some, parameters), n in all.

    Args:
        estimator: not trained further; its state moves if it is in `train()`.
        problem: of which the parameters' type is that of the computation.
        n: how many.
        generator: of all draws.

    """
    cells = problem.p.parameters[0].numel() * max(estimator.evaluations(problem.p), 1)
    most = max(_CELLS // cells, 2)
    while n > 0:
        size = min(n, most)
        own = [
            t.detach().expand(size, *t.shape).clone().requires_grad_() for t in problem.p.parameters
        ]
        value = estimator(problem.f, problem.p.replaced(*own), generator)
        found = torch.autograd.grad(value.sum(), own, allow_unused=True, materialize_grads=True)
        yield torch.cat([g.flatten(1) for g in found], 1)
        n -= size


def learn(estimator: Estimator, problem: Problem, generator: torch.Generator) -> None:
    """Train an estimator's own parameters and let its state settle, then freeze both."""
    own = list(estimator.parameters())
    optimizer = torch.optim.Adam(own, lr=0.02) if own else None
    wide = [t.detach().expand(64, *t.shape) for t in problem.p.parameters]
    steps = _LEARNING if own else 20 * bool(list(estimator.buffers()))
    for _ in range(steps):
        p = problem.p.replaced(*(t.clone().requires_grad_() for t in wide))
        loss = estimator(problem.f, p, generator).mean()
        if optimizer:
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    estimator.eval()


def measure(
    name: str, estimator: Estimator, problem: Problem, n: int = 100_000, seed: int = 0
) -> Measurement:
    """Measure one estimator on one problem; a copy of it is trained, itself it stays.

    Args:
        name: what it is called in the result.
        estimator: any.
        problem: with a known gradient of the estimator's own target.
        n: estimates; the interval of the bias shrinks with their square root.
        seed: of every draw.

    Raises:
        GradientError: the estimator cannot be used there, or n is below 2.

    Cost:
        n · evaluations of f.

    """
    if n < 2:
        raise GradientError(f"Measuring needs at least 2 estimates, but got {n}.")
    n = min(n, 16) if estimator.claim.exact else n
    generator = torch.Generator().manual_seed(seed)
    estimator = copy.deepcopy(estimator)
    own_target: Callable[..., Any] | None = estimator.target
    if estimator.claim.objective == "E[f(z)]":
        own_target = None
    truth = problem.gradient(own_target)
    learn(estimator, problem, generator)
    counted = _Counted(problem.f)
    batch = problem.p.replaced(*(t.expand(2, *t.shape) for t in problem.p.parameters))
    estimator(counted, batch, generator)
    sums = _Sums(truth)
    for some in estimates(estimator, problem, n, generator):
        sums.add(some)
    microseconds = _microseconds(estimator, problem, generator)
    return _summary(name, estimator, sums, counted.rows, microseconds)


def _summary(
    name: str, estimator: Estimator, sums: _Sums, evaluations: int, microseconds: float
) -> Measurement:
    off = sums.total / sums.n
    covariance = sums.outer / sums.n - torch.outer(off, off)
    size = max(float(sums.truth.norm()), 1e-300)
    # Rounding of float64 leaves a little of a variance that is exactly 0.
    rounding = 1e-14 * float(sums.truth.square().sum() + sums.outer.trace() / sums.n)
    variances = covariance.diagonal().clamp(min=0.0)
    errors = ((variances + rounding) / sums.n).sqrt()
    strays = (off.abs() / errors.clamp(min=1e-300)).max()
    reach = _noise_length(covariance / sums.n, sums.n)
    length = float(off.norm())
    return Measurement(
        estimator=name,
        unbiased=estimator.claim.unbiased,
        samples=sums.n,
        bias=length / size,
        bias_low=max(length - reach, 0.0) / size,
        bias_high=(length + reach) / size,
        strays=float(strays),
        strays_most=NormalDist().inv_cdf(1 - ERROR_RATE / 2 / len(off)),
        variance=float(variances.sum()),
        error=math.sqrt(float(sums.outer.trace()) / sums.n) / size,
        cosine=sums.cosine / sums.n,
        evaluations=evaluations,
        microseconds=microseconds,
    )


def _noise_length(covariance: Tensor, seed: int) -> float:
    """Return what the length of N(0, covariance) stays below in 95 of 100 cases."""
    values = torch.linalg.eigvalsh(covariance).clamp(min=0.0)
    noise = torch.Generator().manual_seed(seed)
    squares = torch.randn(4_000, len(values), generator=noise, dtype=torch.float64).square()
    return float((squares @ values).sqrt().quantile(0.95))


def _microseconds(estimator: Estimator, problem: Problem, generator: torch.Generator) -> float:
    times: list[float] = []
    wide = [t.detach().expand(_TIMED, *t.shape).clone() for t in problem.p.parameters]
    for _ in range(7):
        own = [t.clone().requires_grad_() for t in wide]
        start = time.process_time()  # a busy machine stretches the clock on the wall
        value = estimator(problem.f, problem.p.replaced(*own), generator)
        torch.autograd.grad(value.sum(), own, allow_unused=True)
        times.append(time.process_time() - start)
    return sorted(times)[len(times) // 2] / _TIMED * 1e6
