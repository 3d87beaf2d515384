"""`evaluate`: every score of a fit on a table it has not seen."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from anypart.base.seeds import generator
from anypart.data.files import Table, read
from anypart.scores.autoregression import Autoregression, score_autoregression
from anypart.scores.baselines import baselines_of
from anypart.scores.calibration import Calibration, score_calibration
from anypart.scores.components import Components, score_components
from anypart.scores.consistency import Consistency, score_consistency
from anypart.scores.fidelity import Fidelity, score_fidelity
from anypart.scores.imputation import (
    HIDDEN,
    Imputation,
    guess,
    score_imputation,
    training_spread,
)
from anypart.scores.likelihood import Likelihood, score_likelihood
from anypart.scores.privacy import Privacy, score_privacy
from anypart.scores.rows import Judged, ScoredRows, code_rows, hide, some_rows

MOST_ROWS = 5_000  # of the table, for all scores but the likelihood
ROWS_DRAWN = 300  # of them that cells are hidden in, where answers are estimated by draws


@dataclass(frozen=True)
class Scores:
    """How good the answers of a fit are.

    Args:
        n_rows: rows of the table.
        n_looked: rows that all scores but the likelihood were taken on.
        seed: of what was chosen at random.
        likelihood: beside baselines.
        imputation: hidden cells.
        calibration: stated and met probabilities.
        consistency: answers beside each other.
        fidelity: drawn rows beside real ones; None where the fit cannot draw.
        privacy: drawn rows beside fitted and held-out ones; None without the fitted table.
        autoregression: chains proved to hear only earlier columns; None where the fit has
            no member along an order.
        components: latent mixtures whose components are proved products over columns; None
            where the fit has none.

    """

    n_rows: int
    n_looked: int
    seed: int
    likelihood: Likelihood
    imputation: Imputation
    calibration: Calibration
    consistency: Consistency
    fidelity: Fidelity | None
    privacy: Privacy | None = None
    autoregression: Autoregression | None = None
    components: Components | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return plain numbers, strings, lists and dicts; what is not a number is None."""
        return _plain(dataclasses.asdict(self))

    def to_json(self) -> str:
        """Write all scores as JSON."""
        return json.dumps(self.to_dict(), indent=1, ensure_ascii=False, allow_nan=False)


def evaluate(fitted: Judged, table: Any, seed: int = 0, *, fitted_on: Any = None) -> Scores:
    """Score a fit on a table, best one that it has not been fitted on.

    Args:
        fitted: the fit.
        table: anything that `read` takes.
        seed: of the rows, cells and questions chosen.
        fitted_on: the table that it was fitted on, to see whether drawn rows give its rows
            away; `table` must then be another one.

    Returns:
        The scores; the same for the same fit, table and seed.

    Raises:
        DataError: the table cannot be read, or has no rows.

    Cost:
        One pass for the likelihood, one to choose 5,000 rows, then seconds; a minute or more
        where answers are estimated, each by hundreds of draws.

    """
    source, fitted_on = read(table), None if fitted_on is None else read(fitted_on)
    counted = _Counted()
    rows = some_rows(fitted, counted.through(source.batches()), MOST_ROWS, seed)
    likelihood = score_likelihood(fitted, source.batches(), baselines_of(fitted, seed))
    asked = rows if fitted.model.ability.any_part else _few(rows, seed)
    guesses = guess(fitted, asked, hide(asked.seen, HIDDEN, seed))
    drawn = _drawn(fitted, rows.n_rows, seed)
    return Scores(
        n_rows=counted.n_rows,
        n_looked=rows.n_rows,
        seed=seed,
        likelihood=likelihood,
        imputation=score_imputation(fitted, guesses, training_spread(fitted)),
        calibration=score_calibration(fitted, guesses, seed),
        consistency=score_consistency(fitted, rows, seed),
        fidelity=drawn and score_fidelity(fitted.schema, rows, drawn, seed),
        privacy=drawn and _privacy(fitted, rows, drawn, fitted_on, seed),
        autoregression=score_autoregression(fitted.model),
        components=score_components(fitted.model),
    )


def _few(rows: ScoredRows, seed: int) -> ScoredRows:
    chosen = generator(seed, "scores", "few").permutation(rows.n_rows)[:ROWS_DRAWN]
    return rows.take(np.sort(chosen))


def _drawn(fitted: Any, n: int, seed: int) -> ScoredRows | None:
    """Draw rows, with gaps where the fit knows of them; None if it cannot draw."""
    if not hasattr(fitted, "sample"):
        return None
    gaps = getattr(fitted, "gaps", True) is not None
    return code_rows(fitted, _arrow(fitted.sample(n, with_missing=gaps, seed=seed)))


def _privacy(
    fitted: Judged, rows: ScoredRows, drawn: ScoredRows, fitted_on: Table | None, seed: int
) -> Privacy | None:
    if fitted_on is None:
        return None
    some = some_rows(fitted, fitted_on.batches(), MOST_ROWS, seed)
    return score_privacy(fitted, drawn, rows, some, fitted_on.batches(), seed)


def _arrow(drawn: Any) -> pa.Table:
    """Take rows as an Arrow table, whatever `sample` wrapped them in."""
    drawn = getattr(drawn, "value", drawn)
    return drawn if isinstance(drawn, pa.Table) else pa.table(drawn)


class _Counted:
    """Counts the rows of batches as they pass."""

    def __init__(self) -> None:
        self.n_rows = 0

    def through(self, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            self.n_rows += batch.num_rows
            yield batch


def _plain(x: Any) -> Any:
    if isinstance(x, Mapping):
        return {str(k): _plain(v) for k, v in x.items()}
    if isinstance(x, list | tuple):
        return [_plain(v) for v in x]
    if isinstance(x, float | np.floating):
        return float(x) if np.isfinite(x) else None
    return x
