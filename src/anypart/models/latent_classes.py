"""Latent classes: a mixture of products, all columns on one latent node."""

from __future__ import annotations

from typing import final

from anypart.models.latent_tree import LatentTree, Shape


@final
class LatentClasses(LatentTree):
    """One node, every column on it: each row has a class, given which columns are apart.

    References:
        Lazarsfeld & Henry, "Latent structure analysis" (1968).

    """

    family = "latent_classes"


def classes_shape(n_cols: int, n_classes: int) -> Shape:
    """The shape of `LatentClasses`."""
    return Shape((-1,), (n_classes,), (0,) * n_cols)
