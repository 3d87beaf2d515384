"""BLEU of texts whose words are chances: exact expected counts in BLEU's formula."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from anypart.base.errors import QuestionError
from anypart.calculus.smoothing.contract import check
from anypart.calculus.smoothing.metrics.moving import Totals
from anypart.calculus.smoothing.metrics.ngrams import (
    Grams,
    expected_clipped_counts,
    expected_counts,
    going,
)
from anypart.calculus.smoothing.metrics.predicted import Predicted, metric


@metric(larger_is_better=True)
def bleu(
    predicted: Predicted,
    references: Sequence[Sequence[int]],
    temperature: float = 1.0,
    end: int | None = None,
    n: int = 4,
    floor: float = 0.0,
    exact: bool = True,
    totals: Totals | None = None,
) -> Tensor:
    r"""Corpus BLEU of texts whose words are independent given the scores, in [0, 1].

    .. math:: \min(1, e^{1 - R/C}) \prod_{m=1}^{n}
        \Big(\frac{\sum_g E \min(c_g, r_g)}{\sum E c}\Big)^{1/n}

    Counts are exact expectations, also the clipped ones, and so are lengths; the formula is
    that of the corpus, so with many texts it is near the expected BLEU. At temperature 0
    words are the likeliest and it is BLEU itself (sacrebleu's, without tokenisation). A
    ratio of sums over texts: biased on mini-batches of few texts without `totals`.

    The "lower bound" of Zhukov & Kretov (2017), Σ_i p_i min(1, r / (1 + Σ_{j≠i} p_j)) for
    E min(c, r), is none, for min(1, r/(1+x)) is not convex in x: three words of chance ½
    each and r = 2 give 1.5, and what it is to bound is 1.375. What `exact=False` takes,
    min(E c, r), is an upper bound of it, by Jensen.

    Args:
        predicted: scores of words, (texts, length, vocabulary).
        references: the words of one reference a text, without `end`.
        temperature: of the words' softmax.
        end: the word that ends a text; without one a text has its whole length.
        n: of the longest n-grams.
        floor: what stands for a sum of clipped counts below it (sacrebleu's "floor"
            smoothing); without it BLEU is 0 if no n-gram of a length can match.
        exact: False takes min(E c, r) for E min(c, r): cheaper, too large.
        totals: moving means of the sums over texts, for mini-batches.

    References:
        Papineni, Roukos, Ward & Zhu, "BLEU: a method for automatic evaluation of machine
        translation" (2002).

    """
    words = _chances(predicted, temperature)
    texts = [list(r) for r in references]
    if len(texts) != len(words) or not all(texts):
        raise QuestionError(
            f"BLEU takes a reference of at least one word for each of {len(words)} texts."
        )
    _known(texts, words.shape[2], end)
    sums = _sums(words, texts, end, n, exact=exact) / len(texts)
    made, wanted, *counts = (sums if totals is None else totals.update(sums)).unbind()
    total = torch.minimum(1 - wanted / made, made.new_zeros(()))
    for found, possible in zip(counts[::2], counts[1::2], strict=True):
        if not bool(possible > 0) or (floor == 0 and not bool(found > 0)):
            return made * 0
        total = total + (found.clamp(min=floor / len(texts)).log() - possible.log()) / n
    return total.exp()


def _sums(words: Tensor, texts: list[list[int]], end: int | None, n: int, *, exact: bool) -> Tensor:
    """Expected length, length of references, then matched and possible n-grams of each n."""
    lasting = going(words, end)
    sums = [lasting.sum(), words.new_tensor(sum(map(len, texts)))]
    for m in range(1, n + 1):
        grams = Grams.of(texts, m)
        if exact:
            found = expected_clipped_counts(words, grams, end)
        else:
            plain = expected_counts(words, grams, end)
            found = torch.minimum(plain, grams.most.to(plain))
        sums += [found.sum(), lasting[:, m - 1 :].sum()]
    return torch.stack(sums)


def _known(texts: list[list[int]], vocabulary: int, end: int | None) -> None:
    strange = {w for text in texts for w in text if not 0 <= w < vocabulary or w == end}
    if strange:
        raise QuestionError(
            f"A reference holds the word {min(strange)}; words are numbers from 0 to "
            f"{vocabulary - 1}{'' if end is None else f', and {end} ends a text: leave it out'}."
        )


def _chances(predicted: Predicted, temperature: float) -> Tensor:
    scores = predicted.scores
    check(scores, temperature)
    if scores.ndim != 3:
        raise QuestionError(
            f"BLEU takes scores (texts, length, vocabulary), not {tuple(scores.shape)}."
        )
    return predicted.classes(temperature)
