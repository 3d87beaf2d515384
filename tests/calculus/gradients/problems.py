"""Problems on which every estimator is tried: f with interactions, at uneven logits."""

import torch

from anypart.calculus import gradients as g

BITS = torch.tensor([0.3, -0.8, 1.2, -0.1], dtype=torch.float64)
CHOICES = torch.tensor([[0.5, -1.0, 0.2], [0.0, 0.7, -0.3]], dtype=torch.float64)
_PAIRS = torch.tensor(
    [[0.0, 1.5, -0.7, 0.2], [0, 0, 0.9, -1.1], [0, 0, 0, 2.0], [0, 0, 0, 0]],
    dtype=torch.float64,
)
_TABLE = torch.tensor([[1.0, -0.5, 2.0], [0.3, 1.7, -1.0], [-0.8, 0.1, 0.6]], dtype=torch.float64)


def toy(z):
    """Tucker et al. 2017: (z − .499)², one bit or more."""
    return (z - 0.499).square().sum(-1)


def pairs(z):
    """Bits that interact, smooth and not linear."""
    pairs = _PAIRS.to(z.dtype)
    return torch.einsum("...i,ij,...j->...", z, pairs, z) + torch.sin(2 * z.sum(-1)) + 1.5


def table(z):
    """Two choices that interact, not linear between their values."""
    table = _TABLE.to(z.dtype)
    both = torch.einsum("...i,ij,...j->...", z[..., 0, :], table, z[..., 1, :])
    return both + 0.4 * both.square() + 0.7


def replicates(estimator, family, logits, f, n, seed=0, chunk=None):
    """Return n independent gradients, (n, *logits.shape), one per element of a batch."""
    noise = torch.Generator().manual_seed(seed)
    found = []
    for size in _chunks(n, chunk or n):
        theta = logits.expand(size, *logits.shape).clone().requires_grad_()
        estimator(f, family(theta), noise).sum().backward()
        found.append(theta.grad)
    return torch.cat(found)


def _chunks(n, chunk):
    while n > 0:
        yield min(n, chunk)
        n -= chunk


DISCRETE = {
    "toy": (g.Bernoulli, BITS[:1], toy),
    "bits": (g.Bernoulli, BITS, pairs),
    "choices": (g.Categorical, CHOICES, table),
}
