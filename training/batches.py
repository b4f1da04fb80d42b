"""
Micro-batches by number. Every random draw of a micro-batch comes from (seed, its number), so a resumed run sees what
the uninterrupted one would have seen, and two processes see together what one sees by accumulating.
"""

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from . import augment
from .masking import batch_masks
from .options import Options, ViewSize, view_sizes
from .volumes import Volume


class Batches(Dataset[dict[str, Tensor]]):
    def __init__(self, volumes: list[Volume], options: Options, per_step: int) -> None:
        self.volumes, self.options, self.per_step = volumes, options, per_step
        self.sizes = view_sizes(options.views)
        weights = np.array([v.weight for v in volumes])
        self.cumulated = np.cumsum(weights / weights.sum())

    def size_of_step(self, step: int) -> ViewSize:
        """All micro-batches of a step have crops of one size, so that no process waits for another."""
        shares = np.array([s.share for s in self.sizes])
        return self.sizes[np.random.default_rng([self.options.seed, 1, step]).choice(len(shares), p=shares / shares.sum())]

    def __getitem__(self, number: int) -> dict[str, Tensor]:
        """globals [2B, 1, D, H, W], locals [LB, …], mask [2B, n] and the patches' places; view first, then scan."""
        options, rng = self.options, np.random.default_rng([self.options.seed, 2, number])
        size = self.size_of_step(number // self.per_step)
        scans = []
        for at in np.searchsorted(self.cumulated, rng.random(size.batch)):
            volume = self.volumes[min(int(at), len(self.volumes) - 1)]
            pair = (size.globals, size.locals)
            scans.append(augment.views(volume, pair, options.patch, options.locals, options.augmentation(), rng))
        by_view = [scan[view] for view in range(2 + options.locals) for scan in scans]
        first, rest = by_view[: 2 * size.batch], by_view[2 * size.batch :]
        grid = tuple(s // options.patch for s in size.globals)
        mask = batch_masks(len(first), grid, options.mask_share, options.mask_ratio, rng)
        batch = {
            "globals": torch.stack([v.voxels for v in first]),
            "mask": torch.from_numpy(mask),
            "places": torch.stack([v.places.flatten(0, 2) for v in first]),
        }
        if rest:
            batch["locals"] = torch.stack([v.voxels for v in rest])
            batch["local_places"] = torch.stack([v.places.flatten(0, 2) for v in rest])
        return batch


def loader(batches: Batches, numbers: list[int], workers: int) -> DataLoader[dict[str, Tensor]]:
    return DataLoader(batches, batch_size=None, sampler=numbers, num_workers=workers, prefetch_factor=2 if workers else None)
