"""
Prepares CT volumes for training, and reads crops of them without loading the rest.

    python -m training.volumes --out PREPARED --spacing 2.5 [--weight 4] FILE.nii.gz…

Same rules as shared/preprocess: canonical axes [z, y, x] (z to the head, y to the back, x to the patient's left), HU
clipped, cropped to the body, trilinear to isotropic voxels with align_corners=False. One NAME.npy of int16 HU each, and
index.csv (path, shape, spacing, source, weight), which a later call adds to. Exit 2: a file was refused.
"""

import argparse
import csv
import os
import sys
from dataclasses import dataclass
from io import StringIO
from pathlib import Path

import nibabel
import numpy as np
import torch
from torch.nn import functional as F

from .faults import TrainingFault

CLIP = (-1000, 1900)  # HU, VoxelFM's pixel_range
CROP_THRESHOLD, CROP_KERNEL = -800, 21  # VoxelFM's body crop, in voxels as scanned
LEAST_BODY = 100_000  # voxels above −900 HU as scanned; emptier scans are left out
COLUMNS = ["path", "shape", "spacing", "source", "weight"]


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(allow_abbrev=False, prog="python -m training.volumes", description=__doc__.strip().splitlines()[0])
    parser.add_argument("paths", nargs="+", type=Path, help="NIfTI files in HU")
    parser.add_argument("--out", type=Path, required=True, help="folder of prepared volumes")
    parser.add_argument("--spacing", type=float, default=2.0, help="mm, isotropic (default: %(default)s)")
    parser.add_argument("--weight", type=float, default=1.0, help="how often these are drawn, relative to others")
    options = parser.parse_args(arguments)
    try:
        if not options.spacing > 0 or not options.weight > 0:
            raise TrainingFault("--spacing and --weight must be positive")
        options.out.mkdir(parents=True, exist_ok=True)
        rows = {row["path"]: row for row in read_rows(options.out)} if (options.out / "index.csv").exists() else {}
        left_out = 0
        for path in options.paths:
            hu, spacing = read_nifti(path)
            if (hu > -900).sum() < LEAST_BODY:
                left_out += 1
                print(f"training.volumes: left out {path.name}: under {LEAST_BODY} voxels of body", file=sys.stderr)
                continue
            volume = to_isotropic(crop_to_body(hu, path.name), spacing, options.spacing)
            name = f"{path.parent.name}-{path.name.removesuffix('.gz').removesuffix('.nii')}.npy"
            write_atomically(options.out / name, lambda file, v=volume: np.save(file, v))
            source = "/".join(path.parts[-2:])
            rows[name] = dict(zip(COLUMNS, [name, str(list(volume.shape)), options.spacing, source, options.weight]))
        write_atomically(options.out / "index.csv", lambda file: file.write(to_csv(rows.values()).encode()))
        print(f"{len(options.paths) - left_out} volumes prepared, {left_out} left out, {len(rows)} in {options.out}")
        return 0
    except TrainingFault as fault:
        print(f"training.volumes: {fault}", file=sys.stderr)
        return 2


def read_nifti(path: Path) -> tuple[np.ndarray, tuple[float, ...]]:
    """Clipped HU on canonical axes [z, y, x], float32, and the spacing in mm along them."""
    try:
        image = nibabel.as_closest_canonical(nibabel.load(path))  # array axes x to the right, y to the front, z up
        hu = image.get_fdata(dtype=np.float32)
    except FileNotFoundError:
        raise TrainingFault(f"{path.name} does not exist: check the path")
    except (nibabel.filebasedimages.ImageFileError, OSError, EOFError, ValueError) as error:
        raise TrainingFault(f"{path.name} is no readable NIfTI file ({type(error).__name__}): export it again")
    if hu.ndim != 3:
        raise TrainingFault(f"{path.name} has {hu.ndim} axes, not 3: give one volume a file")
    if not np.isfinite(hu).all():
        raise TrainingFault(f"{path.name} holds NaN or infinite voxels: replace them with air (−1000 HU)")
    spacing = tuple(float(s) for s in image.header.get_zooms()[:3])[::-1]
    hu = hu[::-1, ::-1, :].transpose(2, 1, 0)  # x to the left, y to the back; then [z, y, x]
    return np.clip(hu, *CLIP), spacing


def crop_to_body(hu: np.ndarray, name: str) -> np.ndarray:
    """Bounding box of the voxels whose 21³ box is more than half body, grown by 10; outside the volume counts as air."""
    reach = CROP_KERNEL // 2
    count = (hu > CROP_THRESHOLD).astype(np.int32)
    for axis in range(3):
        n = count.shape[axis]
        sums = np.concatenate([np.zeros_like(count.take([0], axis)), count.cumsum(axis, dtype=np.int32)], axis)
        at = np.arange(n)
        count = sums.take(np.minimum(at + reach + 1, n), axis) - sums.take(np.maximum(at - reach, 0), axis)
    inside = np.argwhere(count > CROP_KERNEL**3 / 2)
    if len(inside) == 0:
        raise TrainingFault(f"{name} holds no body (nothing large above {CROP_THRESHOLD} HU): check its HU scaling")
    low, high = np.maximum(inside.min(0) - reach, 0), inside.max(0) + reach + 1
    return hu[tuple(slice(a, b) for a, b in zip(low, high))]


def to_isotropic(hu: np.ndarray, spacing: tuple[float, ...], target: float) -> np.ndarray:
    """int16 HU at `target` mm along every axis."""
    shape = [max(round(n * s / target), 1) for n, s in zip(hu.shape, spacing)]
    resized = F.interpolate(torch.from_numpy(np.ascontiguousarray(hu))[None, None], size=shape, mode="trilinear")
    return resized[0, 0].round().to(torch.int16).numpy()


def write_atomically(path: Path, write) -> None:
    """`write` gets an open binary file. The old file stays whole until the new one is on the disk."""
    temporary = path.with_name(f".{path.name}.tmp-{os.getpid()}")
    try:
        with temporary.open("wb") as file:
            write(file)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except (OSError, RuntimeError) as error:  # torch.save turns a full disk into a RuntimeError
        temporary.unlink(missing_ok=True)
        raise TrainingFault(
            f"{path.name} could not be written ({error}): free space on the disk; the last good file is untouched"
        )


def to_csv(rows) -> str:
    text = StringIO()
    writer = csv.DictWriter(text, COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def read_rows(folder: Path) -> list[dict[str, str]]:
    try:
        with (folder / "index.csv").open(newline="") as file:
            rows = list(csv.DictReader(file))
    except FileNotFoundError:
        raise TrainingFault(f"{folder} has no index.csv: prepare volumes into it with python -m training.volumes")
    if rows and (missing := [c for c in COLUMNS if rows[0].get(c) is None]):
        raise TrainingFault(f"index.csv in {folder} lacks the column {missing[0]}: prepare the volumes again")
    return rows


@dataclass(frozen=True)
class Volume:
    """One prepared volume; its voxels stay on the disk until a crop is read."""

    name: str
    voxels: np.ndarray  # memory-mapped [z, y, x], HU
    spacing: float  # mm
    weight: float

    def crop(self, start: tuple[int, ...], side: tuple[int, ...]) -> torch.Tensor:
        """float32 HU, clipped, of this box only."""
        part = self.voxels[tuple(slice(a, a + n) for a, n in zip(start, side))]
        hu = torch.from_numpy(np.array(part, dtype=np.float32))
        if not hu.isfinite().all():
            raise TrainingFault(f"{self.name} holds NaN or infinite voxels: prepare it again, or delete its row of index.csv")
        return hu.clamp_(*CLIP)


def open_volumes(folders: list[Path], least: int) -> list[Volume]:
    """All volumes that the folders' index.csv name. One shorter than `least` voxels along an axis is refused."""
    volumes = []
    for folder in folders:
        for row in read_rows(folder):
            try:
                voxels = np.load(folder / row["path"], mmap_mode="r")
            except (OSError, ValueError, EOFError) as error:
                raise TrainingFault(
                    f"{row['path']} in {folder} cannot be read ({type(error).__name__}): prepare it again, or delete its "
                    "row of index.csv"
                )
            if voxels.ndim != 3 or voxels.dtype.kind not in "if":
                raise TrainingFault(f"{row['path']} is no 3D array of numbers: prepare it again with training.volumes")
            if min(voxels.shape) < least:
                raise TrainingFault(
                    f"{row['path']} is {' × '.join(map(str, voxels.shape))} voxels, shorter than the smallest crop of "
                    f"{least}: delete its row of index.csv, prepare it at a finer spacing, or train with smaller crops"
                )
            volumes.append(Volume(row["path"], voxels, float(row["spacing"]), float(row["weight"])))
    if not volumes:
        raise TrainingFault(f"no volumes in {', '.join(map(str, folders))}: prepare some with python -m training.volumes")
    return volumes


if __name__ == "__main__":
    sys.exit(main())
