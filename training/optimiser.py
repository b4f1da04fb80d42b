"""AdamW's groups: a layer's learning rate shrinks with its depth below the head, and not everything decays."""

from dataclasses import dataclass

import torch
from torch import nn

from .options import Options


@dataclass(frozen=True)
class Rule:
    lr: float  # factor of the run's learning rate
    decay: bool
    last: bool  # prototypes, which stand still at first


def rule(name: str, depth: int, layer_decay: float, patch_lr: float) -> Rule:
    """Of one parameter of the student, as published: 0.9 per block, tokens and patch embedding below block 0, heads and the final norm at 1."""
    decay = not (name.endswith("bias") or "norm" in name or "gamma" in name)
    layer = depth + 1
    if name.startswith("backbone.blocks."):
        layer = int(name.split(".")[2]) + 1
    elif name.startswith(("backbone.patch_embed", "backbone.cls_token", "backbone.register_tokens", "backbone.mask_token")):
        layer = 0
    lr = layer_decay ** (depth + 1 - layer)
    return Rule(lr * patch_lr if "patch_embed" in name else lr, decay, name.endswith("prototypes"))


def optimiser(student: nn.Module, options: Options) -> torch.optim.AdamW:
    groups: dict[Rule, list[nn.Parameter]] = {}
    for name, parameter in student.named_parameters():
        groups.setdefault(rule(name, options.depth, options.layer_decay, options.patch_lr), []).append(parameter)
    return torch.optim.AdamW([{"params": p, "rule": r} for r, p in groups.items()], lr=options.lr, betas=(0.9, 0.999))


def set_rates(optimizer: torch.optim.Optimizer, lr: float, weight_decay: float, freeze_last: bool) -> None:
    for group in optimizer.param_groups:
        group["lr"] = 0.0 if freeze_last and group["rule"].last else lr * group["rule"].lr
        group["weight_decay"] = weight_decay if group["rule"].decay else 0.0
