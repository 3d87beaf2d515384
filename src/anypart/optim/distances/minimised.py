"""Which distances can be minimised on a table, and why the others cannot."""

from __future__ import annotations

import math
from collections.abc import Sequence

from anypart.base.errors import FitError, suggest
from anypart.optim.distances.models import MOST_STATES, log10_states

#: Distances that need p_data of every row that there can be.
LISTED = ("reverse_kl", "jensen_shannon", "total_variation", "hellinger")
#: Distances that are minimised on rows alone, whatever the number of columns.
ON_ROWS = ("forward_kl", "mmd")
MINIMISED = (*ON_ROWS, *LISTED)


def can_list(n_cats: Sequence[int]) -> bool:
    """Whether the rows that there can be are few enough to be listed."""
    return log10_states(n_cats) <= math.log10(MOST_STATES) + 1e-9


def require_minimisable(distance: str, n_cats: Sequence[int], *, gaps: bool) -> None:
    """Refuse what has no honest objective on a table.

    Args:
        distance: its name.
        n_cats: categories of each column.
        gaps: whether a cell is empty.

    Raises:
        FitError: there is no such distance, or it cannot be minimised here.
    """
    if distance not in MINIMISED:
        raise FitError(
            f"There is no distance {distance!r} that a fit can minimise; there are "
            f"{', '.join(MINIMISED)}.{suggest(distance, MINIMISED)} Wasserstein needs a distance "
            "between rows; anypart study distance measures it for columns."
        )
    if distance == "forward_kl":
        return
    if gaps:
        raise FitError(
            f"{distance} compares whole rows, and some rows of this table have empty cells. "
            "Complete them (anypart complete), or minimise forward_kl, which sums them out."
        )
    if distance in LISTED and not can_list(n_cats):
        states = math.floor(log10_states(n_cats))
        raise FitError(
            f"{distance} needs the probability of every row that there can be, and there are "
            f"about 10^{states} (at most {MOST_STATES:,} are listed). Choose columns, or minimise "
            f"{' or '.join(ON_ROWS)}, which need rows alone."
        )
