"""What a network sees, what its outputs can depend on, and what its biases do.

>>> from anypart.lens.network import receptive_field
>>> receptive_field("conv 3 s2, conv 3 s2, conv 3")[0][-1].size
15

The names are imported when they are first used, for a list of layers needs no torch.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from anypart.lens.network.asking import dependence, which_inputs
    from anypart.lens.network.biases import redundant_biases
    from anypart.lens.network.effective import effective_field, uniform_spread
    from anypart.lens.network.formula import Seen, receptive_field
    from anypart.lens.network.layers import Branches, Layer, parse
    from anypart.lens.network.tracing import Row, trace

__all__ = [
    "Branches",
    "Layer",
    "Row",
    "Seen",
    "dependence",
    "effective_field",
    "parse",
    "receptive_field",
    "redundant_biases",
    "trace",
    "uniform_spread",
    "which_inputs",
]

_HOMES = {
    "asking": ("dependence", "which_inputs"),
    "layers": ("Branches", "Layer", "parse"),
    "biases": ("redundant_biases",),
    "effective": ("effective_field", "uniform_spread"),
    "tracing": ("Row", "trace"),
    "formula": ("Seen", "receptive_field"),
}


def __getattr__(name: str) -> Any:
    for home, names in _HOMES.items():
        if name in names:
            found = getattr(importlib.import_module(f"{__name__}.{home}"), name)
            globals()[name] = found
            return found
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
