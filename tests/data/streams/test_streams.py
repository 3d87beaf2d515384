"""Streams against lists, and against themselves when they are stopped and resumed anywhere."""

import itertools
import json
import threading
import time
from functools import partial

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anypart.data.codec import Codec
from anypart.data.files import read
from anypart.data.infer import infer_schema
from anypart.data.packed import pack
from anypart.data.streams import Stream, code_batches, stages, stream, table_rows

from ..planted import planted


def third(value):
    return value % 3 != 1


def doubled(value):
    return [2 * v for v in value] if isinstance(value, list) else 2 * value


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("map")),
        st.tuples(st.just("filter")),
        st.tuples(st.just("shuffle"), st.integers(1, 9), st.integers(0, 3)),
        st.tuples(st.just("prefetch"), st.integers(1, 3)),
    ),
    max_size=4,
)
BATCH = st.none() | st.tuples(st.integers(1, 5), st.booleans())


def built(source, steps, batch, workers=0, prefetch=0, kind=Stream):
    """Make a stream; workers and prefetch are what may differ when it goes on."""
    made = kind.of(source)
    for step in steps:
        if step[0] == "map":
            made = made.map(doubled, workers=workers)
        elif step[0] == "filter":
            made = made.filter(third)
        elif step[0] == "shuffle":
            made = made.shuffle(step[1], step[2])
        else:
            made = made.prefetch(step[1])
    if batch:
        made = made.batch(batch[0], drop_last=batch[1])
    return made.prefetch(prefetch) if prefetch else made


def by_hand(source, steps, batch):
    """What comes out without a shuffle, with lists and loops alone."""
    items = list(source)
    for step in steps:
        if step[0] == "map":
            items = [doubled(v) for v in items]
        elif step[0] == "filter":
            items = [v for v in items if third(v)]
    if not batch:
        return items
    parts = [items[k : k + batch[0]] for k in range(0, len(items), batch[0])]
    return [p for p in parts if len(p) == batch[0] or not batch[1]]


@given(st.integers(0, 25), STEPS, BATCH, st.sampled_from([0, 2]))
def test_stages_do_what_loops_over_lists_do(n, steps, batch, workers):
    plain = [s for s in steps if s[0] != "shuffle"]
    assert list(built(range(n), plain, batch, workers)) == by_hand(range(n), plain, batch)


@given(st.integers(0, 40), st.integers(1, 9), st.integers(0, 5))
def test_a_shuffle_gives_each_window_in_another_order(n, size, seed):
    items = list(Stream.of(range(n)).shuffle(size, seed))
    windows = [items[k : k + size] for k in range(0, n, size)]
    assert [sorted(w) for w in windows] == [
        list(range(k, min(k + size, n))) for k in range(0, n, size)
    ]


def test_a_shuffle_is_another_one_in_each_window_epoch_and_seed():
    items = list(Stream.of(range(60)).shuffle(30, 0).start(epochs=2))
    orders = [tuple(v % 30 for v in items[k : k + 30]) for k in range(0, 120, 30)]
    other = tuple(Stream.of(range(30)).shuffle(30, 1))
    assert len({*orders, other, tuple(range(30))}) == 6


@settings(max_examples=150)
@given(st.data(), st.integers(0, 25), STEPS, BATCH, st.integers(1, 3))
def test_any_interleaving_of_next_state_and_resume_gives_the_same_items(
    data, n, steps, batch, epochs
):
    expected = list(built(range(n), steps, batch).start(epochs))
    here, saved = 0, []
    cursor = built(range(n), steps, batch).start(epochs)
    for _ in range(data.draw(st.integers(0, 12))):
        act = data.draw(st.sampled_from(["next", "next", "save", "resume", "again", "close"]))
        if act == "next":
            found = list(itertools.islice(cursor, 1))
            assert found == expected[here : here + 1]
            here += len(found)
        elif act == "save":
            saved.append((here, json.dumps(cursor.state())))
        elif act == "close":
            cursor.close()
        else:
            at, state = (here, json.dumps(cursor.state()))
            if act == "again" and saved:
                at, state = data.draw(st.sampled_from(saved))
            assert len(state) < 400
            workers, ahead = data.draw(st.sampled_from([(0, 0), (2, 0), (0, 2), (3, 1)]))
            cursor.close()
            cursor = built(range(n), steps, batch, workers, ahead).resume(json.loads(state), epochs)
            here = at
    assert list(cursor) == expected[here:]


def resumes_exactly(module):
    """Whether every place of one stream is the same when it is resumed, twice.

    It goes on with as many workers and with as much made ahead as it did not have before.
    """
    steps = [("filter",), ("shuffle", 4, 1), ("map",), ("shuffle", 3, 0)]
    make = partial(built, range(15), steps, (2, False), kind=module.Stream)
    expected = list(make().start(3))
    for stop in range(len(expected) + 1):
        cursor = make(workers=stop % 3, prefetch=stop % 2).start(3)
        first = [next(cursor) for _ in range(stop)]
        again = make(workers=(stop + 1) % 3, prefetch=stop // 2 % 2).resume(
            json.loads(json.dumps(cursor.state())), 3
        )
        second = [next(again)] if stop < len(expected) else []
        rest = list(make().resume(again.state(), 3))
        cursor.close()
        again.close()
        if first + second + rest != expected:
            return False
    return True


def test_every_place_can_be_resumed_even_the_second_time_and_at_the_end_of_an_epoch():
    assert resumes_exactly(stream)


@pytest.mark.parametrize(
    ("module", "old", "new"),
    [
        (stream, "count((at or 0) + 1)", "count(1)"),
        (stream, "self.epoch + 1, None, None", "self.epoch, None, None"),
        (stages, "count(given + 1)", "count(given)"),
        (stages, "start, number, given = after, number", "number, given = number"),
        (stages, "epoch, number).permutation(len(w", "epoch, given).permutation(len(w"),
        (stages, "number, given = mark or (None, 0, 0)", "given, number = mark or (None, 0, 0)"),
        (stages, "return future.result(), after",
         "return future.result(), (waiting or [(0, after)])[-1][1]"),
        (stages, "waiting.append((pool", "waiting.appendleft((pool"),
        (stages, "            while waiting:\n", "            while len(waiting) > 2:\n"),
        (stages, "args=(partial(before, mark), ready", "args=(partial(before, None), ready"),
    ],
)  # fmt: skip
def test_the_law_of_resuming_notices_a_bug(module, old, new, monkeypatch):
    broken = planted(module, old, new)
    if module is stages:
        for name in ("Shuffle", "Batch", "Map", "Prefetch"):
            monkeypatch.setattr(stream, name, getattr(broken, name))
        assert not resumes_exactly(stream)
    elif "epoch" in old:  # it would never end
        cursor = broken.Stream.of(range(3)).start(2)
        assert [next(cursor) for _ in range(7)] == [0, 1, 2, 0, 1, 2, 0]
        assert list(Stream.of(range(3)).start(2)) == [0, 1, 2, 0, 1, 2]
    else:
        assert not resumes_exactly(broken)


def test_workers_as_processes_give_the_same_items_in_the_same_order():
    plain = Stream.of(range(-20, 20)).map(abs).batch(7)
    spread = Stream.of(range(-20, 20)).map(abs, workers=2, processes=True).batch(7)
    cursor = spread.start()
    first = next(cursor)
    cursor.close()
    assert [first, *plain.resume(cursor.state())] == list(plain)


def test_an_endless_stream_is_read_as_far_as_it_is_asked():
    cursor = Stream.of(range(3)).start(epochs=None)
    assert list(itertools.islice(cursor, 7)) == [0, 1, 2, 0, 1, 2, 0]
    assert cursor.state()["epoch"] == 2
    assert list(Stream.of([]).start(epochs=None)) == []


def test_prefetching_stops_when_nobody_reads_and_reads_no_further_than_asked():
    read_so_far = []
    before = threading.active_count()

    def noted():
        for k in range(1000):
            read_so_far.append(k)
            yield k

    cursor = Stream.of(noted).prefetch(3).start()
    assert next(cursor) == 0
    time.sleep(0.05)
    assert len(read_so_far) <= 6
    cursor.close()
    assert threading.active_count() == before
    assert next(cursor) == 1  # it goes on where it stood


@pytest.mark.parametrize("workers", [0, 2])
def test_an_item_that_fails_comes_again_when_one_goes_on(workers):
    broken = [True]

    def fragile(value):
        if value == 3 and broken[0]:
            raise OSError("the disk is away")
        return value

    cursor = Stream.of(range(6)).map(fragile, workers=workers).prefetch(2).start()
    got = []
    with pytest.raises(OSError, match="the disk is away"):
        got.extend(iter(cursor.__next__, None))
    got = []
    again = Stream.of(range(6)).map(fragile, workers=workers).prefetch(2).resume(cursor.state())
    broken[0] = False
    assert list(again) == [3, 4, 5]


def test_rows_of_a_table_are_resumed_across_its_batches():
    n = 9_000
    rows = table_rows(read(pa.table({"k": list(range(n))})))
    for at in (0, 1, 4_095, 4_096, 8_999, 9_000):
        state = rows.start().state() | {"mark": at}
        assert [row["k"] for row in rows.resume(state)] == list(range(at, n))


def test_batches_of_packed_codes_are_all_rows_once(tmp_path):
    table = pa.table({"k": [f"w{k % 5}" for k in range(96)], "n": [k % 7 for k in range(96)]})
    codec = Codec(infer_schema(read(table)))
    batches = list(code_batches(pack(read(table), codec, tmp_path), 16, seed=1))
    assert [len(codes) for codes, _ in batches] == [16] * 6
    rows = np.concatenate([codes for codes, _ in batches])
    expected = codec.encode(table).codes
    assert sorted(map(tuple, rows.tolist())) == sorted(map(tuple, expected.tolist()))
    assert rows.tolist() != expected.tolist()
