"""Probes find what a linear or a conv layer can find, and no more."""

import numpy as np
import pytest
import torch

from training.probes import ConvCells, cell_loss, fill_rate, fit_conv_cells, fit_heatmaps, fit_linear_cells, fit_logistic


def test_cell_loss_by_hand():
    # one patch, one organ, one cell, half full, logit 0: entropy ln 2, its rate ½; Dice 2 · ½ · ½ / (½ + ½)
    one = torch.ones(1, 1)
    loss = cell_loss(torch.zeros(1, 1, 1), torch.full((1, 1, 1), 0.5), one, torch.ones(1), torch.tensor([0.5]))
    assert loss.item() == pytest.approx(np.log(2) / 0.5 + 1 - 0.5, abs=2e-3)


def test_an_absent_contour_teaches_nothing():
    logits = torch.randn(6, 2, 8)
    share = torch.rand(6, 2, 8)
    known = torch.ones(6, 2)
    known[3:, 1] = 0
    rate = fill_rate(share, known, torch.ones(6))
    other = logits.clone()
    other[3:, 1] += 5
    assert cell_loss(logits, share, known, torch.ones(6), rate) == cell_loss(other, share, known, torch.ones(6), rate)


def test_linear_cells_find_a_linear_rule():
    random = torch.Generator().manual_seed(0)
    x = torch.randn(2000, 5, generator=random)
    share = (x[:, 2:3, None] > 1).float().expand(-1, 1, 8).contiguous()
    w, b = fit_linear_cells(x, share, torch.ones(2000, 1), torch.ones(2000), 1e-5, 0)
    found = torch.einsum("nc,cok->nok", x, w) + b > 0
    assert (found == (share > 0.5)).float().mean() > 0.98
    again, _ = fit_linear_cells(x, share, torch.ones(2000, 1), torch.ones(2000), 1e-5, 0)
    assert torch.equal(w, again)


def test_conv_cells_see_the_neighbour_that_linear_ones_cannot():
    random = np.random.default_rng(0)
    x = [random.normal(size=(6, 6, 7, 2)).astype(np.float32) for _ in range(4)]
    truth = [np.repeat((np.roll(f[..., 0], 1, 2) > 0.5)[..., None, None], 8, -1).astype(np.float32) for f in x]

    def judge(probe: ConvCells) -> float:
        with torch.no_grad():
            return float(((probe(torch.from_numpy(x[0])[None])[0] > 0).numpy()[:, :, 1:] == truth[0][:, :, 1:]).mean())

    probe = fit_conv_cells(x, truth, np.ones((4, 1), bool), torch.tensor([2.4]), judge, 0, steps=120, window=6, every=30)
    assert judge(probe) > 0.9  # one patch alone tells nothing: 0.69 is the share of empty cells


def test_heatmaps_point_at_the_marked_patch():
    random = np.random.default_rng(0)
    features, targets = [], []
    for _ in range(10):
        f = random.normal(size=(30, 4)).astype(np.float32)
        t = np.zeros((30, 2), np.float32)
        t[f[:, 1].argmax(), 0] = 1  # organ 1 has no contour
        features.append(torch.from_numpy(f))
        targets.append(torch.from_numpy(t))
    w = fit_heatmaps(features, targets, [torch.zeros(30)] * 10, 1e-4, 0)
    hits = [int((f @ w)[:, 0].argmax() == t[:, 0].argmax()) for f, t in zip(features, targets)]
    assert sum(hits) >= 9


def test_a_patch_given_for_three_counts_as_three():
    f, t = torch.tensor([[1.0], [0.0]]), torch.tensor([[1.0], [0.0]])
    thin = fit_heatmaps([f], [t], [torch.tensor([0.0, np.log(3.0)])], 0.1, 0)
    whole = fit_heatmaps([f[[0, 1, 1, 1]]], [t[[0, 1, 1, 1]]], [torch.zeros(4)], 0.1, 0)
    assert thin.item() == pytest.approx(whole.item(), abs=1e-4)


def test_logistic_has_the_closed_form_of_one_binary_input():
    # 3 of 4 positives where x = 1, 1 of 4 where x = −1: log odds ± ln 3
    x, y = np.array([[1.0]] * 4 + [[-1.0]] * 4), np.array([1, 1, 1, 0, 1, 0, 0, 0])
    w, b = fit_logistic(x, y, 0)
    assert w[0] == pytest.approx(np.log(3), abs=1e-4) and b == pytest.approx(0, abs=1e-4)
