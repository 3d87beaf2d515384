import json
import pickle
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from anypart.base.errors import DataError
from anypart.data import packed as shipped
from anypart.data.codec import Codec, Encoded
from anypart.data.files import read
from anypart.data.infer import infer_schema
from anypart.data.packed import Layout, PackedCodes, pack
from anypart.optim.workers import Tables

from .planted import planted

COLUMNS = st.lists(
    st.tuples(st.sampled_from([1, 2, 3, 4, 7, 8, 9, 250, 255, 256, 257, 60_000]), st.booleans()),
    min_size=1,
    max_size=12,
)


def random_rows(columns, n_rows, seed):
    rng = np.random.default_rng(seed)
    seen = np.array([rng.random(n_rows) < 0.7 if gap else np.ones(n_rows, bool)
                     for _, gap in columns]).T  # fmt: skip
    codes = np.array([rng.choice([0, n - 1, rng.integers(n)], n_rows) for n, _ in columns]).T
    return Encoded(np.where(seen, codes, 0).astype(np.int32), seen, np.zeros(n_rows))


def round_trip(module, columns, n_rows, seed):
    layout = module.Layout(tuple(n for n, _ in columns), tuple(g for _, g in columns))
    rows = random_rows(columns, n_rows, seed)
    flat = np.append(layout.write(rows).ravel(), np.full(3, 255, np.uint8))
    codes, seen = layout.read(flat, n_rows)
    return bool((codes == rows.codes).all() and (seen == rows.seen).all())


@given(COLUMNS, st.integers(0, 20), st.integers(0, 99))
def test_rows_come_back_from_their_bits(columns, n_rows, seed):
    assert round_trip(shipped, columns, n_rows, seed)


@given(COLUMNS)
def test_a_row_takes_the_bits_that_its_values_need(columns):
    layout = Layout(tuple(n for n, _ in columns), tuple(g for _, g in columns))
    states = [n + gap for n, gap in columns]
    assert all(2**w >= s and (w == 1 or 2 ** (w - 1) < s)
               for w, s in zip(layout.widths, states, strict=True))  # fmt: skip
    assert 8 * layout.row_bytes - sum(layout.widths) in range(8)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("bit += width", "bit += width - (width > 8)"),
        ("cell + np.uint32(1), np.uint32(0)", "cell, np.uint32(0)"),
        ("(1 << width) - 1, gap", "(2 << width) - 1, gap"),
        ("n - 1 + gap", "n - 1"),
    ],
)
def test_the_law_notices_a_bug_in_the_shipped_source(old, new):
    columns = [(3, True), (256, True), (60_000, False), (2, False), (9, True)]
    assert round_trip(shipped, columns, 50, 0)
    assert not round_trip(planted(shipped, old, new), columns, 50, 0)


def table(n=300, gap=False):
    rng = np.random.default_rng(n)
    words = ["a", "b", "c"]
    made = {f"w{k}": [words[i] for i in rng.integers(0, 3, n)] for k in range(5)}
    made["x"] = rng.integers(0, 2, n).tolist()
    if gap:
        made["w1"][n // 2] = None
    return pa.table(made)


@pytest.fixture
def packed(tmp_path):
    codec = Codec(infer_schema(read(table())))
    return pack(read(table()), codec, tmp_path / "packed")


def test_six_small_columns_take_two_bytes_a_row(packed):
    assert packed.layout.widths == (2, 2, 2, 2, 2, 1)
    assert packed.cells.nbytes == 2 * 300 + 3


@pytest.mark.parametrize(
    "index", [slice(None), slice(7, 20), slice(290, 999), slice(5, 5), slice(9, 2), slice(0, 30, 7),
              [4, 4, 299, 0], np.arange(300)[::-1], np.array([], int), slice(-3, None)]
)  # fmt: skip
def test_any_rows_can_be_taken(packed, index):
    expected = Codec(infer_schema(read(table()))).encode(table())
    codes, seen = packed.rows(index)
    assert codes.dtype == np.int32
    assert (codes == expected.codes[index]).all()
    assert (seen == expected.seen[index]).all()
    assert codes.shape == seen.shape == expected.codes[index].shape


def test_a_gap_where_the_schema_has_none_is_given_room(tmp_path):
    codec = Codec(infer_schema(read(table())))
    other = table(200, gap=True)
    found = pack(read(other), codec, tmp_path)
    expected = codec.encode(other)
    codes, seen = found.rows(slice(None))
    assert found.layout.gaps == (False, True, False, False, False, False)
    assert (codes == expected.codes).all()
    assert (seen == expected.seen).all()


def test_packed_codes_cannot_be_changed(packed):
    with pytest.raises(ValueError, match="read-only"):
        packed.cells[0] = 1
    with pytest.raises(ValueError, match="WRITEABLE"):
        packed.cells.setflags(write=True)
    codes, _ = packed.rows(slice(0, 1))
    codes[:] = 9
    assert packed.rows(slice(0, 1))[0].max() < 9


def test_a_row_that_is_not_there_is_refused(packed):
    with pytest.raises(IndexError, match="out of bounds"):
        packed.rows([300])


def test_another_process_opens_the_same_file_and_copies_nothing(packed):
    sent = pickle.dumps(packed)
    assert len(sent) < 500
    assert pickle.loads(sent).cells.filename == packed.cells.filename
    script = (
        "import sys, pickle; p = pickle.loads(sys.stdin.buffer.read()); "
        "print(p.rows(slice(None))[0].sum(), type(p.cells).__name__)"
    )
    command = [sys.executable, "-c", script]
    done = subprocess.run(command, input=sent, capture_output=True, check=True)
    assert done.stdout.decode().split() == [str(packed.rows(slice(None))[0].sum()), "memmap"]


LINUX = pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells of single mappings")
READER = """
import inspect, sys, types
from anypart.data import packed
made = types.ModuleType("made")
sys.modules["made"] = made  # dataclasses look their module up
exec(inspect.getsource(packed).replace(sys.argv[2], sys.argv[3]), made.__dict__)
codes = made.PackedCodes.open(sys.argv[1])
codes.rows(slice(None)), codes.rows(range(0, codes.n_rows, 7))
print("read", flush=True)
sys.stdin.read()
"""


def kilobytes(pid, name):
    """What a process holds of one file, kB by kind: Rss, Pss, Private_Dirty …"""
    found, here = {}, False
    for line in Path(f"/proc/{pid}/smaps").read_text().splitlines():
        if re.match(r"[0-9a-f]+-[0-9a-f]+ ", line):
            here = line.endswith(name)
        elif here and line.endswith("kB"):
            kind, number = line.split(":")
            found[kind] = found.get(kind, 0) + int(number.split()[0])
    return found


def share_pages(folder, old="", new="", n=2):
    """Whether processes that have read all rows hold the file's pages once between them."""
    command = [sys.executable, "-c", READER, str(folder), old, new]
    pipe = subprocess.PIPE
    readers = [subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) for _ in range(n)]
    try:
        assert [reader.stdout.readline() for reader in readers] == ["read\n"] * n
        held = [kilobytes(reader.pid, "codes.bin") for reader in readers]
    finally:
        for reader in readers:
            reader.communicate()
    size = (Path(folder) / "codes.bin").stat().st_size / 1024
    return all(held) and (
        all(one["Rss"] >= size - 64 and one["Private_Dirty"] == 0 for one in held)
        and sum(one["Pss"] for one in held) <= size + 8
    )


@LINUX
def test_worker_processes_share_the_pages_of_one_file_and_write_to_none(tmp_path):
    rows = pa.table({"word": [f"word {k % 40}" for k in range(400_000)]})
    found = pack(read(rows), Codec(infer_schema(read(rows))), tmp_path)
    assert found.cells.nbytes == 400_003
    assert share_pages(tmp_path)
    assert not share_pages(tmp_path, 'np.memmap(folder / CODES, np.uint8, "r")',
                           "np.fromfile(folder / CODES, np.uint8)")  # fmt: skip
    written = 'np.memmap(folder / CODES, np.uint8, "c"); cells[::4096] += 0'
    assert not share_pages(tmp_path, 'np.memmap(folder / CODES, np.uint8, "r")', written)


def test_workers_that_train_are_told_where_the_codes_lie(packed):
    told = json.dumps(Tables(packed, packed, 0).as_json())
    assert len(told) < 600
    assert json.loads(told)["train"] == str(packed.folder.resolve())


def test_codes_of_another_version_are_refused(packed):
    face = packed.folder / "packed.json"
    face.write_text(face.read_text().replace('"version": 2', '"version": 1'))
    with pytest.raises(DataError, match="version 1; this reads"):
        PackedCodes.open(packed.folder)
