"""Loss terms, targets, schedules and the EMA against numbers worked out by hand or by another method."""

import math

import numpy as np
import pytest
import torch

from training import dino, losses
from training.options import parse
from training.optimiser import rule
from training.schedules import cosine, linear


def test_centred_targets_are_the_softmax_of_what_stands_out():
    logits, centre = torch.tensor([[1.0, 2.0]]), torch.tensor([1.0, 1.0])
    expected = 1 / (1 + math.exp(-1 / 0.5))  # (0, 1) / 0.5
    assert losses.centred(logits, centre, 0.5)[0, 1].item() == pytest.approx(expected, abs=1e-6)


def test_sinkhorn_agrees_with_a_transport_plan_scaled_until_it_converges():
    random = np.random.default_rng(0)
    logits = random.uniform(-1, 1, (6, 4))
    # Oracle: potentials in the log domain, float64, 500 rounds.
    cost, f, g = logits / 0.3, np.zeros(6), np.zeros(4)
    for _ in range(500):
        g = math.log(6 / 4) - np.log(np.exp(cost + f[:, None]).sum(0))
        f = -np.log(np.exp(cost + g).sum(1))
    plan = np.exp(cost + f[:, None] + g)
    got = losses.sinkhorn(torch.from_numpy(logits), 0.3, rounds=200).numpy()
    assert np.allclose(got, plan, atol=1e-5)
    assert np.allclose(got.sum(1), 1, atol=1e-6) and np.allclose(got.sum(0), 1.5, atol=1e-4)


def test_sinkhorn_with_a_queue_gives_targets_for_the_new_rows_only():
    both = torch.rand(5, 3)
    whole = losses.sinkhorn(both, 0.1)
    assert torch.allclose(losses.sinkhorn(both[:2], 0.1, queue=both[2:]), whole[:2], atol=1e-6)


def test_dino_is_the_mean_over_pairs_of_different_views():
    targets = torch.tensor([[[1.0, 0.0]], [[0.0, 1.0]]])  # 2 views, 1 scan, 2 prototypes
    logits = torch.zeros(3, 1, 2)
    logits[2, 0] = torch.tensor([0.1, 0.0])  # a local view; over 0.1: softmax(1, 0)
    p = 1 / (1 + math.exp(-1))
    # Pairs: (0, 1) and (1, 0) see uniform logits, log 2 each; (0, local) −log p; (1, local) −log(1 − p).
    expected = (2 * math.log(2) - math.log(p) - math.log(1 - p)) / 4
    assert losses.dino(targets, logits, 0.1).item() == pytest.approx(expected, abs=1e-6)


def test_published_numbers_of_terms_with_eight_local_crops():
    targets = torch.full((2, 1, 4), 0.25)
    assert losses.dino(targets, torch.zeros(10, 1, 4), 0.1).item() == pytest.approx(math.log(4) * 18 / 18, abs=1e-6)


def test_ibot_weighs_crops_not_patches_and_counts_the_unmasked():
    targets = torch.tensor([[1.0, 0.0]]).repeat(3, 1)
    logits = torch.tensor([[0.0, 0.0], [0.0, 0.0], [0.1, 0.0]])
    crop = torch.tensor([0, 0, 2])  # crop 1 and crop 3 have no masked patch
    p = 1 / (1 + math.exp(-1))
    assert losses.ibot(targets, logits, crop, 4, 0.1).item() == pytest.approx((math.log(2) - math.log(p)) / 4, abs=1e-6)


def test_koleo_by_hand():
    # Unit vectors at 0°, 60° and 180°: nearest distances 1, 1 and √3 (180° to 60°).
    angles = torch.tensor([0.0, math.pi / 3, math.pi])
    vectors = torch.stack([angles.cos(), angles.sin()], 1) * torch.tensor([[1.0], [5.0], [0.2]])
    assert losses.koleo(vectors).item() == pytest.approx(-math.log(math.sqrt(3)) / 3, abs=1e-5)


def test_entropy_is_a_share_of_log_k():
    p = torch.tensor([[0.25] * 4, [1.0, 0, 0, 0], [0.5, 0.5, 0, 0]])
    assert losses.entropy(p).tolist() == pytest.approx([1, 0, 0.5], abs=1e-6)


def test_schedules_at_their_corners():
    assert cosine(0, 101, 1.0, 0.2, warmup=10) == 0
    assert cosine(5, 101, 1.0, 0.2, warmup=10) == 0.5
    assert cosine(10, 101, 1.0, 0.2, warmup=10) == 1.0
    assert cosine(55, 101, 1.0, 0.2, warmup=10) == pytest.approx(0.6)  # half way between 10 and 100
    assert cosine(100, 101, 1.0, 0.2, warmup=10) == pytest.approx(0.2)
    assert [linear(s, 10, 0.04, 0.07) for s in (0, 5, 10, 99)] == pytest.approx([0.04, 0.055, 0.07, 0.07])


def test_layer_wise_rates_as_published():
    """12 blocks, 0.9 per block: head and final norm 1, block 11 0.9, block 0 0.9¹², embedding 0.9¹³ · 0.2."""
    assert rule("dino_head.prototypes", 12, 0.9, 0.2).lr == 1 and rule("dino_head.prototypes", 12, 0.9, 0.2).last
    assert rule("backbone.norm.weight", 12, 0.9, 0.2) == type(rule("x", 1, 1, 1))(1.0, False, False)
    assert rule("backbone.blocks.11.attn.qkv.weight", 12, 0.9, 0.2).lr == pytest.approx(0.9)
    assert rule("backbone.blocks.0.mlp.fc1.weight", 12, 0.9, 0.2).lr == pytest.approx(0.9**12)
    assert rule("backbone.cls_token", 12, 0.9, 0.2).lr == pytest.approx(0.9**13)
    assert rule("backbone.patch_embed.proj.weight", 12, 0.9, 0.2).lr == pytest.approx(0.9**13 * 0.2)
    decays = {n: rule(n, 12, 0.9, 0.2).decay for n in ("backbone.blocks.3.ls1.gamma", "dino_head.mlp.0.bias", "dino_head.mlp.0.weight")}
    assert list(decays.values()) == [False, False, True]


def test_the_teacher_follows_by_the_momentum():
    teacher, student = torch.nn.Linear(1, 1), torch.nn.Linear(1, 1)
    torch.nn.init.constant_(teacher.weight, 1.0)
    torch.nn.init.constant_(student.weight, 3.0)
    dino.follow(teacher, student, 0.9)
    dino.follow(teacher, student, 0.9)
    assert teacher.weight.item() == pytest.approx(0.9 * (0.9 * 1 + 0.1 * 3) + 0.1 * 3)


def test_the_centre_moves_once_a_step_by_the_mean_of_all_its_micro_batches():
    targets = dino.Targets(2, 1, "centre", standardise=True)
    targets(torch.tensor([[1.0, 0.0], [3.0, 0.0]]), torch.tensor([[1.0], [2.0]]), 0.1)
    targets(torch.tensor([[5.0, 6.0]]), torch.tensor([[6.0]]), 0.1)
    targets.end_step(0.9)
    assert targets.centre.tolist() == pytest.approx([0.1 * 3, 0.1 * 2])
    # The first step counts fully: mean 3, mean of squares 41/3. The next one, all 0, half; then a tenth at most.
    assert targets.moments()[:, 0].tolist() == pytest.approx([3, math.sqrt(41 / 3 - 9)], abs=1e-5)
    targets(torch.zeros(1, 2), torch.zeros(1, 1), 0.1)
    targets.end_step(0.9)
    assert targets.moments()[:, 0].tolist() == pytest.approx([1.5, math.sqrt(41 / 6 - 2.25)], abs=1e-5)


def test_standardised_heads_tell_apart_what_points_the_same_way():
    """Tokens that differ by 1 %: without it every target is uniform, which is how the first try's CLS ended."""
    torch.manual_seed(0)
    head = dino.Head(16, 32, 8, 64)
    tokens = torch.randn(1, 16) + 0.01 * torch.randn(40, 16)
    for standardise, uniform in ((False, True), (True, False)):
        targets = dino.Targets(64, 8, "sinkhorn", standardise=standardise)
        targets(*head(tokens), 0.04)
        targets.end_step(0.9)
        entropy = losses.entropy(targets(*head(tokens, targets.moments()), 0.04)).mean().item()
        assert (entropy > 0.99) == uniform


def test_a_head_gives_cosines_and_a_scaled_prototype_changes_nothing():
    head = dino.Head(8, 16, 4, 5)
    tokens = torch.randn(3, 8)
    logits, _ = head(tokens)
    assert logits.abs().max() <= 1 + 1e-6
    head.prototypes.data.mul_(7)
    assert torch.allclose(head(tokens)[0], logits, atol=1e-6)


def test_the_defaults_are_the_published_recipe():
    o = parse(["--data", "a", "--out", "b"], "")
    assert (o.dim, o.depth, o.heads, o.patch, o.prototypes, o.head_hidden, o.bottleneck) == (864, 12, 12, 14, 65536, 2048, 256)
    assert (o.dino, o.ibot, o.koleo, o.place, o.momentum, o.student_temperature) == (1, 1, 0.1, 0, 0.994, 0.1)
    assert o.temperature == (0.04, 0.07) and o.centring == "centre" and o.patch_prototypes == 0 and o.locals == 8
    with torch.device("meta"):
        count = sum(p.numel() for p in dino.Network(o).backbone.parameters())
    assert count == pytest.approx(110.0e6, rel=0.01)
