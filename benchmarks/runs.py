"""The longest run of consecutive integers, beside what people use for it.

``python -m benchmarks.runs [contest] [growth] [crafted] [first]``; without names, all. Every
time is the least of up to 301 runs by the clock on the wall, relative to `np.sum` of the same
int64 array in the same process, so the machine should have nothing else to do. Where a figure is
asked, the CPU time of the calling thread and of all threads stand beside: work is shared out over
the cores. `np.sum`, as NumPy's sort, takes one thread. `np.sort` and the barest loop that sets a
bit for each value are what others and a bitmap take on one core. ``taskset -c 0`` before the
command gives it one core, and the result its own file.
"""

from __future__ import annotations

import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from anypart.base.seeds import generator
from anypart.data.cores import cores
from anypart.data.runs import longest_run
from benchmarks.contest import write_result
from benchmarks.run_ways import WAYS, Values, bare_bits, bits

LOW, HIGH = -(2**63), 2**63 - 1
ASKED = {
    ("anypart", "1e6 dense"): 3, ("anypart", "1e7 dense"): 6,
    ("anypart", "1e6 sparse"): 60, ("anypart", "1e7 sparse"): 100,
    ("anypart, method='sort'", "1e6 sparse"): 20, ("anypart, method='sort'", "1e7 sparse"): 28,
}  # fmt: skip


CLOCKS = (time.thread_time, time.process_time, time.perf_counter)


def clocked(action: Callable[[], object], times: int = 301, most: float = 1.5) -> NDArray[Any]:
    """Least seconds of a few runs by each clock: the caller's CPU, all threads' CPU, the wall's.

    Fewer runs of what takes long.
    """
    found, spent = list[list[float]](), 0.0
    while len(found) < times and spent < most:
        starts = [clock() for clock in CLOCKS]
        action()
        found.append([clock() - start for clock, start in zip(CLOCKS, starts, strict=True)])
        spent += found[-1][1]
    return np.min(found, axis=0)


def seconds(action: Callable[[], object], times: int = 301, most: float = 1.5) -> float:
    """Least CPU seconds of all threads."""
    return float(clocked(action, times, most)[1])


def wall(action: Callable[[], object], times: int = 15) -> float:
    """Least seconds by the clock on the wall."""
    return float(clocked(action, times)[2])


def dense(n: int) -> Values:
    return generator(0, "runs", "dense", n).integers(0, n, n)


def sparse(n: int) -> Values:
    return generator(0, "runs", "sparse", n).integers(LOW, HIGH, n)


def contest() -> list[str]:
    """Every way beside every other, on the same arrays."""
    made = {f"1e{p} {m.__name__}": m(10**p) for m in (dense, sparse) for p in (6, 7)}
    bases = {name: clocked(v.sum) for name, v in made.items()}
    lines = ["| way | " + " | ".join(made) + " |", "|---" * (len(made) + 1) + "|"]
    for way, find in WAYS.items():
        cells = list[str]()
        for name, values in made.items():
            if find is bare_bits and "sparse" in name:
                cells.append("–")
                continue
            find(values[:1000]), find(values[: 1 << 20])  # imports, compiled loops
            most = 1.5 if "anypart" in way else 0.3  # seconds: others take longer
            ratios = clocked(lambda f=find, v=values: f(v), most=most) / bases[name]
            cells.append(cell(ratios, ASKED.get((way, name))))
        lines.append(f"| {way} | " + " | ".join(cells) + " |")
        print(lines[-1], flush=True)
    shown = ", ".join(f"{name} {base[2] * 1e3:.3f} ms" for name, base in bases.items())
    return [*lines, "", f"`np.sum` itself: {shown}."]


def cell(ratios: NDArray[Any], asked: float | None) -> str:
    """Show the time by the clock, and the caller's and all threads' CPU where a figure is asked."""
    own, threads, clock = ratios
    if asked is None:
        return f"{clock:,.1f}"
    met = "" if clock <= asked else ", **not met**"
    return f"{clock:,.1f} (asked {asked}{met}; CPU {own:,.1f}, all threads {threads:,.1f})"


def last_cache() -> int:
    """Return the bytes of the cache nearest to memory, as Linux tells it; 32 MiB elsewhere."""
    sizes = sorted(Path("/sys/devices/system/cpu/cpu0/cache").glob("index*/size"))
    return int(sizes[-1].read_text().strip().rstrip("K")) << 10 if sizes else 32 << 20


SIZES = (10**5, 10**6, 10**7, 3 * 10**7, 10**8, 2 * 10**8, 4 * 10**8)
SPARSE = 2 * 10**8  # above, sparse values and their copy would take too much memory


COLUMNS = (
    "dense, ns a value", "CPU of all threads", "per `np.sum`", "setting bits alone, one thread",
    "sparse, ns a value", "CPU of all threads", "per `np.sum`", "`np.sum`, ns a value",
)  # fmt: skip


def nanoseconds(size: int) -> list[float]:
    """Measure the columns at one size; NaN for sparse values that would take too much memory."""
    values, bitmap = dense(size), np.zeros(size // 64 + 1, np.uint64)
    _, threads, clock = clocked(lambda v=values: longest_run(v), 15) / size * 1e9
    keys = values.view(np.uint64)
    bare = wall(lambda k=keys, b=bitmap: bits()(k, b)) / size * 1e9
    base = wall(values.sum) / size * 1e9
    del values, keys
    found = [clock, threads, clock / base, bare]
    if size > SPARSE:
        return [*found, *[np.nan] * 3, base]
    values = sparse(size)
    _, threads, clock = clocked(lambda v=values: longest_run(v), 15) / size * 1e9
    return [*found, clock, threads, clock / base, base]


def flat() -> list[str]:
    """Nanoseconds a value as arrays grow: the asked factor is 2, once out of the caches."""
    lines = [f"| values | MB | {' | '.join(COLUMNS)} |", "|---" * 10 + "|"]
    longest_run(dense(1 << 20)), longest_run(sparse(1 << 20))  # loads the compiled loops
    bare_bits(dense(1 << 20))
    at = dict[int, list[float]]()
    for size in SIZES:
        at[size] = nanoseconds(size)
        shown = " | ".join("–" if np.isnan(x) else f"{x:.2f}" for x in at[size])
        lines.append(f"| {size:.0e} | {size * 8 / 1e6:,.0f} | {shown} |")
        print(lines[-1], flush=True)
    far = np.array([row for size, row in at.items() if size * 8 > last_cache()])
    said = list[str]()
    for name, column in (("dense", 0), ("dense per `np.sum`", 2), ("sparse", 4)):
        factor = np.nanmax(far[:, column]) / np.nanmin(far[:, column])
        said.append(f"{name} {factor:.2f}{' (**not met**)' * bool(factor > 2)}")
    grown, bare = (at[10**8][column] / at[10**7][column] for column in (0, 3))
    return [
        *lines,
        "",
        f"The last cache before memory has {last_cache() / 1e6:,.0f} MB. Of the sizes beyond it, "
        f"the largest time a value over the smallest (asked: 2): {', '.join(said)}. From 1e7 "
        f"values, which fit into it, to 1e8: dense {grown:.2f}, setting bits alone {bare:.2f}.",
    ]


def crafted() -> list[str]:
    """Keys made to be slow, relative to random ones of the same number."""
    n = 10**6
    rng = generator(0, "runs", "crafted")
    random = sparse(n)
    half = sparse(n // 2)
    made: dict[str, Values] = {
        "multiples of 2^32 (one bucket of an unseeded table)": np.arange(n) << 32,
        "multiples of 2^43": np.arange(n) << 43,
        "pairs": np.concatenate([half, half + 1]),
        "quartets": (sparse(n // 4)[:, None] + np.arange(4)).ravel(),
        "runs of 64": (sparse(n // 64)[:, None] + np.arange(64)).ravel(),
        "one value and a far one": np.where(np.arange(n) > 0, 7, LOW),
        "every scale": (2.0 ** (rng.random(n) * 62)).astype(np.int64),
        "barely dense, with a long run": np.concatenate(
            [rng.integers(0, 60 * n, 2 * n // 3), 10 * n + np.arange(n // 3)]
        ),
        "both ends": np.concatenate([LOW + np.arange(n // 2), HIGH - np.arange(n // 2)]),
    }
    base = wall(lambda: longest_run(random))
    lines = ["| keys | relative to random keys | asked |", "|---|---|---|"]
    for name, values in made.items():
        values = rng.permutation(values)
        ratio = wall(lambda v=values: longest_run(v)) / base
        lines.append(f"| {name} | {ratio:.2f} | 2{'' if ratio <= 2 else ', **not met**'} |")
        print(lines[-1], flush=True)
    return lines


FIRST = """
import sys, time
import numpy as np
from anypart.data.runs import longest_run
values = np.random.default_rng(0).integers(-2**63, 2**63 - 1, 200_000)
if sys.argv[1] == "dense": values %= 200_000
start = time.process_time()
longest_run(values)
print(time.process_time() - start)
"""


def first_calls() -> list[str]:
    """Seconds of CPU of the first call of a process: ever, and with the loops kept on disk."""
    lines = [
        "| first call on 200,000 values | ever on a machine | in a later process |",
        "|---|---|---|",
    ]
    for make in ("dense", "sparse"):
        with tempfile.TemporaryDirectory() as folder:
            env = os.environ | {"NUMBA_CACHE_DIR": folder}
            command = [sys.executable, "-c", FIRST, make]
            spent = [
                float(subprocess.run(command, env=env, check=True, capture_output=True).stdout)
                for _ in range(2)
            ]
        lines.append(f"| {make} | {spent[0]:.1f} s | {spent[1]:.2f} s |")
        print(lines[-1], flush=True)
    return lines


PARTS = {"contest": contest, "growth": flat, "crafted": crafted, "first": first_calls}
HEADS = {
    "contest": "Time relative to `np.sum` of the same array. Dense: n draws from n integers. "
    "Sparse: n draws from all of int64.",
    "growth": "Loops that are loaded already serve few dense values too; from about 3e7 places of "
    "bits on, places are put down by the part of the bitmap that they lie in. Nothing can be "
    "flatter than what the machine gives: the barest loop that sets a bit for each value, and "
    "`np.sum`, stand beside. Sparse values end at 2e8, since their copy takes as much memory.",
    "crafted": "A million keys each, in random order.",
    "first": "Seconds of the first call of a process. Up to 131,072 values nothing is compiled.",
}


def main(names: list[str]) -> None:
    peers = ", ".join(f"{p} {version(p)}" for p in ("numpy", "polars", "duckdb", "pandas", "numba"))
    for name in names or list(PARTS):
        lines = [
            "# The longest run of consecutive integers",
            "",
            f"`python -m benchmarks.runs {name}`, {platform.machine()}, Python "
            f"{platform.python_version()}, {peers}. {cores()} core{'s' * (cores() > 1)}; by the "
            "clock on the wall, least of up to 301 runs.",
            "",
            HEADS[name],
            "",
            *PARTS[name](),
        ]
        write_result(f"runs_{name}{'_one_core' * (cores() == 1)}", lines)


if __name__ == "__main__":
    os.environ["POLARS_MAX_THREADS"] = "1"
    main(sys.argv[1:])
