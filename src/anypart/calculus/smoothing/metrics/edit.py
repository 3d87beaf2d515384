"""Edit distance with soft choices between the three edits."""

from __future__ import annotations

import torch
from torch import Tensor

from anypart.base.errors import QuestionError
from anypart.calculus.smoothing.contract import check
from anypart.calculus.smoothing.extremes import min as smooth_min
from anypart.calculus.smoothing.metrics.predicted import Predicted, metric


@metric(larger_is_better=False)
def edit_distance(predicted: Predicted, target: Tensor, temperature: float = 0.1) -> Tensor:
    r"""Levenshtein distance between soft sequences and true ones, divided by the true length.

    .. math:: D_{ij} = \min_t(D_{i-1,j} + 1, \; D_{i,j-1} + 1, \;
        D_{i-1,j-1} + 1 - p_i(y_j))

    The cost of a substitution is the chance of a wrong token. The soft minimum lies below
    the hard one by at most t·ln 3 a step; at temperature 0 the tokens are the likeliest.

    Args:
        predicted: scores of tokens, (batch, length, tokens).
        target: tokens, (batch, true length); one length for the batch.
        temperature: of the minimum, in edits.

    Returns:
        The mean over the batch of edits a true token.

    Cost:
        O(batch · length · true length), one vector operation an antidiagonal.

    """
    scores = predicted.scores
    check(scores, temperature)
    if scores.ndim != 3 or target.ndim != 2 or len(scores) != len(target) or not target.numel():
        raise QuestionError(
            f"Edit distance takes scores (batch, length, tokens) and tokens (batch, length), not "
            f"{tuple(scores.shape)} and {tuple(target.shape)}."
        )
    p = predicted.classes(1.0 if temperature > 0 else 0.0)
    rows, columns = scores.shape[1], target.shape[1]
    # (batch, rows, columns): chance of a wrong token.
    wrong = 1 - p.gather(-1, target[:, None, :].expand(-1, rows, -1).long())
    before, now = None, scores.new_zeros(len(scores), 1)  # antidiagonals, by row index
    for d in range(1, rows + columns + 1):
        first, last = max(0, d - columns), min(rows, d)
        start = max(0, d - 1 - columns)  # row of now's first entry
        ix = torch.arange(max(first, 1), min(last, d - 1) + 1)  # inner cells
        parts: list[Tensor] = []
        if first == 0:
            parts.append(scores.new_full((len(scores), 1), float(d)))
        if len(ix):
            assert before is not None, "inner cells begin on the second antidiagonal"
            older = max(0, d - 2 - columns)
            up, left = now[:, ix - 1 - start] + 1, now[:, ix - start] + 1
            cross = before[:, ix - 1 - older] + wrong[:, ix - 1, d - ix - 1]
            parts.append(smooth_min(torch.stack([up, left, cross], -1), temperature))
        if last == d:
            parts.append(scores.new_full((len(scores), 1), float(d)))
        before, now = now, torch.cat(parts, 1)
    return now[:, 0].mean() / columns
