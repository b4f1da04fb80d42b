"""
AdrenalMNIST3D: normal or hyperplasia from the binary shape of an adrenal gland (64³). The shapes are given to the encoder
as HU: tissue where the mask is, air elsewhere; no body crop and no resampling, air added to whole patches.
"""

from pathlib import Path

import numpy as np

from .card import Recipe
from .faults import ExportFault
from .measure_encoders import Encoder
from .measure_features import save
from .measure_patients import AIR, SEEDS
from .measure_stats import auc
from .probes import fit_logistic

TISSUE = 40.0  # HU
PENALTIES = [1e-4, 1e-3, 1e-2, 1e-1, 1.0]
SHARE = 0.8  # of the train subjects, drawn anew by each seed
COMPONENTS = 64


def read(data: Path) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """Masks bool [n, 64, 64, 64] and labels [n], each for train and validation."""
    path = data / "adrenal" / "adrenalmnist3d_64_train_val.npz"
    if not path.exists():
        raise ExportFault(f"{path} does not exist: --data must be the folder that holds adrenal/")
    file = np.load(path)
    parts = ("train", "val")
    return {p: file[f"{p}_images"] > 0 for p in parts}, {p: file[f"{p}_labels"][:, 0].astype(int) for p in parts}


def as_input(masks: np.ndarray, recipe: Recipe) -> np.ndarray:
    """[n, 64, 64, 64] → float32 [n, D, D, D], D the next multiple of the patch."""
    more = -masks.shape[1] % recipe.patch
    padded = np.pad(masks, [(0, 0)] + [(more // 2, more - more // 2)] * 3)
    return np.where(padded, (TISSUE - recipe.mean) / recipe.std, (AIR - recipe.mean) / recipe.std).astype(np.float32)


def pooled(encoder: Encoder, masks: np.ndarray, cache: Path) -> dict[str, np.ndarray]:
    """Mean patch token; and the means of the eight octants with the CLS beside them. [n, c], [n, 9c]"""
    if not cache.exists():
        rows = []
        for i in range(0, len(masks), 16):
            cls, patches = encoder.encode(as_input(masks[i : i + 16], encoder.recipe))
            rows.append(np.concatenate([octants(patches), cls], 1).astype(np.float16))
        cache.parent.mkdir(parents=True, exist_ok=True)
        save(cache, np.concatenate(rows))
    rows = np.load(cache).astype(np.float32)
    parts = rows.reshape(len(rows), 9, -1)
    return {"mean token": parts[:, :8].mean(1), "octants and CLS": rows}


def octants(patches: np.ndarray) -> np.ndarray:
    """[n, z, y, x, c] → [n, 8c]; a middle patch of an odd grid counts in both halves."""
    halves = [(slice(0, -(-n // 2)), slice(n // 2, n)) for n in patches.shape[1:4]]
    return np.concatenate([patches[:, z, y, x].mean((1, 2, 3)) for z in halves[0] for y in halves[1] for x in halves[2]], 1)


def coarse(masks: np.ndarray, patch: int) -> np.ndarray:
    """Share of each patch that the shape fills. [n, patches]"""
    filled = np.pad(masks, [(0, 0)] + [(0, -masks.shape[1] % patch)] * 3).astype(np.float32)
    n, side = len(masks), filled.shape[1] // patch
    return filled.reshape(n, side, patch, side, patch, side, patch).mean((2, 4, 6)).reshape(n, -1)


def components(train: np.ndarray, held_out: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """PCA of the shapes at 32³, fitted on the train subjects."""
    a, b = (coarse(masks, 2) for masks in (train, held_out))
    mean = a.mean(0)
    values, vectors = np.linalg.eigh((a - mean) @ (a - mean).T)
    order = np.argsort(values)[::-1][:COMPONENTS]
    axes = (a - mean).T @ vectors[:, order] / np.sqrt(values[order])
    return (a - mean) @ axes, (b - mean) @ axes


def scores(x: np.ndarray, labels: np.ndarray, held_out: np.ndarray, whiten: bool = True) -> np.ndarray:
    """
    Logit of hyperplasia [seeds, held out]; the penalty is chosen at the first seed, by a fifth of its subjects.
    whiten: every channel to deviation 1; principal components keep theirs, or the last would count as much as the first.
    """
    mean, scale = x.mean(0), x.std(0) + 1e-4 if whiten else x.std()
    x, held_out = (x - mean) / scale, (held_out - mean) / scale
    out, penalty = [], None
    for seed in SEEDS:
        drawn = np.random.default_rng([seed, 7]).permutation(len(x))[: int(SHARE * len(x))]
        if penalty is None:
            fitted, tuned = drawn[len(drawn) // 5 :], drawn[: len(drawn) // 5]

            def quality(candidate: float) -> float:
                w, b = fit_logistic(x[fitted], labels[fitted], candidate)
                return auc(x[tuned] @ w + b, labels[tuned])

            penalty = max(PENALTIES, key=quality)
        w, b = fit_logistic(x[drawn], labels[drawn], penalty)
        out.append(held_out @ w + b)
    return np.stack(out)
