"""Another modality: letter from image and image from letter, by one fit with both questions stated.

``python -m benchmarks.self_supervision letters [ROWS …]`` trains on so many rows of ocr_letters.
"""

from __future__ import annotations

import dataclasses
import time
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from sklearn.ensemble import HistGradientBoostingClassifier

from anypart.models.contract import Evidence, Layout
from anypart.optim.catalogue import LEARNERS
from benchmarks.data import data_file
from benchmarks.self_supervision.whole_fit import fit_to_the_end

SETS = ("2000",)
TEST, N_LETTERS, N_PIXELS = 5_000, 26, 128
# The letter is asked in one row of twenty: a cell of it would weigh as much as an image.
POLICY = {"letter | *": 0.05, "* | letter": 1.0}
#: Members that take longest.
WITHOUT = ("deep_trees_for_2", "hidden_tree_2", "continuous_mixture")
LETTERS = [chr(ord("a") + n) for n in range(N_LETTERS)]
Bits = NDArray[np.int32]


def load(part: str, most: int) -> tuple[Bits, Bits]:
    """Pixels, (rows, 128), and letters from 0, of the first rows."""
    bits = np.load(data_file("density/ocr_letters.npz"))
    labels = np.load(data_file("density/ocr_letters_labels.npz"))[f"{part}_label"]
    pixels = np.unpackbits(bits[part], axis=1)[:most, :N_PIXELS].astype(np.int32)
    return pixels, (labels[:most] - labels.min()).astype(np.int32)


def table(pixels: Bits, letters: Bits) -> pa.Table:
    """Write images as a table, a column a pixel, and their letter as the last one."""
    columns: dict[str, Any] = {f"p{at:03}": row for at, row in enumerate(pixels.T.astype(str))}
    return pa.table({**columns, "letter": [LETTERS[at] for at in letters]})


def measure(name: str) -> dict[str, Any]:
    """Fit with both questions stated; a boosted classifier and a tree a letter on the same rows."""
    began = time.process_time()
    (pixels, letters), (asked, truth) = load("train", int(name)), load("test", TEST)
    fitted, weights = fit_to_the_end(f"letters_{name}", table(pixels, letters), POLICY, WITHOUT)
    test = table(asked, truth)
    chances = fitted.ask("letter", rows=test)
    said = np.array(chances.value.column_names)[
        np.stack([c.to_numpy() for c in chances.value.columns], 1).argmax(1)
    ]
    images = fitted.log_prob(test, question="* | letter")
    rest = dataclasses.replace(fitted, model=fitted.model.rest)
    plain = rest.ask("letter", rows=test).value
    guess = np.array(plain.column_names)[
        np.stack([c.to_numpy() for c in plain.columns], 1).argmax(1)
    ]
    boosted = HistGradientBoostingClassifier(random_state=0).fit(pixels, letters)
    right = np.stack([said == np.array(LETTERS)[truth], boosted.predict(asked) == truth])
    gap, trees = right[0].astype(float) - right[1], _class_trees(pixels, letters, asked, truth)
    more = np.asarray(images) - trees
    return {
        "fit": float(right[0].mean()),
        "boosted": float(right[1].mean()),
        "ahead": _mean(gap),
        "image": _mean(np.asarray(images)),
        "tree": _mean(trees),
        "more": _mean(more),
        "rest": [
            float((guess == np.array(LETTERS)[truth]).mean()),
            float(np.mean(rest.log_prob(test, question="* | letter"))),
        ],
        "exact": chances.exact and images.exact,
        "weights": weights,
        "seconds": time.process_time() - began,
    }


def _mean(numbers: NDArray[np.float64]) -> tuple[float, float]:
    return float(numbers.mean()), float(numbers.std(ddof=1) / len(numbers) ** 0.5)


def _class_trees(pixels: Bits, letters: Bits, asked: Bits, truth: Bits) -> NDArray[np.float64]:
    """Log p(image | letter) of a Chow-Liu tree for each letter, (rows,), nats."""
    layout, found = Layout((2,) * N_PIXELS), np.empty(len(asked))
    for letter in range(N_LETTERS):
        own, rows = pixels[letters == letter], truth == letter
        learner = LEARNERS["chow_liu"](layout, own, np.ones(own.shape, np.bool_), {}, 0)
        for step in range(2):
            learner.step(own, np.ones(own.shape, np.bool_), step / 2)
        there = asked[rows]
        found[rows] = learner.model().log_prob(Evidence(there, np.ones(there.shape, np.bool_)))
    return found


def report(results: dict[str, Any]) -> list[str]:
    """Write the table."""
    text = [
        "## Another modality: letters and their images",
        "",
        f"`python -m benchmarks.self_supervision letters`. ocr_letters, {TEST:,} test rows. One "
        "fit with `letter | *` and `* | letter` stated, its members trained to their end (without "
        f"{', '.join(WITHOUT)}); "
        "scikit-learn's histogram boosting with its defaults; a Chow-Liu tree for each letter: "
        "all on the same rows. Nats of log p(image | letter); errors are standard errors over "
        "rows.",
        "",
        "| training rows | letter from image: fit | boosted | ahead by | image from letter: fit, "
        "nats | class-conditional tree | more by | exact |",
        "|" + "---|" * 8,
    ]
    for name, one in results.items():
        (ahead, error), (image, _), (tree, _) = one["ahead"], one["image"], one["tree"]
        text.append(
            f"| {int(name):,} | {one['fit']:.1%} | {one['boosted']:.1%} | {ahead:+.1%} ± "
            f"{error:.1%} | {image:.2f} | {tree:.2f} | {one['more'][0]:+.2f} ± "
            f"{one['more'][1]:.2f} | {'both' if one['exact'] else 'no'} |"
        )
    for name, one in results.items():
        right, nats = one["rest"]
        text += [
            "",
            f"The exact members of the fit of {int(name):,} rows by themselves, which answer all "
            f"that is not stated: {right:.1%} and {nats:.2f}.",
        ]
        text += ["", f"Weights with {int(name):,} rows:"]
        text += [
            f"- `{question}`: {', '.join(f'{n} {w:.0%}' for n, w in own.items())}"
            for question, own in one["weights"].items()
        ]
    return text
