r"""The distributions \(p_\theta(z)\) that an expectation is taken over, made for gradients.

`torch.distributions` draws without a generator and checks its arguments at every call; these
draw from the generator they are given, and every parameter has the shape of what is drawn,
so that a gradient with respect to it does as well.

The axes are those of a user's own batch: parameters `(*batch, *event)`, draws
`(draws, *batch, *event)`, log-probabilities `(draws, *batch)`. The event of `Bernoulli` and of
the continuous families is one axis of independent coordinates, `dims`; that of `Categorical`
is two, `(dims, cats)`, and a draw is one-hot along the last.
"""

from __future__ import annotations

import dataclasses
import itertools
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar, Protocol, Self, cast, runtime_checkable

import torch
from torch import Tensor
from torch.nn import functional

from anypart.base.errors import GradientError
from anypart.calculus.gradients.drawing import pick, softmax, uniforms


@runtime_checkable
class Drawable(Protocol):
    """What the score function asks of p: draws, and their log-probabilities.

    A model of one's own (an autoregressive generator, a policy) that has these two can be put
    in the place of a family.
    """

    def sample(self, draws: int, generator: torch.Generator | None = None) -> Tensor:
        """Draw z, (draws, *batch, *event), without a gradient."""
        ...

    def log_prob(self, z: Tensor) -> Tensor:
        """Return nats per draw, (draws, *batch), with a gradient to the parameters."""
        ...


class Family(ABC):
    """A product of independent coordinates; each parameter has the shape (*batch, *event)."""

    event_dims: ClassVar[int] = 1
    above_zero: ClassVar[tuple[str, ...]] = ()  # parameters that have to be

    def __post_init__(self) -> None:
        """Bring the parameters to one shape."""
        names = self._names
        given = [torch.as_tensor(getattr(self, name)) for name in names]
        if not all(t.is_floating_point() for t in given):
            kinds = ", ".join(f"{n} is {t.dtype}" for n, t in zip(names, given, strict=True))
            raise GradientError(
                f"{type(self).__name__} needs parameters in floating point, but {kinds}. "
                "Convert them with .float()."
            )
        if max(t.dim() for t in given) < self.event_dims:
            axes = "(*batch, dims)" if self.event_dims == 1 else "(*batch, dims, cats)"
            raise GradientError(
                f"{type(self).__name__} needs parameters of shape {axes}, but got "
                f"{tuple(given[0].shape)}. Add the axes with .unsqueeze(-2) or .reshape."
            )
        try:
            alike = torch.broadcast_tensors(*given)
        except RuntimeError:
            shapes = ", ".join(f"{n} {tuple(t.shape)}" for n, t in zip(names, given, strict=True))
            raise GradientError(
                f"The parameters of {type(self).__name__} have shapes that do not broadcast: "
                f"{shapes}."
            ) from None
        for name, tensor in zip(names, alike, strict=True):
            object.__setattr__(self, name, tensor)

    @property
    def _names(self) -> list[str]:
        return [field.name for field in dataclasses.fields(cast("Bernoulli", self))]

    @property
    def parameters(self) -> tuple[Tensor, ...]:
        """The parameters in the order in which the family takes them."""
        return tuple(getattr(self, name) for name in self._names)

    def check(self) -> None:
        """Refuse parameters that describe no distribution.

        Raises:
            GradientError: a parameter is NaN or infinite, or not above 0 where it has to be.

        """
        for name, tensor in zip(self._names, self.parameters, strict=True):
            positive = name in self.above_zero
            bad = ~(tensor.isfinite() & (tensor > 0) if positive else tensor.isfinite())
            needed = "finite and above 0" if positive else "finite"
            self._refuse(bad, f"values of {name} are not {needed}")

    def _refuse(self, bad: Tensor, said: str) -> None:
        if bool(bad.any()):
            raise GradientError(
                f"{type(self).__name__}: {int(bad.sum())} of {bad.numel()} {said}. Look for a "
                "learning rate that is too high, or a division by 0, where they are computed."
            )

    @property
    def batch_shape(self) -> torch.Size:
        """The shape of the user's batch."""
        shape = self.parameters[0].shape
        return shape[: len(shape) - self.event_dims]

    def replaced(self, *parameters: Tensor) -> Self:
        """Return the same family with other parameters."""
        return type(self)(*parameters)

    def scores(self, z: Tensor) -> tuple[Tensor, ...]:
        r"""Return \(\partial \log p(z) / \partial\theta\) of each draw, shaped like z.

        The parameters get an axis of draws of their own, so one backward pass gives them all.
        """
        with torch.enable_grad():
            own = [t.detach().expand(z.shape).clone().requires_grad_() for t in self.parameters]
            total = self.replaced(*own).log_prob(z.unsqueeze(0)).sum()
            return torch.autograd.grad(total, own)

    @abstractmethod
    def sample(self, draws: int, generator: torch.Generator | None = None) -> Tensor:
        """Draw z, (draws, *batch, *event), without a gradient."""

    @abstractmethod
    def log_prob(self, z: Tensor) -> Tensor:
        """Return nats per draw, (draws, *batch)."""


class Continuous(Family):
    """A family of real coordinates with reparameterized draws.

    Where the support moves with the parameters (`moves`), only the path has the gradient.
    """

    moves: ClassVar[bool] = False

    def sample(self, draws: int, generator: torch.Generator | None = None) -> Tensor:
        """Draw z, (draws, *batch, dims), without a gradient."""
        with torch.no_grad():
            return self.rsample(draws, generator)

    @abstractmethod
    def rsample(self, draws: int, generator: torch.Generator | None = None) -> Tensor:
        """Draw z as a differentiable function of the parameters, (draws, *batch, dims)."""

    @abstractmethod
    def interval(self) -> tuple[Tensor, Tensor]:
        """Bound all but a negligible part of the mass, for quadrature."""


class Finite(Family):
    """A family whose states can be listed."""

    logits: Tensor

    @property
    @abstractmethod
    def n_states(self) -> int:
        """How many values z has."""

    @abstractmethod
    def states(self) -> Tensor:
        """List every value of z, (n_states, *event)."""

    @abstractmethod
    def as_categorical(self) -> Categorical:
        """Return the same coordinates with one-hot draws."""

    @abstractmethod
    def from_categorical(self, z: Tensor) -> Tensor:
        """Turn a draw of `as_categorical` into one of this family; keeps gradients."""


@dataclass(frozen=True, eq=False)
class Bernoulli(Finite):
    """Independent bits: z is 1 with probability sigmoid(logits).

    Args:
        logits: (*batch, dims), log-odds.

    Example:
        >>> p = Bernoulli(torch.zeros(32, 10))
        >>> p.sample(4).shape, p.log_prob(p.sample(4)).shape
        (torch.Size([4, 32, 10]), torch.Size([4, 32]))
        >>> Bernoulli(torch.zeros(32, 10, dtype=torch.int))
        Traceback (most recent call last):
        anypart.base.errors.GradientError: Bernoulli needs parameters in floating point, ...

    """

    logits: Tensor

    @property
    def probs(self) -> Tensor:
        """P(z = 1), (*batch, dims)."""
        return self.logits.sigmoid()

    def sample(self, draws: int, generator: torch.Generator | None = None) -> Tensor:
        """Draw bits, (draws, *batch, dims), as 0 and 1 in the type of the logits."""
        logits = self.logits.detach()
        u = uniforms(logits, (draws, *logits.shape), generator)
        return (u < logits.sigmoid()).to(logits.dtype)

    def log_prob(self, z: Tensor) -> Tensor:
        """Return nats per draw, (draws, *batch)."""
        return (z * self.logits - functional.softplus(self.logits)).sum(-1)

    @property
    def n_states(self) -> int:
        """2^dims."""
        return 2 ** self.logits.shape[-1]

    def states(self) -> Tensor:
        """List every vector of bits, (2^dims, dims)."""
        dims = self.logits.shape[-1]
        numbers = torch.arange(self.n_states, device=self.logits.device)
        places = torch.arange(dims, device=self.logits.device)
        return ((numbers[:, None] >> places) & 1).to(self.logits.dtype)

    def as_categorical(self) -> Categorical:
        """Return each bit as the choice between the logits (θ, 0)."""
        return Categorical(torch.stack([self.logits, torch.zeros_like(self.logits)], -1))

    def from_categorical(self, z: Tensor) -> Tensor:
        """Take the first of the two categories."""
        return z[..., 0]


@dataclass(frozen=True, eq=False)
class Categorical(Finite):
    """Independent choices among the same number of categories; a draw is one-hot.

    Args:
        logits: (*batch, dims, cats); −inf rules a category out. A single choice is dims = 1.

    Example:
        >>> p = Categorical(torch.zeros(32, 5, 4))
        >>> p.sample(2).shape, p.n_states
        (torch.Size([2, 32, 5, 4]), 1024)

    """

    event_dims: ClassVar[int] = 2

    logits: Tensor

    def __post_init__(self) -> None:
        """Bring the logits to floating point, and see that there is a category."""
        super().__post_init__()
        if not self.logits.shape[-1]:
            raise GradientError(
                f"Categorical got logits of shape {tuple(self.logits.shape)}: a choice needs at "
                "least one category, along the last axis."
            )

    def check(self) -> None:
        """Refuse choices with NaN or +∞, or with no category left."""
        best = self.logits.amax(-1)
        self._refuse(~best.isfinite(), "choices have NaN, +inf or no category left in their logits")

    @property
    def probs(self) -> Tensor:
        """Probability of each category, (*batch, dims, cats)."""
        return softmax(self.logits)

    def sample(self, draws: int, generator: torch.Generator | None = None) -> Tensor:
        """Draw one-hot choices, (draws, *batch, dims, cats)."""
        return pick(softmax(self.logits.detach()).expand(draws, *self.logits.shape), generator)

    def log_prob(self, z: Tensor) -> Tensor:
        """Return nats per draw, (draws, *batch)."""
        log_p = self.logits.log_softmax(-1)
        return torch.where(z > 0, z * log_p, 0.0).sum((-1, -2))  # 0 · −inf counts as 0

    @property
    def n_states(self) -> int:
        """cats^dims."""
        return int(self.logits.shape[-1]) ** int(self.logits.shape[-2])

    def states(self) -> Tensor:
        """List every choice, (cats^dims, dims, cats)."""
        dims, cats = self.logits.shape[-2:]
        codes = torch.tensor(list(itertools.product(range(cats), repeat=dims)))
        return functional.one_hot(codes.to(self.logits.device), cats).to(self.logits.dtype)

    def as_categorical(self) -> Categorical:
        """Return itself."""
        return self

    def from_categorical(self, z: Tensor) -> Tensor:
        """Return the draw as it is."""
        return z
