"""
Runs every method through every measurement. Scores of a method are kept as JSON in the cache, by what it was computed
from and by the text of the measuring code, so that the baselines of one grid are computed once.
"""

import hashlib
import json
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from . import measure_adrenal as adrenal
from . import measure_crops as crops
from . import measure_localisation as localisation
from . import measure_segmentation as segmentation
from .card import recipe_digest
from .measure_encoders import Encoder, random_twin
from .measure_features import Pca, Table, encoded, joined, patch_sample, position, raw_patches, raw_statistics, table
from .measure_patients import Patient, read_all

Scores = dict[str, list]  # measurement → per patient [33][7], averaged over seeds; …_seeds → mean of each seed


def measure(encoder: Encoder, data: Path, cache: Path, say: Callable[[str], None]) -> dict[str, Scores]:
    """method → scores"""
    grid, code = recipe_digest(encoder.recipe)[:12], code_digest()

    def kept(key: str, compute: Callable[[], Scores]) -> Scores:
        path = cache / "scores" / f"{hashlib.sha256(f'{key} {grid} {code}'.encode()).hexdigest()[:20]}.json"
        if not path.exists():
            start = time.monotonic()
            text = json.dumps(compute())
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, "utf-8")
            say(f"{key}: {time.monotonic() - start:.0f} s")
        return json.loads(path.read_text("utf-8"))

    pool, held_out = read_all(data, encoder.recipe)
    truth, truth_held_out = segmentation.shares(pool), segmentation.shares(held_out)
    say(f"{len(pool)} train and {len(held_out)} validation patients, {np.mean([np.prod(p.prepared.grid) for p in pool]):.0f} patches each")

    def simple(name: str, make: Callable) -> Table:
        return table(name, f"{name} {grid}", [make(p.prepared) for p in pool], [make(p.prepared) for p in held_out])

    def tokens(name: str, of: Encoder) -> Table:
        return table(name, of.key, encoded(of, pool, cache, "train"), encoded(of, held_out, cache, "validation"))

    def on_patches(features: Table) -> Scores:
        linear = segmentation.linear(features, pool, truth, held_out)
        conv = segmentation.conv(features, pool, truth, held_out)
        mm = localisation.errors(features, pool, held_out)
        return summary("dice_linear", linear) | summary("dice_conv", conv) | summary("centre_mm", mm)

    twin = random_twin(encoder)
    ours = "encoder" if encoder.trained else "encoder (untrained)"
    makers: dict[str, tuple[str, Callable[[], Table]]] = {
        ours: (encoder.key, lambda: tokens(ours, encoder)),
        "random weights": (twin.key, lambda: tokens("random weights", twin)),
        "raw intensities": ("raw", lambda: simple("raw intensities", raw_statistics)),
        "PCA of patches": ("pca", lambda: simple("PCA of patches", pca_of(pool))),
    }
    where = simple("position", position)
    out = {"position": kept("position", lambda: on_patches(where))}
    for name, (key, make) in makers.items():
        made: list[Table] = []  # at most once, and only if a score is missing

        def features() -> Table:
            if not made:
                made.append(make())
            return made[0]

        out[name] = kept(key, lambda: on_patches(features()))
        out[f"{name} + position"] = kept(f"{key} + position", lambda: on_patches(joined(features(), where)))
    out["train mean"] = kept(
        "mean", lambda: summary("dice_mean", segmentation.mean_masks(pool, truth, held_out)) | summary("centre_mm", localisation.mean_position(pool, held_out))
    )
    out["ceiling"] = kept("ceiling", lambda: summary("dice_mean", segmentation.ceiling(pool, truth, held_out, truth_held_out)[None]))

    for name, scores in on_crops(encoder, twin, pool, held_out, cache, kept, ours).items():
        out[name] = out.get(name, {}) | scores
    for name, scores in on_shapes(encoder, twin, data, cache, kept, ours).items():
        out[name] = out.get(name, {}) | scores
    return out


def pca_of(pool: list[Patient]) -> Callable:
    pca = Pca(patch_sample(pool))
    return lambda prepared: pca(raw_patches(prepared))


def on_crops(encoder: Encoder, twin: Encoder, pool: list[Patient], held_out: list[Patient], cache: Path, kept, ours: str) -> dict[str, Scores]:
    train, validation = crops.cut(pool, encoder, 1, 0), crops.cut(held_out, encoder, 2, 1)

    def scores(x: np.ndarray, y: np.ndarray, whiten: bool = True) -> Scores:
        found = {}
        a, b = crops.standard(x, y) if whiten else (x, y)  # components are centred, and keep their deviations
        for shots in crops.SHOTS:
            found[f"shots_{shots}"] = crops.few_shot(a, train, b, validation, shots).tolist()
        for name, rows in (("raw", y), ("standard", b)):
            found |= {f"recall_{name}_{k}": hit.tolist() for k, hit in crops.retrieval(rows, validation).items()}
        return found

    out = {}
    for name, of in ((ours, encoder), ("random weights", twin)):
        for pooling in ("mean token", "CLS"):
            def compute() -> Scores:
                x, y = (crops.tokens(of, part, cache / of.key / f"crops-{label}.npy")[pooling] for part, label in ((train, "train"), (validation, "validation")))
                return scores(x, y)

            out[f"{name}, {pooling}"] = kept(f"{of.key} crops {pooling}", compute)
    patch = encoder.recipe.patch
    out["raw intensities"] = kept("raw crops", lambda: scores(*(crops.intensities(c, patch) for c in (train, validation))))
    out["PCA of crops"] = kept("pca crops", lambda: scores(*crops.components(train, validation), whiten=False))
    return out


def on_shapes(encoder: Encoder, twin: Encoder, data: Path, cache: Path, kept, ours: str) -> dict[str, Scores]:
    masks, labels = adrenal.read(data)

    def scores(x: np.ndarray, y: np.ndarray, whiten: bool = True) -> Scores:
        return {"adrenal": adrenal.scores(x, labels["train"], y, whiten).tolist(), "adrenal_labels": labels["val"].tolist()}

    out = {}
    for name, of in ((ours, encoder), ("random weights", twin)):
        for pooling in ("mean token", "octants and CLS"):
            def compute() -> Scores:
                x, y = (adrenal.pooled(of, masks[part], cache / of.key / f"adrenal-{part}.npy")[pooling] for part in ("train", "val"))
                return scores(x, y)

            out[f"{name}, {pooling}"] = kept(f"{of.key} adrenal {pooling}", compute)
    patch = encoder.recipe.patch
    out["raw intensities"] = kept("raw adrenal", lambda: scores(*(adrenal.coarse(masks[part], patch) for part in ("train", "val"))))
    out["PCA of shapes"] = kept("pca adrenal", lambda: scores(*adrenal.components(masks["train"], masks["val"]), whiten=False))
    return out


def summary(name: str, scores: np.ndarray) -> Scores:
    """[seeds, patients, o]"""
    return {name: scores.mean(0).tolist(), f"{name}_seeds": np.nanmean(np.nanmean(scores, 1), 1).tolist()}


def code_digest() -> str:
    files = sorted([*Path(__file__).parent.glob("measure_*.py"), Path(__file__).with_name("probes.py"), Path(__file__).with_name("model.py")])
    skipped = {"measure_page.py", "measure_plots.py"}
    return hashlib.sha256(b"".join(f.read_bytes() for f in files if f.name not in skipped)).hexdigest()[:12]
