"""Volumes in S3, against a real S3 server on loopback (moto)."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import boto3
import numpy as np
import pytest
from training import remote
from training.faults import TrainingFault
from training.train import main
from training.volumes import COLUMNS, to_csv

SERVER = shutil.which("moto_server") or shutil.which("moto_server", path=str(Path(sys.executable).parent))
pytestmark = pytest.mark.skipif(not SERVER, reason="no moto_server, see pip install 'moto[server]'")


@pytest.fixture(scope="module")
def s3():
    server = subprocess.Popen([SERVER, "-H", "127.0.0.1", "-p", "0"], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    kept = dict(os.environ)
    try:
        url = next(found[0] for line in server.stderr if (found := re.search(r"http://127\.0\.0\.1:\d+", line)))
        os.environ |= {"AWS_ENDPOINT_URL_S3": url, "AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b", "AWS_DEFAULT_REGION": "us-east-1"}
        client = boto3.client("s3")
        client.create_bucket(Bucket="scans")
        yield client
    finally:
        os.environ.clear()
        os.environ.update(kept)
        server.kill()
        server.wait()


def put(client, prefix: str, volumes: dict[str, np.ndarray], folder: Path, named: list[str] | None = None) -> None:
    for name, voxels in volumes.items():
        np.save(folder / name, voxels)
        client.upload_file(str(folder / name), "scans", f"{prefix}{name}")
    rows = [dict(zip(COLUMNS, [name, "[]", 2.5, "made", 1.0])) for name in named or volumes]
    client.put_object(Bucket="scans", Key=f"{prefix}index.csv", Body=to_csv(rows).encode())


def noise(seed: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(-1000, 1000, (24, 26, 28)).astype(np.int16)


def test_volumes_are_copied_once_and_again_only_when_they_change(s3, tmp_path):
    put(s3, "cohort/a/", {"x.npy": noise(1), "y.npy": noise(2)}, tmp_path)
    s3.put_object(Bucket="scans", Key="cohort/a/below/z.npy", Body=b"not ours")
    cache = tmp_path / "cache"
    folder = remote.fetch("s3://scans/cohort/a/", cache)
    assert sorted(p.name for p in folder.iterdir()) == ["index.csv", "x.npy", "y.npy"]
    assert np.array_equal(np.load(folder / "x.npy", mmap_mode="r"), noise(1))
    inodes = {p.name: p.stat().st_ino for p in folder.iterdir()}
    (folder / "y.npy").write_bytes(b"cut short")
    remote.fetch("s3://scans/cohort/a", cache)
    assert folder.joinpath("x.npy").stat().st_ino == inodes["x.npy"]
    assert np.array_equal(np.load(folder / "y.npy"), noise(2))


def test_a_run_trains_from_s3(s3, tmp_path):
    put(s3, "run/", {f"{i}.npy": noise(i) for i in range(6)}, tmp_path)
    tiny = ["--dim", "24", "--depth", "1", "--heads", "1", "--patch", "4", "--views", "16/8:1:4", "--locals", "2", "--zoom", "1", "1",
            "--permute", "0", "--flip", "0", "0", "0", "--head-hidden", "16", "--bottleneck", "8", "--prototypes", "16", "--precision", "fp32",
            "--holdout", "0", "--steps", "2", "--accumulate", "1", "--threads", "1"]  # fmt: skip
    assert main(["--data", "s3://scans/run", "--out", str(tmp_path / "out"), "--cache", str(tmp_path / "cache"), *tiny]) == 0
    assert (tmp_path / "out" / "teacher.pth").exists()


@pytest.mark.parametrize(
    ("data", "says"),
    [
        ("s3://scans/nothing-here", "holds no index.csv"),
        ("s3://no-such-bucket/a", "check bucket, prefix and credentials"),
        ("s3:///a", "write s3://BUCKET/PREFIX"),
        ("s3://scans/a/../b", "write s3://BUCKET/PREFIX"),
        ("s3://scans/lacking", "lacks gone.npy"),
        ("s3://scans/elsewhere", "no plain file name"),
    ],
)
def test_what_cannot_be_fetched_is_named(s3, tmp_path, data, says):
    put(s3, "lacking/", {"x.npy": noise(1)}, tmp_path, named=["x.npy", "gone.npy"])
    put(s3, "elsewhere/", {}, tmp_path, named=["../x.npy"])
    with pytest.raises(TrainingFault, match=re.escape(says)):
        remote.fetch(data, tmp_path / "cache")
