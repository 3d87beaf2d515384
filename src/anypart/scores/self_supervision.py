"""The same rows taken as supervised, unsupervised and self-supervised, with few labels."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from anypart.base.errors import QuestionError
from anypart.data.files import read
from anypart.models.contract import Evidence, Layout, Model
from anypart.optim.features import k_means, principal_components, random_features
from anypart.optim.in_memory import train_held
from anypart.optim.policies import MIXED, Policy
from anypart.optim.probe import Reals, by_neighbours, linear_probe
from anypart.optim.sizes import STATES, decay_for
from anypart.optim.views import View
from anypart.queries.representing import Cells
from anypart.scores.label_task import Posed, chosen, pose, raw_vectors
from anypart.scores.rows import ScoredRows

SHARES = (0.01, 0.05, 0.1, 1.0)  # of the training rows that keep their label
WIDTH = 128  # of networks
STEPS = 1_500  # of a network without labels; a third with them

Told = Callable[[str], object]


@dataclass(frozen=True)
class Line:
    """What one way makes of some labels.

    Args:
        way: what the rows were turned into, or what was trained.
        kind: `none`, `unsupervised`, `self-supervised`, `supervised` or `both`.
        reader: `linear`, `neighbours`, or `itself` where it predicts the label alone.
        share: of the training rows that keep their label.
        n_labels: how many those are.
        accuracy: share of test rows that are labelled right, mean over choices.
        error: standard error of that mean over the choices of labelled rows; NaN of one.
        log_loss: mean −log p(label) of test rows, nats.

    """

    way: str
    kind: str
    reader: str
    share: float
    n_labels: int
    accuracy: float
    error: float
    log_loss: float


@dataclass(frozen=True)
class Compared:
    """All ways at all numbers of labels.

    Args:
        table: its name.
        target: the column of labels.
        classes: its categories.
        n_train, n_test: rows.
        choices: of labelled rows that each number is a mean over.
        lines: the least labels first.

    """

    table: str
    target: str
    classes: tuple[str, ...]
    n_train: int
    n_test: int
    choices: int
    lines: tuple[Line, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return plain numbers, strings, lists and dicts."""
        return dataclasses.asdict(self)


def compare(
    source: Any,
    target: str,
    *,
    shares: Sequence[float] = SHARES,
    choices: int = 5,
    steps: int = STEPS,
    seed: int = 0,
    tell: Told = lambda said: None,
) -> Compared:
    """Learn a column's labels from few of them, with and without the rows that have none.

    Representations are learned once from all training rows without the target column; then a
    linear probe and the nearest neighbours read each from the rows that keep their label.
    A quarter of the rows is the test, which nothing is learned from.

    Args:
        source: a table.
        target: a column of categories.
        shares: of the training rows that keep their label, each above 0 and at most 1.
        choices: of those rows, by chance.
        steps: that a network without labels is trained for, at most.
        seed: of everything random.
        tell: called with what is being done.

    Raises:
        QuestionError: the target is not there, or not of categories; a share is not one;
            nothing is chosen or trained.

    Cost:
        Two networks and a circuit, then a small network and a circuit a choice and share.

    """
    table = read(source)
    check(shares, choices, steps)
    posed = pose(table, target, seed)
    lines = compare_rows(posed, shares, choices, steps=steps, seed=seed, tell=tell)
    sizes = len(posed.labels), len(posed.truth)
    return Compared(table.name, target, posed.classes, *sizes, choices, lines)


def check(shares: Sequence[float], choices: int, steps: int) -> None:
    """Make sure that the labels asked for can be chosen, and something is learned.

    Raises:
        QuestionError: they cannot.

    """
    if wrong := [s for s in shares if not 0 < s <= 1]:
        raise QuestionError(f"A share of labels is above 0 and at most 1, not {wrong[0]}.")
    if choices < 1:
        raise QuestionError(f"{choices} choices of labelled rows were asked for; give 1 or more.")
    if steps < 1:
        raise QuestionError(f"Networks cannot be trained for {steps} steps; give 1 or more.")


def compare_rows(
    posed: Posed,
    shares: Sequence[float],
    choices: int,
    *,
    steps: int = STEPS,
    seed: int = 0,
    views: Sequence[View] = (),
    tell: Told = lambda said: None,
) -> tuple[Line, ...]:
    """Do what `compare` does for rows that are cut already, the least share first.

    Args:
        posed: the rows.
        shares: of the training rows that keep their label.
        choices: of those rows, by chance.
        steps: of a network without labels.
        seed: of everything random.
        views: that the contrasted network is shown; corruption if there is none.
        tell: called with what is being done.

    """
    lines: list[Line] = []
    for way, kind, train, test in _representations(posed, steps, seed, views, tell):
        for share in shares:
            read_off = [_read(posed, train, test, share, choice, seed) for choice in range(choices)]
            for reader in ("linear", "neighbours"):
                found = [logs[reader] for logs in read_off]
                lines.append(_line(posed, way, kind, reader, share, found))
    for way, kind, predict in _by_themselves(posed, steps, seed):
        tell(way)
        for share in shares:
            found = [predict(chosen(posed, share, choice, seed)) for choice in range(choices)]
            lines.append(_line(posed, way, kind, "itself", share, found))
    order = {share: i for i, share in enumerate(shares)}
    return tuple(sorted(lines, key=lambda line: order[line.share]))


def _representations(
    posed: Posed, steps: int, seed: int, views: Sequence[View], tell: Told
) -> Iterator[tuple[str, str, Reals, Reals]]:
    """Yield name, kind, and the vectors of training and test rows."""
    raw, asked = (raw_vectors(posed.layout, r, posed.train) for r in (posed.train, posed.test))
    yield "raw columns", "none", raw, asked
    plain = {
        "random features": ("none", lambda: random_features(raw, 2 * WIDTH, seed)),
        "PCA": ("unsupervised", lambda: principal_components(raw, 32)),
        "k-means": ("unsupervised", lambda: k_means(raw, 64, seed)),
    }
    for way, (kind, make) in plain.items():
        tell(way)
        turn = make()
        yield way, kind, turn(raw), turn(asked)
    mixed = [p.settings() for p in MIXED]
    tree = _tree(posed.layout, len(posed.labels))
    network = {"width": WIDTH, "policy": mixed}
    seen_as = {"views": [v.settings() for v in views]}
    contrast = network | {"predict": 0.0, "contrast": 1.0} | seen_as
    trained = {
        "latent tree": ("unsupervised", "hidden_tree", tree, "its states"),
        "network, any part": ("self-supervised", "order_agnostic", network, "its features"),
        "network, contrast": ("self-supervised", "order_agnostic", contrast, ""),
    }
    rows = (posed.train.codes, posed.train.seen)
    for way, (kind, family, settings, latent) in trained.items():
        tell(way)
        model = train_held(family, settings, posed.layout, rows, steps=steps, seed=seed).model
        if latent:  # it predicts cells, so there is something to expect of them
            numbers = [not np.isnan(column).all() for column in posed.train.reals.T]
            cells = Cells(model, [bool(n) for n in numbers])
            train, test = (_wide(cells(r.codes, r.seen)) for r in (posed.train, posed.test))
            yield way, kind, train, test
            way = f"{way}: {latent}"
        yield way, kind, _latent(model, posed.train), _latent(model, posed.test)


def _tree(layout: Layout, n_rows: int) -> dict[str, float]:
    decay = decay_for(STATES, layout.total / layout.n_cols, n_rows)
    return {"n_states": STATES, "decay": decay}


def _latent(model: Model, rows: ScoredRows) -> Reals:
    return _wide(model.represent(Evidence(rows.codes, rows.seen)))


def _wide(vectors: NDArray[np.floating]) -> Reals:
    return vectors.astype(np.float64)


def _read(
    posed: Posed, train: Reals, test: Reals, share: float, choice: int, seed: int
) -> dict[str, Reals]:
    """Log-probabilities of the test rows' classes by each reader."""
    ix = chosen(posed, share, choice, seed)
    labels, n = posed.labels[ix], posed.n_classes
    probe = linear_probe(train[ix], labels, n, like=train, seed=choice)
    near = by_neighbours(train[ix], labels, n, test)
    return {"linear": probe.log_prob(test), "neighbours": np.log(near)}


def _line(
    posed: Posed, way: str, kind: str, reader: str, share: float, found: Sequence[Reals]
) -> Line:
    right = [float((logs.argmax(1) == posed.truth).mean()) for logs in found]
    own = [-logs[np.arange(len(logs)), posed.truth].mean() for logs in found]
    error = float(np.std(right, ddof=1) / len(right) ** 0.5) if len(right) > 1 else float("nan")
    n = len(chosen(posed, share, 0, 0))
    return Line(way, kind, reader, share, n, float(np.mean(right)), error, float(np.mean(own)))


def _by_themselves(
    posed: Posed, steps: int, seed: int
) -> Iterator[tuple[str, str, Callable[[NDArray[np.intp]], Reals]]]:
    """Yield what is trained with the labels and predicts them itself."""
    layout = Layout((*posed.layout.n_cats, posed.n_classes))
    last = len(posed.layout.n_cats)
    asked = [Policy("columns", columns=(last,)).settings()]
    codes = np.column_stack([posed.train.codes, posed.labels]).astype(np.int32)
    test = np.column_stack([posed.test.codes, np.zeros(len(posed.truth))]).astype(np.int32)
    hidden = np.column_stack([posed.test.seen, np.zeros(len(posed.truth), np.bool_)])

    def network(ix: NDArray[np.intp]) -> Reals:
        seen = np.column_stack([posed.train.seen[ix], np.ones(len(ix), np.bool_)])
        settings = {"width": WIDTH, "policy": asked}
        rows = (codes[ix], seen)
        trained = train_held(
            "order_agnostic", settings, layout, rows, steps=steps // 3, batch=64, seed=seed
        )
        return _classes(trained.model)

    def tree(ix: NDArray[np.intp]) -> Reals:
        labelled = np.zeros(len(codes), np.bool_)
        labelled[ix] = True
        rows = (codes, np.column_stack([posed.train.seen, labelled]))
        return _classes(
            train_held(
                "hidden_tree", _tree(layout, len(codes)), layout, rows, steps=steps // 3, seed=seed
            ).model
        )

    def _classes(model: Model) -> Reals:
        logs = model.conditional(Evidence(test, hidden))
        return logs[:, layout.slices[last]].astype(np.float64)

    yield "network, labels only", "supervised", network
    yield "latent tree, labels with gaps", "both", tree
