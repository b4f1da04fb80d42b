"""Writes encoder.onnx, and beside it the weights that do not fit into one protobuf message."""

import logging
import tempfile
from pathlib import Path
from typing import Any

import onnx
from onnxruntime.quantization import QuantType, quantize_dynamic
from onnx.external_data_helper import set_external_data

from .card import file_digest
from .faults import ExportFault
from .model import VisionTransformer
from .onnx_graph import build

# A protobuf message ends at 2 GiB; a part of 1 GiB can still be read in one piece by every Node.
MESSAGE_LIMIT = 2**31 - 2**20
PART_LIMIT = 2**30
# Smaller tensors (shapes, biases) stay in the message, where onnxruntime reads them while it loads the graph.
SMALL = 4096


def write(
    model: VisionTransformer,
    name: str,
    folder: Path,
    int8: bool = False,
    message_limit: int = MESSAGE_LIMIT,
    part_limit: int = PART_LIMIT,
) -> list[dict[str, Any]]:
    """
    Files written, encoder.onnx first, each with name, bytes and sha256. The digests of the parts are also written into
    encoder.onnx, so that its own digest names every weight.
    """
    proto = quantised(build(model, name), message_limit) if int8 else build(model, name)
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


def quantised(proto: onnx.ModelProto, message_limit: int) -> onnx.ModelProto:
    """
    Matrices as int8, a scale for each output channel; what is multiplied with them is quantised as it comes, one scale for
    each input. A quarter of the bytes, and about two thirds of the time on a CPU.
    """
    if proto.ByteSize() > message_limit:
        raise ExportFault(f"--int8 takes models of up to {message_limit >> 20} MiB: export this one without it")
    logging.getLogger().addFilter(no_preparation)
    try:
        with tempfile.TemporaryDirectory() as folder:
            quantize_dynamic(
                proto,
                Path(folder) / "int8.onnx",
                per_channel=True,
                weight_type=QuantType.QInt8,
                op_types_to_quantize=["MatMul", "Gemm"],
                # Attention is another domain's operator, behind which no type can be inferred: all is float32.
                extra_options={"MatMulConstBOnly": True, "DefaultTensorType": onnx.TensorProto.FLOAT},
            )
            return onnx.load(Path(folder) / "int8.onnx")
    finally:
        logging.getLogger().removeFilter(no_preparation)


def no_preparation(record: logging.LogRecord) -> bool:
    """The quantiser asks for a pass that fuses and infers shapes; our graph is fused as it is."""
    return "pre-processing before quantization" not in record.getMessage()


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
