"""Plants a bug in a copy of what runs beside the snippet, and has `watch` run the copy."""

from __future__ import annotations

import shutil
from pathlib import Path

from anypart.lens.python import watching


def plant(monkeypatch, folder: Path, file: str, right: str, wrong: str) -> None:
    """Replace `right` by `wrong` in one file; undone by monkeypatch."""
    shutil.copytree(Path(watching.__file__).parent / "inside", folder / "inside")
    path = folder / "inside" / file
    source = path.read_text(encoding="utf-8")
    assert source.count(right) == 1, f"{file} has {source.count(right)} times {right!r}"
    path.write_text(source.replace(right, wrong), encoding="utf-8")
    monkeypatch.setattr(watching, "_HERE", folder)
