"""Every column by itself: the baseline that knows of no dependence."""

from __future__ import annotations

from typing import final

from anypart.models.latent_tree import LatentTree, Shape


@final
class Independent(LatentTree):
    """One node with one state, and every column on it."""

    family = "independent"


def independent_shape(n_cols: int) -> Shape:
    """The shape of `Independent`."""
    return Shape((-1,), (1,), (0,) * n_cols)
