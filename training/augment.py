"""
From one volume to views: where the crops lie, and what is done to them.

Two rules of crop size. Published (`scale`): a side is a share of the volume's shortest axis, wherever it may lie.
Ours (`zoom`): a crop has a fixed number of voxels at about the prepared spacing, so one patch always covers the same
millimetres; `near` keeps all views of a scan around one place. Every draw comes from the generator handed in.
"""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from .volumes import CLIP, Volume

MEAN, STD = -573.8, 461.3  # HU, VoxelFM's global z-score
Triple = tuple[int, int, int]


@dataclass(frozen=True)
class Augmentation:
    """The defaults are the published ones."""

    global_scale: tuple[float, float] = (0.32, 1.0)  # side over the volume's shortest axis
    local_scale: tuple[float, float] = (0.05, 0.32)
    zoom: tuple[float, float] | None = None  # prepared voxels per voxel of a crop; instead of the two above
    near: float | None = None  # greatest distance of two views' centres per axis, in sides of a global crop
    permute: bool = True
    flip: tuple[float, float, float] = (0.5, 0.5, 0.5)  # z y x, global crops only
    window: float = 0.5  # probability of an HU window on the first global crop
    jitter: float = 0.0  # of intensities: scale by 1 ± this, shift by ± this, in normalised units; every view


@dataclass
class View:
    voxels: Tensor  # [1, D, H, W], normalised
    places: Tensor  # [z, y, x, 3] where each patch's centre lies in the scan: z, y, x in units of 100 mm
    place: Tensor  # [3] the view's centre


@dataclass(frozen=True)
class Box:
    start: tuple[float, ...]
    side: tuple[float, ...]


def views(volume: Volume, sizes: tuple[Triple, Triple], patch: int, locals: int, how: Augmentation, rng) -> list[View]:
    """Two global views, then `locals` local ones."""
    crops = []
    middle = None
    for i in range(2 + locals):
        size = sizes[0] if i < 2 else sizes[1]
        order = tuple(int(a) for a in rng.permutation(3)) if how.permute else (0, 1, 2)
        on_scan = tuple(size[order.index(axis)] for axis in range(3))  # the crop's sides before the axes are swapped
        side = sides(volume.voxels.shape, on_scan, how, how.global_scale if i < 2 else how.local_scale, rng)
        box = place(volume.voxels.shape, side, middle, rng)
        if middle is None and how.near is not None:
            middle = box, how.near
        flips = [bool(rng.random() < p) for p in how.flip] if i < 2 else [False] * 3
        crops.append(cut(volume, box, size, patch, order, flips))
    if rng.random() < how.window:
        crops[0].voxels = window(crops[0].voxels, rng)
    for view in crops:
        view.voxels = (view.voxels - MEAN) / STD
        if how.jitter:
            scale, shift = rng.uniform(-how.jitter, how.jitter, 2)
            view.voxels = view.voxels * float(1 + scale) + float(shift)
    return crops


def sides(shape, size: Triple, how: Augmentation, scale: tuple[float, float], rng) -> tuple[float, ...]:
    """Sides of a box along the scan's axes, with the aspect ratio of `size` as far as the volume allows."""
    if how.zoom is not None:
        zoom = float(np.exp(rng.uniform(*np.log(how.zoom))))
        return tuple(min(float(n), zoom * s) for n, s in zip(shape, size))
    longest = rng.uniform(*scale) * min(shape)
    return tuple(longest * s / max(size) for s in size)


def place(shape, side, middle: tuple[Box, float] | None, rng) -> Box:
    """A uniform position inside the volume; with `middle`, one whose centre is near that of the box given."""
    start = []
    for axis, (n, s) in enumerate(zip(shape, side)):
        low, high = 0.0, n - s
        if middle is not None:
            box, near = middle
            centre = box.start[axis] + box.side[axis] / 2 - s / 2
            reach = near * box.side[axis]
            low, high = max(low, min(centre - reach, high)), min(high, max(centre + reach, low))
        start.append(float(rng.uniform(low, high)))
    return Box(tuple(start), tuple(side))


def cut(volume: Volume, box: Box, size: Triple, patch: int, order: Triple, flips: list[bool]) -> View:
    """The box, resampled trilinearly to `size`, its axes swapped (new axis i is the scan's axis order[i]) and flipped."""
    # Whole voxels are read, so the box moves by less than half a voxel; where they lie is known exactly.
    count = [max(round(s), 1) for s in box.side]
    start = [min(max(round(a), 0), n - c) for a, c, n in zip(box.start, count, volume.voxels.shape)]
    hu = volume.crop(tuple(start), tuple(count)).permute(order)  # [D, H, W]
    if tuple(hu.shape) != tuple(size):
        hu = F.interpolate(hu[None, None], size=tuple(size), mode="trilinear")[0, 0]
    grid = [s // patch for s in size]
    axes = [
        (start[a] + (torch.arange(grid[i]) + 0.5) / grid[i] * count[a]) * (volume.spacing / 100)
        for i, a in enumerate(order)
    ]
    new = torch.meshgrid(*axes, indexing="ij")  # coordinates along the new axes
    places = torch.stack([new[order.index(axis)] for axis in range(3)], dim=-1)  # along the scan's
    turned = [i for i, flip in enumerate(flips) if flip]
    return View(hu.flip(turned)[None].contiguous(), places.flip(turned), places.mean((0, 1, 2)))


def window(hu: Tensor, rng) -> Tensor:
    """Clips to a random HU window about the crop's own median and interquartile range (from 512 bins, as published)."""
    bins = torch.histc(hu, 512, *CLIP)
    cumulated = (bins.cumsum(0) / bins.sum()).contiguous()
    width = (CLIP[1] - CLIP[0]) / 512

    def quantile(q: float) -> float:
        bin = min(int(torch.searchsorted(cumulated, q)), 511)
        return CLIP[0] + (bin + 0.5) * width

    spread = quantile(0.75) - quantile(0.25)
    if spread < 1:
        spread = max(quantile(0.99) - quantile(0.01), 1.0)
    level = rng.normal(quantile(0.5), 0.2 * spread)
    reach = max(rng.uniform(0.5, 2.0) * spread, 10.0) / 2
    return hu.clamp(level - reach, level + reach)
