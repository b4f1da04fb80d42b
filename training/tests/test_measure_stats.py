"""Scores against values worked out by hand."""

import numpy as np
import pytest

from training.measure_stats import auc, auc_interval, dice, interval, recall


def test_dice_by_hand():
    a, b = np.array([1, 1, 1, 0], bool), np.array([0, 1, 1, 1], bool)
    assert dice(a, b) == pytest.approx(2 * 2 / (3 + 3))
    assert dice(a, b, outside=2) == pytest.approx(2 * 2 / (3 + 3 + 2))
    assert dice(np.zeros(4, bool), b) == 0


def test_auc_by_hand():
    # pairs (positive, negative): .8 > .1, .8 > .4, .4 > .1, .4 = .4 → 3.5 of 4
    assert auc(np.array([0.1, 0.4, 0.4, 0.8]), np.array([0, 0, 1, 1])) == pytest.approx(3.5 / 4)


def test_recall_by_hand():
    positive = np.array([0.9, 0.5, 0.5])
    negatives = np.array([[0.1, 0.2], [0.6, 0.1], [0.5, 0.9]])  # ranks 1, 2, and 3: a tie is a miss
    assert recall(positive, negatives, 1).tolist() == [True, False, False]
    assert recall(positive, negatives, 2).tolist() == [True, True, False]


def test_mean_goes_over_patients_then_organs():
    table = np.array([[1.0, np.nan], [0.0, np.nan], [1.0, 0.0], [0.0, 0.0]])
    assert interval(table)[0] == pytest.approx((0.5 + 0.0) / 2)  # not 2 / 6


def test_interval_is_repeatable_and_near_the_normal_one():
    values = np.random.default_rng(0).normal(5, 1, 400)
    mean, low, high = interval(values)
    assert interval(values) == (mean, low, high)
    assert interval(values, seed=1) != (mean, low, high)
    half = 1.96 * values.std() / np.sqrt(400)  # 0.098
    assert low == pytest.approx(mean - half, abs=0.02) and high == pytest.approx(mean + half, abs=0.02)


def test_auc_interval_of_a_perfect_score_has_no_width():
    labels = np.array([0, 0, 0, 1, 1])
    assert auc_interval(np.array([[0.0, 0.1, 0.2, 0.8, 0.9]]), labels) == (1.0, 1.0, 1.0)
