"""Named problems with a known gradient, on which estimators are measured."""

from __future__ import annotations

import runpy
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import torch
from torch import Tensor

from anypart.base.errors import GradientError, suggest
from anypart.calculus.gradients.continuous import Normal
from anypart.calculus.gradients.estimator import Integrand
from anypart.calculus.gradients.exact import exact_value
from anypart.calculus.gradients.families import Bernoulli, Categorical, Family


@dataclass(frozen=True)
class Problem:
    """An expectation whose gradient is known.

    Args:
        name: what it is called.
        about: one line.
        p: the distribution at which the gradient is taken, with no batch axis.
        f: (rows, *batch, *event) to (rows, *batch).
        breaks: where f is not smooth, for quadrature.

    """

    name: str
    about: str
    p: Family
    f: Integrand
    breaks: tuple[float, ...] = ()

    def gradient(self, objective: Callable[[Integrand, Any], Tensor] | None = None) -> Tensor:
        """Return the exact gradient by all parameters, one after the other, float64."""
        own = [t.detach().double().clone().requires_grad_() for t in self.p.parameters]
        p = self.p.replaced(*own)
        value = objective(self.f, p) if objective else exact_value(self.f, p, self.breaks)
        return torch.cat([g.flatten() for g in torch.autograd.grad(value, own)])


def _toy(z: Tensor) -> Tensor:
    return (z - 0.499).square().sum(-1)


def _pairs(z: Tensor) -> Tensor:
    weight = torch.tensor([1.5, 0.9, 2.0, -1.1], dtype=z.dtype)
    return (weight * z * z.roll(1, -1)).sum(-1) + (2 * z.sum(-1)).sin() + 1.5


def _table(z: Tensor) -> Tensor:
    weight = torch.tensor([[1.0, -0.5, 2.0], [0.3, 1.7, -1.0], [-0.8, 0.1, 0.6]], dtype=z.dtype)
    both = torch.einsum("...i,ij,...j->...", z[..., 0, :], weight, z[..., 1, :])
    return both + 0.4 * both.square() + 0.7


def _seeded(seed: int, *shape: int) -> Tensor:
    noise = torch.Generator().manual_seed(seed)
    return torch.randn(shape, generator=noise, dtype=torch.float64)


def _network(inputs: int, seed: int) -> Integrand:
    """Make a small network over all coordinates: every pair interacts, nothing is linear."""
    first = _seeded(seed, inputs, 16) * (8 / inputs) ** 0.5
    shift, second = _seeded(seed + 1, 16), _seeded(seed + 2, 16)

    def f(z: Tensor) -> Tensor:
        flat = z.reshape(*z.shape[: z.dim() - event_dims], inputs)
        hidden = torch.tanh(flat @ first.to(z.dtype) + shift.to(z.dtype))
        return (hidden @ second.to(z.dtype)).square() / 4

    event_dims = 1 if inputs == 10 else 2
    return f


def _problems() -> dict[str, Callable[[], Problem]]:
    one = torch.ones(1, dtype=torch.float64)
    return {
        "toy": lambda: Problem(
            "toy",
            "one bit at probability 1/2, f = (z - .499)^2",
            Bernoulli(torch.zeros(1, dtype=torch.float64)),
            _toy,
        ),
        "pairs": lambda: Problem(
            "pairs",
            "4 bits that interact in pairs, and a sine of their sum",
            Bernoulli(torch.tensor([0.3, -0.8, 1.2, -0.1], dtype=torch.float64)),
            _pairs,
        ),
        "table": lambda: Problem(
            "table",
            "2 choices among 3, a value for each pair",
            Categorical(torch.tensor([[0.5, -1.0, 0.2], [0.0, 0.7, -0.3]], dtype=torch.float64)),
            _table,
        ),
        "bits": lambda: Problem(
            "bits",
            "10 bits, f a small network of all",
            Bernoulli(_seeded(3, 10)),
            _network(10, 4),
        ),
        "choices": lambda: Problem(
            "choices",
            "5 choices among 4, f a small network of all",
            Categorical(_seeded(31, 5, 4)),
            _network(20, 32),
        ),
        "square": lambda: Problem(
            "square", "N(1, 1), f = z^2", Normal(one, one), lambda z: z.square().sum(-1)
        ),
        "sine": lambda: Problem(
            "sine", "N(1, 1), f = sin(10 z)", Normal(one, one), lambda z: (10 * z).sin().sum(-1)
        ),
        "step": lambda: Problem(
            "step",
            "N(1, 1), f = 1 where z > 0",
            Normal(one, one),
            lambda z: (z > 0).to(z.dtype).sum(-1),
            (0.0,),
        ),
    }


PROBLEMS = _problems()


def find_problem(name: str) -> Problem:
    """Return a named problem, or that of a Python file.

    Args:
        name: of `PROBLEMS`, or the path of a file that defines `p` (a family without a batch
            axis), `f`, and where f is not smooth a tuple `breaks`. The file is run.

    Raises:
        GradientError: there is no such problem, or the file does not define one.

    """
    if name in PROBLEMS:
        return PROBLEMS[name]()
    path = Path(name)
    if path.suffix != ".py":
        raise GradientError(
            f"There is no problem {name!r}; there are {', '.join(PROBLEMS)}, and the path of a "
            f"Python file that defines p and f.{suggest(name, PROBLEMS)}"
        )
    if not path.is_file():
        raise GradientError(f"There is no file {name}. It should define p and f.")
    found: dict[str, Any] = runpy.run_path(str(path))
    p, f = found.get("p"), found.get("f")
    if not isinstance(p, Family) or not callable(f):
        raise GradientError(
            f"{name} must define p, a family of anypart.calculus.gradients, and f, a function of "
            f"draws; p is {type(p).__name__} and f is {type(f).__name__}."
        )
    if p.batch_shape:
        raise GradientError(
            f"p in {name} has a batch of shape {tuple(p.batch_shape)}; the judge makes its own. "
            "Give the parameters without it."
        )
    about = str(found.get("__doc__") or "").strip().split("\n")[0]
    return Problem(path.stem, about, p, cast("Integrand", f), tuple(found.get("breaks", ())))
