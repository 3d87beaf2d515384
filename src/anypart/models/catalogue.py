"""The one list of families, over which laws, command line and reports iterate."""

from __future__ import annotations

import importlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from anypart.base.errors import SavedFitError, suggest
from anypart.models.contract import Model
from anypart.models.damage import undamaged


@dataclass(frozen=True)
class Family:
    """One kind of model.

    Args:
        module: where its class is; imported when first asked for.
        class_name: the class.
        about: one line for people.
        exact: answers are exact in any order of asking.
    """

    module: str
    class_name: str
    about: str
    exact: bool

    def load(self) -> type[Model]:
        """Import the class."""
        return getattr(importlib.import_module(self.module), self.class_name)


def _family(module: str, class_name: str, about: str, *, exact: bool = True) -> Family:
    return Family(f"anypart.models.{module}", class_name, about, exact)


CATALOGUE: dict[str, Family] = {
    "independent": _family("independent", "Independent", "every column by itself"),
    "chow_liu": _family("chow_liu", "ChowLiu", "every column depends on one other"),
    "tree_mixture": _family("tree_mixture", "TreeMixture", "a mixture of Chow-Liu trees"),
    "hidden_tree": _family("hidden_tree", "HiddenTree", "a tree of latent states"),
    "latent_classes": _family(
        "latent_classes", "LatentClasses", "a mixture of products, by a chosen distance"
    ),
    "continuous_mixture": _family(
        "continuous_mixture", "ContinuousMixture", "a mixture over a continuous latent vector"
    ),
    "settled": _family("settled", "Settled", "columns that others settle, and the rest"),
    "conditional_table": _family(
        "conditional_table", "ConditionalTable", "all states of a row, for few columns"
    ),
    "fvsbn": _family(
        "fvsbn", "FVSBN", "a logistic regression a column, on earlier ones", exact=False
    ),
    "separate_networks": _family(
        "separate_networks", "SeparateNetworks", "a network a column, on earlier ones", exact=False
    ),
    "nade": _family("nade", "NADE", "one hidden layer that hears a column a step", exact=False),
    "eonade": _family("eonade", "EoNADE", "NADE along several orders", exact=False),
    "made": _family("made", "MADE", "a masked network along several orders", exact=False),
    "rnade": _family("rnade", "RNADE", "mixtures of normals, for ordered columns", exact=False),
    "order_agnostic": _family(
        "order_agnostic", "OrderAgnostic", "a masked network, any order", exact=False
    ),
    "boosted_trees": _family(
        "boosted_trees", "BoostedTrees", "small trees a column, on earlier ones", exact=False
    ),
    "vae": _family("vae", "VAE", "a latent vector per row, by importance sampling", exact=False),
    "stack": _family("stack", "Stack", "a convex mixture of the others"),
    "stated_questions": _family(
        "stated_questions", "StatedQuestions", "a mixture for each stated question", exact=False
    ),
}


def load_model(
    family: str, settings: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]
) -> Model:
    """Build a model from what its `state` returned.

    Raises:
        SavedFitError: the family is not known, or the parts do not fit together.
    """
    if family not in CATALOGUE:
        raise SavedFitError(
            f"This fit has a model of family {family!r}; this version knows "
            f"{', '.join(CATALOGUE)}.{suggest(str(family), CATALOGUE)} Load it with the "
            "version that saved it."
        )
    return CATALOGUE[family].load().from_state(dict(settings), arrays)


def load_numbered(
    about: Sequence[Mapping[str, Any]], arrays: Mapping[str, NDArray[Any]]
) -> list[Model]:
    """Build several models whose arrays begin with their number, as `0.weight` and `1.weight`."""
    found: list[Model] = []
    for number, it in enumerate(about):
        start = f"{number}."
        own = {k[len(start) :]: v for k, v in arrays.items() if k.startswith(start)}
        found.append(load_model(it["family"], it["settings"], own))
    return found


def load_stack(
    settings: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]
) -> tuple[list[Model], NDArray[np.float64], Model | None]:
    """Build the members of a stack, its log-weights, and its spare model if it has one.

    Raises:
        SavedFitError: settings and arrays do not fit together.
    """
    with undamaged("mixture"):
        members, spare = load_numbered(settings["members"], arrays), None
        if about := settings.get("spare"):
            own = {k[6:]: v for k, v in arrays.items() if k.startswith("spare.")}
            spare = load_model(about["family"], about["settings"], own)
        log_weights = np.asarray(arrays["log_weights"], np.float64)
        if log_weights.shape != (len(members),) or not log_weights.max() < np.inf:
            raise ValueError(f"{len(members)} weights expected, {log_weights.shape} found")
    return members, log_weights, spare
