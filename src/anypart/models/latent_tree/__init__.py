"""The engine of every tree: latent nodes in rooted trees, columns hanging on the nodes."""

from anypart.models.latent_tree.model import LatentTree, TreeParts
from anypart.models.latent_tree.shape import Shape

__all__ = ["LatentTree", "Shape", "TreeParts"]
