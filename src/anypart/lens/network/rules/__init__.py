"""The rules of the index sets: for each operation, what its outputs are made from.

An operation without a rule is named in an error; nothing is guessed.
"""

from __future__ import annotations

import torch

from anypart.lens.network.calls import Call
from anypart.lens.network.rules.contractions import CONTRACTIONS
from anypart.lens.network.rules.groups import GROUPS
from anypart.lens.network.rules.lookups import LOOKUPS
from anypart.lens.network.rules.moves import MOVES
from anypart.lens.network.rules.pointwise import POINTWISE, pointwise
from anypart.lens.network.rules.windows import WINDOWS
from anypart.lens.network.sets import Rule

RULES: dict[str, Rule] = {**MOVES, **LOOKUPS, **POINTWISE, **GROUPS, **CONTRACTIONS, **WINDOWS}


def rule_of(call: Call) -> Rule | None:
    """Return the rule of an operation, None if there is none."""
    rule = RULES.get(call.name)
    if rule is None and torch.Tag.pointwise in call.func.tags:
        return pointwise
    return rule
