"""Which patches of the global crops the student does not see."""

import numpy as np


def batch_masks(crops: int, grid: tuple[int, int, int], share: float, ratios: tuple[float, float], rng) -> np.ndarray:
    """
    [crops, n] bool. A `share` of the crops is masked, at ratios spread evenly over `ratios` (one draw per equal
    segment), and which crop gets which is shuffled.
    """
    masked = round(crops * share)
    edges = np.linspace(*ratios, masked + 1)
    masks = [block_mask(grid, rng.uniform(low, high), rng) for low, high in zip(edges, edges[1:])]
    masks += [np.zeros(grid, bool)] * (crops - masked)
    return np.stack([masks[i] for i in rng.permutation(crops)]).reshape(crops, -1)


def block_mask(grid: tuple[int, int, int], ratio: float, rng, least: int = 4) -> np.ndarray:
    """[z, y, x] bool with exactly round(ratio · n) patches: random boxes first, single patches for what is left."""
    mask = np.zeros(grid, bool)
    wanted = round(ratio * mask.size)
    for _ in range(10 * max(wanted // least, 1)):
        left = wanted - int(mask.sum())
        if left < least:
            break
        volume = rng.uniform(least, left)
        h_to_w, d_to_w = np.exp(rng.uniform(np.log(0.3), np.log(1 / 0.3), 2))
        w = (volume / (h_to_w * d_to_w)) ** (1 / 3)
        size = [max(round(s), 1) for s in (d_to_w * w, h_to_w * w, w)]
        if any(s > n for s, n in zip(size, grid)):
            continue
        start = [int(rng.integers(n - s + 1)) for s, n in zip(size, grid)]
        box = tuple(slice(a, a + s) for a, s in zip(start, size))
        if 0 < (~mask[box]).sum() <= left:
            mask[box] = True
    free = np.flatnonzero(~mask)
    mask.reshape(-1)[rng.choice(free, wanted - int(mask.sum()), replace=False)] = True
    return mask
