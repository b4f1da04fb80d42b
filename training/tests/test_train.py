"""Whole runs of a tiny network on phantoms: it learns, it survives, two processes are one, and refusals are said."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch

from training import train, volumes
from training.checkpoint import read_checkpoint, read_config
from training.monitor import effective_rank
from training.run_files import Log
from training.tests.test_volumes import prepared

TINY = (
    "--dim 24 --depth 2 --heads 1 --patch 4 --layer-scale 1 --init xavier --drop-path 0.1 --views 16/8:1:4 --locals 2 --zoom 0.9 1.1 "
    "--near 0.5 --permute 0 --flip 0 0 0 --head-hidden 32 --bottleneck 16 --prototypes 32 --patch-prototypes 48 --place 1 --lr 2e-3 "
    "--warmup 5 --freeze-last 2 --temperature-warmup 10 --accumulate 1 --log-every 1 --save-every 4 --monitor-every 1000 "
    "--holdout 2 --precision fp32 --threads 1"
).split()
ROOT = Path(__file__).parents[2]


def phantom(seed: int) -> np.ndarray:
    """A body with a spine of bone at the back and two lungs of unlike size above a full abdomen."""
    random = np.random.default_rng(seed)
    z, y, x = np.meshgrid(*(np.arange(n) + random.uniform(-1, 1) for n in (32, 28, 36)), indexing="ij")
    hu = np.full(z.shape, 40.0)
    hu[((x - 10) / 6) ** 2 + ((y - 12) / 8) ** 2 + ((z - 22) / 8) ** 2 < 1] = -800
    hu[((x - 26) / 7) ** 2 + ((y - 12) / 9) ** 2 + ((z - 21) / 9) ** 2 < 1] = -800
    hu[((x - 18) / 3) ** 2 + ((y - 23) / 3) ** 2 < 1] = 400
    hu[z < 8] += 60
    return (hu + random.normal(0, 15, hu.shape)).astype(np.int16)


@pytest.fixture(scope="module")
def phantoms(tmp_path_factory) -> Path:
    return prepared(tmp_path_factory.mktemp("phantoms") / "p", **{f"p{i}": phantom(i) for i in range(10)})


def run(data: Path, out: Path, *more: str) -> int:
    return train.main(["--data", str(data), "--out", str(out), *TINY, *more])


def lines(out: Path) -> list[dict]:
    return [json.loads(line) for line in (out / "log.jsonl").read_text().splitlines()]


def losses_of(out: Path) -> list[float]:
    return [line["loss"] for line in lines(out)]


def weights(out: Path) -> dict[str, torch.Tensor]:
    return torch.load(out / "teacher.pth", weights_only=True)["teacher"]


@pytest.fixture(scope="module")
def whole(phantoms, tmp_path_factory) -> Path:
    out = tmp_path_factory.mktemp("whole") / "run"
    assert run(phantoms, out, "--steps", "12") == 0
    return out


def test_a_run_leaves_what_export_and_probes_read(whole):
    size, recipe = read_config(whole / "config.yaml")
    model, iteration = read_checkpoint(whole / "teacher.pth", size)
    assert (size.dim, size.patch, iteration, recipe["mean"]) == (24, 4, 12, -573.8) and not model.training
    last = lines(whole)[-1]
    assert {"dino", "ibot", "koleo", "place", "teacher_entropy", "cls_rank", "scans_per_s", "lr"} <= last.keys()
    assert (whole / "curves.png").read_bytes()[:4] == b"\x89PNG"


def test_a_resumed_run_goes_on_as_if_it_had_not_stopped(phantoms, whole, tmp_path):
    """Stochastic depth, crops and masks included. Bitwise on one thread; stated tolerance 1e-5."""
    out = tmp_path / "run"
    # Stops after 7 of 12 steps, between checkpoints: SIGKILL by the run itself, so that nothing can be tidied up.
    code = (
        "import os, signal, sys; from training import dino, train; seen = []; real = dino.follow\n"
        "def follow(*a):\n"
        "    real(*a); seen.append(1)\n"
        "    if len(seen) == 7: os.kill(os.getpid(), signal.SIGKILL)\n"
        "dino.follow = follow; train.main(sys.argv[1:])"
    )
    args = ["--data", str(phantoms), "--out", str(out), *TINY, "--steps", "12"]
    killed = subprocess.run([sys.executable, "-c", code, *args], cwd=ROOT)
    assert killed.returncode == -signal.SIGKILL and lines(out)[-1]["step"] == 6
    assert train.main([*args, "--resume"]) == 0
    assert [line["step"] for line in lines(out)] == list(range(1, 13))
    assert losses_of(out) == pytest.approx(losses_of(whole), abs=1e-5)
    for name, tensor in weights(out).items():
        assert torch.allclose(tensor, weights(whole)[name], atol=1e-5), name


def test_killed_at_any_moment_the_checkpoint_is_whole(phantoms, tmp_path):
    """SIGKILL from outside while every step writes; whatever is there must load and go on."""
    out = tmp_path / "run"
    args = [sys.executable, "-m", "training.train", "--data", str(phantoms), "--out", str(out), *TINY, "--steps", "400", "--save-every", "1"]
    process = subprocess.Popen(args, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 60
    while not (out / "checkpoint.pth").exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    time.sleep(1.0)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    step = torch.load(out / "checkpoint.pth", weights_only=True)["step"]
    assert run(phantoms, out, "--steps", str(step + 2), "--resume", "--save-every", "1") == 0


@pytest.mark.parametrize("sizes", ["16/8:1:4", "16/8:0.5:4,16x24x16/8:0.5:2"])
def test_two_processes_are_one_that_accumulates(phantoms, tmp_path, sizes):
    """Centring by the mean, so that the targets do not depend on who sees which scans. Adam magnifies rounding: 1e-4."""
    common = ["--centring", "centre", "--standardise", "--steps", "6", "--views", sizes]
    assert run(phantoms, tmp_path / "one", *common, "--accumulate", "4") == 0
    args = ["-m", "training.train", "--data", str(phantoms), "--out", str(tmp_path / "two"), *TINY, *common, "--accumulate", "2"]
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    torchrun = ["-m", "torch.distributed.run", "--nproc-per-node", "2", "--master-addr", "127.0.0.1", "--master-port", port]
    command = [sys.executable, *torchrun, *args]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=100)
    assert done.returncode == 0, done.stderr[-2000:]
    assert losses_of(tmp_path / "two") == pytest.approx(losses_of(tmp_path / "one"), abs=1e-4)
    one, two = weights(tmp_path / "one"), weights(tmp_path / "two")
    assert max(float((one[n] - two[n]).abs().max()) for n in one) < 1e-3


def test_a_tiny_run_learns_where_things_are(phantoms, tmp_path):
    """The loss falls, and a crop's CLS finds the same corner of another phantom more often than an untrained one."""
    recipe = ["--centring", "sinkhorn", "--standardise", "--temperature", "0.04", "0.04", "--momentum", "0.97"]
    assert run(phantoms, tmp_path / "before", *recipe, "--steps", "1", "--lr", "1e-9") == 0
    assert run(phantoms, tmp_path / "after", *recipe, "--steps", "150", "--save-every", "1000") == 0
    curve = losses_of(tmp_path / "after")
    assert np.mean(curve[-10:]) < 0.85 * np.mean(curve[:5])
    assert lines(tmp_path / "after")[-1]["teacher_entropy"] < 0.9  # not uniform
    assert found(tmp_path / "after") > found(tmp_path / "before") + 0.04  # .84 and .76 when written


def found(out: Path) -> float:
    """Share of crops of twelve unseen phantoms whose nearest crop of another phantom is of the same corner."""
    size, _ = read_config(out / "config.yaml")
    model, _ = read_checkpoint(out / "teacher.pth", size)
    random, vectors = np.random.default_rng(0), []
    for seed in range(20, 32):
        hu = torch.from_numpy(phantom(seed).astype(np.float32))
        for corner in range(8):
            start = [int(np.clip((n - 16) * (corner >> a & 1) + random.integers(-3, 4), 0, n - 16)) for a, n in enumerate(hu.shape)]
            crop = hu[tuple(slice(s, s + 16) for s in start)]
            with torch.no_grad():
                vectors.append(model(((crop + 573.8) / 461.3)[None, None]).cls[0])
    unit = torch.nn.functional.normalize(torch.stack(vectors) - torch.stack(vectors).mean(0), dim=1)
    number = torch.arange(len(unit))
    similar = (unit @ unit.T).masked_fill(number[:, None] // 8 == number // 8, -9)  # not of the same phantom
    return float((number[similar.argmax(1)] % 8 == number % 8).float().mean())


def test_bad_input_exits_2_and_names_the_remedy(phantoms, whole, tmp_path, capsys):
    def refused(expected: str, data: Path, out: Path, *more: str) -> None:
        assert run(data, out, *more) == 2
        assert expected in capsys.readouterr().err

    refused("no volumes in", prepared(tmp_path / "empty"), tmp_path / "r")
    thin = prepared(tmp_path / "thin", a=np.zeros((40, 40, 40), np.int16), small=np.zeros((40, 6, 40), np.int16))
    refused("small.npy is 40 × 6 × 40 voxels, shorter than the smallest crop of 8", thin, tmp_path / "r")
    nan = prepared(tmp_path / "nan", **{f"n{i}": np.full((20, 20, 20), np.nan, np.float32) for i in range(3)})
    refused("holds NaN or infinite voxels: prepare it again", nan, tmp_path / "r")
    refused("holds a run already: add --resume", phantoms, whole, "--steps", "12")
    refused("--dim 24, not 48", phantoms, whole, "--resume", "--dim", "48")
    refused("every side must be a multiple of --patch 4", phantoms, tmp_path / "r", "--views", "15/8:1:4")
    refused("does not exist: start the run without --resume", phantoms, tmp_path / "new", "--resume")
    refused("--holdout 10 leaves none", phantoms, tmp_path / "r", "--holdout", "10")


def test_a_corrupt_checkpoint_is_said_and_left(phantoms, whole, tmp_path, capsys):
    out = tmp_path / "run"
    out.mkdir()
    damaged = (whole / "checkpoint.pth").read_bytes()[:-3000]
    (out / "checkpoint.pth").write_bytes(damaged)
    assert run(phantoms, out, "--resume") == 2
    assert "checkpoint.pth cannot be read" in capsys.readouterr().err
    assert (out / "checkpoint.pth").read_bytes() == damaged


def test_a_full_disk_leaves_the_last_checkpoint(phantoms, tmp_path):
    """A limit on the size of files stands for a full disk: the write fails in the middle."""
    out = tmp_path / "run"
    assert run(phantoms, out, "--steps", "4") == 0
    before = (out / "checkpoint.pth").read_bytes()
    code = (
        "import resource, signal, sys; signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000)); from training.train import main; sys.exit(main(sys.argv[1:]))"
    )
    args = ["--data", str(phantoms), "--out", str(out), *TINY, "--steps", "8", "--resume"]
    done = subprocess.run([sys.executable, "-c", code, *args], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 2 and "checkpoint.pth could not be written" in done.stderr, done.stderr[-500:]
    assert (out / "checkpoint.pth").read_bytes() == before and not list(out.glob(".*tmp*"))
    assert run(phantoms, out, "--steps", "8", "--resume") == 0


def test_collapse_is_said(phantoms, tmp_path, capsys):
    """With a teacher temperature far too high the targets are uniform."""
    assert run(phantoms, tmp_path / "run", "--steps", "8", "--temperature", "5", "5") == 0
    assert "CLS targets are uniform" in capsys.readouterr().err
    assert "collapse" in lines(tmp_path / "run")[-1]


def test_the_log_drops_what_a_resumed_run_repeats(tmp_path):
    (tmp_path / "log.jsonl").write_text('{"step": 1}\n{"step": 2}\n{"step": 3}\n{"st')
    Log(tmp_path, 2).write({"step": 3, "loss": 1})
    assert lines(tmp_path) == [{"step": 1}, {"step": 2}, {"step": 3, "loss": 1}]


def test_effective_rank_of_known_spectra():
    assert effective_rank(torch.cat([torch.eye(5), -torch.eye(5)])) == pytest.approx(5, abs=1e-6)
    assert effective_rank(torch.outer(torch.arange(6.0), torch.ones(4))) == pytest.approx(1, abs=1e-6)
