"""The snippets that everybody meets: lists and tuples, generators, what is mutable."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from importlib import resources

from anypart.base.errors import LensError, suggest


@dataclass(frozen=True)
class Classic:
    """A snippet of the collection.

    Args:
        name: by which it is asked for.
        title: what it shows, in a sentence.
        topic: the heading that it stands under.
        source: Python.

    """

    name: str
    title: str
    topic: str
    source: str


@cache
def classics() -> dict[str, Classic]:
    """Return the collection, name → snippet, in its order."""
    text = (
        resources.files("anypart.lens.python").joinpath("classics.md").read_text(encoding="utf-8")
    )
    found: dict[str, Classic] = {}
    for part in re.split(r"^## ", text, flags=re.M)[1:]:
        topic = part.partition("\n")[0]
        for name, title, source in re.findall(
            r"^### (\S+)\n(.+?)\n\n```python\n(.*?)```$", part, flags=re.M | re.S
        ):
            found[name] = Classic(name, title, topic, source)
    return found


def classic(name: str) -> Classic:
    """Return one snippet of the collection.

    Raises:
        LensError: a name that is not in it.

    Example:
        >>> print(classic("one-list-two-names").source)
        a = [1, 2, 3]
        b = a
        b.append(4)
        print(a, a is b)
        <BLANKLINE>

    """
    known = classics()
    if name not in known:
        raise LensError(
            f"there is no example {name!r} ({len(known)} examples).{suggest(name, known)} "
            "`anypart study python` lists them."
        )
    return known[name]
