"""Measures a version on its held-back pictures: the very file from storage, over the one pixel path."""

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from django.utils.translation import gettext_noop
from numpy.typing import NDArray

from datasets.pixels import PixelSpec, UnreadableImage
from datasets.stored_pixels import pixels_of
from training import measures
from training.manifest import Entry, Manifest
from training.predictions import DIGITS, Prediction
from training.report import put_together
from web import storage
from web.sentences import Refusal

ONLY_ERRORS = 3


class WrongFile(RuntimeError):
    """The model file is not the one that this training should have made."""


class NothingToMeasure(Refusal):
    """Not one held-back picture could be read."""

    code = "nothing-to-measure"


@dataclass(frozen=True)
class Measured:
    """What came out. `truth` int64 [n]; `scores` float32 [n, labels]; `seconds`: one picture's time."""

    entries: list[Entry]
    truth: NDArray[np.int64]
    scores: NDArray[np.float32]
    unreadable: list[str]
    seconds: float


class ModelFile:
    """A model file in ONNX Runtime, with what it says about itself."""

    def __init__(self, path: Path, threads: int) -> None:
        import onnxruntime as ort

        options = ort.SessionOptions()
        options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
        options.log_severity_level = ONLY_ERRORS
        self.session = ort.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        metadata = self.session.get_modelmeta().custom_metadata_map
        self.labels: list[str] = json.loads(metadata["labels"])
        self.spec = PixelSpec.from_json(metadata["pixel_spec"])

    def scores_of(self, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
        """One input, uint8 [size, size, 3], to float32 [labels]."""
        (rows,) = self.session.run(["scores"], {"images": pixels[None]})
        return np.asarray(rows[0], dtype=np.float32)


def measure(key: str, manifest: Manifest, *, threads: int, done: Callable[[int, int], None]) -> Measured:
    """Run the file over every held-back picture, singly as in serving. `done(so far, of)` may raise."""
    held_back = manifest.part("held_back")
    with storage.local_copy(key) as path:
        model = ModelFile(path, threads)
        if tuple(model.labels) != manifest.labels:
            raise WrongFile(f"the file names {model.labels}, the manifest {manifest.labels}")
        read, rows, times, unreadable = [], [], [], []
        for at, entry in enumerate(held_back):
            done(at, len(held_back))
            began = time.perf_counter()
            try:
                scores = model.scores_of(pixels_of(entry.key, model.spec))
            except (UnreadableImage, FileNotFoundError):
                unreadable.append(entry.name)
                continue
            times.append(time.perf_counter() - began)
            read.append(entry)
            rows.append(scores)
    if not read:
        raise NothingToMeasure(
            gettext_noop("None of the held-back pictures could be read, so nothing was measured.")
        )
    places = {label: at for at, label in enumerate(manifest.labels)}
    truth = np.array([places[entry.label] for entry in read], dtype=np.int64)
    return Measured(read, truth, np.stack(rows), unreadable, float(np.median(times)))


def predictions_of(measured: Measured, labels: Sequence[str]) -> list[Prediction]:
    """One row for each picture."""
    predicted = measures.predicted_of(measured.scores)
    return [
        Prediction(
            entry.image,
            entry.name,
            entry.label,
            labels[at],
            tuple(round(float(each), DIGITS) for each in scores),
        )
        for entry, at, scores in zip(measured.entries, predicted, measured.scores, strict=True)
    ]


def report(measured: Measured, manifest: Manifest, about: dict[str, Any]) -> dict[str, Any]:
    """The report as it is stored."""
    names = list(manifest.labels)
    predicted = measures.predicted_of(measured.scores)
    labels = measures.by_label(measured.truth, predicted, names)
    speed = {"seconds_a_picture": round(measured.seconds, 5), "unreadable": measured.unreadable}
    return put_together(
        overall=measures.overall(measured.truth, measured.scores, labels),
        labels=labels,
        counts=measures.confusion(measured.truth, predicted, len(names)),
        calibration=measures.calibration(measured.truth, measured.scores),
        split=manifest.counts(),
        about=about | speed,
    )
