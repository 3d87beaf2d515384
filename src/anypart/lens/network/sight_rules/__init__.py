"""The rules of the intervals: for each operation, what its output's positions see.

An operation without a rule is named in an error; nothing is guessed.
"""

from __future__ import annotations

from typing import Any

import torch

from anypart.lens.network.rules.contractions import FACTORS
from anypart.lens.network.rules.groups import GROUPS
from anypart.lens.network.rules.matrices import MATRICES
from anypart.lens.network.rules.pointwise import SHAPE_ONLY, UNTAGGED
from anypart.lens.network.sight_rules import groups, lookups, moves, patches, pointwise, windows
from anypart.lens.network.sight_rules.pointwise import Rule


def _table() -> dict[str, Rule]:
    by_rule: dict[Rule, str] = {
        pointwise.pointwise: " ".join(
            ["where masked_fill _prelu_kernel native_dropout rrelu_with_noise", *UNTAGGED]
        ),
        pointwise.same: "clone alias detach _to_copy contiguous lift_fresh to channel_shuffle "
        "native_channel_shuffle",
        pointwise.gated: "glu",
        pointwise.triangle: "tril triu",
        moves.copied: "copy fill",
        windows.convolved: "convolution convolved",
        windows.pooled: "max_pool1d_with_indices max_pool2d_with_indices max_pool3d_with_indices "
        "avg_pool1d avg_pool2d avg_pool3d",
        windows.adapted: "_adaptive_avg_pool2d _adaptive_avg_pool3d adaptive_avg_pool1d "
        "adaptive_max_pool2d adaptive_max_pool3d",
        windows.resampled: "upsample_nearest1d upsample_nearest2d upsample_nearest3d "
        "_upsample_nearest_exact1d _upsample_nearest_exact2d upsample_linear1d "
        "upsample_bilinear2d upsample_trilinear3d upsample_bicubic2d",
        moves.sliced: "slice",
        moves.selected: "select",
        moves.split: "split split_with_sizes unsafe_split unsafe_split_with_sizes chunk unbind",
        moves.padded: "constant_pad_nd reflection_pad1d reflection_pad2d reflection_pad3d "
        "replication_pad1d replication_pad2d replication_pad3d",
        moves.ordered: "permute transpose t numpy_T",
        moves.viewed: "view _unsafe_view reshape _reshape_alias unsqueeze squeeze",
        moves.expanded: "expand",
        moves.repeated: "repeat",
        moves.paired: "view_as_complex view_as_real",
        moves.rolled: "flip roll",
        moves.joined_up: "cat stack",
        groups.grouped: " ".join(GROUPS),
        groups.multiplied: " ".join(FACTORS),
        moves.embedded: "embedding",
        lookups.gathered: "gather",
        lookups.chosen: "index_select",
        lookups.indexed: "index",
        lookups.scattered: "scatter scatter_add scatter_reduce",
        lookups.sampled: "grid_sampler_2d grid_sampler_3d",
        groups.whole: " ".join(MATRICES),
        groups.planes: "max_unpool2d max_unpool3d",
        patches.unfolded: "unfold",
        patches.cut_out: "im2col",
        patches.added_up: "col2im",
        moves.shuffled: "pixel_shuffle",
        moves.unshuffled: "pixel_unshuffle",
        pointwise.shape_only: " ".join(SHAPE_ONLY),
    }
    return {name: rule for rule, names in by_rule.items() for name in names.split()}


RULES = _table()


def sight_rule_of(name: str, func: Any) -> Rule | None:
    """Return the rule of an operation, None if there is none."""
    rule = RULES.get(name)
    if rule is None and torch.Tag.pointwise in func.tags:
        return pointwise.pointwise
    return rule
