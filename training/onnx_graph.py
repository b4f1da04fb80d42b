"""
The network as an ONNX graph, built node by node from the model's weights.

Written by hand rather than traced because of memory: at 25 000 tokens one N × N attention matrix of 12 heads is
28 GiB. com.microsoft.MultiHeadAttention never makes it on the CPU, as long as it gets no mask and no bias.
Letters in shapes as in model.py. There is one volume, so tokens are [t, c] and every linear layer is one Gemm.
"""

import math

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import Tensor, nn

from .model import Block, VisionTransformer

# The operators of onnxruntime itself.
FUSED = "com.microsoft"
OPSETS = [helper.make_opsetid("", 20), helper.make_opsetid(FUSED, 1)]
IR_VERSION = 10


class Graph:
    """Nodes and weights gathered in order; `add` returns the name of a node's output."""

    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.weights: dict[str, onnx.TensorProto] = {}

    def add(self, op: str, *inputs: str, domain: str = "", output: str | None = None, **attributes: object) -> str:
        name = output or f"{op}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(op, inputs, [name], name=name, domain=domain, **attributes))
        return name

    def weight(self, name: str, value: Tensor | np.ndarray) -> str:
        array = value.detach().numpy() if isinstance(value, Tensor) else value
        self.weights[name] = numpy_helper.from_array(np.ascontiguousarray(array), name)
        return name

    def const(self, value: int | float | list[int]) -> str:
        """A float32 or int64 constant, a scalar or a list; equal ones are kept once."""
        array = np.array(value, np.float32 if isinstance(value, float) else np.int64)
        return self.weight(f"constant {value}", array)


def build(model: VisionTransformer, name: str) -> onnx.ModelProto:
    """
    input [1, 1, D, H, W] (any multiples of the patch) → cls [1, c], patches [1, z, y, x, c], all float32.
    The LayerScales are folded into the layers before them; the mask token is left out.
    """
    g, size = Graph(), model.size
    prefix = 1 + size.registers

    patches, grid = embed(g, model)
    first = g.weight("prefix_tokens", torch.cat([model.cls_token[0], model.register_tokens[0]]))  # [1 + r, c]
    tokens = g.add("Concat", first, patches, axis=0)  # [t, c]
    cos, sin = rotary(g, model, grid)
    for index, block in enumerate(model.blocks):
        tokens = transform(g, block, f"blocks.{index}", tokens, cos, sin)
    tokens = norm(g, model.norm, "norm", tokens)

    g.add("Slice", tokens, g.const([0]), g.const([1]), g.const([0]), output="cls")
    rest = g.add("Slice", tokens, g.const([prefix]), g.const([np.iinfo(np.int64).max]), g.const([0]))
    shape = g.add("Concat", g.const([1]), grid, g.const([size.dim]), axis=0)
    g.add("Reshape", rest, shape, output="patches")

    graph = helper.make_graph(
        g.nodes,
        name,
        [helper.make_tensor_value_info("input", TensorProto.FLOAT, [1, 1, "depth", "height", "width"])],
        [
            helper.make_tensor_value_info("cls", TensorProto.FLOAT, [1, size.dim]),
            helper.make_tensor_value_info("patches", TensorProto.FLOAT, [1, "gz", "gy", "gx", size.dim]),
        ],
        list(g.weights.values()),
    )
    return helper.make_model(graph, opset_imports=OPSETS, ir_version=IR_VERSION, producer_name="voxkin")


def embed(g: Graph, model: VisionTransformer) -> tuple[str, str]:
    """Patch tokens [n, c], and the grid [z, y, x] as int64."""
    proj, patch = model.patch_embed.proj, model.size.patch
    weight, bias = g.weight("patch_embed.proj.weight", proj.weight), g.weight("patch_embed.proj.bias", proj.bias)
    maps = g.add("Conv", "input", weight, bias, kernel_shape=[patch] * 3, strides=[patch] * 3)  # [1, c, z, y, x]
    grid = g.add("Shape", maps, start=2, end=5)
    flat = g.add("Reshape", maps, g.const([model.size.dim, -1]))  # [c, n]
    return g.add("Transpose", flat, perm=[1, 0]), grid


def rotary(g: Graph, model: VisionTransformer, grid: str) -> tuple[str, str]:
    """Cosines and sines [t, e/2], computed from the grid; the prefix tokens get angle 0 and so stay as they are."""
    periods = g.weight("rope_embed.periods", model.rope_embed.periods)
    pairs = len(model.rope_embed.periods)
    blocks = []
    for axis in range(3):
        count = g.add("Cast", g.add("Gather", grid, g.const(axis)), to=TensorProto.FLOAT)
        index = g.add("Range", g.const(0.0), count, g.const(1.0))  # [n_axis]
        fraction = g.add("Div", g.add("Add", index, g.const(0.5)), count)
        centre = g.add("Sub", g.add("Mul", fraction, g.const(2.0)), g.const(1.0))  # −1 to 1
        column = g.add("Reshape", centre, g.const([*[-1 if other == axis else 1 for other in range(3)], 1]))
        angle = g.add("Div", g.add("Mul", column, g.const(2 * math.pi)), periods)
        blocks.append(g.add("Expand", angle, g.add("Concat", grid, g.const([pairs]), axis=0)))  # [z, y, x, e/6]
    angles = g.add("Reshape", g.add("Concat", *blocks, axis=-1), g.const([-1, 3 * pairs]))  # [n, e/2]
    still = g.weight("prefix_angles", np.zeros((1 + model.size.registers, 3 * pairs), np.float32))
    angles = g.add("Concat", still, angles, axis=0)
    return g.add("Cos", angles), g.add("Sin", angles)


def transform(g: Graph, block: Block, name: str, tokens: str, cos: str, sin: str) -> str:
    """One block, [t, c] → [t, c]."""
    normed = norm(g, block.norm1, f"{name}.norm1", tokens)
    tokens = g.add("Add", tokens, attend(g, block, name, normed, cos, sin))
    normed = norm(g, block.norm2, f"{name}.norm2", tokens)
    fc1, fc2, gamma = block.mlp.fc1, block.mlp.fc2, block.ls2.gamma
    hidden = g.add("Gelu", linear(g, f"{name}.mlp.fc1", normed, fc1.weight, fc1.bias))  # [t, 4c]
    return g.add("Add", tokens, linear(g, f"{name}.mlp.fc2", hidden, gamma[:, None] * fc2.weight, gamma * fc2.bias))


def attend(g: Graph, block: Block, name: str, tokens: str, cos: str, sin: str) -> str:
    attn, gamma = block.attn, block.ls1.gamma
    dim = len(gamma)
    q, k, v = (
        # Three layers rather than one: splitting a joint [t, 3c] would copy it.
        g.add("Unsqueeze", linear(g, f"{name}.attn.{part}", tokens, weight, bias), g.const([0]))  # [1, t, c]
        for part, weight, bias in zip("qkv", attn.qkv.weight.split(dim), attn.qkv.bias.split(dim))
    )
    q, k = (g.add("RotaryEmbedding", x, g.const([0]), cos, sin, domain=FUSED, interleaved=1) for x in (q, k))
    mixed = g.add("MultiHeadAttention", q, k, v, domain=FUSED, num_heads=attn.heads)
    flat = g.add("Squeeze", mixed, g.const([0]))  # [t, c]
    return linear(g, f"{name}.attn.proj", flat, gamma[:, None] * attn.proj.weight, gamma * attn.proj.bias)


def linear(g: Graph, name: str, tokens: str, weight: Tensor, bias: Tensor) -> str:
    return g.add("Gemm", tokens, g.weight(f"{name}.weight", weight), g.weight(f"{name}.bias", bias), transB=1)


def norm(g: Graph, layer: nn.LayerNorm, name: str, tokens: str) -> str:
    scale, shift = g.weight(f"{name}.weight", layer.weight), g.weight(f"{name}.bias", layer.bias)
    return g.add("LayerNormalization", tokens, scale, shift, axis=-1, epsilon=layer.eps)
