"""Preparing volumes: axes, crop, resampling, refusals, and reading only a crop."""

import json

import nibabel
import numpy as np
import pytest

from training import volumes
from training.faults import TrainingFault


def nifti(path, hu, affine):
    nibabel.save(nibabel.Nifti1Image(hu.astype(np.float32), affine), path)
    return path


def body(shape=(64, 60, 56)):
    """Array [x right, y front, z up] with a marker on the patient's left, in front, near the head."""
    hu = np.full(shape, -1000.0)
    hu[4:-4, 4:-4, 4:-4] = 0
    hu[6:16, -16:-6, -16:-6] = 500  # low x is left, high y is front, high z is head
    return hu


@pytest.mark.parametrize("affine", [np.diag([2.0, 2, 2, 1]), np.diag([-2.0, -2, 2, 1]), np.diag([2.0, 2, -2, 1])])
def test_every_orientation_comes_out_z_to_head_y_to_back_x_to_left(tmp_path, affine):
    ras = body()
    stored = ras[:: int(np.sign(affine[0, 0])), :: int(np.sign(affine[1, 1])), :: int(np.sign(affine[2, 2]))]
    hu, spacing = volumes.read_nifti(nifti(tmp_path / "a.nii.gz", stored, affine))
    assert hu.shape == (56, 60, 64) and spacing == (2, 2, 2)
    z, y, x = (axis.mean() for axis in np.nonzero(hu > 400))
    assert z > 28 and y < 30 and x > 32


def test_the_body_crop_agrees_with_a_box_filter_written_out():
    random = np.random.default_rng(0)
    hu = np.where(random.random((40, 34, 30)) < 0.6, 0.0, -1000.0)
    hu[:6], hu[:, :, 24:] = -1000, -1000
    mask = hu > -800
    low, high = np.array(hu.shape), np.zeros(3, int)
    for at in np.ndindex(*hu.shape):  # the definition, voxel by voxel
        box = mask[tuple(slice(max(i - 10, 0), i + 11) for i in at)]
        if box.sum() > 21**3 / 2:
            low, high = np.minimum(low, at), np.maximum(high, at)
    expected = hu[tuple(slice(max(a - 10, 0), b + 11) for a, b in zip(low, high))]
    assert np.array_equal(volumes.crop_to_body(hu, "x"), expected)


def test_resampling_keeps_edges_together():
    """align_corners=False: output voxel i lies at (i + 0.5) · ratio − 0.5; half the spacing of a ramp gives quarters."""
    ramp = np.arange(8, dtype=np.float32)[:, None, None].repeat(4, 1).repeat(4, 2) * 100
    out = volumes.to_isotropic(ramp, (2.0, 1.0, 1.0), 1.0)
    assert out.shape == (16, 4, 4) and out.dtype == np.int16
    assert out[:4, 0, 0].tolist() == [0, 25, 75, 125]


def test_prepare_adds_to_the_index_and_reads_back_only_the_crop(tmp_path):
    out = tmp_path / "p"
    for name, weight in (("a", "1"), ("b", "3")):
        path = nifti(tmp_path / f"{name}.nii.gz", body(), np.diag([2.0, 2, 2, 1]))
        assert volumes.main([str(path), "--out", str(out), "--spacing", "2", "--weight", weight]) == 0
    found = volumes.open_volumes([out], 24)
    assert [v.weight for v in found] == [1, 3] and found[0].spacing == 2
    assert isinstance(found[0].voxels, np.memmap) and found[0].voxels.dtype == np.int16
    crop = found[0].crop((1, 2, 3), (4, 5, 6))
    assert np.array_equal(crop.numpy(), found[0].voxels[1:5, 2:7, 3:9])
    row = volumes.read_rows(out)[0]
    assert json.loads(row["shape"]) == list(found[0].voxels.shape) and str(tmp_path) not in row["source"]


def prepared(folder, **arrays):
    folder.mkdir(exist_ok=True)
    rows = []
    for name, array in arrays.items():
        np.save(folder / f"{name}.npy", array)
        rows.append(dict(zip(volumes.COLUMNS, [f"{name}.npy", str(list(array.shape)), 2.0, name, 1.0])))
    (folder / "index.csv").write_text(volumes.to_csv(rows))
    return folder


def test_bad_input_is_named(tmp_path, capsys):
    nan = body()
    nan[3, 3, 3] = np.nan
    path = nifti(tmp_path / "nan.nii.gz", nan, np.eye(4))
    assert volumes.main([str(path), "--out", str(tmp_path / "p")]) == 2
    assert "nan.nii.gz holds NaN" in capsys.readouterr().err
    (tmp_path / "cut.nii.gz").write_bytes(path.read_bytes()[:2000])
    assert volumes.main([str(tmp_path / "cut.nii.gz"), "--out", str(tmp_path / "p")]) == 2
    assert "cut.nii.gz is no readable NIfTI" in capsys.readouterr().err

    with pytest.raises(TrainingFault, match="no index.csv"):
        volumes.open_volumes([tmp_path], 24)
    with pytest.raises(TrainingFault, match="no volumes in"):
        volumes.open_volumes([prepared(tmp_path / "empty")], 24)
    with pytest.raises(TrainingFault, match=r"thin.npy is 40 × 10 × 40 voxels, shorter than the smallest crop of 24"):
        volumes.open_volumes([prepared(tmp_path / "thin", thin=np.zeros((40, 10, 40), np.int16))], 24)
    broken = prepared(tmp_path / "broken", b=np.zeros((40, 40, 40), np.int16))
    (broken / "b.npy").write_bytes((broken / "b.npy").read_bytes()[:5000])
    with pytest.raises(TrainingFault, match="b.npy in .* cannot be read"):
        volumes.open_volumes([broken], 24)
    floats = np.zeros((40, 40, 40), np.float32)
    floats[5, 5, 5] = np.nan
    volume = volumes.open_volumes([prepared(tmp_path / "floats", f=floats)], 24)[0]
    with pytest.raises(TrainingFault, match="f.npy holds NaN"):
        volume.crop((0, 0, 0), (10, 10, 10))
