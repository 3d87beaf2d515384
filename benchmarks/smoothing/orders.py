"""Sort and rank, forward and backward, beside the peers in one run.

``python -m benchmarks.smoothing orders``

The peers lie in the environment `sort` (``python -m benchmarks.peers make``): Python 3.12 for
softtorch, torch first, then ``pip install --no-build-isolation torchsort`` with a C++ compiler
and a PATH on which there is no nvcc (its setup builds for CUDA where it finds one, and fails
without CUDA_HOME). fast-soft-sort is in no registry:
``../peers/sort/bin/pip install --no-deps git+https://github.com/google-research/fast-soft-sort``.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from functools import partial
from importlib.util import find_spec
from typing import Any

import numpy as np
import torch
from torch import Tensor

from anypart.calculus import smoothing

BATCH = 8
SIZES = (100, 1000, 100_000)
MOST_PAIRS = 5_000  # what compares every pair is not asked beyond
MOST_LAYERS = 500  # nor a network of n layers beyond this: it takes half a minute at 1,000
EVERY = 10**9
Call = Callable[[Tensor], Tensor]
Contestants = dict[str, tuple[Call, int]]


def neural_sort(x: Tensor, temperature: float = 1.0) -> Tensor:
    """NeuralSort (Grover et al. 2019, equation 5): a softmax for every place, O(n²)."""
    n = x.shape[1]
    apart = (x[:, :, None] - x[:, None, :]).abs().sum(2)
    scale = n + 1 - 2 * torch.arange(1, n + 1, dtype=x.dtype)
    places = torch.softmax(
        (scale[None, :, None] * x[:, None, :] - apart[:, None, :]) / temperature, -1
    )
    return (places @ x[:, :, None]).squeeze(2)


def pairwise_rank(x: Tensor, temperature: float = 0.1) -> Tensor:
    """Ranks as sums of sigmoids of differences, O(n²)."""
    return torch.sigmoid((x[:, :, None] - x[:, None, :]) / temperature).sum(2) + 0.5


def fast_soft_sort() -> Any:
    """Import it; `np.int`, which it asks for, went with NumPy 1.24."""
    vars(np).setdefault("int", int)
    from fast_soft_sort import pytorch_ops

    return pytorch_ops


def network(x: Tensor) -> Tensor:
    """Sort by diffsort's odd-even network (Petersen et al. 2021)."""
    import diffsort

    n = x.shape[1]
    if n not in NETWORKS:
        NETWORKS[n] = diffsort.DiffSortNet("odd_even", n, steepness=10.0)
    return NETWORKS[n](x)[0]


NETWORKS: dict[int, Any] = {}


def contestants() -> dict[str, Contestants]:
    """Sort and rank of everybody: name → (call, the most values that it is asked for)."""
    sort: Contestants = {
        "anypart": (lambda x: smoothing.sort(x, 0.1), EVERY),
        "NeuralSort (its formula)": (neural_sort, MOST_PAIRS),
    }
    rank: Contestants = {
        "anypart": (lambda x: smoothing.rank(x, 0.1), EVERY),
        "pairwise sigmoid": (pairwise_rank, MOST_PAIRS),
    }
    if find_spec("torchsort"):
        import torchsort

        sort["torchsort"] = (lambda x: torchsort.soft_sort(x, regularization_strength=0.1), EVERY)
        rank["torchsort"] = (lambda x: torchsort.soft_rank(x, regularization_strength=0.1), EVERY)
    if find_spec("fast_soft_sort"):
        own = fast_soft_sort()
        sort["fast-soft-sort"] = (
            lambda x: own.soft_sort(x, regularization_strength=0.1),
            EVERY,
        )
        rank["fast-soft-sort"] = (
            lambda x: own.soft_rank(x, regularization_strength=0.1),
            EVERY,
        )
    if find_spec("softtorch"):
        for method, most in (
            ("softsort", MOST_PAIRS),
            ("neuralsort", MOST_PAIRS),
            ("fast_soft_sort", EVERY),
        ):
            sort[f"softtorch ({method})"] = (partial(_softtorch_sort, method=method), most)
            rank[f"softtorch ({method})"] = (partial(_softtorch_rank, method=method), most)
    if find_spec("diffsort"):
        sort["diffsort (odd-even)"] = (network, MOST_LAYERS)
    return {"sort": sort, "rank": rank}


# `c0` is the same projection as ours, and faster than its default; so is to leave out indices.
def _softtorch_sort(x: Tensor, method: str) -> Tensor:
    import softtorch

    return softtorch.sort(
        x, dim=-1, softness=0.1, method=method, mode=MODES[method], return_indices=False
    )[0]


def _softtorch_rank(x: Tensor, method: str) -> Tensor:
    import softtorch

    return softtorch.rank(x, dim=-1, softness=0.1, method=method, mode=MODES[method])


MODES = {"softsort": "smooth", "neuralsort": "smooth", "fast_soft_sort": "c0"}


def once(call: Call, x: Tensor) -> float:
    """Milliseconds of one forward and backward pass."""
    x = x.clone().requires_grad_()
    start = time.perf_counter()
    call(x).square().sum().backward()
    return (time.perf_counter() - start) * 1000


def _turned(calls: Contestants, round_: int) -> list[tuple[str, tuple[Call, int]]]:
    """Begin each round with another contestant."""
    each = list(calls.items())
    return each[round_ % len(each) :] + each[: round_ % len(each)]


def run() -> list[str]:
    """Time everybody in turn, round after round, so that all meet the same load."""
    torch.set_num_threads(1)
    everybody = contestants()
    wanted = ("torchsort", "fast_soft_sort", "softtorch", "diffsort")
    missing = [n for n in wanted if not find_spec(n)]
    lines = [
        "# Sort and rank",
        "",
        "`python -m benchmarks.smoothing orders`",
        "",
        f"Batch of {BATCH}, float32, one thread, forward and backward, standard normal values. "
        "The least of many rounds in milliseconds, in brackets the ratio to anypart; the rounds "
        "go through all of them in turn, each round begins with another, and each is timed at "
        "the second of two calls (from 20 ms on at the first).",
        "",
    ]
    if missing:
        lines += [
            f"Missing here: {', '.join(missing)}.",
            "",
        ]
    for kind, calls in everybody.items():
        lines += [f"| {kind} | {' | '.join(f'n = {n:,}' for n in SIZES)} |", "|---|---|---|---|"]
        cells = {name: list[str]() for name in calls}
        for n in SIZES:
            x = torch.randn(BATCH, n, generator=torch.Generator().manual_seed(0))
            times: dict[str, list[float]] = {}
            for round_ in range({100: 100, 1000: 40, 100_000: 4}[n]):
                for name, (call, most) in _turned(calls, round_):
                    slow = name in times and min(times[name]) > 20
                    if n > most or (slow and round_ > 2 and name != "anypart"):
                        continue
                    if not slow:
                        once(call, x)  # compiles, and leaves the caches as the call's own
                    times.setdefault(name, []).append(once(call, x))
            own = min(times["anypart"])
            for name in calls:
                found = times.get(name)
                cells[name].append(
                    "–" if not found else f"{min(found):.3g} ({min(found) / own:.2f})"
                )
            spread = statistics.median(times["anypart"]) / own
            print(f"{kind} n={n}: median over least of anypart {spread:.2f}", flush=True)
        lines += [f"| {name} | {' | '.join(row)} |" for name, row in cells.items()]
        lines.append("")
    return [*lines, *_derivatives()]


def _derivatives() -> list[str]:
    """Where derivatives stay finite as the temperature falls."""
    lines = [
        "| derivative of the rank finite at temperature | 1e-1 | 1e-3 | 1e-6 |",
        "|---|---|---|---|",
    ]
    x = torch.randn(4, 1000, generator=torch.Generator().manual_seed(1))
    makers: dict[str, Callable[[float], Call]] = {
        "anypart": lambda t: lambda x: smoothing.rank(x, t)
    }
    if find_spec("torchsort"):
        import torchsort

        makers["torchsort"] = lambda t: lambda x: torchsort.soft_rank(x, regularization_strength=t)
    for name, make in makers.items():
        cells = []
        for t in (1e-1, 1e-3, 1e-6):
            v = x.clone().requires_grad_()
            out = make(t)(v)
            out.square().sum().backward()
            wrong = float((out.detach().sum(1) - 1000 * 1001 / 2).abs().max())
            cells.append(
                f"{'yes' if v.grad.isfinite().all() else '**no**'}, sum off by {wrong:.2g}"
            )
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return lines
