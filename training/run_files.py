"""
What a run's folder holds: checkpoint.pth (everything, to resume), teacher.pth and config.yaml (in VoxelFM's released
format, for training.export and the probes), log.jsonl (one object per logged step), curves.png.
"""

import json
import os
from pathlib import Path
from typing import Any

import torch
import yaml

from .augment import MEAN, STD
from .dino import Network
from .faults import TrainingFault
from .options import Options
from .volumes import CLIP, write_atomically


def save(folder: Path, state: dict[str, Any], teacher: Network) -> None:
    """Either the whole new checkpoint is there afterwards or the whole old one."""
    write_atomically(folder / "checkpoint.pth", lambda file: torch.save(state, file))
    weights = {f"module.{name}": t for name, t in teacher.state_dict().items() if name.startswith("backbone.")}
    write_atomically(folder / "teacher.pth", lambda file: torch.save({"teacher": weights, "iteration": state["step"]}, file))


def load(folder: Path, options: Options) -> dict[str, Any]:
    path = folder / "checkpoint.pth"
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except FileNotFoundError:
        raise TrainingFault(f"{path} does not exist: start the run without --resume")
    except Exception as error:  # torch raises a dozen types for damaged bytes; all mean the same to the caller
        raise TrainingFault(f"{path} cannot be read ({type(error).__name__}): it is damaged; put a copy there or start anew in another folder")
    if not isinstance(state, dict) or not {"step", "options", "student", "teacher", "optimizer"} <= state.keys():
        raise TrainingFault(f"{path} is no checkpoint of a run: give the folder that training.train wrote")
    now = options.fixed()
    for name, value in state["options"].items():
        if now.get(name) != value:
            raise TrainingFault(f"{path} is of a run with --{name.replace('_', '-')} {value}, not {now.get(name)}: resume with the run's own options")
    return state


def write_config(folder: Path, options: Options) -> None:
    """The keys of VoxelFM's config.yaml that training.checkpoint reads."""
    size = options.size()
    config = {
        "student": {
            "embed_dim": size.dim,
            "depth": size.depth,
            "num_heads": size.heads,
            "patch_size": size.patch,
            "num_register_tokens": size.registers,
            "mlp_ratio": size.mlp_ratio,
            "rope_base": size.rope_base,
        },
        "datasets": [{"pixel_range": {"lower": CLIP[0], "upper": CLIP[1]}, "norm": {"mean": MEAN, "std": STD}}],
    }
    text = yaml.safe_dump(config, sort_keys=False)
    write_atomically(folder / "config.yaml", lambda file: file.write(text.encode()))


class Log:
    """log.jsonl. Lines of steps that a resumed run repeats are dropped first, so that every step is there once."""

    def __init__(self, folder: Path, step: int) -> None:
        self.path = folder / "log.jsonl"
        kept = [line for line in read_lines(self.path) if line["step"] <= step] if step else []
        text = "".join(json.dumps(line) + "\n" for line in kept)
        write_atomically(self.path, lambda file: file.write(text.encode()))

    def write(self, line: dict[str, Any]) -> None:
        try:
            with self.path.open("a") as file:
                file.write(json.dumps(line) + "\n")
        except OSError as error:
            raise TrainingFault(f"log.jsonl could not be written ({error}): free space, then --resume")


def read_lines(path: Path) -> list[dict[str, Any]]:
    if not path.exists():
        return []
    lines = []
    for line in path.read_text().splitlines():
        try:
            lines.append(json.loads(line))
        except json.JSONDecodeError:
            continue  # the last line of a killed process
    return lines


def make_folder(options: Options) -> None:
    try:
        options.out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise TrainingFault(f"--out {options.out} cannot be made ({error}): give another folder")
    if not os.access(options.out, os.W_OK):
        raise TrainingFault(f"--out {options.out} cannot be written to: give another folder")
    if (options.out / "checkpoint.pth").exists() and not options.resume:
        raise TrainingFault(f"--out {options.out} holds a run already: add --resume, or give another folder")
