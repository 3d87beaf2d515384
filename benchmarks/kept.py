"""Measurements kept one by one, so that a benchmark that was stopped goes on where it was."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any


class Kept:
    """Measurements by key in a JSON file; what is there is not measured again.

    The key says everything that the number depends on but the code: a changed setting is
    another key. Delete the file, or its line, to measure anew.

    Args:
        path: of the file; made when the first measurement is done.
        measuring: whether what is missing is measured; else asking for it is a KeyError.

    """

    def __init__(self, path: Path, *, measuring: bool = True) -> None:
        self._path, self._measuring = path, measuring
        self._found: dict[str, Any] = json.loads(path.read_text()) if path.exists() else {}

    def measured(self, key: str, measure: Callable[[], Any]) -> Any:
        """Return what was measured, or measure and keep it."""
        if key not in self._found:
            if not self._measuring:
                raise KeyError(key)
            self._found[key] = measure()
            part = self._path.with_suffix(".part")
            part.write_text(json.dumps(self._found, indent=1, sort_keys=True) + "\n")
            part.replace(self._path)
            print(f"{key}: {json.dumps(self._found[key])}", flush=True)
        return self._found[key]
