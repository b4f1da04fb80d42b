"""golden.json: what PyTorch computes from inputs that any language can make again, for parity checks."""

from typing import Any

import numpy as np
import torch

from .model import VisionTransformer

GRIDS = [(2, 3, 5), (4, 2, 3)]
PATCHES_KEPT = 4
FORMULA = "voxel i in C order: h = i * 2654435761 mod 2^32; value = (floor(h / 256) - 2^23) / 2^22"


def golden_input(shape: tuple[int, int, int]) -> np.ndarray:
    """FORMULA over [z, y, x]: between −2 and 2, and exact in float32."""
    index = np.arange(np.prod(shape), dtype=np.uint64)
    hashed = index * np.uint64(2654435761) % np.uint64(2**32)
    value = ((hashed // np.uint64(256)).astype(np.float64) - 2**23) / 2**22
    return value.astype(np.float32).reshape(shape)


def golden(model: VisionTransformer) -> dict[str, Any]:
    return {"input": FORMULA, "cases": [case(model, grid) for grid in GRIDS]}


@torch.no_grad()
def case(model: VisionTransformer, grid: tuple[int, int, int]) -> dict[str, Any]:
    shape = tuple(n * model.size.patch for n in grid)
    tokens = model(torch.from_numpy(golden_input(shape))[None, None])
    flat = tokens.patches.flatten(0, 3)  # [n, c]
    kept = np.linspace(0, len(flat) - 1, PATCHES_KEPT).round().astype(int).tolist()
    return {
        "shape": list(shape),
        "grid": list(grid),
        "cls": numbers(tokens.cls[0]),
        # token: flat index over [gz, gy, gx]
        "patches": [{"token": token, "values": numbers(flat[token])} for token in kept],
    }


def numbers(values: torch.Tensor) -> list[float]:
    """Nine significant digits carry a float32 exactly."""
    return [float(f"{value:.9g}") for value in values.tolist()]
