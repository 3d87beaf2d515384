r"""Complete rows to weigh: drawn from members that know the event, and from members that judge.

The mixture's exact members q draw from :math:`q(x | e)`. A row that another member finds
likely and q hardly ever draws would be missed, and missed without a trace: the draws that are
there then agree. So half of the draws are the other members' own, each along its order with
the seen cells clamped, :math:`g_m(x | e)`, and every draw counts by the density of all ways
together (the balance heuristic):

.. math:: g(x) = \alpha_0\, q(x | e) + \sum_m \alpha_m\, g_m(x | e), \qquad
    r(x) = \frac{\sum_m w_m p_m(x)}{q(e)\, g(x)}\, w_e(x)

with :math:`w_e` the weights of the event's sets and ranges. No weight is far above the rest
where either kind is near: :math:`p_m / g_m` is the probability of the seen cells given what
comes before them, at most 1, and :math:`q / q(\cdot | e)` is q(e).

References:
    Veach and Guibas 1995, Optimally combining sampling techniques for Monte Carlo rendering,
    section 3 (the balance heuristic). Hesterberg 1995, Weighted average importance sampling
    and defensive mixture distributions.

"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from anypart.models.contract import Clamping, Codes, Evidence, Model
from anypart.models.stack import Stack, log_sum

Reals = NDArray[np.float64]
Way = Callable[[Evidence, np.random.Generator], Codes]
OWN_SHARE = 0.5  # of the draws, that come from members that cannot sum


@dataclass(frozen=True)
class Draws:
    """Complete rows drawn for some rows of evidence.

    Args:
        codes: (rows · draws, cols).
        log_event: (rows,) log q(e).
        share: w, the weight of q in the whole.
        ratio: (rows, draws) r; its mean and w make p(e) / q(e).
        weight: (rows, draws) what each row counts among the draws, with q's part in it.
        parts: which draws are of one kind.

    """

    codes: Codes
    log_event: Reals
    share: float
    ratio: Reals
    weight: Reals
    parts: tuple[slice, ...]

    @property
    def total(self) -> Reals:
        """What each draw says of p(e) / q(e), (rows, draws): q's part is known."""
        return self.share + self.ratio

    def effective(self) -> Reals:
        """Count the draws by their weight, (rows,)."""
        total = self.total
        return total.sum(axis=1) ** 2 / np.maximum((total**2).sum(axis=1), 1e-300)


def draw(
    model: Stack, proposal: Stack, evidence: Evidence, n: int, rng: np.random.Generator
) -> Draws:
    """Draw complete rows for each row of evidence, as many for each; see the module.

    Args:
        model: the whole mixture.
        proposal: its exact members.
        evidence: events that are possible for them.
        n: draws of each row, at least 2.
        rng: of the draws.

    """
    others, log_weights, share = model.not_exact()
    counts = _own_draws(others, log_weights, n)
    own = [(k, m) for k, m in zip(counts, others, strict=True) if isinstance(m, Clamping)]
    ways: list[tuple[int, Way]] = [(n - sum(counts), proposal.sample)]
    ways += [(k, m.draw_clamped) for k, m in own]
    codes, kinds = _drawn(ways, evidence, rng)
    every, whole = evidence.rows(np.repeat(np.arange(evidence.n_rows), n)), _whole(codes)
    log_event, log_weight = proposal.log_prob(evidence), _log_weight(every, codes)
    log_q = proposal.log_prob(whole) - np.repeat(log_event, n)
    density, judged = [log_q], list[Reals]()  # densities without the events' weights
    for member in others:
        if isinstance(member, Clamping):
            log_p, log_own = member.score_clamped(codes, every)
            density.append(log_own - log_weight)
        else:
            log_p = member.log_prob(whole)
        judged.append(log_p)
    with np.errstate(divide="ignore"):  # a member without draws of its own
        shares = np.log([[k / n] for k, _ in ways])
    log_g = log_sum(np.stack(density) + shares, 0)
    log_others = log_sum(np.stack(judged) + log_weights[:, None], 0)
    ratio = np.exp(log_others - np.repeat(log_event, n) - log_g).reshape(-1, n)
    of_q = share * np.exp(log_q - log_g).reshape(-1, n)
    return Draws(codes, log_event, share, ratio, of_q + ratio, kinds)


def _drawn(
    ways: list[tuple[int, Way]], evidence: Evidence, rng: np.random.Generator
) -> tuple[Codes, tuple[slice, ...]]:
    """Draw so many rows each way, (rows · draws, cols), and say where each kind lies."""
    parts, kinds, end = list[Codes](), list[slice](), 0
    for k, way in ways:
        if k:
            some = way(evidence.rows(np.repeat(np.arange(evidence.n_rows), k)), rng)
            parts.append(some.reshape(evidence.n_rows, k, some.shape[1]))
            kinds.append(slice(end, end := end + k))
    codes = np.concatenate(parts, axis=1)
    return codes.reshape(-1, codes.shape[2]), tuple(kinds)


def _whole(codes: Codes) -> Evidence:
    return Evidence(codes, np.ones(codes.shape, np.bool_))


def _own_draws(others: list[Model], log_weights: Reals, n: int) -> list[int]:
    """Say how many of n draws are each other member's own, by their weights.

    One with little weight has two if there are many draws, so that their spread is known.
    """
    able = np.array([isinstance(m, Clamping) for m in others])
    weights = np.where(able, np.exp(log_weights - log_weights.max()), 0.0)
    found = np.floor(OWN_SHARE * n * weights / max(weights.sum(), 1e-300)).astype(int)
    found[able & (found < 2)] = 2 if 8 * able.sum() <= n else 0
    return found.tolist()


def _log_weight(evidence: Evidence, codes: Codes) -> Reals:
    """Log-weight of complete rows in their events, (rows,), nats."""
    total = np.zeros(len(codes))
    for col, weight in evidence.weights.items():
        total += weight[np.arange(len(codes)) if len(weight) > 1 else 0, codes[:, col]]
    return total
