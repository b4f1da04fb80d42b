"""Pictures of a report. Overlays show patients' slices: they belong into no repository."""

from pathlib import Path

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from .measure_methods import Scores
from .measure_patients import ORGANS, Patient
from .measure_stats import interval

COLOURS = ["tab:red", "tab:orange", "tab:green", "tab:blue", "tab:purple", "tab:cyan", "tab:pink"]


def figure(width: float, height: float) -> Figure:
    made = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(made)
    return made


def dice_bars(results: dict[str, Scores], path: Path) -> None:
    names = [name for name, s in results.items() if "dice_linear" in s]
    picture = figure(9, 4)
    axes = picture.subplots()
    for shift, probe in ((-0.2, "dice_linear"), (0.2, "dice_conv")):
        means, low, high = np.array([interval(np.array(results[name][probe], float)) for name in names]).T
        axes.bar(np.arange(len(names)) + shift, means, 0.38, yerr=[means - low, high - means], label=probe.replace("_", ", "), capsize=2)
    axes.axhline(interval(np.array(results["train mean"]["dice_mean"], float))[0], color="grey", linestyle=":", label="train masks averaged")
    axes.set_xticks(range(len(names)), names, rotation=30, ha="right", fontsize=8)
    axes.set_ylabel("mean Dice of seven organs")
    axes.legend(fontsize=8)
    picture.savefig(path, dpi=100)


def overlay(patient: Patient, hu: np.ndarray, masks: np.ndarray, path: Path) -> None:
    """True contours beside predicted ones [o, z, y, x], in the three planes through the middle of the organs."""
    at = np.argwhere(patient.labels > 0).mean(0).astype(int)
    picture = figure(9, 6)
    contours = np.stack([patient.labels == organ + 1 for organ in range(len(ORGANS))])
    for line, (title, shown) in zip(picture.subplots(2, 3), (("contours", contours), ("predicted", masks))):
        for axis, axes in enumerate(line):
            axes.imshow(hu.take(at[axis], axis), cmap="gray", vmin=-200, vmax=300, origin="lower" if axis else "upper", aspect="auto")
            for plane, colour in zip(shown.take(at[axis], axis + 1), COLOURS):
                if plane.any():
                    axes.contour(plane, [0.5], colors=[colour], linewidths=1)
            axes.set_title(f"{title}, {'zyx'[axis]} = {at[axis]}", fontsize=8)
            axes.axis("off")
    picture.savefig(path, dpi=90)
