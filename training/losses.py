"""
Terms of the objective. B scans, V views, K prototypes, M masked patches, c channels; logits are cosines (unscaled).
"""

import torch
import torch.distributed as dist
from torch import Tensor
from torch.nn import functional as F


def world() -> int:
    return dist.get_world_size() if dist.is_initialized() else 1


def summed(tensor: Tensor) -> Tensor:
    """Over all processes."""
    if world() > 1:
        dist.all_reduce(tensor)
    return tensor


def centred(logits: Tensor, centre: Tensor, temperature: float) -> Tensor:
    """Teacher targets [N, K] as published: softmax of what stands out from the running mean."""
    return F.softmax((logits.float() - centre) / temperature, dim=-1)


def sinkhorn(logits: Tensor, temperature: float, rounds: int = 3, queue: Tensor | None = None) -> Tensor:
    """
    Teacher targets [N, K] that use all prototypes equally: rows and columns of exp(logits / T) are scaled in turn until
    rows sum to 1 and columns to N / K. Earlier logits in `queue` [Q, K] take part, but get no targets.
    """
    n = len(logits)
    rows = torch.cat([logits, queue]).float() if queue is not None else logits.float()
    highest = rows.max()
    if world() > 1:
        dist.all_reduce(highest, dist.ReduceOp.MAX)
    q = ((rows - highest) / temperature).exp()
    for _ in range(rounds):
        q = q / summed(q.sum(0)).clamp_min(1e-30)
        q = q / q.sum(1, keepdim=True).clamp_min(1e-30)
    return q[:n]


def cross_entropy(targets: Tensor, logits: Tensor, temperature: float) -> Tensor:
    """−Σ target · log softmax(logits / T), one number per row."""
    return -(targets * F.log_softmax(logits.float() / temperature, dim=-1)).sum(-1)


def dino(targets: Tensor, logits: Tensor, temperature: float) -> Tensor:
    """
    targets: [2, B, K] of the teacher's global views; logits: [V, B, K] of the student's, the first two global.
    Mean over scans and all pairs of different views.
    """
    log = F.log_softmax(logits.float() / temperature, dim=-1)
    pairs = -torch.einsum("tbk,vbk->tv", targets, log) / logits.shape[1]
    same = torch.eye(2, len(logits), device=logits.device, dtype=torch.bool)
    return pairs.masked_fill(same, 0.0).sum() / (pairs.numel() - 2)


def ibot(targets: Tensor, logits: Tensor, crop: Tensor, crops: int, temperature: float) -> Tensor:
    """
    targets, logits: [M, K] of masked patches, `crop` [M] which global crop each is from.
    Mean within each crop, summed and divided by the number of all global crops, masked or not (as published).
    """
    each = cross_entropy(targets, logits, temperature)
    count = torch.bincount(crop, minlength=crops).clamp_min(1)
    return (each / count[crop]).sum() / crops


def koleo(vectors: Tensor) -> Tensor:
    """Spreads vectors [N, c]: −mean log distance of each unit vector to its nearest neighbour."""
    unit = F.normalize(vectors.float(), dim=-1)
    if len(unit) < 2:
        return unit.sum() * 0
    with torch.no_grad():
        nearest = (unit @ unit.T).fill_diagonal_(-2).argmax(1)
    return -F.pairwise_distance(unit, unit[nearest], eps=1e-8).add(1e-8).log().mean()


def entropy(probabilities: Tensor) -> Tensor:
    """Of each row, as a share of log K: 1 is uniform."""
    k = probabilities.shape[-1]
    return -(probabilities * probabilities.clamp_min(1e-12).log()).sum(-1) / torch.log(torch.tensor(float(k)))
