"""What a distance is worth: exact, estimated with its error, or refused with a reason."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Measured:
    """One distance, or why there is none.

    Args:
        value: nats for both KL and Jensen-Shannon, the places' unit for Wasserstein, the
            square (which an unbiased estimate may bring below 0) for MMD; None if refused.
        error: standard error; None if the value is exact or refused.
        noise: what 95 % of pairs from one and the same source stay below.
        p_value: share of such pairs at least this far apart.
        reason: why it is refused.
    """

    value: float | None
    error: float | None = None
    noise: float | None = None
    p_value: float | None = None
    reason: str = ""

    @property
    def exact(self) -> bool:
        """Whether the value is exact, up to rounding."""
        return self.value is not None and self.error is None


def refused(reason: str) -> Measured:
    """Refuse, and say why."""
    return Measured(None, reason=reason)
