"""Any part of an image from any other part: `python -m examples.digits [minutes] [page.html]`.

The 8 × 8 digits that scikit-learn ships (1,797 images, of which the last 297 are held out), in
four greys, with the digit itself as one more column. One fit completes any half, tells the
digit from the image and draws images of a digit; every completion has its exact probability.
scikit-learn is needed for the images alone (`pip install scikit-learn`).
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import anypart as ap
from anypart.base.whole import write_whole
from anypart.queries import Fitted
from anypart.studio.page import Section, page

SIDE = 8
GREYS = 4
LEARNED = 1_500  # the first images; the others are held out
DIGIT = "digit"
PIXELS = [f"y{at // SIDE}x{at % SIDE}" for at in range(SIDE * SIDE)]
Codes = NDArray[np.int64]
Mask = NDArray[np.bool_]

STYLE = """
.row { display: grid; grid-template-columns: repeat(5, minmax(0, 1fr)); gap: 14px;
  max-width: 780px; background: var(--panel); border: 1px solid var(--line);
  border-radius: 8px; padding: 12px; margin: 0 0 10px; }
.row div { font-size: .8rem; color: var(--soft); font-variant-numeric: tabular-nums;
  line-height: 1.35; }
svg .given { fill: var(--ink); } svg .asked { fill: var(--model); }
svg .hidden { fill: none; stroke: var(--line); stroke-width: .06; }
"""


def load() -> tuple[Codes, Codes]:
    """Read the images as greys from 0 to 3, (images, 64), and their digits, (images,)."""
    from sklearn.datasets import load_digits

    found = load_digits()
    # 17 levels in four: none, a touch, half, full.
    return np.digitize(found.data, [2, 7, 12]).astype(np.int64), found.target.astype(np.int64)


def table(images: Codes, digits: Codes, seen: Mask | None = None) -> dict[str, list[str | None]]:
    """Write images as a table, a column a pixel and one for the digit; None where unseen."""
    cells = np.column_stack([images, digits]).astype(str).astype(object)
    if seen is not None:
        cells[~seen] = None
    return dict(zip([*PIXELS, DIGIT], cells.T.tolist(), strict=True))


def fit(images: Codes, digits: Codes, minutes: float, seed: int = 0) -> Fitted:
    """Fit images; pixels that are the same in all of them are left out by themselves."""
    rows = table(images, digits)
    kinds = {name: "categorical" for name, column in rows.items() if len(set(column)) > 1}
    return ap.fit(rows, kinds=kinds, minutes=minutes, seed=seed)


def parts() -> dict[str, Mask]:
    """Name what is given: masks of 64 pixels and the digit."""
    y, x = np.divmod(np.arange(SIDE * SIDE), SIDE)
    given = {
        "The lower half from the upper": y < SIDE // 2,
        "The right half from the left": x < SIDE // 2,
        "All pixels from every other one": (x + y) % 2 == 0,
        "All but the middle from the middle": (abs(x - 3.5) < 2) & (abs(y - 3.5) < 2),
    }
    found = {name: np.append(mask, False) for name, mask in given.items()}
    found["The image from its digit"] = np.arange(SIDE * SIDE + 1) == SIDE * SIDE
    return found


@dataclass(frozen=True)
class Completion:
    """An image, what was given of it, and how the rest was completed.

    Args:
        truth: (65,) greys and the digit.
        given: (65,) cells that were given.
        drawn: (draws, 65) completions, the given cells as they were.
        log_probs: (1 + draws,) exact log p(rest | given) of the truth, then of each draw, nats.
        likeliest: the likeliest digit given the part, and its probability.

    """

    truth: Codes
    given: Mask
    drawn: Codes
    log_probs: NDArray[np.float64]
    likeliest: tuple[str, float]


def complete(
    fitted: Fitted, truth: Codes, given: Mask, draws: int = 3, seed: int = 0
) -> Completion:
    """Complete the rest of an image jointly, and say how probable each completion is."""
    part = table(truth[None, :-1], truth[-1:], given[None])
    filled = fitted.complete(part, draws=draws, seed=seed).value
    drawn = np.repeat(truth[None], draws, axis=0)
    for at, name in enumerate([*PIXELS, DIGIT]):
        if not given[at] and name in modelled(fitted):
            drawn[:, at] = [int(v) for v in filled[name].to_pylist()]
    whole = np.concatenate([truth[None], drawn])
    both, alone = fitted.log_prob(table(whole[:, :-1], whole[:, -1])), fitted.log_prob(part)
    assert both.exact
    assert alone.exact
    digit = fitted.ask(DIGIT, rows=part).value if not given[-1] else None
    told = (str(truth[-1]), 1.0)
    if digit is not None:
        told = max(((n, digit[n][0].as_py()) for n in digit.column_names), key=lambda one: one[1])
    return Completion(truth, given, drawn, both.value - alone.value, told)


def modelled(fitted: Fitted) -> set[str]:
    """Name the columns that are not the same in all images."""
    return {c.name for c in fitted.schema.modelled}


def picture(cells: Codes, given: Mask, *, hide: bool) -> str:
    """Draw an image: given pixels in ink, the others in colour or as empty squares."""
    squares: list[str] = []
    for at, grey in enumerate(cells[:-1].tolist()):
        y, x = divmod(at, SIDE)
        place = f'x="{x}" y="{y}" width="1" height="1"'
        if hide and not given[at]:
            squares.append(f'<rect {place} class="hidden"/>')
        elif grey:
            kind = "given" if given[at] else "asked"
            squares.append(
                f'<rect {place} class="{kind}" fill-opacity="{grey / (GREYS - 1):.2f}"/>'
            )
    said = "what is given" if hide else f"an image of the digit {cells[-1]}"
    return (
        f'<svg viewBox="-.1 -.1 {SIDE + 0.2} {SIDE + 0.2}" role="img" aria-label="{said}">'
        f"{''.join(squares)}</svg>"
    )


def row(one: Completion) -> str:
    """Write one completion: the truth, what was given, and the draws."""
    truth, *others = one.log_probs
    name, p = one.likeliest
    sure = "over 99 %" if p > 0.995 else f"{100 * p:.0f} %"
    told = f"given: the digit {name}" if one.given[-1] else f"given; a {name} with {sure}"
    cells = [
        (picture(one.truth, np.ones_like(one.given), hide=False), f"true: {truth:.1f} nats"),
        (picture(one.truth, one.given, hide=True), told),
    ]
    for drawn, log_prob in zip(one.drawn, others, strict=True):
        words = f"drawn, a {drawn[-1]}: {log_prob:.1f} nats"
        cells.append((picture(drawn, one.given, hide=False), words))
    return f'<div class="row">{"".join(f"<div>{svg}{words}</div>" for svg, words in cells)}</div>'


def told_digits(fitted: Fitted, images: Codes, digits: Codes) -> float:
    """Share of images whose digit is the likeliest given all pixels."""
    answer = fitted.ask(DIGIT, rows=table(images, digits)).value
    probs = np.stack([answer[n].to_numpy() for n in answer.column_names], axis=1)
    names = np.array(answer.column_names)
    return float((names[probs.argmax(axis=1)] == digits.astype(str)).mean())


def write_page(
    fitted: Fitted, images: Codes, digits: Codes, shown: Sequence[int], path: Path
) -> dict[str, list[Completion]]:
    """Complete some held-out images from every part, and write them as one page.

    Args:
        fitted: the fit.
        images: held-out ones, (images, 64).
        digits: theirs, (images,).
        shown: which of them are completed.
        path: the HTML file.

    """
    cells = np.column_stack([images, digits])
    found = {
        name: [complete(fitted, cells[at], given, seed=at) for at in shown]
        for name, given in parts().items()
    }
    level = fitted.log_prob(table(images, digits)).value
    facts: list[tuple[str, Any]] = [
        ("held-out images", f"{len(images):,}"),
        (
            "log-likelihood",
            f"{level.mean():.2f} ± {level.std() / len(level) ** 0.5:.2f} nats an image",
        ),
        ("digit told from the image", f"{told_digits(fitted, images, digits):.1%}"),
        ("greys", f"{GREYS}, {SIDE} × {SIDE} pixels"),
    ]
    about = (
        "From the left: a held-out image, what is given of it, three joint draws of the rest. "
        "Given pixels are in ink, drawn ones in colour; the numbers are exact log-probabilities "
        "of the rest (the digit with it) given the part."
    )
    sections = [
        Section(f"part{at}", name, about if at == 0 else "", "".join(map(row, some)))
        for at, (name, some) in enumerate(found.items())
    ]
    text = page("Any part of a digit from any other part", facts, sections, style=STYLE)
    write_whole(path, text.encode())
    return found


def main(minutes: float, path: Path) -> None:
    """Fit the images, write the page, and print what the truth and the draws are worth."""
    images, digits = load()
    fitted = fit(images[:LEARNED], digits[:LEARNED], minutes)
    apart, named = images[LEARNED:], digits[LEARNED:]
    shown = [int(np.flatnonzero(named == digit)[0]) for digit in (0, 2, 3, 4, 6, 8)]
    found = write_page(fitted, apart, named, shown, path)
    for name, some in found.items():
        truth, drawn = (np.mean([c.log_probs[k] for c in some]) for k in (0, slice(1, None)))
        print(f"{name}: the truth {truth:.1f} nats, draws {drawn:.1f} nats")
    print(f"Wrote {path}.")


if __name__ == "__main__":
    main(
        float(sys.argv[1]) if len(sys.argv) > 1 else 1.0,
        Path(sys.argv[2] if len(sys.argv) > 2 else "digits.html"),
    )
