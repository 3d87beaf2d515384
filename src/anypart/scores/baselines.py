"""What a likelihood is compared with: models that know less, over the same codes."""

from __future__ import annotations

from collections.abc import Mapping

from anypart.base.seeds import generator
from anypart.models.contract import Evidence, Model
from anypart.scores.rows import Judged

NAMES = ("independent", "chow_liu")
DRAWN = 20_000  # rows of the fit that stand in for its training table


def baselines_of(fitted: Judged, seed: int) -> Mapping[str, Model]:
    """Return the columns taken one by one, and a Chow-Liu tree of them.

    They are the ones that were trained beside the fit if it has kept them
    (`fitted.baselines`); else they are learned from rows that the fit draws, since the
    training table need not be there any more: what is lost then is what the fit did not
    learn about single columns and pairs, a few hundredths of a nat.

    Cost:
        20,000 draws and a count of all pairs of categories, unless they were kept.
    """
    kept: Mapping[str, Model] = getattr(fitted, "baselines", None) or {}
    missing = [name for name in NAMES if name not in kept]
    if not missing:
        return kept
    from anypart.optim.catalogue import LEARNERS

    layout = fitted.model.layout
    rng = generator(seed, "scores", "baselines")
    codes = fitted.model.sample(Evidence.nothing(DRAWN, layout.n_cols), rng)
    seen = codes >= 0
    learned = {n: LEARNERS[n](layout, codes, seen, {}, seed).model() for n in missing}
    return {**kept, **learned}
