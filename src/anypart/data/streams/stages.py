"""The stages of a stream: each turns a run of (item, mark) pairs into another.

A mark says where to go on after its item. It is the place in the source, or, behind a
shuffle, the place where the source was when the window began and how much of the window
is given: what a stage holds is never saved, but read again.
"""

from __future__ import annotations

import queue
import threading
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from itertools import count, islice, repeat
from multiprocessing import get_context
from typing import Any, ClassVar, Protocol

import numpy as np
from numpy.typing import NDArray

from anypart.base.errors import DataError
from anypart.base.seeds import generator
from anypart.data.streams.marks import Mark

Pairs = Iterator[tuple[Any, Mark]]
Start = Callable[[Mark], Pairs]  # opens what comes before, right after a mark; None: at the start


class Stage(Protocol):
    """One step of a stream."""

    @property
    def name(self) -> str:
        """What a saved place must agree with; empty if the items do not depend on the stage."""
        ...

    def run(self, before: Start, epoch: int, mark: Mark) -> Pairs:
        """Give the items after a mark."""
        ...


@dataclass(frozen=True)
class Filter:
    """Items for which a function is true."""

    keep: Callable[[Any], object]
    name: str = "filter"

    def run(self, before: Start, epoch: int, mark: Mark) -> Pairs:
        """See `Stage.run`."""
        return (pair for pair in before(mark) if self.keep(pair[0]))


def _taken(pairs: Pairs, size: int) -> tuple[list[Any], Mark]:
    """Take items, and the mark of the last one; no pair is kept, so `zip` makes one in all."""
    items, after = list[Any](), None
    for item, after in islice(pairs, size):  # noqa: B007
        items.append(item)
    return items, after


@dataclass(frozen=True)
class Batch:
    """Lists of `size` neighbouring items; the last one of an epoch may be shorter."""

    size: int
    drop_last: bool

    @property
    def name(self) -> str:
        """See `Stage.name`."""
        return f"batch {self.size}{' whole' if self.drop_last else ''}"

    def run(self, before: Start, epoch: int, mark: Mark) -> Pairs:
        """See `Stage.run`."""
        pairs = before(mark)
        while (part := _taken(pairs, self.size))[0]:
            if len(part[0]) == self.size or not self.drop_last:
                yield part


@dataclass(frozen=True)
class Shuffle:
    """Windows of `size` items, each in a seeded order of its own, another in each epoch."""

    size: int
    seed: int
    n_marks: ClassVar[int] = 2

    @property
    def name(self) -> str:
        """See `Stage.name`."""
        return f"shuffle {self.size} seed {self.seed}"

    def run(self, before: Start, epoch: int, mark: Mark) -> Pairs:
        """See `Stage.run`."""
        start, number, given = mark or (None, 0, 0)
        pairs = before(start)
        while (taken := _taken(pairs, self.size))[0]:
            window, after = taken
            if given >= len(window):
                raise DataError(
                    f"The saved place is item {given} of a window of {len(window)}: the source "
                    "gives fewer items than it did. Start the stream anew."
                )
            order = generator(self.seed, "stream", epoch, number).permutation(len(window))
            items = [window[place] for place in order[given:].tolist()]
            places = zip(repeat(start), repeat(number), count(given + 1))
            yield from zip(items[:-1], places, strict=False)
            start, number, given = after, number + 1, 0
            yield items[-1], (start, number, given)


@dataclass(frozen=True)
class Windows:
    """Windows of the places 0, …, n − 1 in a seeded order, as arrays; it reads no source.

    A window is some blocks of neighbouring places, so what reads them reads long runs of a
    source that is larger than memory. Every epoch begins at another place, so those that are
    left over at its end are others each time.

    Args:
        n: places.
        window: places of a window: all, or a multiple of `block`.
        block: neighbouring places that stay in one window.
        seed: of the order.

    """

    n: int
    window: int
    block: int
    seed: int

    @property
    def name(self) -> str:
        """See `Stage.name`."""
        return f"{self.n} places in {self.window} by {self.block} seed {self.seed}"

    def run(self, before: Start, epoch: int, mark: Mark) -> Pairs:
        """See `Stage.run`; a mark counts the windows."""
        for number in range(mark or 0, self.n // self.window):
            yield self._places(epoch, number), number + 1

    def _places(self, epoch: int, number: int) -> NDArray[np.int64]:
        order = generator(self.seed, "window", epoch * (self.n // self.window) + number)
        if self.window == self.n:
            return order.permutation(self.n)
        blocks = generator(self.seed, "pass", epoch)
        first, each = int(blocks.integers(self.n)), self.window // self.block
        chosen = blocks.permutation(self.n // self.block)[number * each : (number + 1) * each]
        places = chosen[:, None] * self.block + np.arange(self.block)  # (blocks, block)
        return order.permutation((places.ravel() + first) % self.n)


@dataclass(frozen=True)
class Cut:
    """Tuples of arrays of rows, cut into pieces of `size` rows; a shorter rest is left out."""

    size: int
    n_marks: ClassVar[int] = 1

    @property
    def name(self) -> str:
        """See `Stage.name`."""
        return f"cut {self.size}"

    def run(self, before: Start, epoch: int, mark: Mark) -> Pairs:
        """See `Stage.run`."""
        start, given = mark or (None, 0)
        for arrays, after in before(start):
            pieces, stop = len(arrays[0]) // self.size, given * self.size
            for piece in range(given + 1, pieces + 1):
                rows = slice(stop, stop := stop + self.size)
                yield tuple([array[rows] for array in arrays]), (start, piece)
            start, given = after, 0


@dataclass(frozen=True)
class Map:
    """A function of each item; with workers, of several at a time, in the same order."""

    function: Callable[[Any], Any]
    workers: int = 0
    processes: bool = False
    name: str = "map"

    def run(self, before: Start, epoch: int, mark: Mark) -> Pairs:
        """See `Stage.run`."""
        if not self.workers:
            yield from ((self.function(item), after) for item, after in before(mark))
            return
        pool, call = self._pool()
        waiting = deque[tuple[Future[Any], Mark]]()
        try:
            for item, after in before(mark):
                waiting.append((pool.submit(call, item), after))
                if len(waiting) > 2 * self.workers:
                    yield _result(waiting)
            while waiting:
                yield _result(waiting)
        finally:
            pool.shutdown(wait=True, cancel_futures=True)

    def _pool(self) -> tuple[Executor, Callable[[Any], Any]]:
        if not self.processes:
            return ThreadPoolExecutor(self.workers), self.function
        # A forked process would take locks along that no thread of its own will open.
        context = get_context("spawn")
        pool = ProcessPoolExecutor(self.workers, context, _keep, (self.function,))
        return pool, _apply


_kept: list[Callable[[Any], Any]] = []  # in a worker process: the function, sent once


def _keep(function: Callable[[Any], Any]) -> None:
    _kept[:] = [function]


def _apply(item: Any) -> Any:
    return _kept[0](item)


def _result(waiting: deque[tuple[Future[Any], Mark]]) -> tuple[Any, Mark]:
    future, after = waiting.popleft()
    return future.result(), after


@dataclass(frozen=True)
class Prefetch:
    """Up to `size` items are made ready by a thread while the last one is used."""

    size: int
    name: str = ""

    def run(self, before: Start, epoch: int, mark: Mark) -> Pairs:
        """See `Stage.run`."""
        ready: queue.Queue[tuple[str, Any]] = queue.Queue(self.size)
        left = threading.Event()
        maker = threading.Thread(target=_fill, args=(partial(before, mark), ready, left))
        maker.daemon = True
        maker.start()
        try:
            while (found := ready.get())[0] == "item":
                yield found[1]
            if found[0] == "error":
                raise found[1]
        finally:
            left.set()
            maker.join()


def _fill(
    open_pairs: Callable[[], Pairs], ready: queue.Queue[tuple[str, Any]], left: threading.Event
) -> None:
    last: tuple[str, Any] = ("end", None)
    pairs: Pairs = iter(())
    try:
        pairs = open_pairs()
        for pair in pairs:
            if not _put(ready, ("item", pair), left):
                break
    except BaseException as error:  # it is raised again where the items are used
        last = ("error", error)
    finally:
        if hasattr(pairs, "close"):
            pairs.close()  # pyright: ignore[reportAttributeAccessIssue]
    _put(ready, last, left)


def _put(
    ready: queue.Queue[tuple[str, Any]], found: tuple[str, Any], left: threading.Event
) -> bool:
    while not left.is_set():
        try:
            ready.put(found, timeout=0.1)
        except queue.Full:
            continue
        return True
    return False
