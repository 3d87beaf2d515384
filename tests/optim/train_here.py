"""A program for the tests of kills: train a small plan, or go on with it."""

import sys
from pathlib import Path

from anypart.data.packed import PackedCodes
from anypart.optim.plan import Member, Plan
from anypart.optim.portfolio import train
from anypart.optim.rows import fingerprint


def plan_for(packed):
    """Three members on two workers that save all the time."""
    members = tuple(
        Member(
            name=f"tree_{i}",
            family="hidden_tree",
            settings={"n_states": 8, "structure_noise": 0.5},
            seed=i,
            steps=400,
            batch=100,
            validate_every=10,
            patience=1_000,
            seconds=1.0,
            save_every=0.02,
        )
        for i in range(3)
    )
    return Plan(0, "any", 1.0, fingerprint(packed), 2, members)


if __name__ == "__main__":
    table = PackedCodes.open(Path(sys.argv[1]))
    train(table, None, plan_for(table), Path(sys.argv[2]), lambda e: print(e, flush=True))
