"""The shortest covering window, beside two pointers in Python and a data frame.

``python -m benchmarks.windows``: every time is CPU time of one thread, the least of a few
runs, relative to `np.sum` of the same array of symbols (int64) in the same process.
"""

from __future__ import annotations

import os
import platform
from collections import Counter
from importlib.metadata import version

import numpy as np
from numpy.typing import NDArray

from anypart.base.seeds import generator
from anypart.data.windows import minimal_windows, minimum_window_substring, shortest_window
from benchmarks.contest import write_result
from benchmarks.runs import seconds

N = 10**7
ASKED = {"8 of 256": 16, "rare": 7, "all 256": 52}  # the best figure of any way, case by case
Symbols = NDArray[np.int64]


def cases() -> dict[str, tuple[Symbols, list[int]]]:
    """Ten million symbols of 256; rare: the eight that are required come ten times each."""
    rng = generator(0, "windows")
    plain = rng.integers(0, 256, N)
    rare = np.where(plain < 8, 100, plain)
    rare[rng.integers(0, N, 80)] = np.repeat(np.arange(8), 10)
    return {
        "8 of 256": (plain, list(range(8))),
        "rare": (rare, list(range(8))),
        "all 256": (plain, list(range(256))),
    }


def two_pointers(symbols: Symbols, required: list[int]) -> tuple[int, int]:
    """The textbook's way, in Python."""
    need = Counter(required)
    lacking, left, best = len(required), 0, (-1, len(symbols) + 1)
    items = symbols.tolist()
    for right, item in enumerate(items):
        if item in need:
            lacking -= need[item] > 0
            need[item] -= 1
        while not lacking:
            if right + 1 - left < best[1]:
                best = (left, right + 1 - left)
            if items[left] in need:
                need[items[left]] += 1
                lacking += need[items[left]] > 0
            left += 1
    return best


def polars_way(symbols: Symbols, required: list[int]) -> tuple[int, int]:
    """Last seen place of every target by a forward fill, their least a row; distinct targets."""
    import polars as pl

    place = pl.int_range(pl.len())
    last = [pl.when(pl.col("s") == t).then(place).forward_fill() for t in required]
    start = pl.min_horizontal([pl.when(x.is_null()).then(-N).otherwise(x) for x in last])
    found = (
        pl.LazyFrame({"s": symbols})
        .select(start=start, length=place - start + 1)
        .select(pl.col("start").get(pl.col("length").arg_min()), pl.col("length").min())
        .collect()
    )
    return found.row(0)


def main() -> None:
    os.environ["POLARS_MAX_THREADS"] = "1"
    made = cases()
    lines = ["| way | " + " | ".join(made) + " |", "|---" * (len(made) + 1) + "|"]
    bases = {name: seconds(symbols.sum, 21) for name, (symbols, _) in made.items()}
    rows: dict[str, list[str]] = {
        "anypart": [], "polars, one thread": [], "two pointers in Python": []
    }  # fmt: skip
    for name, (symbols, required) in made.items():
        window = shortest_window(symbols, required)
        assert window is not None
        ratio = seconds(lambda s=symbols, r=required: shortest_window(s, r)) / bases[name]
        missed = "" if ratio <= ASKED[name] else ", **not met**"
        rows["anypart"].append(f"{ratio:.1f} (asked {ASKED[name]}{missed})")
        if len(required) <= 8:
            assert polars_way(symbols, required) == (window.start, window.length)
            spent = seconds(lambda s=symbols, r=required: polars_way(s, r), 2)
            rows["polars, one thread"].append(f"{spent / bases[name]:,.0f}")
        else:
            rows["polars, one thread"].append("not run: 256 columns of 10 million places")
        few = symbols[: N // 10]
        spent = 10 * seconds(lambda s=few, r=required: two_pointers(s, r), 2)
        rows["two pointers in Python"].append(f"{spent / bases[name]:,.0f}")
    lines += [f"| {way} | " + " | ".join(cells) + " |" for way, cells in rows.items()]
    rng = generator(0, "windows", "letters")
    letters = "".join(rng.choice(list("abcdefghijklmnopqrstuvwxyz"), 100_000))
    some = {"8 letters": "abcdefgh", "all 26": "abcdefghijklmnopqrstuvwxyz", "aabbcc": "aabbcc"}
    text = ["| 1e5 letters | ms | asked | as a stream, ms |", "|---|---|---|---|"]
    for name, need in some.items():
        ms = seconds(lambda t=need: minimum_window_substring(letters, t)) * 1e3
        by_stream = seconds(lambda t=need: sum(1 for _ in minimal_windows(letters, t)), 3) * 1e3
        text.append(f"| {name} | {ms:.2f} | 5 | {by_stream:.0f} |")
    sums = ", ".join(f"{name} {base * 1e3:.2f} ms" for name, base in bases.items())
    write_result(
        "windows",
        [
            "# The shortest covering window",
            "",
            f"`python -m benchmarks.windows`, {platform.machine()}, Python "
            f"{platform.python_version()}, numba {version('numba')}, polars {version('polars')}.",
            "",
            "Ten million symbols. CPU time of one thread relative to `np.sum` of the same int64 "
            "array. Two pointers in Python: ten times the time of a tenth of the symbols.",
            "",
            *lines,
            "",
            f"`np.sum` itself: {sums}.",
            "",
            *text,
        ],
    )


if __name__ == "__main__":
    main()
