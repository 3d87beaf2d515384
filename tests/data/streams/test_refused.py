"""Places and sources that no stream can go on from, and sizes that are none."""

import itertools
import operator

import pyarrow as pa
import pytest

from anypart.base.errors import DataError
from anypart.data.streams import Stream, table_rows


def test_what_cannot_be_read_again_is_refused():
    with pytest.raises(DataError, match="A generator can be read once only"):
        Stream.of(x for x in range(3))


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
    {"mark": [0, 0, 1, 0]}, {"mark": {}}, {"mark": []},
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
