"""
Time and memory of one training step beside a plain implementation of the same step, by hand:

    python -m training.bench_step [--dim 288 --depth 5 --heads 3 --scans 4 --compile]

`plain` follows the released code's choices: attention by an explicit softmax(QKᵀ)V, everything in fp32. `ours`: attention without
that matrix, bf16 autocast and, with --compile, torch.compile. Same weights, same batch, one process each, so that peaks do not mix.
"""

import argparse
import json
import resource
import subprocess
import sys
import time

import torch
from torch import Tensor
from torch.nn import functional as F

from . import dino, model
from .options import Options, parse

STEPS = 5


def main() -> None:
    parser = argparse.ArgumentParser(allow_abbrev=False, prog="python -m training.bench_step")
    for name, default in (("dim", 288), ("depth", 5), ("heads", 3), ("patch", 6), ("side", 48), ("scans", 4), ("threads", 2)):
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--compile", action="store_true")
    parser.add_argument("--only", choices=["plain", "ours"])
    asked = parser.parse_args()
    if asked.only:
        print(json.dumps(measure(asked)))
        return
    for which in ("plain", "ours", "plain", "ours"):
        command = [sys.executable, "-m", "training.bench_step", *sys.argv[1:], "--only", which]
        print(which, subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip(), flush=True)


def measure(asked: argparse.Namespace) -> dict[str, float]:
    """Median seconds of a step (wall, and CPU over all threads) and the process's peak memory above its start, in MiB."""
    torch.set_num_threads(asked.threads)
    torch.manual_seed(0)
    half = asked.side // 2 // asked.patch * asked.patch
    options: Options = parse([
        "--data", ".", "--out", ".", "--dim", str(asked.dim), "--depth", str(asked.depth), "--heads", str(asked.heads),
        "--patch", str(asked.patch), "--views", f"{asked.side}/{half}:1:{asked.scans}", "--layer-scale", "1",
        "--prototypes", "1024", "--head-hidden", "512", "--bottleneck", "64", "--drop-path", "0",
        "--precision", "fp32" if asked.only == "plain" else "bf16",
    ], "")
    if asked.only == "plain":
        model.F.scaled_dot_product_attention = explicit
    student = dino.Network(options).train()
    teacher = dino.make_teacher(student)
    if asked.compile and asked.only == "ours":
        student.backbone.compile()
        teacher.backbone.compile()
    targets = {kind: dino.Targets(1024, 64, "centre") for kind in ("cls", "patch")}
    patches = (asked.side // asked.patch) ** 3
    batch = {
        "globals": torch.randn(2 * asked.scans, 1, *[asked.side] * 3),
        "locals": torch.randn(8 * asked.scans, 1, *[half] * 3),
        "mask": torch.rand(2 * asked.scans, patches) < 0.15,
    }
    optimizer = torch.optim.AdamW(student.parameters(), lr=1e-4)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    walls, cpus = [], []
    for _ in range(STEPS + 2):
        wall, cpu = time.perf_counter(), time.process_time()
        loss, _ = dino.objective(student, teacher, targets, batch, options, 0.05)
        loss.backward()
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        dino.follow(teacher, student, 0.99)
        for target in targets.values():
            target.end_step(0.9)
        walls.append(time.perf_counter() - wall)
        cpus.append(time.process_time() - cpu)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    middle = lambda values: round(sorted(values[2:])[STEPS // 2], 3)  # noqa: E731  the first two warm up and compile
    return {"wall_s": middle(walls), "cpu_s": middle(cpus), "peak_mib": round(peak / 1024), "loss": round(loss.item(), 3)}


def explicit(q: Tensor, k: Tensor, v: Tensor) -> Tensor:
    """The N × N matrix written out."""
    return F.softmax(q @ k.transpose(-1, -2) * q.shape[-1] ** -0.5, dim=-1) @ v


if __name__ == "__main__":
    main()
