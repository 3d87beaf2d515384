"""Plain eager torch, as the papers' companion code is written: a module, masks, a loop.

MADE multiplies its masks in at every pass and samples by one full pass a column, as the
common public implementations do; NADE runs its recursion one column at a time.
"""

# ruff: noqa: D101, D102
from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional


def bernoulli(logits: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
    return -functional.binary_cross_entropy_with_logits(logits, x, reduction="none").sum(1)


class MaskedLinear(nn.Linear):
    def __init__(self, n_in: int, n_out: int, mask: torch.Tensor) -> None:
        super().__init__(n_in, n_out)
        self.register_buffer("mask", mask.T.float())

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return functional.linear(x, self.mask * self.weight, self.bias)


class ByPasses(nn.Module):
    """Whatever gives all logits at once, sampled by one pass a column."""

    def __init__(self, net: nn.Module, n: int) -> None:
        super().__init__()
        self.net, self.n = net, n

    def log_prob(self, x: torch.Tensor) -> torch.Tensor:
        return bernoulli(self.net(x), x)

    def sample(self, n_rows: int) -> torch.Tensor:
        x = torch.zeros(n_rows, self.n)
        for i in range(self.n):
            x[:, i] = torch.bernoulli(torch.sigmoid(self.net(x)[:, i]))
        return x


def fvsbn(n: int) -> ByPasses:
    return ByPasses(MaskedLinear(n, n, torch.ones(n, n).triu(1)), n)


def made(n: int, d: int) -> ByPasses:
    m_in, m = torch.arange(1, n + 1), torch.arange(d) % (n - 1) + 1
    first = MaskedLinear(n, d, m_in[:, None] <= m[None])
    last = MaskedLinear(d, n, m[:, None] < m_in[None])
    return ByPasses(nn.Sequential(first, nn.ReLU(), last), n)


class NADE(nn.Module):
    def __init__(self, n: int, d: int) -> None:
        super().__init__()
        self.n = n
        self.W, self.V = (nn.Parameter(torch.randn(n, d) * 0.05) for _ in range(2))
        self.c, self.b = nn.Parameter(torch.zeros(d)), nn.Parameter(torch.zeros(n))

    def _logit(self, a: torch.Tensor, i: int) -> torch.Tensor:
        return torch.sigmoid(a) @ self.V[i] + self.b[i]

    def log_prob(self, x: torch.Tensor) -> torch.Tensor:
        a, total = self.c.expand(len(x), -1), torch.zeros(len(x))
        for i in range(self.n):
            p = torch.sigmoid(self._logit(a, i))
            total = total + torch.log(torch.where(x[:, i] > 0.5, p, 1 - p) + 1e-9)
            a = a + torch.outer(x[:, i], self.W[i])
        return total

    def sample(self, n_rows: int) -> torch.Tensor:
        x, a = torch.zeros(n_rows, self.n), self.c.expand(n_rows, -1)
        for i in range(self.n):
            x[:, i] = torch.bernoulli(torch.sigmoid(self._logit(a, i)))
            a = a + torch.outer(x[:, i], self.W[i])
        return x


class SeparateNetworks(nn.Module):
    def __init__(self, n: int, d: int) -> None:
        super().__init__()
        self.n = n
        self.nets = nn.ModuleList(
            nn.Sequential(nn.Linear(max(i, 1), d), nn.Sigmoid(), nn.Linear(d, 1)) for i in range(n)
        )

    def _logit(self, x: torch.Tensor, i: int) -> torch.Tensor:
        return self.nets[i](x[:, :i] if i else torch.zeros(len(x), 1))[:, 0]

    def log_prob(self, x: torch.Tensor) -> torch.Tensor:
        return bernoulli(torch.stack([self._logit(x, i) for i in range(self.n)], 1), x)

    def sample(self, n_rows: int) -> torch.Tensor:
        x = torch.zeros(n_rows, self.n)
        for i in range(self.n):
            x[:, i] = torch.bernoulli(torch.sigmoid(self._logit(x, i)))
        return x


class RNADE(nn.Module):
    """Real values; `log_prob` is a density, and each column a mixture of normals."""

    def __init__(self, n: int, d: int, mixes: int) -> None:
        super().__init__()
        self.n = n
        self.W = nn.Parameter(torch.randn(n, d) * 0.05)
        self.c, self.rho = nn.Parameter(torch.zeros(d)), nn.Parameter(torch.ones(n))
        self.heads = nn.Parameter(torch.randn(3, n, d, mixes) * 0.05)

    def _mixture(self, a: torch.Tensor, i: int) -> torch.distributions.MixtureSameFamily:
        h = torch.relu(self.rho[i] * a)
        logits, mean, log_sigma = (h @ self.heads[k, i] for k in range(3))
        mixes = torch.distributions.Categorical(logits=logits)
        normals = torch.distributions.Normal(mean, torch.exp(log_sigma))
        return torch.distributions.MixtureSameFamily(mixes, normals)

    def log_prob(self, x: torch.Tensor) -> torch.Tensor:
        a, total = self.c.expand(len(x), -1), torch.zeros(len(x))
        for i in range(self.n):
            total = total + self._mixture(a, i).log_prob(x[:, i])
            a = a + torch.outer(x[:, i], self.W[i])
        return total

    def sample(self, n_rows: int) -> torch.Tensor:
        x, a = torch.zeros(n_rows, self.n), self.c.expand(n_rows, -1)
        for i in range(self.n):
            x[:, i] = self._mixture(a, i).sample()
            a = a + torch.outer(x[:, i], self.W[i])
        return x
