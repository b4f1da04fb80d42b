"""
Small heads on frozen features, trained in seconds on a CPU.

Letters: N patches of all patients together, c channels, o organs (7), k cells of one patch (2³).
"""

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F


def minimise(loss: Callable[[], Tensor], parameters: list[Tensor], steps: int) -> None:
    optimiser = torch.optim.LBFGS(parameters, max_iter=steps, history_size=10, line_search_fn="strong_wolfe")

    def closure() -> Tensor:
        optimiser.zero_grad()
        value = loss()
        value.backward()
        return value

    optimiser.step(closure)


def cell_loss(logits: Tensor, share: Tensor, known: Tensor, weight: Tensor, rate: Tensor) -> Tensor:
    """
    Cross-entropy between predicted and true share of each cell, and soft Dice, averaged over organs.
    logits, share [N, o, k]; known [N, o] 1 where the patient has the contour; weight [N] of a sampled patch;
    rate [o] (fill_rate of all that is fitted on) makes the entropy of a small and of a large organ weigh the same.
    """
    counted = (known * weight[:, None])[..., None]  # [N, o, 1]
    filled = rate * counted.sum((0, 2)) + 1e-6  # [o]
    entropy = F.binary_cross_entropy_with_logits(logits, share, counted.expand_as(share), reduction="none")
    p = torch.sigmoid(logits)
    dice = 2 * (p * share * counted).sum((0, 2)) / (((p + share) * counted).sum((0, 2)) + 1e-3)
    return (entropy.sum((0, 2)) / filled).mean() + (1 - dice).mean()


def fill_rate(share: Tensor, known: Tensor, weight: Tensor) -> Tensor:
    """Cells' worth of an organ per patch of a patient who has it. [o]"""
    counted = known * weight[:, None]
    return (share.sum(2) * counted).sum(0) / counted.sum(0).clamp(min=1)


def fit_linear_cells(
    features: Tensor, share: Tensor, known: Tensor, weight: Tensor, penalty: float, seed: int, steps: int = 30
) -> tuple[Tensor, Tensor]:
    """One linear layer from a patch [N, c] to its cells [N, o, k]: weights [c, o, k] and bias [o, k]."""
    (_, c), (_, o, k) = features.shape, share.shape
    generator = torch.Generator().manual_seed(seed)
    w = (torch.randn(c, o * k, generator=generator) * 1e-3).requires_grad_()
    b = torch.full((o * k,), -4.0, requires_grad=True)  # organs are rare
    rate = fill_rate(share, known, weight)

    def loss() -> Tensor:
        return cell_loss((features @ w + b).view(-1, o, k), share, known, weight, rate) + penalty * w.square().sum()

    minimise(loss, [w, b], steps)
    return w.detach().view(c, o, k), b.detach().view(o, k)


class ConvCells(nn.Module):
    """
    Two 3³ convolutions over the patches before the linear layer to their cells; after VoxelFM's segmentation head, but
    normalised patch by patch: statistics over a training window would be others than those over a whole scan.
    """

    def __init__(self, c: int, o: int, k: int, width: int = 32) -> None:
        super().__init__()
        self.o, self.k = o, k
        self.narrow = nn.Conv3d(c, width, 1)
        self.first = nn.Conv3d(width, width, 3, padding=1)
        self.norm = nn.LayerNorm(width)
        self.second = nn.Conv3d(width, width, 3, padding=1)
        self.last = nn.Linear(width, o * k)
        nn.init.constant_(self.last.bias, -4.0)

    def forward(self, features: Tensor) -> Tensor:
        """[B, z, y, x, c] → logits [B, z, y, x, o, k]"""
        hidden = self.first(self.narrow(features.movedim(-1, 1))).movedim(1, -1)
        hidden = self.second(F.relu(self.norm(hidden)).movedim(-1, 1)).movedim(1, -1)
        return self.last(F.relu(hidden)).unflatten(-1, (self.o, self.k))


def fit_conv_cells(
    features: list[np.ndarray],
    share: list[np.ndarray],
    known: np.ndarray,
    rate: Tensor,
    judge: Callable[[ConvCells], float],
    seed: int,
    steps: int = 600,
    window: int = 10,
    batch: int = 4,
    every: int = 100,
) -> ConvCells:
    """
    AdamW on random windows of `window`³ patches. features[i] [z, y, x, c], share[i] [z, y, x, o, k], known [patients, o];
    rate as in cell_loss. Keeps the weights of the step at which `judge`, who sees tuning patients only, was highest.
    """
    torch.manual_seed(seed)
    random = np.random.default_rng([seed, 2])
    probe = ConvCells(features[0].shape[-1], *share[0].shape[-2:])
    optimiser = torch.optim.AdamW(probe.parameters(), lr=3e-3, weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 3e-3, total_steps=steps, pct_start=0.2)
    best, kept = -np.inf, None
    for step in range(1, steps + 1):
        who = random.integers(len(features), size=batch)
        cut = [window_of(features[i], share[i], window, random) for i in who]
        x, y = (torch.from_numpy(np.stack(part)) for part in zip(*cut))
        inside = torch.from_numpy(known[who]).float()[:, None].expand(-1, window**3, -1).flatten(0, 1)  # [N, o]
        loss = cell_loss(probe(x).flatten(0, 3), y.flatten(0, 3), inside, torch.ones(len(inside)), rate)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        schedule.step()
        if step % every == 0 and (score := judge(probe)) > best:
            best, kept = score, {name: value.clone() for name, value in probe.state_dict().items()}
    if kept is None:
        raise ValueError("the conv probe's loss is not finite: its features hold NaN")
    probe.load_state_dict(kept)
    return probe


def window_of(features: np.ndarray, share: np.ndarray, size: int, random: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """A random cube of patches; zeros where the grid is smaller."""
    start = [random.integers(0, max(n - size, 0) + 1) for n in features.shape[:3]]
    cut = tuple(slice(s, s + size) for s in start)
    pad = [(0, size - min(size, n)) for n in features.shape[:3]]
    return np.pad(features[cut], [*pad, (0, 0)]), np.pad(share[cut], [*pad, (0, 0), (0, 0)])


def fit_heatmaps(features: list[Tensor], targets: list[Tensor], offsets: list[Tensor], penalty: float, seed: int, steps: int = 30) -> Tensor:
    """
    One linear layer to a map per organ, a softmax over a patient's patches; cross-entropy to targets[i] [n, o], which
    sum to 1 over the patches, or to 0 where there is no contour. offsets[i] [n] are the logs of how many patches of the
    patient each row stands for, where only some of them are given. Weights [c, o]
    """
    generator = torch.Generator().manual_seed(seed)
    w = (torch.randn(features[0].shape[1], targets[0].shape[1], generator=generator) * 1e-3).requires_grad_()
    contours = sum(float(t.sum()) for t in targets)

    def loss() -> Tensor:
        entropy = sum(-(t * F.log_softmax(f @ w + more[:, None], 0)).sum() for f, t, more in zip(features, targets, offsets))
        return entropy / contours + penalty * w.square().sum()

    minimise(loss, [w], steps)
    return w.detach()


def fit_logistic(x: np.ndarray, y: np.ndarray, penalty: float, steps: int = 100) -> tuple[np.ndarray, float]:
    """Two classes; x standardised [n, c], y 0 or 1. Mean log loss + penalty · |w|²"""
    features, labels = torch.from_numpy(x).double(), torch.from_numpy(y).double()
    w = torch.zeros(x.shape[1], dtype=torch.float64, requires_grad=True)
    b = torch.zeros(1, dtype=torch.float64, requires_grad=True)
    minimise(lambda: F.binary_cross_entropy_with_logits(features @ w + b, labels) + penalty * w.square().sum(), [w, b], steps)
    return w.detach().numpy(), float(b.detach())
