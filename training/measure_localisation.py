"""
Where an organ's centre lies: a linear map per organ over the patches, a softmax over the patient, the expected place.
Errors are in mm of the patient, against the centre of mass of the contour.
"""

import numpy as np
import torch

from .measure_features import Table
from .measure_patients import ORGANS, SEEDS, Patient, draw
from .measure_prepare import Input, hats
from .probes import fit_heatmaps

PENALTIES = [1e-4, 1e-3, 1e-2]
KEPT = 0.25  # of the patches far from every centre, when fitting
SHARPNESS = [1.0, 1.5, 2.0, 4.0]  # factors of the logits


def patch_centres(prepared: Input) -> np.ndarray:
    """[patches, 3] LPS mm"""
    index = np.argwhere(np.ones(prepared.grid))
    matrix = prepared.grid_to_patient()
    return index @ matrix[:3, :3].T + matrix[:3, 3]


def target(patient: Patient) -> np.ndarray:
    """Weights over the patches whose mean place is the organ's centre (trilinear); 0 for no contour. [patches, o]"""
    inverse, grid = np.linalg.inv(patient.prepared.grid_to_patient()), patient.prepared.grid
    out = np.zeros((*grid, len(ORGANS)), np.float32)
    for organ in np.flatnonzero(patient.present):
        at = inverse[:3] @ np.append(patient.centres[organ], 1)
        z, y, x = (hats(np.clip(at[axis : axis + 1], 0, n - 1), n)[0] for axis, n in enumerate(grid))
        out[..., organ] = np.einsum("z,y,x->zyx", z, y, x)
    return out.reshape(-1, len(ORGANS))


def expected(features: np.ndarray, weights: np.ndarray, centres: np.ndarray, sharpness: float) -> np.ndarray:
    """[patches, c] → [o, 3] LPS mm"""
    logits = sharpness * (features @ weights)
    chance = np.exp(logits - logits.max(0))
    return (chance / chance.sum(0)).T @ centres


def errors(table: Table, pool: list[Patient], held_out: list[Patient]) -> np.ndarray:
    """mm [seeds, held out, o], NaN without contour; penalty (at the first seed) and sharpness by the tuning patients."""
    pool_centres, held_centres = ([patch_centres(p.prepared) for p in part] for part in (pool, held_out))
    flat = [f.reshape(-1, f.shape[-1]) for f in table.pool]
    given = [thinned(f, target(p), i) for i, (f, p) in enumerate(zip(flat, pool))]
    out, penalties = [], PENALTIES
    for seed in SEEDS:
        fitted, tuned = draw(len(pool), seed)
        best = (np.inf, None, 1.0, 0.0)
        for penalty in penalties:
            w = fit_heatmaps(*zip(*(given[i] for i in fitted)), penalty, seed).numpy()
            for sharpness in SHARPNESS:
                mm = [distance(expected(flat[i], w, pool_centres[i], sharpness), pool[i]) for i in tuned]
                best = min(best, (float(np.nanmean(mm)), w, sharpness, penalty), key=lambda found: found[0])
        _, w, sharpness, chosen = best
        penalties = [chosen]
        places = [expected(f.reshape(-1, f.shape[-1]), w, c, sharpness) for f, c in zip(table.held_out, held_centres)]
        out.append([distance(place, patient) for place, patient in zip(places, held_out)])
    return np.array(out)


def thinned(features: np.ndarray, targets: np.ndarray, number: int) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Every patch beside a centre and KEPT of the others, which stand for the rest too: features, targets, log weights."""
    near = targets.any(1)
    keep = near | (np.random.default_rng([number, 8]).random(len(near)) < KEPT)
    offset = np.where(near[keep], 0, -np.log(KEPT)).astype(np.float32)
    return torch.from_numpy(features[keep]), torch.from_numpy(targets[keep]), torch.from_numpy(offset)


def distance(places: np.ndarray, patient: Patient) -> np.ndarray:
    return np.linalg.norm(places - patient.centres, axis=1)  # [o]


def mean_position(pool: list[Patient], held_out: list[Patient]) -> np.ndarray:
    """mm [seeds, held out, o] when every organ is said to lie where it lies in the mean train patient's box."""
    out = []
    for seed in SEEDS:
        places = np.nanmean([box_of(pool[i], pool[i].centres) for i in draw(len(pool), seed)[0]], 0)
        out.append([distance(box_of(p, places, back=True), p) for p in held_out])
    return np.array(out)


def box_of(patient: Patient, places: np.ndarray, back: bool = False) -> np.ndarray:
    """LPS mm → place in the input's box, 0 … 1 along each axis; or back."""
    matrix = patient.prepared.grid_to_patient().copy()
    matrix[:3, 3] -= matrix[:3, :3] @ np.full(3, 0.5)  # from the box's corner
    matrix[:3, :3] *= np.array(patient.prepared.grid)
    return places @ matrix[:3, :3].T + matrix[:3, 3] if back else (places - matrix[:3, 3]) @ np.linalg.inv(matrix[:3, :3]).T
