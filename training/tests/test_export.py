import json
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import torch

from training import onnx_file
from training.card import Crop, Recipe, encoder_id, file_digest, recipe_digest
from training.export import main
from training.golden import golden_input
from training.faults import ExportFault
from training.measure_prepare import Volume, prepare, read_nifti
from training.model import Size
from training.random_init import random_model
from training.tests.support import FIXTURE, cosines, needs_fixture, small_model, write_release

RANDOM = ["--random", "--dim", "24", "--depth", "2", "--heads", "2", "--name", "untrained"]


def run(path, volume):
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    return session.run(["cls", "patches"], {"input": volume})


def assert_same(model, path, grid):
    shape = (1, 1, *(n * model.size.patch for n in grid))
    volume = torch.randn(shape, generator=torch.Generator().manual_seed(sum(grid)))
    cls, patches = run(path, volume.numpy())
    with torch.no_grad():
        tokens = model(volume)
    assert cls.shape == (1, model.size.dim) and patches.shape == (1, *grid, model.size.dim)
    assert cosines(cls, tokens.cls.numpy()).min() >= 0.99999
    assert cosines(patches, tokens.patches.numpy()).min() >= 0.99999


@pytest.mark.parametrize("grid", [(1, 1, 1), (2, 3, 5), (5, 1, 2), (3, 7, 4)])
def test_the_graph_is_the_model(tmp_path, grid):
    model = small_model()
    onnx_file.write(model, "small", tmp_path)
    assert_same(model, tmp_path / "encoder.onnx", grid)


def test_weights_beyond_the_limit_lie_outside_and_change_the_digest(tmp_path):
    digests = []
    for seed in (0, 1):
        model, folder = small_model(seed), tmp_path / str(seed)
        folder.mkdir()
        files = onnx_file.write(model, "small", folder, message_limit=1000, part_limit=20_000)
        names = ["encoder.onnx", *(f"encoder.onnx.{n}" for n in range(1, len(files)))]
        assert [file["name"] for file in files] == names
        assert len(files) > 2 and all(file["bytes"] <= 20_000 for file in files[1:])
        assert [file["sha256"] for file in files] == [file_digest(folder / file["name"]) for file in files]
        assert_same(model, folder / "encoder.onnx", (2, 1, 3))
        digests.append(files[0]["sha256"])
    assert digests[0] != digests[1]


DATA = Path(__file__).parents[3] / "shared" / "data"
REAL = [*sorted((DATA / "trunk").glob("*.nii.gz"))[:2], *sorted((DATA / "openkbp" / "validation").glob("*_ct.nii.gz"))[:1]]


@pytest.mark.skipif(len(REAL) < 3, reason="../shared/data is absent")
@pytest.mark.parametrize("path", REAL, ids=lambda path: path.name)
def test_int8_says_the_same_of_real_volumes_at_a_quarter_of_the_size(tmp_path, path):
    """Cosine of CLS and of every patch with float32's ≥ 0.999."""
    model = random_model(Size(dim=288, depth=5, heads=3, patch=6), 3)
    prepared = prepare(read_nifti(path), Recipe(patch=6, spacingFloor=4.0, patchBudget=1500))
    sizes, tokens = [], []
    for int8 in (False, True):
        folder = tmp_path / str(int8)
        folder.mkdir()
        sizes.append(onnx_file.write(model, "wide", folder, int8=int8)[0]["bytes"])
        tokens.append(run(folder / "encoder.onnx", prepared.voxels[None, None]))
    (cls, patches), (cls8, patches8) = tokens
    assert sizes[1] < 0.3 * sizes[0]
    assert cosines(cls, cls8).min() >= 0.999
    assert cosines(patches, patches8).min() >= 0.999


def test_an_int8_encoder_says_so(tmp_path, capsys):
    assert main([*RANDOM, "--int8", "--out", str(tmp_path / "out")]) == 0
    assert json.loads((tmp_path / "out" / "encoder.json").read_text())["precision"] == "int8"
    assert capsys.readouterr().err == ""


def test_a_checkpoint_becomes_an_encoder(tmp_path, capsys):
    checkpoint, config = write_release(tmp_path, small_model())
    out = tmp_path / "out"
    command = ["--checkpoint", str(checkpoint), "--config", str(config), "--out", str(out)]
    assert main([*command, "--name", "small", "--licence", "MIT"]) == 0
    card = json.loads((out / "encoder.json").read_text())
    assert sorted(p.name for p in out.iterdir()) == ["encoder.json", "encoder.onnx", "golden.json"]
    assert json.loads(capsys.readouterr().out) == {"id": card["id"], "out": str(out)}
    assert card["status"] == "trained" and card["licence"] == "MIT" and "iteration 7" in card["source"]
    assert (card["dim"], card["depth"], card["heads"], card["patch"], card["registers"]) == (24, 2, 2, 4, 3)
    assert card["digest"] == file_digest(out / "encoder.onnx")
    assert card["recipe"]["patch"] == 4 and card["recipe"]["spacingFloor"] == 0.75
    assert str(tmp_path) not in (out / "encoder.json").read_text()


def test_golden_is_pytorchs_and_onnxruntime_agrees(tmp_path):
    out = tmp_path / "out"
    assert main([*RANDOM, "--out", str(out)]) == 0
    cases = json.loads((out / "golden.json").read_text())["cases"]
    assert len(cases) == 2 and all(len(set(case["grid"])) == 3 for case in cases)
    for case in cases:
        cls, patches = run(out / "encoder.onnx", golden_input(case["shape"])[None, None])
        assert cosines(cls[0], np.array(case["cls"])) >= 0.99999
        flat = patches.reshape(-1, patches.shape[-1])
        assert case["patches"][-1]["token"] == len(flat) - 1
        for patch in case["patches"]:
            assert cosines(flat[patch["token"]], np.array(patch["values"])) >= 0.99999


def test_the_golden_input_by_hand():
    voxels = golden_input((1, 2, 3)).ravel()
    # 2654435761 mod 2^32, its upper 24 bits 10368889, minus 2^23, over 2^22
    assert voxels.tolist()[:2] == [-2.0, (10368889 - 2**23) / 2**22]
    assert golden_input((40, 40, 40)).min() >= -2 and golden_input((40, 40, 40)).max() < 2


def test_random_weights_depend_on_the_seed_alone(tmp_path):
    cards = []
    for name, seed in (("a", "0"), ("b", "0"), ("c", "1")):
        assert main([*RANDOM, "--seed", seed, "--out", str(tmp_path / name)]) == 0
        cards.append(json.loads((tmp_path / name / "encoder.json").read_text()))
    assert cards[0] == cards[1]
    assert cards[0]["digest"] != cards[2]["digest"] and cards[0]["id"] != cards[2]["id"]
    assert cards[0]["status"] == "untrained"
    assert (tmp_path / "a" / "golden.json").read_text() == (tmp_path / "b" / "golden.json").read_text()


def test_the_default_encoder_is_what_its_card_says(tmp_path):
    """Digests, recipe and id; and onnxruntime gives what PyTorch gave when it was exported."""
    folder = Path(__file__).parents[2] / "shared" / "encoder" / "default"
    card = json.loads((folder / "encoder.json").read_text())
    crop = Crop(**card["recipe"]["crop"])
    recipe = Recipe(**(card["recipe"] | {"crop": crop, "clip": tuple(card["recipe"]["clip"])}))
    assert file_digest(folder / "encoder.onnx") == card["digest"] == card["files"][0]["sha256"]
    assert recipe_digest(recipe) == card["recipeDigest"]
    assert encoder_id(card["name"], card["digest"], card["recipeDigest"]) == card["id"]
    for case in json.loads((folder / "golden.json").read_text())["cases"]:
        cls, patches = run(folder / "encoder.onnx", golden_input(tuple(case["shape"]))[None, None])
        assert cosines(cls[0], np.array(case["cls"])) >= 0.99999
        for kept in case["patches"]:
            assert cosines(patches.reshape(-1, card["dim"])[kept["token"]], np.array(kept["values"])) >= 0.99999


def test_what_the_crop_would_refuse_can_be_kept_whole():
    from dataclasses import replace

    recipe = Recipe(patch=6, spacingFloor=1.0)
    thin = Volume(np.full((8, 60, 60), 40, np.float32), np.eye(4))
    with pytest.raises(ExportFault, match="no body"):
        prepare(thin, recipe)
    assert prepare(thin, replace(recipe, crop=Crop(otherwise="whole"))).voxels.shape == (6, 60, 60)


def test_the_recipe_changes_the_id_but_not_the_digest(tmp_path):
    cards = []
    for name, more in (("a", []), ("b", ["--spacing-floor", "2", "--patch-budget", "4000", "--no-crop"])):
        assert main([*RANDOM, *more, "--out", str(tmp_path / name)]) == 0
        cards.append(json.loads((tmp_path / name / "encoder.json").read_text()))
    assert cards[0]["digest"] == cards[1]["digest"] and cards[0]["id"] != cards[1]["id"]
    assert cards[1]["recipe"]["crop"] is None and cards[1]["recipe"]["patchBudget"] == 4000


def test_random_weights_of_any_patch_and_no_option_by_half_its_name(tmp_path, capsys):
    assert main([*RANDOM, "--patch", "6", "--patch-budget", "4000", "--out", str(tmp_path / "a")]) == 0
    card = json.loads((tmp_path / "a" / "encoder.json").read_text())
    assert (card["patch"], card["recipe"]["patch"], card["recipe"]["patchBudget"]) == (6, 6, 4000)
    with pytest.raises(SystemExit):
        main([*RANDOM, "--patch-bud", "9", "--out", str(tmp_path / "b")])
    assert "--patch-bud" in capsys.readouterr().err


def test_a_refusal_changes_nothing(tmp_path, capsys):
    model = small_model()
    checkpoint, config = write_release(tmp_path, model)
    out = tmp_path / "out"
    command = ["--checkpoint", str(checkpoint), "--config", str(config), "--out", str(out)]
    assert main(command) == 0
    before = {path.name: path.read_bytes() for path in out.iterdir()}
    around = sorted(path.name for path in tmp_path.iterdir())

    checkpoint.write_bytes(checkpoint.read_bytes()[:1000])
    assert main(command) == 2
    assert "c.pth cannot be read" in capsys.readouterr().err
    assert main([*command, "--name", "Über"]) == 2
    assert main([*command[:2], "--out", str(out)]) == 2
    assert main([*RANDOM, "--spacing-floor", "0", "--out", str(out)]) == 2
    assert main([*RANDOM, "--dim", "25", "--out", str(out)]) == 2
    assert {path.name: path.read_bytes() for path in out.iterdir()} == before
    assert sorted(path.name for path in tmp_path.iterdir()) == around


def test_a_failure_half_way_leaves_the_old_encoder(tmp_path, monkeypatch):
    out = tmp_path / "out"
    assert main([*RANDOM, "--out", str(out)]) == 0
    before = (out / "encoder.json").read_text()

    def full(*_):
        raise OSError("no space left on device")

    monkeypatch.setattr("training.export.golden", full)
    with pytest.raises(OSError, match="no space"):
        main([*RANDOM, "--seed", "1", "--out", str(out)])
    assert (out / "encoder.json").read_text() == before
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_a_folder_with_other_things_is_not_replaced(tmp_path, capsys):
    (tmp_path / "thesis.txt").write_text("dear")
    assert main([*RANDOM, "--out", str(tmp_path)]) == 2
    assert "holds other files (thesis.txt)" in capsys.readouterr().err
    assert main([*RANDOM, "--out", str(tmp_path / "thesis.txt")]) == 2
    assert (tmp_path / "thesis.txt").read_text() == "dear"


@needs_fixture
def test_the_fixtures_checkpoint_exports(tmp_path):
    arguments = ["--checkpoint", str(FIXTURE / "checkpoint.pth"), "--config", str(FIXTURE / "config.yaml")]
    assert main([*arguments, "--out", str(tmp_path / "out")]) == 0
    card = json.loads((tmp_path / "out" / "encoder.json").read_text())
    assert card["parameters"] == 1_400_400
