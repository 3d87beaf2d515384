r"""A generator of sequences, trained against a critic: `python -m examples.text_generator [seeds]`.

The words are discrete, so the critic's slope does not reach the generator by itself. Two ways
round, in one table: the Gumbel route draws one-hot words that carry a gradient
(straight-through Gumbel-Softmax) and differentiates the critic; the reward route takes the
critic as a black box and uses the score function with leave-one-out.

The source is a known Markov chain, so each generator is judged exactly, by listing every
sequence: its negative log-likelihood under the source (what text GANs report, and what a
generator that repeats one good sentence would win), and the source's under it (which such a
generator would lose). Maximum likelihood on the same number of sequences is the yardstick.
"""

from __future__ import annotations

import itertools
import sys
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from anypart.calculus.gradients import Annealed, ScoreFunction, gumbel_max, gumbel_softmax

WORDS, LENGTH, BATCH = 4, 6, 256
RATE, CRITIC_RATE = 2e-3, 5e-3  # the critic must keep up with the generator


class Source:
    """A Markov chain over words with random, uneven transitions."""

    def __init__(self, seed: int) -> None:
        noise = torch.Generator().manual_seed(seed)
        scores = 1.5 * torch.randn(WORDS + 1, WORDS, generator=noise)
        self.log_next = scores.log_softmax(1)  # the last row begins a sequence

    def sample(self, draws: int, noise: torch.Generator) -> Tensor:
        """Draw one-hot sequences, (draws, length, words)."""
        word, found = torch.full((draws,), WORDS), []
        for _ in range(LENGTH):
            found.append(gumbel_max(self.log_next[word], noise))
            word = found[-1].argmax(1)
        return torch.stack(found, 1)

    def log_prob(self, z: Tensor) -> Tensor:
        """Return nats per sequence, (draws,)."""
        word = z.argmax(-1)
        before = torch.cat([torch.full_like(word[:, :1], WORDS), word[:, :-1]], 1)
        return self.log_next[before, word].sum(1)


class Generator(nn.Module):
    """A recurrent network that writes word after word; a distribution for the score function."""

    def __init__(self, width: int = 32) -> None:
        super().__init__()
        self.cell, self.out = nn.GRUCell(WORDS, width), nn.Linear(width, WORDS)

    def write(self, draws: int, pick: Callable[[Tensor], Tensor]) -> Tensor:
        """Write sequences, each word picked from its logits, (draws, length, words)."""
        state = torch.zeros(draws, self.cell.hidden_size)
        word, found = torch.zeros(draws, WORDS), []
        for _ in range(LENGTH):
            state = self.cell(word, state)
            word = pick(self.out(state))
            found.append(word)
        return torch.stack(found, 1)

    def sample(self, draws: int, generator: torch.Generator | None = None) -> Tensor:
        """Draw sequences without a gradient."""
        with torch.no_grad():
            return self.write(draws, lambda logits: gumbel_max(logits, generator))

    def log_prob(self, z: Tensor) -> Tensor:
        """Return nats per sequence, (draws,), with a gradient."""
        words, terms = iter(z.unbind(1)), []

        def pick(logits: Tensor) -> Tensor:
            word = next(words)
            terms.append((logits.log_softmax(1) * word).sum(1))
            return word

        self.write(len(z), pick)
        return torch.stack(terms).sum(0)


@dataclass(frozen=True)
class Judgement:
    """Exact, in nats per sequence.

    Args:
        under_source: −E log p(x) for x of the generator.
        of_source: −E log q(x) for x of the source.

    """

    under_source: float
    of_source: float


def judge(model: Generator, source: Source) -> Judgement:
    """List every sequence and compare."""
    codes = torch.tensor(list(itertools.product(range(WORDS), repeat=LENGTH)))
    z = functional.one_hot(codes, WORDS).float()
    with torch.no_grad():
        log_q, log_p = model.log_prob(z).double(), source.log_prob(z).double()
    return Judgement(float(-(log_q.exp() * log_p).sum()), float(-(log_p.exp() * log_q).sum()))


def entropy(source: Source) -> float:
    """Return the source's own entropy: the least that `of_source` can be."""
    codes = torch.tensor(list(itertools.product(range(WORDS), repeat=LENGTH)))
    log_p = source.log_prob(functional.one_hot(codes, WORDS).float()).double()
    return float(-(log_p.exp() * log_p).sum())


def likelihood(source: Source, seed: int, steps: int) -> Generator:
    """Train by maximum likelihood: the yardstick."""
    model, optimizer, noise = _start(seed)
    for _ in range(steps):
        optimizer.zero_grad()
        (-model.log_prob(source.sample(BATCH, noise)).mean()).backward()
        _step(optimizer, model)
    return model


def adversarial(source: Source, seed: int, steps: int, route: str) -> Generator:
    """Train against a critic, by the `gumbel` route or the `reward` route.

    The critic ends near log p − log q, so what the generator climbs is −KL(q ‖ p). Its rate
    falls along with the critic's, so that the two come to rest.
    """
    model, optimizer, noise = _start(seed)
    critic = nn.Sequential(
        nn.Flatten(), nn.Linear(LENGTH * WORDS, 128), nn.ReLU(), nn.Linear(128, 1)
    )
    critic_optimizer = torch.optim.Adam(critic.parameters(), lr=3e-3, weight_decay=1e-4)
    estimate = ScoreFunction("leave_one_out", draws=BATCH)
    temperature = Annealed(1.0, 0.5, 0.998)
    for step in range(steps):
        for group, rate in ((optimizer, RATE), (critic_optimizer, CRITIC_RATE)):
            group.param_groups[0]["lr"] = rate * min(1.0, 2 * (1 - step / steps))
        real, made = source.sample(4 * BATCH, noise), model.sample(4 * BATCH, noise)
        for real_part, made_part in zip(real.chunk(4), made.chunk(4), strict=True):
            critic_optimizer.zero_grad()
            gap = functional.softplus(-critic(real_part))
            gap = gap + functional.softplus(critic(made_part))
            gap.mean().backward()
            critic_optimizer.step()
        optimizer.zero_grad()
        if route == "reward":
            estimate(lambda z: -critic(z).squeeze(1), model, noise).backward()
        else:
            tau = temperature(step)
            drawn = model.write(
                BATCH,
                lambda logits, tau=tau: gumbel_softmax(logits, tau, hard=True, generator=noise),
            )
            (-critic(drawn).mean()).backward()
        _step(optimizer, model)
    return model


def _start(seed: int) -> tuple[Generator, torch.optim.Adam, torch.Generator]:
    torch.manual_seed(seed)
    model = Generator()
    optimizer = torch.optim.Adam(model.parameters(), lr=RATE, betas=(0.5, 0.99))
    return model, optimizer, torch.Generator().manual_seed(seed)


def _step(optimizer: torch.optim.Adam, model: Generator) -> None:
    nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    optimizer.step()


WAYS = ("likelihood", "gumbel", "reward")


def trained(way: str, seed: int, steps: int = 1_500) -> Judgement:
    """Train one way and judge; each seed has a source of its own."""
    source = Source(100 + seed)
    if way == "likelihood":
        return judge(likelihood(source, seed, steps), source)
    return judge(adversarial(source, seed, steps, way), source)


def main(seeds: int, steps: int = 1_500) -> None:
    """Print the table."""
    found = {way: [trained(way, seed, steps) for seed in range(seeds)] for way in WAYS}
    print(f"{seeds} seeds, {steps:,} steps, nats per sequence relative to maximum likelihood = 1:")
    for name, each in found.items():
        lines: list[str] = []
        for part in ("under_source", "of_source"):
            base = [getattr(j, part) for j in found["likelihood"]]
            ratio = torch.tensor([getattr(j, part) for j in each]) / torch.tensor(base)
            spread = float(ratio.std() / seeds**0.5) if seeds > 1 else float("nan")
            lines.append(f"{float(ratio.mean()):.4f} ± {spread:.4f}")
        print(f"{name:12} under the source {lines[0]}   of the source {lines[1]}")


if __name__ == "__main__":
    main(*(int(word) for word in sys.argv[1:3])) if len(sys.argv) > 1 else main(5)
