"""How each family of the catalogue is trained: family → a learner that is ready to step."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from anypart.models.contract import Codes, Layout, Mask
from anypart.optim.learner import Learner
from anypart.optim.rows import Rows, some_rows

MOST_TO_START = 20_000  # rows that a start looks at: structure, margins, log-odds
WHOLE = frozenset(
    {"boosted_trees", "conditional_table", "fvsbn", "latent_classes"}
)  # families that take all rows at every step
MOST_PLACES = 60_000_000  # categories times rows that such a family holds, 240 MB

Start = Callable[[Layout, Codes, Mask, Mapping[str, Any], int], Learner]


def _tree(family: str) -> Start:
    def start(
        layout: Layout, codes: Codes, seen: Mask, settings: Mapping[str, Any], seed: int
    ) -> Learner:
        from anypart.optim.em import TreeLearner, TreeSettings

        return TreeLearner(family, layout, codes, seen, TreeSettings(**settings), seed)

    return start


def _hidden_tree(
    layout: Layout, codes: Codes, seen: Mask, settings: Mapping[str, Any], seed: int
) -> Learner:
    from anypart.optim.hidden_trees import HiddenSettings, HiddenTreeLearner

    return HiddenTreeLearner(layout, codes, seen, HiddenSettings(**settings), seed)


def _network(
    layout: Layout, codes: Codes, seen: Mask, settings: Mapping[str, Any], seed: int
) -> Learner:
    from anypart.optim.gradient import NetworkLearner, NetworkSettings
    from anypart.optim.questions import QuestionLearner

    made = NetworkSettings(**settings)
    learner = QuestionLearner if made.policy or made.contrast else NetworkLearner
    return learner(layout, codes, seen, made, seed)


def _decoder(
    layout: Layout, codes: Codes, seen: Mask, settings: Mapping[str, Any], seed: int
) -> Learner:
    from anypart.optim.decoder import DecoderLearner, DecoderSettings

    return DecoderLearner(layout, codes, seen, DecoderSettings(**settings), seed)


def _counts(
    layout: Layout, codes: Codes, seen: Mask, settings: Mapping[str, Any], seed: int
) -> Learner:
    from anypart.optim.counting import TableLearner, TableSettings

    return TableLearner(layout, codes, seen, TableSettings(**settings))


def _chain(family: str) -> Start:
    def start(
        layout: Layout, codes: Codes, seen: Mask, settings: Mapping[str, Any], seed: int
    ) -> Learner:
        from anypart.optim.chain_families import chain_learner
        from anypart.optim.chains import ChainSettings

        return chain_learner(family, layout, (codes, seen), ChainSettings(**settings), seed)

    return start


def _logistic(
    layout: Layout, codes: Codes, seen: Mask, settings: Mapping[str, Any], seed: int
) -> Learner:
    from anypart.optim.logistic_path import PathLearner, PathSettings

    return PathLearner(layout, codes, seen, PathSettings(**settings), seed)


def _autoencoder(
    layout: Layout, codes: Codes, seen: Mask, settings: Mapping[str, Any], seed: int
) -> Learner:
    from anypart.optim.variational import VAELearner, VAESettings

    return VAELearner(layout, codes, seen, VAESettings(**settings), seed)


def _boosting(
    layout: Layout, codes: Codes, seen: Mask, settings: Mapping[str, Any], seed: int
) -> Learner:
    from anypart.optim.boosting import BoostLearner, BoostSettings

    return BoostLearner(layout, codes, seen, BoostSettings(**settings), seed)


def _minimiser(
    layout: Layout, codes: Codes, seen: Mask, settings: Mapping[str, Any], seed: int
) -> Learner:
    from anypart.optim.minimiser import DistanceLearner, DistanceSettings

    return DistanceLearner(layout, codes, seen, DistanceSettings(**settings), seed)


LEARNERS: dict[str, Start] = {
    "independent": _tree("independent"),
    "chow_liu": _tree("chow_liu"),
    "tree_mixture": _tree("tree_mixture"),
    "hidden_tree": _hidden_tree,
    "latent_classes": _minimiser,
    "continuous_mixture": _decoder,
    "conditional_table": _counts,
    "fvsbn": _logistic,
    "separate_networks": _chain("separate_networks"),
    "nade": _chain("nade"),
    "eonade": _chain("eonade"),
    "made": _chain("made"),
    "rnade": _chain("rnade"),
    "boosted_trees": _boosting,
    "order_agnostic": _network,
    "vae": _autoencoder,
}


def start_learner(family: str, settings: Mapping[str, Any], seed: int, rows: Rows) -> Learner:
    """Make the learner of a family, before its first step.

    Args:
        family: its name in the catalogue.
        settings: what its learner takes.
        seed: of everything random in it.
        rows: the rows it will learn from; at most `MOST_TO_START` of them are looked at,
            by families in `WHOLE` all that `MOST_PLACES` allows.

    """
    layout = Layout(tuple(rows.source.n_cats))
    most = MOST_TO_START
    if family in WHOLE:
        most = max(most, MOST_PLACES // max(layout.total, 1))
    codes, seen = some_rows(rows, most, seed)
    return LEARNERS[family](layout, codes, seen, settings, seed)
