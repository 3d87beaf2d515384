"""Mean gradients of storchastic's DisARM and REBAR on three bits, in its own environment."""

from __future__ import annotations

import json
import sys
import warnings

import torch

warnings.filterwarnings("ignore")
SAMPLES = 4_000
LOGITS = (0.3, -0.8, 1.2)


def f(z: torch.Tensor) -> torch.Tensor:
    """Bits that interact: sin(2 (z1 + z2 + z3)) + z1 z2."""
    return (2 * z.sum(-1)).sin() + z[..., 0] * z[..., 1]


def main() -> None:
    """Measure both."""
    import storch
    from storch.method import REBAR, DisARM
    from torch.distributions import Bernoulli

    found = {}
    for name, method in (("DisARM", DisARM), ("REBAR", REBAR)):
        torch.manual_seed(0)
        # Copies of the problem side by side, as independent elements of one batch.
        theta = torch.tensor(LOGITS).expand(SAMPLES, 3).clone().requires_grad_()
        estimator = method("z", n_samples=1)
        batch = storch.denote_independent(theta, 0, "copies")
        z = estimator(Bernoulli(logits=batch))
        storch.add_cost(f(z), "cost")
        storch.backward()
        gradient = theta.grad * SAMPLES  # it averages over the copies
        error = gradient.std(0) / SAMPLES**0.5
        found[name] = {"mean": gradient.mean(0).tolist(), "error": error.tolist()}
    json.dump(found, sys.stdout)


if __name__ == "__main__":
    main()
