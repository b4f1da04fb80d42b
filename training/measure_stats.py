"""Scores and their intervals."""

import numpy as np

DRAWS = 2000


def dice(predicted: np.ndarray, truth: np.ndarray, outside: int = 0) -> float:
    """2 |A ∩ B| / (|A| + |B|) of two masks; `outside` counts voxels of the truth that lie beyond both arrays."""
    both = np.count_nonzero(predicted & truth)
    return 2 * both / (np.count_nonzero(predicted) + np.count_nonzero(truth) + outside)


def auc(scores: np.ndarray, labels: np.ndarray) -> float:
    """Chance that a positive scores above a negative; ties count half."""
    positive, negative = scores[labels == 1], scores[labels == 0]
    above = (positive[:, None] > negative).mean() + 0.5 * (positive[:, None] == negative).mean()
    return float(above)


def recall(positive: np.ndarray, negatives: np.ndarray, k: int) -> np.ndarray:
    """Whether the positive [trials] is among the k best of itself and its negatives [trials, m]; a tie is a miss."""
    return (negatives >= positive[:, None]).sum(1) < k


def interval(per_patient: np.ndarray, seed: int = 0) -> tuple[float, float, float]:
    """
    Mean and 95 % interval over patients (percentiles of bootstrap draws). [patients] or [patients, parts]: parts, such
    as organs, are averaged over the patients who have them (NaN: has not), then over parts.
    """
    table = per_patient if per_patient.ndim == 2 else per_patient[:, None]
    random = np.random.default_rng(seed)
    drawn = table[random.integers(len(table), size=(DRAWS, len(table)))]  # [DRAWS, patients, parts]
    low, high = np.percentile(part_mean(drawn), [2.5, 97.5])
    return float(part_mean(table[None])[0]), float(low), float(high)


def part_mean(drawn: np.ndarray) -> np.ndarray:
    """[draws, patients, parts] → [draws]; a part that no drawn patient has is left out of that draw."""
    known = ~np.isnan(drawn)
    count = known.sum(1)
    sums = np.where(known, drawn, 0).sum(1)
    means = np.divide(sums, count, out=np.full(sums.shape, np.nan), where=count > 0)
    return np.nanmean(means, 1)


def auc_interval(scores: np.ndarray, labels: np.ndarray, seed: int = 0) -> tuple[float, float, float]:
    """scores [seeds, subjects]: AUC averaged over seeds, and its 95 % interval over subjects drawn class by class."""
    random = np.random.default_rng(seed)
    groups = [np.flatnonzero(labels == value) for value in (0, 1)]
    values = []
    for _ in range(DRAWS // 4):
        who = np.concatenate([random.choice(group, len(group)) for group in groups])
        values.append(np.mean([auc(row[who], labels[who]) for row in scores]))
    low, high = np.percentile(values, [2.5, 97.5])
    return float(np.mean([auc(row, labels) for row in scores])), float(low), float(high)
