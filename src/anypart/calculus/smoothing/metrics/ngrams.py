"""Expected numbers of n-grams in texts whose words are drawn independently.

How often an n-gram occurs is a sum of dependent events, for its occurrences overlap; what
counts in BLEU is that number cut off at the reference's own, and a cut-off sum has no
formula in the events' chances. It has one in the states of the automaton that reads for the
n-gram (Knuth, Morris & Pratt 1977): how much of it the last words match, and how often it
has been found. One pass over the words gives the exact expectation, with its derivative.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from anypart.base.errors import QuestionError

Table = NDArray[np.float32]


@dataclass(frozen=True)
class Grams:
    """N-grams of one length, each looked for in one text.

    Args:
        words: (grams, n) word numbers.
        text: (grams,) position of the text in the batch.
        most: (grams,) what its number of occurrences is cut off at, at least 1.

    """

    words: Tensor
    text: Tensor
    most: Tensor

    def __post_init__(self) -> None:
        if len(self.most) and int(self.most.min()) < 1:
            raise QuestionError("A cut-off is at least 1: an n-gram of a reference occurs there.")

    @staticmethod
    def of(references: list[list[int]], n: int) -> Grams:
        """Count the n-grams of one reference a text."""
        counts = dict[tuple[int, tuple[int, ...]], int]()
        for at, words in enumerate(references):
            for i in range(len(words) - n + 1):
                key = (at, tuple(words[i : i + n]))
                counts[key] = counts.get(key, 0) + 1
        grams = torch.tensor([gram for _, gram in counts], dtype=torch.int64).reshape(-1, n)
        text = torch.tensor([at for at, _ in counts], dtype=torch.int64)
        return Grams(grams, text, torch.tensor(list(counts.values()), dtype=torch.int64))


def going(words: Tensor, end: int | None) -> Tensor:
    """Chance that a text goes on through each place, (batch, length)."""
    if end is None:
        return words.new_ones(words.shape[:2])
    return (1 - words[..., end]).cumprod(1)


def expected_counts(words: Tensor, grams: Grams, end: int | None = None) -> Tensor:
    """Expected number of occurrences of each n-gram, (grams,).

    Args:
        words: (batch, length, vocabulary) chances; they sum to 1 over the vocabulary.
        grams: what is looked for; none holds `end`.
        end: the word that ends a text, if there is one; nothing after it counts.

    Cost:
        O(length · grams · n).

    """
    length, n = words.shape[1], grams.words.shape[1]
    if n > length:
        return words.new_zeros(len(grams.words))
    started = torch.nn.functional.pad(going(words, end)[:, :-1], (1, 0), value=1.0)
    chance = started[grams.text, : length - n + 1]
    for k in range(n):
        here = words[grams.text, :, grams.words[:, k]]  # (grams, length)
        chance = chance * here[:, k : length - n + 1 + k]
    return chance.sum(1)


def expected_clipped_counts(words: Tensor, grams: Grams, end: int | None = None) -> Tensor:
    """Exact expectation of min(occurrences, most) of each n-gram, (grams,).

    Never above min(expected occurrences, most), which is what a formula in expectations
    gives: the minimum is concave.

    Args:
        words: (batch, length, vocabulary) chances; they sum to 1 over the vocabulary.
        grams: what is looked for, and the cut-offs; none holds `end`.
        end: the word that ends a text, if there is one; nothing after it counts.

    Cost:
        O(length · grams · (n³ + n² · max(most))).

    Example:
        >>> words = torch.full((1, 2, 2), 0.5)  # two words, each 0 or 1
        >>> expected_clipped_counts(words, Grams.of([[0]], 1))  # 0 occurs at least once
        tensor([0.7500])

    """
    size, n = grams.words.shape
    if not size:
        return words.new_zeros(0)
    moves, finds, own = (part.to(words) for part in _automata(grams.words))
    levels = int(grams.most.max())
    counted = (torch.arange(levels) < grams.most[:, None]).to(words)
    state = torch.zeros(size, levels, n, dtype=words.dtype)  # found so often, matched so much
    state[:, 0, 0] = 1.0
    total = words.new_zeros(size)
    for place in range(words.shape[1]):
        row = words[grams.text, place]  # (grams, vocabulary)
        chance = row.gather(1, grams.words) * own  # of the n-gram's different words
        rest = 1 - chance.sum(1)  # of all others, after which nothing is matched
        if end is not None:
            rest = rest - row[:, end]
        move = torch.einsum("gl,glkm->gkm", chance, moves)
        move = move + torch.nn.functional.pad(rest[:, None, None].expand(-1, n, 1), (0, n - 1))
        found = state @ torch.einsum("gl,glkm->gkm", chance, finds)
        total = total + (found.sum(2) * counted).sum(1)
        state = state @ move + torch.nn.functional.pad(found[:, :-1], (0, 0, 1, 0))
    return total


def _automata(grams: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Make each n-gram's automaton, which only depends on which of its letters are equal.

    Returns:
        Moves and finds, (grams, letter, matched, matched then), of 0 and 1: where the
        letter leads, without and with completing the n-gram; and (grams, n) of 1 where a
        letter is not a repetition of an earlier one.

    """
    first = (grams[:, :, None] == grams[:, None, :]).int().argmax(2)  # of equal letters
    shapes, which = torch.unique(first, dim=0, return_inverse=True)
    made = [_automaton(tuple(shape)) for shape in shapes.tolist()]
    moves, finds, own = (
        torch.from_numpy(np.stack(part))[which] for part in zip(*made, strict=True)
    )
    return moves, finds, own


@cache
def _automaton(gram: tuple[int, ...]) -> tuple[Table, Table, Table]:
    n = len(gram)
    moves, finds = np.zeros((2, n, n, n), np.float32)
    own = np.zeros(n, np.float32)
    for at, letter in enumerate(gram):
        if letter in gram[:at]:
            continue
        own[at] = 1.0
        for k in range(n):
            seen = (*gram[:k], letter)
            complete = seen == gram
            then = next(m for m in range(min(k + 1, n - 1), -1, -1) if _ends(seen, gram[:m]))
            (finds if complete else moves)[at, k, then] = 1.0
    return moves, finds, own


def _ends(seen: tuple[int, ...], with_these: tuple[int, ...]) -> bool:
    return not with_these or seen[-len(with_these) :] == with_these
