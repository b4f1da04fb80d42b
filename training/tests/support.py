"""Small networks and the fixture that the tests share."""

from pathlib import Path

import numpy as np
import pytest
import torch
import yaml

from training.model import Size, VisionTransformer
from training.random_init import random_model

FIXTURE = Path(__file__).parents[3] / "shared" / "fixtures" / "voxelfm-tiny"
needs_fixture = pytest.mark.skipif(not FIXTURE.exists(), reason="../shared/fixtures/voxelfm-tiny is absent")

SMALL = Size(dim=24, depth=2, heads=2, patch=4, registers=3)


def small_model(seed: int = 0) -> VisionTransformer:
    """Random weights everywhere: biases, norms and LayerScales too, so that a forgotten one shows."""
    model = random_model(SMALL, seed)
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter += 0.2 * torch.randn(parameter.shape, generator=generator)
    return model


def cosines(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Along the last axis, in float64."""
    a, b = a.astype(np.float64), b.astype(np.float64)
    return (a * b).sum(-1) / np.linalg.norm(a, axis=-1) / np.linalg.norm(b, axis=-1)


def write_release(folder: Path, model: VisionTransformer) -> tuple[Path, Path]:
    """The model as a checkpoint and a config in the released format."""
    size = model.size
    teacher = {f"module.backbone.{name}": tensor.clone() for name, tensor in model.state_dict().items()}
    teacher["module.dino_head.mlp.0.weight"] = torch.zeros(2, 2)
    teacher["module.ibot_head.last_layer.weight_v"] = torch.zeros(2, 2)
    torch.save({"teacher": teacher, "iteration": 7}, folder / "c.pth")
    config = {
        "student": {
            "embed_dim": size.dim,
            "depth": size.depth,
            "num_heads": size.heads,
            "patch_size": size.patch,
            "mlp_ratio": 4,
            "num_register_tokens": size.registers,
            "rope_base": 100.0,
        },
        "datasets": [{"pixel_range": {"lower": -1000.0, "upper": 1900.0}, "norm": {"mean": -573.8, "std": 461.3}}],
    }
    (folder / "config.yaml").write_text(yaml.safe_dump(config))
    return folder / "c.pth", folder / "config.yaml"
