"""The 3D vision transformer of VoxelFM (arXiv 2604.04133), written anew.

Letters in shapes: B volumes, D H W voxels, z y x patches per axis, n = z·y·x patches, r registers,
t = 1 + r + n tokens in the order [CLS, registers, patches], c channels, h heads, e = c / h.
Parameter names are those of the released checkpoint, so that it loads with strict=True.
"""

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.utils.checkpoint import checkpoint


@dataclass(frozen=True)
class Size:
    """Everything that fixes the shapes of the parameters; the defaults are VoxelFM's."""

    dim: int = 864
    depth: int = 12
    heads: int = 12
    patch: int = 14
    registers: int = 4
    mlp_ratio: float = 4.0
    rope_base: float = 100.0

    def __post_init__(self) -> None:
        if min(self.dim, self.depth, self.heads, self.patch, self.hidden, self.rope_base) <= 0 or self.registers < 0:
            raise ValueError(f"{self}: sizes must be positive")
        if self.dim % (6 * self.heads):
            raise ValueError(
                f"dim {self.dim} with {self.heads} heads: 3D rotary positions need pairs along three axes in "
                f"every head, so dim must be a multiple of 6 · heads = {6 * self.heads}"
            )

    @property
    def hidden(self) -> int:
        return int(self.dim * self.mlp_ratio)


@dataclass
class Tokens:
    cls: Tensor  # [B, c]
    patches: Tensor  # [B, z, y, x, c]


class VisionTransformer(nn.Module):
    def __init__(self, size: Size = Size(), drop_path: float = 0.0, layer_scale: float = 1e-5) -> None:
        super().__init__()
        self.size = size
        self.cls_token = nn.Parameter(torch.randn(1, 1, size.dim) * 1e-6)
        self.register_tokens = nn.Parameter(torch.randn(1, size.registers, size.dim) * 1e-6)
        self.mask_token = nn.Parameter(torch.zeros(1, size.dim))
        self.patch_embed = PatchEmbed(size)
        self.rope_embed = RopeEmbed(size)
        self.blocks = nn.ModuleList(Block(size, drop_path, layer_scale) for _ in range(size.depth))
        self.norm = nn.LayerNorm(size.dim, eps=1e-5)
        for module in self.modules():
            if isinstance(module, nn.Linear):
                nn.init.trunc_normal_(module.weight, std=0.02)
                nn.init.zeros_(module.bias)

    def forward(self, volume: Tensor, mask: Tensor | None = None) -> Tokens:
        """
        volume: [B, 1, D, H, W], normalised, each axis a multiple of the patch.
        mask: [B, n] bool; True hides a patch behind the mask token.
        """
        patches = self.patch_embed(volume)  # [B, z, y, x, c]
        grid = patches.shape[1:4]
        patches = patches.flatten(1, 3)  # [B, n, c]
        if mask is not None:
            patches = torch.where(mask.unsqueeze(-1), self.mask_token, patches)
        prefix = torch.cat([self.cls_token, self.register_tokens], dim=1)  # [1, 1 + r, c]
        tokens = torch.cat([prefix.expand(len(patches), -1, -1), patches], dim=1)  # [B, t, c]

        cos, sin = self.rope_embed(grid, prefix.shape[1])
        for block in self.blocks:
            tokens = block(tokens, cos, sin)
        tokens = self.norm(tokens)
        return Tokens(cls=tokens[:, 0], patches=tokens[:, 1 + self.size.registers :].unflatten(1, grid))


class PatchEmbed(nn.Module):
    def __init__(self, size: Size) -> None:
        super().__init__()
        self.proj = nn.Conv3d(1, size.dim, kernel_size=size.patch, stride=size.patch)

    def forward(self, volume: Tensor) -> Tensor:
        # Patches do not overlap, so the convolution is one product of matrices, in bf16 on a CPU eight times as fast.
        p = self.proj.kernel_size[0]
        z, y, x = (n // p for n in volume.shape[2:])
        cells = volume[:, 0, : z * p, : y * p, : x * p].unflatten(3, (x, p)).unflatten(2, (y, p)).unflatten(1, (z, p))
        patches = cells.permute(0, 1, 3, 5, 2, 4, 6).flatten(4)  # [B, z, y, x, p³]
        return F.linear(patches, self.proj.weight.flatten(1), self.proj.bias)


class RopeEmbed(nn.Module):
    """Angles by which queries and keys turn. A head's e channels are three blocks (z, y, x) of e/6 pairs each."""

    def __init__(self, size: Size) -> None:
        super().__init__()
        pairs = size.dim // size.heads // 6
        self.register_buffer("periods", size.rope_base ** (torch.arange(pairs) / pairs))

    def forward(self, grid: torch.Size, prefix: int) -> tuple[Tensor, Tensor]:
        """Cosines and sines, [t, e] each, for `rotate`. The `prefix` tokens before the patches, CLS and registers, do not turn."""
        # Patch centres, −1 to 1 along every axis whatever its length: the network sees no physical scale.
        centres = [(torch.arange(n, device=self.periods.device) + 0.5) / n * 2 - 1 for n in grid]
        angles = [2 * math.pi * axis[:, None] / self.periods for axis in centres]  # per axis [n_axis, e/6]
        z, y, x = (a.view([-1 if i == axis else 1 for i in range(3)] + [a.shape[1]]) for axis, a in enumerate(angles))
        all_axes = torch.cat([a.expand(*grid, -1) for a in (z, y, x)], dim=-1).flatten(0, 2)  # [n, e/2]
        turns = F.pad(all_axes, (0, 0, prefix, 0))  # [t, e/2]
        return torch.stack([turns.cos()] * 2, dim=-1).flatten(1), torch.stack([-turns.sin(), turns.sin()], dim=-1).flatten(1)


def rotate(tokens: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    """Turns each pair of neighbouring channels: (a, b) becomes (a·cos − b·sin, b·cos + a·sin). [B, h, t, e]"""
    partners = tokens.unflatten(-1, (-1, 2)).flip(-1).flatten(-2)
    return torch.addcmul(tokens * cos, partners, sin)


QUERIES = 384  # of one piece: the fastest of 128 to 517, at 517 and at 2202 tokens


def attend(q: Tensor, k: Tensor, v: Tensor) -> Tensor:
    """softmax(q kᵀ / √e) v, [B, h, t, e] each; no t × t matrix is kept."""
    if v.dtype != torch.bfloat16 or v.device.type != "cpu":
        return F.scaled_dot_product_attention(q, k, v)
    # PyTorch's own kernel for bf16 takes 1.2 to 4 times as long on a CPU without AMX, backward pass included.
    q, k = (q * q.shape[-1] ** -0.5).to(v.dtype), k.to(v.dtype)
    pieces = [checkpoint(soft_mean, piece, k, v, use_reentrant=False, preserve_rng_state=False) for piece in q.split(QUERIES, 2)]
    return torch.cat(pieces, dim=2)


def soft_mean(q: Tensor, k: Tensor, v: Tensor) -> Tensor:
    return F.softmax(q @ k.mT, dim=-1) @ v


class Attention(nn.Module):
    def __init__(self, size: Size) -> None:
        super().__init__()
        self.heads = size.heads
        self.qkv = nn.Linear(size.dim, 3 * size.dim)
        self.proj = nn.Linear(size.dim, size.dim)

    def forward(self, tokens: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
        q, k, v = self.qkv(tokens).unflatten(-1, (3, self.heads, -1)).permute(2, 0, 3, 1, 4)  # [B, h, t, e] each
        mixed = attend(rotate(q, cos, sin), rotate(k, cos, sin), v)
        return self.proj(mixed.transpose(1, 2).flatten(2))  # [B, t, c]


class Mlp(nn.Module):
    def __init__(self, size: Size) -> None:
        super().__init__()
        self.fc1 = nn.Linear(size.dim, size.hidden)
        self.fc2 = nn.Linear(size.hidden, size.dim)

    def forward(self, tokens: Tensor) -> Tensor:
        return self.fc2(F.gelu(self.fc1(tokens)))


class LayerScale(nn.Module):
    def __init__(self, dim: int, init: float) -> None:
        super().__init__()
        self.gamma = nn.Parameter(torch.full((dim,), init))

    def forward(self, tokens: Tensor) -> Tensor:
        return tokens * self.gamma


class Block(nn.Module):
    def __init__(self, size: Size, drop_path: float, layer_scale: float) -> None:
        super().__init__()
        self.drop_path = drop_path
        self.norm1 = nn.LayerNorm(size.dim, eps=1e-5)
        self.attn = Attention(size)
        self.ls1 = LayerScale(size.dim, layer_scale)
        self.norm2 = nn.LayerNorm(size.dim, eps=1e-5)
        self.mlp = Mlp(size)
        self.ls2 = LayerScale(size.dim, layer_scale)

    def forward(self, tokens: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
        tokens = tokens + self.drop(self.ls1(self.attn(self.norm1(tokens), cos, sin)))
        return tokens + self.drop(self.ls2(self.mlp(self.norm2(tokens))))

    def drop(self, branch: Tensor) -> Tensor:
        """Stochastic depth: in training the whole branch of some volumes is left out, the others scaled to make up."""
        if not self.training or self.drop_path == 0:
            return branch
        keep = torch.rand(len(branch), 1, 1, device=branch.device) >= self.drop_path
        return branch * keep / (1 - self.drop_path)
