"""
A volume as an encoder wants it, by the rules of shared/preprocess: canonical axes, HU clip, body crop, isotropic
resampling, patch budget, centre crop to whole patches, normalisation. Axes are [z towards the head, y towards the
back, x towards the left]; affines go from (z, y, x, 1) to patient mm (x, y, z, 1) in LPS.
"""

from dataclasses import dataclass
from pathlib import Path

import nibabel
import numpy as np

from .card import Crop, Recipe
from .faults import ExportFault


@dataclass(frozen=True)
class Volume:
    voxels: np.ndarray  # [z, y, x], HU or labels
    affine: np.ndarray  # [4, 4]

    @property
    def spacing(self) -> np.ndarray:
        return np.linalg.norm(self.affine[:3, :3], axis=0)  # mm along z, y, x


@dataclass(frozen=True)
class Input:
    """The prepared array and how it lies in its volume; triples along [z, y, x]."""

    voxels: np.ndarray  # float32, normalised
    crop: np.ndarray  # first voxel of the body crop, in voxels of the volume
    step: np.ndarray  # voxels of the volume per voxel of the input
    kept: np.ndarray  # first resampled voxel that became part of the input
    patch: int
    affine: np.ndarray  # of the volume

    @property
    def grid(self) -> tuple[int, int, int]:
        return tuple(n // self.patch for n in self.voxels.shape)

    @property
    def spacing(self) -> np.ndarray:
        return np.linalg.norm(self.affine[:3, :3], axis=0) * self.step  # mm per voxel of the input

    def grid_to_patient(self) -> np.ndarray:
        """Centre of patch (z, y, x, 1) → LPS mm. Edges of both grids coincide (align_corners=False), hence the halves."""
        index = np.diag([*(self.step * self.patch), 1.0])
        index[:3, 3] = self.crop + (self.kept + self.patch / 2) * self.step - 0.5
        return self.affine @ index


def read_nifti(path: Path) -> Volume:
    try:
        image = nibabel.load(path)
        array = np.asanyarray(image.dataobj)
    except FileNotFoundError:
        raise ExportFault(f"{path} does not exist: check --data")
    except Exception as error:  # nibabel raises many types for damaged bytes
        raise ExportFault(f"{path} cannot be read as NIfTI ({type(error).__name__}): copy it again")
    return canonical(array, image.affine)


def canonical(array: np.ndarray, affine_ras: np.ndarray) -> Volume:
    """From NIfTI's [i, j, k] and RAS affine: whole axes swapped and flipped, nothing resampled."""
    image = nibabel.as_closest_canonical(nibabel.Nifti1Image(array, affine_ras))
    array, affine = np.asanyarray(image.dataobj), np.diag([-1.0, -1.0, 1.0, 1.0]) @ image.affine  # RAS mm → LPS mm
    swap = np.zeros((4, 4))  # (z, y, x) index → (i, j, k): y and x run the other way
    swap[2, 0] = swap[3, 3] = 1
    swap[1, 1] = swap[0, 2] = -1
    swap[1, 3], swap[0, 3] = array.shape[1] - 1, array.shape[0] - 1
    return Volume(np.ascontiguousarray(array.transpose(2, 1, 0)[:, ::-1, ::-1]), affine @ swap)


def prepare(volume: Volume, recipe: Recipe) -> Input:
    hu = np.clip(np.nan_to_num(volume.voxels.astype(np.float32), nan=recipe.clip[0]), *recipe.clip)
    start, end = body_window(hu, recipe.crop) if recipe.crop else (np.zeros(3, int), np.array(hu.shape))
    shape = end - start
    isotropic = isotropic_shape(shape, volume.spacing, recipe.spacingFloor)
    budget = budget_shape(isotropic, recipe.patch, recipe.patchBudget)
    if min(budget) < recipe.patch:
        raise ExportFault(f"the volume is {budget} voxels after resampling, shorter than one patch of {recipe.patch}")
    kept = budget % recipe.patch // 2
    for axis in range(3):  # both resamplings and the crop are one matrix per axis
        whole = linear(isotropic[axis], budget[axis]) @ linear(shape[axis], isotropic[axis])
        length = budget[axis] // recipe.patch * recipe.patch
        rows = np.zeros((length, hu.shape[axis]), np.float32)
        rows[:, start[axis] : end[axis]] = whole[kept[axis] : kept[axis] + length]
        hu = np.moveaxis(np.tensordot(rows, hu, (1, axis)), 0, axis)
    voxels = np.ascontiguousarray((hu - np.float32(recipe.mean)) / np.float32(recipe.std))
    return Input(voxels, start.astype(float), shape / budget, kept.astype(float), recipe.patch, volume.affine)


def body_window(hu: np.ndarray, crop: Crop) -> tuple[np.ndarray, np.ndarray]:
    """First and one-past-last voxel of the box of voxels whose kernel³ box is more than half above the threshold."""
    k = crop.kernel
    count = (hu > crop.threshold).astype(np.int32)
    for axis in range(3):
        pad = [(0, 0)] * 3
        pad[axis] = ((k - 1) // 2 + 1, k // 2)
        total = np.cumsum(np.pad(count, pad), axis=axis, dtype=np.int32)
        n = hu.shape[axis]
        count = total.take(range(k, n + k), axis) - total.take(range(n), axis)
    body = np.argwhere(count > k**3 / 2)
    if not len(body):
        if crop.otherwise == "whole":
            return np.zeros(3, int), np.array(hu.shape)
        raise ExportFault(f"nothing as large as half of {k}³ voxels exceeds {crop.threshold} HU: no body to encode")
    return np.maximum(body.min(0) - k // 2, 0), np.minimum(body.max(0) + k // 2 + 1, hu.shape)


def isotropic_shape(shape: np.ndarray, spacing: np.ndarray, floor: float) -> np.ndarray:
    finest = spacing.min()
    if spacing.max() - finest <= 1e-5 * finest:
        return np.array(shape)
    return np.array([round(n * s / max(finest, floor)) for n, s in zip(shape, spacing)])


def budget_shape(shape: np.ndarray, patch: int, budget: int) -> np.ndarray:
    def count(s: np.ndarray) -> int:
        return int(np.prod(s // patch))

    if count(shape) <= budget:
        return shape
    scale = (budget / count(shape)) ** (1 / 3)
    tried = [np.floor(shape * (scale * by)).astype(int) for by in (0.98, 0.99, 1, 1.01, 1.02)]
    if fitting := [s for s in tried if count(s) <= budget]:
        return max(fitting, key=count)  # the first of those with most patches
    by = 0.95
    while count(scaled := np.floor(shape * (scale * by)).astype(int)) > budget:
        by *= 0.95
    return scaled


def linear(source: int, target: int) -> np.ndarray:
    """[target, source] weights of linear resampling with align_corners=False, held at the ends."""
    at = np.clip((np.arange(target) + 0.5) * source / target - 0.5, 0, source - 1)
    return hats(at, source)


def hats(at: np.ndarray, source: int) -> np.ndarray:
    """[len(at), source] weights of linear interpolation at positions `at` of samples 0 … source − 1."""
    return np.maximum(0, 1 - np.abs(at[:, None] - np.arange(source))).astype(np.float32)
