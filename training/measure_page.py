"""The report as Markdown: tables with 95 % intervals, and the model card that lies beside an encoder."""

import numpy as np

from .measure_encoders import Encoder
from .measure_methods import Scores
from .measure_patients import CONTOURS, DRAWN, ORGANS, POOL, SEEDS, TUNING
from .measure_stats import auc_interval, interval

Results = dict[str, Scores]


def number(values: list, digits: int = 3) -> str:
    mean, low, high = interval(np.array(values, float))
    return f"{mean:.{digits}f} ({low:.{digits}f}–{high:.{digits}f})"


def rows(header: list[str], lines: list[list[str]]) -> str:
    return "\n".join("| " + " | ".join(line) + " |" for line in [header, ["---"] * len(header), *lines])


def patches_table(results: Results) -> str:
    lines = [
        [name, number(s["dice_linear"]), number(s["dice_conv"]), number(s["centre_mm"], 1)]
        for name, s in results.items()
        if "dice_linear" in s
    ]
    mean, top = results["train mean"], results["ceiling"]
    lines.append(["train mean (masks averaged; mean position)", number(mean["dice_mean"]), "", number(mean["centre_mm"], 1)])
    lines.append(["ceiling: the true shares of the cells", number(top["dice_mean"]), "", ""])
    return rows(["method", "Dice, linear probe", "Dice, conv probe", "centre error, mm"], lines)


def organs_table(results: Results, measurement: str, digits: int) -> str:
    lines = []
    for name, s in results.items():
        if measurement in s:
            per_organ = np.nanmean(np.array(s[measurement], float), 0)
            lines.append([name, *(f"{v:.{digits}f}" for v in per_organ), f"{np.std(s[f'{measurement}_seeds']):.{digits + 1}f}"])
    return rows(["method", *ORGANS, "sd of seeds"], lines)


def differences_table(results: Results, ours: str) -> str:
    """Ours minus each other method, patient by patient."""
    lines = []
    for mine in (ours, f"{ours} + position"):
        for name, s in results.items():
            if "dice_linear" in s and not name.startswith(ours):
                gaps = [np.array(results[mine][m], float) - np.array(s[m], float) for m in ("dice_linear", "dice_conv", "centre_mm")]
                lines.append([f"{mine} − {name}", *(number(gap, digits) for gap, digits in zip(gaps, (3, 3, 1)))])
    return rows(["paired difference", "Dice, linear", "Dice, conv", "centre error, mm"], lines)


def crops_table(results: Results) -> str:
    measurements = ["shots_1", "shots_5", *(f"recall_{kind}_{k}" for kind in ("raw", "standard") for k in (1, 5, 10))]
    lines = [[name, *(number(s[m], 2) for m in measurements)] for name, s in results.items() if "shots_1" in s]
    return rows(["crops of 7 organs", "1 shot", "5 shots", "R@1", "R@5", "R@10", "R@1 std.", "R@5 std.", "R@10 std."], lines)


def shapes_table(results: Results) -> str:
    lines = []
    for name, s in results.items():
        if "adrenal" in s:
            mean, low, high = auc_interval(np.array(s["adrenal"]), np.array(s["adrenal_labels"]))
            lines.append([name, f"{mean:.3f} ({low:.3f}–{high:.3f})"])
    return rows(["AdrenalMNIST3D", "validation AUC"], lines)


PROTOCOL = f"""Everything is measured on the 33 patients of OpenKBP `validation`. Probes learn from OpenKBP `train` alone: the first {POOL}
patients, by number, with at least {CONTOURS} of the seven contours (the others are left out by that rule), of whom each of
{len(SEEDS)} seeds draws {DRAWN}: {DRAWN - TUNING} to fit on and {TUNING} that choose penalty, steps and threshold. An organ is scored only in
patients with its contour, for an absent contour is not an absent organ. Intervals are 95 %, by bootstrap over patients, of the
scores averaged over seeds, then over patients, then over organs.

- **Segmentation**: probes predict how much of each of a patch's 2³ cells an organ fills; shares are interpolated trilinearly to the
  original 128³ voxels, cut at a threshold, and Dice is computed there, for every method alike. The linear probe sees one patch;
  the conv probe has two 3³ convolutions over the patches before the same last layer.
- **Localisation**: a linear map per organ, a softmax over the patient's patches, the expected place.
- **Position** is given as waves (random cosine features) of a patch's place in the input box and of its mm from the box's top
  and middle. *Train mean*: masks and centres averaged over the train patients, box onto box.
- **Crops** of about 96 mm around organ centres, jittered by up to 15 mm along each axis, each encoded by itself. Few shots: nearest class
  mean (cosine, standardised by train crops), shots from train patients, 100 draws; chance is 0.14. Retrieval: one crop of the same organ in another
  validation patient against 99 of other organs in other patients; plain cosine, and standardised (std.); chance is 0.01, 0.05, 0.10.
- **AdrenalMNIST3D**: shapes as HU 40 in −1000; logistic regression, penalty by a fifth of the train subjects, five seeds of 80 %."""


def page(results: Results, encoder: Encoder, ours: str) -> str:
    r = encoder.recipe
    parts = [
        f"# {encoder.key}: what its frozen features carry",
        f"dim {encoder.size.dim}, depth {encoder.size.depth}, heads {encoder.size.heads}, patch {r.patch}; recipe: spacing floor {r.spacingFloor} mm, "
        f"at most {r.patchBudget} patches, {'body crop' if r.crop else 'no crop'}.",
        PROTOCOL,
        "## Segmentation and localisation\n\n" + patches_table(results),
        "Differences, patient by patient (an interval without 0 is a difference beyond chance; fewer mm are better):\n\n" + differences_table(results, ours),
        "## By organ\n\nDice, linear probe\n\n" + organs_table(results, "dice_linear", 2),
        "Dice, conv probe\n\n" + organs_table(results, "dice_conv", 2),
        "Centre error in mm\n\n" + organs_table(results, "centre_mm", 1),
        "## Crops\n\n" + crops_table(results),
        "## Shapes\n\n" + shapes_table(results),
    ]
    return "\n\n".join(parts) + "\n"


def card(results: Results, encoder: Encoder, facts: dict[str, str]) -> str:
    """The model card; what only the run knows (hours, data, curves) comes in `facts`."""
    untrained = "" if encoder.trained else " **It is untrained**: its weights are random."
    return f"""# Model card: {encoder.name}

A 3D vision transformer for CT ({encoder.size.dim} channels, {encoder.size.depth} blocks, patches of {encoder.recipe.patch} voxels), self-distilled without labels; used frozen,
with light probes. Research software, not a medical device.{untrained}

**Data.** {facts["data"]}

**Training.** {facts["training"]}

**Licence of the weights.** {facts["licence"]}

![loss terms, entropies, rank of CLS](curves.png)

**Limits.** Trained on few scans, most of them head-and-neck radiotherapy CTs on a coarse grid (about 4 × 4 × 2.5 mm); fine lesions are not
resolved. Coordinates are normalised per axis, so the network sees no physical size. Features also follow scanner and imaged extent. The
probes below say what was measured, on 33 patients; nothing was measured on other body regions except the shapes of AdrenalMNIST3D.

## Measured

{PROTOCOL}

{patches_table(results)}

By organ: Dice by the linear probe, Dice by the conv probe, centre error in mm.

{organs_table(results, "dice_linear", 2)}

{organs_table(results, "dice_conv", 2)}

{organs_table(results, "centre_mm", 1)}

{crops_table(results)}

{shapes_table(results)}
"""
