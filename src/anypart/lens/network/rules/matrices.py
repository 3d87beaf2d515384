"""Inverses, determinants, factors: every output reads the whole matrix of its place in a batch."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from anypart.lens.network.calls import Call
from anypart.lens.network.rules.pointwise import sum_to
from anypart.lens.network.sets import Made, Node, Rule, Sets, nodes_of


def batch_axes(call: Call) -> list[int]:
    """Return the number of batch axes of every traced argument; the first one's are all."""
    n_axes = max(x.dim() for x in call.given.values() if isinstance(x, Tensor)) - 2
    return [n_axes if x.dim() == n_axes + 1 else x.dim() - 2 for x in call.traced]


def whole(sets: Sets, call: Call) -> Made:
    """Depend on whole matrices."""
    nodes, axes = nodes_of(call.traced), batch_axes(call)
    n_axes = max(x.dim() for x in call.given.values() if isinstance(x, Tensor)) - 2
    some = torch.zeros((), dtype=torch.bool)
    for node, n in zip(nodes, axes, strict=True):
        some = some | node.varies.flatten(n).any(-1)

    def back(mask: Tensor) -> Sequence[Tensor]:
        asked = mask.flatten(1 + n_axes).any(-1) if mask.dim() > 1 + n_axes else mask
        found: list[Tensor] = []
        for node, n in zip(nodes, axes, strict=True):
            read = sum_to(asked, node.shape[:n])
            ones = [1] * (len(node.shape) - n)
            found.append(read.reshape((*read.shape, *ones)).expand(-1, *node.shape))
        return found

    made: list[Node | None] = []
    for value in call.values:
        ones = [1] * (value.dim() - some.dim())
        made.append(Node(some.reshape((*some.shape, *ones)).expand(value.shape), nodes, back))
    return made


_WHOLE = (
    "linalg_inv_ex _linalg_det _linalg_slogdet linalg_cholesky_ex linalg_matrix_exp "
    "_linalg_solve_ex linalg_solve_triangular linalg_qr _linalg_svd _linalg_eigh linalg_eig "
    "linalg_lu_factor_ex linalg_lu linalg_pinv cholesky_inverse cholesky_solve _linalg_eigvals"
)
MATRICES: dict[str, Rule] = dict.fromkeys(_WHOLE.split(), whole)
