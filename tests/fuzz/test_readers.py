"""Damaged and random files: a clean `AnypartError` or a table, never anything else."""

import gzip
import io
import os
import sqlite3

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
import pytest

from anypart.base.errors import AnypartError
from anypart.data.codec import Codec
from anypart.data.files import read
from anypart.data.infer import infer_schema

INPUTS = int(os.environ.get("ANYPART_FUZZ", "300"))
SLICE = int(os.environ.get("ANYPART_FUZZ_SLICE", "0"))  # other slices have other inputs
ALPHABET = [b",", b";", b"\t", b"|", b'"', b"\n", b"\r", b"\r\n", b" ", b"NA", b"1", b"-2.5e3"]
ALPHABET += [b"2020-01-31", b"2020-01-31 12:00:00Z", b"inf", b"x", b"\xe9", b"\xc3\xa9", b"\0"]
ALPHABET += [b"{", b"}", b":", b"[", b"null", b"true", b"'", b"\xff\xfe", b"\xef\xbb\xbf", b"0x1F"]
ALPHABET += [b"1e999", b"99999999999999999999", b"-0", b"9999-12-31", b"0000-00-00", b"\x85", b"a"]


def sound_files(folder):
    table = pa.table(
        {
            "a": [1, 2, None, 4] * 5,
            "b": ["x", "y,z", None, 'q"'] * 5,
            "c": [0.5, 1e9, -3.25, None] * 5,
            "d": pa.array([0, 1, 2, None] * 5, pa.timestamp("us")),
        }
    )
    text, parquet, arrow, stream = (io.BytesIO() for _ in range(4))
    pyarrow.csv.write_csv(table, text)
    pq.write_table(table, parquet)
    with pa.ipc.new_file(arrow, table.schema) as sink:
        sink.write_table(table)
    with pa.ipc.new_stream(stream, table.schema) as sink:
        sink.write_table(table)
    base = sqlite3.connect(folder / "sound.sqlite")
    base.execute("CREATE TABLE t (a, b)")
    base.executemany("INSERT INTO t VALUES (?, ?)", [(i, "x" * (i % 3)) for i in range(20)])
    base.commit()
    base.close()
    lines = b'{"a": 1, "b": "x"}\n{"a": null, "b": [1, {"c": 2}]}\n{"b": "\\ud800", "a": NaN}\n' * 4
    return {
        "t.csv": text.getvalue(),
        "t.csv.gz": gzip.compress(text.getvalue()),
        "t.parquet": parquet.getvalue(),
        "t.arrow": arrow.getvalue(),
        "s.arrow": stream.getvalue(),
        "t.jsonl": lines,
        "t.sqlite": (folder / "sound.sqlite").read_bytes(),
    }


def damaged(raw, rng):
    raw = bytearray(raw)
    for _ in range(rng.integers(1, 6)):
        at, what = int(rng.integers(0, len(raw) + 1)), rng.integers(4)
        if what == 0:
            raw[at : at + 1] = bytes([rng.integers(256)])
        elif what == 1:
            raw[at:at] = ALPHABET[rng.integers(len(ALPHABET))]
        elif what == 2:
            del raw[at : at + int(rng.integers(1, 30))]
        elif rng.random() < 0.3:
            del raw[at:]
    return bytes(raw)


def try_file(path):
    """Go the whole way of a file: read, infer, encode, decode."""
    try:
        table = read(path)
        rows = table.to_arrow()
        codec = Codec(infer_schema(table))
        coded = codec.encode(rows)
        codec.decode(coded.codes, coded.seen, np.random.default_rng(0))
    except AnypartError:
        return False
    return True


def test_random_text_is_a_table_or_a_clean_error(tmp_path):
    rng = np.random.default_rng([0, SLICE])
    good = 0
    for i in range(INPUTS):
        pieces = rng.integers(len(ALPHABET), size=rng.integers(0, 60))
        path = tmp_path / ("t.csv" if i % 3 else "t.jsonl")
        path.write_bytes(b"".join(ALPHABET[p] for p in pieces))
        good += try_file(path)
    assert good or INPUTS < 300


@pytest.mark.filterwarnings("ignore")
def test_damaged_files_are_a_table_or_a_clean_error(tmp_path):
    rng = np.random.default_rng([1, SLICE])
    sound = sound_files(tmp_path)
    for name, raw in sound.items():
        path = tmp_path / f"sound-{name}"
        path.write_bytes(raw)
        assert try_file(path)
    names = list(sound)
    for i in range(INPUTS):
        name = names[i % len(names)]
        path = tmp_path / f"{i}-{name}"  # mapped files must not change under their readers
        path.write_bytes(damaged(sound[name], rng))
        try_file(path)
        path.unlink()
