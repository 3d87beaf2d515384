"""Arrays and their description in one safetensors file, replaced in one step."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from anypart.base.errors import FitError
from anypart.base.whole import write_whole

Arrays = dict[str, NDArray[Any]]


def write_arrays(path: Path, arrays: Mapping[str, NDArray[Any]], about: Mapping[str, Any]) -> None:
    """Store arrays with their description.

    Args:
        path: where; an old file is replaced in one step.
        arrays: name → array, any shape; the dtypes of safetensors.
        about: anything JSON can hold; floats keep their bits.

    """
    # safetensors writes the buffer as it lies in memory, so it has to lie in C order.
    ordered = {name: np.asarray(a, order="C") for name, a in arrays.items()}
    write_whole(path, save(ordered, metadata={"about": json.dumps(dict(about))}))


def read_arrays(path: Path) -> tuple[Arrays, dict[str, Any]]:
    """Read what `write_arrays` wrote.

    Raises:
        FitError: the file is damaged or foreign.

    """
    try:
        with safe_open(path, framework="np") as file:
            about = json.loads(file.metadata()["about"])
            return {name: file.get_tensor(name) for name in file.keys()}, about  # noqa: SIM118
    except (SafetensorError, KeyError, TypeError, ValueError) as error:
        raise FitError(
            f"{path} is not a state of a fit that can be read ({error}). "
            "Delete this file to train its member again."
        ) from error


def part(arrays: Mapping[str, NDArray[Any]], name: str) -> Arrays:
    """Take the arrays stored under `name/`, without that prefix."""
    prefix = f"{name}/"
    return {k.removeprefix(prefix): a for k, a in arrays.items() if k.startswith(prefix)}


def under(name: str, arrays: Mapping[str, NDArray[Any]]) -> Arrays:
    """Put arrays under `name/`, to be stored beside others."""
    return {f"{name}/{k}": a for k, a in arrays.items()}
