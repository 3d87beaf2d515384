"""Scores as one list of lines, that every face shows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from anypart.scores.calibration import LEVEL, Calibration, Coverage
from anypart.scores.consistency import Consistency
from anypart.scores.evaluate import Scores
from anypart.scores.fidelity import Fidelity
from anypart.scores.imputation import Imputation
from anypart.scores.privacy import Privacy


@dataclass(frozen=True)
class Figure:
    """One line.

    Args:
        group: what it is a score of.
        name: of the score, with its unit.
        found: as people read it.
        best: what would be best, or what is to be expected of a fit that is right.

    """

    group: str
    name: str
    found: str
    best: str


HIDDEN = "hidden cells, asked for"
STATED = "probabilities that are stated"
ANSWERS = "answers"
DRAWN = "drawn rows beside real ones"
PRIVATE = "drawn rows beside fitted ones"


def figures(scores: Scores) -> list[Figure]:
    """List what was measured; what could not be is left out."""
    found = [*_hidden(scores.imputation), *_stated(scores.calibration)]
    found += _answers(scores.consistency)
    if chains := scores.autoregression:
        name = "chains proved autoregressive"
        found.append(Figure(ANSWERS, name, str(chains.proved), str(chains.chains)))
    if latent := scores.components:
        name = "latent mixtures proved products"
        found.append(Figure(ANSWERS, name, str(latent.proved), str(latent.mixtures)))
    if scores.fidelity:
        found += _drawn(scores.fidelity)
    if scores.privacy:
        found += _private(scores.privacy)
    return found


def share(x: float) -> str:
    """Write a share.

    Example:
        >>> share(0.9), share(0.12345)
        ('90.0 %', '12.3 %')

    """
    return f"{x:.1%}".replace("%", " %")


def _hidden(found: Imputation) -> Iterator[Figure]:
    if found.accuracy is not None and found.log_loss is not None:
        yield Figure(HIDDEN, "categories found again", share(found.accuracy), "100 %")
        yield Figure(HIDDEN, "their log-loss, nats", f"{found.log_loss:.3f}", "0")
    if found.rmse is not None and found.mae is not None:
        yield Figure(HIDDEN, "numbers: RMSE in their column's sd", f"{found.rmse:.3f}", "0")
        yield Figure(HIDDEN, "numbers: MAE in their column's sd", f"{found.mae:.3f}", "0")


def _stated(found: Calibration) -> Iterator[Figure]:
    if top := found.reliability:
        name = "calibration error, likeliest category"
        yield Figure(STATED, name, f"{top.error:.4f}", f"{top.perfect:.4f} by chance")
    for words, several in (
        ("categories inside their {} set", found.sets),
        ("numbers inside their {} interval", found.intervals),
    ):
        for one in several:
            if one.level == LEVEL:
                name = words.format(f"{one.level:.0%}".replace("%", " %"))
                yield Figure(STATED, name, share(one.met), wanted(one))


def wanted(one: Coverage) -> str:
    """Write the coverage to be expected, with two standard errors."""
    return f"{share(one.level)} ± {200 * one.error:.1f}"


def _answers(found: Consistency) -> Iterator[Figure]:
    shares = {"exact": found.exact, "estimated": found.estimated, "refused": found.refused}
    if found.exact is not None:
        said = ", ".join(f"{kind} {x:.0%}".replace("%", " %") for kind, x in shares.items() if x)
        yield Figure(ANSWERS, "random questions", said, "exact 100 %")
    best = "0 if they were exact" if found.estimated else "0"
    yield Figure(ANSWERS, "two orders of asking differ by, mean", f"{found.order_mean:.1e}", best)
    yield Figure(ANSWERS, "… 99th percentile", f"{found.order_p99:.1e}", best)


def _drawn(found: Fidelity) -> Iterator[Figure]:
    yield Figure(DRAWN, "shapes of columns, 1 − distance", f"{found.shapes:.3f}", "1")
    if found.trends is not None:
        yield Figure(DRAWN, "trends of pairs, 1 − distance", f"{found.trends:.3f}", "1")
    if found.rules:
        kept = min(found.rules.items(), key=lambda rule: rule[1])
        name = f"least kept of {len(found.rules)} rules, {kept[0]}"
        yield Figure(DRAWN, name, share(kept[1]), "100 %")
    if told := found.detection:
        expected = f"below {told.chance:.3f} by chance"
        yield Figure(DRAWN, "a classifier tells them apart, AUC", f"{told.auc:.3f}", expected)
        nats = f"≥ {told.jensen_shannon:.4f} ± {told.error:.4f}"
        yield Figure(DRAWN, "Jensen-Shannon distance, nats", nats, "0")
    if found.mmd.value is not None:
        expected = f"below {found.mmd.noise or 0:.4f} by chance"
        yield Figure(DRAWN, "squared MMD distance", f"{found.mmd.value:.4f}", expected)
    if taught := found.utility:
        name = "trained on them, tested on real, AUC"
        yield Figure(DRAWN, name, f"{taught.drawn:.3f}", f"{taught.real:.3f} by real rows")


def _private(found: Privacy) -> Iterator[Figure]:
    name = "nearer to a fitted row than a held-out one"
    expected = f"50.0 % ± {200 * found.error:.1f}"
    yield Figure(PRIVATE, name, share(found.nearer), expected)
    distances = f"{found.to_fitted:.3f}", f"{found.to_held_out:.3f} to held-out"
    yield Figure(PRIVATE, "distance to the closest fitted row, median", *distances)
    natural = f"{share(found.held_out_copies)} of held-out"
    yield Figure(PRIVATE, "exact copies of a fitted row", share(found.copies), natural)
