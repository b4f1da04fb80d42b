"""Draws a run's log.jsonl as curves.png."""

import io
from pathlib import Path

from .run_files import read_lines
from .volumes import write_atomically

PANELS = [
    ("loss terms", ["loss", "dino", "ibot", "match", "hu", "place"]),
    ("entropy of the teacher's targets (1 = uniform)", ["teacher_entropy", "teacher_spread", "patch_entropy", "patch_spread"]),
    ("effective rank of CLS, volumes kept out", ["cls_rank"]),
    ("place probe, volumes kept out (mm)", ["place_mm", "place_mm_mean"]),
    ("KoLeo", ["koleo"]),
    ("scans per second", ["scans_per_s"]),
]


def draw(folder: Path) -> None:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    lines = read_lines(folder / "log.jsonl")
    figure = Figure(figsize=(12, 7), layout="constrained")
    FigureCanvasAgg(figure)
    for axes, (title, names) in zip(figure.subplots(2, 3).flat, PANELS):
        for name in names:
            points = [(line["step"], line[name]) for line in lines if name in line]
            if points:
                axes.plot(*zip(*points), label=name, linewidth=1, marker="." if len(points) < 30 else None)
        axes.set_title(title, fontsize=9)
        axes.set_xlabel("step", fontsize=8)
        axes.tick_params(labelsize=8)
        if axes.lines:
            axes.legend(fontsize=7)
    picture = io.BytesIO()
    figure.savefig(picture, format="png", dpi=90)
    write_atomically(folder / "curves.png", lambda file: file.write(picture.getvalue()))
