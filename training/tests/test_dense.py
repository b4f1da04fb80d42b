"""The terms of our own against hand-computed values."""

import math

import pytest
import torch
from training import dense
from training.augment import MEAN, STD


def line(*along_x: float) -> torch.Tensor:
    """Places [1, n, 3] on one line, in 100 mm."""
    return torch.tensor([[[0.0, 0.0, x] for x in along_x]])


def test_placing_ignores_a_common_shift_and_sees_the_rest():
    true = [torch.rand(2, 4, 3), torch.rand(2, 1, 3)]
    shift = torch.tensor([[[3.0, -1.0, 2.0]], [[0.0, 9.0, 1.0]]])
    assert dense.placing([t + shift for t in true], true).item() == pytest.approx(0, abs=1e-6)
    # One kind is off by +0.5 along z and the other by −0.5: |error| 0.5 in a third of the numbers, smooth L1 0.5 − 0.1.
    along_z = torch.tensor([0.5, 0.0, 0.0])
    assert dense.placing([true[0] + along_z, true[1] - along_z], true).item() == pytest.approx(0.4 / 3, abs=1e-6)


def test_matching_by_hand():
    """One query on the first of two keys a patch apart, width 1/√2: the aim is softmax(0, −1)."""
    keys = torch.tensor([[[3.0, 0.0], [0.0, 0.5]]])
    at, key_at = line(0.2), line(0.2, 0.35)
    near = 1 / (1 + math.exp(-1))
    for query, cosines in (((2.0, 0.0), (1, 0)), ((0.0, 9.0), (0, 1)), ((1.0, 1.0), (math.sqrt(0.5),) * 2)):
        log = [c / 0.5 - math.log(sum(math.exp(k / 0.5) for k in cosines)) for c in cosines]
        expected = -(near * log[0] + (1 - near) * log[1])
        found = dense.matching(torch.tensor([[query]]), at, keys, key_at, 0.5, width=math.sqrt(0.5))
        assert found.item() == pytest.approx(expected, abs=1e-5)


def test_matching_leaves_out_what_the_other_view_does_not_show_and_never_looks_into_another_scan():
    torch.manual_seed(0)
    queries, keys = torch.randn(2, 3, 8), torch.randn(2, 4, 8)
    at, key_at = line(0.0, 0.15, 0.9).expand(2, 3, 3), line(0.0, 0.15, 0.3, 0.45).expand(2, 4, 3)
    both = dense.matching(queries, at, keys, key_at, 0.1)
    alone = [dense.matching(queries[i, None, :2], at[i, None, :2], keys[i, None], key_at[i, None], 0.1) for i in (0, 1)]
    assert both.item() == pytest.approx((alone[0] + alone[1]).item() / 2, abs=1e-5)
    nothing = dense.matching(queries, at + 5, keys, key_at, 0.1)
    assert nothing.item() == 0


def test_matching_is_least_where_the_features_are_of_the_place():
    at = torch.cartesian_prod(*[torch.arange(4) * 0.15] * 3)[None]
    moved = at + 0.03
    waves = torch.randn(3, 64) * 12
    code = lambda p: torch.cat([(p @ waves).sin(), (p @ waves).cos()], -1)  # noqa: E731
    assert dense.matching(code(moved), moved, code(at), at, 0.1) < dense.matching(code(moved.flip(1)), moved, code(at), at, 0.1)


def test_hu_cells_are_means_in_grid_order_over_the_range_and_through_the_window():
    hu = torch.full((1, 1, 12, 6, 6), -1000.0)
    hu[0, 0, 6:8, 0:2, 4:6] = 40.0  # patch 1, its first cell along z and y, the last along x
    hu[0, 0, 0, 0, 0] = 640.0  # one voxel of the eight of patch 0's first cell
    cells = dense.hu_cells((hu - MEAN) / STD, 6)
    assert cells.shape == (1, 2, 54)
    full, soft = cells[0, :, :27], cells[0, :, 27:]
    assert full[1, 2].item() == pytest.approx((40 - MEAN) / STD, abs=1e-5)
    assert full[0, 0].item() == pytest.approx(((640 - 7000) / 8 - MEAN) / STD, abs=1e-5)
    assert soft[1, 2].item() == pytest.approx(0, abs=1e-5)  # 40 HU is the window's middle
    assert soft[0, 0].item() == pytest.approx((1 - 7) / 8, abs=1e-5)
    assert soft[0, 1].item() == pytest.approx(-1, abs=1e-5)
