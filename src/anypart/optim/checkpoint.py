"""Arrays and their description in one safetensors file, replaced in one step.

The library that reads the format makes two copies of all arrays in memory when it writes to
bytes, 200 MB for a tree of 512 states, and leaves files behind where it writes to a path and
is killed. So the writing is done here: a header as JSON, then the arrays as they lie.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open

from anypart.base.errors import FitError
from anypart.base.whole import replacing

Arrays = dict[str, NDArray[Any]]
DTYPES = {"bool": "BOOL"} | {  # NumPy's name → safetensors'
    f"{kind}{bits}": f"{letter}{bits}"
    for kind, letter in (("uint", "U"), ("int", "I"), ("float", "F"))
    for bits in (8, 16, 32, 64)
    if (kind, bits) != ("float", 8)
}


def write_arrays(path: Path, arrays: Mapping[str, NDArray[Any]], about: Mapping[str, Any]) -> None:
    """Store arrays with their description.

    Args:
        path: where; an old file is replaced in one step.
        arrays: name → array, any shape; the dtypes in `DTYPES`.
        about: anything JSON can hold; floats keep their bits.

    Raises:
        OSError: the file cannot be written.

    Cost:
        No copy of the arrays in memory.

    """
    ordered = {name: np.asarray(a, order="C") for name, a in arrays.items()}
    header: dict[str, Any] = {"__metadata__": {"about": json.dumps(dict(about))}}
    end = 0
    for name, a in ordered.items():
        begin, end = end, end + a.nbytes
        kind = DTYPES[a.dtype.name]
        header[name] = {"dtype": kind, "shape": a.shape, "data_offsets": (begin, end)}
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with replacing(path) as part, part.open("wb") as file:
        file.write(len(text).to_bytes(8, "little") + text)
        for a in ordered.values():
            file.write(a.reshape(-1).view(np.uint8).data)


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
