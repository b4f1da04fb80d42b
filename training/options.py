"""Everything a run can be told; the defaults are VoxelFM's published recipe (single GPU share of it)."""

import argparse
import dataclasses
from dataclasses import dataclass
from pathlib import Path

from .augment import Augmentation
from .faults import TrainingFault
from .model import Size

Triple = tuple[int, int, int]


@dataclass(frozen=True)
class ViewSize:
    """One pair of crop sizes, how often a step uses it, and how many scans fit into a micro-batch of it."""

    globals: Triple
    locals: Triple
    share: float
    batch: int


def view_sizes(text: str) -> list[ViewSize]:
    """`112/56:1:16`, or with sides `112x112x112/56x56x56:0.5:16,…`: global / local : share : scans per micro-batch."""

    def triple(side: str) -> Triple:
        numbers = [int(n) for n in side.split("x")]
        return tuple(numbers * 3 if len(numbers) == 1 else numbers)

    try:
        sizes = []
        for part in text.split(","):
            sides, share, batch = part.split(":")
            sizes.append(ViewSize(*(triple(s) for s in sides.split("/")), float(share), int(batch)))
        if any(len(s.globals) != 3 or len(s.locals) != 3 or not s.share > 0 or s.batch < 1 for s in sizes):
            raise ValueError
        return sizes
    except (ValueError, TypeError):
        raise TrainingFault(f"--views {text!r}: write GLOBAL/LOCAL:SHARE:SCANS, for example 112/56:1:16")


@dataclass(frozen=True)
class Options:
    data: list[str]  # folders, or s3://BUCKET/PREFIX
    out: Path
    cache: Path = Path.home() / ".cache" / "voxkin-training"  # where volumes from S3 are copied to
    resume: bool = False
    seed: int = 0
    # network
    dim: int = 864
    depth: int = 12
    heads: int = 12
    patch: int = 14
    drop_path: float = 0.1
    layer_scale: float = 1e-5
    init: str = "normal"  # or xavier
    # heads and targets
    head_hidden: int = 2048
    bottleneck: int = 256
    prototypes: int = 65_536
    patch_prototypes: int = 0  # 0: the patches share the head of CLS
    centring: str = "centre"  # or sinkhorn
    patch_centring: str = ""  # empty: as centring
    standardise: bool = False  # heads standardise their vectors by running moments of the teacher's
    queue: int = 0  # CLS logits that Sinkhorn remembers
    centre_momentum: float = 0.9
    student_temperature: float = 0.1
    temperature: tuple[float, float] = (0.04, 0.07)  # of the teacher
    temperature_warmup: int = 30_000
    patch_temperature: float = 0.0  # 0: as the CLS's
    momentum: float = 0.994
    # views
    views: str = "112/56:1:16"
    locals: int = 8
    global_scale: tuple[float, float] = (0.32, 1.0)
    local_scale: tuple[float, float] = (0.05, 0.32)
    zoom: tuple[float, float] = (0.0, 0.0)  # 0 0: the published rule of scales
    near: float = -1.0  # negative: anywhere
    permute: float = 1.0  # 1 or 0
    flip: tuple[float, float, float] = (0.5, 0.5, 0.5)
    window: float = 0.5
    jitter: float = 0.0
    mask_share: float = 0.5
    mask_ratio: tuple[float, float] = (0.1, 0.5)
    # weights of the terms
    dino: float = 1.0
    ibot: float = 1.0
    koleo: float = 0.1
    place: float = 0.0  # this and the following are ours: dense.py
    match: float = 0.0
    hu: float = 0.0
    match_temperature: float = 0.1
    # optimisation
    steps: int = 100_000
    accumulate: int = 16
    lr: float = 1e-3
    lr_min: float = 1e-6
    warmup: int = 10_000
    weight_decay: tuple[float, float] = (0.04, 0.2)
    layer_decay: float = 0.9
    patch_lr: float = 0.2
    clip: float = 3.0
    freeze_last: int = 1000  # steps before the prototypes move
    # machine and log
    precision: str = "bf16"  # or fp32
    compile: bool = False
    device: str = ""  # empty: a GPU if there is one
    threads: int = 0  # 0: PyTorch's choice
    workers: int = 0
    log_every: int = 10
    save_every: int = 100
    monitor_every: int = 500
    holdout: int = 16  # volumes kept out of training to watch the features

    def size(self) -> Size:
        return Size(self.dim, self.depth, self.heads, self.patch)

    def augmentation(self) -> Augmentation:
        return Augmentation(
            self.global_scale,
            self.local_scale,
            self.zoom if self.zoom[0] > 0 else None,
            self.near if self.near >= 0 else None,
            self.permute > 0,
            self.flip,
            self.window,
            self.jitter,
        )

    def check(self) -> None:
        """TrainingFault naming the option that cannot be."""
        try:
            self.size()
        except ValueError as error:
            raise TrainingFault(f"{error}: correct --dim or --heads")
        for size in view_sizes(self.views):
            if any(side % self.patch or side < self.patch for side in (*size.globals, *size.locals)):
                raise TrainingFault(f"--views {self.views}: every side must be a multiple of --patch {self.patch}")
        for name, allowed in (
            ("centring", ("centre", "sinkhorn")),
            ("patch_centring", ("", "centre", "sinkhorn")),
            ("init", ("normal", "xavier")),
            ("precision", ("bf16", "fp32")),
        ):
            if getattr(self, name) not in allowed:
                raise TrainingFault(f"--{name.replace('_', '-')} {getattr(self, name)!r}: use one of {', '.join(filter(None, allowed))}")
        for name in ("steps", "accumulate", "log_every", "save_every", "monitor_every", "prototypes"):
            if getattr(self, name) < 1:
                raise TrainingFault(f"--{name.replace('_', '-')} must be at least 1")

    def fixed(self) -> dict[str, object]:
        """What a resumed run must not change."""
        free = {"data", "out", "cache", "resume", "steps", "compile", "device", "threads", "workers", "log_every", "save_every", "monitor_every"}
        return {k: list(v) if isinstance(v, tuple) else v for k, v in dataclasses.asdict(self).items() if k not in free}


def parse(arguments: list[str] | None, description: str) -> Options:
    """Every field is an option of the same name, with dashes."""
    parser = argparse.ArgumentParser(allow_abbrev=False, prog="python -m training.train", description=description)
    for f in dataclasses.fields(Options):
        flag = "--" + f.name.replace("_", "-")
        if f.name == "data":
            parser.add_argument(flag, nargs="+", required=True, metavar="DIR", help="prepared volumes: a folder, or s3://BUCKET/PREFIX")
        elif f.name == "out":
            parser.add_argument(flag, type=Path, required=True, metavar="RUN")
        elif f.default is False:
            parser.add_argument(flag, action="store_true")
        elif isinstance(f.default, tuple):
            parser.add_argument(flag, type=float, nargs=len(f.default), default=f.default, metavar="X")
        else:
            parser.add_argument(flag, type=type(f.default), default=f.default, help="default: %(default)s")
    values = vars(parser.parse_args(arguments))
    options = Options(**{k: tuple(v) if isinstance(v, list) and k != "data" else v for k, v in values.items()})
    options.check()
    return options
