"""
Student and teacher, and what one micro-batch asks of the student.

B scans, L local crops each, n patches of a global crop, M masked patches in the micro-batch, K prototypes, c channels.
"""

import copy
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from . import dense, losses
from .model import VisionTransformer
from .options import Options


MATCH = 96  # channels in which patches of two views are compared


class Head(nn.Module):
    """Three-layer MLP to a unit vector, and its cosines with unit prototypes (a weight-normed layer of scale 1)."""

    def __init__(self, dim: int, hidden: int, bottleneck: int, prototypes: int) -> None:
        super().__init__()
        self.mlp = nn.Sequential(
            nn.Linear(dim, hidden), nn.GELU(), nn.Linear(hidden, hidden), nn.GELU(), nn.Linear(hidden, bottleneck)
        )
        self.prototypes = nn.Parameter(torch.randn(prototypes, bottleneck))
        for module in self.mlp:
            if isinstance(module, nn.Linear):
                nn.init.trunc_normal_(module.weight, std=0.02)
                nn.init.zeros_(module.bias)

    def forward(self, tokens: Tensor, moments: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Cosines [N, K], and the vectors [N, bottleneck] before normalisation. moments [2, bottleneck]: mean, deviation."""
        raw = self.mlp(tokens).float()
        vector = raw if moments is None else (raw - moments[0]) / moments[1]
        vector = F.normalize(vector, dim=-1, eps=1e-6)
        return F.linear(vector, F.normalize(self.prototypes.float(), dim=-1)), raw


@dataclass
class Outputs:
    cls: Tensor  # [2B, c] of the global crops
    cls_logits: Tensor  # [2B (+ LB), K]
    patch_logits: Tensor  # [M, K]
    cls_raw: Tensor  # [2B (+ LB), bottleneck] of the heads, before normalisation
    patch_raw: Tensor  # [M, bottleneck]
    places: list[Tensor] = field(default_factory=list)  # per kind of token [B, N, 3]
    matches: Tensor | None = None  # [2B, n, MATCH]
    near_matches: Tensor | None = None  # [LB, n', MATCH] of the local crops
    hu: Tensor | None = None  # [2B, n, 2 · 3³]


class Network(nn.Module):
    """Backbone and heads; the student is one and the teacher is one. Views are ordered view first, then scan."""

    def __init__(self, options: Options) -> None:
        super().__init__()
        size = options.size()
        self.backbone = VisionTransformer(size, options.drop_path, options.layer_scale)
        if options.init == "xavier":
            for module in self.backbone.modules():
                if isinstance(module, nn.Linear):
                    nn.init.xavier_uniform_(module.weight)
        shape = (size.dim, options.head_hidden, options.bottleneck)
        self.dino_head = Head(*shape, options.prototypes)
        self.ibot_head = Head(*shape, options.patch_prototypes) if options.patch_prototypes else None  # None: shared
        self.place_head = nn.Linear(size.dim, 3) if options.place else None
        self.match_head = nn.Linear(size.dim, MATCH, bias=False) if options.match else None
        self.hu_head = nn.Linear(size.dim, 2 * dense.CELLS**3) if options.hu else None

    def forward(
        self, globals: Tensor, mask: Tensor, locals: Tensor | None, moments: dict[str, Tensor | None], hide: bool = True
    ) -> Outputs:
        """globals [2B, 1, D, H, W], mask [2B, n], locals [LB, 1, d, h, w]; hide=False: the mask only picks patches."""
        seen = self.backbone(globals, mask if hide else None)
        patches = seen.patches.flatten(1, 3)  # [2B, n, c]
        near = self.backbone(locals) if locals is not None else None
        cls = seen.cls if near is None else torch.cat([seen.cls, near.cls])
        cls_logits, cls_raw = self.dino_head(cls, moments["cls"])
        patch_logits, patch_raw = (self.ibot_head or self.dino_head)(patches[mask], moments["patch"])
        out = Outputs(seen.cls, cls_logits, patch_logits, cls_raw, patch_raw)
        if self.place_head is not None and near is not None:
            b = len(globals) // 2
            of_scan = lambda tokens: self.place_head(tokens).unflatten(0, (-1, b)).transpose(0, 1).reshape(b, -1, 3)  # noqa: E731
            out.places = [
                of_scan(patches), of_scan(near.patches.flatten(1, 3)), of_scan(seen.cls[:, None]), of_scan(near.cls[:, None])
            ]
        if self.match_head is not None:
            out.matches = self.match_head(patches)
            out.near_matches = self.match_head(near.patches.flatten(1, 3)) if near is not None else None
        if self.hu_head is not None:
            out.hu = self.hu_head(patches)
        return out


def make_teacher(student: Network) -> Network:
    teacher = copy.deepcopy(student).eval()
    return teacher.requires_grad_(False)


@torch.no_grad()
def follow(teacher: nn.Module, student: nn.Module, momentum: float) -> None:
    """teacher ← momentum · teacher + (1 − momentum) · student"""
    torch._foreach_lerp_(list(teacher.parameters()), list(student.parameters()), 1 - momentum)


class Targets(nn.Module):
    """The teacher's targets of one kind of token, and what they need to remember between steps."""

    def __init__(self, prototypes: int, bottleneck: int, centring: str, queue: int = 0, standardise: bool = False) -> None:
        super().__init__()
        self.centring, self.standardise = centring, standardise
        self.register_buffer("centre", torch.zeros(prototypes))
        self.register_buffer("mean", torch.zeros(bottleneck))
        self.register_buffer("square", torch.ones(bottleneck))  # mean of squares
        self.register_buffer("steps", torch.zeros((), dtype=torch.long))
        self.register_buffer("queue", torch.zeros(queue, prototypes if queue else 0))
        self.register_buffer("filled", torch.zeros((), dtype=torch.long))
        self.seen: list[Tensor] = []  # of this step: sums of logits, vectors and their squares, and the count

    def moments(self) -> Tensor | None:
        """
        Running mean and deviation of the teacher's vectors, by which both heads standardise theirs. Tokens of one kind
        are alike at first and point the same way; without this their cosines differ by less than the temperature, the
        targets are uniform, and the student learns to be so.
        """
        if not self.standardise:
            return None
        return torch.stack([self.mean, (self.square - self.mean**2).clamp_min(1e-8).sqrt()])

    def forward(self, logits: Tensor, raw: Tensor, temperature: float) -> Tensor:
        logits = logits.float()
        self.seen.append(torch.cat([logits.sum(0), raw.sum(0), (raw**2).sum(0), logits.new_tensor([len(logits)])]))
        if self.centring == "centre":
            return losses.centred(logits, self.centre, temperature)
        filled = int(self.filled)
        targets = losses.sinkhorn(logits, temperature, queue=self.queue[:filled] if filled else None)
        if len(self.queue):
            kept = torch.cat([logits, self.queue[:filled]])[: len(self.queue)]
            self.queue[: len(kept)] = kept
            self.filled.fill_(len(kept))
        return targets

    def end_step(self, momentum: float) -> None:
        """Moves the centre and the moments towards those of the whole step, over micro-batches and processes."""
        total = losses.summed(torch.stack(self.seen).sum(0))
        self.seen.clear()
        k, b = len(self.centre), len(self.mean)
        logits, mean, square = (total[:-1] / total[-1].clamp_min(1)).split([k, b, b])
        self.centre.lerp_(logits, 1 - momentum)
        since = float(self.steps)
        early = 1 - min(momentum, since / (since + 1))  # the first steps count fully
        self.mean.lerp_(mean, early)
        self.square.lerp_(square, early)
        self.steps += 1


def objective(
    student: nn.Module, teacher: Network, targets: dict[str, Targets], batch: dict[str, Tensor], options: Options, temperature: float
) -> tuple[Tensor, dict[str, Tensor]]:
    """The loss of one micro-batch, and its terms and the teacher's entropies for the log."""
    globals, mask, locals = batch["globals"], batch["mask"], batch.get("locals")
    b = len(globals) // 2
    moments = {name: target.moments() for name, target in targets.items()}
    with torch.autocast(globals.device.type, torch.bfloat16, enabled=options.precision == "bf16"):
        with torch.no_grad():
            aim = teacher(globals, mask, None, moments, hide=False)
        out = student(globals, mask, locals, moments)

    cls_targets = targets["cls"](aim.cls_logits, aim.cls_raw, temperature)
    patch_targets = targets["patch"](aim.patch_logits, aim.patch_raw, options.patch_temperature or temperature)
    crop = mask.nonzero()[:, 0]
    terms = {
        "dino": losses.dino(cls_targets.unflatten(0, (2, b)), out.cls_logits.unflatten(0, (-1, b)), options.student_temperature),
        "ibot": losses.ibot(patch_targets, out.patch_logits, crop, 2 * b, options.student_temperature),
        "koleo": (losses.koleo(out.cls[:b]) + losses.koleo(out.cls[b:])) / 2,
    }
    if out.places:
        patches, near = batch["places"], batch["local_places"]  # [2B, n, 3], [LB, n', 3]
        by_scan = lambda t: t.unflatten(0, (-1, b)).transpose(0, 1).reshape(b, -1, 3)  # noqa: E731
        true = [by_scan(patches), by_scan(near), by_scan(patches.mean(1, keepdim=True)), by_scan(near.mean(1, keepdim=True))]
        terms["place"] = dense.placing(out.places, true)
    if out.matches is not None:
        terms["match"] = match(out, aim, batch, options.match_temperature)
    if out.hu is not None:
        terms["hu"] = F.smooth_l1_loss(out.hu.float(), dense.hu_cells(globals, options.patch), beta=0.5)
    weights = {name: getattr(options, name) for name in terms}
    loss = sum(weights[name] * term for name, term in terms.items())
    log = {name: term.detach() for name, term in terms.items()}
    log["loss"] = loss.detach()
    log["teacher_entropy"] = losses.entropy(cls_targets).mean()
    log["teacher_spread"] = losses.entropy(cls_targets.mean(0))  # low: all views get the same target
    log["patch_entropy"] = losses.entropy(patch_targets).mean()
    log["patch_spread"] = losses.entropy(patch_targets.mean(0))
    return loss, log


def match(out: Outputs, aim: Outputs, batch: dict[str, Tensor], temperature: float) -> Tensor:
    """Patches of each view in the teacher's global views: the global ones in the other, the local ones in both."""
    places, b = batch["places"], len(batch["places"]) // 2
    first, second = (slice(0, b), slice(b, 2 * b))
    found = [
        dense.matching(out.matches[mine], places[mine], aim.matches[other], places[other], temperature)
        for mine, other in ((first, second), (second, first))
    ]
    if out.near_matches is not None:
        by_scan = lambda t: t.unflatten(0, (-1, b)).transpose(0, 1).flatten(1, 2)  # noqa: E731
        near, near_places = by_scan(out.near_matches), by_scan(batch["local_places"])
        found += [dense.matching(near, near_places, aim.matches[k], places[k], temperature) for k in (first, second)]
    return torch.stack(found).mean()
