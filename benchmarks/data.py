"""Where the benchmarks' tables are, and what is said when they are not there."""

from __future__ import annotations

import os
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def data_file(name: str) -> Path:
    """Find a file of the benchmarks' data, or end with a message that says what to do."""
    folder = Path(os.environ.get("ANYPART_DATA", ROOT.parent / "shared" / "data"))
    path = folder / name
    if not path.exists():
        sys.exit(
            f"This benchmark reads {path}, which is not there. Put the data there, or name "
            "its folder in the environment variable ANYPART_DATA. Nothing was measured."
        )
    return path
