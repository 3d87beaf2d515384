"""A mixture of trees with different structures, trained together."""

from __future__ import annotations

from typing import final

from anypart.models.stack import Stack


@final
class TreeMixture(Stack):
    """Σ w_m p_m(x) with a Chow-Liu tree for each m; rows choose their tree softly.

    What it adds to a stack is how it came about: the trees share the rows among them
    (EM), while the members of a stack each saw all the rows.

    References:
        Meilă & Jordan, "Learning with mixtures of trees" (2000).

    """

    family: str = "tree_mixture"
