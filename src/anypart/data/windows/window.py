"""`Window`: a stretch of places of a sequence."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Window:
    """The places start, …, stop − 1 of a sequence."""

    start: int
    stop: int

    @property
    def length(self) -> int:
        """Count the places."""
        return self.stop - self.start
