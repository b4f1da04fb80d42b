import math

import nibabel
import numpy as np
import pytest
import torch

from training.checkpoint import read_checkpoint, read_config
from training.model import QUERIES, Block, RopeEmbed, Size, VisionTransformer, attend, rotate
from training.tests.support import FIXTURE, SMALL, cosines, needs_fixture, small_model


def test_rotary_positions_by_hand():
    """Every pair of every head turned by its own angle, in plain loops."""
    size = Size(dim=36, heads=2, rope_base=100.0)  # e = 18: three blocks of three pairs
    grid, prefix, pairs = (2, 1, 3), 2, 3
    tokens = torch.randn(1, 2, prefix + 6, 18, generator=torch.Generator().manual_seed(0))
    turned = rotate(tokens, *RopeEmbed(size)(torch.Size(grid), prefix))

    expected = tokens.clone().double()
    for head in range(2):
        for index, position in enumerate(np.ndindex(grid)):
            for axis in range(3):
                centre = 2 * (position[axis] + 0.5) / grid[axis] - 1
                for pair in range(pairs):
                    angle = 2 * math.pi * centre / 100 ** (2 * pair / (2 * pairs))
                    channel = axis * 2 * pairs + 2 * pair
                    even, odd = tokens[0, head, prefix + index, channel : channel + 2].tolist()
                    expected[0, head, prefix + index, channel] = even * math.cos(angle) - odd * math.sin(angle)
                    expected[0, head, prefix + index, channel + 1] = odd * math.cos(angle) + even * math.sin(angle)
    assert torch.allclose(turned.double(), expected, atol=1e-6)


@torch.no_grad()
def test_a_block_is_an_explicit_softmax():
    size = Size(dim=24, heads=2)
    block = Block(size, drop_path=0.0, layer_scale=0.3).double().eval()
    rope = RopeEmbed(size).double()
    generator = torch.Generator().manual_seed(0)
    for parameter in block.parameters():
        parameter += 0.3 * torch.randn(parameter.shape, generator=generator, dtype=torch.double)
    tokens = torch.randn(1, 3 + 4, 24, generator=generator, dtype=torch.double)
    cos, sin = rope(torch.Size((2, 1, 2)), 3)

    normed = block.norm1(tokens)[0]
    q, k, v = (normed @ block.attn.qkv.weight.T + block.attn.qkv.bias).split(24, dim=-1)
    heads = []
    for head in range(2):
        part = slice(12 * head, 12 * head + 12)
        queries, keys = (rotate(x[None, None, :, part], cos, sin)[0, 0] for x in (q, k))
        heads.append(torch.softmax(queries @ keys.T / math.sqrt(12), dim=-1) @ v[:, part])
    attended = tokens + block.ls1.gamma * (torch.cat(heads, -1) @ block.attn.proj.weight.T + block.attn.proj.bias)
    hidden = block.norm2(attended) @ block.mlp.fc1.weight.T + block.mlp.fc1.bias
    hidden = hidden * 0.5 * (1 + torch.erf(hidden / math.sqrt(2)))
    expected = attended + block.ls2.gamma * (hidden @ block.mlp.fc2.weight.T + block.mlp.fc2.bias)
    assert torch.allclose(block(tokens, cos, sin), expected, atol=1e-10)


@pytest.mark.parametrize("tokens", [5, QUERIES, QUERIES + 133])
def test_attention_by_pieces_is_attention(tokens):
    """In bf16 on a CPU, against fp32: values and gradients to 2 % of the largest, since scores and weights are rounded to 2⁻⁹ too."""
    generator = torch.Generator().manual_seed(tokens)
    exact = [torch.randn(2, 3, tokens, 24, generator=generator).bfloat16().float().requires_grad_() for _ in range(3)]
    rounded = [x.detach().bfloat16().requires_grad_() for x in exact]
    weights = torch.randn(2, 3, tokens, 24, generator=generator)
    expected, found = attend(*exact), attend(*rounded)
    assert found.dtype == torch.bfloat16
    (expected * weights).sum().backward()
    (found.float() * weights).sum().backward()
    for a, b in [(expected, found), *((x.grad, y.grad) for x, y in zip(exact, rounded, strict=True))]:
        assert (a - b.float()).abs().max() <= 0.02 * a.abs().max()


def test_the_size_of_voxelfm():
    with torch.device("meta"):
        model = VisionTransformer(Size())
    assert sum(parameter.numel() for parameter in model.parameters()) == 110_029_536
    with pytest.raises(ValueError, match="multiple of 6"):
        Size(dim=768, heads=12)


@torch.no_grad()
def test_masked_patches_do_not_show():
    model = small_model()
    volume = torch.randn(1, 1, 8, 4, 8, generator=torch.Generator().manual_seed(0))
    mask = torch.tensor([[True, False, False, True]])  # patches (0,0,0) and (1,0,1)
    changed = volume.clone()
    changed[:, :, :4, :, :4] += 5
    changed[:, :, 4:, :, 4:] -= 5
    assert torch.equal(model(volume, mask).patches, model(changed, mask).patches)
    assert not torch.allclose(model(volume).patches, model(changed).patches)


def test_stochastic_depth_only_in_training():
    model = VisionTransformer(SMALL, drop_path=0.5, layer_scale=1.0)
    volume = torch.randn(8, 1, 4, 4, 8, generator=torch.Generator().manual_seed(0))
    torch.manual_seed(0)
    assert not torch.equal(model(volume).cls, model(volume).cls)
    model.eval()
    assert torch.equal(model(volume).cls, model(volume).cls)


@needs_fixture
def test_reproduces_the_original_code_on_the_fixture():
    """
    The prepared volumes are not in the fixture, but example_ct needs only a clip, a crop to multiples of 14 and the
    z-score, so its input can be made here. All three volumes are compared in test/encoder/voxelfm.test.ts.
    """
    path = FIXTURE.parents[1] / "data" / "totalsegmentator" / "example_ct.nii.gz"
    if not path.exists():
        pytest.skip("../shared/data is absent")
    ras = np.asarray(nibabel.as_closest_canonical(nibabel.load(path)).dataobj, np.float32)
    hu = np.clip(ras[::-1, ::-1].transpose(2, 1, 0), -1000, 1900)  # [z, y, x], towards head, back, left
    crop = tuple(slice((n - n // 14 * 14) // 2, (n - n // 14 * 14) // 2 + n // 14 * 14) for n in hu.shape)
    volume = torch.from_numpy((hu[crop] + np.float32(573.8)) / np.float32(461.3))

    size, _ = read_config(FIXTURE / "config.yaml")
    model, iteration = read_checkpoint(FIXTURE / "checkpoint.pth", size)
    with torch.no_grad():
        tokens = model(volume[None, None])
    golden = np.load(FIXTURE / "example_ct.npz")
    assert iteration == 99999
    assert cosines(tokens.cls.numpy().ravel(), golden["cls"].ravel()) >= 0.99999
    assert cosines(tokens.patches[0].numpy(), golden["patches"]).min() >= 0.99999


def test_patches_are_embedded_as_a_convolution_does():
    for grid in [(1, 1, 1), (2, 3, 5)]:
        model = small_model()
        proj, patch = model.patch_embed.proj, model.size.patch
        volume = torch.randn((2, 1, *(n * patch for n in grid)))
        expected = torch.nn.functional.conv3d(volume, proj.weight, proj.bias, stride=patch).movedim(1, -1)
        torch.testing.assert_close(model.patch_embed(volume), expected, atol=1e-5, rtol=1e-5)
