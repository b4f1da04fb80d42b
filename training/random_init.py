"""Seeded random weights for an encoder that nobody has trained."""

import numpy as np
import torch

from .model import Size, VisionTransformer


@torch.no_grad()
def random_model(size: Size, seed: int) -> VisionTransformer:
    """
    In eval mode; the same seed gives the same bytes on every machine (NumPy's generator, drawn parameter by parameter).
    Unlike at the start of training, every layer counts: unit gain, LayerScale 1.
    """
    model = VisionTransformer(size).eval()
    random = np.random.default_rng(seed)
    for name, parameter in model.named_parameters():
        parameter.copy_(torch.from_numpy(draw(name, tuple(parameter.shape), random)))
    return model


def draw(name: str, shape: tuple[int, ...], random: np.random.Generator) -> np.ndarray:
    if name.endswith("gamma") or "norm" in name and name.endswith("weight"):
        return np.ones(shape, np.float32)
    if name.endswith("bias"):
        return np.zeros(shape, np.float32)
    noise = random.standard_normal(shape, np.float32)
    if name.endswith("token") or name.endswith("tokens"):
        return noise
    return noise / np.float32(np.sqrt(np.prod(shape[1:])))  # fan-in: unit gain
