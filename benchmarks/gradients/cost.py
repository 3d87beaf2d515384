"""Cost of a draw and its backward pass, `F.gumbel_softmax(hard=True)` = 1, in one run."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable

import torch
from torch.nn import functional

from anypart.calculus import gradients as g

SHAPE = (256, 32, 8)
ROUNDS = 60
ASKED = {
    "ours: gumbel_softmax(hard=True)": 0.8,
    "ours: reinmax": 1.0,
    "ours: gumbel_rao, K = 10": 4.0,
}


def _calls(logits: torch.Tensor) -> dict[str, Callable[[], torch.Tensor]]:
    calls: dict[str, Callable[[], torch.Tensor]] = {
        "F.gumbel_softmax(hard=True)": lambda: functional.gumbel_softmax(logits, 0.5, hard=True),
        "ours: gumbel_softmax(hard=True)": lambda: g.gumbel_softmax(logits, 0.5, hard=True),
        "ours: gumbel_softmax": lambda: g.gumbel_softmax(logits, 0.5),
        "ours: categorical_straight_through": lambda: g.categorical_straight_through(logits),
        "ours: reinmax": lambda: g.reinmax(logits),
        "ours: gumbel_rao, K = 10": lambda: g.gumbel_rao(logits, 0.5, 10),
        "softmax alone": lambda: logits.softmax(-1),
    }
    try:
        from reinmax import reinmax as theirs
    except ImportError:
        return calls
    calls["reinmax 0.1.0 (its authors')"] = lambda: theirs(logits, 1.0)[0]
    return calls


def measure() -> dict[str, tuple[float, float]]:
    """Return CPU time of (a draw, a draw and its backward pass), relative.

    The calls take turns, so that a slow moment of the machine meets all of them; the lower
    quartile of each is kept.
    """
    logits = torch.randn(SHAPE, requires_grad=True)
    weight = torch.randn(SHAPE)
    calls = _calls(logits)
    times: dict[str, tuple[list[float], list[float]]] = {name: ([], []) for name in calls}
    for _ in range(ROUNDS):
        for name, call in calls.items():
            for which in (0, 1):
                start = time.process_time()
                drawn = call()
                if which:
                    torch.autograd.grad((drawn * weight).sum(), logits)
                times[name][which].append(time.process_time() - start)
    quartile = {name: [sorted(t)[len(t) // 4] for t in pair] for name, pair in times.items()}
    base = quartile["F.gumbel_softmax(hard=True)"]
    return {name: (q[0] / base[0], q[1] / base[1]) for name, q in quartile.items()}


if __name__ == "__main__":
    torch.set_num_threads(1)
    torch.manual_seed(0)
    json.dump(measure(), sys.stdout)
