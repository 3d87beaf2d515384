"""Plain eager torch, as the papers' companion code is written: a module, masks, a loop.

MADE multiplies its masks in at every pass and samples by one full pass a column, as the
common public implementations do; NADE runs its recursion one column at a time. Trees are
walked as arrays, all columns of a round together (the way of tree compilers for tensors);
hidden trees pass messages in logarithms, one node at a time.
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


class Trees(nn.Module):
    def __init__(self, tests: torch.Tensor, values: torch.Tensor) -> None:
        super().__init__()
        self.tests, self.values = tests.long(), values  # (rounds, cols, nodes or leaves)

    def _logits(self, x: torch.Tensor, cols: slice) -> torch.Tensor:
        tests, values = self.tests[:, cols], self.values[:, cols]
        n_nodes, total = tests.shape[2], torch.zeros(len(x), tests.shape[1])
        for questions, leaves in zip(tests, values, strict=True):
            at = torch.zeros(total.shape, dtype=torch.long)
            while True:
                asked = questions.gather(1, at.T).T
                at = 2 * at + 1 + (x.gather(1, asked) > 0.5)
                if at.min() >= n_nodes:
                    break
            total += leaves.gather(1, at.T - n_nodes).T
        return total

    def log_prob(self, x: torch.Tensor) -> torch.Tensor:
        return bernoulli(self._logits(x, slice(None)), x)

    def sample(self, n_rows: int) -> torch.Tensor:
        x = torch.zeros(n_rows, self.tests.shape[1])
        for i in range(x.shape[1]):
            logits = self._logits(x, slice(i, i + 1))
            x[:, i] = torch.bernoulli(torch.sigmoid(logits[:, 0]))
        return x


class OrderAgnostic(nn.Module):
    """Cells and a mask go in; one full pass a column, as EoNADE is told which are seen."""

    def __init__(self, n: int, d: int, blocks: int) -> None:
        super().__init__()
        self.n, self.first, self.last = n, nn.Linear(2 * n, d), nn.Linear(d, n)
        self.blocks = nn.ModuleList(
            nn.Sequential(nn.LayerNorm(d), nn.Linear(d, d), nn.GELU(), nn.Linear(d, d))
            for _ in range(blocks)
        )

    def _logits(self, x: torch.Tensor, seen: torch.Tensor) -> torch.Tensor:
        h = self.first(torch.cat([x * seen, seen.expand_as(x)], 1))
        for block in self.blocks:
            h = h + block(h)
        return self.last(h)

    def log_prob(self, x: torch.Tensor) -> torch.Tensor:
        total, seen = torch.zeros(len(x)), torch.zeros(self.n)
        for i in range(self.n):
            logit = self._logits(x, seen)[:, i]
            total -= functional.binary_cross_entropy_with_logits(logit, x[:, i], reduction="none")
            seen[i] = 1
        return total

    def sample(self, n_rows: int) -> torch.Tensor:
        x, seen = torch.zeros(n_rows, self.n), torch.zeros(self.n)
        for i in range(self.n):
            x[:, i] = torch.bernoulli(torch.sigmoid(self._logits(x, seen)[:, i]))
            seen[i] = 1
        return x


class ContinuousMixture(nn.Module):
    def __init__(self, log_weights: torch.Tensor, logits: torch.Tensor) -> None:
        super().__init__()
        self.log_weights, self.logits = log_weights, logits  # (mixes,), (mixes, cols)

    def log_prob(self, x: torch.Tensor) -> torch.Tensor:
        on, off = functional.logsigmoid(self.logits), functional.logsigmoid(-self.logits)
        return torch.logsumexp(x @ on.T + (1 - x) @ off.T + self.log_weights, 1)

    def sample(self, n_rows: int) -> torch.Tensor:
        mixes = torch.multinomial(self.log_weights.exp(), n_rows, replacement=True)
        return torch.bernoulli(torch.sigmoid(self.logits[mixes]))


class HiddenTree(nn.Module):
    def __init__(
        self, parents: list[int], transitions: list[torch.Tensor], emissions: list[torch.Tensor]
    ) -> None:
        super().__init__()
        self.parents, self.transitions, self.emissions = parents, transitions, emissions

    def log_prob(self, x: torch.Tensor) -> torch.Tensor:
        codes = x.long()
        below = [torch.log(e).T[codes[:, i]] for i, e in enumerate(self.emissions)]
        for i in reversed(range(1, len(self.parents))):
            top = below[i].amax(1, keepdim=True)
            message = torch.log(torch.exp(below[i] - top) @ self.transitions[i].T) + top
            below[self.parents[i]] = below[self.parents[i]] + message
        return torch.logsumexp(below[0] + torch.log(self.transitions[0][0]), 1)

    def sample(self, n_rows: int) -> torch.Tensor:
        states: list[torch.Tensor] = []
        for parent, transition in zip(self.parents, self.transitions, strict=True):
            above = states[parent] if parent >= 0 else torch.zeros(n_rows, dtype=torch.long)
            states.append(torch.multinomial(transition[above], 1)[:, 0])
        codes = [torch.multinomial(e[z], 1) for e, z in zip(self.emissions, states, strict=True)]
        return torch.cat(codes, 1).float()
