"""Measures two choices on real photographs: stretch or pad, and the head against logistic regression.

    TAXON_TEST_DATA=… TAXON_WEIGHTS_DIR=… python -m tests.benchmarks.fit_measurement [pixels|head] [--seeds 5]

Prints the tables that docs/pixel-fit.md and docs/training-choices.md hold. A few minutes on one core.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import sys
import tempfile
import time
import zipfile
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
from onnx import numpy_helper
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss
from sklearn.model_selection import train_test_split

from datasets.pixels import PixelSpec, spec_for, to_pixels
from training.engine.extractor import build_extractor
from training.engine.fit import fit
from training.engine.spec import HELD_BACK, TRAIN, VALIDATION, ExtractorTask, FitTask

PIXEL_SETS = ("flowers5", "garbage6", "动物与交通工具")
HEAD_SETS = (*PIXEL_SETS, "caltech20", "cifar10-small", "fer2013-small")
BACKBONE = "mobilenet_v2"
Features = tuple[np.ndarray, np.ndarray, list[str]]


def named_pictures(folder: Path, name: str) -> Iterator[tuple[str, bytes]]:
    """("label/file", bytes) of a set, from its folder or its zip, in a fixed order."""
    if (folder / name).is_dir():
        for path in sorted((folder / name).rglob("*.*")):
            yield f"{path.parent.name}/{path.name}", path.read_bytes()
        return
    with zipfile.ZipFile(folder / f"{name}.zip") as archive:
        for entry in sorted(archive.namelist()):
            if not entry.endswith("/"):
                yield "/".join(entry.split("/")[-2:]), archive.read(entry)


def pictures(folder: Path, name: str) -> Iterator[tuple[str, bytes]]:
    """(label, bytes) of a set."""
    return ((path.partition("/")[0], content) for path, content in named_pictures(folder, name))


def extractor_for(spec: PixelSpec, work: Path, weights: Path) -> Path:
    task = ExtractorTask(
        work_folder=str(work / spec.key),
        backbone=BACKBONE,
        pixel_spec=asdict(spec),
        weights_folder=str(weights),
        download=False,
    )
    Path(task.work_folder).mkdir()
    with contextlib.redirect_stdout(sys.stderr):
        return Path(task.work_folder) / build_extractor(task)["file"]


def features_of(folder: Path, name: str, spec: PixelSpec, extractor: Path) -> Features:
    """float16 [n, d] as the product keeps them, targets [n], labels."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(extractor, options)
    found, names = [], []
    for label, data in pictures(folder, name):
        names.append(label)
        found.append(session.run(["embedding"], {"images": to_pixels(data, spec)[None]})[0][0])
    labels = sorted(set(names))
    return np.stack(found).astype(np.float16), np.array([labels.index(each) for each in names]), labels


def split_of(targets: np.ndarray, seed: int) -> np.ndarray:
    """A fifth held back, 15 % of the rest to validate, stratified."""
    rest, held_back = train_test_split(
        np.arange(len(targets)), test_size=0.2, stratify=targets, random_state=seed
    )
    _, validation = train_test_split(rest, test_size=0.15, stratify=targets[rest], random_state=seed)
    split = np.full(len(targets), TRAIN, np.uint8)
    split[held_back], split[validation] = HELD_BACK, VALIDATION
    return split


def logistic(features: Features, split: np.ndarray, parts: tuple[int, ...]) -> tuple[float, float]:
    """scikit-learn's default on features as they are: accuracy and log loss on the held-back side."""
    x, y, _ = features
    fitted, held_back = np.isin(split, parts), split == HELD_BACK
    model = LogisticRegression(max_iter=1000).fit(x[fitted].astype(np.float32), y[fitted])
    scores = model.predict_proba(x[held_back].astype(np.float32))
    return float((scores.argmax(1) == y[held_back]).mean()), float(log_loss(y[held_back], scores))


def head(
    features: Features, split: np.ndarray, extractor: Path, work: Path, seed: int
) -> tuple[float, float, float]:
    """The product's head: accuracy and log loss on the held-back side, and its seconds."""
    x, y, labels = features
    for name, array in (("features", x), ("targets", y), ("split", split)):
        np.save(work / f"{name}.npy", array)
    task = FitTask(
        work_folder=str(work),
        features=str(work / "features.npy"),
        extractor=str(extractor),
        targets=str(work / "targets.npy"),
        split=str(work / "split.npy"),
        labels=labels,
        pixel_spec={},
        seed=seed,
    )
    began = time.monotonic()
    with contextlib.redirect_stdout(sys.stderr):
        fit(task, began)
    arrays: dict[str, Any] = {
        each.name: numpy_helper.to_array(each) for each in onnx.load(work / "model.onnx").graph.initializer
    }
    held_back = split == HELD_BACK
    logits = x[held_back].astype(np.float64) @ arrays["taxon_weight"].T + arrays["taxon_bias"]
    scores = np.exp(logits - logits.max(1, keepdims=True))
    scores /= scores.sum(1, keepdims=True)
    right = float((scores.argmax(1) == y[held_back]).mean())
    return right, float(log_loss(y[held_back], scores)), time.monotonic() - began


def mean(rows: list[tuple[float, ...]]) -> list[float]:
    return [float(each) for each in np.mean(rows, axis=0)]


def measure_pixels(folder: Path, weights: Path, work: Path, seeds: int) -> None:
    """Stretch against pad, same splits."""
    print(
        "| set | pictures | stretch: accuracy | log loss | pad: accuracy | log loss |\n|---|---|---|---|---|---|"
    )
    specs = [spec_for(224, "stretch"), spec_for(224, "pad")]
    extractors = [extractor_for(spec, work, weights) for spec in specs]
    totals = []
    for name in PIXEL_SETS:
        row: list[float] = []
        for spec, extractor in zip(specs, extractors, strict=True):
            features = features_of(folder, name, spec, extractor)
            runs = [
                logistic(features, split_of(features[1], seed), (TRAIN, VALIDATION)) for seed in range(seeds)
            ]
            row += mean(runs)
        totals.append(row)
        print(line(name, len(features[1]), row), flush=True)
    print(line("mean", "", mean([tuple(row) for row in totals])))


def line(name: str, count: object, row: list[float]) -> str:
    cells = [f"{100 * value:.1f} %" if place % 2 == 0 else f"{value:.3f}" for place, value in enumerate(row)]
    return f"| {name} | {count} | " + " | ".join(cells) + " |"


def measure_head(folder: Path, weights: Path, work: Path, seeds: int) -> None:
    """The head against logistic regression on the same features and split."""
    print(
        "| set | LR on train | log loss | LR on train + validation | log loss | head | log loss | seconds |"
    )
    print("|---|---|---|---|---|---|---|---|")
    spec = spec_for(224)
    extractor = extractor_for(spec, work, weights)
    for name in HEAD_SETS:
        features, rows = features_of(folder, name, spec, extractor), []
        for seed in range(seeds):
            split = split_of(features[1], seed)
            row = logistic(features, split, (TRAIN,)) + logistic(features, split, (TRAIN, VALIDATION))
            rows.append(row + head(features, split, extractor, work, seed))
        *cells, seconds = mean(rows)
        print(line(name, "", cells).replace("|  |", "|"), f"{seconds:.1f} |", flush=True)


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("what", choices=["pixels", "head"])
    arguments.add_argument("--seeds", type=int, default=5)
    asked = arguments.parse_args()
    try:
        folder, weights = (Path(os.environ[name]) for name in ("TAXON_TEST_DATA", "TAXON_WEIGHTS_DIR"))
    except KeyError as missing:
        sys.exit(f"{missing.args[0]} must name a folder.")
    measure = {"pixels": measure_pixels, "head": measure_head}[asked.what]
    with tempfile.TemporaryDirectory() as work:
        measure(folder, weights, Path(work), asked.seeds)


if __name__ == "__main__":
    main()
