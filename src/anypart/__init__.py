"""anypart: fit once, ask for any part, given any other part.

The four names people need are loaded when they are first used, so that importing the
package costs milliseconds and neither torch nor DuckDB nor PyArrow.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from anypart.data.files import read
    from anypart.fitting import fit
    from anypart.queries.fitted import Fitted
    from anypart.queries.saved import load

__version__ = "0.1.0"
__all__ = ["Fitted", "__version__", "fit", "load", "read"]

_HOMES = {
    "Fitted": "anypart.queries.fitted",
    "fit": "anypart.fitting",
    "load": "anypart.queries.saved",
    "read": "anypart.data.files",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'anypart' has no attribute {name!r}")
    value = getattr(import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOMES})
