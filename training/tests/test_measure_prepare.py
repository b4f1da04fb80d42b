"""The prepared input, against the original code's golden values and against what geometry demands."""

import json
from pathlib import Path

import nibabel
import numpy as np
import pytest

from training.card import Crop, Recipe
from training.faults import ExportFault
from training.measure_cells import from_patches, occupancy, to_patches, upsample
from training.measure_prepare import Volume, body_window, canonical, linear, prepare, read_nifti

SHARED = Path(__file__).resolve().parents[2].parent / "shared"
FIXTURES = SHARED / "fixtures" / "voxelfm-tiny"


@pytest.mark.skipif(not FIXTURES.exists(), reason="../shared/fixtures/voxelfm-tiny is not here")
@pytest.mark.parametrize("name", ["STS_001", "C3N-00247", "example_ct"])
def test_input_equals_the_original_pipeline(name):
    facts = json.loads((FIXTURES / f"{name}.json").read_text())
    volume = SHARED / facts["volume"]
    if not volume.exists():
        pytest.skip(f"{facts['volume']} is not here")
    made = prepare(read_nifti(volume), Recipe(patchBudget=facts["max_patches"])).voxels
    golden = np.load(FIXTURES / f"{name}.npz")["input_slice"]
    assert list(made.shape) == facts["input_shape"]
    assert np.abs(made[len(made) // 2] - golden).max() <= 1e-3
    assert made.mean() == pytest.approx(facts["input_mean"], abs=1e-4)


def oblique() -> np.ndarray:
    """NIfTI affine, RAS mm: axes turned by 12° about z, stored y, x, z with x running to the right."""
    a = np.radians(12)
    turn = np.array([[np.cos(a), -np.sin(a), 0], [np.sin(a), np.cos(a), 0], [0, 0, 1]])
    stored = np.array([[0, 1.5, 0], [1.25, 0, 0], [0, 0, 3.0]])
    affine = np.eye(4)
    affine[:3, :3], affine[:3, 3] = turn @ stored, [-30, 40, -100]
    return affine


def test_canonical_axes_keep_every_voxel_where_it_is():
    array = np.random.default_rng(0).normal(size=(5, 6, 7)).astype(np.float32)
    affine = oblique()
    volume = canonical(array, affine)
    assert volume.voxels.shape == (7, 5, 6)
    assert volume.spacing == pytest.approx([3.0, 1.25, 1.5])
    assert (np.diag(volume.affine[:3, :3][::-1]) > 0).all()  # z to the head, y to the back, x to the left
    for index in [(0, 0, 0), (4, 5, 6), (1, 3, 2)]:
        ras = affine @ [*index, 1]
        z, y, x = np.round(np.linalg.solve(volume.affine, ras * [-1, -1, 1, 1])[:3]).astype(int)
        assert volume.voxels[z, y, x] == array[index]


def test_grid_to_patient_finds_the_patch_in_the_patient():
    """A volume that holds its own LPS x in mm: the mean over a patch is the x of the patch's centre."""
    shape, affine = (30, 40, 36), np.diag([-1.0, -1, 1, 1]) @ oblique()
    index = np.indices(shape).reshape(3, -1)
    for axis in range(3):
        mm = (affine[axis, :3] @ index + affine[axis, 3]).reshape(shape)
        ras = np.diag([-1.0, -1, 1, 1]) @ affine
        recipe = Recipe(clip=(-4000, 4000), crop=None, spacingFloor=2.0, patch=4, mean=0, std=1, patchBudget=300)
        made = prepare(canonical(mm, ras), recipe)
        matrix = made.grid_to_patient()
        z, y, x = (n // 2 for n in made.grid)  # away from the ends, where resampling holds the last value
        cut = made.voxels[4 * z : 4 * z + 4, 4 * y : 4 * y + 4, 4 * x : 4 * x + 4]
        assert cut.mean() == pytest.approx((matrix @ [z, y, x, 1])[axis], abs=0.02)


def test_linear_weights_are_pytorchs():
    import torch

    signal = torch.randn(1, 1, 11, dtype=torch.float64)
    for n in (4, 11, 23):
        expected = torch.nn.functional.interpolate(signal, size=n, mode="linear", align_corners=False)
        assert linear(11, n) @ signal[0, 0].numpy() == pytest.approx(expected[0, 0].numpy(), abs=1e-5)


def test_body_window_by_hand():
    hu = np.full((40, 40, 40), -1000.0)
    hu[10:30, 12:30, 14:30] = 0
    # k = 3: a voxel of a face has 18 of 27 body voxels about it, one outside it 9; grown by one
    start, end = body_window(hu, Crop(kernel=3))
    assert start.tolist() == [9, 11, 13] and end.tolist() == [31, 31, 31]
    with pytest.raises(ExportFault, match="no body"):
        body_window(np.full((30, 30, 30), -1000.0), Crop())


def test_cells_and_voxels():
    volume = Volume(np.zeros((24, 24, 24), np.float32), np.diag([1.0, 1, 1, 1]))
    made = prepare(volume, Recipe(crop=None, patch=8))
    mask = np.zeros((24, 24, 24), bool)
    mask[4:8, 0:4, 0:2] = True
    share = occupancy(mask, made, 2)  # cells of 4 voxels
    assert share.shape == (6, 6, 6)
    assert share[1, 0, 0] == pytest.approx(0.5) and share.sum() == pytest.approx(0.5)
    assert np.array_equal(from_patches(to_patches(share[None], 2), made.grid, 2)[0], share)

    values = np.random.default_rng(0).random((6, 6, 6)).astype(np.float32)
    box, up = upsample(values, made, mask.shape, 0.1)
    import torch

    expected = torch.nn.functional.interpolate(torch.from_numpy(values)[None, None], size=24, mode="trilinear")[0, 0].numpy()
    whole = np.zeros(mask.shape, np.float32)
    whole[box] = up
    assert np.where(whole > 0.1, whole, 0) == pytest.approx(np.where(expected > 0.1, expected, 0), abs=1e-5)


def test_a_damaged_file_is_named(tmp_path):
    (tmp_path / "x.nii.gz").write_bytes(b"not gzip")
    with pytest.raises(ExportFault, match="x.nii.gz"):
        read_nifti(tmp_path / "x.nii.gz")
    nibabel.save(nibabel.Nifti1Image(np.zeros((4, 5, 6), np.int16), np.eye(4)), tmp_path / "y.nii.gz")
    assert read_nifti(tmp_path / "y.nii.gz").voxels.shape == (6, 5, 4)
