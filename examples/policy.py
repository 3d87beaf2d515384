r"""A policy by its gradient: `python -m examples.policy [seeds]` balances a pole.

The objective is an expectation over whole episodes τ, \(L(\theta) = E_{p_\theta}[R(\tau)]\), and
f, the environment, is a black box. So `Episodes` is a distribution with the two things that the
score function asks for, `sample` and `log_prob`; f is the reward still to come at each step;
and leave-one-out over the episodes is a baseline for every moment in time.

CartPole-v1 of gymnasium counts as solved at a mean reward of 475 over 100 episodes.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass

import gymnasium
import numpy as np
import torch
from torch import Tensor, nn

from anypart.calculus.gradients import ScoreFunction

THRESHOLD = gymnasium.spec("CartPole-v1").reward_threshold or 475.0
LONGEST = 500  # steps


def play(policy: nn.Module, episodes: int, noise: torch.Generator, *, greedy: bool) -> list[Tensor]:
    """Run episodes side by side; return observations, actions and which steps were alive.

    Shapes (episodes, time, 4), (episodes, time), (episodes, time).
    """
    env = gymnasium.make_vec(
        "CartPole-v1", num_envs=episodes, vectorization_mode="vector_entry_point"
    )
    seen, _ = env.reset(seed=int(torch.randint(2**31, (), generator=noise)))
    alive = np.ones(episodes, bool)
    steps: list[tuple[Tensor, Tensor, Tensor]] = []
    while alive.any() and len(steps) < LONGEST:
        state = torch.from_numpy(np.array(seen, np.float32))
        with torch.no_grad():
            chance = policy(state).squeeze(-1).sigmoid()
        u = torch.rand(episodes, generator=noise)
        action = (chance > (0.5 if greedy else u)).long()
        steps.append((state, action, torch.from_numpy(alive.copy())))
        seen, _, fallen, late, _ = env.step(action.numpy())
        alive &= ~(fallen | late)
    env.close()
    return [torch.stack(parts, 1) for parts in zip(*steps, strict=True)]


class Episodes:
    """The distribution of episodes under a policy; z is (draws, time, 6): state, action, alive."""

    def __init__(self, policy: nn.Module) -> None:
        self.policy = policy

    def sample(self, draws: int, generator: torch.Generator | None = None) -> Tensor:
        """Play `draws` episodes."""
        assert generator is not None, "episodes are drawn with a generator of one's own"
        state, action, alive = play(self.policy, draws, generator, greedy=False)
        return torch.cat([state, action[..., None].float(), alive[..., None].float()], -1)

    def log_prob(self, z: Tensor) -> Tensor:
        """Return nats of each action, (draws, time), 0 after the end."""
        logits = self.policy(z[..., :4]).squeeze(-1)
        action, alive = z[..., 4], z[..., 5]
        return (action * logits - nn.functional.softplus(logits)) * alive


def reward_to_go(z: Tensor) -> Tensor:
    """Return minus the reward still to come at each step, (draws, time): f, to be minimised."""
    alive = z[..., 5]
    return -alive.flip(1).cumsum(1).flip(1) / 100


@dataclass(frozen=True)
class Result:
    """How it went.

    Args:
        updates: gradient steps taken.
        reward: mean over 100 fresh episodes.

    """

    updates: int
    reward: float


def train(seed: int, updates: int = 300, episodes: int = 16, rate: float = 0.01) -> Result:
    """Train until 100 fresh episodes reach the threshold, or the updates are used up."""
    torch.manual_seed(seed)
    noise = torch.Generator().manual_seed(seed)
    policy = nn.Sequential(nn.Linear(4, 32), nn.Tanh(), nn.Linear(32, 1))
    optimizer = torch.optim.Adam(policy.parameters(), lr=rate)
    estimate = ScoreFunction("leave_one_out", draws=episodes)
    reward = evaluate(policy, noise)
    for update in range(1, updates + 1):
        optimizer.zero_grad()
        loss = estimate(reward_to_go, Episodes(policy), noise).sum()
        loss.backward()
        nn.utils.clip_grad_norm_(policy.parameters(), 1.0)
        optimizer.step()
        # The first entry of the loss is −E[reward]/100: no further episodes to look at it.
        if update % 10 == 0 and (update == updates or float(loss.detach()) < -500):
            reward = evaluate(policy, noise)
            if reward >= THRESHOLD:
                return Result(update, reward)
    return Result(updates, reward)


def evaluate(policy: nn.Module, noise: torch.Generator) -> float:
    """Return the mean reward of 100 episodes of the most likely actions."""
    *_, alive = play(policy, 100, noise, greedy=True)
    return float(alive.sum(1).float().mean())


def main(seeds: int) -> None:
    """Train with several seeds and print what came of each."""
    for seed in range(seeds):
        result = train(seed)
        solved = "solved" if result.reward >= THRESHOLD else "not solved"
        print(
            f"seed {seed}: mean reward {result.reward:.1f} over 100 episodes after "
            f"{result.updates} updates of 16 episodes: {solved} (threshold {THRESHOLD:g})"
        )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 5)
