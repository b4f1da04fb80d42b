"""Writes encoder.onnx, and beside it the weights that do not fit into one protobuf message."""

from pathlib import Path
from typing import Any

import onnx
from onnx.external_data_helper import set_external_data

from .card import file_digest
from .model import VisionTransformer
from .onnx_graph import build

# A protobuf message ends at 2 GiB; a part of 1 GiB can still be read in one piece by every Node.
MESSAGE_LIMIT = 2**31 - 2**20
PART_LIMIT = 2**30
# Smaller tensors (shapes, biases) stay in the message, where onnxruntime reads them while it loads the graph.
SMALL = 4096


def write(
    model: VisionTransformer, name: str, folder: Path, message_limit: int = MESSAGE_LIMIT, part_limit: int = PART_LIMIT
) -> list[dict[str, Any]]:
    """
    Files written, encoder.onnx first, each with name, bytes and sha256. The digests of the parts are also written into
    encoder.onnx, so that its own digest names every weight.
    """
    proto = build(model, name)
    weights = proto.graph.initializer
    if sum(len(tensor.raw_data) for tensor in weights) > message_limit:
        for part in move_outside([tensor for tensor in weights if len(tensor.raw_data) >= SMALL], folder, part_limit):
            proto.metadata_props.add(key=f"sha256 {part}", value=file_digest(folder / part))
    (folder / "encoder.onnx").write_bytes(proto.SerializeToString(deterministic=True))
    onnx.checker.check_model(str(folder / "encoder.onnx"))
    names = ["encoder.onnx", *sorted(path.name for path in folder.glob("encoder.onnx.*"))]
    return [
        {"name": name, "bytes": (folder / name).stat().st_size, "sha256": file_digest(folder / name)} for name in names
    ]


def move_outside(weights: list[onnx.TensorProto], folder: Path, part_limit: int) -> list[str]:
    """Moves tensors into encoder.onnx.1, .2, … of at most part_limit bytes (one tensor at least)."""
    parts: list[str] = []
    used = part_limit
    for tensor in weights:
        size = len(tensor.raw_data)
        if used + size > part_limit:
            parts.append(f"encoder.onnx.{len(parts) + 1}")
            used = 0
        with (folder / parts[-1]).open("ab") as file:
            file.write(tensor.raw_data)
        set_external_data(tensor, location=parts[-1], offset=used, length=size)
        tensor.ClearField("raw_data")
        used += size
    return parts
