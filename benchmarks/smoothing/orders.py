"""Sort and rank, forward and backward, beside the peers in one run.

``python -m benchmarks.smoothing orders``
"""

from __future__ import annotations

import gc
import statistics
import time
from collections.abc import Callable
from importlib.util import find_spec

import torch
from torch import Tensor

from anypart.calculus import smoothing

BATCH = 8
SIZES = (100, 1000, 100_000)
MOST_PAIRS = 5_000  # what compares every pair is not asked beyond
Call = Callable[[Tensor], Tensor]


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


def contestants() -> dict[str, dict[str, tuple[Call, bool]]]:
    """Sort and rank of everybody: name → (call, whether it compares every pair)."""
    sort: dict[str, tuple[Call, bool]] = {
        "anypart": (lambda x: smoothing.sort(x, 0.1), False),
        "NeuralSort (its formula)": (neural_sort, True),
    }
    rank: dict[str, tuple[Call, bool]] = {
        "anypart": (lambda x: smoothing.rank(x, 0.1), False),
        "pairwise sigmoid": (pairwise_rank, True),
    }
    if find_spec("torchsort"):
        import torchsort

        sort["torchsort"] = (lambda x: torchsort.soft_sort(x, regularization_strength=0.1), False)
        rank["torchsort"] = (lambda x: torchsort.soft_rank(x, regularization_strength=0.1), False)
    if find_spec("softtorch"):
        import softtorch

        for method in ("softsort", "neuralsort", "fast_soft_sort"):
            name, pairs = f"softtorch ({method})", method != "fast_soft_sort"
            sort[name] = (
                lambda x, m=method: softtorch.sort(x, dim=-1, softness=0.1, method=m)[0],
                pairs,
            )
            rank[name] = (
                lambda x, m=method: softtorch.rank(x, dim=-1, softness=0.1, method=m),
                pairs,
            )
    if find_spec("fast_soft_sort"):
        from fast_soft_sort import pytorch_ops

        sort["fast-soft-sort"] = (lambda x: pytorch_ops.soft_sort(x, 0.1), False)
        rank["fast-soft-sort"] = (lambda x: pytorch_ops.soft_rank(x, 0.1), False)
    return {"sort": sort, "rank": rank}


def once(call: Call, x: Tensor) -> float:
    """Milliseconds of one forward and backward pass."""
    x = x.clone().requires_grad_()
    start = time.perf_counter()
    call(x).square().sum().backward()
    return (time.perf_counter() - start) * 1000


def run() -> list[str]:
    """Time everybody in turn, round after round, so that all meet the same load."""
    torch.set_num_threads(1)
    everybody = contestants()
    missing = [n for n in ("torchsort", "softtorch", "fast_soft_sort") if not find_spec(n)]
    lines = [
        "# Sort and rank",
        "",
        "`python -m benchmarks.smoothing orders`",
        "",
        f"Batch of {BATCH}, float32, one thread, forward and backward, standard normal values. "
        "The least of many rounds in milliseconds, in brackets the ratio to anypart; the rounds "
        "go through all of them in turn.",
        "",
    ]
    if missing:
        lines += [
            f"Missing here: {', '.join(missing)} (not in the package registry, or not built).",
            "",
        ]
    for kind, calls in everybody.items():
        lines += [f"| {kind} | {' | '.join(f'n = {n:,}' for n in SIZES)} |", "|---|---|---|---|"]
        cells = {name: list[str]() for name in calls}
        for n in SIZES:
            x = torch.randn(BATCH, n, generator=torch.Generator().manual_seed(0))
            times: dict[str, list[float]] = {}
            rounds = {100: 100, 1000: 40, 100_000: 4}[n]
            for round_ in range(rounds):
                for name, (call, pairs) in calls.items():
                    slow = times.get(name) and min(times[name]) > 20
                    if (pairs and n > MOST_PAIRS) or (slow and round_ > 2):
                        continue
                    try:
                        if name not in times:
                            once(call, x)  # the first call compiles
                        times.setdefault(name, []).append(once(call, x))
                    except (RuntimeError, ValueError, TypeError) as error:
                        times[name] = [float("nan")]
                        print(f"{name} n={n}: {error}")
                gc.collect()
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
    return [*lines, *_defects()]


def _defects() -> list[str]:
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
