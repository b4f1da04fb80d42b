"""
The encoders that are measured: an exported folder (by onnxruntime, exactly what is served) or a run's teacher.pth.
"""

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnxruntime
import torch

from .card import Crop, Recipe, file_digest
from .checkpoint import read_checkpoint, read_config
from .faults import ExportFault
from .model import Size, VisionTransformer
from .random_init import random_model

# Prepared arrays of one shape, [B, D, H, W] float32 → cls [B, c], patches [B, z, y, x, c]
Encode = Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]


@dataclass(frozen=True)
class Encoder:
    name: str
    key: str  # names weights and recipe: the cache's folder
    recipe: Recipe
    size: Size
    trained: bool
    encode: Encode


def load(path: Path, recipe_of_run: dict) -> Encoder:
    """A folder with encoder.onnx and encoder.json, or a run with teacher.pth and config.yaml (then with this recipe)."""
    if (path / "encoder.json").exists():
        return from_folder(path)
    if (path / "teacher.pth").exists():
        size, fixed = read_config(path / "config.yaml")
        model, _ = read_checkpoint(path / "teacher.pth", size)
        return from_model(model, "ours", file_digest(path / "teacher.pth"), Recipe(**fixed, **recipe_of_run), True)
    raise ExportFault(f"{path} holds neither encoder.json nor teacher.pth: give an exported folder or a run")


def from_folder(path: Path) -> Encoder:
    card = json.loads((path / "encoder.json").read_text("utf-8"))
    fields = card["recipe"] | {"clip": tuple(card["recipe"]["clip"])}
    fields["crop"] = Crop(**fields["crop"]) if fields["crop"] else None
    size = Size(dim=card["dim"], depth=card["depth"], heads=card["heads"], patch=card["patch"], registers=card["registers"])
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = torch.get_num_threads()
    session = onnxruntime.InferenceSession(str(path / "encoder.onnx"), options, providers=["CPUExecutionProvider"])

    def encode(voxels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        each = [session.run(["cls", "patches"], {"input": one[None, None]}) for one in voxels]
        return np.concatenate([cls for cls, _ in each]), np.concatenate([patches for _, patches in each])

    return Encoder(card["name"], card["id"], Recipe(**fields), size, card["status"] == "trained", encode)


def from_model(model: VisionTransformer, name: str, digest: str, recipe: Recipe, trained: bool) -> Encoder:
    @torch.no_grad()
    def encode(voxels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        tokens = model(torch.from_numpy(voxels)[:, None])
        return tokens.cls.numpy(), tokens.patches.numpy()

    key = hashlib.sha256(f"{digest}{recipe}".encode()).hexdigest()[:12]
    return Encoder(name, f"{name}-{key}", recipe, model.size, trained, encode)


def random_twin(encoder: Encoder, seed: int = 1) -> Encoder:
    """The same network, never trained: LayerScale 1 and unit gain, so that every layer counts."""
    model = random_model(encoder.size, seed)
    return from_model(model, "random", f"{encoder.size} seed {seed}", encoder.recipe, False)
