"""encoder.json: what an encoder is, how it wants its volume, what names it. Read by shared/encoder/card.ts."""

import hashlib
import json
import re
from dataclasses import asdict, dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Crop:
    threshold: float = -800.0  # HU
    kernel: int = 21  # voxels
    otherwise: str | None = None  # "whole": what is too thin for the box, or holds no body, is kept whole; None refuses it


@dataclass(frozen=True)
class Recipe:
    """Fields as in shared/preprocess/recipe.ts; the defaults are VoxelFM's evaluation pipeline."""

    clip: tuple[float, float] = (-1000.0, 1900.0)
    crop: Crop | None = field(default_factory=Crop)  # None keeps the whole volume
    spacingFloor: float = 0.75
    patchBudget: int = 25_000
    patch: int = 14
    mean: float = -573.8
    std: float = 461.3

    def __post_init__(self) -> None:
        if not (self.clip[0] < self.clip[1] and self.std > 0 and self.spacingFloor > 0 and self.patchBudget > 0):
            raise ValueError("a recipe needs clip[0] < clip[1], and std, spacing floor and patch budget above 0")


def canonical_json(value: Any) -> str:
    """
    JSON with sorted keys and no spaces, numbers as JavaScript's JSON.stringify writes them (25000.0 → 25000), so that
    both languages get the same bytes to hash. Numbers that JavaScript would write with an exponent are refused.
    """
    if isinstance(value, dict):
        return "{" + ",".join(f"{json.dumps(key)}:{canonical_json(value[key])}" for key in sorted(value)) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ",".join(map(canonical_json, value)) + "]"
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        if value != 0 and not 1e-6 <= abs(value) < 1e15:
            raise ValueError(f"{value} has no canonical form: numbers must be 0 or between 1e-6 and 1e15")
        return str(int(value)) if value == int(value) else format(Decimal(repr(float(value))), "f")
    return json.dumps(value, ensure_ascii=False)  # strings, true, false, null


def recipe_fields(recipe: Recipe) -> dict[str, Any]:
    """As encoder.json has it."""
    fields = asdict(recipe)
    if fields["crop"] and fields["crop"]["otherwise"] is None:
        del fields["crop"]["otherwise"]
    return fields


def recipe_digest(recipe: Recipe) -> str:
    return hashlib.sha256(canonical_json(recipe_fields(recipe)).encode()).hexdigest()


def encoder_id(name: str, digest: str, recipe_digest: str) -> str:
    """Weights and recipe together name an encoder: another recipe gives other features."""
    both = hashlib.sha256(f"{digest}\n{recipe_digest}".encode()).hexdigest()
    return f"{name}-{both[:12]}"


NAME = re.compile(r"[a-z0-9][a-z0-9.-]{0,47}")


def file_digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
