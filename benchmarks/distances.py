"""What a distance chooses, what a family cannot reach, and when knowing p(x, y) pays.

``python -m benchmarks.distances``: three tables. The first two are exact, over all cells.
``python -m benchmarks.distances fit``: what a fit reaches by each distance that it can minimise.
"""

from __future__ import annotations

import itertools
import os
import sys
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

from anypart.base.seeds import generator
from anypart.optim.distances import (
    forward_kl,
    hellinger,
    jensen_shannon,
    line_wasserstein,
    reverse_kl,
    squared_mmd,
    total_variation,
)
from benchmarks.contest import write_result

DATA = Path(os.environ.get("ANYPART_DATA", "../shared/data"))
Reals = NDArray[np.float64]
LINE = np.arange(41.0)
KERNEL = np.exp(-((LINE[:, None] - LINE) ** 2) / (2 * 4.0**2))
CHOICES = {
    "forward KL": forward_kl,
    "reverse KL": reverse_kl,
    "Jensen-Shannon": jensen_shannon,
    "total variation": total_variation,
    "Hellinger": hellinger,
    "Wasserstein": lambda p, q: line_wasserstein(p, q, LINE),
    "MMD, squared": lambda p, q: squared_mmd(p, q, KERNEL),
}


def bell(mean: Reals, sd: Reals) -> Reals:
    """Normal densities on the line's cells, summing to 1, (…, cells)."""
    logs = -((LINE - np.asarray(mean)[..., None]) ** 2) / (2 * np.asarray(sd)[..., None] ** 2)
    p = np.exp(logs - logs.max(axis=-1, keepdims=True))
    return p / p.sum(axis=-1, keepdims=True)


def choices() -> list[str]:
    """The same data and family under every distance, by trying the whole grid."""
    mean, sd = np.meshgrid(np.arange(0, 40.01, 0.25), np.arange(1, 20.01, 0.25), indexing="ij")
    family = bell(mean, sd)
    targets = {
        "two bells: .6 at 10, .4 at 30, sd 2": 0.6 * bell(10.0, 2.0) + 0.4 * bell(30.0, 2.0),
        "one bell at 20, sd 4: in the family": bell(20.0, 4.0),
    }
    text = []
    for name, p in targets.items():
        text += ["", f"p_data: {name}.", ""]
        text += ["| minimised | mean | sd | gap that remains | " + " | ".join(CHOICES) + " |"]
        text += ["|---" * (4 + len(CHOICES)) + "|"]
        for minimised, of in CHOICES.items():
            all_of = of(p, family)
            at = np.unravel_index(all_of.argmin(), all_of.shape)
            others = " | ".join(f"{float(o(p, family[at])):.3g}" for o in CHOICES.values())
            row = f"| {minimised} | {mean[at]:.2f} | {sd[at]:.2f} | {all_of[at]:.4g} | {others} |"
            text.append(row)
    return text


def truths(d: int) -> dict[str, Reals]:
    """A Markov chain, and one whose last column is the exclusive or of two far ones."""
    rng = generator(0, "distances", d)
    states = np.array(list(itertools.product((0, 1), repeat=d)))
    step = rng.uniform(0.15, 0.85, (d, 2))
    on = np.where(np.arange(d) > 0, step[np.arange(d), np.roll(states, 1, axis=1)], step[:, 0])
    cells = np.where(states == 1, on, 1 - on)
    odd = states[:, 0] ^ states[:, d // 2]
    last = np.where(states[:, -1] == odd, 0.9, 0.1)
    return {
        "a chain (in the family)": cells.prod(1),
        "an exclusive or (outside)": cells[:, :-1].prod(1) * last,
    }


def fit_chain(counts: Reals, d: int) -> Reals:
    """The parametric family: a chain of 2d − 1 numbers, half a pseudo-row a number."""
    states = np.array(list(itertools.product((0, 1), repeat=d)))
    out = np.ones(len(states))
    for col in range(d):
        past = states[:, col - 1] if col else np.zeros(len(states), np.int64)
        tally = np.full((2, 2), 0.5)
        np.add.at(tally, (past, states[:, col]), counts)
        out *= (tally / tally.sum(1, keepdims=True))[past, states[:, col]]
    return out


def fit_histogram(counts: Reals, d: int) -> Reals:
    """2^d − 1 numbers, half a pseudo-row a cell."""
    return (counts + 0.5) / (counts.sum() + 0.5 * len(counts))


def fit_kernel(counts: Reals, d: int) -> Reals:
    """Rows with every bit flipped at a rate that leaving rows out chooses (Aitchison & Aitken)."""
    n, best = counts.sum(), (-np.inf, np.zeros(0))
    for rate in (0.005, 0.01, 0.02, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.49):
        spread = (counts / n).reshape((2,) * d)
        for axis in range(d):
            spread = (1 - rate) * spread + rate * np.flip(spread, axis)
        p = spread.ravel()
        left_out = (n * p - (1 - rate) ** d) / (n - 1)
        score = float((counts * np.log(np.maximum(left_out, 1e-300))).sum())
        best = max(best, (score, p), key=lambda pair: pair[0])
    return best[1]


FITS = {"chain": fit_chain, "histogram": fit_histogram, "kernel density": fit_kernel}


def growth() -> list[str]:
    """Forward KL to the truth as rows and columns grow."""
    text = ["", "| p_data | columns | cells | rows | " + " | ".join(FITS) + " |"]
    text.append("|---" * (4 + len(FITS)) + "|")
    for d in (3, 6, 12):
        for name, p in truths(d).items():
            for n in (100, 1_000, 10_000, 100_000):
                found: list[list[float]] = [[] for _ in FITS]
                for seed in range(10):
                    counts = generator(seed, "growth", d, n).multinomial(n, p / p.sum())
                    for into, fit in zip(found, FITS.values(), strict=True):
                        into.append(float(forward_kl(p, fit(counts.astype(float), d))))
                means = [f"{np.mean(x):.4f} ± {np.std(x, ddof=1) / 10**0.5:.4f}" for x in found]
                text.append(f"| {name} | {d} | {2**d:,} | {n:,} | {' | '.join(means)} |")
    return text


def naive_bayes(x: Reals, y: NDArray[np.int64], asked: Reals) -> NDArray[np.int64]:
    """The generative one: p(y) Π p(x_i | y) of binary columns, one pseudo-row a value."""
    kinds = np.unique(y)
    scores = []
    for kind in kinds:
        rows = x[y == kind]
        on = (rows.sum(0) + 1) / (len(rows) + 2)
        scores.append(asked @ np.log(on) + (1 - asked) @ np.log(1 - on) + np.log(len(rows)))
    return kinds[np.argmax(scores, axis=0)]


def logistic(x: Reals, y: NDArray[np.int64], asked: Reals) -> NDArray[np.int64]:
    """The discriminative one of the same form: p(y | x), with scikit-learn's default ridge."""
    return LogisticRegression(max_iter=500).fit(x, y).predict(asked)


def without_ridge(x: Reals, y: NDArray[np.int64], asked: Reals) -> NDArray[np.int64]:
    """The same with next to no ridge, as the likelihood alone would have it."""
    return LogisticRegression(C=1e4, max_iter=500).fit(x, y).predict(asked)


def adult() -> tuple[Reals, NDArray[np.int64], Reals, NDArray[np.int64]]:
    """Census rows with binned numbers, one column a category; income is the label."""
    import pandas as pd

    frames = [pd.read_csv(DATA / f"tables/adult_disc_{s}.csv.gz", dtype=str) for s in SPLITS]
    both = pd.concat(frames)
    y = pd.factorize(both.iloc[:, -1])[0]
    x = pd.get_dummies(both.iloc[:, :-1], dummy_na=True).to_numpy(np.float64)
    n = len(frames[0])
    return x[:n], y[:n], x[n:], y[n:]


def letters() -> tuple[Reals, NDArray[np.int64], Reals, NDArray[np.int64]]:
    """Handwritten letters, 16 × 8 binary pixels, 26 labels."""
    x, y = (np.load(DATA / f"density/{f}.npz") for f in ("ocr_letters", "ocr_letters_labels"))

    def part(split: str) -> tuple[Reals, NDArray[np.int64]]:
        bits = np.unpackbits(x[split], axis=1)[:, : int(x["cols"])]
        return bits.astype(np.float64), y[f"{split}_label"].astype(np.int64)

    return (*part("train"), *part("test"))


SPLITS = ("train", "test")
SETS = {
    "adult (income)": (adult, (20, 50, 100, 300, 1_000, 3_000, 10_000)),
    "ocr_letters (letter)": (letters, (52, 100, 300, 1_000, 3_000)),
}


def crossing() -> list[str]:
    """Test error of both classifiers as labels grow, over ten seeds."""
    text = ["", "| data | labels | naive Bayes | logistic | ahead | without ridge | ahead |"]
    text.append("|---" * 7 + "|")
    for name, (load, sizes) in SETS.items():
        if not DATA.is_dir():
            return [*text, f"| {name} | data missing | | | | | |"]
        x, y, asked, true = load()
        asked, true = asked[:5_000], true[:5_000]
        for n in sizes:
            errors: list[list[float]] = [[], [], []]
            for seed in range(10):
                at = generator(seed, "crossing", name, n).permutation(len(x))[:n]
                for into, way in zip(errors, WAYS, strict=True):
                    into.append(float((way(x[at], y[at], asked) != true).mean()))
            ahead = [_ahead(errors[0], e) for e in errors[1:]]
            cells = [f"{np.mean(e):.2%} ± {np.std(e, ddof=1) / 10**0.5:.2%}" for e in errors]
            rest = " | ".join(f"{c} | {a}" for c, a in zip(cells[1:], ahead, strict=True))
            text.append(f"| {name} | {n:,} | {cells[0]} | {rest} |")
    return text


def _ahead(generative: list[float], discriminative: list[float]) -> str:
    gap = np.subtract(generative, discriminative)
    far = gap.mean() / max(gap.std(ddof=1) / 10**0.5, 1e-12)
    return "even" if abs(far) < 2 else ("naive Bayes" if far < 0 else "logistic")


WAYS = (naive_bayes, logistic, without_ridge)


ROWS, STEPS, BITS = 3_000, 1_000, 8
REACHED = {
    **{k.replace(" ", "_").replace("-", "_").lower(): k for k in list(CHOICES)[:5]},
    "mmd": "MMD, squared",
}


def trained() -> list[str]:
    """A mixture of products brought near rows by each distance; too few classes, and enough."""
    from anypart.models.contract import Layout
    from anypart.optim.distances.models import all_rows, log_probs
    from anypart.optim.minimiser import DistanceLearner, DistanceSettings

    layout, rng = Layout((2,) * BITS), generator(0, "clusters")
    centres = generator(1, "clusters").random((4, BITS)) * 0.9 + 0.05
    codes = (rng.random((ROWS, BITS)) < centres[rng.integers(0, 4, ROWS)]).astype(np.int32)
    seen, states = np.ones(codes.shape, bool), all_rows(layout.n_cats)
    counts = np.bincount(np.ravel_multi_index(tuple(codes.T), layout.n_cats), minlength=2**BITS)
    p = counts / ROWS
    apart = (states[:, None] != states).sum(axis=-1)
    kernel = np.exp(-apart / (2 * np.median((codes[:-1] != codes[1:]).sum(axis=1))))
    measures = {k: CHOICES[name] for k, name in REACHED.items() if k != "mmd"}
    measures["mmd"] = lambda p, q: 1e3 * squared_mmd(p, q, kernel)
    text: list[str] = []
    for classes, words in ((2, "outside the family: the gap"), (4, "as many as there are")):
        text += ["", f"{classes} classes ({words}).", "", "| minimised | " + " | ".join(measures)]
        text[-1] += " × 1,000 |"
        text.append("|---" * (1 + len(measures)) + "|")
        for name in measures:
            learner = DistanceLearner(layout, codes, seen, DistanceSettings(name, classes), 0)
            for step in range(STEPS):
                batch = generator(2, "batch", step).integers(0, ROWS, 250)
                learner.step(codes[batch], seen[batch], step / STEPS)
            q = np.exp(log_probs(learner.model(), states))
            q /= q.sum()
            # As what was minimised: one row more is spread evenly.
            even = (counts + 2.0**-BITS) / (ROWS + 1)
            found = [of(even if k == "reverse_kl" else p, q) for k, of in measures.items()]
            text.append(f"| {name} | " + " | ".join(f"{float(x):.4f}" for x in found) + " |")
    return text


def write_trained() -> None:
    """Write what a fit reaches by each distance."""
    write_result(
        "distances_fit",
        [
            "# What a fit reaches by each distance that it can minimise",
            "",
            f"`python -m benchmarks.distances fit`: {ROWS:,} rows of {BITS} binary columns from "
            f"four clusters; the learner of `fit(purpose='distance')`, {STEPS:,} steps, one seed. "
            "Distances from the shares of these rows, exact over all cells; reverse KL with one "
            "row more spread evenly.",
            *trained(),
        ],
    )


def main() -> None:
    write_result(
        "distances",
        [
            "# What a distance chooses, what a family cannot reach",
            "",
            "`python -m benchmarks.distances`. Tables one and two are exact over all cells.",
            "",
            "## The same data and family (one bell) under every distance",
            "",
            "41 cells on a line; every mean and sd on a grid of .25 is tried.",
            *choices(),
            "",
            "## Parametric, histogram, kernel density as rows and columns grow",
            "",
            "Forward KL from the truth, nats, over ten samples. The chain has 2d − 1 numbers.",
            *growth(),
            "",
            "## Generative against discriminative on the same rows (Ng and Jordan 2001)",
            "",
            "Test error, mean of ten choices of the labelled rows ± standard error; 'ahead' if "
            "by two standard errors of the paired difference.",
            *crossing(),
        ],
    )


if __name__ == "__main__":
    write_trained() if sys.argv[1:] == ["fit"] else main()
