"""
Between a patient's own voxels and the cells of the encoder's grid. A cell is a patch cut into `cells`³ parts; probes
predict the share of each cell that an organ fills, and Dice is always computed on the original voxels.
"""

import numpy as np

from .measure_prepare import Input, hats


def edges(prepared: Input, axis: int, cells: int) -> np.ndarray:
    """Borders of the cells along one axis, counted in voxels of the volume from the first voxel's outer edge. [n + 1]"""
    count = prepared.grid[axis] * cells
    inside = np.arange(count + 1) * prepared.patch / cells
    return prepared.crop[axis] + (prepared.kept[axis] + inside) * prepared.step[axis]


def occupancy(mask: np.ndarray, prepared: Input, cells: int) -> np.ndarray:
    """Share of each cell that the mask fills: [z, y, x] voxels → [cz, cy, cx], 0 … 1."""
    filled = mask.astype(np.float32)
    for axis in range(3):
        border = edges(prepared, axis, cells)
        voxel = np.arange(mask.shape[axis])
        overlap = np.minimum(border[1:, None], voxel + 1) - np.maximum(border[:-1, None], voxel)  # [cells, voxels]
        share = np.maximum(overlap, 0) / (border[1] - border[0])
        filled = np.moveaxis(np.tensordot(share.astype(np.float32), filled, (1, axis)), 0, axis)
    return filled


def upsample(values: np.ndarray, prepared: Input, shape: tuple[int, ...], floor: float) -> tuple[tuple[slice, ...], np.ndarray]:
    """
    Trilinear, from cells [cz, cy, cx] to the voxels of a volume of `shape`: the box of voxels in which a value above
    `floor` is possible, and the values there. Everywhere else, outside the input too, the value counts as 0.
    """
    cells = values.shape[0] // prepared.grid[0]
    near = np.argwhere(values > floor)
    if not len(near):
        return (slice(0, 0),) * 3, np.zeros((0, 0, 0), np.float32)
    box, out = [], values
    for axis in range(3):
        low, high = max(near[:, axis].min() - 1, 0), min(near[:, axis].max() + 2, values.shape[axis])
        border = edges(prepared, axis, cells)
        centre = np.arange(shape[axis]) + 0.5
        inside = np.flatnonzero((centre > border[low]) & (centre < border[high]))
        at = (centre[inside] - border[0]) / (border[1] - border[0]) - 0.5
        weights = hats(np.clip(at, 0, values.shape[axis] - 1), values.shape[axis])[:, low:high]
        out = np.moveaxis(np.tensordot(weights, out.take(range(low, high), axis), (1, axis)), 0, axis)
        box.append(slice(int(inside[0]), int(inside[-1]) + 1) if len(inside) else slice(0, 0))
    return tuple(box), out


def to_patches(values: np.ndarray, cells: int) -> np.ndarray:
    """[..., cz, cy, cx] → [patches, ..., cells³]: the cells of each patch beside each other."""
    *lead, z, y, x = values.shape
    split = values.reshape(*lead, z // cells, cells, y // cells, cells, x // cells, cells)
    n = len(lead)
    order = (n, n + 2, n + 4, *range(n), n + 1, n + 3, n + 5)
    return split.transpose(order).reshape(-1, *lead, cells**3)


def from_patches(values: np.ndarray, grid: tuple[int, int, int], cells: int) -> np.ndarray:
    """The inverse of to_patches for [patches, organs, cells³] → [organs, cz, cy, cx]."""
    organs = values.shape[1]
    split = values.reshape(*grid, organs, cells, cells, cells)
    return split.transpose(3, 0, 4, 1, 5, 2, 6).reshape(organs, *(n * cells for n in grid))
