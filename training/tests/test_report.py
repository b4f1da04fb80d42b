"""The report's door: what it measures is what was exported, what it refuses, and what it says."""

import numpy as np
import pytest
import torch
import yaml

from training import export, report
from training.card import Crop, Recipe
from training.faults import ExportFault
from training.measure_encoders import Encoder, load, random_twin
from training.measure_page import card, page
from training.model import Size
from training.random_init import random_model

SIZE = Size(dim=24, depth=2, heads=2, patch=4, registers=4)
RECIPE = {"spacingFloor": 2.0, "patchBudget": 500, "crop": None}


@pytest.fixture
def run(tmp_path):
    folder = tmp_path / "run"
    folder.mkdir()
    weights = {f"module.backbone.{name}": t for name, t in random_model(SIZE, 3).state_dict().items()}
    torch.save({"teacher": weights}, folder / "teacher.pth")
    student = {"embed_dim": 24, "depth": 2, "num_heads": 2, "patch_size": 4, "num_register_tokens": 4, "mlp_ratio": 4, "rope_base": 100.0}
    dataset = {"pixel_range": {"lower": -1000, "upper": 1900}, "norm": {"mean": -573.8, "std": 461.3}}
    (folder / "config.yaml").write_text(yaml.safe_dump({"student": student, "datasets": [dataset]}))
    return folder


def test_a_run_and_its_export_give_the_same_features(run, tmp_path):
    out = tmp_path / "exported"
    told = ["--checkpoint", f"{run}/teacher.pth", "--config", f"{run}/config.yaml", "--out", str(out)]
    assert export.main([*told, "--spacing-floor", "2", "--patch-budget", "500", "--no-crop"]) == 0
    a, b = load(run, RECIPE), load(out, {})
    assert a.recipe == b.recipe and a.size == b.size and a.trained and b.trained
    x = np.random.default_rng(0).normal(size=(2, 8, 12, 16)).astype(np.float32)
    for mine, theirs in zip(a.encode(x), b.encode(x)):
        assert mine.shape == theirs.shape and np.abs(mine - theirs).max() < 1e-4


def test_the_twin_has_the_size_and_recipe_but_other_weights(run):
    ours = load(run, RECIPE)
    twin = random_twin(ours)
    assert twin.recipe == ours.recipe and twin.size == ours.size and not twin.trained and twin.key != ours.key
    assert random_twin(ours).key == twin.key


def test_no_encoder_and_no_data_are_refused(run, tmp_path, capsys):
    with pytest.raises(ExportFault, match="neither encoder.json nor teacher.pth"):
        load(tmp_path, RECIPE)
    data, out = tmp_path / "empty", tmp_path / "report"
    (data / "openkbp" / "train").mkdir(parents=True)
    assert report.main(["--encoder", str(run), "--data", str(data), "--out", str(out), "--cache", str(tmp_path / "cache")]) == 2
    assert "pt_N_ct.nii.gz" in capsys.readouterr().err and not out.exists()


def test_the_page_holds_every_method_and_the_differences():
    random = np.random.default_rng(0)

    def scores(*names: str, value: float) -> dict:
        table = np.full((33, 7), value)
        table[3, 2] = np.nan
        return {n: table.tolist() for n in names} | {f"{n}_seeds": [value] * 5 for n in names}

    three = ("dice_linear", "dice_conv", "centre_mm")
    results = {name: scores(*three, value=v) for name, v in (("position", 0.25), ("encoder", 0.5), ("encoder + position", 0.75), ("random weights", 0.125))}
    results["train mean"] = scores("dice_mean", "centre_mm", value=0.0625)
    results["ceiling"] = scores("dice_mean", value=1.0)
    results["encoder, CLS"] = {n: np.ones((33, 7)).tolist() for n in ("shots_1", "shots_5", *(f"recall_{a}_{k}" for a in ("raw", "standard") for k in (1, 5, 10)))}
    results["PCA of shapes"] = {"adrenal": random.normal(size=(5, 20)).tolist(), "adrenal_labels": [0, 1] * 10}
    encoder = Encoder("tiny", "tiny-0", Recipe(crop=Crop()), SIZE, True, lambda x: (x, x))
    text = page(results, encoder, "encoder")
    assert "| encoder | 0.500 (0.500–0.500) | 0.500 (0.500–0.500) | 0.5 (0.5–0.5) |" in text
    assert "| encoder − random weights | 0.375 (0.375–0.375)" in text
    assert "| encoder + position − position | 0.500 (0.500–0.500)" in text
    facts = {"data": "131 CTs.", "training": "2 h.", "licence": "Apache-2.0"}
    assert "131 CTs." in card(results, encoder, facts) and "untrained" not in card(results, encoder, facts)
