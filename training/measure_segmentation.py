"""
Seven organs by a linear and by a small conv probe on frozen patches. Probes predict the share of each of a patch's 2³
cells; the shares are interpolated trilinearly to the original voxels, cut at a threshold, and scored there by Dice.
"""

import numpy as np
import torch

from .measure_cells import from_patches, occupancy, to_patches, upsample
from .measure_features import Table
from .measure_patients import ORGANS, SEEDS, TUNING, Patient, draw
from .measure_prepare import linear as weights_of
from .measure_stats import dice
from .probes import ConvCells, cell_loss, fill_rate, fit_conv_cells, fit_linear_cells

CELLS = 2  # per edge of a patch
THRESHOLDS = np.array([0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5])
PENALTIES = [1e-5, 1e-4, 1e-3]
EMPTY_KEPT = 0.1  # of patches without any organ, for the linear probe only; they weigh 1 / EMPTY_KEPT
COMMON = 32  # cells along each axis of the box in which masks are averaged

Shares = list[np.ndarray]  # per patient float32 [z, y, x, o, k]


def shares(patients: list[Patient]) -> Shares:
    out = []
    for patient in patients:
        filled = np.stack([occupancy(patient.labels == organ + 1, patient.prepared, CELLS) for organ in range(len(ORGANS))])
        out.append(to_patches(filled, CELLS).reshape(*patient.prepared.grid, len(ORGANS), CELLS**3))
    return out


def score(predicted: np.ndarray, patient: Patient, thresholds: np.ndarray) -> np.ndarray:
    """predicted [o, cz, cy, cx]; thresholds [o, t]. Dice [o, t], NaN for an organ without contour."""
    out = np.full(thresholds.shape, np.nan)
    for organ in np.flatnonzero(patient.present):
        truth = patient.labels == organ + 1
        box, values = upsample(predicted[organ], patient.prepared, truth.shape, float(THRESHOLDS.min()))
        inside = truth[box]
        outside = np.count_nonzero(truth) - np.count_nonzero(inside)
        out[organ] = [dice(values > t, inside, outside) for t in thresholds[organ]]
    return out


def scored(
    tuning: list[Patient], tuning_maps: list[np.ndarray], held_out: list[Patient], held_out_maps: list[np.ndarray]
) -> np.ndarray:
    """Each organ's threshold from the tuning patients, then Dice [held out, o]. A map is [o, cz, cy, cx]."""
    grid = np.tile(THRESHOLDS, (len(ORGANS), 1))
    tried = np.stack([score(*pair, grid) for pair in zip(tuning_maps, tuning)])  # [tuning, o, t]
    best = THRESHOLDS[np.nan_to_num(np.nansum(tried, 0)).argmax(1)][:, None]
    return np.stack([score(*pair, best)[:, 0] for pair in zip(held_out_maps, held_out)])


def ceiling(pool: list[Patient], truth: Shares, held_out: list[Patient], truth_held_out: Shares) -> np.ndarray:
    """Dice [held out, o] of the true shares themselves: what no probe on this grid of cells can pass by much."""
    own, theirs = ([from_patches_of(s, p) for s, p in zip(*both)] for both in ((truth, pool), (truth_held_out, held_out)))
    return scored(pool[:TUNING], own[:TUNING], held_out, theirs)


def from_patches_of(shares: np.ndarray, patient: Patient) -> np.ndarray:
    """[z, y, x, o, k] → [o, cz, cy, cx]"""
    return from_patches(shares.reshape(-1, *shares.shape[-2:]), patient.prepared.grid, CELLS)


def linear(table: Table, pool: list[Patient], truth: Shares, held_out: list[Patient]) -> np.ndarray:
    """Dice [seeds, held out, o]; the penalty is chosen at the first seed, by its tuning patients."""
    out, penalty = [], None
    for seed in SEEDS:
        fitted, tuned = draw(len(pool), seed)
        rows = sample([table.pool[i] for i in fitted], [truth[i] for i in fitted], [pool[i] for i in fitted], seed)
        tuning = [pool[i] for i in tuned]

        def maps(weights, features: list[np.ndarray], patients: list[Patient]) -> list[np.ndarray]:
            w, b = (part.numpy() for part in weights)
            shares = [1 / (1 + np.exp(-(np.tensordot(f, w, 1) + b))) for f in features]
            return [from_patches_of(s, p) for s, p in zip(shares, patients)]

        fits = {p: fit_linear_cells(*rows, p, seed) for p in (PENALTIES if penalty is None else [penalty])}
        seen = [table.pool[i] for i in tuned]
        if penalty is None:
            loss = {p: tuning_loss(w, seen, [truth[i] for i in tuned], tuning) for p, w in fits.items()}
            penalty = min(loss, key=loss.__getitem__)
        w = fits[penalty]
        out.append(scored(tuning, maps(w, seen, tuning), held_out, maps(w, table.held_out, held_out)))
    return np.stack(out)


def sample(features: list[np.ndarray], truth: Shares, patients: list[Patient], seed: int) -> tuple[torch.Tensor, ...]:
    """Every patch with an organ and some of the others, as one table: features, shares, known contours, weights."""
    random = np.random.default_rng([seed, 3])
    f, s, known, weight = [], [], [], []
    for x, y, patient in zip(features, truth, patients):
        x, y = x.reshape(-1, x.shape[-1]), y.reshape(-1, *y.shape[-2:])
        full = y.any((1, 2))
        keep = full | (random.random(len(x)) < EMPTY_KEPT)
        f.append(x[keep])
        s.append(y[keep])
        known.append(np.tile(patient.present, (keep.sum(), 1)))
        weight.append(np.where(full[keep], 1, 1 / EMPTY_KEPT))
    return tuple(torch.from_numpy(np.concatenate(part).astype(np.float32)) for part in (f, s, known, weight))


@torch.no_grad()
def tuning_loss(weights: tuple[torch.Tensor, torch.Tensor], features: list[np.ndarray], truth: Shares, patients: list[Patient]) -> float:
    w, b = weights
    f, s, known, weight = sample(features, truth, patients, 0)
    return float(cell_loss(torch.einsum("nc,cok->nok", f, w) + b, s, known, weight, fill_rate(s, known, weight)))


def conv(table: Table, pool: list[Patient], truth: Shares, held_out: list[Patient]) -> np.ndarray:
    """Dice [seeds, held out, o]; the number of steps is chosen by the tuning patients of each seed."""
    out = []
    for seed in SEEDS:
        fitted, tuned = draw(len(pool), seed)
        tuning = [pool[i] for i in tuned]

        @torch.no_grad()
        def maps(probe: ConvCells, features: list[np.ndarray], patients: list[Patient]) -> list[np.ndarray]:
            shares = [torch.sigmoid(probe(torch.from_numpy(f)[None]))[0].numpy() for f in features]
            return [from_patches_of(s, p) for s, p in zip(shares, patients)]

        @torch.no_grad()
        def judge(probe: ConvCells) -> float:
            losses = []
            for i in tuned:
                logits = probe(torch.from_numpy(table.pool[i])[None]).flatten(0, 3)
                known = torch.from_numpy(pool[i].present).float().expand(len(logits), -1)
                share = torch.from_numpy(truth[i]).flatten(0, 2)
                losses.append(float(cell_loss(logits, share, known, torch.ones(len(logits)), rate)))
            return -float(np.mean(losses))

        learnt = [pool[i] for i in fitted]
        rate = rates([truth[i] for i in fitted], learnt)
        known = np.stack([p.present for p in learnt])
        probe = fit_conv_cells([table.pool[i] for i in fitted], [truth[i] for i in fitted], known, rate, judge, seed)
        seen = [table.pool[i] for i in tuned]
        out.append(scored(tuning, maps(probe, seen, tuning), held_out, maps(probe, table.held_out, held_out)))
    return np.stack(out)


def rates(truth: Shares, patients: list[Patient]) -> torch.Tensor:
    """As probes.fill_rate, over whole grids. [o]"""
    known = np.stack([p.present for p in patients]).astype(float)
    filled = np.stack([s.sum((0, 1, 2, 4)) for s in truth])
    patches = np.array([s[..., 0, 0].size for s in truth])
    return torch.from_numpy((filled * known).sum(0) / np.maximum(patches @ known, 1)).float()


def mean_masks(pool: list[Patient], truth: Shares, held_out: list[Patient]) -> np.ndarray:
    """Dice [seeds, held out, o] of organ masks averaged over train patients, box onto box: no image is looked at."""
    common = [resized(from_patches_of(s, p), (COMMON,) * 3) for s, p in zip(truth, pool)]
    out = []
    for seed in SEEDS:
        fitted, tuned = draw(len(pool), seed)
        known = np.stack([pool[i].present for i in fitted]).astype(np.float32)  # [patients, o]
        mean = np.einsum("po,pozyx->ozyx", known / known.sum(0), np.stack([common[i] for i in fitted]))

        def maps(patients: list[Patient]) -> list[np.ndarray]:
            return [resized(mean, tuple(n * CELLS for n in p.prepared.grid)) for p in patients]

        tuning = [pool[i] for i in tuned]
        out.append(scored(tuning, maps(tuning), held_out, maps(held_out)))
    return np.stack(out)


def resized(values: np.ndarray, shape: tuple[int, int, int]) -> np.ndarray:
    """[o, z, y, x] → [o, *shape], trilinear."""
    for axis, n in enumerate(shape):
        values = np.moveaxis(np.tensordot(weights_of(values.shape[axis + 1], n), values, (1, axis + 1)), 0, axis + 1)
    return values


def masks(table: Table, pool: list[Patient], truth: Shares, held_out: list[Patient], penalty: float = 1e-4) -> list[np.ndarray]:
    """What the first seed's linear probe says of each held-out patient: bool [o, z, y, x] on the original voxels, to look at."""
    fitted, tuned = draw(len(pool), 0)
    w, b = fit_linear_cells(*sample([table.pool[i] for i in fitted], [truth[i] for i in fitted], [pool[i] for i in fitted], 0), penalty, 0)
    out = []
    for features, patient in zip(table.held_out, held_out):
        share = 1 / (1 + np.exp(-(np.tensordot(features, w.numpy(), 1) + b.numpy())))
        drawn = np.zeros((len(ORGANS), *patient.labels.shape), bool)
        for organ, cells in enumerate(from_patches_of(share, patient)):
            box, values = upsample(cells, patient.prepared, patient.labels.shape, 0.3)
            drawn[(organ, *box)] = values > 0.3
        out.append(drawn)
    return out
