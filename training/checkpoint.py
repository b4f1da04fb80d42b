"""Reads VoxelFM's released checkpoint format, strict about every tensor."""

import math
from pathlib import Path
from typing import Any

import torch
import yaml
from torch import Tensor

from .faults import ExportFault
from .model import Size, VisionTransformer

BACKBONE = "module.backbone."
HEADS = ("module.dino_head.", "module.ibot_head.")

# What the model is written for; a config that says otherwise describes another network.
FIXED: dict[str, Any] = {
    "ffn_layer": "mlp",
    "qkv_bias": True,
    "proj_bias": True,
    "ffn_bias": True,
    "rope_rescale_coords": None,
}


def read_config(path: Path) -> tuple[Size, dict[str, Any]]:
    """
    Sizes of the network, and the part of the recipe that the config fixes: clip, mean, std, patch.
    A missing key, or a variant this model does not have, is an ExportFault naming it.
    """
    try:
        config = yaml.safe_load(path.read_text("utf-8"))
    except FileNotFoundError:
        raise ExportFault(f"config {path.name} does not exist: give the config.yaml that lies beside the checkpoint")
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ExportFault(f"config {path.name} is not YAML ({str(error).splitlines()[0]}): download it again")

    def at(*keys: str | int, kind: type | tuple[type, ...] = (int, float)) -> Any:
        name, value = ".".join(map(str, keys)), config
        for key in keys:
            inside = isinstance(value, dict) and key in value or isinstance(value, list) and key in range(len(value))
            if not inside:
                raise ExportFault(f"config {path.name} has no key {name}: add it, as in VoxelFM's config.yaml")
            value = value[key]
        if not isinstance(value, kind) or isinstance(value, bool):
            raise ExportFault(f"config {path.name}: {name} is {value!r}, not a number: correct it")
        return value

    for key, expected in FIXED.items():
        student = config.get("student") if isinstance(config, dict) else None
        found = student.get(key, expected) if isinstance(student, dict) else expected
        if found != expected:
            raise ExportFault(
                f"config {path.name}: student.{key} is {found!r}; only {expected!r} is supported, "
                "so this checkpoint needs a change of training/model.py"
            )
    try:
        size = Size(
            dim=at("student", "embed_dim", kind=int),
            depth=at("student", "depth", kind=int),
            heads=at("student", "num_heads", kind=int),
            patch=at("student", "patch_size", kind=int),
            registers=at("student", "num_register_tokens", kind=int),
            mlp_ratio=float(at("student", "mlp_ratio")),
            rope_base=float(at("student", "rope_base")),
        )
    except ValueError as error:
        raise ExportFault(f"config {path.name}: {error}")
    dataset = ("datasets", 0)
    recipe = {
        "clip": tuple(float(at(*dataset, "pixel_range", bound)) for bound in ("lower", "upper")),
        "mean": float(at(*dataset, "norm", "mean")),
        "std": float(at(*dataset, "norm", "std")),
        "patch": size.patch,
    }
    return size, recipe


def read_checkpoint(path: Path, size: Size) -> tuple[VisionTransformer, int | None]:
    """The model with the teacher's weights, in eval mode, and the iteration they are from when the file says so."""
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except FileNotFoundError:
        raise ExportFault(f"checkpoint {path.name} does not exist: check the path")
    except Exception as error:  # torch raises a dozen types for damaged bytes; all mean the same to the caller
        raise ExportFault(
            f"checkpoint {path.name} cannot be read ({type(error).__name__}): it is damaged, incomplete or not a "
            "checkpoint of tensors; download it again and compare its size"
        )
    teacher = content.get("teacher") if isinstance(content, dict) else None
    if not isinstance(teacher, dict):
        raise ExportFault(
            f"checkpoint {path.name} has no 'teacher': give the released teacher checkpoint "
            "(teacher → module.backbone.…)"
        )
    weights = {
        name.removeprefix(BACKBONE): tensor for name, tensor in teacher.items() if not name.startswith(HEADS)
    }
    model = VisionTransformer(size)
    check_tensors(weights, model.state_dict(), path.name)
    model.load_state_dict(weights, strict=True)
    iteration = content.get("iteration")
    return model.eval(), iteration if isinstance(iteration, int) else None


def check_tensors(weights: dict[str, Any], expected: dict[str, Tensor], file: str) -> None:
    """Every tensor there, none besides, each of the expected shape and finite; else an ExportFault naming it."""
    if missing := [name for name in expected if name not in weights]:
        raise ExportFault(
            f"checkpoint {file} lacks {named(missing)}: the file is incomplete, or config.yaml (depth, registers) "
            "belongs to another checkpoint"
        )
    if unexpected := [name for name in weights if name not in expected]:
        raise ExportFault(
            f"checkpoint {file} has {named(unexpected)}, which this network does not know: config.yaml (depth, "
            "registers) belongs to another checkpoint, or it is another architecture"
        )
    for name, tensor in weights.items():
        if not isinstance(tensor, Tensor) or not tensor.is_floating_point():
            raise ExportFault(f"checkpoint {file}: {BACKBONE}{name} is no tensor of floats: download the file again")
        if tensor.shape != expected[name].shape:
            raise ExportFault(
                f"checkpoint {file}: {BACKBONE}{name} has shape {tuple(tensor.shape)}, but config.yaml asks for "
                f"{tuple(expected[name].shape)}: give the config.yaml of this checkpoint"
            )
        if not tensor.isfinite().all():
            raise ExportFault(f"checkpoint {file}: {BACKBONE}{name} holds NaN or infinite weights: use another one")
    periods = weights["rope_embed.periods"]
    if not (periods > 0).all() or not math.isfinite(float((1 / periods).sum())):
        raise ExportFault(f"checkpoint {file}: {BACKBONE}rope_embed.periods must be positive: use another checkpoint")


def named(names: list[str]) -> str:
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return ", ".join(BACKBONE + name for name in names[:3]) + more
