"""What the profile of a table loses without the shortest covering window."""

import numpy as np
import pyarrow as pa

from anypart.data import profile as profiling
from anypart.data.files import read
from anypart.data.infer import infer_schema
from anypart.data.profile import profile
from anypart.data.windows import Window


def sorted_but_for_a_few_rows():
    """Rows sorted by their word, as exports are, with all words together in one place."""
    words = np.repeat([f"word {k}" for k in range(8)], 200)
    words[700:708] = [f"word {k}" for k in range(8)]
    return read(pa.table({"word": words, "coin": np.arange(len(words)) % 2 > 0}))


def prefix(items, required):
    """What a loop finds that reads until it has seen all."""
    missing = set(required)
    for stop, item in enumerate(items, 1):
        missing.discard(item)
        if not missing:
            return Window(0, stop)
    return None


def shown(table, window):
    rows = pa.Table.from_batches(table.batches()).slice(window.start, window.stop - window.start)
    return set(rows["word"].to_pylist())


def test_without_windows_the_slice_that_covers_every_category_is_many_times_longer(monkeypatch):
    table = sorted_but_for_a_few_rows()
    schema = infer_schema(table)
    with_windows = profile(table, schema).excerpt
    monkeypatch.setattr(profiling, "shortest_window", prefix)
    without = profile(table, schema).excerpt
    assert shown(table, with_windows) == shown(table, without) == {f"word {k}" for k in range(8)}
    assert with_windows.stop - with_windows.start == 8
    assert without.stop - without.start > 50 * 8
