"""
Who is measured, and who a probe may learn from. OpenKBP's own folders are the patient split: probes see patients of
`train` only, and every number comes from the 33 of `validation`, which no encoder of ours was trained on.
"""

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from .card import Recipe
from .faults import ExportFault
from .measure_prepare import Input, prepare, read_nifti

# Values of OpenKBP's label maps; an absent contour is not an absent organ.
ORGANS = ["brainstem", "spinal cord", "right parotid", "left parotid", "oesophagus", "larynx", "mandible"]
POOL = 80  # train patients, in the order of their numbers, of whom each seed draws
CONTOURS = 5  # a train patient with fewer of the seven is left out: it teaches little for its time
DRAWN, TUNING = 60, 12  # patients of one seed, and how many of them choose penalty, steps and threshold only
SEEDS = range(5)
AIR = -1000.0  # HU


@dataclass(frozen=True)
class Patient:
    number: int
    prepared: Input  # its voxels are dropped once the features are made
    labels: np.ndarray  # uint8 [z, y, x], original grid
    centres: np.ndarray  # [7, 3] LPS mm, NaN where there is no contour

    @property
    def present(self) -> np.ndarray:
        return ~np.isnan(self.centres[:, 0])  # [7]


def numbers(folder: Path) -> list[int]:
    found = [re.fullmatch(r"pt_(\d+)_ct\.nii\.gz", path.name) for path in folder.glob("pt_*_ct.nii.gz")]
    if not found:
        raise ExportFault(f"{folder} holds no pt_N_ct.nii.gz: --data must be the folder that holds openkbp/")
    return sorted(int(match[1]) for match in found if match)


def read_patient(folder: Path, number: int, recipe: Recipe) -> Patient:
    volume = read_nifti(folder / f"pt_{number}_ct.nii.gz")
    labels = read_nifti(folder / f"pt_{number}_oar.nii.gz").voxels.astype(np.uint8)
    if labels.shape != volume.voxels.shape:
        raise ExportFault(f"pt_{number}: contours {labels.shape} do not lie on the grid of the CT {volume.voxels.shape}")
    return Patient(number, prepare(volume, recipe), labels, centres(labels, volume.affine))


def centres(labels: np.ndarray, affine: np.ndarray) -> np.ndarray:
    """Centre of mass of each organ's voxels. [7, 3] LPS mm"""
    out = np.full((len(ORGANS), 3), np.nan)
    for organ in range(len(ORGANS)):
        voxels = np.argwhere(labels == organ + 1)
        if len(voxels):
            out[organ] = affine[:3] @ np.append(voxels.mean(0), 1)
    return out


def read_all(data: Path, recipe: Recipe) -> tuple[list[Patient], list[Patient]]:
    """The pool of train patients, by the rule above, and all validation patients."""
    pool: list[Patient] = []
    train, held_out = data / "openkbp" / "train", data / "openkbp" / "validation"
    check_apart(numbers(train), numbers(held_out))
    for number in numbers(train):
        if len(pool) == POOL:
            break
        patient = read_patient(train, number, recipe)
        if patient.present.sum() >= CONTOURS:
            pool.append(patient)
    if len(pool) < DRAWN:
        raise ExportFault(f"{train} holds {len(pool)} patients with {CONTOURS} contours, {DRAWN} are needed")
    return pool, [read_patient(held_out, number, recipe) for number in numbers(held_out)]


def check_apart(train: list[int], held_out: list[int]) -> None:
    if both := sorted(set(train) & set(held_out)):
        raise ExportFault(f"patients {both} lie in train and in validation: a probe must not see whom it is measured on")


def draw(count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Positions in a pool of `count`: those a probe is fitted on, and those that choose its penalty and threshold."""
    order = np.random.default_rng([seed, 1]).permutation(count)[:DRAWN]
    return order[TUNING:], order[:TUNING]
