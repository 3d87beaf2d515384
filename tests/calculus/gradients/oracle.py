"""Exact gradients by listing every state in plain loops; imports nothing of what it judges."""

import itertools
import math

import torch


def bernoulli_gradient(logits, f):
    """Return E f and its gradient by the logits (dims,), from products of probabilities."""
    theta = logits.detach().double().clone().requires_grad_()
    probs = 1 / (1 + torch.exp(-theta))
    total = 0.0
    for bits in itertools.product((0, 1), repeat=len(theta)):
        chance = math.prod(probs[i] if bit else 1 - probs[i] for i, bit in enumerate(bits))
        z = torch.tensor(bits, dtype=torch.float64)
        total = total + chance * f(z.unsqueeze(0))[0]
    total.backward()
    return total.item(), theta.grad


def categorical_gradient(logits, f):
    """Return E f and its gradient by the logits (dims, cats)."""
    theta = logits.detach().double().clone().requires_grad_()
    probs = torch.exp(theta) / torch.exp(theta).sum(1, keepdim=True)
    total = 0.0
    for codes in itertools.product(range(theta.shape[1]), repeat=theta.shape[0]):
        z = torch.zeros(theta.shape, dtype=torch.float64)
        for i, code in enumerate(codes):
            z[i, code] = 1
        chance = math.prod(probs[i, code] for i, code in enumerate(codes))
        total = total + chance * f(z.unsqueeze(0))[0]
    total.backward()
    return total.item(), theta.grad


def line_integral(density, f, low, high, steps=200_001):
    """Integrate density · f over a line by the trapezoid rule."""
    x = torch.linspace(low, high, steps, dtype=torch.float64)
    return torch.trapezoid(density(x) * f(x), x).item()


def slope(function, at, step=1e-4):
    """Differentiate by a central difference."""
    return (function(at + step) - function(at - step)) / (2 * step)


def significance(samples, truth):
    """Return the largest |mean − truth| in standard errors over the coordinates.

    A coordinate that never varies must be the truth up to rounding, or it counts as infinite.
    """
    samples, truth = samples.double().flatten(1), truth.double().flatten()
    off = (samples.mean(0) - truth).abs()
    error = samples.std(0) / len(samples) ** 0.5
    tiny = 1e-6 * (1 + truth.abs())
    z = torch.where(off <= tiny, torch.zeros_like(off), off / error)
    return z.max().item()
