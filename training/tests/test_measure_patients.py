"""Who may be learnt from; and crops, centres and localisation on a patient made of boxes."""

import numpy as np
import pytest

from training.card import Recipe
from training.faults import ExportFault
from training.measure_adrenal import as_input, octants
from training.measure_crops import Crops, per_patient, retrieval, window
from training.measure_features import position, raw_patches
from training.measure_localisation import box_of, distance, expected, patch_centres, target
from training.measure_patients import DRAWN, POOL, SEEDS, TUNING, Patient, centres, check_apart, draw
from training.measure_prepare import Volume, prepare


def patient() -> Patient:
    labels = np.zeros((32, 40, 48), np.uint8)
    labels[8:12, 20:24, 30:36] = 1
    labels[20:24, 10:14, 10:14] = 4
    affine = np.array([[0, 0, 2.0, -48], [0, 2.0, 0, -40], [2.0, 0, 0, 100], [0, 0, 0, 1]])
    prepared = prepare(Volume(labels.astype(np.float32) * 50, affine), Recipe(crop=None, patch=8))
    return Patient(1, prepared, labels, centres(labels, affine))


def test_centres_are_in_patient_mm():
    found = patient()
    assert found.centres[0] == pytest.approx([-48 + 2 * 32.5, -40 + 2 * 21.5, 100 + 2 * 9.5])
    assert found.present.tolist() == [True, False, False, True, False, False, False]


def test_no_seed_fits_and_tunes_on_the_same_patient():
    for seed in SEEDS:
        fitted, tuned = draw(POOL, seed)
        assert len(fitted) == DRAWN - TUNING and len(tuned) == TUNING
        assert not set(fitted) & set(tuned)
        assert all(np.array_equal(a, b) for a, b in zip(draw(POOL, seed), (fitted, tuned)))
    assert set(draw(POOL, 0)[0]) != set(draw(POOL, 1)[0])


def test_a_patient_of_both_folders_is_refused():
    check_apart([1, 2], [3])
    with pytest.raises(ExportFault, match=r"\[2\]"):
        check_apart([1, 2], [2, 3])


def test_target_is_the_centre_and_the_error_is_mm():
    found = patient()
    weights, where = target(found), patch_centres(found.prepared)
    assert weights[:, 1].sum() == 0 and weights[:, 0].sum() == pytest.approx(1)
    assert weights[:, 0] @ where == pytest.approx(found.centres[0], abs=1e-3)
    places = np.where(found.present[:, None], found.centres + [3, 4, 0], 0)
    assert distance(places, found)[[0, 3]] == pytest.approx([5, 5])
    assert np.isnan(distance(places, found)[1])
    flat = np.zeros((len(where), 2))
    assert expected(flat, np.zeros((2, 7)), where, 1.0)[0] == pytest.approx(where.mean(0))


def test_box_places_go_there_and_back():
    found = patient()
    assert box_of(found, patch_centres(found.prepared)).mean(0) == pytest.approx([0.5, 0.5, 0.5])
    again = box_of(found, box_of(found, found.centres[[0]]), back=True)
    assert again == pytest.approx(found.centres[[0]])


def test_raw_patches_and_position_lie_on_the_grid():
    prepared = patient().prepared
    assert np.array_equal(raw_patches(prepared)[1, 2, 3].reshape(8, 8, 8), prepared.voxels[8:16, 16:24, 24:32])
    assert position(prepared).shape[:3] == prepared.grid


def test_a_window_beyond_the_volume_is_air():
    voxels = np.ones((4, 4, 4), np.float32)
    cut = window(voxels, np.array([-2, 0, 3]), 4, np.float32(-5))
    assert (cut[2:, :, :1] == 1).all() and (cut == -5).sum() == 64 - 8
    assert (window(voxels, np.array([9, 9, 9]), 4, np.float32(-5)) == -5).all()


def test_retrieval_of_perfect_and_of_blind_features():
    organ = np.tile(np.arange(7), 40)
    who = np.repeat(np.arange(40), 7)
    crops = Crops(np.zeros((280, 1, 1, 1)), organ, who)
    perfect = retrieval(np.eye(7)[organ], crops)
    assert perfect[1].shape == (40, 7) and (perfect[1] == 1).all()
    blind = retrieval(np.random.default_rng(0).normal(size=(280, 64)), crops)
    assert blind[1].mean() < 0.04 and blind[10].mean() == pytest.approx(0.1, abs=0.04)
    one = per_patient(np.arange(280.0), crops)
    assert one[2, 3] == 17


def test_shapes_become_hu_on_whole_patches():
    masks = np.zeros((1, 64, 64, 64), bool)
    masks[0, 0, 0, 0] = True
    made = as_input(masks, Recipe())  # patch 14: 64 → 70, three voxels of air on each side
    assert made.shape == (1, 70, 70, 70)
    assert made[0, 3, 3, 3] == pytest.approx((40 + 573.8) / 461.3) and made[0, 0, 0, 0] == pytest.approx((-1000 + 573.8) / 461.3)
    patches = np.arange(27.0).reshape(1, 3, 3, 3, 1)
    assert octants(patches)[0, 0] == patches[0, :2, :2, :2].mean()
