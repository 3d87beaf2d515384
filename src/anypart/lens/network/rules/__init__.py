"""The rules of the index sets: for each operation, what its outputs are made from.

An operation without a rule is named in an error; nothing is guessed.
"""

from __future__ import annotations

from typing import Any

import torch

from anypart.lens.network.rules.contractions import CONTRACTIONS
from anypart.lens.network.rules.groups import GROUPS
from anypart.lens.network.rules.lookups import LOOKUPS
from anypart.lens.network.rules.matrices import MATRICES
from anypart.lens.network.rules.moves import MOVES
from anypart.lens.network.rules.pointwise import POINTWISE, pointwise
from anypart.lens.network.rules.windows import WINDOWS
from anypart.lens.network.rules.writes import WRITES
from anypart.lens.network.sets import Rule

RULES: dict[str, Rule] = {
    **MOVES,
    **LOOKUPS,
    **POINTWISE,
    **GROUPS,
    **CONTRACTIONS,
    **MATRICES,
    **WINDOWS,
    **WRITES,
}


def rule_of(name: str, func: Any) -> Rule | None:
    """Return the rule of an operation, None if there is none."""
    rule = RULES.get(name)
    if rule is None and torch.Tag.pointwise in func.tags:
        return pointwise
    return rule
