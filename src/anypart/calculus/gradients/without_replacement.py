r"""Draws without replacement by Gumbel-top-k, and the gradient that they give."""

from __future__ import annotations

from typing import Any, ClassVar

import torch
from torch import Tensor

from anypart.base.errors import GradientError
from anypart.calculus.gradients.estimator import Claim, Estimator, Integrand, replace_gradient
from anypart.calculus.gradients.families import Finite
from anypart.calculus.gradients.gumbel import gumbels

_MOST_STATES = 2**16
_NODES = 128  # the trapezoid rule's error on a Gumbel density is exp(−π²/step): 1e-12


def gumbel_top_k(logits: Tensor, k: int, generator: torch.Generator | None = None) -> Tensor:
    r"""Draw k different categories, in the order of drawing: the k largest of o + g.

    The first is a draw from softmax(o), the second from what is left, and so on
    (Plackett-Luce).

    Args:
        logits: (…, cats).
        k: how many, at most cats.
        generator: of the noise.

    Returns:
        Codes, (…, k).

    References:
        Yellott 1977; Kool, van Hoof and Welling 2019, Stochastic beams and where to find them.

    Example:
        >>> gumbel_top_k(torch.zeros(5), 5).sort().values
        tensor([0, 1, 2, 3, 4])

    """
    if not 1 <= k <= logits.shape[-1]:
        raise GradientError(
            f"Gumbel-top-k was asked for {k} of {logits.shape[-1]} categories. Ask for 1 to "
            f"{logits.shape[-1]}."
        )
    return (logits.detach() + gumbels(logits, generator)).topk(k, -1).indices


class WithoutReplacement(Estimator):
    r"""The score function over different states, averaged over the orders they came in.

    .. math:: \hat g = \sum_{s \in S} \nabla p(s) R(S, s) \Big(f(s) - \sum_{t \in S} p(t)\,
        R^{-s}(S, t) f(t)\Big), \quad R(S, s) = P(S | \text{first } s) / P(S)

    No state is evaluated twice, and each draw has a baseline of the others. With all states
    drawn it is the exact gradient.

    Target: L. Unbiased, for any f. The log-probabilities of all states are listed (cheap), f is
    evaluated at `draws` of them only.

    Args:
        draws: different states, at least 2; at most as many as there are.

    Cost:
        draws evaluations of f; O(n_states) for the probabilities.

    References:
        Kool, van Hoof and Welling 2020, Estimating gradients for discrete random variables by
        sampling without replacement, eq. 11 and 15.

    """

    claim: ClassVar[Claim] = Claim(
        unbiased=True, smooth=False, source="Kool et al. 2020", least_draws=2
    )
    families: ClassVar[tuple[type, ...]] = (Finite,)

    def __init__(self, draws: int = 4) -> None:
        super().__init__(draws)

    def forward(self, f: Integrand, p: Any, generator: torch.Generator | None = None) -> Tensor:
        """Estimate from `draws` different states."""
        if p.n_states > _MOST_STATES:
            raise GradientError(
                f"WithoutReplacement lists the probabilities of all {p.n_states:.3g} states; the "
                f"limit is {_MOST_STATES:,}. Take ScoreFunction('leave_one_out')."
            )
        k, batch = min(self.draws, p.n_states), p.batch_shape
        states = p.states()
        lone = states.reshape(len(states), *(1 for _ in batch), *states.shape[1:])
        log_p = p.log_prob(lone.expand(len(states), *batch, *states.shape[1:])).movedim(0, -1)
        codes = gumbel_top_k(log_p, k, generator)  # (*batch, k)
        chosen = log_p.gather(-1, codes)
        value = f(states[codes.movedim(-1, 0)]).movedim(0, -1)  # (*batch, k)
        alone, pairs = _ratios(log_p.detach(), codes)
        fixed, probs = value.detach(), chosen.detach().exp()
        baseline = (probs.unsqueeze(-2) * pairs * fixed.unsqueeze(-2)).sum(-1)
        surrogate = (chosen.exp() * alone * (fixed - baseline)).sum(-1)
        return replace_gradient((probs * alone * value).sum(-1), surrogate)

    def evaluations(self, p: Any) -> int:
        """Return the number of different states."""
        return min(self.draws, int(p.n_states))


def _ratios(log_p: Tensor, codes: Tensor) -> tuple[Tensor, Tensor]:
    r"""Return R(S, s), (*batch, k), and \(R^{-s}(S, t)\), (*batch, k, k).

    The chance that the set S comes first is \(\int \prod_{s \in S} (1 - e^{-e^{a_s - x}})\,
    dG(x)\) over the largest Gumbel x of the rest, \(a_s\) the log-odds of s against the rest.
    Leaving s out of the domain leaves its factor out.
    """
    left = torch.ones_like(log_p).scatter(-1, codes, 0.0)
    tiny = torch.finfo(log_p.dtype).tiny
    rest = (log_p.exp() * left).sum(-1, keepdim=True).clamp(min=tiny).log()
    odds = (log_p.gather(-1, codes) - rest).clamp(max=60.0)
    x = torch.linspace(-4.0, 40.0, _NODES, dtype=log_p.dtype, device=log_p.device)
    factors = torch.log(-torch.expm1(-(odds.unsqueeze(-1) - x).exp()).clamp(max=-tiny))
    weight = -x - (-x).exp()  # log-density of the largest Gumbel, up to a constant
    whole = factors.sum(-2) + weight  # (*batch, nodes)
    all_of = whole.logsumexp(-1)[..., None]
    without = whole.unsqueeze(-2) - factors  # (*batch, k, nodes)
    one = without.logsumexp(-1)
    # One row of pairs at a time: all at once would be k times the memory.
    rows = [(each.unsqueeze(-2) - factors).logsumexp(-1) for each in without.unbind(-2)]
    two = torch.stack(rows, -2)
    same = torch.eye(codes.shape[-1], dtype=torch.bool, device=codes.device)
    # Once s is out, the set that is left holds all of t = s: nothing more is drawn for it.
    pairs = torch.where(same, one.unsqueeze(-1), two)
    return (one - all_of).exp(), (pairs - one.unsqueeze(-1)).exp()
