"""Random programs that alias, mutate and rebind, traced and held against the interpreter."""

from __future__ import annotations

import os
import random

import pytest

from .oracle import hold

NAMES = "abcd"
N_PROGRAMS = int(os.environ.get("ANYPART_FUZZ", "0")) or 8
LINES = [
    "{x} = {y}",
    "{x} = [{y}, {n}]",
    "{x} = ({y}, {z})",
    "{x} = {{'k': {y}, {n}: {z}}}",
    "{x} = {n}",
    "{x} = {n} * 1000",
    "{x} = list({l})",
    "{x} = {l} + [{n}]",
    "{x} = [i for i in range({n} % 5)]",
    "{x} = {{{n}, 'v'}}",
    "{x}, {y} = {y}, {x}",
    "{x} = str({n}) * 3",
    "{l}.append({n})",
    "{l}.append({n} * 1000)",
    "{l} += [{x} if {x} is not {l} else 0]",
    "{l}.insert(0, {n})",
    "{l}[:1] = [{n}, 'w']",
    "{l}.reverse()",
    "{l}.clear()",
    "{l}.pop() if {l} else None",
    "{l} = [*{l}]",
    "del {l}[-1:]",
    "{d}['k'] = {x} if {x} is not {d} else 1",
    "{d}.update(m={n})",
    "{d}.pop('m', None)",
    "{d} = dict({d})",
    "s |= {{{n}}}",
    "s.discard({n})",
    "t += ({n},)",
    "t = t[:3]",
    "change({l}, {x})",
    "{x} = make({n})",
    "{x} = next(stream)",
    "stream.send({l})",
    "for i in range(2):\n    {l}.append(i)",
    "print({n}, {l} is m)",
    "try:\n    t[0] = {n}\nexcept TypeError:\n    {x} = {n}",
    "if {l}:\n    {l}[0] = {n}\nelse:\n    {x} = []",
]
HEAD = """
def change(items, value):
    items.append(1)
    items = [value]
    return items

def make(n, kept=[]):
    kept.append(n)
    return kept

def run():
    got = None
    while True:
        got = yield [got] if type(got) is int else 7

l, m, d, e, s, t = [], [1], {}, {'k': 2}, {1}, (0,)
a = b = c = 0
stream = run()
next(stream)
"""


def program(seed: int, n: int = 40) -> str:
    """Write a program of random statements."""
    dice = random.Random(seed)
    lines = []
    for _ in range(n):
        line = dice.choice(LINES)
        words = {
            "x": dice.choice("abc"),
            "y": dice.choice("abclm"),
            "z": dice.choice("abcde"),
            "l": dice.choice("lm"),
            "d": dice.choice("de"),
            "n": dice.randrange(100),
        }
        lines.append(line.format(**words))
    return HEAD + "\n".join(lines) + "\n"


@pytest.mark.parametrize("seed", range(N_PROGRAMS))
def test_a_random_program_is_traced_as_the_interpreter_tells_it(seed: int) -> None:
    hold(program(seed))
