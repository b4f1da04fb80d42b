"""
Terms of our own, not of the published recipe: what every patch owes, not just CLS and the hidden ones. All come from
geometry and voxels, never from labels. B scans, n and m patches of a crop, c channels; places are [.., 3] in 100 mm.
"""

import torch
from torch import Tensor
from torch.nn import functional as F

from .augment import MEAN, STD

SOFT_TISSUE = (-160.0, 240.0)  # HU; most of the body lies in this seventh of the clip range
CELLS = 3  # per edge of a patch


def placing(predicted: list[Tensor], true: list[Tensor]) -> Tensor:
    """
    Tokens say where they lie. Each entry is one kind of token of the same B scans, [B, N, 3]. Only places relative to
    the other tokens of the scan count: the error is what remains of predicted − true after its mean over the scan, so
    that scans need no common frame. Smooth L1, kinds equal.
    """
    errors = [p.float() - t for p, t in zip(predicted, true)]
    mean = torch.stack([e.mean(1) for e in errors]).mean(0)  # [B, 3]
    left = [e - mean[:, None] for e in errors]
    return torch.stack([F.smooth_l1_loss(e, torch.zeros_like(e), beta=0.2) for e in left]).mean()


def matching(queries: Tensor, at: Tensor, keys: Tensor, key_at: Tensor, temperature: float, width: float = 0.4) -> Tensor:
    """
    A patch finds its place in another view of its scan: cross-entropy between softmax(query · key / T) over that view's
    patches and a Gaussian of their distance (width in patches). The other places of the same scan are the negatives;
    other scans are none, since the same place of another patient ought to look the same. Patches outside of the other
    view are left out. queries [B, n, c], at [B, n, 3], keys [B, m, c], key_at [B, m, 3] in grid order
    """
    pitch = (key_at[:, 1] - key_at[:, 0]).norm(dim=-1)[:, None, None].clamp_min(1e-6)
    apart = torch.cdist(at, key_at) / pitch  # [B, n, m]
    seen = (apart.amin(2) < 0.9).float()  # within half a patch along each axis: √3 / 2
    aim = F.softmax(-apart.square() / (2 * width**2), dim=2)
    cosine = F.normalize(queries.float(), dim=-1) @ F.normalize(keys.float(), dim=-1).transpose(1, 2)
    each = -(aim * F.log_softmax(cosine / temperature, dim=2)).sum(2)
    return (each * seen).sum() / seen.sum().clamp_min(1)


def hu_cells(crops: Tensor, patch: int) -> Tensor:
    """
    What a patch looks like, coarsely: the mean of each of its 3³ cells, over the whole HU range and through a
    soft-tissue window, both of deviation about 1. crops [V, 1, D, H, W] normalised → [V, n, 54]
    """
    low, high = ((hu - MEAN) / STD for hu in SOFT_TISSUE)
    soft = (crops.clamp(low, high) - (low + high) / 2) / ((high - low) / 2)
    both = F.adaptive_avg_pool3d(torch.cat([crops, soft], 1), [side // patch * CELLS for side in crops.shape[2:]])
    for axis in (2, 4, 6):
        both = both.unflatten(axis, (-1, CELLS))  # [V, 2, z, 3, y, 3, x, 3] in the end
    return both.permute(0, 2, 4, 6, 1, 3, 5, 7).flatten(4).flatten(1, 3)
