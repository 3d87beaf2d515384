"""A process that seeks, rehearses and trains for a parent; `python -m` starts it.

Jobs come as JSON lines on its standard input, events go as JSON lines to its standard
output. When the input ends — the parent closed it, or died, even by kill −9 — the worker
saves where it is and stops.
"""

from __future__ import annotations

import json
import os
import queue
import sys
import threading
import time
import traceback
from pathlib import Path
from typing import Any, TextIO

from anypart.base.errors import AnypartError
from anypart.data.packed import PackedCodes
from anypart.optim.events import Message, event_to_json
from anypart.optim.finish import finish_member
from anypart.optim.loop import Stopped
from anypart.optim.plan_file import Member
from anypart.optim.rehearsal import rehearse
from anypart.optim.rows import split
from anypart.optim.tree_search import seek_tree

SECONDS_TO_LEAVE = 3.0  # after the parent is gone


class _Mailbox:
    """Jobs from the parent, and whether the parent is still there."""

    def __init__(self, source: TextIO) -> None:
        self.jobs: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        self.closed = threading.Event()
        self._source = source
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        for line in self._source:
            self.jobs.put(line)
        self.closed.set()
        self.jobs.put(None)
        # A step or a start that takes longer than this is cut off: the last checkpoint
        # is whole, and resuming from it gives the same bits.
        time.sleep(SECONDS_TO_LEAVE)
        os._exit(1)


def _work(first: dict[str, Any], mailbox: _Mailbox, out: TextIO) -> None:
    valid = PackedCodes.open(Path(first["valid"])) if first["valid"] else None
    rows = split(PackedCodes.open(Path(first["train"])), valid, first["seed"])

    def tell(event: Message) -> None:
        out.write(event_to_json(event) + "\n")
        out.flush()

    while (line := mailbox.jobs.get()) is not None:
        job: dict[str, Any] = json.loads(line)
        if "rehearse" in job:
            name, family, settings, batch, seed = job["rehearse"]
            tell(rehearse(name, family, settings, batch, seed, rows))
        elif "seek" in job:
            name, ordered, stray, seconds, seed = job["seek"]
            tell(seek_tree(name, ordered, stray, seconds, seed, rows.train))
        else:
            member, folder = Member(**job["train"]), Path(job["folder"])
            tell(finish_member(member, rows, folder, tell, mailbox.closed.is_set))


def main() -> None:
    """Do the jobs on standard input until it ends."""
    # What a library prints goes to standard error; the way to the parent stays clean.
    out = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    mailbox = _Mailbox(sys.stdin)
    line = mailbox.jobs.get()
    if line is None:
        return
    try:
        _work(json.loads(line), mailbox, out)
    except (Stopped, BrokenPipeError):
        return
    except AnypartError as error:
        failure = str(error)
    except MemoryError:
        failure = "memory ran out. Fit with fewer minutes, or on a machine with more memory."
    except Exception as error:
        traceback.print_exc()
        failure = f"{type(error).__name__}: {error}"
    else:
        return
    out.write(json.dumps({"failure": failure}) + "\n")
    out.flush()


if __name__ == "__main__":
    main()
