"""Saved fits: a directory of JSON and safetensors, checked byte for byte on the way in.

::

    fit.json                     format, versions, schema, settings, metadata, checksums
    members/<n>-<sha>.safetensors   the arrays of member n of a mixture (else `model`,
                                 with those of the baselines)

Nothing in it is code.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np
from numpy.typing import NDArray

from anypart.base.errors import SavedFitError, suggest
from anypart.base.whole import sweep, write_whole
from anypart.data.schema_json import schema_from_json, schema_to_json
from anypart.models.catalogue import load_model
from anypart.queries.gaps import Gaps

if TYPE_CHECKING:
    from anypart.queries.fitted import Fitted

FORMAT = "anypart-fit"
FORMAT_VERSION = 1
Arrays = dict[str, NDArray[Any]]
#: What parts raise that are of the wrong type, size or number for each other.
_UNFIT = (
    *(KeyError, TypeError, ValueError, IndexError, AttributeError, AssertionError),
    *(ArithmeticError, MemoryError),
)


def save(fitted: Fitted, folder: Path) -> Path:
    """Write a fit; at every moment the folder holds the old one or the new one, whole.

    Arrays go to files of new names, then fit.json, which names them, is replaced at once.

    Raises:
        SavedFitError: the place holds something else than a fit, or cannot be written.

    """
    if folder.exists() and not _is_ours(folder):
        raise SavedFitError(
            f"{folder} exists and is no saved fit, so nothing is written there. Choose another "
            "folder."
        )
    try:
        (folder / "members").mkdir(parents=True, exist_ok=True)
        files = _write(fitted, folder)
        sweep(folder / "members")
        for path in (folder / "members").glob("*.safetensors"):
            if f"members/{path.name}" not in files:
                path.unlink()
    except OSError as error:
        raise SavedFitError(f"The fit cannot be saved to {folder}: {error}.") from None
    return folder


def _is_ours(folder: Path) -> bool:
    """Whether a folder is empty, or holds a fit, or one that training has not finished."""
    if not folder.is_dir():
        return False
    names = {p.name for p in folder.iterdir()}
    return "fit.json" in names or names <= {"members", "unfinished"}


def _write(fitted: Fitted, folder: Path) -> dict[str, str]:
    from safetensors.numpy import save as to_bytes

    settings, arrays = fitted.model.state()
    baselines = dict[str, Any]()
    for name, model in fitted.baselines.items():
        about_it, some = model.state()
        baselines[name] = {"family": model.family, "settings": about_it}
        arrays |= {f"baseline.{name}.{k}": v for k, v in some.items()}
    files = dict[str, str]()
    for stem, some in _by_member(arrays).items():
        data = to_bytes({k: np.ascontiguousarray(v) for k, v in some.items()})
        digest = hashlib.sha256(data).hexdigest()
        name = f"members/{stem}-{digest[:12]}.safetensors"
        write_whole(folder / name, data)
        files[name] = digest
    about = {
        "format": FORMAT,
        "format_version": FORMAT_VERSION,
        "library_version": _library_version(),
        "schema": schema_to_json(fitted.schema),
        "model": {"family": fitted.model.family, "settings": settings},
        "baselines": baselines,
        "gaps": None if fitted.gaps is None else fitted.gaps.to_json(),
        "metadata": thaw(fitted.metadata),
        "files": files,
    }
    about["sha256"] = _digest(about)
    write_whole(folder / "fit.json", json.dumps(about, indent=1, ensure_ascii=False).encode())
    return files


def _by_member(arrays: Mapping[str, NDArray[Any]]) -> dict[str, Arrays]:
    """Sort arrays by the file they go to: `3.name` is of member 3."""
    out: dict[str, Arrays] = {}
    for name, array in sorted(arrays.items()):
        member = name.partition(".")[0] if "." in name else ""
        out.setdefault(member if member.isdigit() else "model", {})[name] = array
    return out


def _under(prefix: str, arrays: Arrays) -> Arrays:
    return {k.removeprefix(prefix): v for k, v in arrays.items() if k.startswith(prefix)}


def thaw(value: Any) -> Any:
    """Make plain dicts and lists of read-only ones."""
    if isinstance(value, Mapping):
        return {str(k): thaw(v) for k, v in value.items()}
    return [thaw(v) for v in value] if isinstance(value, list | tuple) else value


def _digest(about: Mapping[str, Any]) -> str:
    rest = {k: v for k, v in about.items() if k != "sha256"}
    return hashlib.sha256(json.dumps(rest, sort_keys=True).encode()).hexdigest()


def _library_version() -> str:
    try:
        return version("anypart")
    except PackageNotFoundError:
        return "unknown"


def load(folder: str | Path) -> Fitted:
    """Load a saved fit; every byte is checked before it is used.

    Raises:
        SavedFitError: there is none, or it is damaged, foreign, or of a newer version.

    """
    from anypart.queries.fitted import Fitted

    folder = Path(folder)
    about = _read_about(folder)
    try:
        arrays = _read_arrays(folder, about["files"])
        schema = schema_from_json(about["schema"])
        own = {k: v for k, v in arrays.items() if not k.startswith("baseline.")}
        model = load_model(about["model"]["family"], about["model"]["settings"], own)
        gaps = None if about["gaps"] is None else Gaps.from_json(about["gaps"])
        baselines = {
            name: load_model(it["family"], it["settings"], _under(f"baseline.{name}.", arrays))
            for name, it in about["baselines"].items()
        }
        return Fitted(schema, model, gaps, about["metadata"], baselines)
    except SavedFitError as error:
        raise SavedFitError(f"{folder} cannot be loaded. {error}") from None
    except _UNFIT as error:
        _damaged(folder, f"its parts do not fit together ({type(error).__name__}: {error})")


def _damaged(folder: Path, why: str) -> NoReturn:
    raise SavedFitError(
        f"The fit in {folder} is damaged: {why}. Take it from a backup, or fit again."
    )


def _read_about(folder: Path) -> dict[str, Any]:
    path = folder / "fit.json"
    if not path.is_file():
        there = "it has no fit.json" if folder.is_dir() else "it is a file, and fits are folders"
        there = there if folder.exists() else "there is no such folder"
        near = [p.parent.name for p in folder.parent.glob("*/fit.json")]
        raise SavedFitError(
            f"{folder} is not a saved fit: {there}. Give a folder that `anypart fit` or `save` "
            f"wrote.{suggest(folder.name, near)}"
        )
    try:
        about = json.loads(path.read_bytes())
    except (ValueError, RecursionError, OSError) as error:
        _damaged(folder, f"fit.json cannot be read ({error})")
    if not isinstance(about, dict) or about.get("format") != FORMAT:
        raise SavedFitError(
            f"{path} is not of a saved fit: its format is not {FORMAT!r}. It belongs to "
            "something else, or is damaged."
        )
    made = about.get("format_version")
    if isinstance(made, int) and made > FORMAT_VERSION:
        raise SavedFitError(
            f"The fit in {folder} has format {made}; this version reads up to {FORMAT_VERSION}. "
            "Install a newer anypart."
        )
    if about.get("sha256") != _digest(about):
        _damaged(folder, "fit.json is not as it was written")
    return about


def _read_arrays(folder: Path, files: Mapping[str, str]) -> Arrays:
    from safetensors import SafetensorError
    from safetensors.numpy import load as from_bytes

    arrays: Arrays = {}
    for name, digest in files.items():
        try:
            data = (folder / name).read_bytes()
            if hashlib.sha256(data).hexdigest() != digest:
                _damaged(folder, f"{name} is not as it was written")
            arrays.update(from_bytes(data))
        except (OSError, SafetensorError) as error:
            _damaged(folder, f"{name} cannot be read ({error})")
    return arrays
