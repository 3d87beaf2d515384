"""`Stream`: what is to be done with the items of a source; `Cursor`: where it stands."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import count
from typing import Any

from anypart.base.errors import DataError
from anypart.data.streams.asked import function_of_item, positive, sendable, whole
from anypart.data.streams.marks import Mark, fits, listed
from anypart.data.streams.opening import Opened, from_sequence
from anypart.data.streams.stages import (
    Batch,
    Filter,
    Map,
    Pairs,
    Prefetch,
    Shuffle,
    Stage,
)

VERSION = 1
_NO_PLACE = "This is no saved place of a stream. Give what Cursor.state() returned."


@dataclass(frozen=True)
class Stream:
    """A source and the stages behind it; nothing is read before it is iterated.

    The same stream gives the same items each time. Where it stands is a few numbers:
    what a shuffle holds is read again from the source, and neither workers nor prefetched
    items are part of it, so they may differ when it goes on.

    Args:
        source: opens the items after the first n: n → iterator.
        stages: in order.

    Example:
        >>> stream = Stream.of(range(8)).shuffle(4, seed=1).batch(2)
        >>> cursor = stream.start()
        >>> first = next(cursor)
        >>> saved, rest = cursor.state(), list(cursor)
        >>> list(stream.resume(saved)) == rest
        True
        >>> Stream.of(iter([1, 2]))
        Traceback (most recent call last):
            ...
        anypart.base.errors.DataError: A list_iterator can be read once only, so a stream over \
it could not be resumed. Give a list, or a function that opens it.

    """

    source: Callable[[int], Iterator[Any]]
    stages: tuple[Stage, ...] = ()

    @staticmethod
    def of(items: Iterable[Any] | Callable[[], Iterable[Any]]) -> Stream:
        """Stream over a sequence, or over what a function opens anew each time.

        Raises:
            DataError: an iterator or a generator, which can be read once only; a set; a data
                frame or table, whose items would be its columns.

        """
        if hasattr(items, "columns"):
            raise DataError(
                f"The items of a {type(items).__name__} are its columns. Use table_rows(...) to "
                "stream over its rows."
            )
        if isinstance(items, Sequence):
            return Stream(partial(from_sequence, items))
        if callable(items):
            return Stream(Opened(items))
        if isinstance(items, set | frozenset):
            raise DataError(
                "A set has another order in each process: a stream over it could not be resumed. "
                "Give a sorted list of it."
            )
        try:
            one_shot = iter(items) is items
        except TypeError:
            raise DataError(
                f"{items!r} has no items. Give a list, or a function that opens what has."
            ) from None
        if one_shot:
            raise DataError(
                f"A {type(items).__name__} can be read once only, so a stream over it could not be "
                "resumed. Give a list, or a function that opens it."
            )
        return Stream(Opened(partial(iter, items)))

    def map(
        self, function: Callable[[Any], Any], *, workers: int = 0, processes: bool = False
    ) -> Stream:
        """Apply a function to each item.

        Args:
            function: of an item; what it returns must depend on the item alone.
            workers: that apply it to several items at a time; the order stays.
            processes: workers are processes, not threads; then the function must be
                importable, and a script needs its `if __name__ == "__main__"`.

        Raises:
            DataError: fewer than no workers, or a function that cannot be sent to processes.

        """
        if whole("workers", workers) < 0:
            raise DataError(f"workers={workers} is fewer than none. Use 0 or more.")
        function = function_of_item(function)
        if workers and processes:
            function = sendable(function)
        return self._with(Map(function, int(workers), processes))

    def filter(self, keep: Callable[[Any], object]) -> Stream:
        """Keep the items for which a function is true."""
        return self._with(Filter(function_of_item(keep)))

    def shuffle(self, size: int, seed: int) -> Stream:
        """Take windows of `size` items and give each in a seeded order, anew every epoch."""
        return self._with(Shuffle(positive("A window", size), whole("seed", seed)))

    def batch(self, size: int, *, drop_last: bool = False) -> Stream:
        """Join `size` neighbouring items to a list; no list spans two epochs."""
        return self._with(Batch(positive("A batch", size), drop_last))

    def prefetch(self, size: int = 2) -> Stream:
        """Make up to `size` items ready in a thread while one is used."""
        return self._with(Prefetch(positive("A queue", size)))

    def _with(self, stage: Stage) -> Stream:
        return replace(self, stages=(*self.stages, stage))

    @property
    def name(self) -> str:
        """Say what the items depend on, beside the source and the functions."""
        return ", ".join(stage.name for stage in self.stages if stage.name)

    def __iter__(self) -> Cursor:
        return self.start()

    def start(self, epochs: int | None = 1) -> Cursor:
        """Begin at the first item.

        Args:
            epochs: passes over the source; None goes on for ever.

        Raises:
            DataError: fewer than no epochs.

        """
        return Cursor(self, 0, None, epochs)

    def resume(self, state: Mapping[str, Any], epochs: int | None = 1) -> Cursor:
        """Go on where a cursor of the same stream stood.

        Args:
            state: of `Cursor.state`.
            epochs: passes over the source, those that were done among them.

        Raises:
            DataError: the state is none, or that of a stream with other stages.

        """
        try:
            version, name = state["version"], state["stream"]
            epoch, mark = state["epoch"], state["mark"]
        except (KeyError, TypeError):
            raise DataError(_NO_PLACE) from None
        if (version, name) != (VERSION, self.name):
            raise DataError(
                f"The place was saved of the stream '{name}' (version {version}); this one is "
                f"'{self.name}' (version {VERSION}). Resume the same stream."
            )
        if type(epoch) is not int or epoch < 0 or not fits(mark, self.stages):
            raise DataError(_NO_PLACE)
        return Cursor(self, epoch, mark, epochs)

    def pairs(self, epoch: int, mark: Mark) -> Pairs:
        """Give the items of an epoch after a mark, each with its own mark."""

        def open_source(at: Mark) -> Pairs:
            return zip(self.source(at or 0), count((at or 0) + 1))

        before = open_source
        for stage in self.stages:
            before = partial(stage.run, before, epoch)
        return before(mark)


class Cursor(Iterator[Any]):
    """A stream being read.

    Args:
        stream: what is read.
        epoch: the pass over the source, from 0.
        mark: where it stands in the epoch; None at its start.
        epochs: passes in all; None for ever.

    Raises:
        DataError: fewer than no epochs.

    """

    def __init__(self, stream: Stream, epoch: int, mark: Mark, epochs: int | None) -> None:
        if epochs is not None and whole("epochs", epochs) < 0:
            raise DataError(f"epochs={epochs} is fewer than none. Use None to go on for ever.")
        self.stream, self.epoch, self._mark, self._epochs = stream, epoch, mark, epochs
        self._pairs: Pairs | None = None

    def __next__(self) -> Any:
        while self._epochs is None or self.epoch < self._epochs:
            fresh = self._pairs is None and self._mark is None
            if self._pairs is None:
                self._pairs = self.stream.pairs(self.epoch, self._mark)
            try:
                item, self._mark = next(self._pairs)
            except StopIteration:
                self.epoch, self._mark, self._pairs = self.epoch + 1, None, None
                if fresh and self._epochs is None:
                    raise  # an empty source would be looked at for ever
                continue
            except BaseException:
                self.close()  # the item that failed comes again
                raise
            return item
        raise StopIteration

    def state(self) -> dict[str, Any]:
        """Return where it stands, as plain JSON, whatever is prefetched."""
        return {
            "version": VERSION,
            "stream": self.stream.name,
            "epoch": self.epoch,
            "mark": listed(self._mark),
        }

    def close(self) -> None:
        """Stop workers and threads; going on opens them again."""
        if self._pairs is not None and hasattr(self._pairs, "close"):
            self._pairs.close()  # pyright: ignore[reportAttributeAccessIssue]
        self._pairs = None
