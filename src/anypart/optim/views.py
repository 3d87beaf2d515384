"""Views of rows that a contrastive loss brings together: corrupted, masked, cropped, shifted."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from anypart.base.errors import FitError, suggest
from anypart.models.contract import Codes, Mask
from anypart.optim.policies import corrupt


@dataclass(frozen=True)
class View:
    """How a row is changed into something that still stands for it.

    Args:
        kind: `corruption` (cells show another row's value), `mask` (cells are not shown),
            `crop` (only a rectangle of an image is shown) or `shift` (an image is moved,
            what comes in from outside is not shown).
        share: of the cells that are changed; of a crop, the share of each side that stays;
            of a shift, the largest move as a share of each side.
        image: (height, width) of the image that the columns are, row by row.

    """

    kind: str = "corruption"
    share: float = 0.6
    image: tuple[int, int] | None = None

    def settings(self) -> dict[str, Any]:
        """Return the fields as JSON has them, for the settings of a member."""
        return {**dataclasses.asdict(self), "image": self.image and list(self.image)}

    @staticmethod
    def of(settings: Mapping[str, Any]) -> View:
        """Read what `settings` wrote."""
        image = settings["image"]
        size = None if image is None else (int(image[0]), int(image[1]))
        return View(settings["kind"], settings["share"], size)

    def check(self, n_cats: tuple[int, ...]) -> None:
        """Make sure that rows with these columns can be seen in this way.

        Raises:
            FitError: they cannot.

        """
        if self.kind not in KINDS:
            raise FitError(
                f"There is no view {self.kind!r}; there are {', '.join(KINDS)}."
                f"{suggest(self.kind, KINDS)}"
            )
        if self.kind not in ("crop", "shift"):
            return
        if self.image is None or self.image[0] * self.image[1] != len(n_cats):
            raise FitError(
                f"A {self.kind} needs the size of the image that the {len(n_cats)} columns are; "
                f"{self.image} was given. Give image=(height, width), row by row."
            )
        if self.kind == "shift" and len(set(n_cats)) > 1:
            raise FitError(
                "A shift moves codes from column to column, and the columns have from "
                f"{min(n_cats)} to {max(n_cats)} categories. Code all pixels alike, or use crops."
            )


def see(view: View, codes: Codes, seen: Mask, rng: np.random.Generator) -> tuple[Codes, Mask]:
    """Make a view of each row: the codes that are shown and where, (rows, cols) each."""
    return KINDS[view.kind](view, codes, seen, rng)


def _corruption(
    view: View, codes: Codes, seen: Mask, rng: np.random.Generator
) -> tuple[Codes, Mask]:
    replaced = seen & (rng.random(seen.shape) < view.share)
    return corrupt(codes, seen, replaced, rng), seen


def _mask(view: View, codes: Codes, seen: Mask, rng: np.random.Generator) -> tuple[Codes, Mask]:
    return codes, seen & (rng.random(seen.shape) >= view.share)


def _crop(view: View, codes: Codes, seen: Mask, rng: np.random.Generator) -> tuple[Codes, Mask]:
    inside = np.ones((len(codes), *(view.image or ())), np.bool_)
    for axis, size in enumerate(view.image or ()):
        long = max(round(view.share * size), 1)
        start = rng.integers(0, size - long + 1, len(codes))[:, None]
        place = np.arange(size)
        within = (place >= start) & (place < start + long)  # (rows, size)
        inside &= within[:, :, None] if axis == 0 else within[:, None, :]
    return codes, seen & inside.reshape(codes.shape)


def _shift(view: View, codes: Codes, seen: Mask, rng: np.random.Generator) -> tuple[Codes, Mask]:
    rows, cols = view.image or (0, 0)
    y, x = np.divmod(np.arange(rows * cols), cols)
    far = [max(round(view.share * size), 1) for size in (rows, cols)]
    down, right = (rng.integers(-most, most + 1, len(codes))[:, None] for most in far)
    from_y, from_x = y - down, x - right  # (rows of the table, pixels)
    within = (from_y >= 0) & (from_y < rows) & (from_x >= 0) & (from_x < cols)
    source = np.where(within, from_y * cols + from_x, 0)
    moved = np.take_along_axis(codes, source, axis=1)
    return moved, within & np.take_along_axis(seen, source, axis=1)


KINDS: Mapping[str, Callable[[View, Codes, Mask, np.random.Generator], tuple[Codes, Mask]]] = {
    "corruption": _corruption,
    "mask": _mask,
    "crop": _crop,
    "shift": _shift,
}
