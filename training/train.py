"""
Pretrains a 3D encoder on prepared CT volumes: DINO on CLS, iBOT on masked patches, KoLeo.

    python -m training.train --data PREPARED_OR_S3… --out RUN [--resume] [options]
    torchrun --nproc-per-node 8 -m training.train --data PREPARED… --out RUN [options]

training/runs holds complete command lines. Exit codes: 0 done, 2 refused or out of disk (the last checkpoint is whole).
"""

import contextlib
import os
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.distributed as dist
from torch import nn

from . import curves, dino, losses, remote, run_files
from .batches import Batches, loader
from .faults import TrainingFault
from .monitor import watch
from .optimiser import optimiser, set_rates
from .options import Options, parse, view_sizes
from .schedules import cosine, linear
from .volumes import Volume, open_volumes


def main(arguments: list[str] | None = None) -> int:
    try:
        options = parse(arguments, __doc__.strip().splitlines()[0])
        with processes(options) as device:
            train(options, device)
        return 0
    except TrainingFault as fault:
        print(f"training.train: {fault}", file=sys.stderr)
        return 2


@contextlib.contextmanager
def processes(options: Options):
    """Yields this process's device; joins the others when torchrun started several."""
    gpu = options.device == "cuda" or options.device == "" and torch.cuda.is_available()
    local = int(os.environ.get("LOCAL_RANK", 0))
    device = torch.device("cuda", local) if gpu else torch.device("cpu")
    if gpu:
        torch.cuda.set_device(device)
        torch.set_float32_matmul_precision("high")
    if options.threads:
        torch.set_num_threads(options.threads)
    if int(os.environ.get("WORLD_SIZE", 1)) == 1:
        yield device
        return
    dist.init_process_group("nccl" if gpu else "gloo")
    try:
        yield device
    finally:
        dist.destroy_process_group()


def train(options: Options, device: torch.device) -> None:
    main_process = not dist.is_initialized() or dist.get_rank() == 0
    run_files.make_folder(options)
    least = min(min(s.locals) for s in view_sizes(options.views))
    volumes, kept_out = split(open_volumes(folders(options), least), options)

    torch.manual_seed(options.seed)
    student = dino.Network(options)
    teacher = dino.make_teacher(student).to(device)
    student.to(device).train()
    targets = nn.ModuleDict({
        "cls": dino.Targets(options.prototypes, options.bottleneck, options.centring, options.queue, options.standardise),
        "patch": dino.Targets(
            options.patch_prototypes or options.prototypes, options.bottleneck, options.patch_centring or options.centring,
            standardise=options.standardise,
        ),
    }).to(device)
    optimizer = optimiser(student, options)

    step = 0
    if options.resume:
        state = run_files.load(options.out, options)
        for module, name in ((student, "student"), (teacher, "teacher"), (targets, "targets")):
            try:
                module.load_state_dict(state[name])
            except (RuntimeError, KeyError):
                raise TrainingFault(f"checkpoint.pth in {options.out}: its {name} has other sizes than this network; resume with the run's own options")
        load_optimizer(optimizer, state["optimizer"])
        step = state["step"]
    if options.compile:
        student.backbone.compile()
        teacher.backbone.compile()
    model: nn.Module = student
    if dist.is_initialized():
        model = nn.parallel.DistributedDataParallel(student, device_ids=[device.index] if device.type == "cuda" else None)

    log = None
    if main_process:
        run_files.write_config(options.out, options)
        log = run_files.Log(options.out, step)
        print(f"{len(volumes)} volumes, {len(kept_out)} kept out, {sum(p.numel() for p in student.backbone.parameters()) / 1e6:.2f} M parameters, "
              f"steps {step} to {options.steps}, {losses.world()} process(es) on {device.type}", flush=True)

    per_step = options.accumulate * losses.world()
    batches = Batches(volumes, options, per_step)
    rank = dist.get_rank() if dist.is_initialized() else 0
    numbers = [s * per_step + k * losses.world() + rank for s in range(step, options.steps) for k in range(options.accumulate)]
    micro_batches = zip(numbers, loader(batches, numbers, options.workers))
    watched = Watched(options)

    while step < options.steps:
        temperature = linear(step, options.temperature_warmup, *options.temperature)
        lr = cosine(step, options.steps, options.lr, options.lr_min, options.warmup)
        set_rates(optimizer, lr, cosine(step, options.steps, *options.weight_decay), step < options.freeze_last)
        terms: dict[str, torch.Tensor] = {}
        scans = 0
        for micro in range(options.accumulate):
            number, batch = next(micro_batches)
            batch = {name: t.to(device, non_blocking=True) for name, t in batch.items()}
            torch.manual_seed(options.seed * 1_000_003 + number)  # stochastic depth
            last = micro == options.accumulate - 1
            quiet = contextlib.nullcontext() if last or not dist.is_initialized() else model.no_sync()
            with quiet:  # gradients are exchanged once a step
                loss, parts = dino.objective(model, teacher, targets, batch, options, temperature)
                (loss / options.accumulate).backward()
            scans += len(batch["globals"]) // 2
            for name, value in parts.items():
                terms[name] = terms.get(name, 0) + value / options.accumulate
        norm = nn.utils.clip_grad_norm_(student.parameters(), options.clip)
        if not torch.isfinite(norm):
            raise TrainingFault(f"step {step + 1}: the gradient is not finite; resume from the last checkpoint with a lower --lr or --precision fp32")
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        dino.follow(teacher, student, options.momentum)
        for target in targets.values():
            target.end_step(options.centre_momentum)
        step += 1

        line = watched.line(step, scans * losses.world(), terms, norm, lr, temperature)
        end = step == options.steps
        if line is not None and main_process:
            if step % options.monitor_every == 0 or end:
                teacher.eval()
                line |= watch(teacher, kept_out, options) if kept_out else {}
            if warning := watched.collapsed(line):
                line["collapse"] = warning
                print(f"training.train: step {step}: {warning}", file=sys.stderr, flush=True)
            log.write(line)
        if main_process and (step % options.save_every == 0 or end):
            run_files.save(options.out, {
                "step": step, "options": options.fixed(), "student": student.state_dict(), "teacher": teacher.state_dict(),
                "targets": targets.state_dict(), "optimizer": optimizer_state(optimizer),
            }, teacher)
            curves.draw(options.out)


def folders(options: Options) -> list[Path]:
    """Where the volumes lie on this machine; what lies in S3 is copied first, by one process of each machine."""
    if int(os.environ.get("LOCAL_RANK", 0)) == 0:
        for data in options.data:
            if remote.is_remote(data):
                remote.fetch(data, options.cache)
    if dist.is_initialized():
        dist.barrier()
    return [remote.copy_of(data, options.cache) if remote.is_remote(data) else Path(data) for data in options.data]


class Watched:
    """Averages between two lines of the log, and what tells a collapse."""

    def __init__(self, options: Options) -> None:
        self.options, self.began, self.scans, self.sums, self.steps = options, time.monotonic(), 0, {}, 0

    def line(self, step: int, scans: int, terms: dict[str, torch.Tensor], norm: torch.Tensor, lr: float, temperature: float) -> dict[str, Any] | None:
        self.scans += scans
        self.steps += 1
        for name, value in (terms | {"gradient": norm}).items():
            self.sums[name] = self.sums.get(name, 0) + value
        if step % self.options.log_every and step % self.options.monitor_every and step != self.options.steps:
            return None
        means = {name: losses.summed(value.detach().clone()).item() / losses.world() / self.steps for name, value in self.sums.items()}
        now = time.monotonic()
        line = {"step": step, **means, "lr": lr, "temperature": temperature, "scans_per_s": self.scans / (now - self.began), "seconds": now - self.began}
        self.began, self.scans, self.sums, self.steps = now, 0, {}, 0
        return {k: round(v, 6) if isinstance(v, float) and abs(v) > 1e-3 else v for k, v in line.items()}

    def collapsed(self, line: dict[str, Any]) -> str:
        """What has collapsed, or an empty string. Entropies are shares of log K."""
        if line["step"] <= self.options.warmup:
            return ""
        if line["teacher_entropy"] > 0.98:
            return "CLS targets are uniform: lower --temperature, or fewer --prototypes"
        if line["teacher_spread"] < 0.05:
            return "all scans get the same CLS target: use --centring sinkhorn, or a higher --temperature"
        if line["patch_entropy"] > 0.98:
            return "patch targets are uniform: lower --patch-temperature, or fewer --patch-prototypes"
        if line.get("cls_rank", 99) < 4:
            return f"CLS uses {line['cls_rank']:.1f} dimensions on volumes kept out: raise --koleo, or lower --lr"
        return ""


def split(volumes: list[Volume], options: Options) -> tuple[list[Volume], list[Volume]]:
    """Training volumes and those kept out, by the seed."""
    if options.holdout and options.holdout >= len(volumes):
        raise TrainingFault(f"--holdout {options.holdout} leaves none of {len(volumes)} volumes to train on: lower it, or prepare more")
    order = np.random.default_rng([options.seed, 0]).permutation(len(volumes))
    out = set(order[: options.holdout].tolist())
    return [v for i, v in enumerate(volumes) if i not in out], [v for i, v in enumerate(volumes) if i in out]


def optimizer_state(optimizer: torch.optim.Optimizer) -> dict[str, Any]:
    """Without the groups: those follow from the options and the step."""
    return optimizer.state_dict()["state"]


def load_optimizer(optimizer: torch.optim.Optimizer, state: dict[str, Any]) -> None:
    optimizer.load_state_dict({"state": state, "param_groups": optimizer.state_dict()["param_groups"]})


def leave(code: int) -> None:
    """
    Ends the process. One of several does so without taking the interpreter apart: gloo's threads outlive their group,
    and one that lets go of a tensor at that moment ends the process by SIGABRT, after all its work was done.
    """
    if "RANK" not in os.environ:
        sys.exit(code)
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


if __name__ == "__main__":
    leave(main())
