r"""What is proved of a mixture over a latent vector, which is no chain.

.. math:: p(x) = \int p(z) \prod_c p(x_c | z)\,dz

It sums to 1, and a part is the product over its own cells, because given z each column's
factor depends on that column's cell and on z, on no other cell, and sums to 1 over the
column's categories. The index sets decide the first, on a torch function with the trained
weights that is shown to give the model's own factors; the sums are taken.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from anypart.base.seeds import generator
from anypart.models.continuous_mixture import ContinuousMixture
from anypart.models.contract import Evidence, Layout, Model
from anypart.models.settled import Settled
from anypart.models.stack import Stack
from anypart.models.stated_questions import StatedQuestions
from anypart.models.vae import VAE
from anypart.scores.autoregression import AGREES, ROWS, Proof

if TYPE_CHECKING:
    import torch

    Decoder = Callable[[torch.Tensor], torch.Tensor]  # (points, dims) → (points, flat), nats

LEAST = -30.0  # nats; logarithms below are taken for equal


@dataclass(frozen=True)
class Components:
    """How many latent mixtures a fit has, and of how many the components factorise.

    Args:
        mixtures: members with a latent vector and a decoder.
        proved: those whose components are products over columns, each summing to 1.
        notes: what was not proved, and why.

    """

    mixtures: int
    proved: int
    notes: tuple[str, ...] = ()


def score_components(model: Model) -> Components | None:
    """Prove every latent mixture in a model; None if there is none."""
    found = list(prove_components(model))
    if not found:
        return None
    notes = {p.note for p in found if not p.proved}
    return Components(len(found), sum(p.proved for p in found), tuple(sorted(notes)))


def prove_components(model: Model) -> Iterator[Proof]:
    """Decide for every latent mixture in a model whether its components factorise.

    Args:
        model: any of the catalogue; a stack's members are taken one by one.

    Returns:
        A proof for each; `leaks` are pairs (column of a factor, column of another cell that
        it depends on).

    """
    if isinstance(model, Stack | StatedQuestions):
        for member in model.members:
            yield from prove_components(member)
    elif isinstance(model, Settled):
        yield from prove_components(model.inner)
    elif isinstance(model, ContinuousMixture):
        yield _finite(model)
    elif isinstance(model, VAE):
        yield _autoencoder(model)


def _finite(model: ContinuousMixture) -> Proof:
    import torch

    from anypart.optim.decoder import decode

    arrays = model.state()[1]
    p = {name: torch.from_numpy(np.array(a)) for name, a in arrays.items()}
    some = generator(0, "points").permutation(len(arrays["points"]))[:ROWS]
    with torch.no_grad():
        logs = decode(p, p["points"][some], model.layout).numpy()
    evidence, hot = _some_rows(model.layout)
    joint = hot @ model.log_tables.T + arrays["log_weights"]
    said, summed = model.log_prob(evidence), np.logaddexp.reduce(joint.astype(np.float64), 1)
    if not (_same(logs, model.log_tables[some]) and np.allclose(said, summed, atol=AGREES)):
        return Proof(model.family, False, (), "its answers are not those of its decoder")
    return _judged(model, lambda z: decode(p, z, model.layout), arrays["points"].shape[1])


def _autoencoder(model: VAE) -> Proof:
    import torch

    from anypart.optim.variational import decode

    p = {name: torch.from_numpy(np.array(a)) for name, a in model.state()[1].items()}
    n_latent = model.dims * model.cats
    z = generator(0, "points").standard_normal((ROWS, n_latent)).astype(np.float32)
    with torch.no_grad():
        logs = decode(p, torch.from_numpy(z), model.layout).numpy()
    evidence, hot = _some_rows(model.layout)
    cells = model._cells(logs[:, None], evidence.codes, evidence.seen).sum((1, 2))
    if not (_same(logs, model.decode(z)) and np.allclose(cells, (hot * logs).sum(1), atol=AGREES)):
        return Proof(model.family, False, (), "its answers are not those of its decoder")
    return _judged(model, lambda z: decode(p, z, model.layout), n_latent)


def _some_rows(layout: Layout) -> tuple[Evidence, Any]:
    """Make up rows with gaps: as evidence, and one-hot, (rows, flat)."""
    rng = generator(0, "twin")
    codes = np.stack([rng.integers(0, n, ROWS) for n in layout.n_cats], 1).astype(np.int32)
    seen = rng.random(codes.shape) < 0.9
    hot = np.zeros((ROWS, layout.total))
    for col, place in enumerate(layout.slices):
        hot[:, place] = np.eye(layout.n_cats[col])[codes[:, col]] * seen[:, [col]]
    return Evidence(codes, seen), hot


def _same(one: Any, other: Any) -> bool:
    return np.allclose(np.maximum(one, LEAST), np.maximum(other, LEAST), atol=AGREES)


def _judged(model: ContinuousMixture | VAE, decode: Decoder, n_latent: int) -> Proof:
    import torch

    from anypart.lens.network.asking import dependence

    layout = model.layout

    def factors(cells: torch.Tensor, z: torch.Tensor) -> torch.Tensor:
        logs = cells * decode(z)  # (1, flat)
        return torch.stack([logs[:, place].sum(1) for place in layout.slices], 1)

    example = torch.zeros(1, layout.total), torch.ones(1, n_latent)
    reads = dependence(factors, example).numpy()[:, : layout.total]
    column_of = np.repeat(np.arange(layout.n_cols), layout.n_cats)
    pairs = {(int(c), int(column_of[i])) for c, i in np.argwhere(reads) if c != column_of[i]}
    with torch.no_grad():
        z = torch.from_numpy(generator(0, "points").standard_normal((ROWS, n_latent)))
        logs = decode(z.float()).double()
    sums = [float(logs[:, place].logsumexp(1).abs().max()) for place in layout.slices]
    if max(sums, default=0.0) > AGREES:
        return Proof(model.family, False, (), "the probabilities of a column do not sum to 1")
    return Proof(model.family, not pairs, tuple(sorted(pairs)))
