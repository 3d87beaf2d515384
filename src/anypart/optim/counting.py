r"""Training of the full table: counts, with pseudo-rows that lean on the margins.

.. math:: t_i[x_{<i}, x_i] = \frac{n(x_{\le i}) + \alpha\, m_i(x_i)}{n(x_{<i}) + \alpha}

The number α of pseudo-rows for each past falls along a path; the training loop keeps the
point that is best on validation rows. Rows with gaps are shared among the states that they
allow, by EM (Dempster, Laird and Rubin 1977).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from anypart.models.conditional_table import (
    ConditionalTable,
    Reals,
    conditionals_of,
    require_few_states,
)
from anypart.models.contract import Codes, Evidence, Layout, Mask


@dataclass(frozen=True)
class TableSettings:
    """How the full table is trained.

    Args:
        most: pseudo-rows a past at the first step.
        least: pseudo-rows a past at the last point of the path.
        points: on the path, one a step.

    """

    most: float = 30.0
    least: float = 0.03
    points: int = 16

    def pseudo_rows(self, point: int) -> float:
        """Return α of a point; beyond the last it stays."""
        share = min(point / max(self.points - 1, 1), 1.0)
        return float(self.most * (self.least / self.most) ** share)


class TableLearner:
    """Counts the rows that it was given at the start; a step is a point of the path.

    Args:
        layout: the columns; few enough for a table of all states.
        codes: (rows, cols) the rows to learn from.
        seen: (rows, cols) which of their cells have a value.
        settings: of the path.

    """

    def __init__(self, layout: Layout, codes: Codes, seen: Mask, settings: TableSettings) -> None:
        require_few_states(layout)
        self._layout, self._settings, self._point = layout, settings, 0
        whole = seen.all(axis=1)
        n_states = int(np.prod(layout.n_cats))
        states = np.ravel_multi_index(tuple(codes[whole].T), layout.n_cats)
        self._whole = np.bincount(states, minlength=n_states).astype(np.float64)
        self._gappy = Evidence(codes[~whole], seen[~whole])
        self._margins = [self._margin(codes[seen[:, c], c], n) for c, n in enumerate(layout.n_cats)]
        self._tables = [
            np.broadcast_to(m, layout.n_cats[: c + 1]) for c, m in enumerate(self._margins)
        ]

    @staticmethod
    def _margin(codes: NDArray[np.int32], n_cats: int) -> Reals:
        counts = np.bincount(codes, minlength=n_cats) + 0.5
        return counts / counts.sum()

    def step(self, codes: Codes, seen: Mask, progress: float) -> float:
        """Go to the next point of the path; see `Learner.step`."""
        model = self.model()
        counts = self._whole.copy()
        for _, share in model._posterior(self._gappy):
            counts += share.sum(axis=0)
        n_rows = max(counts.sum(), 1.0)
        with np.errstate(divide="ignore", invalid="ignore"):
            nats = np.where(self._whole > 0, self._whole * np.log(model.joint), 0.0).sum()
        loss = (nats + model.log_prob(self._gappy).sum()) / n_rows
        alpha = self._settings.pseudo_rows(self._point)
        self._tables = self._smoothed(counts.reshape(self._layout.n_cats), alpha)
        self._point += 1
        return float(loss)

    def _smoothed(self, counts: Reals, alpha: float) -> list[Reals]:
        found: list[Reals] = []
        for col, table in enumerate(conditionals_of(counts)):
            past = counts.sum(axis=tuple(range(col, counts.ndim)))[..., None]
            found.append((past * table + alpha * self._margins[col]) / (past + alpha))
        return found

    def model(self) -> ConditionalTable:
        """Return the table at the present point."""
        return ConditionalTable(self._layout, self._tables)

    def state(self) -> dict[str, NDArray[Any]]:
        """Return the tables and the point of the path."""
        tables = {str(c): np.array(t) for c, t in enumerate(self._tables)}
        return tables | {"point": np.array(self._point)}

    def load_state(self, arrays: dict[str, NDArray[Any]]) -> None:
        """Go on from `state`."""
        self._point = int(arrays["point"])
        self._tables = [arrays[str(c)] for c in range(self._layout.n_cols)]
