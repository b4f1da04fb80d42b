"""Watches the teacher on volumes that training does not see: how many dimensions CLS uses, and what patches know of place."""

import torch
from torch import Tensor

from . import augment
from .dino import Network
from .options import Options, view_sizes
from .volumes import Volume

import numpy as np

CROPS = 8  # per volume


@torch.no_grad()
def watch(teacher: Network, volumes: list[Volume], options: Options) -> dict[str, float]:
    """
    `cls_rank`: effective rank of CLS over fixed crops; `place_mm`: mean error of a ridge from patches to their place in
    the scan, fitted on every other volume and seen on the rest (`place_mm_mean`: of guessing the mean place).
    """
    how = augment.Augmentation(zoom=(1.0, 1.0), permute=False, flip=(0.0, 0.0, 0.0), window=0.0)
    sides = view_sizes(options.views)[0].globals
    device = next(teacher.parameters()).device
    cls, patches, places = [], [], []
    for number, volume in enumerate(volumes):
        rng = np.random.default_rng([7, number])
        crops = [augment.views(volume, (sides, sides), options.patch, 0, how, rng)[0] for _ in range(CROPS)]
        with torch.autocast(device.type, torch.bfloat16, enabled=options.precision == "bf16"):
            tokens = teacher.backbone(torch.stack([c.voxels for c in crops]).to(device))
        cls.append(tokens.cls.float().cpu())
        patches.append(tokens.patches.float().flatten(0, 3).cpu()[::4])
        # of the middle of the body's box, so that scans of different extent are comparable
        middle = torch.tensor(volume.voxels.shape) * volume.spacing / 200
        places.append(torch.cat([c.places.flatten(0, 2) for c in crops])[::4] - middle)
    result = {"cls_rank": effective_rank(torch.cat(cls))}
    if len(volumes) >= 4:
        fit = ridge(torch.cat(patches[::2]), torch.cat(places[::2]))
        seen, true = torch.cat(patches[1::2]), torch.cat(places[1::2])
        result["place_mm"] = 100 * float((fit(seen) - true).norm(dim=1).mean())
        result["place_mm_mean"] = 100 * float((torch.cat(places[::2]).mean(0) - true).norm(dim=1).mean())
    return result


def effective_rank(vectors: Tensor) -> float:
    """exp of the entropy of the normalised singular values of the centred vectors [N, c] (Roy & Vetterli 2007)."""
    values = torch.linalg.svdvals((vectors - vectors.mean(0)).double())
    shares = values / values.sum().clamp_min(1e-30)
    return float(torch.exp(-(shares * shares.clamp_min(1e-30).log()).sum()))


def ridge(x: Tensor, y: Tensor, penalty: float = 1e-2):
    """Linear fit with intercept on standardised features; penalty relative to the number of rows."""
    mean, std = x.mean(0), x.std(0).clamp_min(1e-6)
    z = (x - mean) / std
    weights = torch.linalg.solve(z.T @ z + penalty * len(z) * torch.eye(z.shape[1]), z.T @ (y - y.mean(0)))
    return lambda new: (new - mean) / std @ weights + y.mean(0)
