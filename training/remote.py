"""
Prepared volumes in S3. They are copied once to a folder of this machine, and from then on memory-mapped like others: a run
reads a random crop of each volume hundreds of times, and a crop's voxels lie scattered over its file.

Credentials, region and endpoint are boto3's own affair (AWS_PROFILE, AWS_REGION, AWS_ENDPOINT_URL_S3, …).
"""

import os
from pathlib import Path
from typing import Any

from .faults import TrainingFault
from .volumes import read_rows, write_atomically


def is_remote(data: str) -> bool:
    return data.startswith("s3://")


def copy_of(data: str, cache: Path) -> Path:
    """Where the copy of s3://BUCKET/PREFIX lies or will lie."""
    bucket, prefix = parts(data)
    return cache / bucket / prefix


def fetch(data: str, cache: Path) -> Path:
    """
    Copies index.csv and the volumes that it names; what is there already, of the same size and time, is not copied again.
    A file appears whole or not at all, so a copy that was cut short goes on where it stopped.
    """
    import boto3  # only who reads from S3 needs it
    from boto3.exceptions import Boto3Error
    from botocore.exceptions import BotoCoreError, ClientError

    bucket, prefix = parts(data)
    folder = copy_of(data, cache)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise TrainingFault(f"--cache {cache} cannot be used ({error}): give another folder")
    try:
        client = boto3.client("s3")
        stored = listing(client, bucket, prefix)
        if "index.csv" not in stored:
            raise TrainingFault(f"{data} holds no index.csv: copy a folder there that python -m training.volumes has made")
        copy(client, bucket, prefix, stored["index.csv"], folder / "index.csv")
        for row in read_rows(folder):
            name = row["path"]
            if Path(name).name != name:
                raise TrainingFault(f"index.csv in {data} names {name!r}, which is no plain file name: prepare the volumes again")
            if name not in stored:
                raise TrainingFault(f"{data} lacks {name}, which its index.csv names: copy it there, or delete its row")
            copy(client, bucket, prefix, stored[name], folder / name)
    except (BotoCoreError, ClientError, Boto3Error) as error:
        raise TrainingFault(f"{data} cannot be read ({error}): check bucket, prefix and credentials")
    return folder


def parts(data: str) -> tuple[str, str]:
    bucket, _, prefix = data.removeprefix("s3://").partition("/")
    prefix = prefix.strip("/")
    if not bucket or ".." in prefix.split("/"):
        raise TrainingFault(f"--data {data}: write s3://BUCKET/PREFIX")
    return bucket, prefix


def listing(client: Any, bucket: str, prefix: str) -> dict[str, dict[str, Any]]:
    """The objects right below the prefix, by name."""
    start = f"{prefix}/" if prefix else ""
    pages = client.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=start, Delimiter="/")
    return {found["Key"][len(start) :]: found for page in pages for found in page.get("Contents", [])}


def copy(client: Any, bucket: str, prefix: str, found: dict[str, Any], to: Path) -> None:
    changed = found["LastModified"].timestamp()
    if to.exists() and to.stat().st_size == found["Size"] and to.stat().st_mtime == changed:
        return
    write_atomically(to, lambda file: client.download_fileobj(bucket, found["Key"], file))
    os.utime(to, (changed, changed))
