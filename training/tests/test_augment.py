"""Where crops lie, what their patches' places say, masks, and the HU window."""

import numpy as np
import pytest
import torch

from training.augment import MEAN, STD, Augmentation, Box, cut, place, sides, views, window
from training.masking import batch_masks, block_mask
from training.volumes import Volume


def ramp(shape=(40, 50, 60), spacing=2.0) -> Volume:
    """HU = z + 100 · y/… so that every voxel tells where it lies: z + 50 y/… kept inside the clip."""
    z, y, x = np.meshgrid(*(np.arange(n) for n in shape), indexing="ij")
    return Volume("ramp", (z + 10 * y - 5 * x).astype(np.int16), spacing, 1.0)


def hu_at(places: torch.Tensor, spacing: float) -> torch.Tensor:
    """The ramp's value at a place in units of 100 mm, measured from the volume's edge."""
    voxel = places * 100 / spacing - 0.5
    return voxel[..., 0] + 10 * voxel[..., 1] - 5 * voxel[..., 2]


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 0, 1), (1, 2, 0), (2, 1, 0)])
@pytest.mark.parametrize("flips", [[False] * 3, [True, False, True]])
def test_the_mean_of_a_patch_is_the_volume_at_the_place_it_claims(order, flips):
    """A linear ramp: trilinear resampling keeps it, and a patch's mean is its value at the patch's centre."""
    volume, size = ramp(), (12, 18, 24)
    view = cut(volume, Box((5.0, 6.0, 7.0), (24.0, 24.0, 24.0)), size, 6, order, flips)
    means = torch.nn.functional.avg_pool3d(view.voxels[None], 6)[0, 0]
    assert view.voxels.shape == (1, *size) and view.places.shape == (2, 3, 4, 3)
    # Down-sampling by a whole factor averages two voxels about the middle: exact on a ramp.
    assert torch.allclose(means, hu_at(view.places, 2.0), atol=0.05 * 15)


def test_published_scales_are_shares_of_the_shortest_axis():
    how, random = Augmentation(), np.random.default_rng(0)
    drawn = [sides((100, 200, 400), (112, 112, 112), how, how.global_scale, random) for _ in range(400)]
    assert all(len(set(s)) == 1 for s in drawn)
    assert 32 <= min(drawn)[0] < 36 and 96 < max(drawn)[0] <= 100
    flat = sides((100, 200, 400), (56, 112, 112), how, (0.5, 0.5), random)
    assert flat == (25.0, 50.0, 50.0)


def test_zoom_keeps_the_millimetres_of_a_patch_and_stays_inside():
    how, random = Augmentation(zoom=(0.8, 1.25)), np.random.default_rng(0)
    for _ in range(100):
        s = sides((40, 200, 200), (48, 48, 48), how, (0, 0), random)
        assert s[0] <= 40 and s[1] == s[2] and 48 * 0.8 <= s[1] <= 48 * 1.25


def test_near_views_have_their_centres_within_reach():
    random, shape = np.random.default_rng(1), (100, 100, 100)
    first = place(shape, (40.0, 40.0, 40.0), None, random)
    for _ in range(200):
        second = place(shape, (20.0, 20.0, 20.0), (first, 0.5), random)
        for axis in range(3):
            assert 0 <= second.start[axis] <= 80
            assert abs(second.start[axis] + 10 - first.start[axis] - 20) <= 20 + 1e-9


def test_views_repeat_with_their_generator_and_only_globals_are_flipped():
    how = Augmentation(zoom=(1.0, 1.0), permute=False, flip=(1.0, 1.0, 1.0), window=0.0)
    one, two = (views(ramp(), ((18, 18, 18), (12, 12, 12)), 6, 2, how, np.random.default_rng(3)) for _ in range(2))
    assert len(one) == 4 and all(torch.equal(a.voxels, b.voxels) for a, b in zip(one, two))
    hu = [v.voxels * STD + MEAN for v in one]
    along_z = [float(h[0, 1, 0, 0] - h[0, 0, 0, 0]) for h in hu]
    assert along_z == pytest.approx([-1, -1, 1, 1], abs=1e-2)


def test_the_window_clips_about_the_median():
    hu = torch.full((1, 10, 10, 10), -1000.0)
    hu[0, :5] = 40.0
    hu[0, :5, :5] = 60.0
    for seed in range(20):
        out = window(hu, np.random.default_rng(seed))
        assert out.min() >= hu.min() and out.max() <= hu.max() and torch.equal(out, out.clamp(out.min(), out.max()))
    flat = window(torch.full((1, 4, 4, 4), 100.0), np.random.default_rng(0))
    assert (flat.max() - flat.min()).item() == 0  # constant stays constant, no division by zero


@pytest.mark.parametrize("ratio", [0.1, 0.3, 0.5])
def test_a_block_mask_has_exactly_its_share(ratio):
    for seed in range(10):
        mask = block_mask((8, 8, 8), ratio, np.random.default_rng(seed))
        assert mask.sum() == round(ratio * 512)


def test_block_masks_hold_boxes():
    """Masked patches have far more masked neighbours than a random mask of the same ratio would give (0.3)."""
    shares = []
    for seed in range(20):
        mask = block_mask((8, 8, 8), 0.3, np.random.default_rng(seed))
        shares.append((mask[1:] & mask[:-1]).sum() / mask[1:].sum())
    assert np.mean(shares) > 0.5


def test_batch_masks_spread_their_ratios_over_half_of_the_crops():
    masks = batch_masks(16, (8, 8, 8), 0.5, (0.1, 0.5), np.random.default_rng(0))
    ratios = np.sort(masks.mean(1))
    assert (ratios[:8] == 0).all()
    edges = np.linspace(0.1, 0.5, 9)
    assert all(low - 0.002 <= r <= high + 0.002 for r, low, high in zip(ratios[8:], edges, edges[1:]))
