"""Estimators that sum some coordinates out instead of drawing them."""

from __future__ import annotations

from typing import Any, ClassVar

import torch
from torch import Tensor

from anypart.calculus.gradients.estimator import Claim, Estimator, Integrand, replace_gradient
from anypart.calculus.gradients.families import Finite


class LocalExpectation(Estimator):
    r"""Each coordinate summed out given one draw of the others.

    .. math:: \hat g_i = \sum_k f(z_{-i}, k)\, \nabla_{\theta_i} p_{\theta_i}(k)

    Target: L. Unbiased, for any f; the variance of one coordinate's own draw is gone. f at the
    draw itself serves every coordinate, so it takes dims · (cats − 1) + 1 evaluations and not
    dims · cats.

    Args:
        draws: averaged.

    Cost:
        draws · (dims · (cats − 1) + 1) evaluations of f.

    References:
        Titsias and Lázaro-Gredilla 2015, Local expectation gradients for black box variational
        inference, eq. 8.

    """

    claim: ClassVar[Claim] = Claim(
        unbiased=True, smooth=False, source="Titsias and Lázaro-Gredilla 2015"
    )
    families: ClassVar[tuple[type, ...]] = (Finite,)

    def forward(self, f: Integrand, p: Any, generator: torch.Generator | None = None) -> Tensor:
        """Estimate from `draws` draws and all their neighbours."""
        choice = p.as_categorical()
        z = choice.sample(self.draws, generator)  # (draws, *batch, dims, cats)
        dims, cats = z.shape[-2:]
        turned = [z.roll(shift, -1) for shift in range(cats)]
        neighbours = [z] + [
            torch.cat([z[..., :i, :], other[..., i : i + 1, :], z[..., i + 1 :, :]], -2)
            for other in turned[1:]
            for i in range(dims)
        ]
        values = f(p.from_categorical(torch.cat(neighbours)))
        values = values.unflatten(0, (-1, self.draws))
        here = values[:1].expand(dims, *values.shape[1:]).unsqueeze(0)
        around = values[1:].reshape(cats - 1, dims, *values.shape[1:])
        table = torch.cat([here, around]).movedim(1, -1)  # (cats, draws, *batch, dims)
        chances = torch.stack([(other * choice.probs).sum(-1) for other in turned])
        value = (chances.detach() * table).sum(0).mean(-1).mean(0)
        surrogate = (chances * table.detach()).sum(0).sum(-1).mean(0)
        return replace_gradient(value, surrogate)

    def evaluations(self, p: Any) -> int:
        """Return one for each draw and each of its neighbours."""
        dims, cats = p.as_categorical().logits.shape[-2:]
        return int(self.draws * (dims * (cats - 1) + 1))
