"""BLEU and expected n-gram counts beside every text there is, and sacrebleu."""

from __future__ import annotations

import importlib
import itertools
import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sacrebleu.metrics import BLEU
from tests.data.planted import planted

from anypart.base.errors import QuestionError
from anypart.calculus.smoothing import metrics
from anypart.calculus.smoothing.metrics import bleu, logits, ngrams, probabilities

HOME = "anypart.calculus.smoothing.metrics"


def occurrences(text, gram):
    return sum(
        tuple(text[i : i + len(gram)]) == tuple(gram) for i in range(len(text) - len(gram) + 1)
    )


def over_every_text(p, gram, most, end):
    """E c and E min(c, most) by enumeration of every text."""
    plain = clipped = 0.0
    for text in itertools.product(range(p.shape[1]), repeat=len(p)):
        chance = math.prod(p[i, w] for i, w in enumerate(text))
        kept = text[: text.index(end)] if end is not None and end in text else text
        c = occurrences(kept, gram)
        plain, clipped = plain + chance * c, clipped + chance * min(c, most)
    return plain, clipped


def counts_are_those_over_every_text(module, seed, end):
    rng = np.random.default_rng(seed)
    p = rng.dirichlet(np.ones(3), 5)
    n = int(rng.integers(1, 5))
    gram = [int(w) for w in rng.integers(0, 2, n)]
    most = int(rng.integers(1, 4))
    asked = module.Grams(torch.tensor([gram]), torch.tensor([0]), torch.tensor([most]))
    words = torch.from_numpy(p)[None]
    want = over_every_text(p, gram, most, end)
    assert float(module.expected_counts(words, asked, end)[0]) == pytest.approx(want[0], abs=1e-12)
    found = float(module.expected_clipped_counts(words, asked, end)[0])
    assert found == pytest.approx(want[1], abs=1e-12)
    assert found <= min(want[0], most) + 1e-12


@pytest.mark.parametrize("end", [None, 2])
def test_expected_counts_are_sums_over_every_text(end):
    for seed in range(25):
        counts_are_those_over_every_text(ngrams, seed, end)


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("(finds if complete else moves)", "(finds if complete or k == n else finds)"),
        ("(torch.arange(levels) < grams.most", "(torch.arange(levels) + 1 < grams.most"),
        ("if letter in gram[:at]:", "if letter in gram[:0]:"),
        ("range(min(k + 1, n - 1), -1, -1)", "range(0, -1, -1)"),
        ("rest = rest - row[:, end]", "rest = rest - 0 * row[:, end]"),
    ],
)
def test_the_law_notices_a_bug_in_the_automaton(right, wrong):
    broken = planted(ngrams, right, wrong)
    with pytest.raises(AssertionError, match="assert"):  # noqa: PT012 - any of the cases
        for seed in range(25):
            counts_are_those_over_every_text(broken, seed, 2)


def test_many_grams_of_many_texts_are_each_its_own():
    rng = np.random.default_rng(1)
    words = torch.from_numpy(rng.dirichlet(np.ones(3), (2, 4)))
    grams = ngrams.Grams.of([[0, 1, 0, 1], [1, 1, 2]], 2)
    found = (grams.text.tolist(), map(tuple, grams.words.tolist()), grams.most.tolist())
    assert list(zip(*found, strict=True)) == [
        (0, (0, 1), 2),
        (0, (1, 0), 1),
        (1, (1, 1), 1),
        (1, (1, 2), 1),
    ]
    found = ngrams.expected_clipped_counts(words, grams)
    for i in range(4):
        p = words[grams.text[i]].numpy()
        want = over_every_text(p, grams.words[i].tolist(), int(grams.most[i]), None)[1]
        assert float(found[i]) == pytest.approx(want)


def sacre(made, true, **options):
    judge = BLEU(tokenize="none", force=True, **options)
    say = lambda words: " ".join(f"w{w}" for w in words)  # noqa: E731
    return judge.corpus_score([say(m) for m in made], [[say(t) for t in true]]).score / 100


TEXTS = st.lists(
    st.tuples(
        st.lists(st.integers(0, 3), min_size=1, max_size=9),
        st.lists(st.integers(0, 3), min_size=1, max_size=9),
    ),
    min_size=1,
    max_size=4,
)


def scores_of(made, end, vocabulary=5, sure=30.0):
    length = max(map(len, made)) + 1
    z = torch.zeros(len(made), length, vocabulary, dtype=torch.float64)
    for i, text in enumerate(made):
        for j, w in enumerate([*text, *[end] * (length - len(text))]):
            z[i, j, w] = sure
    return z


def bleu_is_sacrebleus(f, made, true):
    z = scores_of(made, 4)
    shared = any(set(m) & set(r) for m, r in zip(made, true, strict=True))
    for t in (0.0, 0.5):
        found = float(f(logits(z), true, t, end=4))
        assert found == pytest.approx(sacre(made, true, smooth_method="none"), abs=1e-6)
        if not shared:
            continue  # sacrebleu gives 0 then, whatever the floor
        floored = float(f(logits(z), true, t, end=4, floor=0.1, n=2))
        want = sacre(made, true, smooth_method="floor", smooth_value=0.1, max_ngram_order=2)
        assert floored == pytest.approx(want, abs=1e-6)


@settings(max_examples=25, deadline=None)
@given(TEXTS)
def test_a_sure_bleu_is_that_of_sacrebleu(texts):
    made, true = (list(part) for part in zip(*texts, strict=True))
    if max(map(len, made)) < 2:  # no pair of words anywhere: a convention of each library
        return
    bleu_is_sacrebleus(bleu, made, true)


def test_the_law_of_bleu_notices_a_missing_brevity_penalty():
    module = importlib.import_module(f"{HOME}.bleu")
    broken = planted(module, "torch.minimum(1 - wanted / made,", "torch.minimum(0 * made,")
    with pytest.raises(AssertionError, match="assert"):
        bleu_is_sacrebleus(broken.bleu, [[0, 1, 2]], [[0, 1, 2, 3, 0]])


def test_its_derivative_is_the_limit_of_differences():
    z = torch.randn(2, 4, 4, dtype=torch.float64, generator=torch.Generator().manual_seed(2))
    true = [[0, 1, 1], [2, 0, 2, 0]]
    for exact in (True, False):
        f = lambda v, exact=exact: bleu(logits(v), true, 1.0, end=3, n=3, exact=exact)  # noqa: E731
        assert torch.autograd.gradcheck(f, z.requires_grad_(), atol=1e-6)


def test_a_count_of_expectations_is_an_upper_bound_of_the_clipped_count():
    z = torch.randn(3, 6, 4, dtype=torch.float64, generator=torch.Generator().manual_seed(3))
    true = [[0, 1, 1], [2, 0, 2, 0], [1, 2]]
    exact, loose = (float(bleu(logits(z), true, end=3, n=2, exact=e)) for e in (True, False))
    assert exact < loose


def published(p, r):
    return sum(q * min(1.0, r / (1 + sum(p) - q)) for q in p)


def test_the_published_lower_bound_is_none():
    words = lambda p: torch.tensor([[[q, 1 - q] for q in p]], dtype=torch.float64)  # noqa: E731
    half = ngrams.Grams(torch.tensor([[0]]), torch.tensor([0]), torch.tensor([2]))
    exact = float(ngrams.expected_clipped_counts(words([0.5] * 3), half)[0])
    assert (published([0.5] * 3, 2), exact) == (1.5, 1.375)
    above = 0
    rng = np.random.default_rng(0)
    for _ in range(300):
        p = rng.random(int(rng.integers(2, 7)))
        r = int(rng.integers(1, len(p)))
        asked = ngrams.Grams(torch.tensor([[0]]), torch.tensor([0]), torch.tensor([r]))
        exact = float(ngrams.expected_clipped_counts(words(p.tolist()), asked)[0])
        assert exact == pytest.approx(over_every_text(np.stack([p, 1 - p], 1), [0], r, None)[1])
        above += published(p.tolist(), r) > exact + 1e-9
    assert 30 < above < 250


def slope_of_many_texts(module):
    """How far the mean slope of single texts is from that of all texts, of its size."""
    rng = np.random.default_rng(4)
    true = [rng.integers(0, 4, rng.integers(3, 6)).tolist() for _ in range(160)]
    z = scores_of(true, 4, sure=0.8)

    def slope(rows, **more):
        bend = torch.zeros(5, dtype=torch.float64, requires_grad=True)
        value = module.bleu(logits(z[rows] + bend), [true[i] for i in rows], end=4, n=2, **more)
        return torch.autograd.grad(value, bend)[0]

    whole, kept = slope(range(160)), module.Totals(0.05)
    found = torch.stack([slope([i], totals=kept) for i in range(160)])
    plain = torch.stack([slope([i]) for i in range(160)])
    return [float((part[20:].mean(0) - whole).norm() / whole.norm()) for part in (found, plain)]


def test_moving_totals_give_batches_the_slope_of_all_texts():
    found, plain = slope_of_many_texts(importlib.import_module(f"{HOME}.bleu"))
    assert found < plain / 2


def test_the_law_of_texts_notices_a_total_that_does_not_move():
    broken = planted(
        importlib.import_module(f"{HOME}.bleu"),
        "(sums if totals is None else totals.update(sums))",
        "(sums if totals is None else sums)",
    )
    found, plain = slope_of_many_texts(broken)
    assert found == plain > 0.03


def test_texts_that_cannot_be_judged_are_refused():
    z = torch.zeros(2, 3, 4)
    with pytest.raises(QuestionError, match="a reference of at least one word for each of 2"):
        bleu(logits(z), [[1]])
    with pytest.raises(QuestionError, match="at least one word"):
        bleu(logits(z), [[1], []])
    with pytest.raises(QuestionError, match="holds the word 4; words are numbers from 0 to 3"):
        bleu(logits(z), [[1], [4]])
    with pytest.raises(QuestionError, match="3 ends a text"):
        bleu(logits(z), [[1], [3]], end=3)
    with pytest.raises(QuestionError, match="scores \\(texts"):
        bleu(logits(z[0]), [[1]])
    with pytest.raises(QuestionError, match="at least 1"):
        ngrams.Grams(torch.tensor([[0]]), torch.tensor([0]), torch.tensor([0]))
    assert float(bleu(probabilities(torch.softmax(z, -1)), [[1, 1, 1], [2, 2, 2]], n=4)) == 0
    assert (
        float(metrics.bleu.loss(logits(scores_of([[0, 1, 2, 3]], 4)), [[0, 1, 2, 3]], end=4)) < 1e-6
    )
