"""Places and sources that no stream can go on from, and sizes that are none."""

import itertools
import operator
import queue
import threading

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from anypart.base.errors import DataError
from anypart.data.streams import Stream, code_batches, stages, table_rows

from ..planted import planted


def test_what_cannot_be_read_again_is_refused():
    with pytest.raises(DataError, match="A generator can be read once only"):
        Stream.of(x for x in range(3))


class NoRows:
    """A source of rows, or of none."""

    n_cats = (2,)

    def __init__(self, n_rows=0):
        self.n_rows = n_rows

    def rows(self, index):
        return np.zeros((len(index), 1), np.int32), np.ones((len(index), 1), np.bool_)


def test_a_place_of_another_stream_is_refused():
    state = Stream.of(range(9)).shuffle(3, seed=1).start().state()
    with pytest.raises(DataError, match="saved of the stream 'shuffle 3 seed 1'"):
        Stream.of(range(9)).shuffle(3, seed=2).resume(state)
    for damaged in ({}, {"version": 1}, 3, None):
        with pytest.raises(DataError, match="no saved place"):
            Stream.of(range(9)).resume(damaged)


DAMAGED = [
    {"epoch": -1}, {"epoch": "1"}, {"epoch": 0.5}, {"epoch": True}, {"mark": 2}, {"mark": True},
    {"mark": [0, 0]}, {"mark": [0, 0, -1]}, {"mark": [[0], 0, 0]}, {"mark": ["0", 0, 0]},
    {"mark": [0, 0, 1, 0]}, {"mark": {}}, {"mark": []}, {"mark": [10**30, 0, 1]},
]  # fmt: skip


@pytest.mark.parametrize("damage", DAMAGED, ids=str)
def test_a_damaged_place_is_refused(damage):
    shuffled = Stream.of(range(9)).map(abs).shuffle(3, seed=1).batch(2)
    state = shuffled.start().state()
    with pytest.raises(DataError, match="no saved place"):
        shuffled.resume(state | damage)


def test_a_place_beyond_what_the_source_gives_now_is_refused():
    cursor = Stream.of(range(9)).shuffle(9, seed=1).start()
    list(itertools.islice(cursor, 5))
    with pytest.raises(DataError, match="item 5 of a window of 4: the source gives fewer"):
        list(Stream.of(range(4)).shuffle(9, seed=1).resume(cursor.state()))


SOURCES = {
    "list": lambda n: Stream.of(list(range(n))),
    "array": lambda n: Stream.of(np.arange(n)),
    "function": lambda n: Stream.of(lambda: range(n)),
    "iterators": lambda n: Stream.of(lambda: iter(range(n))),
    "table": lambda n: table_rows({"k": list(range(n))}).map(operator.itemgetter("k")),
}


@pytest.mark.parametrize("source", SOURCES)
def test_a_source_that_ends_before_the_saved_place_is_refused(source):
    cursor = SOURCES[source](9).start()
    list(itertools.islice(cursor, 5))
    for n in (9, 7, 5):
        assert list(SOURCES[source](n).resume(cursor.state())) == list(range(5, n))
    with pytest.raises(DataError, match="after item 5: the source gives fewer items"):
        list(SOURCES[source](4).resume(cursor.state()))


def missing():
    raise FileNotFoundError("the file is away")


def test_a_source_that_cannot_be_opened_is_told_out_of_a_thread_too():
    for stream in (Stream.of(missing), Stream.of(missing).prefetch()):
        with pytest.raises(FileNotFoundError, match="the file is away"):
            next(stream.start())


def test_the_law_of_prefetching_notices_an_error_that_stays_in_the_thread():
    def told(module):
        ready = queue.Queue(2)
        try:
            module._fill(missing, ready, threading.Event())
        except FileNotFoundError:
            return False
        return ready.get_nowait()[0] == "error"

    assert told(stages)
    assert not told(planted(stages, "pairs: Pairs = iter(())", "pairs = open_pairs()"))


def test_a_function_that_opens_the_same_iterator_again_is_refused():
    for once in (iter([1, 2, 3]), (k for k in [1, 2, 3])):
        cursor = Stream.of(lambda once=once: once).start(epochs=2)
        assert [next(cursor) for _ in range(3)] == [1, 2, 3]
        with pytest.raises(DataError, match=r"the same \w+ again, which can be read once"):
            next(cursor)
    assert list(Stream.of(lambda: [1, 2]).start(epochs=2)) == [1, 2, 1, 2]


@pytest.mark.parametrize("size", [2.5, "2", None])
def test_a_size_that_is_no_whole_number_is_refused(size):
    with pytest.raises(DataError, match="Use a whole number"):
        Stream.of([]).batch(size)


def test_an_arrow_stream_is_spilled_so_that_its_rows_can_be_read_again():
    rows = table_rows(pa.table({"k": [1, 2, 3]}).to_reader())
    assert list(rows) == list(rows) == [{"k": 1}, {"k": 2}, {"k": 3}]


@pytest.mark.parametrize("make", ["shuffle", "batch", "prefetch"])
def test_sizes_below_one_are_refused(make):
    arguments = (0, 1) if make == "shuffle" else (0,)
    with pytest.raises(DataError, match="of 0 items holds nothing"):
        operator.methodcaller(make, *arguments)(Stream.of([]))


@pytest.mark.parametrize(
    ("ask", "message"),
    [
        (lambda: Stream.of({1, 2}), "another order in each process"),
        (lambda: Stream.of(5), "5 has no items"),
        (lambda: Stream.of([1]).map(str, workers=-1), "fewer than none"),
        (lambda: Stream.of([1]).map(str, workers="2"), "workers='2' is no whole number"),
        (lambda: Stream.of([1]).map(3), "3 is no function"),
        (lambda: Stream.of([1]).filter(None), "None is no function"),
        (lambda: Stream.of([1]).shuffle(2, 1.5), "seed=1.5 is no whole number"),
        (lambda: Stream.of([1]).start("3"), "epochs='3' is no whole number"),
        (lambda: Stream.of([1]).start(-1), "Use None to go on for ever"),
        (lambda: Stream.of([1]).batch(10**30), "more than this machine can count"),
        (lambda: list(Stream.of(lambda: None)), "The function gave None, which has no items"),
        (lambda: Stream.of(pa.table({"k": [1]})), r"a Table are its columns. Use table_rows"),
        (lambda: Stream.of(pd.DataFrame({"k": [1]})), "a DataFrame are its columns"),
        (lambda: code_batches(NoRows(), 2, 0), "There are no rows to make batches of"),
        (lambda: code_batches(NoRows(3), 2, None), "seed=None is no whole number"),
        (lambda: Stream.of([1]).map(lambda x: x, workers=1, processes=True), "cannot be sent"),
        (
            lambda: Stream.of([1]).resume({"version": 1, "stream": "", "epoch": 0, "mark": "x"}),
            "no saved place",
        ),
    ],
)
def test_what_cannot_be_resumed_or_sent_is_refused(ask, message):
    with pytest.raises(DataError, match=message):
        ask()
