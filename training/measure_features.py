"""
What the probes are given, patch by patch on one and the same grid: an encoder's tokens, raw intensities, PCA of raw
patches, position. Encoded volumes are kept as float16 under a cache folder, by the encoder's key.
"""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from .faults import ExportFault
from .measure_encoders import Encoder
from .measure_patients import Patient, read_patient
from .measure_prepare import Input

QUANTILES = [0.05, 0.25, 0.5, 0.75, 0.95]
COMPONENTS = 64
WAVES = 96  # of each width


@dataclass(frozen=True)
class Table:
    """Patch features of all patients under one method, standardised by the train pool."""

    name: str
    key: str
    pool: list[np.ndarray]  # float32 [z, y, x, c] per train patient
    held_out: list[np.ndarray]  # per validation patient


def raw_patches(prepared: Input) -> np.ndarray:
    """[z, y, x, patch³]"""
    (gz, gy, gx), p = prepared.grid, prepared.patch
    split = prepared.voxels.reshape(gz, p, gy, p, gx, p)
    return split.transpose(0, 2, 4, 1, 3, 5).reshape(gz, gy, gx, p**3)


def raw_statistics(prepared: Input) -> np.ndarray:
    """Mean, standard deviation and five quantiles of each patch. [z, y, x, 7]"""
    patches = raw_patches(prepared)
    return np.stack([patches.mean(-1), patches.std(-1), *np.quantile(patches, QUANTILES, axis=-1)], -1).astype(np.float32)


def position(prepared: Input) -> np.ndarray:
    """
    Where a patch lies, as waves that a linear probe can make any smooth shape of: cosines, at two widths, of its place
    in the input's box (−1 … 1) and of its distance in mm from the box's top, middle and middle. [z, y, x, 2 · WAVES]
    """
    axes = []
    for axis, n in enumerate(prepared.grid):
        place = (np.arange(n) + 0.5) / n * 2 - 1
        length = prepared.voxels.shape[axis] * prepared.spacing[axis]
        axes.append(np.stack([place, (place - 1 if axis == 0 else place) / 2 * length / 100], -1))
    coordinates = np.concatenate(
        [np.broadcast_to(a.reshape([-1 if i == j else 1 for j in range(3)] + [2]), (*prepared.grid, 2)) for i, a in enumerate(axes)],
        -1,
    )  # [z, y, x, 6]
    random = np.random.default_rng(0)
    waves = [np.cos(coordinates @ (random.standard_normal((6, WAVES)) * width) + random.uniform(0, 2 * np.pi, WAVES)) for width in (1.0, 3.0)]
    return np.concatenate(waves, -1).astype(np.float32)


class Pca:
    """Principal components of raw patches, fitted on train patients."""

    def __init__(self, rows: np.ndarray, components: int = COMPONENTS) -> None:
        self.mean = rows.mean(0)
        centred = rows - self.mean
        values, vectors = np.linalg.eigh(centred.T @ centred)
        self.axes = vectors[:, np.argsort(values)[::-1][:components]].astype(np.float32)  # [c, components]

    def __call__(self, rows: np.ndarray) -> np.ndarray:
        return (rows - self.mean) @ self.axes


def patch_sample(patients: list[Patient], per_patient: int = 300) -> np.ndarray:
    random = np.random.default_rng(0)
    taken = []
    for patient in patients:
        rows = raw_patches(patient.prepared).reshape(-1, patient.prepared.patch**3)
        rows = rows[rows.std(1) > 1e-3]  # not the empty air around the body
        taken.append(rows[random.permutation(len(rows))[:per_patient]])
    return np.concatenate(taken)


def encoded(encoder: Encoder, patients: list[Patient], cache: Path, part: str) -> list[np.ndarray]:
    """Patch tokens of every patient, from the cache where they are. float16 [z, y, x, c]"""
    folder = cache / encoder.key
    folder.mkdir(parents=True, exist_ok=True)
    out = []
    for patient in patients:
        path = folder / f"{part}-{patient.number}.npy"
        if not path.exists():
            _, patches = encoder.encode(patient.prepared.voxels[None])
            if not np.isfinite(patches).all():
                raise ExportFault(f"{encoder.name} gives features that are not finite for pt_{patient.number}: its weights are damaged")
            save(path, patches[0].astype(np.float16))
        tokens = np.load(path)
        if tokens.shape[:3] != patient.prepared.grid:
            raise ExportFault(f"{path} is of another grid: delete the cache folder {folder}")
        out.append(tokens)
    return out


def save(path: Path, array: np.ndarray) -> None:
    draft = path.with_suffix(".draft")
    with draft.open("wb") as file:
        np.save(file, array)
    draft.rename(path)


def table(name: str, key: str, pool: list[np.ndarray], held_out: list[np.ndarray]) -> Table:
    """Each channel brought to mean 0 and deviation 1 over the patches of the train pool."""
    count = sum(f[..., 0].size for f in pool)
    mean = sum(f.sum((0, 1, 2), dtype=np.float64) for f in pool) / count
    square = sum((f.astype(np.float32) ** 2).sum((0, 1, 2), dtype=np.float64) for f in pool) / count
    scale = 1 / np.sqrt(np.maximum(square - mean**2, 1e-8))
    def standard(f: np.ndarray) -> np.ndarray:
        return ((f - mean.astype(np.float32)) * scale.astype(np.float32)).astype(np.float32)

    return Table(name, key, [standard(f) for f in pool], [standard(f) for f in held_out])


def joined(a: Table, b: Table) -> Table:
    def both(x: list[np.ndarray], y: list[np.ndarray]) -> list[np.ndarray]:
        return [np.concatenate(pair, -1) for pair in zip(x, y)]

    return Table(f"{a.name} + {b.name}", f"{a.key}+{b.key}", both(a.pool, b.pool), both(a.held_out, b.held_out))
