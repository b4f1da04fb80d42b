"""
Crops around organs, each encoded by itself, so that no position in the scan can help: few-shot classification of the
organ, and retrieval of the same region in another patient. Left and right parotid count as different regions.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from .measure_encoders import Encoder
from .measure_features import Pca, save
from .measure_patients import AIR, ORGANS, SEEDS, Patient
from .measure_stats import recall

SIDE = 96.0  # mm, rounded to whole patches at TYPICAL spacing
TYPICAL = 2.5  # mm; most of OpenKBP's slice distances
JITTER = 15.0  # mm, uniform along each axis
EPISODES = 20  # of each seed
NEGATIVES = 99
SHOTS = (1, 5)
RANKS = (1, 5, 10)


@dataclass(frozen=True)
class Crops:
    voxels: np.ndarray  # float32 [n, side, side, side], as prepared
    organ: np.ndarray  # [n]
    patient: np.ndarray  # [n], position in the list of patients


def cut(patients: list[Patient], encoder: Encoder, per_organ: int, seed: int) -> Crops:
    """From prepared volumes, at their own spacing; what lies beyond is air."""
    recipe, random = encoder.recipe, np.random.default_rng([seed, 4])
    side = recipe.patch * max(2, round(SIDE / (recipe.patch * max(TYPICAL, recipe.spacingFloor))))
    air = np.float32((max(AIR, recipe.clip[0]) - recipe.mean) / recipe.std)
    voxels, organs, who = [], [], []
    for number, patient in enumerate(patients):
        prepared = patient.prepared
        inverse = np.linalg.inv(prepared.grid_to_patient())
        for organ in np.repeat(np.flatnonzero(patient.present), per_organ):
            centre = patient.centres[organ] + random.uniform(-JITTER, JITTER, 3)
            patch = inverse[:3] @ np.append(centre, 1)  # patch index, whole at patch centres
            start = np.round((patch + 0.5) * recipe.patch - side / 2).astype(int)
            voxels.append(window(prepared.voxels, start, side, air))
            organs.append(organ)
            who.append(number)
    return Crops(np.stack(voxels), np.array(organs), np.array(who))


def window(voxels: np.ndarray, start: np.ndarray, side: int, outside: np.float32) -> np.ndarray:
    out = np.full((side,) * 3, outside, np.float32)
    low, high = np.maximum(start, 0), np.minimum(start + side, voxels.shape)
    if (high > low).all():
        out[tuple(slice(a - s, b - s) for a, b, s in zip(low, high, start))] = voxels[tuple(slice(a, b) for a, b in zip(low, high))]
    return out


def tokens(encoder: Encoder, crops: Crops, cache: Path) -> dict[str, np.ndarray]:
    """Mean patch token and CLS of each crop. [n, c]"""
    if not cache.exists():
        parts = [encoder.encode(crops.voxels[i : i + 16]) for i in range(0, len(crops.voxels), 16)]
        mean = np.concatenate([patches.mean((1, 2, 3)) for _, patches in parts])
        cache.parent.mkdir(parents=True, exist_ok=True)
        save(cache, np.stack([mean, np.concatenate([cls for cls, _ in parts])]))
    mean, cls = np.load(cache)
    return {"mean token": mean, "CLS": cls}


def intensities(crops: Crops, patch: int) -> np.ndarray:
    """Mean of each patch, side by side. [n, patches]"""
    n, side = len(crops.voxels), crops.voxels.shape[1] // patch
    return crops.voxels.reshape(n, side, patch, side, patch, side, patch).mean((2, 4, 6)).reshape(n, -1)


def components(train: Crops, held_out: Crops) -> tuple[np.ndarray, np.ndarray]:
    """PCA of whole crops at half resolution, fitted on the train crops."""
    a, b = (c.voxels[:, ::2, ::2, ::2].reshape(len(c.voxels), -1) for c in (train, held_out))
    mean = a.mean(0)
    values, vectors = np.linalg.eigh((a - mean) @ (a - mean).T)  # fewer crops than voxels
    order = np.argsort(values)[::-1][:64]
    axes = (a - mean).T @ vectors[:, order] / np.sqrt(values[order])
    return (a - mean) @ axes, (b - mean) @ axes


def standard(train: np.ndarray, held_out: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    mean, scale = train.mean(0), train.std(0) + 1e-6
    return (train - mean) / scale, (held_out - mean) / scale


def few_shot(x: np.ndarray, train: Crops, y: np.ndarray, held_out: Crops, shots: int) -> np.ndarray:
    """
    Balanced accuracy parts [held-out patients, o]: the share of an organ's crops whose nearest class mean (cosine) is
    the right one. Each class mean is of `shots` crops from different train patients, drawn EPISODES times per seed.
    """
    x, y = unit(x), unit(y)
    hits = np.zeros(len(y))
    for seed in SEEDS:
        random = np.random.default_rng([seed, 5])
        for _ in range(EPISODES):
            means = [x[random.choice(np.flatnonzero(train.organ == organ), shots, replace=False)].mean(0) for organ in range(len(ORGANS))]
            hits += (y @ unit(np.stack(means)).T).argmax(1) == held_out.organ
    return per_patient(hits / (EPISODES * len(SEEDS)), held_out)


def retrieval(y: np.ndarray, crops: Crops) -> dict[int, np.ndarray]:
    """
    Recall at k [patients, o]. One trial: a crop, a crop of the same organ in another patient, and 99 crops of other
    organs in other patients, ranked by cosine; every crop is a query once per seed.
    """
    similar = unit(y) @ unit(y).T
    positive, negatives = [], []
    for seed in SEEDS:
        random = np.random.default_rng([seed, 6])
        for query in range(len(y)):
            elsewhere = crops.patient != crops.patient[query]
            same = crops.organ == crops.organ[query]
            positive.append(similar[query, random.choice(np.flatnonzero(elsewhere & same))])
            negatives.append(similar[query, random.choice(np.flatnonzero(elsewhere & ~same), NEGATIVES, replace=False)])
    hits = {k: recall(np.array(positive), np.stack(negatives), k).reshape(len(SEEDS), -1).mean(0) for k in RANKS}
    return {k: per_patient(hit, crops) for k, hit in hits.items()}


def per_patient(values: np.ndarray, crops: Crops) -> np.ndarray:
    """[n] → means [patients, o], NaN where a patient has no such crop."""
    out = np.full((crops.patient.max() + 1, len(ORGANS)), np.nan)
    for patient, organ in set(zip(crops.patient.tolist(), crops.organ.tolist())):
        out[patient, organ] = values[(crops.patient == patient) & (crops.organ == organ)].mean()
    return out


def unit(rows: np.ndarray) -> np.ndarray:
    return rows / np.maximum(np.linalg.norm(rows, axis=-1, keepdims=True), 1e-12)
