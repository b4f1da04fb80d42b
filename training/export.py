"""
Makes an encoder folder out of weights: encoder.onnx, encoder.json (the card), golden.json.

    python -m training.export --checkpoint C.pth --config config.yaml --out DIR
    python -m training.export --random --out DIR

This made shared/encoder/default, the encoder that voxkin starts with, out of the run of training/runs/default.sh:

    python -m training.export --checkpoint RUN/teacher.pth --config RUN/config.yaml --name voxkin --licence Apache-2.0 \\
        --spacing-floor 2.0 --patch-budget 9000 --whole-otherwise --out encoders/voxkin \\
        --description "Small 3D vision transformer, self-distilled on 114 public CTs: see model-card.md."

Exit codes: 0 written, 2 the input was refused (nothing was changed).
"""

import argparse
import json
import os
import sys
import tempfile
from pathlib import Path
from typing import Any

from . import card, onnx_file
from .checkpoint import read_checkpoint, read_config
from .faults import ExportFault
from .golden import golden
from .model import Size, VisionTransformer
from .random_init import random_model

LICENCE_OF_OURS = "Apache-2.0"


def main(arguments: list[str] | None = None) -> int:
    options = parse(arguments)
    try:
        print(json.dumps(export(options)))
        return 0
    except ExportFault as fault:
        print(f"training.export: {fault}", file=sys.stderr)
        return 2


def parse(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(allow_abbrev=False, prog="python -m training.export", description=__doc__.strip().splitlines()[0])
    weights = parser.add_mutually_exclusive_group(required=True)
    weights.add_argument("--checkpoint", type=Path, help="released teacher checkpoint (.pth)")
    weights.add_argument("--random", action="store_true", help="seeded random weights: an untrained encoder")
    parser.add_argument("--config", type=Path, help="config.yaml of the checkpoint")
    parser.add_argument("--out", type=Path, required=True, help="folder to write; an encoder there is replaced")
    parser.add_argument("--name", help="lower-case letters, digits, '.' and '-' (default: encoder, or untrained)")
    parser.add_argument("--description", help="one sentence for encoder.json (default: where the weights come from)")
    parser.add_argument("--licence", help=f"of the weights (default: unstated, or {LICENCE_OF_OURS} for random ones)")
    parser.add_argument("--patch-budget", type=int, default=25_000, help="of one input (default: %(default)s)")
    parser.add_argument("--spacing-floor", type=float, default=0.75, help="finest spacing in mm (default: %(default)s)")
    parser.add_argument("--no-crop", action="store_true", help="keep the whole volume (default: crop to the body)")
    parser.add_argument("--whole-otherwise", action="store_true", help="keep volumes whole that the crop would refuse: thin ones, and those without a body")
    parser.add_argument("--int8", action="store_true", help="matrices as int8: a quarter of the bytes, tokens within cosine 0.999")
    shape = parser.add_argument_group("with --random")
    shape.add_argument("--seed", type=int, default=0)
    shape.add_argument("--dim", type=int, default=864)
    shape.add_argument("--depth", type=int, default=12)
    shape.add_argument("--heads", type=int, default=12)
    shape.add_argument("--patch", type=int, default=14, help="voxels along an edge (default: %(default)s)")
    return parser.parse_args(arguments)


def export(options: argparse.Namespace) -> dict[str, str]:
    """Writes the folder in one step at the end; returns the id and where it lies."""
    name = options.name or ("untrained" if options.random else "encoder")
    if not card.NAME.fullmatch(name):
        raise ExportFault(f"--name {name!r}: use lower-case letters, digits, '.' and '-', at most 48, no leading sign")
    refuse_foreign_folder(options.out)
    model, facts, fixed = random_weights(options) if options.random else checkpoint_weights(options)
    try:
        recipe = card.Recipe(
            crop=None if options.no_crop else card.Crop(otherwise="whole" if options.whole_otherwise else None),
            spacingFloor=options.spacing_floor,
            patchBudget=options.patch_budget,
            **fixed,
        )
    except ValueError as error:
        raise ExportFault(f"{error}: correct --spacing-floor, --patch-budget or the config")

    options.out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".export-", dir=options.out.parent) as temporary:
        folder = Path(temporary) / "new"
        folder.mkdir()
        files = onnx_file.write(model, name, folder, options.int8)
        described = describe(model, recipe, files, name, facts) | ({"precision": "int8"} if options.int8 else {})
        write_json(folder / "golden.json", golden(model))
        write_json(folder / "encoder.json", described)
        replace(options.out, folder, Path(temporary) / "old")
    return {"id": described["id"], "out": str(options.out)}


def checkpoint_weights(options: argparse.Namespace) -> tuple[VisionTransformer, dict[str, str], dict[str, Any]]:
    if options.config is None:
        raise ExportFault("--checkpoint needs --config: give the config.yaml that lies beside it")
    size, fixed = read_config(options.config)
    model, iteration = read_checkpoint(options.checkpoint, size)
    at = "" if iteration is None else f", iteration {iteration}"
    facts = {
        "status": "trained",
        "licence": options.licence or "unstated",
        "source": f"{options.checkpoint.name}, sha256 {card.file_digest(options.checkpoint)}{at}",
        "description": options.description or "3D vision transformer read from VoxelFM's checkpoint format: the frozen teacher.",
    }
    return model, facts, fixed


def random_weights(options: argparse.Namespace) -> tuple[VisionTransformer, dict[str, str], dict[str, Any]]:
    try:
        size = Size(dim=options.dim, depth=options.depth, heads=options.heads, patch=options.patch)
    except ValueError as error:
        raise ExportFault(f"{error}: correct --dim, --heads or --patch")
    facts = {
        "status": "untrained",
        "licence": options.licence or LICENCE_OF_OURS,
        "source": f"random initialisation, seed {options.seed}",
        "description": options.description or "3D vision transformer with random weights: its features follow coarse appearance only.",
    }
    return random_model(size, options.seed), facts, {"patch": size.patch}


def describe(
    model: VisionTransformer, recipe: card.Recipe, files: list[dict[str, Any]], name: str, facts: dict[str, str]
) -> dict[str, Any]:
    size, digest, recipe_digest = model.size, files[0]["sha256"], card.recipe_digest(recipe)
    return {
        "id": card.encoder_id(name, digest, recipe_digest),
        "name": name,
        "status": facts["status"],
        "description": facts["description"],
        "licence": facts["licence"],
        "source": facts["source"],
        "dim": size.dim,
        "depth": size.depth,
        "heads": size.heads,
        "patch": size.patch,
        "registers": size.registers,
        "parameters": sum(parameter.numel() for parameter in model.parameters()),
        "recipe": card.recipe_fields(recipe),
        "recipeDigest": recipe_digest,
        "digest": digest,
        "files": files,
    }


def write_json(path: Path, value: Any) -> None:
    path.write_text(json.dumps(value, indent=1, ensure_ascii=False) + "\n", "utf-8")


def refuse_foreign_folder(out: Path) -> None:
    """--out is replaced as a whole, so it must not hold anything but an encoder."""
    if not out.exists():
        return
    if not out.is_dir():
        raise ExportFault(f"--out {out.name} is a file: give a folder")
    ours = ("encoder.onnx", "encoder.json", "golden.json")
    foreign = [p.name for p in out.iterdir() if p.name not in ours and not p.name.startswith("encoder.onnx.")]
    if foreign:
        raise ExportFault(f"--out {out.name} holds other files ({', '.join(sorted(foreign)[:3])}): give a new folder")


def replace(out: Path, new: Path, old: Path) -> None:
    if out.exists():
        os.rename(out, old)
    try:
        os.rename(new, out)
    except OSError:
        if old.exists():
            os.rename(old, out)
        raise


if __name__ == "__main__":
    sys.exit(main())
