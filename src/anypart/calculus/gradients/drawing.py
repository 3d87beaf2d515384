"""Uniforms, probabilities and one-hot draws: what every discrete draw is made of."""

from __future__ import annotations

import torch
from torch import Tensor

_FEW = 16  # categories: from there on softmax along the last axis is as fast


def uniforms(like: Tensor, shape: tuple[int, ...], generator: torch.Generator | None) -> Tensor:
    """Draw uniforms strictly inside (0, 1), so that no logarithm of them is infinite.

    `torch.rand` gives 0 once in 2^24 draws of float32. A quarter of its step is added: it
    lifts the 0 and never rounds the largest value up to 1.
    """
    step = torch.finfo(like.dtype).eps / 2
    u = torch.rand(shape, dtype=like.dtype, device=like.device, generator=generator)
    return u.add_(step / 4)


def softmax(logits: Tensor) -> Tensor:
    """Normalise along the last axis, (…, cats), with a gradient.

    A few categories are laid out one after the other: torch walks a short last axis up to ten
    times slower than a long first one.
    """
    cats = logits.shape[-1]
    if cats >= _FEW:
        return logits.softmax(-1)
    return logits.reshape(-1, cats).T.contiguous().softmax(0).T.reshape(logits.shape)


def pick(probs: Tensor, generator: torch.Generator | None = None) -> Tensor:
    """Draw one-hot from probabilities along the last axis, by the inverse of their sums.

    One uniform and one logarithm-free pass per choice: several times cheaper than a Gumbel
    draw per category.
    """
    sums = probs.cumsum(-1)
    u = uniforms(probs, (*probs.shape[:-1], 1), generator)
    # Scaled by the last sum, so that rounding cannot pick a category of probability 0.
    index = (sums[..., :-1] < u * sums[..., -1:]).sum(-1, keepdim=True)
    return torch.zeros(probs.shape, dtype=probs.dtype, device=probs.device).scatter_(-1, index, 1.0)
