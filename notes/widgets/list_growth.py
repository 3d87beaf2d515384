"""What the growth of a list is compared with: bytes measured on the interpreter that builds."""

from __future__ import annotations

import platform
from typing import Any

from anypart.lens.python import growth

MEASURED = 100  # appends


def data() -> dict[str, Any]:
    """Return the bytes of a list at each length, the interpreter, and operations to begin with."""
    return {
        "version": platform.python_version(),
        "sizes": list(growth("list", MEASURED).sizes),
        "examples": ["append 40", "append 20, pop 15, append 3", "append 100, pop 100"],
    }
