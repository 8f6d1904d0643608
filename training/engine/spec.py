"""What the engine is asked to do, as a JSON file: written by the training job, read here. No torch."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Literal

Metric = Literal["top1", "top5", "precision", "recall", "f1"]
METRICS: tuple[Metric, ...] = ("top1", "top5", "precision", "recall", "f1")
TRAIN, VALIDATION, HELD_BACK = 0, 1, 2  # the values in split.npy; HELD_BACK is never looked at here
BALANCING = ("auto", "weighted", "balanced", "off")  # what may be done about labels of unequal size
RESULT = "result.json"
DISK_FULL = "disk-full"  # the code of a `failed` line


class BadSpec(ValueError):
    """The spec file is not one that this engine understands; the sentence says where."""


@dataclass(frozen=True, kw_only=True)
class ExtractorTask:
    """Build a feature extractor (ONNX) from a pretrained backbone.

    `work_folder` is where `extractor.onnx` and `result.json` go. `pixel_spec` is `PixelSpec` as a dict; its
    `size` fixes the input. Weights come from `weights_folder`, else (when `download`) from torchvision's hub,
    kept under `download_folder`.
    """

    task: ClassVar[str] = "extractor"
    work_folder: str
    backbone: str
    pixel_spec: dict[str, Any]
    weights_folder: str | None = None
    download: bool = True
    download_folder: str | None = None
    threads: int = 1
    die_with_parent: bool = False


@dataclass(frozen=True, kw_only=True)
class FitTask:
    """Fit a model and write it as ONNX: `model.onnx` and `result.json` in `work_folder`.

    Give `features` (float16/32 [n, d], from `extractor`, an ONNX file) for a linear head; or `pixels`
    (uint8 [n, s, s, 3], RGB) for a small network from scratch; or `pixels` and a `backbone` whose weights lie
    in `weights_folder` or `download_folder`, to fine-tune it: `s` is then at least the size of `pixel_spec`,
    the room that crops need. `targets` is int64 [n], indices into
    `labels`; `split` is uint8 [n]: TRAIN, VALIDATION or HELD_BACK. `seconds` is the whole budget, from the start of the
    process to the written file. `stop_file`: once it exists the fit ends and keeps its best.
    `class_weights`: what is done about labels of unequal size. `weighted`: each picture's loss counts inverse to
    its label's pictures; `balanced`: each batch has as many pictures of each label; `auto`: weighted when the
    largest label has over 1.5 times the pictures of the smallest; `off`; or a weight for each label.
    `start_from`: weights that an earlier fit of the same kind and network kept; its last layer counts by the labels'
    names. `rate` scales the rate of a fine-tuning. `checkpoint_folder`: a fit that was killed goes on from there.
    `about` goes into the model's metadata.
    """

    task: ClassVar[str] = "fit"
    work_folder: str
    targets: str
    split: str
    labels: list[str]
    pixel_spec: dict[str, Any]
    features: str | None = None
    extractor: str | None = None
    pixels: str | None = None
    backbone: str | None = None
    weights_folder: str | None = None
    download_folder: str | None = None
    start_from: str | None = None
    rate: float = 1.0
    optimise_for: Metric = "top1"
    seed: int = 0
    seconds: float = 600.0
    max_epochs: int | None = None
    patience: int = 5
    class_weights: str | list[float] = "auto"
    stop_file: str | None = None
    checkpoint_folder: str | None = None
    about: dict[str, Any] = field(default_factory=dict)
    threads: int = 1
    die_with_parent: bool = False

    def __post_init__(self) -> None:
        if (self.features is None) == (self.pixels is None):
            raise BadSpec("A fit needs either features or pixels.")
        if self.backbone is not None and self.pixels is None:
            raise BadSpec("Fine-tuning needs pixels.")
        if self.features is not None and self.extractor is None:
            raise BadSpec("A fit on features needs the extractor that made them.")
        if self.optimise_for not in METRICS:
            raise BadSpec(f"optimise_for must be one of {', '.join(METRICS)}.")
        if self.class_weights == "none":  # an older word, in versions that were asked for before
            object.__setattr__(self, "class_weights", "off")
        if isinstance(self.class_weights, str) and self.class_weights not in BALANCING:
            raise BadSpec(f"class_weights must be one of {', '.join(BALANCING)}, or a list of numbers.")
        if len(self.labels) < 2 or len(set(self.labels)) != len(self.labels):
            raise BadSpec("A fit needs at least two labels, each with its own name.")
        if not 0 < self.rate <= 10:
            raise BadSpec("rate must be above 0 and at most 10.")
        if self.seconds <= 0 or self.patience < 1 or self.threads < 1:
            raise BadSpec("seconds, patience and threads must be positive.")


Task = ExtractorTask | FitTask
_TASKS: dict[str, type[ExtractorTask] | type[FitTask]] = {"extractor": ExtractorTask, "fit": FitTask}


def write_spec(task: Task, path: Path) -> None:
    """Write a task where `read_spec` finds it."""
    path.write_text(json.dumps({"task": task.task, **asdict(task)}, ensure_ascii=False, indent=1), "utf-8")


def read_spec(path: Path) -> Task:
    """The task in this file; BadSpec says what is wrong with it."""
    try:
        fields = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise BadSpec(f"{path} cannot be read as a spec: {error}") from error
    kind = _TASKS.get(fields.pop("task", None)) if isinstance(fields, dict) else None
    if kind is None:
        raise BadSpec(f"{path} does not name a task (extractor or fit).")
    try:
        return kind(**fields)
    except TypeError as error:
        raise BadSpec(f"{path}: {error}") from error
