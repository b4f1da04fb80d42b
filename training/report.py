"""
Measures the frozen features of an encoder beside random weights, raw intensities, PCA and position.

    python -m training.report --encoder DIR_OR_RUN --data DIR --out REPORT

DIR_OR_RUN is an exported folder (encoder.onnx, encoder.json) or a run (teacher.pth, config.yaml). Writes report.json,
report.md, model-card.md and pictures; overlays show patients and belong into no repository. Exit codes: 0 written, 2 refused.
"""

import argparse
import json
import shutil
import sys
import time
from pathlib import Path

import torch

from . import measure_plots as plots
from . import measure_segmentation as segmentation
from .card import Crop, recipe_digest
from .faults import ExportFault
from .measure_encoders import Encoder, load
from .measure_features import encoded, table
from .measure_methods import measure
from .measure_page import card, page
from .measure_patients import read_all
from .measure_prepare import read_nifti

SHOWN = 3  # validation patients drawn


def main(arguments: list[str] | None = None) -> int:
    options = parse(arguments)
    torch.set_num_threads(options.threads)
    try:
        report(options)
        return 0
    except ExportFault as fault:
        print(f"training.report: {fault}", file=sys.stderr)
        return 2


def parse(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(allow_abbrev=False, prog="python -m training.report", description=__doc__.strip().splitlines()[0])
    parser.add_argument("--encoder", type=Path, required=True, help="exported folder, or a run's folder")
    parser.add_argument("--data", type=Path, required=True, help="folder that holds openkbp/ and adrenal/")
    parser.add_argument("--out", type=Path, required=True, help="folder of the report")
    parser.add_argument("--cache", type=Path, default=Path.home() / ".cache" / "voxkin-report", help="features and scores (default: %(default)s)")
    parser.add_argument("--threads", type=int, default=1, help="more than the free cores is far slower (default: %(default)s)")
    run = parser.add_argument_group("the recipe, for a run (an exported folder has its own)")
    run.add_argument("--spacing-floor", type=float, default=2.0, help="mm (default: %(default)s)")
    run.add_argument("--patch-budget", type=int, default=4000, help="(default: %(default)s)")
    run.add_argument("--no-crop", action="store_true", help="keep the whole volume (default: crop to the body)")
    text = parser.add_argument_group("what the model card says")
    text.add_argument("--training-data", default="Not stated.")
    text.add_argument("--training-facts", default="Not stated.", help="hours, machine, steps")
    text.add_argument("--licence", default="Not stated.")
    return parser.parse_args(arguments)


def report(options: argparse.Namespace) -> None:
    start = time.monotonic()

    def say(line: str) -> None:
        print(f"{time.monotonic() - start:6.0f} s  {line}", file=sys.stderr, flush=True)

    recipe = {"spacingFloor": options.spacing_floor, "patchBudget": options.patch_budget, "crop": None if options.no_crop else Crop()}
    encoder = load(options.encoder, recipe)
    results = measure(encoder, options.data, options.cache, say)
    ours = next(name for name in results if name.startswith("encoder"))

    options.out.mkdir(parents=True, exist_ok=True)
    facts = {"data": options.training_data, "training": options.training_facts, "licence": options.licence}
    about = {"encoder": encoder.key, "recipeDigest": recipe_digest(encoder.recipe), "seconds": round(time.monotonic() - start)}
    (options.out / "report.json").write_text(json.dumps(about | {"methods": results}), "utf-8")
    (options.out / "report.md").write_text(page(results, encoder, ours), "utf-8")
    (options.out / "model-card.md").write_text(card(results, encoder, facts), "utf-8")
    plots.dice_bars(results, options.out / "dice.png")
    overlays(encoder, options)
    if (options.encoder / "curves.png").exists():
        shutil.copyfile(options.encoder / "curves.png", options.out / "curves.png")
    say(f"{options.out} written")


def overlays(encoder: Encoder, options: argparse.Namespace) -> None:
    pool, held_out = read_all(options.data, encoder.recipe)
    shown = held_out[:: (len(held_out) - 1) // (SHOWN - 1)]
    tokens = [encoded(encoder, part, options.cache, name) for part, name in ((pool, "train"), (shown, "validation"))]
    masks = segmentation.masks(table("encoder", encoder.key, *tokens), pool, segmentation.shares(pool), shown)
    folder = options.data / "openkbp" / "validation"
    for patient, mask in zip(shown, masks):
        hu = read_nifti(folder / f"pt_{patient.number}_ct.nii.gz").voxels
        plots.overlay(patient, hu, mask, options.out / f"overlay-{patient.number}.png")


if __name__ == "__main__":
    sys.exit(main())
