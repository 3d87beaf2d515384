import os
import subprocess
import sys

import pytest
from tests.data.planted import planted

from anypart.base import whole


def check_that_a_crash_leaves_the_old_file(module, folder, monkeypatch):
    place = folder / "f"
    module.write_whole(place, b"old")

    def crash(*_):
        raise KeyboardInterrupt

    for moment in ("fsync", "replace"):
        with monkeypatch.context() as patch:
            patch.setattr(module.os, moment, crash)
            with pytest.raises(KeyboardInterrupt):
                module.write_whole(place, b"new")
        assert place.read_bytes() == b"old"
        assert list(folder.iterdir()) == [place]
    module.write_whole(place, b"new")
    assert place.read_bytes() == b"new"


def dead_process():
    child = subprocess.Popen([sys.executable, "-c", ""])
    child.wait()
    return child.pid


def check_that_only_beginnings_of_the_dead_go(module, folder):
    dead, place = dead_process(), folder / "f [1].csv"
    left = folder / f".{place.name}.{module._HERE}-{dead}.part"
    kept = [
        folder / f".{place.name}.{module._HERE}-{os.getppid()}.part",  # its writer lives
        folder / f".{place.name}.{'0' * 8}-{dead}.part",  # of another machine
        folder / f".other.{module._HERE}-{dead}.part",  # of another file
        folder / f".{place.name}.{module._HERE}-x.part",  # not ours
    ]
    for path in (left, *kept):
        path.touch()
    module.write_whole(place, b"new")
    assert sorted(folder.iterdir()) == sorted([place, *kept])
    module.sweep(folder)
    assert sorted(folder.iterdir()) == sorted([place, *kept[:2], kept[3]])


def test_a_crash_while_writing_leaves_the_old_file(tmp_path, monkeypatch):
    check_that_a_crash_leaves_the_old_file(whole, tmp_path, monkeypatch)


def test_what_killed_processes_began_is_removed_and_nothing_else(tmp_path):
    check_that_only_beginnings_of_the_dead_go(whole, tmp_path)


def test_the_laws_bite(tmp_path, monkeypatch):
    in_place = planted(whole, "yield part", "yield path; part.touch()")
    with pytest.raises(AssertionError, match="old"):
        check_that_a_crash_leaves_the_old_file(in_place, tmp_path, monkeypatch)
    (tmp_path / "swept").mkdir()
    careless = planted(whole, "    os.kill(process, 0)", "    raise ProcessLookupError")
    with pytest.raises(AssertionError, match="part"):
        check_that_only_beginnings_of_the_dead_go(careless, tmp_path / "swept")
