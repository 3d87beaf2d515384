"""Another modality: letter from image and image from letter, by one network.

``python -m benchmarks.self_supervision letters [ROWS …]`` trains on so many rows of ocr_letters.
"""

from __future__ import annotations

import time
from typing import Any

import numpy as np
from sklearn.ensemble import HistGradientBoostingClassifier

from anypart.models.contract import Evidence, Layout
from anypart.optim.catalogue import LEARNERS
from anypart.optim.in_memory import train_held
from anypart.optim.policies import Policy, level
from benchmarks.data import data_file

SETS = ("2000",)
SETTINGS = {"width": 256, "blocks": 2, "rate": 2e-3}
STEPS, BATCH, TEST, DRAWS, N_LETTERS = 2_500, 128, 1_000, 8, 26
LETTER = 128  # the last column, after the pixels
POLICY = (
    Policy("columns", columns=(LETTER,)),
    Policy("columns", columns=tuple(range(LETTER))),
)


def load(part: str, most: int) -> tuple[np.ndarray, np.ndarray]:
    """Pixels, (rows, 128), and letters from 0, of the first rows."""
    bits = np.load(data_file("density/ocr_letters.npz"))
    labels = np.load(data_file("density/ocr_letters_labels.npz"))[f"{part}_label"]
    pixels = np.unpackbits(bits[part], axis=1)[:most, :LETTER].astype(np.int32)
    return pixels, (labels[:most] - labels.min()).astype(np.int32)


def measure(name: str) -> dict[str, Any]:
    """Train one network for both directions, and a specialist for each."""
    began = time.process_time()
    (pixels, letters), (asked, truth) = load("train", int(name)), load("test", TEST)
    valid_pixels, valid_letters = load("valid", 500)
    layout = Layout((2,) * LETTER + (N_LETTERS,))

    def rows(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        codes = np.column_stack([x, y]).astype(np.int32)
        return codes, np.ones(codes.shape, np.bool_)

    settings = SETTINGS | {"policy": [p.settings() for p in POLICY]}
    model = train_held(
        "order_agnostic",
        settings,
        layout,
        rows(pixels, letters),
        valid=rows(valid_pixels, valid_letters),
        steps=STEPS,
        batch=BATCH,
    ).model
    codes, seen = rows(asked, truth)
    image = seen.copy()
    image[:, LETTER] = False
    logs = model.conditional(Evidence(codes, image))[:, layout.slices[LETTER]]
    draws = [level(model, POLICY[1:], codes, seen, seed) * LETTER for seed in range(DRAWS)]
    boosted = HistGradientBoostingClassifier(random_state=0).fit(pixels, letters)
    right = np.stack([logs.argmax(1) == truth, boosted.predict(asked) == truth])
    gap = right[0].astype(float) - right[1]
    return {
        "network": float(right[0].mean()),
        "boosted": float(right[1].mean()),
        "ahead": [float(gap.mean()), float(gap.std(ddof=1) / len(gap) ** 0.5)],
        "image": [float(np.mean(draws)) / (LETTER + 1), _error(draws) / (LETTER + 1)],
        "tree": _class_trees(pixels, letters, asked, truth),
        "seconds": time.process_time() - began,
    }


def _error(draws: list[float]) -> float:
    return float(np.std(draws, ddof=1) / len(draws) ** 0.5)


def _class_trees(
    pixels: np.ndarray, letters: np.ndarray, asked: np.ndarray, truth: np.ndarray
) -> float:
    """Mean log p(image | letter) of a Chow-Liu tree for each letter, nats."""
    layout, total = Layout((2,) * LETTER), 0.0
    for letter in range(N_LETTERS):
        own = pixels[letters == letter]
        learner = LEARNERS["chow_liu"](layout, own, np.ones(own.shape, np.bool_), {}, 0)
        for step in range(2):
            learner.step(own, np.ones(own.shape, np.bool_), step / 2)
        there = asked[truth == letter]
        total += float(
            learner.model().log_prob(Evidence(there, np.ones(there.shape, np.bool_))).sum()
        )
    return total / len(asked)


def report(results: dict[str, Any]) -> list[str]:
    """Write the table."""
    text = [
        "## Another modality: letters and their images",
        "",
        f"`python -m benchmarks.self_supervision letters`. ocr_letters, {TEST:,} test rows. One "
        f"network (width {SETTINGS['width']}, {STEPS:,} steps of {BATCH} rows) trained on both "
        "questions; scikit-learn's histogram boosting with its defaults; a Chow-Liu tree for "
        "each letter. Nats of log p(image | letter), the network's as the mean over orders, "
        f"which a mixture over orders only exceeds; its error is that of {DRAWS} draws of told "
        "cells.",
        "",
        "| training rows | letter from image: network | boosted | ahead by | image from letter: "
        "network, nats | class-conditional tree |",
        "|" + "---|" * 6,
    ]
    for name, one in results.items():
        mean, error = one["ahead"]
        text.append(
            f"| {int(name):,} | {one['network']:.1%} | {one['boosted']:.1%} | {mean:+.1%} ± "
            f"{error:.1%} | {one['image'][0]:.2f} ± {one['image'][1]:.2f} | {one['tree']:.2f} |"
        )
    return text
