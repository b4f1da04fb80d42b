import pytest
import torch
import yaml

from training.checkpoint import read_checkpoint, read_config
from training.faults import ExportFault
from training.tests.support import FIXTURE, SMALL, needs_fixture, small_model, write_release

BLOCK = "module.backbone.blocks.1.attn.qkv.weight"


@pytest.fixture
def release(tmp_path):
    return write_release(tmp_path, small_model())


def test_reads_what_was_released(release):
    checkpoint, config = release
    size, recipe = read_config(config)
    assert size == SMALL
    assert recipe == {"clip": (-1000.0, 1900.0), "mean": -573.8, "std": 461.3, "patch": 4}
    model, iteration = read_checkpoint(checkpoint, size)
    assert iteration == 7
    for name, tensor in small_model().state_dict().items():
        assert torch.equal(tensor, model.state_dict()[name])


@needs_fixture
def test_reads_the_fixture():
    size, _ = read_config(FIXTURE / "config.yaml")
    assert (size.dim, size.depth, size.heads) == (144, 4, 2)
    read_checkpoint(FIXTURE / "checkpoint.pth", size)


def drop(teacher):
    del teacher[BLOCK]


def add(teacher):
    teacher["module.backbone.blocks.2.norm1.weight"] = torch.ones(24)


def narrow(teacher):
    teacher[BLOCK] = teacher[BLOCK][:, :-1]


def spoil(teacher):
    teacher[BLOCK][3, 4] = float("nan")


def quantise(teacher):
    teacher[BLOCK] = teacher[BLOCK].to(torch.int8)


def flatten_periods(teacher):
    teacher["module.backbone.rope_embed.periods"] *= 0


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (drop, f"lacks {BLOCK}"),
        (add, "has module.backbone.blocks.2.norm1.weight"),
        (narrow, rf"{BLOCK} has shape \(72, 23\).*\(72, 24\)"),
        (spoil, f"{BLOCK} holds NaN"),
        (quantise, f"{BLOCK} is no tensor of floats"),
        (flatten_periods, "periods must be positive"),
    ],
)
def test_every_tensor_is_checked(release, damage, words):
    checkpoint, _ = release
    content = torch.load(checkpoint, weights_only=True)
    damage(content["teacher"])
    torch.save(content, checkpoint)
    with pytest.raises(ExportFault, match=f"c.pth.*{words}"):
        read_checkpoint(checkpoint, SMALL)


def test_damaged_absent_and_foreign_files(release, tmp_path):
    checkpoint, _ = release
    whole = checkpoint.read_bytes()
    for bytes_ in (whole[: len(whole) // 2], whole[:100], b"", b"\x89PNG\r\n\x1a\n", b"GIF89a" * 100):
        checkpoint.write_bytes(bytes_)
        with pytest.raises(ExportFault, match="c.pth cannot be read"):
            read_checkpoint(checkpoint, SMALL)
    with pytest.raises(ExportFault, match="absent.pth does not exist"):
        read_checkpoint(tmp_path / "absent.pth", SMALL)
    torch.save({"model": {}}, checkpoint)
    with pytest.raises(ExportFault, match="has no 'teacher'"):
        read_checkpoint(checkpoint, SMALL)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda c: c["student"].pop("num_heads"), "no key student.num_heads"),
        (lambda c: c.pop("student"), "no key student.embed_dim"),
        (lambda c: c["datasets"].clear(), "no key datasets.0.pixel_range.lower"),
        (lambda c: c["datasets"][0]["norm"].pop("std"), "no key datasets.0.norm.std"),
        (lambda c: c["student"].update(embed_dim="many"), "student.embed_dim is 'many', not a number"),
        (lambda c: c["student"].update(embed_dim=25), "multiple of 6"),
        (lambda c: c["student"].update(num_heads=0), "must be positive"),
        (lambda c: c["student"].update(ffn_layer="swiglu"), "student.ffn_layer is 'swiglu'"),
        (lambda c: c["student"].update(rope_rescale_coords=2.0), "student.rope_rescale_coords is 2.0"),
    ],
)
def test_every_key_of_the_config_is_checked(release, change, words):
    _, path = release
    config = yaml.safe_load(path.read_text())
    change(config)
    path.write_text(yaml.safe_dump(config))
    with pytest.raises(ExportFault, match=f"config.yaml.*{words}"):
        read_config(path)


def test_a_config_that_is_none(release, tmp_path):
    _, path = release
    path.write_text("a: [1")
    with pytest.raises(ExportFault, match="config.yaml is not YAML"):
        read_config(path)
    path.write_text("")
    with pytest.raises(ExportFault, match="no key student.embed_dim"):
        read_config(path)
    with pytest.raises(ExportFault, match="absent.yaml does not exist"):
        read_config(tmp_path / "absent.yaml")
